//! Scripts as files, as key macros: nothing is deleted, renamed or overwritten by a key alone.

use super::sample::Session;
use super::sample_files::trashed;
use super::shelf::{Draft, SaveProblem, SavedScript};
use super::{Effect, Event, Layer, sample};
use crate::model::script::ScriptInfo;
use crate::model::shelf::Renamed;
use crate::model::wire::{Code, Problem, Shelf};

fn session() -> Session {
    Session::new((80, 24), true)
}

fn refused(error: &str) -> Problem {
    Problem { code: Code::Invalid, error: error.into(), column: None }
}

fn selected(session: &Session) -> String {
    session.app.overview.script(&session.app.scripts).map(|script| script.name.clone()).unwrap_or_default()
}

fn draft(name: &str) -> Draft {
    Draft {
        name: name.into(),
        base: Some("9f3c1e27aa01".into()),
        bytes: b"#!/bin/sh\n".into(),
        saved_at: sample::at(0),
    }
}

#[test]
fn a_new_script_is_made_from_a_template_under_a_free_name() {
    let mut session = session();
    session.keys("n<down><down>web/check");
    session.keys("<enter>");
    let Some(Effect::SaveScript { name, base: None, bytes, force: false }) = session.sent.last() else {
        panic!("{:?}", session.sent)
    };
    let (name, text) = (name.clone(), String::from_utf8_lossy(bytes).into_owned());
    assert_eq!(name, "web/check.py", "the template's ending");
    assert!(text.starts_with("#!/usr/bin/env python3\n# @describe check\n"), "{text}");
    session.tell(Event::Saved { name: name.clone(), answer: Err(SaveProblem::Other(refused("is there already"))) });
    assert!(session.screen().contains("is there already"), "said in the dialog, which stays");
    session.keys("2<enter>");
    let name = "web/check2.py".to_owned();
    session.scripts.scripts.push(sample::script(&name, "python3", "check"));
    let saved = SavedScript { version: "0".into(), path: "/l/web/check2.py".into(), warning: None };
    session.tell(Event::Saved { name: name.clone(), answer: Ok(saved) });
    assert!(!session.app.layers.iter().any(|layer| matches!(layer, Layer::Files(_))));
    assert_eq!(selected(&session), name, "the cursor is on it");
}

/// With an account whose library is open, and a server whose is not.
fn beside_systems() -> Session {
    let mut session = Session::starting((80, 24), true);
    let of = |connection: &str, name: &str| ScriptInfo {
        connection: Some(connection.into()),
        ..sample::script(&format!("{connection}:{name}"), "bash", "there")
    };
    session.scripts.scripts.extend([of("macs", "Rotate cache"), of("ws", "report.py")]);
    let shelf = |connection: &str| Shelf { connection: connection.into(), ..Shelf::default() };
    let about = "It is passed nothing.\n{{serial_number}} is filled in.";
    session.scripts.shelves.push(Shelf { bare: Some(about.into()), ..shelf("macs") });
    session.scripts.shelves.push(Shelf { closed: Some("it keeps its own".into()), ..shelf("ws") });
    session.attach();
    session
}

fn made(session: &Session) -> (String, String) {
    let Some(Effect::SaveScript { name, base: None, bytes, force: false }) = session.sent.last() else {
        panic!("{:?}", session.sent)
    };
    (name.clone(), String::from_utf8_lossy(bytes).into_owned())
}

#[test]
fn a_new_script_is_made_in_the_library_that_the_cursor_is_in_and_suits_it() {
    // on the account itself, and on one of its scripts
    for keys in ["jjjjj", "jjjjjj"] {
        let mut session = beside_systems();
        session.keys(keys);
        session.keys("n");
        let screen = session.screen();
        assert!(screen.contains("in   macs") && !screen.contains("PowerShell"), "{keys}: {screen}");
        session.keys("Fix dns<enter>");
        let (name, text) = made(&session);
        assert_eq!(name, "macs:Fix dns", "called as it is written");
        assert!(text.contains("# It is passed nothing.\n# {{serial_number}} is filled in.\n"), "{text}");
        assert!(!text.contains("$1") && !text.contains("@flag"), "{text}");
    }
    // the other library is a key away
    let mut session = beside_systems();
    session.keys("nfix");
    assert!(session.screen().contains("in   the library here"));
    session.keys("<tab><enter>");
    assert_eq!(made(&session).0, "macs:fix");
    let mut session = beside_systems();
    session.keys("nfix<tab><tab><enter>");
    assert_eq!(made(&session).0, "fix.sh", "and round");
}

#[test]
fn where_no_script_can_be_made_that_is_said_and_it_is_made_here() {
    let mut session = beside_systems();
    session.keys("Gn");
    let screen = session.screen();
    assert!(screen.contains("ws: it keeps its own") && screen.contains("in   the library here"), "{screen}");
    session.keys("fix<enter>");
    assert_eq!(made(&session).0, "fix.sh");
}

#[test]
fn an_empty_name_makes_nothing() {
    let mut session = session();
    session.keys("n<enter>  <enter>");
    assert_eq!(session.sent, []);
    session.keys("<esc>");
    assert!(session.app.layers.is_empty());
}

#[test]
fn deleting_wants_the_name_typed_and_enter_alone_deletes_nothing() {
    let mut session = session();
    session.keys(":delete<enter><enter>");
    assert_eq!(session.sent.iter().filter(|effect| matches!(effect, Effect::DeleteScript { .. })).count(), 0);
    assert!(session.app.layers.is_empty(), "enter was on Cancel");
    session.keys(":delete<enter>disk-use<tab><enter>");
    assert!(!session.app.layers.is_empty(), "not armed by half of the name");
    session.tell(Event::Paste(".sh".into()));
    session.keys("<enter>");
    assert!(!session.sent.iter().any(|effect| matches!(effect, Effect::DeleteScript { .. })), "a paste arms nothing");
    session.keys(".sh<enter>");
    let asked = Effect::DeleteScript { name: "disk-use.sh".into(), confirm: "disk-use.sh".into() };
    assert_eq!(session.sent.last(), Some(&asked));
    session.tell(Event::Deleted { name: "disk-use.sh".into(), answer: Ok(trashed()) });
    assert!(session.app.layers.is_empty());
}

#[test]
fn what_was_deleted_comes_back() {
    let mut session = session();
    session.keys(":deleted<enter>");
    assert!(session.screen().contains("old/clear-cache.sh"));
    session.keys("<enter>");
    assert_eq!(session.sent.last(), Some(&Effect::Undelete(trashed().id)));
}

#[test]
fn a_renamed_script_keeps_cursor_and_draft() {
    let mut session = session();
    session.tell(Event::Drafts(vec![draft("disk-use.sh")]));
    session.keys(":rename<enter><enter><enter>");
    assert!(session.screen().contains("write another name"), "the same name is none");
    session.keys("<C-u>disk.sh<enter>");
    assert!(
        !session.sent.iter().any(|effect| matches!(effect, Effect::RenameScript { .. })),
        "enter leads to the button"
    );
    session.keys("<enter>");
    let asked = Effect::RenameScript { from: "disk-use.sh".into(), to: "disk.sh".into() };
    assert_eq!(session.sent.last(), Some(&asked));
    session.scripts.scripts[0].name = "disk.sh".into();
    let renamed = Renamed { from: "disk-use.sh".into(), to: "disk.sh".into() };
    session.tell(Event::Renamed { from: "disk-use.sh".into(), answer: Ok(renamed) });
    assert_eq!(selected(&session), "disk.sh");
    let moved = |effect: &Effect| matches!(effect, Effect::SaveDraft { name, .. } if name == "disk.sh");
    assert!(session.sent.iter().any(moved) && session.sent.contains(&Effect::DropDraft("disk-use.sh".into())));
}

#[test]
fn going_back_to_a_version_asks_first() {
    let mut session = session();
    session.keys(":versions<enter>R");
    assert!(session.app.hint.clone().unwrap_or_default().contains("this version already"));
    session.keys("jR<enter>");
    assert_eq!(
        session.sent,
        session.sent.iter().filter(|e| !matches!(e, Effect::RestoreVersion { .. })).cloned().collect::<Vec<_>>()
    );
    session.keys("R<tab><enter>");
    let asked = Effect::RestoreVersion {
        name: "disk-use.sh".into(),
        version: "77aa00b1c2d3".into(),
        base: "9f3c1e27aa01".into(),
    };
    assert_eq!(session.sent.last(), Some(&asked));
}

#[test]
fn a_script_is_compared_with_its_draft_a_version_or_another() {
    let mut session = session();
    session.tell(Event::Drafts(vec![draft("disk-use.sh")]));
    session.keys("d");
    let screen = session.screen();
    assert!(screen.contains("draft") && screen.contains("v16") && screen.contains("os-patch.sh"), "{screen}");
    session.keys("j<enter>");
    assert!(session.screen().contains("disk-use.sh  v16  ->  disk-use.sh  now"));
    session.keys("<esc><esc>");
    assert!(session.app.layers.is_empty(), "esc leads back one by one");
}

#[test]
fn unsaved_text_is_marked_in_the_list() {
    let mut session = session();
    let row = |session: &Session| {
        session.screen().lines().find(|line| line.contains("disk-use")).unwrap_or_default().to_owned()
    };
    assert!(!row(&session).contains(" M "));
    session.tell(Event::Drafts(vec![draft("disk-use.sh")]));
    assert!(row(&session).contains(" M "), "{}", row(&session));
    session.tell(Event::DraftDropped("disk-use.sh".into()));
    assert!(!row(&session).contains(" M "));
}
