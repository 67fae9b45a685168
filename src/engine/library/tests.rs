//! The library as the engine uses it.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::sync::mpsc;

use super::samples::SAMPLES;
use super::*;
use crate::model::script::{Level, ParamKind, lint_builtin};

fn library(files: &[(&str, &str)]) -> (tempfile::TempDir, Library) {
    let home = tempfile::tempdir().expect("tempdir");
    let folder = home.path().join("library");
    fs::create_dir(&folder).expect("folder");
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("parent")).expect("folder");
        fs::write(path, text).expect("file");
    }
    let library = Library::open(folder);
    (home, library)
}

fn names(library: &Library) -> Vec<String> {
    library.list().scripts.into_iter().map(|script| script.name).collect()
}

#[test]
fn a_first_start_finds_sample_scripts() {
    let home = tempfile::tempdir().expect("tempdir");
    let folder = home.path().join("data/quarterdeck/library");
    let library = Library::open(folder.clone());
    let listed = library.list();
    assert_eq!(listed.warnings, [""; 0]);
    assert_eq!(listed.scripts.len(), SAMPLES.len());
    let languages: Vec<&str> = listed.scripts.iter().map(|script| script.language.as_str()).collect();
    for language in ["sh", "bash", "python3", "pwsh"] {
        assert!(languages.contains(&language), "{language}");
    }
    assert_eq!(fs::metadata(folder.join("disk-use.sh")).expect("file").permissions().mode() & 0o777, 0o755);
    fs::remove_file(folder.join("disk-use.sh")).expect("removed");
    assert_eq!(names(&Library::open(folder)).len(), SAMPLES.len() - 1, "what was thrown away stays away");
}

#[test]
fn the_samples_declare_their_parameters_and_have_nothing_to_complain_about() {
    for (name, text) in SAMPLES {
        let info = inspect(name, text.as_bytes());
        assert!(!info.describe.is_empty() && !info.params.is_empty() && info.refused.is_none(), "{name}");
        assert!(info.params.iter().all(|param| !param.required), "{name} runs without being asked anything");
        assert_eq!(lint_builtin(name, text.as_bytes()), [], "{name}");
        // PowerShell knows no --name
        assert!(!name.ends_with(".ps1") || info.params.iter().all(|param| param.kind == ParamKind::Arg), "{name}");
    }
}

#[test]
fn folders_are_part_of_the_name_and_what_is_no_script_is_left_out() {
    let (_home, library) = library(&[
        ("b.sh", "#!/bin/sh\n"),
        ("web/deep/a", "#!/bin/sh\n"),
        (".git/config", "x"),
        ("web/.hidden", "x"),
        ("README.md", "x"),
        ("LICENSE", "x"),
        ("old.sh~", "x"),
    ]);
    assert_eq!(names(&library), ["b.sh", "web/deep/a"]);
    assert_eq!(library.list().warnings, [""; 0]);
}

#[test]
fn only_what_changed_is_read_again() {
    let (_home, library) = library(&[("a.sh", "#!/bin/sh\n# @describe one\n")]);
    assert_eq!(library.list().scripts[0].describe, "one");
    let path = library.folder().join("a.sh");
    fs::write(&path, "#!/bin/sh\n# @describe two\n").expect("file");
    assert_eq!(library.list().scripts[0].describe, "two", "though the size is the same");
    fs::remove_file(path).expect("removed");
    assert_eq!(names(&library), [""; 0]);
}

#[test]
fn no_name_leads_out_of_the_folder() {
    let (home, library) = library(&[("a.sh", "#!/bin/sh\n"), (".secret", "x")]);
    fs::write(home.path().join("outside"), "x").expect("file");
    symlink(home.path().join("outside"), library.folder().join("link")).expect("link");
    for name in
        ["../outside", "/etc/passwd", "a.sh/../../outside", "./a.sh", "", "a//b", ".secret", "link", "a\0b", "a\nb"]
    {
        let refused = library.read(name).expect_err(name);
        assert!(refused.contains("is no name of a script"), "{refused}");
    }
    let warnings = library.list().warnings;
    assert!(warnings.len() == 1 && warnings[0].contains("leads out"), "{warnings:?}");
    assert!(library.read("b.sh").expect_err("unknown").contains("did you mean 'a.sh'?"));
}

#[test]
fn links_within_the_folder_are_followed_and_circles_end() {
    let (_home, library) = library(&[("web/a.sh", "#!/bin/sh\n")]);
    symlink("web/a.sh", library.folder().join("current.sh")).expect("link");
    symlink("..", library.folder().join("web/up")).expect("link");
    symlink("nowhere", library.folder().join("dangling")).expect("link");
    assert_eq!(names(&library), ["current.sh", "web/a.sh"]);
    assert!(library.read("current.sh").is_ok());
}

#[test]
fn the_ending_may_be_left_out_where_one_script_fits() {
    let (_home, library) = library(&[("a.sh", "#!/bin/sh\n"), ("b.sh", "x"), ("b.py", "x"), ("c", "x"), ("c.sh", "x")]);
    assert_eq!(library.read("a").expect("found").0.name, "a.sh");
    assert_eq!(library.read("c").expect("found").0.name, "c");
    assert!(library.read("b").expect_err("two").contains("b.sh or b.py"));
}

#[test]
fn a_folder_of_the_library_is_no_script_and_its_scripts_are_named() {
    let (_home, library) = library(&[("web/a.sh", "#!/bin/sh\n"), ("web/deep/b.sh", "#!/bin/sh\n"), ("webb.sh", "")]);
    let refused = library.read("web").unwrap_err();
    assert!(refused.ends_with(": it is a folder, which holds web/a.sh, web/deep/b.sh"), "{refused}");
}

#[test]
fn odd_files_are_listed_with_the_reason_or_passed_over() {
    let (_home, library) = library(&[("empty.sh", ""), ("binary", "\0")]);
    let large = File::create(library.folder().join("large.sh")).expect("file");
    large.set_len(1 << 30).expect("sparse");
    let made = std::process::Command::new("mkfifo").arg(library.folder().join("pipe.sh")).status();
    assert!(made.is_ok_and(|status| status.success()), "mkfifo");
    let refused: Vec<_> = library.list().scripts.into_iter().map(|script| script.refused).collect();
    assert_eq!(refused[0].as_deref(), Some("holds NUL bytes: is it a binary?"));
    assert_eq!(refused[1].as_deref(), Some("is empty"));
    assert_eq!(refused[2].as_deref(), Some("is 1024 MiB large; 16 MiB are allowed"));
    assert_eq!(refused.len(), 3);
    assert!(library.read("pipe.sh").is_err());
    let (info, bytes) = library.read("large.sh").expect("told");
    assert!(info.refused.is_some() && bytes.is_empty());
}

#[test]
fn a_library_that_cannot_be_made_says_so() {
    let home = tempfile::tempdir().expect("tempdir");
    fs::write(home.path().join("file"), "").expect("file");
    let listed = Library::open(home.path().join("file/library")).list();
    assert!(listed.scripts.is_empty() && listed.warnings[0].contains("cannot make the script library"));
}

#[test]
fn a_change_is_told() {
    let (_home, library) = library(&[]);
    let (tell, told) = mpsc::channel();
    let watch = library
        .watch(move || {
            let _ = tell.send(());
        })
        .expect("watching");
    fs::write(library.folder().join("new.sh"), "#!/bin/sh\n").expect("file");
    told.recv_timeout(Duration::from_secs(20)).expect("told");
    drop(watch);
    while told.recv_timeout(Duration::from_secs(20)).is_ok() {}
    assert_eq!(told.recv(), Err(mpsc::RecvError), "the thread ends with the watch");
}

#[tokio::test]
async fn a_tool_that_is_missing_or_there_is_told_or_used() {
    let (_home, library) = library(&[
        ("bad.sh", "#!/bin/sh\nfor f in $(ls); do echo $f; done\n"),
        ("bad.py", "#!/usr/bin/env python3\n\ndef f(:\n"),
    ]);
    let shell = library.lint("bad.sh").await.expect("linted");
    assert!(
        shell
            .iter()
            .any(|finding| finding.code == "SC2086" && finding.line == 2 || finding.text.contains("not installed"))
    );
    let python = library.lint("bad").await.expect_err("two scripts");
    assert!(python.contains("bad.sh or bad.py"));
    let python = library.lint("bad.py").await.expect("linted");
    assert!(python.iter().any(|finding| finding.level == Level::Error && finding.line == 3 || finding.text.contains("not installed")));
}

#[tokio::test]
async fn the_samples_pass_their_tools() {
    let (_home, library) = library(&[]);
    for (name, text) in SAMPLES {
        let findings = library.lint_text(name, text.as_bytes().to_vec()).await;
        assert!(findings.iter().all(|finding| finding.code == "lint"), "{name}: {findings:?}");
    }
}
