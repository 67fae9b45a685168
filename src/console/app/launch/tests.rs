//! The launch dialog, as its rules say it.

use super::*;
use crate::console::app::sample;
use crate::model::plan::PlanRequest;

fn request(launch: &mut Launch) -> (u64, PlanRequest) {
    match launch.settle() {
        Some(Effect::Plan { serial, request, .. }) => (serial, *request),
        other => panic!("no plan asked: {other:?} {:?}", launch.problem),
    }
}

fn planned(launch: &mut Launch, devices: usize) {
    let (serial, _) = request(launch);
    assert!(launch.planned(serial, Ok(sample::plan(devices)), &Tree::default()));
}

#[test]
fn nothing_is_selected_and_the_arming_is_next_once_the_form_is_full() {
    let scripts = sample::library().scripts;
    let launch = Launch::new(&scripts, None, "");
    assert_eq!(launch.at, At::Field(0), "the script is to be chosen");
    let mut launch = Launch::new(&scripts, Some("disk-use.sh"), "");
    let at = launch.fields.iter().position(|f| f.slot == Slot::Target).unwrap();
    assert_eq!(launch.at, At::Field(at), "the target is to be written");
    assert_eq!(launch.settle(), None);
    assert!(launch.problem.is_some() && !launch.armed());
    assert_eq!(Launch::new(&scripts, Some("disk-use.sh"), "local").at, At::Arm);
}

#[test]
fn a_change_disarms() {
    let scripts = sample::library().scripts;
    let mut launch = Launch::new(&scripts, Some("disk-use.sh"), "web");
    planned(&mut launch, 3);
    launch.arm.typed = "y".into();
    assert!(launch.armed());
    launch.edited();
    assert!(!launch.armed());
    planned(&mut launch, 3);
    assert!(!launch.armed(), "the new plan is not armed by the old letter");
}

#[test]
fn the_worlds_change_disarms_and_says_what_is_different() {
    let scripts = sample::library().scripts;
    let mut launch = Launch::new(&scripts, Some("disk-use.sh"), "web");
    planned(&mut launch, 3);
    launch.arm.typed = "y".into();
    launch.again();
    planned(&mut launch, 3);
    assert!(launch.armed(), "nothing is different");
    launch.again();
    planned(&mut launch, 5);
    assert_eq!(launch.changed, Some((2, 0)));
    assert_eq!(launch.differs, ["devices +2 lab:web[004-005], -0"]);
    assert!(!launch.armed());
}

#[test]
fn the_first_rings_are_kept_whatever_is_changed_afterwards() {
    let scripts = sample::library().scripts;
    let mut launch = Launch::new(&scripts, Some("disk-use.sh"), "web");
    let put = |launch: &mut Launch, slot: Slot, value: &str| {
        let field = launch.fields.iter_mut().find(|field| field.slot == slot).unwrap();
        field.input.put(Some(value));
        launch.edited();
    };
    let (serial, plain) = request(&mut launch);
    assert_eq!(plain.how.seed, None);
    launch.planned(serial, Ok(sample::plan(24)), &Tree::default());
    put(&mut launch, Slot::How(Knob::Rings), "1, 100%");
    let (serial, first) = request(&mut launch);
    assert_eq!(first.how.seed, None, "nothing was drawn yet");
    let drawn = |seed: &str| {
        let mut plan = sample::plan(24);
        plan.rollout = crate::model::rollout::Rollout {
            seed: seed.to_owned(),
            rings: vec![crate::model::rollout::Ring { runs: vec![7], ..Default::default() }],
            ..Default::default()
        };
        plan
    };
    launch.planned(serial, Ok(drawn("7c41")), &Tree::default());
    put(&mut launch, Slot::Timeout, "5m");
    let (serial, request_now) = request(&mut launch);
    assert_eq!(request_now.how.seed.as_deref(), Some("7c41"), "an unrelated field deals no other rings");
    assert!(launch.command_line().contains(" --seed 7c41"), "{}", launch.command_line());
    launch.planned(serial, Ok(drawn("7c41")), &Tree::default());
    launch.back();
    let (serial, again) = request(&mut launch);
    assert_eq!(again.how.seed.as_deref(), Some("7c41"), "left and opened again");
    launch.planned(serial, Ok(drawn("7c41")), &Tree::default());
    put(&mut launch, Slot::How(Knob::Rings), "");
    let (_, plain) = request(&mut launch);
    assert_eq!(plain.how.seed, None, "without rings nothing is drawn");
}

#[test]
fn above_the_threshold_only_the_count_arms() {
    let scripts = sample::library().scripts;
    let mut launch = Launch::new(&scripts, Some("disk-use.sh"), "web");
    planned(&mut launch, 219);
    assert_eq!(launch.arm.need, Need::Count(219));
    launch.arm.typed = "y".into();
    assert!(!launch.armed());
    launch.arm.typed = "219".into();
    assert!(launch.armed());
}

#[test]
fn an_older_plan_is_never_taken_for_the_newest() {
    let scripts = sample::library().scripts;
    let mut launch = Launch::new(&scripts, Some("disk-use.sh"), "web");
    let (first, _) = request(&mut launch);
    launch.edited();
    assert_eq!(launch.settle(), None, "one at a time");
    assert!(!launch.planned(first, Ok(sample::plan(1)), &Tree::default()));
    let (second, _) = request(&mut launch);
    assert!(!launch.planned(first, Ok(sample::plan(1)), &Tree::default()));
    assert!(launch.planned(second, Ok(sample::plan(2)), &Tree::default()));
}

#[test]
fn parameters_travel_by_name_secrets_apart_and_the_command_line_says_the_same() {
    let scripts = sample::library().scripts;
    let mut launch = Launch::new(&scripts, Some("os-patch.sh"), "web & !db");
    for field in &mut launch.fields {
        match field.label.as_str() {
            "version" => field.input.paste("14 6"),
            "token" => field.input.paste("hunter2"),
            "dry-run" => drop(field.input.cycle(true)),
            _ => {}
        }
    }
    let (_, request) = request(&mut launch);
    assert_eq!(
        request.params,
        [("version", "14 6"), ("window", "08-18"), ("dry-run", "true")].map(|(a, b)| (a.into(), b.into()))
    );
    assert_eq!(request.secrets[0].1.expose(), "hunter2");
    assert_eq!(
        launch.command_line(),
        "quarterdeck run os-patch.sh --target 'web & !db' --param 'version=14 6' --param window=08-18 \
         --param dry-run=true"
    );
}
