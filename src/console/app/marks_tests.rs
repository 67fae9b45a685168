//! Marks as an operator meets them: made in any list, kept, asked for by the filter, and honoured by every verb.

use super::event::Feed;
use super::files::Files;
use super::list::ListId;
use super::sample::Session;
use super::{Effect, Event, Layer, View, sample_files};
use crate::model::output::Which;
use crate::model::shelf::Trashed;

fn session() -> Session {
    Session::new((80, 24), true)
}

fn marks(session: &Session, list: ListId) -> Vec<&str> {
    session.app.look(list).unwrap().marks.iter().map(String::as_str).collect()
}

fn hints(session: &Session) -> String {
    let (front, always) = session.app.hints();
    front.iter().chain(&always).map(|hint| format!("{} {}", hint.key, hint.word)).collect::<Vec<_>>().join("  ")
}

#[test]
fn rows_of_every_list_are_marked_one_by_one_in_a_range_all_and_the_other_way_round() {
    for (way, list, rows) in [("", ListId::Scripts, 5), ("3", ListId::Jobs, 3), ("3G<enter>", ListId::Devices, 1)] {
        let mut session = session();
        session.keys(way).keys("gg<space>");
        assert_eq!(marks(&session, list).len(), 1, "{way}");
        session.keys("*");
        assert_eq!(marks(&session, list).len(), rows, "{way}");
        session.keys("I");
        assert_eq!(marks(&session, list).len(), 0, "{way}");
        session.keys("ggvGv");
        assert_eq!(marks(&session, list).len(), rows, "{way}");
        session.keys("U*<esc>");
        assert_eq!(marks(&session, list).len(), 0, "esc unmarks: {way}");
    }
}

#[test]
fn marks_of_a_job_are_there_again_when_it_is_watched_again_and_after_a_restart() {
    let mut session = session();
    session.keys("3<enter><space><space>/state:fail<enter>");
    let two: Vec<String> = marks(&session, ListId::Devices).into_iter().map(str::to_owned).collect();
    assert_eq!(two.len(), 2);
    session.keys(":job 11<enter>");
    assert_eq!(
        (marks(&session, ListId::Devices).len(), session.app.live.as_ref().unwrap().look.text.as_str()),
        (0, "")
    );
    session.keys(":job 12<enter>");
    assert_eq!(marks(&session, ListId::Devices), two);
    let text = serde_json::to_string(&session.app.left_to_keep().unwrap()).unwrap();
    let mut next = Session::starting((80, 24), true);
    next.app.restore(serde_json::from_str(&text).unwrap());
    next.attach();
    assert_eq!((next.app.view, marks(&next, ListId::Devices)), (View::Live, marks(&session, ListId::Devices)));
    assert_eq!(next.app.live.as_ref().unwrap().look.text, "state:fail");
}

#[test]
fn a_filter_asks_for_what_is_marked() {
    let mut session = session();
    session.keys("j<space><space>/marked:yes<enter>");
    assert_eq!(session.app.shown_of(ListId::Scripts), 2);
    session.keys("gg<space>");
    assert_eq!(session.app.shown_of(ListId::Scripts), 1, "what is unmarked goes");
    session.keys("2jjl<space>/marked:y<enter>");
    assert!(session.app.shown_of(ListId::Targets) > 0 && session.app.shown_of(ListId::Targets) < 17);
    session.keys("3<enter>*/!marked:yes<enter>");
    assert_eq!(session.app.shown_of(ListId::Devices), 0);
}

#[test]
fn a_verb_for_one_script_takes_the_marked_one_and_says_why_it_takes_no_more() {
    let mut session = session();
    session.keys("<space>jjr");
    assert_eq!(session.app.launch().unwrap().script().as_deref(), Some("disk-use.sh"));
    session.keys("<esc><space>r");
    assert!(session.app.launch().is_none());
    assert_eq!(session.app.hint.as_deref(), Some("2 scripts are marked and it takes one: U unmarks all"));
    assert!(!hints(&session).contains("run") && hints(&session).contains("copy 2"), "{}", hints(&session));
    session.keys("d");
    assert!(matches!(session.app.layers.last(), Some(Layer::Diff(_))), "two are compared with each other");
    session.keys("<esc><space>d");
    assert_eq!(session.app.hint.as_deref(), Some("3 scripts are marked and it takes 2 at most: U unmarks all"));
}

#[test]
fn marked_scripts_are_deleted_together_once_their_number_is_typed() {
    let mut session = session();
    session.keys("<space><space>:delete<enter>disk-use.sh");
    let Some(Layer::Files(files)) = session.app.layers.last() else { panic!("no dialog") };
    assert!(matches!(&**files, Files::Delete(delete) if delete.names.len() == 2 && !delete.armed()));
    session.keys("<C-u>2<enter>");
    let names = ["disk-use.sh", "failed-units.sh"].map(str::to_owned);
    let asked = names.clone().map(|name| Effect::DeleteScript { confirm: name.clone(), name });
    assert_eq!(session.sent[1..], asked);
    for name in names {
        assert!(!session.app.layers.is_empty(), "until the last is gone");
        let answer = Ok(Trashed { name: name.clone(), ..sample_files::trashed() });
        session.tell(Event::Deleted { name, answer });
    }
    assert!(session.app.layers.is_empty());
    assert!(session.screen().contains("2 scripts were deleted"), "{}", session.screen());
}

#[test]
fn marked_jobs_are_stopped_together() {
    let mut session = session();
    session.keys("3*");
    assert!(hints(&session).contains("stop 3.."), "{}", hints(&session));
    session.keys("Kjj");
    let Some(Layer::Stop(stop)) = session.app.layers.last() else { panic!("no dialog") };
    assert_eq!(stop.about, "2 jobs: 12 11  (1 more have ended)");
    let keys = format!("{}<enter>", stop.touches(crate::model::wire::Stopping::All));
    session.keys(&keys);
    let cancel = |job| Effect::Cancel { job, devices: vec![], stop: crate::model::wire::Stopping::All };
    assert_eq!(session.sent, [cancel(12), cancel(11)]);
}

#[test]
fn marked_devices_are_stopped_run_again_copied_and_saved_alone() {
    let mut session = session();
    session.keys("3<enter>/re:web01[12]<enter>gg<space><space>");
    assert_eq!(marks(&session, ListId::Devices), ["lab:web011", "lab:web012"]);
    session.keys("r");
    assert_eq!(session.app.launch().unwrap().target(), "lab:web[011-012]");
    session.keys("<esc>y");
    let Some(Layer::Copy(menu)) = session.app.layers.last() else { panic!("no copy menu") };
    assert_eq!(menu.items[0].1, "web011\nweb012");
    assert_eq!(menu.items[1].1, "web[011-012]");
    session.keys("<esc>V");
    let runs = vec![10, 11];
    let feed = Feed::Outputs { job: 12, runs, which: Which::All, pattern: None };
    assert_eq!(session.sent.last(), Some(&Effect::Pager(feed)));
    session.keys("U/<C-u>state:queued<enter>gg<space>Kj");
    let Some(Layer::Stop(stop)) = session.app.layers.last() else { panic!("no dialog") };
    assert_eq!((stop.jobs.as_slice(), stop.devices.len(), stop.queued), ([12].as_slice(), 1, 1));
}

#[test]
fn where_nothing_is_marked_the_keys_are_not_offered_and_say_so() {
    for (way, key) in [("4", "v"), ("3<enter>3", "v"), ("3K", "I"), ("y", "v")] {
        let mut session = session();
        session.keys(way);
        assert!(!hints(&session).contains("mark"), "{way}: {}", hints(&session));
        session.keys(key);
        let said = session.app.hint.clone().unwrap_or_default();
        assert!(said.contains("no marks") || said.contains("nothing is marked"), "{way}: {said}");
    }
}
