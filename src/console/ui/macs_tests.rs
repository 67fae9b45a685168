//! An account whose devices fetch their scripts, some of which cannot run any: what is shown of it, and what a launch
//! there asks for.

use ratatui::buffer::Buffer;

use crate::console::app::sample::{self, Session};
use crate::console::ui;
use crate::model::device::{Device, Reach};
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
        crate::model::device::Group { connection: "macs".into(), ..sample::group(name, &[], &ids) }
    };
    session.targets = Targets {
        connections: vec![sample::connection("macs", "simplemdm", 4)],
        groups: vec![group("Build farm", &["build-mini", "old-mac"]), group("Field", &["ann-iphone", "zed-iphone"])],
        devices,
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
