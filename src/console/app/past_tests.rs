//! Searching past jobs, where used, and a job beside another one, as an operator meets them.

use super::diff;
use super::event::{Effect, Event};
use super::past::State;
use super::sample::{Session, job};
use super::{Layer, LivePane, Pane, View};
use crate::model::diff::Diff;
use crate::model::past::{Past, Progress, Told};
use crate::model::search::Pattern;
use crate::model::state::RunState;

fn session() -> Session {
    Session::new((80, 24), true)
}

fn asked(session: &Session) -> &Past {
    &session.app.past.as_ref().expect("a search").asked
}

fn here(session: &Session) -> (View, u64, u32) {
    let live = session.app.live.as_ref();
    (session.app.view, live.map_or(0, |live| live.id), live.map_or(0, |live| live.chosen))
}

#[test]
fn where_a_device_was_used_leads_to_its_run_and_back() {
    let mut session = session();
    session.keys(":device web006<enter>w");
    assert_eq!((session.app.view, asked(&session).jobs), (View::Past, true));
    assert_eq!(asked(&session).device.as_deref(), Some("lab:web006"));
    let seek = session.app.past.as_ref().unwrap();
    assert_eq!(seek.hits.iter().map(|hit| hit.job).collect::<Vec<_>>(), [12, 11], "the newest first");
    session.keys("j<enter>");
    assert_eq!(here(&session), (View::Live, 11, 5));
    session.keys("<esc>");
    assert_eq!((session.app.view, session.app.past.as_ref().unwrap().cursor.at), (View::Past, 1), "back on the row");
    session.keys("<esc>");
    assert_eq!((session.app.view, session.app.overview.focus), (View::Overview, Pane::Targets));
}

#[test]
fn where_a_script_was_used_is_asked_from_its_list_and_from_anywhere() {
    let mut session = session();
    session.keys("w");
    assert_eq!(asked(&session).script.as_deref(), Some("disk-use.sh"));
    session.keys("<esc>3<enter>gw");
    assert_eq!(asked(&session).device.as_deref(), Some("lab:web006"), "the device that is looked at");
    session.keys("<esc>");
    assert_eq!(session.app.view, View::Live);
}

#[test]
fn the_way_back_leads_through_what_was_found_before() {
    let mut session = session();
    session.keys("g/--state failed<enter>jw");
    assert_eq!(asked(&session).device.as_deref(), Some("lab:web023"));
    session.keys("<C-r><esc>");
    assert_eq!((session.app.view, asked(&session).state.as_slice()), (View::Past, &[RunState::Failed][..]));
    assert_eq!(session.app.past.as_ref().unwrap().cursor.at, 1, "on the row that one came from");
    session.keys("<enter>gw<esc>");
    assert_eq!(asked(&session).state, [RunState::Failed], "through the job, too");
    session.keys("<esc>");
    assert_eq!(session.app.view, View::Overview);
    session.keys("gsw");
    assert!(session.app.past.as_ref().unwrap().before.is_none(), "a new way has nothing before it");
}

#[test]
fn marked_targets_are_asked_for_together() {
    let mut session = session();
    session.keys(":device db1<enter><space><space>w");
    let device = asked(&session).device.clone().unwrap();
    assert!(device.contains("db1") && device.contains("db2"), "{device}");
}

#[test]
fn a_text_opens_the_run_at_the_line_and_the_search_goes_on_there() {
    let mut session = session();
    session.keys("g/41% --device web006<enter>");
    assert_eq!(asked(&session).text, Pattern::typed("41%"));
    session.keys("<enter>");
    let live = session.app.live.as_ref().unwrap();
    assert_eq!((live.focus, live.tail.run), (LivePane::Tail, Some(5)));
    let find = live.tail.find.as_ref().expect("the same is looked for here");
    assert_eq!(find.pattern, Pattern::typed("41%").unwrap());
}

#[test]
fn a_wrong_word_is_named_and_nothing_is_asked() {
    let mut session = session();
    session.keys("g/--devcie web1<enter>");
    let Some(Layer::Prompt(prompt)) = session.app.layers.last() else { panic!("the line stays") };
    assert_eq!(prompt.problem.as_ref().unwrap().1, "there is no --devcie; did you mean 'device'?");
    assert!(session.app.past.is_none());
    session.keys("<C-u>search --dev<tab>");
    let Some(Layer::Prompt(prompt)) = session.app.layers.last() else { panic!("the line stays") };
    assert_eq!(prompt.text.text(), "search --device ");
}

/// A search to which nothing has been answered.
fn going(words: &str) -> (Session, u64) {
    let mut session = session();
    session.keys(&format!("g/{words}"));
    let effects = session.app.update(Event::Key(crate::console::keymap::macro_keys("<enter>").remove(0)));
    let serial = effects.iter().find_map(|effect| match effect {
        Effect::Search { serial, .. } => Some(*serial),
        _ => None,
    });
    (session, serial.expect("it is asked"))
}

fn rows(session: &mut Session, from: &str, serial: u64) {
    let asked = Past { device: Some(from.to_owned()), ..Past::default() };
    let Event::Found { answer: Ok(mut told), .. } = super::sample_past::found(&session.jobs, serial, &asked) else {
        panic!("rows")
    };
    told.pop(); // the end
    session.app.update(Event::Found { serial, answer: Ok(told) });
}

#[test]
fn esc_stops_a_search_that_goes_on_and_keeps_what_was_found() {
    let (mut session, serial) = going("--state failed");
    let progress = Progress { runs: 3_120, bytes: 41_000_000, ..Progress::default() };
    session.app.update(Event::Found { serial, answer: Ok(vec![Told::Progress(progress)]) });
    assert!(session.screen().contains("searching: 3,120 runs, 41 MB"), "{}", session.screen());
    rows(&mut session, "web00", serial);
    let found = session.app.past.as_ref().unwrap().hits.len();
    assert!(found > 0);
    session.keys("<esc>");
    assert_eq!(session.sent, [Effect::StopSearch(serial)]);
    let seek = session.app.past.as_ref().unwrap();
    assert_eq!((session.app.view, &seek.state, seek.hits.len()), (View::Past, &State::Stopped, found));
    rows(&mut session, "web00", serial);
    assert_eq!(session.app.past.as_ref().unwrap().hits.len(), found, "what comes late is not taken");
    session.keys("<esc>");
    assert_eq!(session.app.view, View::Overview);
}

#[test]
fn an_answer_to_an_older_search_is_dropped_and_a_lost_engine_is_said() {
    let (mut session, serial) = going("--state failed");
    rows(&mut session, "web00", serial + 7);
    assert!(session.app.past.as_ref().unwrap().hits.is_empty());
    session.app.update(Event::Lost { why: "it ended".into(), retry: true });
    let seek = session.app.past.as_ref().unwrap();
    assert!(matches!(&seek.state, State::Failed(why) if why.contains("the engine went away")));
}

#[test]
fn the_rows_found_are_filtered_and_the_cursor_stays_on_its_row_while_others_come() {
    let (mut session, serial) = going("--state failed");
    rows(&mut session, "web01", serial);
    session.keys("jj");
    let on = session.app.past.as_ref().unwrap().hit().map(|hit| (hit.job, hit.run));
    rows(&mut session, "web02", serial);
    assert_eq!(session.app.past.as_ref().unwrap().hit().map(|hit| (hit.job, hit.run)), on);
    session.keys("/device:web021<enter>");
    assert_eq!(session.app.past.as_ref().unwrap().order.len(), 1);
    session.keys("<esc><esc><esc>");
    assert_eq!(session.app.view, View::Overview, "stopped, unfiltered, left");
}

#[test]
fn a_job_is_compared_with_the_one_before_or_with_the_marked_one() {
    let mut session = session();
    session.keys("3d");
    let changes = session.app.changes.as_ref().unwrap();
    assert_eq!((session.app.view, changes.job, changes.other), (View::Changes, 12, None));
    session.keys("<esc>3<space>d");
    let changes = session.app.changes.as_ref().unwrap();
    assert_eq!((changes.job, changes.other), (12, Some(11)), "the older one on the left, wherever the mark is");
    session.keys("<esc>");
    assert_eq!(session.app.view, View::Overview);
    session.keys("<space><space>d");
    assert_eq!(session.app.view, View::Overview, "three are too many");
    assert!(session.app.hint.as_deref().is_some_and(|hint| hint.contains("takes 2 at most")));
}

#[test]
fn a_device_of_two_jobs_is_compared_line_by_line() {
    let mut session = session();
    session.keys("3d<enter>");
    assert!(matches!(session.app.layers.last(), Some(Layer::Diff(_))));
    let screen = session.screen();
    assert!(screen.contains("in 9") && screen.contains("in 12"), "{screen}");
    session.keys("<esc>");
    assert_eq!((session.app.view, session.app.layers.len()), (View::Changes, 0));
}

#[test]
fn outputs_that_differ_in_numbers_and_times_alone_are_not_called_the_same() {
    let mut session = session();
    session.keys("3d<enter>");
    let Some(Layer::Diff(view)) = session.app.layers.last_mut() else { panic!("no comparison") };
    view.state = diff::State::Ready(Box::new(diff::Shown::of(Diff::of(b"at <t>\n", b"at <t>\n"))));
    let screen = session.screen();
    assert!(screen.contains("They say the same, but for numbers, times and names."), "{screen}");
    assert!(
        screen.contains("quarterdeck diff 9 12 --device ") && screen.contains(" --raw shows all of it"),
        "{screen}"
    );
}

#[test]
fn jobs_that_share_no_device_say_so() {
    let mut session = session();
    session.keys("3d");
    let against = crate::model::compare::Against {
        shifts: Vec::new(),
        only_left: "lab:db[1-9]".into(),
        only_right: "lab:web[1,3,5,7,9,11,13,15,17-258]".into(),
        ..session.app.changes.as_ref().unwrap().answer.clone().unwrap()
    };
    session.keys("<esc>d");
    let against = crate::model::compare::Against { groups: vec![], ..against };
    session.app.update(Event::JobsCompared { job: 12, other: None, answer: Box::new(Ok(against)) });
    let screen = session.screen();
    assert!(screen.contains("No device has ended in both jobs"), "{screen}");
    assert!(screen.contains("only in 9: lab:db[1-9]") && screen.contains("only in 12: 250"), "{screen}");
    assert!(screen.contains("one still runs: ^r compares again"), "{screen}");
}

#[test]
fn a_job_without_one_before_it_says_what_to_do() {
    let mut session = Session::starting((80, 24), true);
    session.jobs = vec![job(3, &[RunState::Ok])];
    session.attach();
    session.keys("3d");
    let screen = session.screen();
    assert!(screen.contains("no job of disk-use.sh before job 3") && screen.contains("space marks"), "{screen}");
}

#[test]
fn a_job_is_acknowledged_and_noted_in_the_list_and_shows_it() {
    let mut session = session();
    session.keys("3a");
    assert!(session.app.acknowledged(&session.app.jobs[0].clone()));
    assert_eq!(session.app.hint.as_deref(), Some("job 12: acknowledged"));
    assert!(session.screen().contains("acknowledged by ops"), "{}", session.screen());
    session.keys("a");
    assert!(!session.app.acknowledged(&session.app.jobs[0].clone()));
    session.keys("mthe vendor has it<enter>");
    assert!(session.screen().contains("note by ops: the vendor has it"), "{}", session.screen());
    // the marked ones together; a note that was given up is not carried over to a signature
    session.keys("<space><space>a");
    assert!(session.app.jobs[..2].iter().all(|job| session.app.acknowledged(job)));
    session.keys("mnever mind<esc>Uggum");
    let Some(Layer::Prompt(prompt)) = session.app.layers.last() else { panic!("a note on the group") };
    assert!(prompt.aside.starts_with("on S"), "{}", prompt.aside);
}
