//! The console's own small files, and the operator's editor.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::console::app::history::History;
use crate::console::app::prompt::Purpose;
use crate::settings::Paths;

/// Bytes read at most.
const BYTES: u64 = 1024 * 1024;
/// Target expressions read at most.
const EXPRESSIONS: usize = 100;

/// Where target expressions are kept.
pub fn expressions(paths: &Paths) -> PathBuf {
    paths.state.join("expressions")
}

pub fn read_expressions(path: &Path) -> Vec<String> {
    let mut lines = read_lines(path);
    lines.truncate(EXPRESSIONS);
    lines
}

/// The lines of a small file; none if it is not there.
fn read_lines(path: &Path) -> Vec<String> {
    let bytes = read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// The beginning of a file.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

pub fn write_lines(path: &Path, lines: &[String]) -> io::Result<()> {
    write(path, lines.iter().map(|line| line.replace(['\n', '\r'], " ") + "\n").collect::<String>().as_bytes())
}

/// Whole or not at all, and for this user alone: what is typed is nobody else's business.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // Two consoles may write the same file.
    let new = path.with_extension(format!("new-{}", std::process::id()));
    let written =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&new, path)
        });
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written
}

fn history(paths: &Paths, name: &str) -> PathBuf {
    paths.state.join(format!("history-{name}"))
}

/// What was written into the prompts, by purpose.
pub fn histories(paths: &Paths) -> Vec<(&'static str, Vec<String>)> {
    Purpose::NAMES.into_iter().map(|name| (name, read_lines(&history(paths, name)))).collect()
}

/// One more line. What another console wrote meanwhile stays.
pub fn append_history(paths: &Paths, name: &str, line: &str) -> io::Result<()> {
    let path = history(paths, name);
    let mut history = History { lines: read_lines(&path) };
    if history.remember(line) { write_lines(&path, &history.lines) } else { Ok(()) }
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
        assert_eq!(read_expressions(&path), ["web & !db", "os<14 .6"]);
    }

    #[test]
    fn a_private_file_is_replaced_whole_and_leaves_nothing_beside_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history-command");
        for line in ["one", "two"] {
            write_lines(&path, &[line.into()]).unwrap();
        }
        assert_eq!(read_lines(&path), ["two"]);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(write_lines(&folder.path().join("no/such/folder"), &[]).is_err());
    }
}
