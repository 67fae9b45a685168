//! The console's own small files, and the operator's editor.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::settings::Paths;

/// Lines kept at most, and bytes read at most.
const LINES: usize = 100;
const BYTES: usize = 256 * 1024;

/// Where target expressions are kept.
pub fn expressions(paths: &Paths) -> PathBuf {
    paths.state.join("expressions")
}

/// The lines of a small file; none if it is not there.
pub fn read_lines(path: &Path) -> Vec<String> {
    let bytes = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(BYTES)]).into_owned();
    text.lines().map(str::trim).filter(|line| !line.is_empty()).take(LINES).map(str::to_owned).collect()
}

/// Whole or not at all.
pub fn write_lines(path: &Path, lines: &[String]) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = fs::File::create(&new)?;
    for line in lines {
        writeln!(file, "{}", line.replace(['\n', '\r'], " "))?;
    }
    file.sync_all()?;
    fs::rename(&new, path)
}

/// Runs the editor on a file in the terminal; tells what went wrong.
pub async fn editor(command: Option<&str>, path: &str) -> Option<String> {
    let command = command.filter(|command| !command.trim().is_empty()).unwrap_or("vi");
    let Some(words) = shlex::split(command) else {
        return Some(format!("the editor `{command}` has a quote that is not closed"));
    };
    let (program, arguments) = words.split_first()?;
    let child = tokio::process::Command::new(program)
        .args(arguments)
        .arg(path)
        .stdin(Stdio::inherit())
        .stdout(Stdio::inherit())
        .stderr(Stdio::inherit())
        .status();
    match child.await {
        Ok(status) if status.success() => None,
        Ok(status) => Some(format!("`{program}` ended with {status}")),
        Err(error) => Some(format!("`{program}` could not be started: {error}; set VISUAL or EDITOR")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_survive_a_restart_one_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("expressions");
        assert!(read_lines(&path).is_empty());
        write_lines(&path, &["web & !db".into(), "os<14\n.6".into()]).unwrap();
        assert_eq!(read_lines(&path), ["web & !db", "os<14 .6"]);
    }
}
