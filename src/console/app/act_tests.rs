//! Palette, command line, menus, modes and the way back, as an operator meets them.

use super::act::Act;
use super::notices::Level;
use super::palette::Kind;
use super::sample::{self, Session};
use super::{Effect, Event, Layer, Pane, View};

fn session() -> Session {
    Session::new((80, 24), true)
}

fn found(session: &Session) -> Vec<(Kind, String)> {
    let Some(Layer::Palette(palette)) = session.app.layers.last() else { panic!("no palette") };
    palette.found.iter().map(|find| (find.kind, find.label.clone())).collect()
}

#[test]
fn the_palette_finds_things_of_every_kind_and_goes_there() {
    let mut session = session();
    session.keys("<C-p>@web003");
    assert_eq!(found(&session)[0], (Kind::Device, "web003".into()));
    session.keys("<enter>");
    let row = &session.app.tree.rows[session.app.overview.targets.at];
    assert_eq!((row.label.as_str(), session.app.overview.focus), ("web003", Pane::Targets));
    session.keys("<C-p>$listen<enter>");
    assert_eq!(session.app.overview.script(&session.app.scripts).unwrap().name, "listening.py");
    session.keys("<C-p>#11<enter>");
    assert_eq!((session.app.view, session.app.live.as_ref().unwrap().id), (View::Live, 11));
    session.keys("<C-p>theme mono");
    assert_eq!(found(&session)[0], (Kind::Theme, "mono".into()));
    session.keys("<enter>");
    assert_eq!(session.sent, [Effect::KeepTheme("mono".into())]);
    assert!(session.app.layers.is_empty());
}

#[test]
fn what_was_done_lately_stands_first_and_what_cannot_be_done_last_with_the_reason() {
    let mut session = session();
    session.keys("<C-p>sort reverse<enter><C-p>");
    assert_eq!(found(&session)[0], (Kind::Command, "sort reverse".into()));
    session.keys("freeze");
    let Some(Layer::Palette(palette)) = session.app.layers.last() else { panic!("no palette") };
    assert_eq!(palette.found[0].why.as_deref(), Some("only while a job is watched"));
    session.keys("<enter>");
    assert!(matches!(session.app.layers.last(), Some(Layer::Palette(_))), "it stays, and says why");
    assert_eq!(session.app.hint.as_deref(), Some("freeze: only while a job is watched"));
}

#[test]
fn from_the_palette_a_verb_of_the_fleet_only_opens_its_dialog() {
    let mut session = session();
    session.keys("<C-p>run<enter>");
    assert!(session.app.launch().is_some());
    assert_eq!(session.sent, []);
    // Above a dialog it offers the dialog's own commands, and going elsewhere closes it.
    session.keys("<C-p>device list<enter>");
    assert!(session.app.launch().is_some());
    session.keys("<C-p>go jobs<enter>");
    assert_eq!((session.app.layers.len(), session.app.overview.focus), (0, Pane::Jobs));
}

#[test]
fn the_palette_hands_over_to_the_command_line() {
    let mut session = session();
    session.keys("<C-p>$disk<tab>");
    let Some(Layer::Prompt(prompt)) = session.app.layers.last() else { panic!("no prompt") };
    assert_eq!(prompt.text.text(), "run disk-use.sh ");
    session.keys("web & db<enter>");
    assert_eq!(session.app.launch().unwrap().target(), "web & db");
}

#[test]
fn a_line_that_is_not_understood_stays_with_what_is_wrong_with_it() {
    let mut session = session();
    session.keys(":jbo 12<enter>");
    assert!(session.screen().contains("did you mean 'job'?"), "{}", session.screen());
    session.keys("<C-u>job 12<enter>");
    assert_eq!((session.app.view, session.app.layers.len()), (View::Live, 0));
    session.keys(":<up>");
    assert!(session.screen().contains(":job 12"), "it is in the history");
    session.keys("<esc>:target web & !db<enter>");
    assert_eq!(session.app.tree.saved[0].expr, "web & !db");
    session.keys(":help freeze<enter>");
    let Some(Layer::Help(help)) = session.app.layers.last() else { panic!("no help") };
    assert!(help.rows.iter().all(|row| row.command.doc.contains("freeze")));
    session.keys("<esc>:q<enter>");
    assert_eq!(session.sent.last(), Some(&Effect::Quit));
}

#[test]
fn in_the_menu_a_digit_a_key_or_enter_chooses() {
    for keys in ["x2", "xr", "xj<enter>"] {
        let mut session = session();
        session.keys(keys);
        assert!(session.app.launch().is_some(), "{keys}");
        assert_eq!(session.sent, []);
    }
    let mut session = session();
    session.keys("3G<enter>xK");
    assert!(matches!(session.app.layers.last(), Some(Layer::Menu(_))), "greyed: it stays");
    assert_eq!(session.app.hint.as_deref(), Some("stop: job 10 has ended: there is nothing to stop"));
}

#[test]
fn minus_goes_to_and_fro_and_esc_one_level_back() {
    let mut session = session();
    session.keys("3<enter>");
    session.keys("-");
    assert_eq!(session.app.view, View::Overview);
    session.keys("-");
    assert_eq!((session.app.view, session.app.live.as_ref().unwrap().id), (View::Live, 12));
    session.keys(":job 11<enter>");
    assert_eq!(session.app.live.as_ref().unwrap().id, 11);
    session.keys("<esc>");
    assert_eq!(session.app.live.as_ref().unwrap().id, 12, "to the job it was opened from");
    session.keys("q");
    assert_eq!(session.app.view, View::Overview);
    session.keys("-");
    assert_eq!(session.app.live.as_ref().unwrap().id, 12);
}

#[test]
fn the_breadcrumb_is_cut_in_the_middle_and_keeps_both_ends() {
    let mut session = Session::new((60, 15), true);
    session.scripts.scripts[0].name = "a-script-with-a-very-long-name-indeed.sh".into();
    session.jobs[0].summary.script = session.scripts.scripts[0].name.clone();
    session.attach();
    session.keys("3<enter>K");
    let screen = session.screen();
    let crumbs = screen.lines().next().unwrap();
    assert!(crumbs.starts_with(" quarterdeck > ~ > Stop") && crumbs.contains("[WRITE]"), "{crumbs}");
}

#[test]
fn a_protected_fleet_starts_read_only_and_asks_before_it_is_written_to() {
    let mut session = session();
    session.targets.connections[1].protected = true;
    session.attach();
    assert!(session.screen().contains("[READ]"));
    session.keys("r");
    assert!(session.app.launch().is_none());
    session.keys("W<enter>");
    assert!(session.app.reads_only(), "Cancel was focused");
    session.keys("W<tab><enter>");
    assert!(session.screen().contains("[PROD!]"));
    session.keys("r");
    assert!(session.app.launch().is_some());
    session.keys("<esc>W");
    assert!(session.app.reads_only(), "back needs no question");
}

#[test]
fn where_every_connection_is_read_only_no_key_says_otherwise() {
    let mut session = session();
    session.targets.connections.iter_mut().for_each(|connection| connection.read_only = true);
    session.attach();
    session.keys("W");
    assert!(session.app.reads_only() && session.screen().contains("[READ]"));
    assert_eq!(session.app.hint.as_deref(), Some("[READ]: every connection is read_only in config.toml"));
}

#[test]
fn a_word_about_a_key_goes_when_it_is_old() {
    let mut session = session();
    session.app.jobs.retain(|job| job.state.ended());
    session.keys("<F5>");
    assert!(session.app.hint.is_some());
    let wake = session.app.wake().expect("it is taken away");
    session.tell(Event::Tick(wake));
    assert_eq!((session.app.hint.as_deref(), session.app.wake()), (None, None));
}

#[test]
fn notices_are_read_again_narrowed_and_copied() {
    let mut session = session();
    session.app.say(Level::Warn, "config.toml, line 3: unknown key `colour`");
    session.app.say(Level::Error, "the engine said no");
    session.app.say(Level::Info, "job 12 was launched on 3 devices");
    assert!(session.screen().contains("E the engine said no  (2 more: g l)"));
    session.keys("gl");
    let screen = session.screen();
    for said in ["unknown key", "the engine said no", "was launched", "console.log"] {
        assert!(screen.contains(said), "{said}:\n{screen}");
    }
    session.keys("!");
    assert!(!session.screen().contains("was launched"));
    session.keys("/jk no<enter>");
    assert!(session.screen().contains("No notice says that."), "letters are text there");
    session.keys("<esc>/colour<enter>");
    assert!(!session.screen().contains("engine said no"));
    session.keys("<esc>ggy<enter>");
    let Some(Effect::Copy(line)) = session.sent.last() else { panic!("nothing was copied") };
    assert!(line.ends_with("warning console: config.toml, line 3: unknown key `colour`"), "{line}");
    session.keys("<esc>");
    assert!(session.app.layers.is_empty() && session.app.notices.shown().is_none());
}

#[test]
fn ten_thousand_devices_are_found_by_name_and_the_list_is_bounded() {
    let mut session = session();
    session.targets.devices =
        (0..10_000).map(|n| sample::device("lab", &format!("node{n:05}"), &[], Default::default()).into()).collect();
    session.attach();
    session.keys("<C-p>");
    assert!(found(&session).len() <= 200);
    session.keys("node09999");
    assert_eq!(found(&session)[0], (Kind::Device, "node09999".into()));
    let act = Act::Device("lab:node09999".into());
    let Some(Layer::Palette(palette)) = session.app.layers.last() else { panic!("no palette") };
    assert_eq!(palette.found[0].act, act);
    session.keys("<enter>");
    assert_eq!(session.app.tree.rows[session.app.overview.targets.at].label, "node09999");
}
