//! Files of whoever asks, whose contents a script's parameter takes: found, judged and read on their side, since the
//! engine may see another disk one day, and is not to read what it was not given. Reads block: call them off the loop.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{self, Path, PathBuf};

use zeroize::Zeroizing;

use crate::model::nearest::shown;
use crate::model::plan::{FileGiven, PlanRequest};
use crate::model::script::values::{FILES_MAX, find};
use crate::model::script::{Param, Takes};
use crate::settings::variable;

/// Entries of a folder that are looked at, and those that are told.
const ENTRIES: usize = 20_000;
const NEAR: usize = 200;

/// A file that cannot be given, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    pub param: String,
    pub why: String,
}

/// Reads the files whose paths are among the parameters; the paths become absolute, for the history of jobs. A pipe is
/// read only where somebody surely writes into it: on a command line (`--param x=<(…)`).
///
/// # Errors
/// The first that cannot be read, or with which they are too large together.
pub fn read(params: &[Param], request: &mut PlanRequest, pipes: bool) -> Result<(), Unread> {
    let mut room = FILES_MAX;
    for (name, value) in &mut request.params {
        let Ok(param) = find(params, name) else { continue }; // planning says what is wrong with it
        if param.takes != Takes::File || value.is_empty() {
            continue;
        }
        let path = whole(value);
        let bytes = bytes(&path, room, pipes).map_err(|why| Unread { param: param.name.clone(), why })?;
        room -= bytes.len();
        *value = path.display().to_string();
        request.files.push(FileGiven::new(&param.name, value, &bytes));
    }
    Ok(())
}

/// The size of a file that could be given.
///
/// # Errors
/// Why it cannot, in words.
pub fn size(written: &str) -> Result<u64, String> {
    let path = whole(written);
    let meta = judged(&path, false)?;
    if meta.len() > FILES_MAX as u64 {
        return Err(format!("larger than {} MiB", FILES_MAX >> 20));
    }
    // (a file that may not be read is told now, not at the launch)
    File::open(&path).map(|_| meta.len()).map_err(|error| words(&error))
}

/// Paths that begin with what is written, folders with their `/`; in their order.
pub fn near(written: &str) -> Vec<String> {
    let (folder, begun) = written.rsplit_once('/').map_or(("", written), |(folder, begun)| (folder, begun));
    let place = match (folder, written.contains('/')) {
        ("", true) => PathBuf::from("/"),
        ("", false) => whole("."),
        (folder, _) => whole(folder),
    };
    let head = if written.contains('/') { format!("{folder}/") } else { String::new() };
    let Ok(entries) = fs::read_dir(place) else { return Vec::new() };
    let mut found: Vec<String> = entries
        .take(ENTRIES)
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let hidden = name.starts_with('.') && !begun.starts_with('.');
            if hidden || !name.starts_with(begun) || name.contains(char::is_control) {
                return None;
            }
            let folder = fs::metadata(entry.path()).is_ok_and(|meta| meta.is_dir());
            Some(format!("{head}{name}{}", if folder { "/" } else { "" }))
        })
        .collect();
    found.sort();
    found.truncate(NEAR);
    found
}

/// `~` is the home folder, and what is relative is so to where the program was started.
fn whole(written: &str) -> PathBuf {
    let home = || variable("HOME").filter(|home| home.starts_with('/')).map(PathBuf::from);
    let path = match written.strip_prefix('~') {
        Some("") => home(),
        Some(rest) => rest.strip_prefix('/').and_then(|rest| home().map(|home| home.join(rest))),
        None => None,
    };
    let path = path.unwrap_or_else(|| PathBuf::from(written));
    path::absolute(&path).unwrap_or(path)
}

fn judged(path: &Path, pipes: bool) -> Result<fs::Metadata, String> {
    let meta = fs::metadata(path).map_err(|error| words(&error))?;
    let kind = meta.file_type();
    match () {
        () if kind.is_dir() => Err("a folder, not a file".to_owned()),
        () if kind.is_file() || (pipes && kind.is_fifo()) => Ok(meta),
        () => Err("not an ordinary file".to_owned()),
    }
}

fn words(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "you may not read it".to_owned(),
        _ => error.to_string(),
    }
}

fn bytes(path: &Path, room: usize, pipes: bool) -> Result<Zeroizing<Vec<u8>>, String> {
    let told = |why: String| format!("{}: {why}", shown(&path.display().to_string()));
    let meta = judged(path, pipes).map_err(told)?;
    // sized at once: a vector that grows leaves copies behind
    let expected = usize::try_from(meta.len()).unwrap_or(usize::MAX).min(room) + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(expected));
    let file = File::open(path).map_err(|error| told(words(&error)))?;
    file.take(room as u64 + 1).read_to_end(&mut bytes).map_err(|error| told(words(&error)))?;
    if bytes.len() > room {
        return Err(told(format!("the files of a launch are at most {} MiB together", FILES_MAX >> 20)));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::plan::ScriptRef;
    use crate::model::rollout::How;
    use crate::model::script::ParamKind;

    fn request(params: &[(&str, &str)]) -> PlanRequest {
        PlanRequest {
            script: ScriptRef::Library("x".into()),
            target: "@all".into(),
            params: params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            secrets: vec![],
            files: vec![],
            include: vec![],
            dry_run: false,
            options: Vec::new(),
            timeout_ms: None,
            at_once: None,
            how: How::default(),
        }
    }

    fn file_param(name: &str) -> Param {
        Param { takes: Takes::File, ..Param::new(name, ParamKind::Option) }
    }

    #[test]
    fn what_a_parameter_s_file_holds_comes_along_and_the_rest_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.conf");
        fs::write(&path, "a=1\n").unwrap();
        let path = path.display().to_string();
        let params = [file_param("--config"), Param::new("note", ParamKind::Arg)];
        let mut request = request(&[("config", &path), ("note", "/etc/passwd"), ("nosuch", "x")]);
        read(&params, &mut request, false).unwrap();
        let contents = request.files[0].contents().unwrap();
        assert_eq!(
            (contents.param.as_str(), contents.path.as_str(), contents.bytes.as_slice()),
            ("--config", path.as_str(), &b"a=1\n"[..])
        );
        assert_eq!(request.files.len(), 1);
        assert!(!format!("{request:?}").contains("YT0x"), "no contents in debug output");
    }

    #[test]
    fn what_cannot_be_read_names_the_parameter_and_why() {
        let folder = tempfile::tempdir().unwrap();
        let mut asked = request(&[("doc", "/no/such/file")]);
        let unread = read(&[file_param("doc")], &mut asked, false).unwrap_err();
        assert_eq!((unread.param.as_str(), unread.why.as_str()), ("doc", "/no/such/file: no such file"));
        assert_eq!(size(&folder.path().display().to_string()), Err("a folder, not a file".to_owned()));
        let large = folder.path().join("large");
        File::create(&large).unwrap().set_len(FILES_MAX as u64 + 1).unwrap();
        let large = large.display().to_string();
        assert!(size(&large).unwrap_err().contains("larger than 8 MiB"));
        let unread = read(&[file_param("doc")], &mut request(&[("doc", &large)]), false).unwrap_err();
        assert!(unread.why.contains("at most 8 MiB together"), "{unread:?}");
    }

    #[test]
    fn a_path_is_completed_from_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["one.txt", "other.csv", ".hidden"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        fs::create_dir(folder.path().join("over")).unwrap();
        let base = folder.path().display().to_string();
        let named = |written: &str| {
            let strip = |path: String| path.strip_prefix(&base).unwrap_or(&path).to_owned();
            near(&format!("{base}{written}")).into_iter().map(strip).collect::<Vec<_>>()
        };
        assert_eq!(named("/o"), ["/one.txt", "/other.csv", "/over/"]);
        assert_eq!(named("/ot"), ["/other.csv"]);
        assert_eq!(named("/.h"), ["/.hidden"]);
        assert_eq!(named("/nosuch/"), [""; 0]);
        assert_eq!(size(&format!("{base}/one.txt")), Ok(1));
    }
}
