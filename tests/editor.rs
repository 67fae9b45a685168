//! The editor as a person meets it: the real binary in a pseudo-terminal, and the files it leaves.

mod support;

use std::fs;

use rustix::process::Signal;
use support::{Console, Home, eventually};

const F2: &[u8] = b"\x1bOQ";
const F3: &[u8] = b"\x1bOR";

/// A console with one script, open in the editor.
fn editing(home: &Home, name: &str) -> Console {
    let mut console = Console::start(home);
    console.sees(&format!("> {name}"));
    console.keys("1e");
    console.sees("Ln 1 Col 1");
    console
}

/// In the editor Q is a letter: twice ^c leaves.
fn leaves(mut console: Console) {
    console.keys("<C-c><C-c>");
    console.exit();
    console.is_restored();
}

#[test]
fn open_type_save_quit_and_the_file_is_right() {
    let home = Home::empty();
    let path = home.script("note.sh", "#!/bin/sh\r\necho before\r\n");
    let mut console = editing(&home, "note.sh");
    console.sees("CRLF");
    console.keys("<down><end> and after<enter>echo");
    console.paste(" 'pasted\nover lines'");
    console.sees("over lines'");
    console.sees("[edited]");
    console.send(F3);
    console.sees("was saved as v");
    console.loses("[edited]");
    let saved = fs::read(&path).expect("the script");
    assert_eq!(saved, b"#!/bin/sh\r\necho before and after\r\necho 'pasted\r\nover lines'\r\n");
    console.keys("<esc>");
    console.sees("Targets");
    console.quit().is_restored();
}

#[test]
fn a_draft_survives_a_kill_and_is_offered_again() {
    let home = Home::empty();
    let path = home.script("note.sh", "#!/bin/sh\necho before\n");
    let mut console = editing(&home, "note.sh");
    console.keys("<down><end> never saved");
    console.sees("draft kept");
    console.signal(Signal::KILL);
    console.exit();
    assert_eq!(fs::read(&path).expect("the script"), b"#!/bin/sh\necho before\n", "the file is as it was");

    let mut again = Console::start(&home);
    again.sees("> note.sh");
    again.keys("1e");
    again.sees("was never saved");
    again.keys("<enter>");
    again.sees("echo before never saved");
    again.send(F3);
    again.sees("was saved as v");
    assert_eq!(fs::read(&path).expect("the script"), b"#!/bin/sh\necho before never saved\n");
    again.keys("<esc>");
    again.sees("Targets");
    again.quit().is_restored();
}

#[test]
fn a_hangup_in_the_middle_of_a_word_loses_nothing() {
    let home = Home::empty();
    home.script("note.sh", "#!/bin/sh\necho before\n");
    let mut console = editing(&home, "note.sh");
    console.keys("<down><end>xyzzy");
    console.sees("beforexyzzy");
    console.signal(Signal::HUP);
    console.exit();
    let mut again = Console::start(&home);
    again.sees("> note.sh");
    again.keys("1e");
    again.sees("was never saved");
    again.keys("<enter>");
    again.sees("beforexyzzy");
    leaves(again);
}

#[test]
fn a_file_changed_meanwhile_is_asked_about() {
    let home = Home::empty();
    let path = home.script("note.sh", "#!/bin/sh\necho before\n");
    let mut console = editing(&home, "note.sh");
    console.keys("<down><end> mine");
    console.sees("before mine");
    home.script("note.sh", "#!/bin/sh\necho theirs\n");
    console.send(F3);
    console.sees("Changed by somebody else");
    assert_eq!(fs::read(&path).expect("the script"), b"#!/bin/sh\necho theirs\n", "nothing is overwritten unasked");
    console.keys("<down><enter>"); // keep mine
    console.sees("was saved as v");
    eventually("the file is mine", || fs::read(&path).is_ok_and(|bytes| bytes == b"#!/bin/sh\necho before mine\n"));
    leaves(console);
}

#[test]
fn bytes_that_are_no_text_are_offered_to_the_other_editor() {
    let home = Home::empty();
    home.script("note.sh", b"#!/bin/sh\necho caf\xe9\n");
    let mut console = Console::setup(&home).env("EDITOR", "/bin/cat").start();
    console.sees("> note.sh");
    console.keys("1e");
    console.sees("0xe9 on line 2");
    console.keys("<esc>");
    console.loses("0xe9");
    console.quit().is_restored();
}

#[test]
fn what_is_no_text_or_too_much_of_it_is_kept_byte_for_byte_and_said() {
    let line = format!("# {}\n", "x".repeat(997));
    for (name, bytes, said) in [
        ("nul.sh", b"#!/bin/sh\necho a\0b\n".to_vec(), "Line 2 holds a NUL byte"),
        ("large.sh", format!("#!/bin/sh\n{}", line.repeat(10_100)).into_bytes(), "are edited here"),
        ("wide.sh", format!("#!/bin/sh\necho {}\n", "x".repeat(70_000)).into_bytes(), "Line 2"),
    ] {
        let home = Home::empty();
        let path = home.script(name, &bytes);
        let mut console = Console::start(&home);
        console.sees(&format!("> {name}"));
        console.keys("1e");
        console.sees(said);
        console.sees("Open in $EDITOR");
        console.keys("<esc>");
        console.loses("Open in $EDITOR");
        console.quit().is_restored();
        assert!(fs::read(&path).is_ok_and(|now| now == bytes), "{name} is as it was");
    }
}

#[test]
fn the_other_editor_s_text_comes_back() {
    let home = Home::empty();
    home.script("note.sh", "#!/bin/sh\necho before\n");
    let other = home.file("editor", "#!/bin/sh\nprintf '#!/bin/sh\\necho outside\\n' > \"$1\"\n");
    std::process::Command::new("chmod").args(["+x", &other]).status().expect("chmod");
    let mut console = Console::setup(&home).env("EDITOR", &other).start();
    console.sees("> note.sh");
    console.keys("1e");
    console.sees("Ln 1 Col 1");
    console.send(F2);
    console.sees("echo outside");
    leaves(console);
}

#[test]
fn a_paste_of_a_megabyte_is_one_step() {
    let home = Home::empty();
    let path = home.script("note.sh", "#!/bin/sh\n");
    let mut console = editing(&home, "note.sh");
    console.keys("<down>");
    console.sees("Ln 2 Col 1");
    let line = "echo one two three four five six seven.\n";
    console.paste(&line.repeat(25_000));
    console.sees("Ln 25002 Col 1");
    console.send(F3);
    console.sees("was saved as v");
    assert_eq!(fs::metadata(&path).expect("the script").len(), 1_000_010);
    console.keys("<A-u>");
    console.sees("Ln 2 Col 1");
    leaves(console);
}

#[test]
fn a_script_of_too_many_lines_is_said_and_offered_to_the_other_editor() {
    let home = Home::empty();
    home.script("note.sh", "#\n".repeat(65_535));
    let mut console = Console::start(&home);
    console.sees("> note.sh");
    console.keys("1e");
    console.sees("65,536 lines; up to 65,535 are edited here");
    console.sees("Open in $EDITOR");
    console.keys("<esc>");
    console.loses("are edited here");
    console.quit().is_restored();
}

#[test]
fn what_cannot_be_saved_stays_in_the_editor_and_says_why() {
    let home = Home::empty();
    let path = home.script("note.sh", "#!/bin/sh\necho before\n");
    let mut console = editing(&home, "note.sh");
    console.keys("<down><end> and after");
    console.sees("and after");
    // Nothing can be written where no folder is, whoever asks.
    let folder = std::path::Path::new(&path).parent().expect("the library").to_owned();
    let aside = folder.with_extension("aside");
    fs::rename(&folder, &aside).expect("a library to be moved");
    fs::write(&folder, "").expect("a file in its place");
    console.send(F3);
    console.sees("not saved");
    console.sees("[edited]");
    fs::remove_file(&folder).expect("the file");
    fs::rename(&aside, &folder).expect("the library again");
    console.send(F3);
    console.sees("was saved as v");
    assert_eq!(fs::read(&path).expect("the script"), b"#!/bin/sh\necho before and after\n");
    leaves(console);
}
