//! Writing to the library: what is kept, what is refused, and that nothing outside of it is ever touched.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use super::trash::Trash;
use super::{Library, Written};
use crate::model::script::inspect::version;
use crate::model::wire::{Code, Problem};

struct Place {
    home: tempfile::TempDir,
    library: Library,
}

fn place(files: &[(&str, &str)]) -> Place {
    let home = tempfile::tempdir().expect("tempdir");
    fs::create_dir(home.path().join("library")).expect("folder");
    fs::write(home.path().join("secret"), "untouched").expect("outside");
    let library = Library::open(home.path().join("library"));
    for (name, text) in files {
        library.save(name, None, text.as_bytes(), false, |_| {}).expect("made");
    }
    Place { home, library }
}

impl Place {
    fn save(&self, name: &str, base: Option<&str>, text: &str) -> Result<Written, Problem> {
        self.library.save(name, base, text.as_bytes(), false, |_| {})
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.home.path().join("library").join(name)).unwrap_or_default()
    }

    fn leftovers(&self) -> Vec<String> {
        let entries = fs::read_dir(self.home.path().join("library")).expect("folder").flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok()).filter(|name| name.ends_with(".new")).collect()
    }
}

fn v(text: &str) -> String {
    version(text.as_bytes())
}

#[test]
fn a_save_replaces_what_the_writer_has_seen_and_keeps_mode_and_owner() {
    let here = place(&[("fix.sh", "one\n")]);
    let path = here.home.path().join("library/fix.sh");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("mode");
    let before = fs::metadata(&path).expect("there");
    let mut kept = Vec::new();
    let written = here.library.save("fix.sh", Some(&v("one\n")), b"two\n", false, |text| kept.push(text.to_vec()));
    assert_eq!(written.expect("saved").before.as_deref(), Some(&b"one\n"[..]));
    let after = fs::metadata(&path).expect("there");
    assert_eq!((after.mode(), after.uid(), after.gid()), (before.mode(), before.uid(), before.gid()));
    assert_eq!((here.read("fix.sh").as_str(), kept), ("two\n", vec![b"one\n".to_vec(), b"two\n".to_vec()]));
    assert!(here.save("fix.sh", Some(&v("two\n")), "two\n").expect("nothing to do").same);
    assert_eq!(here.leftovers(), [""; 0]);
}

#[test]
fn what_somebody_else_changed_is_not_overwritten_unless_it_is_meant() {
    let here = place(&[("fix.sh", "one\n")]);
    fs::write(here.home.path().join("library/fix.sh"), "theirs\n").expect("changed");
    let refused = here.save("fix.sh", Some(&v("one\n")), "mine\n").expect_err("changed meanwhile");
    assert_eq!((refused.code, here.read("fix.sh").as_str()), (Code::Stale, "theirs\n"));
    here.library.save("fix.sh", Some(&v("one\n")), b"mine\n", true, |_| {}).expect("meant");
    assert_eq!(here.read("fix.sh"), "mine\n");
    fs::remove_file(here.home.path().join("library/fix.sh")).expect("gone");
    let refused = here.save("fix.sh", Some(&v("mine\n")), "later\n").expect_err("deleted meanwhile");
    assert!(refused.error.contains("deleted or renamed meanwhile"), "{}", refused.error);
}

#[test]
fn a_new_script_needs_a_free_name_that_the_list_shows() {
    let here = place(&[("fix.sh", "one\n")]);
    assert!(here.save("fix.sh", None, "x").expect_err("taken").error.contains("is there already"));
    here.save("web/deep/fix.sh", None, "x").expect("folders are made");
    for name in ["", "../x", "/etc/x", "a/../../x", "a//b", ".hidden", "x\0y", "x\ny", "notes.md", "x~", " x", "."] {
        let refused = here.save(name, None, "x").expect_err(name);
        assert_eq!(refused.code, Code::Invalid, "{name:?}: {}", refused.error);
    }
    for name in ["n".repeat(201), "n/".repeat(600) + "n", "d/".repeat(40) + "n"] {
        assert_eq!(here.save(&name, None, "x").expect_err("too long").code, Code::Invalid);
    }
    assert_eq!(fs::read_dir(here.home.path()).expect("home").count(), 2, "nothing was made outside");
}

#[test]
fn links_are_followed_inside_alone() {
    let here = place(&[("real/fix.sh", "one\n")]);
    let folder = here.home.path().join("library");
    symlink("real/fix.sh", folder.join("link.sh")).expect("link");
    symlink(here.home.path().join("secret"), folder.join("out.sh")).expect("link");
    symlink(here.home.path(), folder.join("outside")).expect("link");
    here.save("link.sh", Some(&v("one\n")), "two\n").expect("inside");
    assert!(fs::symlink_metadata(folder.join("link.sh")).expect("there").is_symlink(), "it stays a link");
    assert_eq!(here.read("real/fix.sh"), "two\n");
    for (name, base) in
        [("out.sh", Some(v("untouched"))), ("outside/secret", Some(v("untouched"))), ("outside/new.sh", None)]
    {
        let refused = here.library.save(name, base.as_deref(), b"x", true, |_| {}).expect_err(name);
        assert!(refused.error.contains("leads out"), "{name}: {}", refused.error);
    }
    assert!(here.library.rename("real/fix.sh", "outside/fix.sh").expect_err("out").error.contains("leads out"));
    assert_eq!(fs::read_to_string(here.home.path().join("secret")).expect("there"), "untouched");
}

#[test]
fn a_file_of_several_names_keeps_them() {
    let here = place(&[("fix.sh", "one and more\n")]);
    let folder = here.home.path().join("library");
    fs::hard_link(folder.join("fix.sh"), folder.join("twin.sh")).expect("a second name");
    here.save("fix.sh", Some(&v("one and more\n")), "two\n").expect("saved");
    assert_eq!((here.read("fix.sh"), here.read("twin.sh")), ("two\n".to_owned(), "two\n".to_owned()));
}

#[test]
fn a_renamed_script_is_nowhere_else_and_never_over_another() {
    let here = place(&[("a.sh", "a\n"), ("b.sh", "b\n")]);
    assert!(here.library.rename("a.sh", "b.sh").expect_err("taken").error.contains("is there already"));
    assert_eq!(here.library.rename("a", "web/c.sh").expect("renamed"), ("a.sh".to_owned(), "web/c.sh".to_owned()));
    assert_eq!(
        (here.read("web/c.sh").as_str(), here.read("a.sh").as_str(), here.read("b.sh").as_str()),
        ("a\n", "", "b\n")
    );
    assert_eq!(here.library.rename("a.sh", "x.sh").expect_err("gone").code, Code::NotFound);
}

#[test]
fn what_is_deleted_comes_back_as_it_was() {
    let here = place(&[("web/a.sh", "a\n")]);
    let trash = Trash::new(here.home.path().join("trash"));
    let refused = trash.delete(&here.library, "web/a.sh", "a.sh", "ops").expect_err("not its whole name");
    assert_eq!((refused.code, here.read("web/a.sh").as_str()), (Code::Unconfirmed, "a\n"));
    let mode = fs::metadata(here.home.path().join("library/web/a.sh")).expect("there").mode();
    let gone = trash.delete(&here.library, "web/a.sh", "web/a.sh", "ops").expect("deleted");
    assert_eq!((here.read("web/a.sh").as_str(), trash.list()), ("", vec![gone]));
    here.save("web/a.sh", None, "another\n").expect("the name is free");
    assert!(trash.restore(&here.library, "web/a.sh").expect_err("taken").error.contains("is there already"));
    here.library.rename("web/a.sh", "b.sh").expect("renamed");
    trash.restore(&here.library, "web/a.sh").expect("back");
    assert_eq!(here.read("web/a.sh"), "a\n");
    assert_eq!(fs::metadata(here.home.path().join("library/web/a.sh")).expect("there").mode(), mode);
    assert_eq!(trash.list(), []);
    assert_eq!(trash.restore(&here.library, "../../etc/passwd").expect_err("nothing").code, Code::NotFound);
}
