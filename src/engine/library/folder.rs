//! The folder on disk: which of its files are scripts, and which names lead to them.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::model::nearest::shown;

const SCRIPTS: usize = 10_000;
/// Files and folders looked at in one walk.
const ENTRIES: usize = 50_000;
const DEPTH: usize = 16;
pub(super) const WARNINGS: usize = 20;

/// Endings of what lies beside scripts in a checkout.
const DOCUMENTS: &str = " md txt rst adoc html css json yaml yml toml ini cfg conf csv tsv xml log lock png jpg jpeg gif svg \
     ico pdf gz xz bz2 zst zip tar deb rpm exe dll so o a pyc class jar bak orig rej swp pem key crt ";
const DOCUMENT_NAMES: &str =
    " readme license licence copying notice authors contributors changelog codeowners makefile dockerfile justfile ";

pub(super) struct Found {
    /// Path below the folder.
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) meta: fs::Metadata,
}

/// All scripts of the folder and the folders in it, in no order, and what should be said.
pub(super) fn walk(folder: &Path) -> (Vec<Found>, Vec<String>) {
    let mut walk =
        Walk { found: Vec::new(), warnings: Vec::new(), left: ENTRIES, seen: HashSet::new(), root: PathBuf::new() };
    match fs::canonicalize(folder) {
        Ok(root) => walk.root = root,
        Err(error) => {
            walk.warn(format!("cannot read the script library {}: {error}", folder.display()));
            return (walk.found, walk.warnings);
        }
    }
    let mut folders = vec![(folder.to_owned(), String::new(), 0)];
    while let Some((path, name, depth)) = folders.pop() {
        walk.folder(&path, &name, depth, &mut folders);
    }
    (walk.found, walk.warnings)
}

struct Walk {
    found: Vec<Found>,
    warnings: Vec<String>,
    left: usize,
    /// Folders by device and inode: links may lead in circles.
    seen: HashSet<(u64, u64)>,
    root: PathBuf,
}

impl Walk {
    fn warn(&mut self, text: String) {
        if self.warnings.len() < WARNINGS {
            self.warnings.push(text);
        }
    }

    fn folder(&mut self, path: &Path, below: &str, depth: usize, folders: &mut Vec<(PathBuf, String, usize)>) {
        let entries = match fs::metadata(path).and_then(|meta| {
            let new = self.seen.insert((meta.dev(), meta.ino()));
            if new { fs::read_dir(path).map(Some) } else { Ok(None) }
        }) {
            Ok(Some(entries)) => entries,
            Ok(None) => return,
            Err(error) => return self.warn(format!("cannot read the folder {}: {error}", path.display())),
        };
        for entry in entries.flatten() {
            if self.left == 0 || self.found.len() == SCRIPTS {
                let of = self.root.display().to_string();
                return self.warn(format!("the library {of} holds too many files: the rest is not listed"));
            }
            self.left -= 1;
            let Some(file) = entry.file_name().to_str().map(str::to_owned) else {
                self.warn(format!("left out {}: its name is not UTF-8", shown(&entry.path().to_string_lossy())));
                continue;
            };
            if hidden(&file) || file.ends_with('~') || document(&file) {
                continue;
            }
            let name = if below.is_empty() { file } else { format!("{below}/{file}") };
            if name.contains(char::is_control) {
                self.warn(format!("left out {}: a name with control characters", shown(&name)));
                continue;
            }
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_symlink()) && !inside(&self.root, &path) {
                self.warn(format!("left out {}: a link that leads out of the library, or nowhere", shown(&name)));
                continue;
            }
            let Ok(meta) = fs::metadata(&path) else { continue };
            if meta.is_file() {
                self.found.push(Found { name, path, meta });
            } else if meta.is_dir() {
                if depth == DEPTH {
                    self.warn(format!("left out {}: folders lie too deep", shown(&name)));
                } else {
                    folders.push((path, name, depth + 1));
                }
            }
        }
    }
}

/// Can a script be named so?
pub(super) fn check(name: &str) -> Result<(), String> {
    let bad = |why: &str| Err(format!("'{}' is no name of a script: {why}", shown(name)));
    if name.is_empty() || name.len() > 1_000 {
        return bad("it is empty or too long");
    }
    if name.contains(char::is_control) {
        return bad("it holds control characters");
    }
    if name.starts_with('/') || name.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return bad("it must lie below the library's folder");
    }
    if name.split('/').any(hidden) {
        return bad("hidden files are not scripts");
    }
    Ok(())
}

/// Can a new script be named so? It must be one that the list then shows.
pub(super) fn check_new(name: &str) -> Result<(), String> {
    check(name)?;
    let bad = |why: &str| Err(format!("'{}' cannot be the name of a script: {why}", shown(name)));
    if name.split('/').any(|part| part.len() > 200) {
        return bad("a part of it is longer than 200 bytes");
    }
    if name.split('/').count() > DEPTH {
        return bad("it lies too deep");
    }
    if name.split('/').any(|part| part.trim() != part) {
        return bad("it begins or ends with a blank");
    }
    let file = name.rsplit('/').next().unwrap_or(name);
    if file.ends_with('~') || document(file) {
        return bad("files of that ending are documents, backups or data, which the library does not list");
    }
    Ok(())
}

/// Where a name leads. `Ok(None)`: nothing is there. `Err`: no such name is ever taken.
pub(super) fn resolve(folder: &Path, name: &str) -> Result<Option<PathBuf>, String> {
    check(name)?;
    let path = folder.join(name);
    let Ok(root) = fs::canonicalize(folder) else { return Ok(None) };
    if !fs::metadata(&path).is_ok_and(|meta| meta.is_file()) {
        return Ok(None);
    }
    if inside(&root, &path) {
        Ok(Some(path))
    } else {
        Err(format!("'{}' is no name of a script: it leads out of the library's folder", shown(name)))
    }
}

pub(super) fn inside(root: &Path, path: &Path) -> bool {
    fs::canonicalize(path).is_ok_and(|path| path.starts_with(root))
}

pub(super) fn hidden(name: &str) -> bool {
    name.starts_with('.')
}

fn document(file: &str) -> bool {
    let lower = file.to_ascii_lowercase();
    match lower.rsplit_once('.') {
        Some((_, ending)) => DOCUMENTS.contains(&format!(" {ending} ")),
        None => DOCUMENT_NAMES.contains(&format!(" {lower} ")),
    }
}
