//! The groups screen as an operator meets it: the ways there and back, what stays while groups form, who is marked, what
//! is compared and what is said of a signature.

use super::event::{Effect, Event};
use super::list::ListId;
use super::sample::{Session, at};
use super::triage::TriagePane;
use super::triage::compare::{Question, Side};
use super::{LivePane, View};
use crate::model::job::Run;
use crate::model::state::RunState;
use crate::model::triage::{Remark, Subject};
use crate::model::wire;

fn session() -> Session {
    Session::new((80, 24), true)
}

fn label(session: &Session) -> &str {
    session.app.triage.as_ref().and_then(|triage| triage.row()).map_or("", |row| &row.label)
}

fn key(session: &mut Session, keys: &str) -> Vec<Effect> {
    crate::console::keymap::macro_keys(keys).into_iter().flat_map(|key| session.app.update(Event::Key(key))).collect()
}

fn questions(effects: &[Effect]) -> Vec<Question> {
    let asked = effects.iter().filter_map(|effect| match effect {
        Effect::CompareOutputs(question) => Some(question.clone()),
        _ => None,
    });
    asked.collect()
}

#[test]
fn every_way_there_leads_to_the_groups_of_the_job_that_is_looked_at_and_back() {
    for (keys, job) in [
        ("3u", 12),
        ("3ju", 11),
        ("3<enter>u", 12),
        ("3<enter>]", 12),
        ("gu", 12),
        ("3j:groups<enter>", 11),
        ("3j<C-p>groups of like<enter>", 11),
        ("3j:go groups<enter>", 11),
    ] {
        let mut session = session();
        session.keys(keys);
        let triage = session.app.triage.as_ref().map(|triage| triage.job);
        assert_eq!((session.app.view, triage), (View::Groups, Some(job)), "{keys}");
    }
    let mut session = session();
    session.keys("3<enter>uq");
    assert_eq!(session.app.view, View::Live, "back to where one came from");
    session.keys("uq-");
    assert_eq!(session.app.view, View::Groups, "the last view");
    session.keys("[");
    assert_eq!(session.app.view, View::Live);
}

#[test]
fn in_the_output_the_next_tab_is_the_next_stream() {
    let mut session = session();
    session.keys("3<enter>3]");
    assert_eq!(session.app.view, View::Live);
}

#[test]
fn the_group_that_is_looked_at_stays_while_others_form_above_it() {
    let mut session = session();
    for run in session.jobs[0].runs.iter_mut().filter(|run| run.index == 5) {
        run.state = RunState::Running;
    }
    session.keys("<C-r>3uj");
    let chosen = |session: &Session| session.app.triage.as_ref().unwrap().group().unwrap().signature.clone();
    let (before, name) = (chosen(&session), label(&session).to_owned());
    assert_eq!(session.app.triage.as_ref().unwrap().cursor.at, 1);
    // the run with a new signature ends: it stands at the top now
    let run = Run {
        state: RunState::Failed,
        exit_code: Some(1),
        finished_at: Some(at(95)),
        ..session.jobs[0].runs[5].clone()
    };
    session.jobs[0].runs[5] = run.clone();
    session.tell(Event::Engine(wire::Event::Runs { job: 12, runs: vec![run] }));
    let due = session.app.wake().expect("the engine is asked again soon");
    session.tell(Event::Tick(due));
    let triage = session.app.triage.as_ref().unwrap();
    assert_eq!((chosen(&session), label(&session), triage.cursor.at), (before, name.as_str(), 2));
    assert_eq!(triage.rows[0].says, "sw_vers: command not found");
}

#[test]
fn from_similar_to_identical_and_back_one_stays_on_the_signature() {
    let mut session = session();
    session.keys("3ujj");
    let signature = |session: &Session| session.app.triage.as_ref().unwrap().group().unwrap().signature.clone();
    let before = signature(&session);
    session.keys("i");
    assert_eq!((signature(&session), label(&session)), (before.clone(), "S2.1"));
    session.keys("i");
    assert_eq!((signature(&session), label(&session)), (before, "S2"));
}

#[test]
fn a_burst_of_ended_runs_is_one_question_and_never_one_while_another_is_open() {
    let mut session = session();
    session.keys("3u");
    let runs = |session: &Session| vec![session.jobs[0].runs[0].clone()];
    let asked = |effects: Vec<Effect>| effects.iter().filter(|e| matches!(e, Effect::LoadGroups { .. })).count();
    for _ in 0..100 {
        let event = Event::Engine(wire::Event::Runs { job: 12, runs: runs(&session) });
        assert_eq!(asked(session.app.update(event)), 0, "it was asked a moment ago");
    }
    let due = session.app.wake().unwrap();
    assert_eq!(asked(session.app.update(Event::Tick(due))), 1);
    let event = Event::Engine(wire::Event::Runs { job: 12, runs: runs(&session) });
    session.app.update(event);
    let later = due + jiff::SignedDuration::from_secs(60);
    assert_eq!(asked(session.app.update(Event::Tick(later))), 0, "the answer is still on its way");
}

#[test]
fn devices_are_marked_once_wherever_they_are_seen() {
    let mut session = session();
    session.keys("3<enter><space>u<enter>*");
    let group = session.app.triage.as_ref().unwrap().members.of.len();
    assert_eq!(session.app.marked_runs().len(), group, "the group of the device that was marked is marked whole");
    session.keys("q");
    assert_eq!(session.app.look(ListId::Devices).unwrap().marks.len(), group);
    session.keys("Uu");
    assert!(session.app.look(ListId::Members).unwrap().marks.is_empty());
}

#[test]
fn enter_goes_from_the_group_to_its_devices_to_the_output_of_one() {
    let mut session = session();
    session.keys("3uj<enter>jj");
    let triage = session.app.triage.as_ref().unwrap();
    assert_eq!(triage.focus, TriagePane::Members);
    let run = triage.member().unwrap();
    session.keys("<enter>");
    let live = session.app.live.as_ref().unwrap();
    assert_eq!(
        (session.app.view, live.focus, live.chosen, live.tail.run),
        (View::Live, LivePane::Tail, run, Some(run))
    );
    session.keys("q");
    assert_eq!((session.app.view, session.app.triage.as_ref().unwrap().member()), (View::Groups, Some(run)));
}

#[test]
fn the_group_under_the_cursor_is_compared_with_the_base_and_a_device_that_was_chosen_instead_of_it() {
    let mut session = session();
    session.keys("3u");
    let asked = questions(&key(&mut session, "j"));
    let [question] = asked.as_slice() else { panic!("one question: {asked:?}") };
    assert_eq!((question.left.to_string().as_str(), question.masked), ("base", true));
    assert!(question.right.to_string().starts_with("group:v1:"), "{question:?}");
    let mut session = self::session();
    session.keys("3uj<enter>");
    let asked = questions(&key(&mut session, "j"));
    assert!(asked[0].right.to_string().starts_with("run:"), "{asked:?}");
    let mut session = self::session();
    session.keys("3uj3");
    let asked = questions(&key(&mut session, "i"));
    assert!(!asked[0].masked, "raw, at a key: {asked:?}");
}

#[test]
fn another_base_is_chosen_by_typing() {
    for (keys, side) in [("before<enter>", Side::Before), ("off<enter>", Side::Group("v1:0ff11e5c3a7d2b86".into()))] {
        let mut session = session();
        session.keys("3ujd").keys(keys);
        assert_eq!(session.app.triage.as_ref().unwrap().beside.base, side, "{keys}");
    }
    let mut session = session();
    session.keys("3ujdweb007<enter>");
    assert_eq!(session.app.triage.as_ref().unwrap().beside.base, Side::Run(6));
    session.keys("d<esc>");
    assert_eq!(session.app.triage.as_ref().unwrap().beside.base, Side::Run(6), "esc changes nothing");
}

#[test]
fn the_base_is_not_compared_with_itself() {
    let mut session = session();
    session.keys("3ujjjj");
    assert_eq!(label(&session), "S0");
    assert!(session.screen().contains("S0 is what the others are compared with"), "{}", session.screen());
}

#[test]
fn a_note_goes_to_the_group_it_was_begun_on() {
    let mut session = session();
    session.keys("3ujm");
    let effects = {
        session.keys("RB-77: wait");
        // the list may move below while one writes
        if let Some(triage) = &mut session.app.triage {
            triage.cursor.at = 0;
        }
        key(&mut session, "<enter>")
    };
    let said = effects.iter().find_map(|effect| match effect {
        Effect::Remark { subject, remark } => Some((subject.clone(), remark.clone())),
        _ => None,
    });
    let subject = Subject::Signature("v1:1b2f60c4a7718d95".into());
    assert_eq!(said, Some((subject, Remark::Note("RB-77: wait".into()))));
}

#[test]
fn what_is_said_of_a_signature_is_shown_and_taken_back() {
    let mut session = session();
    session.keys("3uja");
    let acked = |session: &Session| session.app.triage.as_ref().unwrap().group().unwrap().remarks.acked.is_some();
    assert!(acked(&session) && session.screen().contains("acked"), "{}", session.screen());
    session.keys("a");
    assert!(!acked(&session));
    session.keys("Ohttps://wiki.example/rb/RB-77<enter>");
    assert!(session.screen().contains("RB-77"), "{}", session.screen());
    session.keys("o");
    assert_eq!(session.sent.pop(), Some(Effect::Copy("https://wiki.example/rb/RB-77".into())));
    session.keys("Onot a link<enter>");
    assert!(session.screen().contains("a runbook is a link"), "{}", session.screen());
}

#[test]
fn marked_groups_are_acknowledged_together() {
    let mut session = session();
    session.keys("3u<space><space>");
    let effects = key(&mut session, "a");
    let acked = effects.iter().filter(|effect| matches!(effect, Effect::Remark { remark: Remark::Ack(true), .. }));
    assert_eq!(acked.count(), 2);
}

#[test]
fn the_copy_menu_has_the_node_set_and_a_target_that_means_the_group() {
    let mut session = session();
    session.keys("3ujy");
    let screen = session.screen();
    for word in ["node set", "as target", "signature", "what they share", "quarterdeck groups 12"] {
        assert!(screen.contains(word), "{word}: {screen}");
    }
}
