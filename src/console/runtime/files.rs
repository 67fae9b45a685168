//! The console's own small files, and the operator's editor.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::{Deserialize, Serialize};

use crate::console::app::history::History;
use crate::console::app::kept::Kept;
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
pub fn read_lines(path: &Path) -> Vec<String> {
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

/// How the screen was looked at, for each configuration file.
#[derive(Default, Serialize, Deserialize)]
struct KeptFile {
    version: u32,
    /// The configuration, and its screen; the one left last stands last.
    fleets: Vec<(PathBuf, Kept)>,
}

const KEPT_VERSION: u32 = 1;
/// Configurations remembered.
const FLEETS: usize = 20;

fn kept_path(paths: &Paths) -> PathBuf {
    paths.state.join("screen.json")
}

fn read_kept(paths: &Paths) -> Result<KeptFile, String> {
    let path = kept_path(paths);
    let bytes = match read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(KeptFile::default()),
        Err(error) => return Err(format!("{}: cannot be read: {error}; the screen begins afresh", path.display())),
    };
    let file = serde_json::from_slice::<KeptFile>(&bytes);
    let file = file.map_err(|error| format!("{}: {error}; the screen begins afresh", path.display()))?;
    if file.version != KEPT_VERSION {
        let version = file.version;
        return Err(format!("{}: version {version} is not known here; the screen begins afresh", path.display()));
    }
    Ok(file)
}

/// How the screen was left with this configuration.
///
/// # Errors
/// In words, when the file is broken; it is written anew at the next change.
pub fn kept(paths: &Paths) -> Result<Option<Kept>, String> {
    Ok(read_kept(paths)?.fleets.into_iter().find(|(config, _)| *config == paths.config).map(|(_, kept)| kept))
}

pub fn keep(paths: &Paths, kept: &Kept) -> io::Result<()> {
    let mut file = read_kept(paths).unwrap_or_default();
    file.version = KEPT_VERSION;
    file.fleets.retain(|(config, _)| *config != paths.config);
    file.fleets.push((paths.config.clone(), kept.clone()));
    let excess = file.fleets.len().saturating_sub(FLEETS);
    file.fleets.drain(..excess);
    write(&kept_path(paths), &serde_json::to_vec(&file)?)
}

/// A file as an operator names it: `~` is the home, what is relative begins where the console was started.
pub fn named(name: &str, home: &Path) -> PathBuf {
    match name.strip_prefix("~/") {
        Some(rest) => home.join(rest),
        None => PathBuf::from(name),
    }
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

    fn paths(folder: &Path, config: &str) -> Paths {
        Paths {
            config: folder.join(config),
            data: folder.to_owned(),
            state: folder.to_owned(),
            library: folder.to_owned(),
            socket: folder.join("engine.sock"),
            agent: None,
            from: String::new(),
        }
    }

    #[test]
    fn each_configuration_has_its_own_screen() {
        let folder = tempfile::tempdir().unwrap();
        let (lab, prod) = (paths(folder.path(), "lab.toml"), paths(folder.path(), "prod.toml"));
        assert_eq!(kept(&lab), Ok(None));
        keep(&lab, &Kept { pane: 2, ..Kept::default() }).unwrap();
        keep(&prod, &Kept { pane: 3, ..Kept::default() }).unwrap();
        assert_eq!(kept(&lab).unwrap().unwrap().pane, 2);
        for n in 0..30 {
            keep(&paths(folder.path(), &n.to_string()), &Kept::default()).unwrap();
        }
        assert_eq!(kept(&lab), Ok(None), "the oldest are forgotten");
    }

    #[test]
    fn a_broken_file_is_said_and_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        let here = paths(folder.path(), "lab.toml");
        for broken in ["{", "[]", "\u{0}", "{\"version\": 99, \"fleets\": []}"] {
            fs::write(folder.path().join("screen.json"), broken).unwrap();
            let said = kept(&here).unwrap_err();
            assert!(said.contains("screen.json") && said.contains("begins afresh"), "{said}");
        }
        keep(&here, &Kept { pane: 2, ..Kept::default() }).unwrap();
        assert_eq!(kept(&here).unwrap().unwrap().pane, 2);
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
