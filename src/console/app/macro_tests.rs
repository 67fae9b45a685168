//! Every command of the table, as keys: where an operator stands, what is pressed, and that something comes of it.
//! A command that is added without a row here fails the first test.

use ratatui::buffer::Buffer;

use super::commands::{self, Command, TABLE};
use super::sample::{Session, job, nobody_knows};
use super::{Event, Layer};
use crate::console::keymap::{Chord, Found, macro_keys};
use crate::console::ui;
use crate::model::script::{Finding, Level, Replacement};
use crate::model::state::RunState;

/// Context and name, the way to where it can be seen at work, and its keys (`:name<enter>` where it has none).
const MACROS: &[(&str, &str, &str, &str)] = &[
    ("scripts", "open", "", "<enter>"),
    ("scripts", "run", "", "r"),
    ("scripts", "edit", "", "e"),
    ("scripts", "edit-external", "", "E"),
    ("scripts", "new", "", "n"),
    ("scripts", "diff", "", "d"),
    ("scripts", "versions", "", ":versions<enter>"),
    ("scripts", "open-link", "", "o"),
    ("scripts", "where-used", "", "w"),
    ("scripts", "favourite", "", "+"),
    ("scripts", "rename", "", ":rename<enter>"),
    ("scripts", "delete", "", ":delete<enter>"),
    ("scripts", "deleted", "", ":deleted<enter>"),
    ("versions", "open", ":versions<enter>", "<enter>"),
    ("versions", "diff", ":versions<enter>j", "d"),
    ("versions", "restore", ":versions<enter>j", "R"),
    ("diff", "next-change", "d<enter>", "n"),
    ("diff", "previous-change", "d<enter>n", "N"),
    ("diff", "layout", "d<enter>", "c"),
    ("diff", "save", "ex<F5>", "<F3>"),
    ("targets", "open", "2jj", "<enter>"),
    ("targets", "run", "2jj", "r"),
    ("targets", "edit-expression", "2", "e"),
    ("targets", "where-used", "2jj", "w"),
    ("jobs", "open", "3", "<enter>"),
    ("jobs", "groups", "3", "u"),
    ("jobs", "compare", "3", "d"),
    ("jobs", "acknowledge", "3", "a"),
    ("jobs", "note", "3", "m"),
    ("jobs", "pause", "3", "p"),
    ("jobs", "approve", "3j", "P"),
    ("jobs", "stop", "3", "K"),
    ("jobs", "export", "3", "D"),
    ("job", "open", "3<enter>", "<enter>"),
    ("job", "groups", "3<enter>", "u"),
    ("job", "follow", "3<enter>", "F"),
    ("job", "freeze", "3<enter>", "="),
    ("job", "one-or-all", "3<enter>", "t"),
    ("job", "only-problems", "3<enter>", "!"),
    ("job", "next-error", "3<enter>", "e"),
    ("job", "previous-error", "3<enter>", "E"),
    ("job", "grid-by", "3<enter>", "z"),
    ("job", "go-device", "3<enter>", "gd"),
    ("job", "run", "3<enter>", "r"),
    ("job", "pause", "3<enter>", "p"),
    ("job", "approve", "3j<enter>", "P"),
    ("job", "stop", "3<enter>", "K"),
    ("job", "export", "3<enter>", "D"),
    ("job", "view", "3<enter>", "o"),
    ("view", "raw", "3<enter>o", "o"),
    ("view", "fold-all", "3<enter>o", "H"),
    ("view", "unfold-all", "3<enter>oH", "L"),
    ("groups", "open", "3u", "<enter>"),
    ("groups", "base", "3u", "d"),
    ("groups", "acknowledge", "3u", "a"),
    ("groups", "note", "3u", "m"),
    ("groups", "open-link", "3u", "o"),
    ("groups", "edit-runbook", "3u", "O"),
    ("groups", "exact", "3u", "i"),
    ("groups", "merge", "3uj", "+"),
    ("groups", "split", "3uj", "_"),
    ("groups", "window", "3uj", "w"),
    ("groups", "save-group", "3u", ":save-group<enter>"),
    ("groups", "pause", "3u", "p"),
    ("groups", "approve", "3ju", "P"),
    ("groups", "stop", "3u", "K"),
    ("groups", "retry-group", "3u", "Rg"),
    ("groups", "export", "3u", "D"),
    ("retry", "retry-failed", "3", "Rf"),
    ("retry", "retry-unknown", "3", "Ru"),
    ("retry", "retry-not-started", "3<enter>", "Rn"),
    ("retry", "retry-offline", "3u", "Ro"),
    ("retry", "retry-timed-out", "3", "Rt"),
    ("retry", "retry-cancelled", "3<enter>", "Rc"),
    ("retry", "retry-ok", "3<enter>", "Rk"),
    ("retry", "retry-marked", "3u<tab><space>", "Rm"),
    ("past", "open", "w", "<enter>"),
    ("past", "edit-search", "w", "e"),
    ("past", "where-used", "w", "w"),
    ("changes", "open", "3d", "<enter>"),
    ("changes", "where-used", "3d", "w"),
    ("text", "wrap", "3<enter>", "w"),
    ("text", "timestamps", "3<enter>", "T"),
    ("text", "search", "3<enter>3", "/"),
    ("text", "next-match", "3<enter>3/41<enter>", "n"),
    ("text", "previous-match", "3<enter>3/41<enter>", "N"),
    ("text", "only-matching", "3<enter>3", "&"),
    ("text", "pipe", "3<enter>3", "|"),
    ("text", "pager", "3<enter>3", "V"),
    ("text", "save", "3<enter>3", "<A-s>"),
    ("editor", "save", "ex", "<F3>"),
    ("editor", "difference", "ex", "<F5>"),
    ("editor", "run", "e", "<F6>"),
    ("editor", "find", "e", "<C-f>"),
    ("editor", "undo", "ex", "<A-u>"),
    ("editor", "edit-external", "e", "<F2>"),
    ("editor", "vi-keys", "e", "<F4>"),
    ("editor", "redo", "ex<A-u>", "<A-e>"),
    ("editor", "goto-line", "e", "<C-g>"),
    ("editor", "cut", "e", "<C-k>"),
    ("editor", "paste", "e<C-k>", "<C-v>"),
    ("editor", "copy-text", "e", "<A-c>"),
    ("editor", "replace", "e", "<C-r>"),
    ("editor", "find-next", "e<C-f>e<esc>", "<A-w>"),
    ("editor", "find-previous", "e<C-f>e<esc>", "<A-q>"),
    ("editor", "match-bracket", "e{}", "<A-m>"),
    ("editor", "next-finding", "e", "<F8>"),
    ("editor", "previous-finding", "e", "<F7>"),
    ("editor", "why", "e", "<A-l>"),
    ("editor", "fix", "e", "<A-f>"),
    ("editor", "parameters", "e", "<A-p>"),
    ("editor", "versions", "e", "<A-v>"),
    ("editor", "indent", "e", "<tab>"),
    ("editor", "unindent", "e<tab>", "<S-tab>"),
    ("editor", "toggle-comment", "e", "<A-;>"),
    ("editor", "duplicate-line", "e", "<C-t>"),
    ("editor", "delete-line", "e", "<A-k>"),
    ("editor", "move-line-up", "e<down>", "<A-up>"),
    ("editor", "move-line-down", "e", "<A-down>"),
    ("editor", "mark-text", "e", "<A-a>"),
    ("editor", "select-all", "e", "<A-A>"),
    ("editor", "line-ends", "e", "<A-n>"),
    ("editor", "discard-draft", "ex", "<A-x>"),
    ("editor", "newline", "e", "<enter>"),
    ("editor", "erase", "ex", "<bs>"),
    ("editor", "erase-next", "e", "<del>"),
    ("editor", "erase-word", "ex", "<C-w>"),
    ("editor", "erase-next-word", "e", "<A-d>"),
    ("editor", "cursor-left", "ex", "<left>"),
    ("editor", "cursor-right", "e", "<right>"),
    ("editor", "cursor-up", "e<down>", "<up>"),
    ("editor", "cursor-down", "e", "<down>"),
    ("editor", "cursor-word-left", "ex", "<C-left>"),
    ("editor", "cursor-word-right", "e", "<C-right>"),
    ("editor", "cursor-line-start", "ex", "<home>"),
    ("editor", "cursor-line-end", "e", "<end>"),
    ("editor", "cursor-page-up", "e<pgdn>", "<pgup>"),
    ("editor", "cursor-page-down", "e", "<pgdn>"),
    ("editor", "cursor-top", "e<pgdn>", "<C-home>"),
    ("editor", "cursor-bottom", "e", "<C-end>"),
    ("editor", "select-left", "ex", "<S-left>"),
    ("editor", "select-right", "e", "<S-right>"),
    ("editor", "select-up", "e<down>", "<S-up>"),
    ("editor", "select-down", "e", "<S-down>"),
    ("editor", "select-word-left", "ex", "<C-S-left>"),
    ("editor", "select-word-right", "e", "<C-S-right>"),
    ("editor", "select-line-start", "ex", "<S-home>"),
    ("editor", "select-line-end", "e", "<S-end>"),
    ("editor", "select-page-up", "e<pgdn>", "<S-pgup>"),
    ("editor", "select-page-down", "e", "<S-pgdn>"),
    ("editor", "select-top", "e<pgdn>", "<C-S-home>"),
    ("editor", "select-bottom", "e", "<C-S-end>"),
    ("find", "accept-find", "e<C-f>e", "<enter>"),
    ("find", "next-field", "e<C-r>e", "<tab>"),
    ("find", "replace-all", "e<C-r>e", "<A-a>"),
    ("find", "find-regex", "e<C-f>e", "<A-r>"),
    ("find", "find-case", "e<C-f>e", "<A-c>"),
    ("find", "close-find", "e<C-f>e", "<esc>"),
    ("launch", "block-a", "r", "<A-a>"),
    ("launch", "block-b", "r<A-a>", "<A-b>"),
    ("launch", "block-c", "r", "<A-c>"),
    ("launch", "block-d", "r", "<A-d>"),
    ("launch", "device-list", "rlocal", "<A-t>"),
    ("launch", "copy-command", "rlocal", "<A-y>"),
    ("launch", "dry-run", "rlocal", "<A-n>"),
    ("launch", "save-template", "rlocal", "<A-s>"),
    ("launch", "forget-template", "rlocal<A-d>", ":forget-template<enter>"),
    ("dialog", "next-field", "r", "<tab>"),
    ("dialog", "previous-field", "r", "<S-tab>"),
    ("dialog", "accept", "r<A-a>", "<enter>"),
    ("dialog", "toggle", "jjjr<A-a><tab><tab><tab>", "<space>"),
    ("dialog", "cancel", "r", "<esc>"),
    ("prompt", "complete", ":the", "<tab>"),
    ("prompt", "complete-back", ":g<tab>", "<S-tab>"),
    ("prompt", "older", ":redraw<enter>:", "<up>"),
    ("prompt", "newer", ":redraw<enter>:<up>", "<down>"),
    ("prompt", "search-history", ":redraw<enter>:", "<C-r>"),
    ("prompt", "accept", ":pane-2", "<enter>"),
    ("prompt", "cancel", ":", "<esc>"),
    ("list", "down", "", "j"),
    ("list", "up", "j", "k"),
    ("list", "first", "G", "gg"),
    ("list", "last", "", "G"),
    ("list", "half-down", "", "<C-d>"),
    ("list", "half-up", "G", "<C-u>"),
    ("list", "page-down", "", "<pgdn>"),
    ("list", "page-up", "G", "<pgup>"),
    ("list", "collapse", "2jj", "h"),
    ("list", "expand", "2jjh", "l"),
    ("list", "open", "4", "<enter>"),
    ("list", "only-problems", "3", "!"),
    ("list", "filter", "", "/"),
    ("list", "next-match", "3<enter>/web0<enter>", "n"),
    ("list", "previous-match", "3<enter>/web0<enter>", "N"),
    ("list", "mark", "2", "<space>"),
    ("list", "range", "2", "v"),
    ("list", "mark-all", "2", "*"),
    ("list", "unmark-all", "2*", "U"),
    ("list", "invert-marks", "2", "I"),
    ("list", "columns", "3", "c"),
    ("match", "next-match", "/sh<enter>", "n"),
    ("match", "previous-match", "/sh<enter>", "N"),
    ("list", "sort", "", "s"),
    ("list", "sort-reverse", "", "S"),
    ("global", "zoom-pane", "", "f"),
    ("global", "copy", "", "y"),
    ("global", "next-pane", "", "<tab>"),
    ("global", "previous-pane", "", "<S-tab>"),
    ("global", "narrow", "", "<"),
    ("global", "widen", "", ">"),
    ("global", "pane-0", "", "0"),
    ("global", "pane-5", "", "5"),
    ("global", "pane-6", "", "6"),
    ("global", "pane-7", "", "7"),
    ("global", "pane-8", "", "8"),
    ("global", "pane-9", "", "9"),
    ("global", "pane-1", "2", "1"),
    ("global", "pane-2", "", "2"),
    ("global", "pane-3", "", "3"),
    ("global", "pane-4", "", "4"),
    ("global", "next-tab", "3<enter>", "]"),
    ("global", "previous-tab", "3<enter>", "["),
    ("global", "go-scripts", "3<enter>", "gs"),
    ("global", "go-targets", "", "gt"),
    ("global", "go-jobs", "", "gj"),
    ("global", "go-history", "", "gh"),
    ("global", "go-groups", "", "gu"),
    ("global", "go-search", "", "g/"),
    ("global", "go-where", "", "gw"),
    ("global", "go-log", "", "gl"),
    ("global", "audit", "", ":audit<enter>"),
    ("global", "import", "", ":import<enter>"),
    ("global", "theme", "", "gc"),
    ("global", "keymap", "", ":keymap<enter>"),
    ("global", "last-view", "3<enter>", "-"),
    ("help", "copy-line", "?", "c"),
    ("help", "report", "?", "R"),
    ("global", "refresh", "", "<C-r>"),
    ("global", "redraw", "", "<C-l>"),
    ("global", "suspend", "", "<C-z>"),
    ("global", "mouse", "", "<F9>"),
    ("global", "interrupt", "", "<C-c>"),
    ("global", "back", "3<enter>", "<esc>"),
    ("global", "quit-or-back", "3<enter>", "q"),
    ("global", "quit", "", "Q"),
    ("global", "mode", "", "W"),
    ("global", "actions", "", "x"),
    ("global", "command-line", "", ":"),
    ("global", "palette", "", "<C-p>"),
    ("global", "help", "", "?"),
];

fn name(command: &Command) -> String {
    format!("{} {}", command.context, command.name)
}

/// The screen with its styles.
fn drawn(session: &Session) -> Buffer {
    let mut buffer = Buffer::empty(session.app.area);
    ui::draw(&session.app, session.app.area, &mut buffer);
    buffer
}

#[test]
fn every_command_of_the_table_has_a_macro_and_every_macro_a_command() {
    for command in TABLE {
        let is = |found: &&(&str, &str, &str, &str)| (found.0, found.1) == (command.context, command.name);
        let here = MACROS.iter().filter(is).count();
        assert_eq!(here, 1, "`{}` needs a row in MACROS: the way to it, its keys", name(command));
    }
    assert_eq!(MACROS.len(), TABLE.len());
}

#[test]
fn the_keys_of_a_macro_mean_its_command_where_it_is_pressed() {
    for (context, command, way, keys) in
        MACROS.iter().filter(|(_, _, _, keys)| !keys.starts_with(':') || keys.len() == 1)
    {
        let mut session = Session::new((80, 24), true);
        session.keys(way);
        let chords: Vec<Chord> = macro_keys(keys).into_iter().filter_map(Chord::of).collect();
        let contexts = session.app.contexts();
        let Found::Command(found) = session.app.keymap.resolve(contexts, &chords) else {
            panic!("{context} {command}: {keys} means nothing after {way:?}");
        };
        let found = commands::find(contexts, found).map(|found| found.name);
        assert_eq!(found, Some(*command), "{context}: {keys} after {way:?}");
    }
}

/// What is retried is a job that has ended, and has left a device in every way.
fn stage(command: &str, ascii: bool) -> Session {
    let mut session = Session::starting((80, 24), ascii);
    if command.starts_with("retry-") {
        use RunState::{Cancelled, Failed, Offline, Ok, Timeout};
        session.jobs[0] = job(12, &[Failed, Timeout, Offline, Ok, Cancelled, Failed]);
        session.jobs[0].runs[4].started_at = None;
        nobody_knows(&mut session.jobs[0].runs[5]);
    }
    if command == "dry-run" {
        session.scripts.scripts.iter_mut().for_each(|script| script.dry_run = Some("--dry-run".into()));
    }
    if command == "import" {
        session.targets.connections[1].capabilities.past_jobs = true;
    }
    session.attach();
    session
}

/// Where a command is pressed. Who walks through what lint found has been told by it.
fn led(command: &str, way: &str, ascii: bool) -> Session {
    let mut session = stage(command, ascii);
    session.keys(way);
    if matches!(command, "next-finding" | "previous-finding" | "why" | "fix") {
        let found = |line| Finding {
            fix: vec![Replacement { line, column: 1, end_line: line, end_column: 1, text: "true; ".into() }],
            ..Finding::new(Level::Warn, line, "SC2164", "use cd || exit in case cd fails".into())
        };
        session.tell(Event::Tick(session.app.now + jiff::SignedDuration::from_secs(2)));
        session.tell(Event::Linted { serial: 1, answer: Ok(vec![found(1), found(3)]) });
    }
    session
}

#[test]
fn every_command_does_something() {
    for (context, command, way, keys) in MACROS {
        for ascii in [true, false] {
            let mut session = led(command, way, ascii);
            let (before, sent, asked) = (drawn(&session), session.sent.len(), session.asked);
            session.keys(keys);
            let done = drawn(&session) != before || session.sent.len() > sent || session.asked > asked;
            assert!(done, "{context} {command}: nothing comes of {keys} after {way:?}");
            let said = session.app.hint.clone().unwrap_or_default();
            assert!(!said.contains("nothing here"), "{context} {command}: {said}");
        }
    }
}

/// Where nothing comes of a command but a word below the screen: that word.
const ONLY_SAID: &[(&str, &str, &str)] = &[
    ("editor", "mark-text", "marking: move, then copy or cut"),
    ("global", "pane-5", "there is no pane 5 here"),
    ("global", "pane-6", "there is no pane 6 here"),
    ("global", "pane-7", "there is no pane 7 here"),
    ("global", "pane-8", "there is no pane 8 here"),
    ("global", "pane-9", "there is no pane 9 here"),
    ("global", "interrupt", "^c again within 2 s leaves the console; jobs go on"),
];

/// What of the screen is not only said of the last key: all but the last two rows; where a line is being written, that
/// line too.
fn told(session: &Session) -> Vec<ratatui::buffer::Cell> {
    let bar = session.app.editing.open.as_ref().is_some_and(|editor| editor.bar.is_some());
    let writes = bar || matches!(session.app.layers.last(), Some(Layer::Prompt(_)));
    let rows = usize::from(session.app.area.height) - if writes { 1 } else { 2 };
    let mut cells = drawn(session).content;
    cells.truncate(usize::from(session.app.area.width) * rows);
    cells
}

#[test]
fn what_comes_of_a_command_is_more_than_a_word_or_the_word_is_written_down_here() {
    let mut wrong = Vec::new();
    for (context, command, way, keys) in MACROS {
        let mut session = led(command, way, true);
        let (before, sent, asked) = (told(&session), session.sent.len(), session.asked);
        session.keys(keys);
        let done = told(&session) != before || session.sent.len() > sent || session.asked > asked;
        let word = ONLY_SAID.iter().find(|row| (row.0, row.1) == (*context, *command)).map(|row| row.2);
        let said = session.app.hint.clone().unwrap_or_default();
        if done != word.is_none() || !said.contains(word.unwrap_or_default()) {
            wrong.push(format!("(\"{context}\", \"{command}\", \"{said}\"),"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new(), "\n{}", wrong.join("\n"));
}

#[test]
fn what_changes_the_fleet_opens_a_dialog_and_sends_nothing() {
    for (context, command, way, keys) in MACROS {
        let fleet = TABLE.iter().any(|row| row.fleet && (row.context, row.name) == (*context, *command));
        if fleet {
            let mut session = stage(command, true);
            session.keys(way).keys(keys);
            assert!(!session.app.layers.is_empty(), "{context} {command} opens no dialog");
            session.keys("<enter><enter>");
            assert_eq!(session.sent, [], "{context} {command}: enter alone did something");
        }
    }
}

#[test]
fn in_read_mode_every_one_of_them_is_refused_with_the_way_out() {
    for (context, command, way, keys) in MACROS {
        let fleet = TABLE.iter().any(|row| row.fleet && (row.context, row.name) == (*context, *command));
        if fleet {
            let mut session = Session::new((80, 24), true);
            session.keys("W").keys(way).keys(keys);
            assert!(session.app.layers.is_empty(), "{context} {command} opened a dialog in read mode");
            let said = session.app.hint.clone().unwrap_or_default();
            assert!(said.contains("[READ]") && said.contains("W goes over to write"), "{context} {command}: {said}");
        }
    }
}
