//! The groups screen at every size, with its styles: which group is new, what explains it, whom it is about and what
//! sets it apart must be seen without colours too. And what it says while it has nothing to show.

use ratatui::buffer::Buffer;

use crate::console::app::sample::Session;
use crate::console::app::{Effect, Event};
use crate::console::ui;
use crate::model::state::RunState;
use crate::model::wire::{Code, Problem};

const SIZES: [((u16, u16), bool); 4] = [((80, 24), true), ((80, 24), false), ((140, 40), false), ((60, 15), true)];

/// Name, and the keys that lead there.
const SCREENS: [(&str, &str); 12] = [
    ("exact", "3uij"),
    ("diff", "3uj3n"),
    ("beside", "3uj3ci"),
    ("member", "3uj<enter>jj<space>v"),
    ("base", "3ujdweb00"),
    ("acked", "3ujamvendor has it<enter>jOhttps://wiki.example/rb/RB-77<enter>"),
    ("note", "3ujmRB-77: wait"),
    ("open", "3uGf"),
    ("merge", "3uj<space><space>+"),
    ("split", "3uj_"),
    ("export", "3uD"),
    ("exporting", "3uD<right><enter><enter>"),
];

fn drawn(session: &Session) -> String {
    let mut buffer = Buffer::empty(session.app.area);
    ui::draw(&session.app, session.app.area, &mut buffer);
    format!("{buffer:?}\n")
}

#[test]
fn groups_members_and_differences_with_their_styles() {
    for (name, keys) in SCREENS {
        let screens = SIZES.map(|(size, ascii)| {
            let mut session = Session::new(size, ascii);
            session.keys(keys);
            drawn(&session)
        });
        insta::assert_snapshot!(format!("triage-{name}"), screens.concat());
    }
}

/// A console that waits for the groups of job 12.
fn waiting() -> Session {
    let mut session = Session::new((80, 24), true);
    session.keys("3u");
    if let Some(triage) = &mut session.app.triage {
        triage.turn();
    }
    session
}

#[test]
fn without_groups_it_says_why_and_what_to_do() {
    let mut screens = String::new();
    let mut show = |name: &str, session: &Session| screens.push_str(&format!("-- {name}\n{}\n", session.screen()));
    show("asked", &waiting());
    let mut session = waiting();
    let error = "no such job".to_owned();
    let answer = Box::new(Err(Problem { code: Code::Internal, error, column: None }));
    session.app.update(Event::Groups { job: 12, exact: true, base: None, answer });
    show("refused", &session);
    let mut session = waiting();
    session.app.update(Event::Lost { why: "the engine ended".into(), retry: true });
    show("lost", &session);
    let mut session = Session::new((80, 24), true);
    session.jobs[0].runs.clear();
    session.keys("<C-r>3u");
    show("no devices", &session);
    let mut session = Session::new((80, 24), true);
    for run in &mut session.jobs[0].runs {
        run.state = RunState::Queued;
    }
    session.keys("<C-r>3u");
    show("nothing has ended", &session);
    session.keys("/nowhere<enter>");
    show("all hidden", &session);
    insta::assert_snapshot!("triage-states", screens);
}

#[test]
fn a_comparison_that_fails_says_so_where_it_would_stand() {
    let mut session = Session::new((80, 24), true);
    session.keys("3u");
    let effects = session.app.update(Event::Key(crate::console::keymap::macro_keys("j").remove(0)));
    let question = effects.iter().find_map(|effect| match effect {
        Effect::CompareOutputs(question) => Some(question.clone()),
        _ => None,
    });
    let question = question.expect("another group is compared at once");
    let error = "its output is no longer kept".to_owned();
    let answer = Box::new(Err(Problem { code: Code::NotFound, error, column: None }));
    session.app.update(Event::OutputsCompared { question, answer });
    let screen = session.screen();
    assert!(screen.contains("its output is no longer kept") && screen.contains("^r asks again"), "{screen}");
}
