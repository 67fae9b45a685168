//! Launches kept under a name: a small TOML file each, in the data folder, that an editor can write as well. A file is
//! written whole or not at all; one that cannot be read is told and left alone.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::problem;
use crate::model::script::Param;
use crate::model::template::{Form, Keep, Template, Templates, check_name};
use crate::model::wire::{Code, Problem};

/// More are nothing to choose from.
const MOST: usize = 500;
/// A larger file holds no launch.
const SIZE: u64 = 256 << 10;
const ENDING: &str = "toml";

pub struct Shelf {
    folder: PathBuf,
    writing: Mutex<()>,
}

impl Shelf {
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, writing: Mutex::default() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.{ENDING}"))
    }

    /// All that are kept, by name.
    pub fn list(&self) -> Templates {
        let mut found = Templates::default();
        let Ok(entries) = fs::read_dir(&self.folder) else { return found };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|ending| ending == ENDING));
        paths.sort();
        for path in paths.into_iter().take(MOST) {
            let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
            if check_name(name).is_err() {
                continue;
            }
            match read(&path) {
                Ok(form) => found.all.push(Template { name: name.to_owned(), form }),
                Err(why) => {
                    found.warnings.push(format!("the template {} cannot be read: {why}", path.display()));
                }
            }
        }
        found
    }

    /// Keeps one. `params`: what the script's header declares, where the script is known.
    pub fn keep(&self, asked: Keep, params: &[Param]) -> Result<(), Problem> {
        let Keep { template: Template { name, form }, replace } = asked;
        check_name(&name).map_err(|why| problem(Code::Invalid, why))?;
        if let Some(param) = params.iter().find(|param| param.secret && form.params.contains_key(&param.name)) {
            let why = format!("'{}' is secret: no template keeps it, it is asked for each time", param.name);
            return Err(problem(Code::Invalid, why));
        }
        let text = toml::to_string(&form)
            .map_err(|error| problem(Code::Invalid, format!("the template {name} cannot be written down: {error}")))?;
        if text.len() as u64 > SIZE {
            let why = format!("the template {name} would be larger than {} KiB: not kept", SIZE >> 10);
            return Err(problem(Code::Invalid, why));
        }
        let _alone = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.path(&name);
        let there = fs::symlink_metadata(&path).is_ok();
        if there && !replace {
            return Err(problem(Code::Unconfirmed, format!("a template {name} is there already: replace it?")));
        }
        if !there && self.list().all.len() >= MOST {
            return Err(problem(Code::Invalid, format!("{MOST} templates are kept already: forget one first")));
        }
        self.write(&path, text.as_bytes()).map_err(|error| {
            let why = format!("cannot keep the template {name}: {}: {error}", self.folder.display());
            problem(Code::Internal, why)
        })
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let unfinished = self.folder.join(format!(".quarterdeck-{:016x}.new", fastrand::u64(..)));
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
        let done = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&unfinished, path));
        if done.is_err() {
            let _ = fs::remove_file(&unfinished);
        }
        done
    }

    pub fn forget(&self, name: &str) -> Result<(), Problem> {
        check_name(name).map_err(|why| problem(Code::Invalid, why))?;
        let _alone = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.path(name);
        fs::remove_file(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => problem(Code::NotFound, format!("no template is named {name}")),
            _ => problem(Code::Internal, format!("cannot forget the template {name}: {}: {error}", path.display())),
        })
    }
}

/// What a file holds.
fn read(path: &Path) -> Result<Form, String> {
    let meta = fs::metadata(path).map_err(|error| error.to_string())?;
    if !meta.is_file() || meta.len() > SIZE {
        return Err(format!("it is no file of at most {} KiB", SIZE >> 10));
    }
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    toml::from_str(&text).map_err(|error| error.message().replace('\n', ", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::script::ParamKind;

    fn shelf() -> (tempfile::TempDir, Shelf) {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(folder.path().join("templates"));
        (folder, shelf)
    }

    fn template(name: &str, target: &str) -> Template {
        let params = [("tag".to_owned(), vec!["a b".to_owned(), "c\"\n".to_owned()])].into();
        let limits = [("at_once".to_owned(), "50".to_owned())].into();
        let options = [("custom_attribute".to_owned(), "cache_state".to_owned())].into();
        let form = Form { script: "fix.sh".into(), target: target.into(), params, limits, options };
        Template { name: name.into(), form }
    }

    #[test]
    fn what_is_kept_comes_back_as_it_was() {
        let (_folder, shelf) = shelf();
        assert_eq!(shelf.list(), Templates::default());
        for name in ["nightly", "canary"] {
            shelf.keep(Keep { template: template(name, "web & !db"), replace: false }, &[]).unwrap();
        }
        let all = [template("canary", "web & !db"), template("nightly", "web & !db")];
        assert_eq!(shelf.list(), Templates { all: all.into(), warnings: vec![] });
        shelf.forget("canary").unwrap();
        assert_eq!(shelf.list().all.len(), 1);
        assert_eq!(shelf.forget("canary").unwrap_err().code, Code::NotFound);
    }

    #[test]
    fn a_taken_name_is_replaced_only_when_that_was_said() {
        let (_folder, shelf) = shelf();
        let keep = |target: &str, replace| shelf.keep(Keep { template: template("nightly", target), replace }, &[]);
        keep("one", false).unwrap();
        assert_eq!(keep("two", false).unwrap_err().code, Code::Unconfirmed);
        assert_eq!(shelf.list().all[0].form.target, "one");
        keep("two", true).unwrap();
        assert_eq!(shelf.list().all[0].form.target, "two");
    }

    #[test]
    fn no_name_leads_out_of_the_folder_and_no_secret_into_it() {
        let (_folder, shelf) = shelf();
        for name in ["../x", "a/b", "", ".."] {
            let refused = shelf.keep(Keep { template: template(name, "web"), replace: true }, &[]);
            assert_eq!(refused.unwrap_err().code, Code::Invalid, "{name:?}");
            assert_eq!(shelf.forget(name).unwrap_err().code, Code::Invalid, "{name:?}");
        }
        let secret = Param { secret: true, ..Param::new("tag", ParamKind::Option) };
        let refused = shelf.keep(Keep { template: template("nightly", "web"), replace: false }, &[secret]);
        assert!(refused.unwrap_err().error.contains("asked for each time"));
        assert_eq!(shelf.list(), Templates::default());
    }

    #[test]
    fn a_file_that_cannot_be_read_is_told_and_left_alone() {
        let (_folder, shelf) = shelf();
        shelf.keep(Keep { template: template("nightly", "web"), replace: false }, &[]).unwrap();
        fs::write(shelf.path("broken"), "script = [").unwrap();
        fs::write(shelf.path("by-hand"), "script = \"fix.sh\"\n").unwrap();
        fs::write(shelf.folder.join("notes.txt"), "no template").unwrap();
        let found = shelf.list();
        assert_eq!(found.all.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(), ["by-hand", "nightly"]);
        assert!(found.warnings.len() == 1 && found.warnings[0].contains("broken.toml"), "{:?}", found.warnings);
        assert!(shelf.path("broken").exists());
    }
}
