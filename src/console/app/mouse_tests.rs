//! The mouse as an operator uses it: reports of a terminal at places that are on the screen.

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use super::list::ListId;
use super::sample::Session;
use super::{Effect, Event, Layer, LivePane, Pane, View};

fn session() -> Session {
    Session::new((80, 24), true)
}

/// Where this text stands on the screen: a button is named by a sentence above it, a row by texts below it.
#[track_caller]
fn place(session: &Session, text: &str) -> (u16, u16) {
    let screen = session.screen();
    let mut found = screen.lines().enumerate().filter_map(|(row, line)| Some((line.rfind(text)? as u16, row as u16)));
    let found = if text.starts_with('[') { found.last() } else { found.next() };
    found.unwrap_or_else(|| panic!("{text} is not on the screen:\n{screen}"))
}

fn report(session: &mut Session, kind: MouseEventKind, (column, row): (u16, u16)) {
    session.tell(Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }));
}

#[track_caller]
fn click(session: &mut Session, text: &str) {
    let at = place(session, text);
    report(session, MouseEventKind::Down(MouseButton::Left), (at.0 + 1, at.1));
}

#[test]
fn f9_turns_it_on_and_off_for_the_terminal() {
    let mut session = session();
    session.keys("<F9>");
    assert!(session.app.hint.as_deref().unwrap().contains("shift"));
    session.keys("<F9>");
    assert_eq!(session.sent, [Effect::Mouse(true), Effect::Mouse(false)]);
}

#[test]
fn a_click_focuses_selects_and_opens_what_was_selected_already() {
    let mut session = session();
    click(&mut session, "11 disk");
    assert_eq!((session.app.overview.focus, session.app.overview.jobs.at), (Pane::Jobs, 1));
    assert_eq!(session.app.view, View::Overview);
    click(&mut session, "11 disk");
    assert_eq!((session.app.view, session.app.live.as_ref().unwrap().id), (View::Live, 11));
    click(&mut session, "web004");
    let live = session.app.live.as_ref().unwrap();
    assert_eq!((live.focus, live.chosen), (LivePane::Devices, 3));
    session.keys("<esc>");
    click(&mut session, "uptime");
    assert_eq!(session.app.overview.script(&session.app.scripts).unwrap().name, "uptime.ps1");
    click(&mut session, "lab");
    click(&mut session, "lab");
    assert!(!session.screen().contains("prod"), "an open branch is closed by a click on it");
}

#[test]
fn the_wheel_scrolls_what_is_under_it_and_leaves_the_focus() {
    let mut session = session();
    let jobs = place(&session, "12 disk");
    report(&mut session, MouseEventKind::ScrollDown, jobs);
    assert_eq!((session.app.overview.focus, session.app.overview.jobs.at), (Pane::Scripts, 2));
    report(&mut session, MouseEventKind::ScrollUp, jobs);
    assert_eq!(session.app.overview.jobs.at, 0);
    session.keys("3<enter>");
    let tail = place(&session, "/dev/sda21");
    assert!(session.app.live.as_ref().unwrap().tail.follow);
    report(&mut session, MouseEventKind::ScrollUp, tail);
    let live = session.app.live.as_ref().unwrap();
    assert_eq!((live.tail.follow, live.focus), (false, LivePane::Devices));
}

#[test]
fn buttons_are_pressed_and_only_an_armed_one_sends() {
    let mut session = session();
    session.keys("rlocal");
    click(&mut session, "[ Launch ]");
    click(&mut session, "[ Launch ]");
    assert_eq!(session.sent, [], "it is not armed");
    assert!(session.app.launch().is_some());
    session.keys("y");
    click(&mut session, "[ Launch ]");
    assert_eq!(session.sent, [Effect::Launch { plan: "7c41".into(), confirm: None }]);
    let mut session = super::sample::Session::new((140, 40), true);
    session.keys("rlocal");
    click(&mut session, "[ Cancel ]");
    assert!(session.app.launch().is_none());
    session.keys("3K");
    click(&mut session, "[ Stop ]");
    assert!(
        matches!(session.app.layers.last(), Some(Layer::Stop(stop)) if stop.at == super::stop::At::Stop && !stop.sent)
    );
    click(&mut session, "[ Cancel ]");
    assert!(session.app.layers.is_empty());
    assert_eq!(session.sent, []);
}

#[test]
fn rows_of_menus_and_choosers_are_selected_then_taken() {
    let mut session = session();
    session.keys("3s");
    click(&mut session, "( ) bad");
    assert_eq!(session.app.look(ListId::Jobs).unwrap().sort.column, 0, "only selected");
    click(&mut session, "( ) bad");
    assert_eq!(session.app.sorted_by(ListId::Jobs), "bad");
    session.keys("1x");
    click(&mut session, "rename");
    click(&mut session, "rename");
    assert!(matches!(session.app.layers.last(), Some(Layer::Files(_))));
    click(&mut session, "[ Cancel ]");
    session.keys("<C-p>@db");
    click(&mut session, "db2");
    click(&mut session, "db2");
    assert!(session.app.layers.is_empty() && session.app.overview.focus == Pane::Targets);
}

#[test]
fn no_click_anywhere_launches_or_stops_anything() {
    for keys in ["r", "rlocal", "3K", "3Kjj", "3<enter>K"] {
        for size in [(80, 24), (140, 40), (60, 15)] {
            let mut session = Session::new(size, true);
            session.keys(keys);
            for at in (0..size.0).step_by(3).flat_map(|x| (0..size.1).map(move |y| (x, y))) {
                report(&mut session, MouseEventKind::Down(MouseButton::Left), at);
            }
            assert_eq!(session.sent, [], "{keys} {size:?}");
        }
    }
}

#[test]
fn a_cell_a_field_and_a_row_are_chosen_where_they_are_clicked() {
    let mut session = session();
    session.keys("3<enter>");
    let inside = super::layout::inner(session.app.live_panes().grid.unwrap());
    let cell = (inside.x + 5, inside.y);
    report(&mut session, MouseEventKind::Down(MouseButton::Left), cell);
    let live = session.app.live.as_ref().unwrap();
    assert!(live.focus == LivePane::Grid && live.grid.rows[0].cells[5].contains(&live.chosen));
    report(&mut session, MouseEventKind::Down(MouseButton::Left), cell);
    assert_eq!(session.app.live.as_ref().unwrap().focus, LivePane::Devices, "again: its row");
    session.keys("<esc>1jjjr");
    click(&mut session, "window");
    let launch = session.app.launch().unwrap();
    assert!(matches!(launch.at, super::launch::At::Field(at) if launch.fields[at].label == "window"));
    session.keys("<esc>:versions<enter>");
    let Some(Layer::Files(files)) = session.app.layers.last() else { panic!("{}", session.screen()) };
    let super::files::Files::Versions(list) = &**files else { panic!() };
    assert_eq!(list.cursor.at, 0);
    click(&mut session, "v16 ");
    let Some(Layer::Files(files)) = session.app.layers.last() else { panic!("{}", session.screen()) };
    assert!(matches!(&**files, super::files::Files::Versions(list) if list.cursor.at == 1));
}

#[test]
fn a_row_of_help_is_chosen_then_done_by_its_key_or_its_words() {
    for size in [(80, 24), (140, 40), (60, 15)] {
        let mut session = Session::new(size, true);
        session.keys("?version<down>");
        let chosen = |session: &Session| match session.app.layers.last() {
            Some(Layer::Help(help)) => help.rows[help.cursor.at].command.name,
            _ => "no help",
        };
        click(&mut session, "compare with a version");
        assert_eq!(chosen(&session), "diff", "{size:?}");
        click(&mut session, "scripts");
        assert_eq!(chosen(&session), "diff", "a heading is nothing to choose");
        click(&mut session, "compare with a version");
        assert!(matches!(session.app.layers.last(), Some(Layer::Files(_))), "{}", session.screen());
    }
}

#[test]
fn a_block_of_the_launch_that_is_alone_is_clicked_as_it_stands() {
    let mut session = Session::new((60, 15), true);
    session.keys("jjjr<A-a><A-a>");
    assert!(session.app.launch().unwrap().alone);
    click(&mut session, "reboot");
    let launch = session.app.launch().unwrap();
    assert!(matches!(launch.at, super::launch::At::Field(at) if launch.fields[at].label == "reboot"));
}
