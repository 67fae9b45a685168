//! Whole sessions as key macros: what an operator presses, and what then is on screen and sent.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use proptest::prelude::*;

use super::launch::At;
use super::sample::{self, Session};
use super::{Effect, Event, Layer, Link, LivePane, Load, Pane, View};
use crate::model::output::Which;
use crate::model::state::RunState;
use crate::model::wire::{self, Code, Grown, Problem};

fn session() -> Session {
    Session::new((80, 24), true)
}

fn launched(session: &mut Session, job: u64) {
    let summary = session.jobs.iter().find(|mine| mine.summary.id == job).unwrap().summary.clone();
    session.tell(Event::Launched { answer: Box::new(Ok(summary)) });
}

#[test]
fn a_script_that_a_filter_hides_is_not_said_to_be_missing() {
    let mut session = Session::new((80, 24), true);
    session.keys("/nothing-is-called-so<enter>r");
    let said = session.app.hint.clone().unwrap_or_default();
    assert!(said.starts_with("no script passes \"nothing-is-called-so\": esc shows them again"), "{said}");
}

#[test]
fn a_job_that_a_filter_hides_is_not_said_to_be_missing() {
    for verb in ["<enter>", "u", "D", "K"] {
        let mut session = Session::new((80, 24), true);
        session.keys(&format!("3/nothing-is-called-so<enter>{verb}"));
        let said = session.app.hint.clone().unwrap_or_default();
        assert!(said.contains("no job passes \"nothing-is-called-so\": esc shows them again"), "{verb}: {said}");
        session.keys(&format!("<esc>{verb}"));
        assert!(!session.app.hint.clone().unwrap_or_default().contains("no job"), "{verb}");
    }
}

#[test]
fn what_could_not_be_read_is_said_until_it_could() {
    let mut session = session();
    let jobs: Vec<_> = session.jobs.iter().map(|job| job.summary.clone()).collect();
    session.tell(Event::Jobs(Err(Problem { code: Code::Internal, error: "the disk is full".into(), column: None })));
    assert!(session.app.notices.shown().is_some_and(|notice| notice.text.contains("the disk is full")));
    session.tell(Event::Jobs(Ok(jobs)));
    assert_eq!(session.app.notices.shown(), None);
    let whole = session.scripts.clone();
    let mut broken = whole.clone();
    broken.warnings = vec!["the library cannot be read".into()];
    for (library, unread) in [(&broken, 1), (&whole, 0), (&broken, 1), (&whole, 0)] {
        session.tell(Event::Library(Ok(library.clone())));
        assert_eq!(session.app.notices.unread(), unread);
    }
}

#[test]
fn in_every_list_a_filter_begun_anew_gives_way_to_the_first_letter() {
    let mut session = session();
    session.keys("/web<enter>/d");
    assert_eq!(session.app.overview.script_look.text, "d");
    session.keys("<esc>:go log<enter>/web<enter>/d");
    let Some(Layer::Log(log)) = session.app.layers.last() else { panic!("no log") };
    assert_eq!(log.filter.text(), "d");
    session.keys("<esc><esc>:columns<enter>/na<enter>/v");
    let Some(Layer::Chooser(chooser)) = session.app.layers.last() else { panic!("no chooser") };
    assert_eq!(chooser.filter.text(), "v");
}

#[test]
fn from_a_script_to_its_output_and_back() {
    let mut session = session();
    session.keys("r");
    assert!(session.app.launch().is_some(), "the launch dialog");
    assert_eq!(session.sent, []);
    // The target is asked for; enter leads to the next field, never to a launch.
    session.keys("local<enter><enter><enter>");
    assert_eq!((session.app.launch().unwrap().at, session.sent.len()), (At::Arm, 0));
    session.keys("y");
    assert_eq!(session.app.launch().unwrap().at, At::Launch);
    session.keys("<enter>");
    assert_eq!(session.sent, [Effect::Launch { plan: "7c41".into(), confirm: None }]);
    launched(&mut session, 10);
    assert_eq!((session.app.view, session.app.live.as_ref().unwrap().id), (View::Live, 10));
    assert!(session.app.layers.is_empty());
    assert_eq!(session.app.live.as_ref().unwrap().tail.shown().last().unwrap().number, 213);
    session.keys("q");
    assert_eq!(session.app.view, View::Overview);
    session.keys("q");
    assert_eq!(session.sent.last(), Some(&Effect::Quit));
}

#[test]
fn how_a_script_fared_is_asked_anew_when_a_job_ends() {
    let mut session = session();
    let mut ended = session.jobs.iter().find(|job| !job.summary.state.ended()).unwrap().summary.clone();
    ended.state = crate::model::state::JobState::Done;
    let before = session.app.scripts[0].last_run.clone();
    let now = crate::model::script::LastRun { at: sample::at(0), job: ended.id, ok_percent: None, history: ".".into() };
    session.scripts.scripts[0].last_run = Some(now.clone());
    let said = format!("job {} {} is done: ", ended.id, ended.script);
    for _ in 0..2 {
        session.tell(Event::Engine(wire::Event::Job { job: Box::new(ended.clone()) }));
    }
    assert!(matches!(session.rung.as_slice(), [once] if once.starts_with(&said)), "{:?}", session.rung);
    assert_ne!(before, Some(now.clone()));
    assert_eq!(session.app.scripts[0].last_run, Some(now));
    assert!(session.screen().lines().any(|line| line.contains("disk-use.sh") && line.contains("  -")), "no share yet");
}

#[test]
fn who_ran_the_script_from_its_editor_comes_back_to_it_and_writes_no_q_into_it() {
    let mut session = session();
    session.keys("e<F6>local<enter><enter><enter>y<enter>");
    launched(&mut session, 10);
    assert_eq!(session.app.view, View::Live);
    assert_eq!(session.app.path()[1], "Jobs");
    let text = session.app.editing.open.as_ref().unwrap().bytes();
    session.keys("q");
    assert_eq!(session.app.view, View::Editor);
    session.keys("q");
    assert_eq!(session.app.view, View::Editor);
    assert_eq!(session.app.editing.open.as_ref().unwrap().bytes(), text, "no q was written into it");
    session.keys("<esc>");
    assert_eq!(session.app.view, View::Overview);
    session.keys("q");
    assert_eq!(session.sent.last(), Some(&Effect::Quit));
}

#[test]
fn enter_alone_never_launches() {
    let mut session = session();
    session.planned = 12;
    session.keys("r@all<enter><enter><enter><enter><enter><enter>");
    assert_eq!(session.app.launch().map(|launch| launch.at), Some(At::Arm));
    assert_eq!(
        session.app.hint.as_deref(),
        Some("type 12, how many devices are meant, first: nothing is sent before that")
    );
    session.keys("<tab><enter>");
    assert!(session.app.launch().is_none(), "that was Cancel");
    assert_eq!(session.app.hint.as_deref(), Some("nothing was sent; what was typed is kept"));
    session.keys("r<tab><tab><enter>");
    assert_eq!(session.app.launch().map(|launch| launch.target()), Some("@all".into()), "as it was left");
    assert_eq!(session.sent, [], "Launch is not armed");
}

#[test]
fn a_wrong_letter_is_told_and_a_tab_too_many_leads_back() {
    let mut session = session();
    session.planned = 12;
    session.keys("rprod<enter><enter><enter>y");
    assert_eq!(session.app.hint.as_deref(), Some("type 12, how many devices are meant, first"));
    session.keys("12<tab><enter>");
    assert!(session.app.launch().is_some() && session.sent.is_empty(), "from Launch the tab leads to the first field");
}

#[test]
fn many_devices_want_their_number_typed() {
    let mut session = session();
    session.planned = 12;
    session.keys("rprod<enter><enter><enter>y<tab><enter>");
    assert_eq!(session.sent, []);
    session.keys("<S-tab>1<enter>");
    assert!(session.app.launch().is_none(), "Cancel was focused: 1 is not 12");
    session.keys("r12<enter>");
    assert_eq!(session.sent, [Effect::Launch { plan: "7c41".into(), confirm: Some(12) }]);
}

#[test]
fn a_pasted_number_does_not_arm() {
    let mut session = session();
    session.keys("rprod<enter><enter><enter>");
    session.tell(Event::Paste("12\n".into()));
    assert!(!session.app.launch().unwrap().armed());
    session.keys("<enter>");
    assert_eq!(session.sent, []);
}

#[test]
fn a_closed_dialog_comes_back_disarmed_with_what_was_typed() {
    let mut session = session();
    session.keys("rlocal<enter><enter><enter>y");
    assert!(session.app.launch().unwrap().armed());
    session.keys("<esc>r");
    let launch = session.app.launch().unwrap();
    assert_eq!((launch.target().as_str(), launch.armed()), ("local", false));
}

#[test]
fn marked_targets_are_where_the_next_run_goes() {
    let mut session = session();
    // all, local, lab, prod, bastion
    session.keys("2j<space>jj<space>1r");
    assert_eq!(session.app.launch().unwrap().target(), "lab:bastion | local");
    session.keys("<esc>2Ugglljr");
    assert_eq!(session.app.launch().unwrap().target(), "local", "the row under the cursor");
    session.keys("<esc>ggvjjv");
    assert_eq!(session.app.tree.look.marks.len(), 3);
    session.keys("*");
    assert_eq!(session.app.tree.look.marks.len(), 5);
    session.keys("I<esc>");
    assert!(session.app.tree.look.marks.is_empty());
}

#[test]
fn groups_open_and_close() {
    let mut session = session();
    session.keys("2jjjl");
    assert_eq!(session.app.tree.rows.len(), 7);
    session.keys("jjl");
    assert_eq!(session.app.tree.rows[6].label, "web[001-012]");
    session.keys("hhh");
    assert_eq!(session.app.tree.rows.len(), 5);
    assert_eq!(session.app.tree.rows[session.app.overview.targets.at].label, "prod");
}

#[test]
fn an_expression_is_resolved_while_written_and_kept() {
    let mut session = session();
    session.keys("2e<C-u>prod & ");
    let Some(Layer::Prompt(prompt)) = session.app.layers.last() else { panic!("no prompt") };
    assert!(matches!(&prompt.expression.answer, Some(Err(Problem { column: Some(_), .. }))));
    session.keys("!state:offline<enter>");
    let line = "prod & !state:offline".to_owned();
    let kept = Effect::SaveHistory { name: "target", line: line.clone() };
    assert_eq!(session.sent, [kept, Effect::SaveExpressions(vec![line])]);
    let row = &session.app.tree.rows[session.app.overview.targets.at];
    assert_eq!((row.label.as_str(), row.tally.devices), ("prod & !state:offline", 14));
    session.keys("r");
    assert_eq!(session.app.launch().unwrap().target(), "prod & !state:offline");
    session.keys("<esc>e<C-u><enter>");
    assert!(session.app.tree.saved.is_empty(), "an empty text forgets it");
}

#[test]
fn a_wrong_expression_points_at_its_column_and_cannot_be_launched() {
    let mut session = session();
    session.keys("rprod &<enter><enter><enter>y<enter>");
    assert_eq!(session.sent, []);
    assert!(session.app.hint.as_ref().is_some_and(|hint| hint.starts_with("not possible yet")));
    assert!(session.app.launch().unwrap().problem.as_ref().unwrap().column.is_some());
}

#[test]
fn a_stale_plan_is_made_again_and_must_be_armed_again() {
    let mut session = session();
    session.keys("rlocal<enter><enter><enter>y<enter>");
    let problem = Problem { code: Code::Stale, error: "the script has changed".into(), column: None };
    session.tell(Event::Launched { answer: Box::new(Err(problem)) });
    let launch = session.app.launch().unwrap();
    assert!(launch.current() && !launch.armed() && !launch.sent);
    assert_eq!(session.sent.len(), 1);
}

#[test]
fn stopping_asks_what_and_how_many() {
    let mut session = session();
    session.keys("3<enter>K<enter>");
    let Some(Layer::Stop(stop)) = session.app.layers.last() else { panic!("enter dismissed it without a word") };
    let queued = stop.queued;
    assert!(session.app.hint.as_ref().is_some_and(|hint| hint.contains("nothing is stopped before that")));
    session.keys("<tab><enter>");
    assert!(session.app.layers.is_empty(), "that was Cancel");
    assert!(session.app.hint.as_ref().is_some_and(|hint| hint.starts_with("nothing was stopped: ")));
    // armed: a tab and an enter of habit lead back to the button, the next enter is meant
    session.keys(&format!("K{queued}<tab><enter>"));
    assert_eq!(session.sent, []);
    session.keys("<enter>");
    assert_eq!(session.sent, [Effect::Cancel { job: 12, devices: vec![], stop: wire::Stopping::Sending }]);
    session.keys("qjjK");
    assert!(session.app.layers.is_empty(), "a job that has ended cannot be stopped");
}

#[test]
fn the_device_under_the_cursor_stays_while_the_order_moves() {
    let mut session = session();
    session.keys("3j<enter>jj");
    let chosen = session.app.live.as_ref().unwrap().chosen;
    let mut runs = session.jobs[1].runs.clone();
    runs.retain(|run| run.state == RunState::Queued);
    runs.iter_mut().for_each(|run| run.state = RunState::Failed);
    session.tell(Event::Engine(wire::Event::Runs { job: 11, runs }));
    let live = session.app.live.as_ref().unwrap();
    assert_eq!((live.chosen, live.order[live.devices.at]), (chosen, chosen));
    assert_eq!(session.app.held.as_ref().unwrap().job.as_ref().unwrap().summary.counts.failed, 10);
}

#[test]
fn output_of_the_device_on_screen_is_fetched_and_no_other() {
    let mut session = session();
    session.keys("3G<enter>");
    session.lines = 500;
    let grown = |run| Grown { run, bytes: 99, lines: 500, last_line: "more".into() };
    session.tell(Event::Engine(wire::Event::Output { job: 11, runs: vec![grown(0)] }));
    assert_eq!(session.app.live.as_ref().unwrap().tail.shown().last().unwrap().number, 213);
    session.app.dirty = false;
    session.tell(Event::Engine(wire::Event::Output { job: 11, runs: vec![grown(0)] }));
    assert!(!session.app.dirty, "another job is not on screen: no frame");
    session.tell(Event::Engine(wire::Event::Output { job: 10, runs: vec![grown(0)] }));
    assert_eq!(session.app.live.as_ref().unwrap().tail.shown().last().unwrap().number, 499);
}

#[test]
fn the_tail_freezes_follows_wraps_and_parts_the_streams() {
    let mut session = session();
    session.keys("3G<enter>=");
    session.lines = 300;
    let grown = Grown { run: 0, bytes: 99, lines: 300, last_line: "more".into() };
    session.tell(Event::Engine(wire::Event::Output { job: 10, runs: vec![grown] }));
    let tail = |session: &Session| {
        let tail = &session.app.live.as_ref().unwrap().tail;
        (tail.waiting(), tail.shown().last().map_or(0, |line| line.number))
    };
    assert_eq!(tail(&session), (86, 213));
    session.keys("=");
    assert_eq!(tail(&session), (0, 299));
    session.keys("3gg");
    assert_eq!(session.app.live.as_ref().unwrap().tail.shown()[0].number, 0);
    session.keys("]]");
    assert_eq!(session.app.live.as_ref().unwrap().tail.which, Which::Err);
    session.keys("]t");
    let live = session.app.live.as_ref().unwrap();
    assert_eq!((live.tail.which, live.tail.run), (Which::All, None));
    session.keys("wT2<enter>");
    let live = session.app.live.as_ref().unwrap();
    assert_eq!((live.focus, live.zoom, live.tail.wrap, live.tail.times), (LivePane::Tail, true, true, false));
    session.keys("<esc><esc>");
    assert_eq!(session.app.view, View::Overview);
}

#[test]
fn help_filters_and_runs_what_it_shows() {
    let mut session = session();
    session.keys("?launch dialog<enter>");
    assert!(session.app.launch().is_some(), "help ran `run`");
    session.keys("<esc>??");
    let Some(Layer::Help(help)) = session.app.layers.last() else { panic!("no help") };
    assert!(help.all && help.rows.len() > 60);
    session.keys("<esc>");
    assert!(session.app.layers.is_empty());
}

#[test]
fn interrupt_twice_leaves_and_never_touches_a_job() {
    let mut session = session();
    session.keys("r<C-c>");
    assert!(session.app.layers.is_empty());
    session.keys("j<C-c>");
    assert_eq!(session.sent, [], "a key between makes it a first one again");
    session.tell(Event::Tick(sample::at(200)));
    session.keys("<C-c>");
    assert_eq!(session.sent, [], "too late for a second one");
    session.keys("<C-c>");
    assert_eq!(session.sent, [Effect::Quit]);
    assert_eq!(session.app.farewell().unwrap(), "2 jobs go on: quarterdeck jobs ls");
}

#[test]
fn a_lost_engine_is_said_and_everything_is_read_anew() {
    let mut session = session();
    session.keys("3<enter>");
    session.tell(Event::Lost { why: "the engine ended".into(), retry: true });
    assert!(session.screen().contains("E the engine ended. Trying again"));
    session.jobs[0] = sample::job(12, &[RunState::Ok; 412]);
    session.attach();
    assert_eq!(session.app.link, Link::Attached);
    assert_eq!(session.app.held.as_ref().unwrap().job.as_ref().unwrap().summary.counts.ok, 412);
}

#[test]
fn that_an_engine_ended_while_jobs_ran_is_a_warning_and_a_line_that_broke_is_none() {
    let cases = [(4711, "i the engine answers again"), (4712, "! the engine ended while jobs ran")];
    for (pid, said) in cases {
        let mut session = session();
        session.tell(Event::Lost { why: "the engine ended".into(), retry: true });
        session.tell(Event::Attached(Box::new(wire::Hello { pid, ..sample::hello() })));
        let screen = session.screen();
        assert!(screen.contains(said), "{screen}");
    }
}

#[test]
fn nothing_wakes_an_idle_console() {
    let mut session = session();
    let running = session.app.jobs[0].clone();
    session.app.jobs.retain(|job| job.state.ended());
    assert_eq!(session.app.wake(), None);
    session.app.dirty = false;
    session.tell(Event::Tick(sample::at(999)));
    session.tell(Event::Focus(true));
    assert!(!session.app.dirty);
    session.keys("3G<enter>");
    // Where the operator is now is kept, once.
    session.tell(Event::Tick(sample::at(1010)));
    assert_eq!(session.app.wake(), None, "the job has ended");
    session.tell(Event::Engine(wire::Event::Job { job: Box::new(running) }));
    let wake = session.app.wake().expect("while something runs, the first row tells the minute");
    assert_eq!((wake > session.app.now, wake.as_second() % 60), (true, 0));
    session.app.dirty = false;
    session.tell(Event::Tick(session.app.now + jiff::SignedDuration::from_secs(1)));
    assert!(!session.app.dirty, "and no second");
    session.tell(Event::Tick(wake));
    assert!(session.app.dirty);
    session.keys("qgg<enter>");
    let second = session.app.now + jiff::SignedDuration::from_secs(1);
    assert_eq!(session.app.wake(), Some(second), "a running job's time goes on");
}

#[test]
fn before_the_engine_answers_the_console_says_so_and_takes_keys() {
    let mut session = Session::starting((80, 24), true);
    assert!(session.screen().contains("starting the engine"));
    session.keys("2jjr?<esc>3<enter>Kyxg");
    session.tell(Event::Lost { why: "no engine answers".into(), retry: false });
    assert!(session.screen().contains("no engine"));
    assert_eq!(session.app.library, Load::Waiting);
    assert_eq!(session.sent, []);
}

#[test]
fn the_preview_loads_each_script_and_job_once_it_is_under_the_cursor() {
    let mut session = session();
    assert_eq!(session.app.source.as_ref().unwrap().name, "disk-use.sh");
    session.keys("jj");
    assert_eq!(session.app.source.as_ref().unwrap().name, "listening.py");
    session.keys("3j");
    assert_eq!(session.app.held.as_ref().unwrap().id, 11);
    session.keys("k");
    assert_eq!(session.app.held.as_ref().unwrap().id, 12);
    assert_eq!(session.app.overview.subject, Pane::Jobs);
}

#[test]
fn what_a_key_copies_is_chosen_from_a_list() {
    let mut session = session();
    session.keys("2jjjy");
    let Some(Layer::Copy(menu)) = session.app.layers.last() else { panic!("no menu") };
    assert_eq!(menu.items[1], ("node set", "db[1-3],web[001-012]".to_owned()));
    session.keys("j<enter>");
    assert_eq!(session.sent, [Effect::Copy("db[1-3],web[001-012]".into())]);
}

fn any_key() -> impl Strategy<Value = KeyEvent> {
    let code = prop_oneof![
        6 => prop::char::range(' ', '~').prop_map(KeyCode::Char),
        1 => any::<char>().prop_map(KeyCode::Char),
        4 => prop::sample::select(vec![
            KeyCode::Enter, KeyCode::Esc, KeyCode::Tab, KeyCode::BackTab, KeyCode::Up, KeyCode::Down, KeyCode::Left,
            KeyCode::Right, KeyCode::Home, KeyCode::End, KeyCode::PageUp, KeyCode::PageDown, KeyCode::Backspace,
            KeyCode::Delete, KeyCode::F(1), KeyCode::F(5), KeyCode::Insert,
        ]),
    ];
    let modifiers = prop::sample::select(vec![
        KeyModifiers::NONE,
        KeyModifiers::NONE,
        KeyModifiers::NONE,
        KeyModifiers::SHIFT,
        KeyModifiers::CONTROL,
        KeyModifiers::ALT,
    ]);
    (code, modifiers).prop_map(|(code, modifiers)| KeyEvent::new(code, modifiers))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// No keys, in no order, at no size, break the console; and without the right words nothing is launched.
    #[test]
    fn any_keys_at_any_size(
        keys in prop::collection::vec(any_key(), 1..120),
        width in 1u16..160,
        height in 1u16..50,
    ) {
        let mut session = Session::new((width, height), true);
        session.planned = 4321; // Nobody types this by accident.
        for (n, key) in keys.into_iter().enumerate() {
            session.tell(Event::Key(key));
            if n % 8 == 0 {
                session.screen();
            }
            if n == 60 {
                session.tell(Event::Resize(height * 3, width / 3 + 1));
            }
        }
        session.screen();
        let fleet = |effect: &&Effect| matches!(effect, Effect::Launch { plan: _, confirm: Some(_) });
        prop_assert_eq!(session.sent.iter().find(fleet), None);
    }
}
