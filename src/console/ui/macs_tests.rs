//! An account whose devices fetch their scripts, some of which cannot run any: what is shown of it, and what a launch
//! there asks for.

use std::sync::Arc;

use ratatui::buffer::Buffer;

use crate::console::app::sample::{self, Session};
use crate::console::ui;
use crate::model::device::{Device, Group, Reach};
use crate::model::state::RunState;
use crate::model::wire::Targets;

const SIZES: [((u16, u16), bool); 4] = [((80, 24), true), ((80, 24), false), ((140, 40), false), ((60, 15), true)];

/// Two Macs and what else an account has; a group of phones alone.
fn session(size: (u16, u16), ascii: bool) -> Session {
    let mut session = Session::starting(size, ascii);
    let device = |name: &str, os: &str, cannot: Option<&str>, groups: &[&str]| Device {
        facts: [("os".to_owned(), os.to_owned())].into(),
        cannot: cannot.map(str::to_owned),
        ..sample::device("macs", name, groups, Reach::Unknown)
    };
    let ios = Some("iOS (SimpleMDM runs scripts on Macs alone)");
    let mut devices = vec![
        device("ann-iphone", "iOS", ios, &["Field"]),
        device("build-mini", "macOS", None, &["Build farm"]),
        device("old-mac", "macOS", Some("not enrolled at SimpleMDM (unenrolled)"), &["Build farm"]),
        device("zed-iphone", "iOS", ios, &["Field"]),
    ];
    devices.sort_by(|a, b| a.id.cmp(&b.id));
    let group = |name: &str, members: &[&str]| {
        let ids: Vec<String> = members.iter().map(|name| format!("macs:{name}")).collect();
        Arc::new(Group { connection: "macs".into(), ..sample::group(name, &[], &ids) })
    };
    session.targets = Targets {
        connections: vec![sample::connection("macs", "simplemdm", 4)],
        groups: vec![group("Build farm", &["build-mini", "old-mac"]), group("Field", &["ann-iphone", "zed-iphone"])],
        devices: devices.into_iter().map(Arc::new).collect(),
        ..Targets::default()
    };
    session.attach();
    session
}

fn pictures(keys: &str) -> String {
    let pictures = SIZES.map(|(size, ascii)| {
        let mut session = session(size, ascii);
        session.keys(keys);
        let mut buffer = Buffer::empty(session.app.area);
        ui::draw(&session.app, session.app.area, &mut buffer);
        format!("{buffer:?}\n")
    });
    pictures.concat()
}

#[test]
fn devices_that_cannot_run_are_greyed_signed_and_counted() {
    insta::assert_snapshot!("macs-targets", pictures("2jjljj"));
}

#[test]
fn a_launch_there_asks_for_what_the_system_takes() {
    insta::assert_snapshot!("macs-launch", pictures(":run disk-use.sh macs<enter><A-a><tab>"));
    insta::assert_snapshot!(
        "macs-options",
        pictures(":run disk-use.sh macs<enter><A-a><tab><space><tab>cache_state<tab>(\\n")
    );
}

#[test]
fn nothing_is_run_where_nothing_can_run_and_the_reason_is_said() {
    let mut session = session((140, 40), true);
    session.keys("2");
    let row = |session: &Session, label: &str| {
        let at = session.app.tree.rows.iter().position(|row| row.label == label);
        at.unwrap_or_else(|| panic!("no row {label}:\n{}", session.screen()))
    };
    let at = row(&session, "Field");
    session.keys("gg").keys(&"j".repeat(at)).keys("r");
    let hint = session.app.hint.clone().unwrap_or_default();
    assert_eq!(hint, "none of the 2 devices of Field can run scripts: iOS (SimpleMDM runs scripts on Macs alone)");
    assert!(session.app.launch().is_none());
    let at = row(&session, "Build farm");
    session.keys("gg").keys(&"j".repeat(at)).keys("r");
    assert!(session.app.launch().is_some(), "where some can, those are run on");
}

/// A job of which two devices are asleep and the others have answered.
fn asleep(size: (u16, u16)) -> Session {
    let mut session = session(size, true);
    session.targets.connections[0].capabilities.queues = true;
    let mac = session.targets.devices.iter_mut().find(|device| device.name == "build-mini").unwrap();
    Arc::make_mut(mac).last_contact = Some(sample::at(-7200));
    let mut job = sample::job(12, &[RunState::Ok, RunState::Ok, RunState::Ok, RunState::Sent, RunState::Sent]);
    for (run, name) in job.runs.iter_mut().zip(["a", "b", "c", "build-mini", "away"]) {
        (run.device, run.name, run.sent_at) = (format!("macs:{name}"), name.to_owned(), Some(sample::at(0)));
    }
    session.jobs = vec![job];
    session.lines = 0;
    session.attach();
    session.keys("3<enter>");
    session
}

#[test]
fn a_run_that_waits_for_its_device_says_so_and_since_when() {
    let session = asleep((140, 40));
    let screen = session.screen();
    assert!(screen.contains("waits for the device, sent "), "{screen}");
    assert!(screen.contains("waits for 2 devices"), "{screen}");
    assert!(!screen.contains("eta ") && !screen.contains("connecting"), "{screen}");
    let mut session = asleep((80, 24));
    let screen = session.screen();
    assert!(screen.contains("waits for 2 devices") && screen.contains("waits, sent 1m ago"), "{screen}");
    session.keys("3f");
    let screen = session.screen().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(screen.contains("which fetches the script when it next calls, sent "), "{screen}");
    assert!(screen.contains("it was last seen "), "{screen}");
}

#[test]
fn what_was_brought_in_keeps_its_number_and_is_signed() {
    let mut session = session((80, 24), true);
    let mut brought = sample::job(7, &[RunState::Ok]);
    (brought.summary.origin, brought.summary.created_at) = (Some("macs:412".to_owned()), sample::at(-90_000));
    session.jobs = vec![sample::job(6, &[RunState::Ok]), brought];
    session.app.jobs.clear();
    session.attach();
    session.keys("3");
    let screen = session.screen();
    let row = screen.lines().find(|line| line.contains(" 7 ")).unwrap_or_else(|| panic!("no job 7:\n{screen}"));
    assert!(row.trim_end_matches(['|', ' ']).ends_with('S'), "{row}");
    assert!(screen.contains("S brought in"), "{screen}");
    // what is told of a job finds it, wherever it stands
    let mut live = sample::job(6, &[RunState::Running]).summary;
    live.state = crate::model::state::JobState::Done;
    session.tell(crate::console::app::Event::Engine(crate::model::wire::Event::Job { job: Box::new(live) }));
    assert_eq!(session.app.jobs.iter().map(|job| job.id).collect::<Vec<_>>(), [6, 7]);
}

#[test]
fn a_word_about_a_reading_goes_when_it_has_ended() {
    let mut session = session((80, 24), true);
    let reading = "macs: reads its devices: those that have come are shown, the others follow";
    session.targets.connections[0].warnings = vec![reading.to_owned()];
    session.tell(crate::console::app::Event::Targets(Ok(session.targets.clone())));
    assert!(session.screen().contains("reads its devices"), "{}", session.screen());
    session.targets.connections[0].warnings.clear();
    session.tell(crate::console::app::Event::Targets(Ok(session.targets.clone())));
    assert!(!session.screen().contains("reads its devices"), "{}", session.screen());
}
