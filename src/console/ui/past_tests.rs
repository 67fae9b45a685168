//! What was found in past jobs, and a job beside another one, at every size, with their styles; and what they say while
//! they have nothing to show.

use ratatui::buffer::Buffer;

use crate::console::app::sample::Session;
use crate::console::app::{Effect, Event};
use crate::console::keymap::macro_keys;
use crate::console::ui;
use crate::model::past::{End, Progress, Told};
use crate::model::wire::{Code, Problem};

const SIZES: [((u16, u16), bool); 4] = [((80, 24), true), ((80, 24), false), ((140, 40), false), ((60, 15), true)];

/// Name, and the keys that lead there.
const SCREENS: [(&str, &str); 6] = [
    ("search", "g/41% --device web00<enter>jj"),
    ("filtered", "g/--state failed,offline<enter>/offline<enter>"),
    ("where-device", ":device web006<enter>w"),
    ("where-script", "wj"),
    ("changes", "3dj"),
    ("changes-only", "3d/fixed<enter>"),
];

fn drawn(session: &Session) -> String {
    let mut buffer = Buffer::empty(session.app.area);
    ui::draw(&session.app, session.app.area, &mut buffer);
    format!("{buffer:?}\n")
}

#[test]
fn what_was_found_and_what_changed_with_their_styles() {
    for (name, keys) in SCREENS {
        let screens = SIZES.map(|(size, ascii)| {
            let mut session = Session::new(size, ascii);
            session.keys(keys);
            drawn(&session)
        });
        insta::assert_snapshot!(format!("past-{name}"), screens.concat());
    }
}

/// A search to which this was answered.
fn answered(keys: &str, answer: Option<Result<Vec<Told>, Problem>>) -> Session {
    let mut session = Session::new((80, 24), true);
    session.keys(keys);
    let mut serial = 0;
    for effect in session.app.update(Event::Key(macro_keys("<enter>").remove(0))) {
        if let Effect::Search { serial: mine, .. } = effect {
            serial = mine;
        }
    }
    if let Some(answer) = answer {
        session.app.update(Event::Found { serial, answer });
    }
    session
}

#[test]
fn without_anything_found_it_says_why_and_what_to_do() {
    let mut screens = String::new();
    let mut show = |name: &str, session: &Session| screens.push_str(&format!("-- {name}\n{}\n", session.screen()));
    let progress =
        Progress { runs: 812_000, bytes: 3_400_000_000, found: 0, back_to: Some(crate::console::app::sample::at(0)) };
    let end = |end: End| Some(Ok(vec![Told::End(End { progress, ..end })]));
    show("asked", &answered("g/no such text", None));
    show("going", &answered("g/no such text", Some(Ok(vec![Told::Progress(progress)]))));
    let mut stopped = answered("g/no such text", Some(Ok(vec![Told::Progress(progress)])));
    stopped.keys("<esc>");
    show("stopped", &stopped);
    show("nothing", &answered("g/no such text", end(End::default())));
    show("late", &answered("g/no such text", end(End { late: true, ..End::default() })));
    let error = "no device or group is called wbe001".to_owned();
    show("refused", &answered("g/--device wbe001", Some(Err(Problem { code: Code::Invalid, error, column: None }))));
    insta::assert_snapshot!("past-states", screens);
}
