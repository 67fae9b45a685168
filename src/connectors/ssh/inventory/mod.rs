//! Ansible inventories: which hosts there are, in which groups, with which variables. INI and YAML, folders of them, and
//! the `group_vars` and `host_vars` beside them. Refuses to run anything: dynamic inventories are named and left out.

mod ini;
mod range;
mod store;
mod template;
#[cfg(test)]
mod tests;
mod yaml;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use store::Store;

/// Bytes of one file.
const FILE_BYTES: u64 = 64 << 20;
/// Files of one folder.
const FOLDER: usize = 100_000;

/// What inventories say, merged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// By name.
    pub hosts: Vec<Host>,
    /// By name; without circles.
    pub groups: Vec<GroupDef>,
    /// One sentence each, naming file and line.
    pub warnings: Vec<String>,
    /// Those of them that are about a part that could not be read: what it says is missing.
    pub unread: Vec<String>,
    /// Files and folders read, to be watched.
    pub files: Vec<PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    pub name: String,
    /// By Ansible's precedence: `all` < parent groups < child groups < host. Plain values alone, and no secrets.
    pub vars: BTreeMap<String, String>,
    /// Through parents too, sorted; `all` and `ungrouped` where a file names them.
    pub groups: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupDef {
    pub name: String,
    pub children: Vec<String>,
}

/// Reads one inventory: a file, or a folder of them.
pub fn read(path: &Path) -> Parsed {
    read_all(&[path.to_owned()])
}

/// What is said of an inventory that has to be run: what it would tell is not known, until somebody writes it down.
pub(super) const NOT_RUN: &str = "none is run here; keep its hosts in a file instead (`ansible-inventory -i IT --list --yaml` writes one), and \
     itself out of the inventory";

/// Reads inventories as one: groups and hosts of the same name are the same, what is read later wins.
pub fn read_all(paths: &[PathBuf]) -> Parsed {
    let mut store = Store::default();
    // `all` is the first group, whatever comes.
    store.group(store::ALL);
    let mut folders: Vec<PathBuf> = Vec::new();
    for path in paths {
        let folder = if path.is_dir() { path.clone() } else { path.parent().unwrap_or(Path::new("")).to_owned() };
        source(&mut store, path);
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    for folder in folders {
        variables(&mut store, &folder.join("group_vars"), true);
        variables(&mut store, &folder.join("host_vars"), false);
    }
    store.finish()
}

/// Whether a variable's name says that its value is nobody's business.
pub fn secret(name: &str) -> bool {
    let name = name.to_lowercase();
    let words = ["pass", "secret", "token", "vault", "credential"];
    let file = name.ends_with("file") || name.ends_with("path");
    let key = name.split(['_', '-', '.']).any(|word| word.ends_with("key") || word.ends_with("keys"));
    words.iter().any(|word| name.contains(word)) || (key && !file)
}

fn source(store: &mut Store, path: &Path) {
    if path.is_dir() {
        store.file(path);
        for entry in listing(path) {
            let name = entry.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            // What Ansible ignores in a folder.
            let ignored = [".pyc", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry"];
            let skip = name.starts_with('.') || ignored.iter().any(|ending| name.ends_with(ending));
            if !skip && name != "group_vars" && name != "host_vars" && !entry.is_dir() {
                source(store, &entry);
            }
        }
        return;
    }
    let file = store.file(path);
    let text = match contents(path) {
        Ok(text) => text,
        Err(why) => return store.note(format!("{}: {why}", path.display())),
    };
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    let runs = fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o111 != 0);
    if runs && text.starts_with("#!") {
        return store.warn(file, 1, format!("a program: {NOT_RUN}"));
    }
    match ending.as_deref() {
        Some("yml" | "yaml" | "json") => yaml::read(store, file, &text),
        None if yaml::likely(&text) => yaml::read(store, file, &text),
        _ => ini::read(store, file, &text),
    }
}

/// `group_vars/NAME`, `NAME.yml`, `NAME/*.yml`: for groups and hosts that exist.
fn variables(store: &mut Store, folder: &Path, groups: bool) {
    // watched though it is not there: it may come
    store.file(folder);
    if !folder.is_dir() {
        return;
    }
    for entry in listing(folder) {
        let name = entry.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let known = |name: &str| if groups { store.group_at(name) } else { store.host_at(name) };
        // A name may hold dots of its own: the whole is tried first.
        let bare = [".yml", ".yaml", ".json"].iter().find_map(|ending| name.strip_suffix(ending));
        let Some(target) = known(&name).or_else(|| bare.and_then(known)) else { continue };
        let files = if entry.is_dir() { listing(&entry) } else { vec![entry.clone()] };
        if entry.is_dir() {
            store.file(&entry);
        }
        for path in files.into_iter().filter(|path| path.is_file()) {
            let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            let text = match contents(&path) {
                Ok(text) if !hidden && !text.starts_with("$ANSIBLE_VAULT") => text,
                Ok(_) => continue,
                Err(why) => {
                    store.note(format!("{}: {why}", path.display()));
                    continue;
                }
            };
            let file = store.file(&path);
            for (name, value) in yaml::vars(store, file, &text) {
                match groups {
                    true => store.group_file_var(target, &name, value),
                    false => store.host_file_var(target, &name, value),
                }
            }
        }
    }
}

/// Entries of a folder by name.
fn listing(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().take(FOLDER);
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn contents(path: &Path) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("the inventory cannot be read: {error}");
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err("the inventory is not a plain file".to_owned());
    }
    let mut bytes = Vec::new();
    File::open(path).map_err(failed)?.take(FILE_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > FILE_BYTES {
        return Err(format!("the inventory is not read: larger than {} MiB", FILE_BYTES >> 20));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    Ok(String::from_utf8_lossy(bytes).into_owned())
}
