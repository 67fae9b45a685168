//! The editor as its keys are pressed: a text with the cursor in it, what is typed, and the text after it.

mod vi_keys;

use super::ask::Pick;
use super::{Bar, Editor};
use crate::console::app::sample::{self, Session};
use crate::console::app::shelf::{Draft, SaveProblem, SavedScript};
use crate::console::app::{Effect, Event, Layer, View};
use crate::console::editor::buffer::pos;
use crate::console::editor::document::Ends;
use crate::model::script::{Finding, Level, Replacement};
use crate::model::wire::{Code, Problem};

/// Stands for the cursor.
const MARK: char = '¦';

fn opened(bytes: &[u8]) -> Session {
    let mut session = Session::new((80, 24), true);
    session.file = bytes.to_vec();
    session.keys("1e");
    session
}

fn editor(session: &Session) -> &Editor {
    session.app.editing.open.as_deref().expect("a script is open")
}

fn shown(session: &Session) -> String {
    let buffer = &editor(session).buffer;
    let at = buffer.cursor();
    format!("{}{MARK}{}", buffer.text(pos(0, 0), at), buffer.text(at, buffer.end()))
}

fn at_mark(before: &str) -> Session {
    let mut session = opened(before.replace(MARK, "").as_bytes());
    let head = before.split(MARK).next().unwrap();
    let row = head.matches('\n').count();
    let col = head.rsplit('\n').next().unwrap().chars().count();
    session.app.editing.open.as_mut().unwrap().buffer.go(pos(row, col), false);
    session
}

#[track_caller]
fn leads(before: &str, keys: &str, after: &str) {
    let mut session = at_mark(before);
    session.keys(keys);
    assert_eq!(shown(&session), after, "{before:?} {keys}");
}

#[track_caller]
fn vi(before: &str, keys: &str, after: &str) {
    let mut session = at_mark(before);
    session.keys("<F4>");
    session.keys(keys);
    assert_eq!(shown(&session), after, "{before:?} {keys}");
}

fn saves(session: &Session) -> Vec<(Option<String>, String, bool)> {
    let saves = session.sent.iter().filter_map(|effect| match effect {
        Effect::SaveScript { base, bytes, force, .. } => {
            Some((base.clone(), String::from_utf8_lossy(bytes).into_owned(), *force))
        }
        _ => None,
    });
    saves.collect()
}

fn drafts(session: &Session) -> Vec<String> {
    let drafts = session.sent.iter().filter_map(|effect| match effect {
        Effect::SaveDraft { bytes, .. } => Some(String::from_utf8_lossy(bytes).into_owned()),
        _ => None,
    });
    drafts.collect()
}

/// Time goes by.
fn later(session: &mut Session, milliseconds: i64) {
    let now = session.app.now + jiff::SignedDuration::from_millis(milliseconds);
    session.tell(Event::Tick(now));
}

/// The engine answers a save; the library has what it says.
fn saved(session: &mut Session, answer: Result<SavedScript, SaveProblem>) {
    match &answer {
        Ok(saved) => {
            session.scripts.scripts[0].version.clone_from(&saved.version);
            session.file = saves(session).last().expect("a save").1.clone().into_bytes();
        }
        Err(SaveProblem::Changed { version, bytes }) => {
            session.scripts.scripts[0].version.clone_from(version);
            session.file.clone_from(bytes);
        }
        Err(SaveProblem::Other(_)) => {}
    }
    session.tell(Event::Saved { name: "disk-use.sh".into(), answer });
}

fn version(version: &str) -> SavedScript {
    SavedScript { version: version.into(), path: "/lib/disk-use.sh".into(), warning: None }
}

fn answers(session: &mut Session, pick: &Pick) {
    let Some(Layer::Editor(ask)) = session.app.layers.last() else { panic!("a question") };
    let at = ask.picks.iter().position(|(other, _, _)| other == pick).expect("that answer");
    session.keys(&"<down>".repeat(at));
    session.keys("<enter>");
}

// ---- writing -----------------------------------------------------------------------------------------------

#[test]
fn letters_are_text_and_never_commands() {
    leads("¦\n", "q:Q?/jk <lt>x> é日", "q:Q?/jk <x> é日¦\n");
    let mut session = at_mark("¦");
    session.keys("Qq");
    assert!(!session.sent.contains(&Effect::Quit));
    assert_eq!(session.app.view, View::Editor);
}

#[test]
fn motions() {
    for (before, keys, after) in [
        ("ab\n¦cd", "<left>", "ab¦\ncd"),
        ("ab¦\ncd", "<right>", "ab\n¦cd"),
        ("ae\u{301}¦b", "<left>", "a¦e\u{301}b"),
        ("one\nt¦wo", "<up>", "o¦ne\ntwo"),
        ("o¦ne\ntwo", "<down>", "one\nt¦wo"),
        ("foo-bar b¦az", "<C-left><C-left>", "foo-¦bar baz"),
        ("¦foo-bar baz", "<C-right><C-right><C-right>", "foo-bar ¦baz"),
        ("  foo¦", "<home>", "  ¦foo"),
        ("  ¦foo", "<home>", "¦  foo"),
        ("  f¦oo", "<end>", "  foo¦"),
        ("a\nb¦\nc", "<C-home>", "¦a\nb\nc"),
        ("a\nb¦\nc", "<C-end>", "a\nb\nc¦"),
        ("¦if ( [ x ] )", "<C-right><A-m>", "if ( [ x ] ¦)"),
        ("a\n\nb\n¦c", "^", "a\n\nb\n^¦c"),
    ] {
        leads(before, keys, after);
    }
    let long: String = (1..=100).map(|n| format!("{n}\n")).collect();
    let mut session = opened(long.as_bytes());
    session.keys("<pgdn>");
    let page = editor(&session).buffer.cursor().row;
    assert!((10..20).contains(&page), "{page}");
    session.keys("<pgup>");
    assert_eq!(editor(&session).buffer.cursor().row, 0);
}

#[test]
fn erasing() {
    for (before, keys, after) in [
        ("ab¦c", "<bs>", "a¦c"),
        ("ab\n¦c", "<bs>", "ab¦c"),
        ("ab¦c", "<del>", "ab¦"),
        ("ab¦\nc", "<C-d>", "ab¦c"),
        ("foo bar¦", "<C-w>", "foo ¦"),
        ("¦foo bar", "<A-d>", "¦bar"),
        ("    ¦x\n  y\n  z", "<bs>", "  ¦x\n  y\n  z"),
        ("one\ntw¦o\nthree", "<A-k>", "one\nth¦ree"),
        ("one\ntw¦o", "<A-k>", "on¦e"),
    ] {
        leads(before, keys, after);
    }
}

#[test]
fn a_new_line_is_indented_like_the_one_before_and_blocks_close() {
    for (before, keys, after) in [
        ("  a¦", "<enter>b", "  a\n  b¦"),
        ("if x; then¦", "<enter>y<enter>fi<enter>z", "if x; then\n  y\nfi\nz¦"),
        ("f() {¦", "<enter>y<enter>}", "f() {\n  y\n}¦"),
        ("for x in y; do¦", "<enter>", "for x in y; do\n  ¦"),
        ("  # then¦", "<enter>", "  # then\n  ¦"),
        ("a¦b", "<enter>", "a\n¦b"),
    ] {
        leads(before, keys, after);
    }
}

#[test]
fn indenting_and_commenting_lines() {
    for (before, keys, after) in [
        ("a¦b", "<tab>", "a ¦b"),
        ("¦a\nb\nc", "<S-down><S-down><tab>", "  a\n  b¦\nc"),
        ("a\n  b\n    c¦", "<S-tab>", "a\n  b\n  c¦"),
        ("a¦", "<S-tab>", "a¦"),
        ("  a¦\n", "<A-;>", "  #¦ a\n"),
        ("¦  a\n\n    b\n", "<S-down><S-down><S-down><A-;>", "  # a\n\n  #   b¦\n"),
    ] {
        let mut session = at_mark(before);
        session.keys(keys);
        assert_eq!(shown(&session).replace(MARK, ""), after.replace(MARK, ""), "{before:?} {keys}");
    }
    let mut session = at_mark("¦# a\n#b\nc\n");
    session.keys("<S-down><S-down><A-;>");
    assert_eq!(editor(&session).buffer.lines(), ["a", "b", "c", ""]);
}

#[test]
fn lines_as_a_whole() {
    for (before, keys, after) in [
        ("a¦\nb\n", "<C-t>", "a\na¦\nb\n"),
        ("a\nb¦\nc", "<A-up>", "b¦\na\nc"),
        ("a\nb¦\nc", "<A-down>", "a\nc\nb¦"),
        ("a¦\nb", "<A-up>", "a¦\nb"),
        ("a\nb¦", "<A-down>", "a\nb¦"),
        ("a¦\nb\nc\n", "<C-k><C-k><C-v>", "a\nb\nc¦\n"),
        ("¦a\nb\nc\n", "<C-k><down><C-v>", "b\na\n¦c\n"),
    ] {
        leads(before, keys, after);
    }
}

#[test]
fn selecting_copying_and_pasting() {
    for (before, keys, after) in [
        ("¦abc", "<S-right><S-right>x", "x¦c"),
        ("¦abc", "<S-right><S-right><bs>", "¦c"),
        ("¦abc def", "<C-S-right><C-x><end><C-v>", "defabc ¦"),
        ("ab¦c", "<A-a><home><C-k>", "¦c"),
        ("ab¦c", "<A-A><del>", "¦"),
        ("a¦b\nc", "<S-end><A-c><C-end><C-v>", "ab\ncb¦"),
        ("a¦b", "<S-right><esc>x", "abx¦"),
        ("a¦b", "<S-right><left>", "a¦b"),
    ] {
        leads(before, keys, after);
    }
    let mut session = at_mark("¦echo hi");
    session.keys("<C-S-right><A-c>");
    assert_eq!(session.sent.last(), Some(&Effect::Copy("echo ".into())), "also through the terminal");
}

#[test]
fn what_is_undone_ends_where_something_else_was_done() {
    // A save, a launch that is cancelled, a motion, another view, and a rest each end a step.
    for between in ["<F3>", "<F6><esc>", "<left><right>", "<C-f><esc>", "<esc>1e"] {
        let mut session = opened(b"");
        session.keys("echo");
        session.keys(between);
        if !saves(&session).is_empty() {
            saved(&mut session, Ok(version("0123456789ab")));
            session.keys("<esc>");
            if session.app.view != View::Editor {
                session.keys("1e");
            }
        }
        session.keys("q<A-u>");
        assert_eq!(editor(&session).buffer.lines()[0], "echo", "{between}");
    }
    let mut session = opened(b"");
    session.keys("echo");
    later(&mut session, 1_500);
    session.keys("q<A-u>");
    assert_eq!(editor(&session).buffer.lines()[0], "echo", "a rest");
}

#[test]
fn the_changes_are_looked_at_and_saved_from_there() {
    let mut session = at_mark("a¦\n");
    session.keys("x<F5>");
    assert!(session.screen().contains("[ Back ]     [ Save ]"), "{}", session.screen());
    session.keys("<tab><enter>");
    assert!(session.app.layers.is_empty() && saves(&session).is_empty(), "Back saves nothing");
    session.keys("<F5><esc>");
    assert!(session.app.layers.is_empty() && saves(&session).is_empty(), "nor does esc");
    for keys in ["<enter>", "<F3>"] {
        let mut session = at_mark("a¦\n");
        session.keys("x<F5>");
        session.keys(keys);
        assert_eq!(saves(&session).len(), 1, "{keys}");
        assert!(session.app.layers.is_empty(), "nothing is left open");
    }
}

#[test]
fn undo_and_redo_go_by_words_and_by_commands() {
    leads("¦", "echo hi<A-u>", "echo¦");
    leads("¦", "echo hi<A-u><A-u><A-e>", "echo¦");
    leads("a¦\nb", "<A-down><A-u>", "a¦\nb");
    leads("aa¦ aa\naa", "<C-r>aa<tab>b<A-a><esc><A-u>", "aa ¦aa\naa");
    let mut session = at_mark("¦x");
    session.keys("<A-u>");
    assert_eq!(session.app.hint.as_deref(), Some("nothing to undo"));
}

#[test]
fn a_paste_is_text_with_one_kind_of_line_ends_and_quick() {
    let mut session = at_mark("[¦]");
    session.tell(Event::Paste("a\r\nb\rc\td\u{1b}[2J".into()));
    assert_eq!(shown(&session), "[a\nb\nc\td\u{1b}[2J¦]");
    session.keys("<A-u>");
    assert_eq!(shown(&session), "[¦]");
    let mut session = at_mark("¦");
    session.tell(Event::Paste("echo 'one line of many'\n".repeat(45_000)));
    assert_eq!(editor(&session).buffer.lines().len(), 45_001);
    session.tell(Event::Paste("x\n".repeat(45_000)));
    assert_eq!(editor(&session).buffer.lines().len(), 45_001, "too many lines");
    assert!(session.app.hint.as_ref().unwrap().contains("65,535 lines"), "{:?}", session.app.hint);
}

// ---- finding -----------------------------------------------------------------------------------------------

#[test]
fn find_goes_round_and_counts() {
    let mut session = at_mark("foo ¦bar\nFoo baz\nfoo");
    session.keys("<C-f>foo");
    assert_eq!((editor(&session).search.current, editor(&session).search.total), (2, Some(3)));
    assert_eq!(editor(&session).buffer.selection(), Some((pos(1, 0), pos(1, 3))));
    session.keys("<enter><enter>");
    assert_eq!(editor(&session).buffer.selection(), Some((pos(0, 0), pos(0, 3))));
    assert!(session.app.hint.as_ref().unwrap().contains("round"));
    session.keys("<up>");
    assert_eq!(editor(&session).buffer.selection(), Some((pos(2, 0), pos(2, 3))));
    session.keys("<esc><A-w>");
    assert_eq!(editor(&session).buffer.selection(), Some((pos(0, 0), pos(0, 3))), "on without the bar");
    session.keys("<C-f><A-c>");
    session.keys("<C-u>Foo");
    assert_eq!(editor(&session).search.total, Some(1));
    session.keys("<C-u>nowhere");
    assert_eq!(editor(&session).search.total, Some(0));
}

#[test]
fn an_expression_that_is_wrong_says_so() {
    let mut session = at_mark("¦a.c abc");
    session.keys("<C-f><A-r>a(");
    assert!(editor(&session).search.problem.as_ref().unwrap().contains("unclosed"), "{:?}", editor(&session).search);
    session.keys("<bs>.");
    assert_eq!(editor(&session).search.total, Some(2));
    session.keys("<A-r>");
    assert_eq!(editor(&session).search.total, Some(1), "plain again");
}

#[test]
fn replacing_one_or_all() {
    leads("a¦a ba\naa", "<C-r>a<tab>x<A-a><esc>", "x¦x bx\nxx");
    let mut session = at_mark("¦foo foo foo");
    session.keys("<C-r>foo<enter>bar<enter><enter>");
    assert_eq!(editor(&session).buffer.lines(), ["bar bar foo"]);
    session.keys("<A-a>");
    assert_eq!(editor(&session).search.said.as_deref(), Some("1 replaced"));
    let mut session = at_mark("¦a=1\nb=2");
    session.keys(r"<C-r><A-r>(\w)=(\d)<tab>$2=$1<A-a>");
    assert_eq!(editor(&session).buffer.lines(), ["1=a", "2=b"]);
    let mut session = at_mark("a\n¦a\na\na");
    session.keys("<S-down><S-down><C-r>a<tab>b<A-a>");
    assert_eq!(editor(&session).buffer.lines(), ["a", "b", "b", "a"], "in the selected lines only");
}

#[test]
fn a_line_is_gone_to_by_number() {
    let long: String = (1..=100).map(|n| format!("line {n}\n")).collect();
    for (typed, row, col) in
        [("50", 49, 0), ("7:3", 6, 2), ("+10", 10, 0), ("9999", 100, 0), ("50%", 50, 0), ("$", 100, 0)]
    {
        let mut session = opened(long.as_bytes());
        session.keys(&format!("<C-g>{typed}<enter>"));
        assert_eq!(editor(&session).buffer.cursor(), pos(row, col), "{typed}");
        assert!(editor(&session).bar.is_none());
    }
    let mut session = opened(long.as_bytes());
    session.keys("<C-g>what<enter>");
    assert!(matches!(editor(&session).bar, Some(Bar::Goto(_))));
    session.keys("<esc>");
    assert!(editor(&session).bar.is_none() && session.app.view == View::Editor);
}

// ---- files -------------------------------------------------------------------------------------------------

#[test]
fn saving_makes_a_version_and_the_next_begins_from_it() {
    let mut session = at_mark("echo¦\n");
    assert!(!editor(&session).dirty);
    session.keys(" hi<F3>");
    assert_eq!(saves(&session), [(Some("9f3c1e27aa01".into()), "echo hi\n".into(), false)]);
    saved(&mut session, Ok(version("0b5a")));
    assert!(!editor(&session).dirty && editor(&session).base.as_deref() == Some("0b5a"));
    session.keys("!<C-s>");
    assert_eq!(saves(&session)[1], (Some("0b5a".into()), "echo hi!\n".into(), false));
    session.keys("?");
    saved(&mut session, Ok(version("0b5b")));
    assert!(editor(&session).dirty, "typed while the save was on its way");
}

#[test]
fn undoing_back_to_the_saved_text_is_not_edited() {
    let mut session = at_mark("echo¦\n");
    session.keys("x");
    assert!(editor(&session).dirty);
    session.keys("<A-u>");
    assert!(!editor(&session).dirty);
    session.keys("<F3>");
    assert!(saves(&session).is_empty());
    assert!(session.app.hint.as_ref().unwrap().contains("nothing to save"));
}

#[test]
fn line_ends_and_mark_are_kept_byte_for_byte() {
    for bytes in [&b"a\r\nb\r\n"[..], b"\xef\xbb\xbfa\nb", b"a\r\nb\nc\r\n", b"a\tb\x07\n", b""] {
        let mut session = opened(bytes);
        session.keys("x<bs>");
        assert_eq!(editor(&session).bytes(), bytes, "{bytes:?}");
    }
    let mut session = opened(b"a\r\nb\nc\r\n");
    session.keys("<end>x<enter>y");
    assert_eq!(editor(&session).bytes(), b"ax\r\ny\r\nb\nc\r\n");
    session.app.editing.open.as_mut().unwrap().turn_line_ends();
    assert_eq!((editor(&session).shape.ends, editor(&session).bytes()), (Ends::Lf, b"ax\ny\nb\nc\n".to_vec()));
}

#[test]
fn what_cannot_be_edited_here_is_offered_to_the_other_editor() {
    for bytes in [&b"a\0b"[..], b"caf\xe9", &b"\n".repeat(70_000), &vec![b'x'; 10_000_001]] {
        let mut session = opened(bytes);
        assert_eq!(session.app.view, View::Overview);
        assert!(matches!(session.app.layers.last(), Some(Layer::Editor(_))));
        session.keys("<enter>");
        let path = "/home/ops/.local/share/quarterdeck/library/disk-use.sh";
        assert_eq!(session.sent.last(), Some(&Effect::OpenEditor(path.into())));
    }
}

#[test]
fn a_draft_is_kept_a_second_after_the_last_key_and_goes_when_saved() {
    let mut session = at_mark("¦");
    session.keys("a");
    later(&mut session, 500);
    session.keys("b");
    later(&mut session, 900);
    assert_eq!(drafts(&session), [""; 0]);
    later(&mut session, 200);
    assert_eq!(drafts(&session), ["ab"]);
    for _ in 0..12 {
        session.keys("c");
        later(&mut session, 500);
    }
    assert_eq!(drafts(&session).len(), 2, "every five seconds while keys keep coming");
    session.keys("<F3>");
    saved(&mut session, Ok(version("1")));
    assert_eq!(session.sent.iter().filter(|effect| matches!(effect, Effect::DropDraft(_))).count(), 1);
}

#[test]
fn leaving_keeps_the_draft_and_coming_back_finds_all_of_it() {
    let mut session = at_mark("¦x");
    session.keys("abc <esc>");
    assert_eq!((session.app.view, drafts(&session)), (View::Overview, vec!["abc x".to_owned()]));
    session.keys("e");
    assert_eq!(shown(&session), "abc ¦x");
    session.keys("<A-u><A-u>");
    assert_eq!(shown(&session), "¦x", "with all that can be undone");
}

#[test]
fn quitting_from_the_editor_keeps_the_draft_first() {
    let mut session = at_mark("¦");
    session.keys("a<C-c><C-c>");
    let [.., Effect::SaveDraft { .. }, Effect::Quit] = session.sent.as_slice() else { panic!("{:?}", session.sent) };
}

#[test]
fn a_draft_of_an_earlier_session_is_offered() {
    let draft = |base: &str| Draft {
        name: "disk-use.sh".into(),
        base: Some(base.into()),
        bytes: b"draft\n".to_vec(),
        saved_at: sample::at(40),
    };
    let mut session = Session::new((80, 24), true);
    session.file = b"saved\n".to_vec();
    session.tell(Event::Drafts(vec![draft("9f3c1e27aa01")]));
    session.keys("1e<esc>");
    assert_eq!(shown(&session), "¦saved\n", "esc answers nothing");
    session.keys("<esc>");
    session.tell(Event::Drafts(vec![draft("9f3c1e27aa01")]));
    let mut session = Session::new((80, 24), true);
    session.file = b"saved\n".to_vec();
    session.tell(Event::Drafts(vec![draft("9f3c1e27aa01")]));
    session.keys("1e");
    answers(&mut session, &Pick::KeepDraft);
    assert_eq!((shown(&session).as_str(), editor(&session).dirty), ("¦draft\n", true));
    session.keys("<A-u>");
    assert_eq!(shown(&session), "¦saved\n", "undo leads to the saved text");

    let mut session = Session::new((80, 24), true);
    session.file = b"saved\n".to_vec();
    session.tell(Event::Drafts(vec![draft("older")]));
    session.keys("1e");
    answers(&mut session, &Pick::DiscardDraft);
    assert_eq!(session.sent.last(), Some(&Effect::DropDraft("disk-use.sh".into())));
    assert_eq!(shown(&session), "¦saved\n");
}

#[test]
fn a_file_that_somebody_else_changed_is_never_overwritten_unasked() {
    let changed = || Err(SaveProblem::Changed { version: "77".into(), bytes: b"theirs\n".to_vec() });
    let mut session = at_mark("mine¦\n");
    session.keys("!<F3>");
    saved(&mut session, changed());
    answers(&mut session, &Pick::KeepMine);
    assert_eq!(saves(&session)[1], (Some("9f3c1e27aa01".into()), "mine!\n".into(), true));

    let mut session = at_mark("mine¦\n");
    session.keys("!<F3>");
    saved(&mut session, changed());
    answers(&mut session, &Pick::TakeTheirs);
    assert_eq!((shown(&session).as_str(), editor(&session).dirty), ("their¦s\n", false));
    session.keys("<A-u>");
    assert_eq!(editor(&session).buffer.lines()[0], "mine!", "undo leads to mine");
    session.keys("<F3>");
    assert_eq!(saves(&session)[1], (Some("77".into()), "mine!\n".into(), false), "from their version on");

    let mut session = at_mark("mine¦\n");
    session.keys("!<F3>");
    saved(&mut session, changed());
    session.keys("<esc>");
    assert_eq!(shown(&session), "mine!¦\n", "esc decides nothing");
    assert_eq!(saves(&session).len(), 1);
}

#[test]
fn a_change_on_the_disk_is_taken_if_there_is_nothing_to_lose() {
    let mut session = at_mark("old¦\n");
    session.file = b"new\n".to_vec();
    session.scripts.scripts[0].version = "88".into();
    session.tell(Event::Engine(crate::model::wire::Event::Library));
    assert_eq!((shown(&session).as_str(), editor(&session).base.as_deref()), ("new¦\n", Some("88")));

    let mut session = at_mark("old¦\n");
    session.keys("!");
    session.file = b"new\n".to_vec();
    session.scripts.scripts[0].version = "88".into();
    session.tell(Event::Engine(crate::model::wire::Event::Library));
    assert_eq!((shown(&session).as_str(), editor(&session).behind), ("old!¦\n", true));
    assert!(session.screen().contains("changed by somebody else"), "{}", session.screen());
}

#[test]
fn a_save_that_fails_says_why_and_the_text_is_a_draft() {
    let mut session = at_mark("¦");
    session.keys("a<F3>");
    let problem = Problem { code: Code::Internal, error: "the folder is read-only".into(), column: None };
    saved(&mut session, Err(SaveProblem::Other(problem)));
    assert!(session.screen().contains("read-only"), "{}", session.screen());
    assert_eq!(drafts(&session), ["a"]);
    assert!(editor(&session).dirty);
}

#[test]
fn running_saves_first() {
    let mut session = at_mark("echo¦\n");
    session.keys(" hi<F6>");
    assert_eq!((saves(&session).len(), session.app.launch().is_none()), (1, true));
    saved(&mut session, Ok(version("99")));
    assert!(session.app.launch().is_some_and(|launch| launch.script().as_deref() == Some("disk-use.sh")));
}

#[test]
fn the_other_editor_gets_the_saved_file() {
    let mut session = at_mark("echo¦\n");
    session.keys("<F2>");
    assert!(matches!(session.sent.last(), Some(Effect::OpenEditor(_))));
    session.keys("x<F2>");
    answers(&mut session, &Pick::SaveAndOpen);
    saved(&mut session, Ok(version("5")));
    assert!(matches!(session.sent.last(), Some(Effect::OpenEditor(_))), "{:?}", session.sent);
}

// ---- lint and header ---------------------------------------------------------------------------------------

fn finding(line: u32, code: &str, fix: Vec<Replacement>) -> Finding {
    let mut finding = Finding::new(Level::Warn, line, code, format!("about {code}"));
    finding.tool = "shellcheck".into();
    finding.fix = fix;
    finding
}

fn piece(line: u32, column: u32, text: &str) -> Replacement {
    Replacement { line, column, end_line: line, end_column: column, text: text.into() }
}

/// Lint has been asked after a pause and has answered.
fn linted(session: &mut Session, findings: Vec<Finding>) {
    later(session, 2000);
    let serial = session.sent.iter().rev().find_map(|effect| match effect {
        Effect::LintText { serial, .. } => Some(*serial),
        _ => None,
    });
    session.tell(Event::Linted { serial: serial.expect("lint was asked"), answer: Ok(findings) });
}

#[test]
fn lint_is_walked_explained_and_mended() {
    let mut session = at_mark("¦cd $x\necho\ncd $y\n");
    let quoted = |line| vec![piece(line, 6, "\""), piece(line, 4, "\"")];
    linted(&mut session, vec![finding(3, "SC2086", quoted(3)), finding(1, "SC2164", quoted(1))]);
    session.keys("<F8>");
    assert_eq!(editor(&session).buffer.cursor().row, 2);
    session.keys("<F8>");
    assert_eq!(editor(&session).buffer.cursor().row, 0, "round the end");
    session.keys("<F7><A-l>");
    assert!(session.screen().contains("https://www.shellcheck.net/wiki/SC2086"), "{}", session.screen());
    session.keys("<esc><A-f>");
    assert_eq!(editor(&session).buffer.lines()[2], "cd \"$y\"");
    session.keys("<A-u>");
    assert_eq!(editor(&session).buffer.lines()[2], "cd $y", "one step");
}

#[test]
fn what_lint_said_moves_with_its_line() {
    let mut session = at_mark("¦a\nb\nc\n");
    linted(&mut session, vec![finding(2, "SC1", vec![piece(2, 1, "x")])]);
    session.keys("<enter><enter>");
    assert_eq!(editor(&session).lint.findings[0].line, 4);
    session.keys("<A-f>");
    assert_eq!(editor(&session).buffer.lines()[3], "b", "a fix for another text is not applied");
    session.keys("<C-home><A-k><A-k><A-k><A-k>");
    assert!(editor(&session).lint.findings.is_empty());
}

#[test]
fn an_answer_about_an_older_text_gives_way() {
    let mut session = at_mark("¦a\n");
    later(&mut session, 2000);
    assert!(session.sent.iter().any(|effect| matches!(effect, Effect::LintText { serial: 1, .. })));
    session.tell(Event::Linted { serial: 1, answer: Ok(vec![]) });
    session.keys("b");
    later(&mut session, 100);
    let asked = |session: &Session| session.sent.iter().filter(|e| matches!(e, Effect::LintText { .. })).count();
    assert_eq!(asked(&session), 1, "not while keys come");
    later(&mut session, 700);
    assert_eq!(asked(&session), 2);
}

#[test]
fn parameters_follow_the_header_as_it_is_typed() {
    let mut session = at_mark("#!/bin/bash\n¦\necho\n");
    session.keys("# @describe what it does<enter># @arg version!");
    let header = &editor(&session).header;
    assert_eq!((header.describe.as_str(), header.params.len()), ("what it does", 1));
    assert!(header.params[0].required);
    session.keys("<bs>");
    assert!(!editor(&session).header.params[0].required);
}

#[test]
fn the_language_follows_the_shebang() {
    let mut session = at_mark("¦echo\n");
    assert_eq!(editor(&session).language(), "bash");
    session.keys("# vim: ft=python<enter>");
    assert_eq!(editor(&session).language(), "Python");
}

#[test]
fn help_is_on_its_function_key_and_every_command_is_in_it() {
    let mut session = at_mark("¦");
    session.keys("<F1>");
    let Some(Layer::Help(help)) = session.app.layers.last() else { panic!("help") };
    for name in ["save", "difference", "find", "replace", "toggle-comment", "move-line-up", "vi-keys", "select-top"] {
        assert!(help.rows.iter().any(|row| row.command.name == name), "{name}");
    }
}
