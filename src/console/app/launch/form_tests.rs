//! The form of a script with a parameter of every kind, written with keys.

use super::{At, Launch, Slot};
use crate::console::app::sample::Session;
use crate::console::app::{Effect, sample_forms};
use crate::model::plan::PlanRequest;

/// The dialog is open, the field of that name has the focus.
fn at(name: &str) -> Session {
    let mut session = sample_forms::session((80, 24), true);
    session.keys("r");
    focus(&mut session, name);
    session
}

fn focus(session: &mut Session, name: &str) {
    session.keys("<A-a>");
    for _ in 0..40 {
        let launch = launch(session);
        if matches!(launch.at, At::Field(at) if launch.fields[at].label == name) {
            return;
        }
        session.keys("<tab>");
    }
    panic!("no field {name}:\n{}", session.screen());
}

fn launch(session: &Session) -> &Launch {
    session.app.launch().expect("the dialog is open")
}

/// What is asked for with version and target filled in.
fn request(session: &mut Session) -> Result<PlanRequest, String> {
    focus(session, "version");
    session.keys("14.6<A-b><C-u>web");
    launch(session).request()
}

fn given(session: &mut Session, name: &str) -> Vec<String> {
    let request = request(session).expect("nothing is wrong");
    request.params.into_iter().filter(|(of, _)| of == name).map(|(_, value)| value).collect()
}

#[test]
fn each_kind_is_written_in_its_own_way() {
    for (name, keys, values) in [
        ("retries", "<C-u>5", vec!["5"]),
        ("dry-run", "<space>", vec!["true"]),
        ("channel", "<right>", vec!["beta"]),
        ("tag", "two words<enter>more<enter>", vec!["two words", "more"]),
        ("report", "j<space><right><space>", vec!["json", "markdown"]),
        ("config", "/etc/ap<right>p<right>", vec!["/etc/app.conf"]),
        ("note", "one<enter>two<esc>", vec!["one\ntwo"]),
    ] {
        assert_eq!(given(at(name).keys(keys), name), values, "{name} {keys}");
    }
}

#[test]
fn an_untouched_form_gives_the_defaults_and_nothing_else() {
    let request = request(at("version").keys("")).unwrap();
    let params: Vec<(&str, &str)> =
        request.params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(params, [("version", "14.6"), ("retries", "3"), ("channel", "stable"), ("limit", "10")]);
    assert_eq!((request.secrets.len(), request.files.len()), (0, 0));
}

#[test]
fn what_is_wrong_is_said_at_the_field_and_keeps_the_launch_back() {
    let mut session = at("retries");
    session.keys("<C-u>many");
    assert!(session.screen().contains("a number (such as 3), not 'many'"), "{}", session.screen());
    assert_eq!(request(&mut session).unwrap_err(), "retries: a number (such as 3), not 'many'");
    let mut session = at("config");
    session.keys("/nosuch");
    assert!(session.screen().contains("no such file"), "{}", session.screen());
    assert_eq!(request(&mut session).unwrap_err(), "config: no such file");
}

#[test]
fn what_is_rarely_needed_is_folded_and_keeps_its_values() {
    let mut session = at("advanced");
    assert!(session.screen().contains("advanced  2: proxy, limit"), "{}", session.screen());
    assert!(!launch(&session).fields.iter().any(|field| field.label == "proxy"));
    session.keys("<space><tab>http://proxy");
    assert_eq!(launch(&session).fields.iter().filter(|field| matches!(field.slot, Slot::Param(_))).count(), 11);
    focus(&mut session, "advanced");
    session.keys("<space>");
    assert!(!launch(&session).fields.iter().any(|field| field.label == "proxy"));
    assert_eq!(given(&mut session, "proxy"), ["http://proxy"]);
}

#[test]
fn a_text_of_many_lines_is_written_above_the_form_and_esc_leads_back_to_it() {
    let mut session = at("note");
    session.keys("<space>first<enter>second");
    assert!(session.screen().contains("2 lines   esc: done"), "{}", session.screen());
    session.keys("<esc>");
    assert!(!session.screen().contains("esc: done") && session.screen().contains("2 lines: first"));
    session.app.update(crate::console::app::Event::Paste("\nthird\n\u{1b}[31m".into()));
    assert_eq!(given(&mut session, "note"), ["first\nsecond\nthird\n[31m"]);
}

#[test]
fn enter_takes_each_field_as_it_is_and_leads_to_the_launch() {
    let mut session = at("version");
    session.keys("14.6<A-b>local<A-a>");
    let before = format!("{:?}", launch(&session).form().params);
    for _ in 0..40 {
        if launch(&session).at == At::Arm {
            break;
        }
        session.keys("<enter>");
    }
    assert_eq!(launch(&session).at, At::Arm, "{}", session.screen());
    assert_eq!(format!("{:?}", launch(&session).form().params), before, "nothing was switched on the way");
    assert!(session.screen().contains("You are about to run disk-use.sh on 1 device."), "{}", session.screen());
    session.keys("y<enter>");
    assert!(session.sent.iter().any(|effect| matches!(effect, Effect::Launch { .. })));
}

#[test]
fn what_is_wrong_in_one_field_leaves_what_the_target_comes_to() {
    for (name, keys) in [("retries", "<C-u>many"), ("at once", "many"), ("rings", "one")] {
        let mut session = at("version");
        session.keys("14.6<A-b>web<A-a>");
        while !matches!(launch(&session).at, At::Field(at) if launch(&session).fields[at].label == name) {
            session.keys("<tab>");
        }
        session.keys(keys);
        let screen = session.screen();
        assert!(screen.contains("Nothing can be launched yet"), "{name}: {screen}");
        assert!(screen.contains("resolved   12 of "), "{name}: {screen}");
        // said beside the field, and in block d
        let said = if name == "retries" { "a number (such as 3)" } else { &format!("{name}: ") };
        assert!(screen.matches(said).count() == 2, "{name}: {screen}");
        // another target is looked up all the same, and a wrong one pointed at
        session.keys("<A-b><C-u>local");
        assert!(session.screen().contains("resolved   1 of "), "{name}: {}", session.screen());
        session.keys("<C-u>nosuch");
        assert!(session.screen().contains('^'), "{name}: {}", session.screen());
    }
}

#[test]
fn a_path_is_looked_at_while_it_is_written_and_read_for_the_plan() {
    let mut session = at("config");
    session.keys("/etc/");
    assert!(session.screen().contains("a folder, not a file"), "{}", session.screen());
    session.keys("app.conf");
    assert!(session.screen().contains("read when it is planned"), "{}", session.screen());
    let files = launch(&session).files();
    assert_eq!(files.iter().map(|param| param.name.as_str()).collect::<Vec<_>>(), ["config"]);
}

#[test]
fn a_template_brings_every_kind_back_and_opens_what_was_folded() {
    let mut session = at("advanced");
    session.keys("<space><tab>http://proxy");
    for (name, keys) in
        [("tag", "a b<enter>c"), ("report", "<space>"), ("note", "x<enter>y<esc>"), ("config", "/etc/app.conf")]
    {
        focus(&mut session, name);
        session.keys(keys);
    }
    let form = launch(&session).form();
    assert_eq!(form.params["tag"], ["a b", "c"]);
    let template = crate::model::template::Template { name: "t".into(), form: form.clone() };
    session.keys("<esc>");
    let mut other = sample_forms::session((80, 24), true);
    other.keys("r");
    let scripts = other.app.scripts.clone();
    let mut fresh = Launch::new(&scripts, Some("disk-use.sh"), "");
    fresh.know(std::slice::from_ref(&template));
    fresh.apply(&template, &scripts);
    assert_eq!(fresh.form().params, form.params);
    assert!(fresh.fields.iter().any(|field| field.label == "proxy"), "an unusual value is seen");
}

#[test]
fn the_command_line_says_every_value() {
    let mut session = at("tag");
    session.keys("a b<enter>c");
    let _ = request(&mut session);
    let line = launch(&session).command_line();
    assert!(line.contains("--param 'tag=a b' --param tag=c"), "{line}");
    assert!(!line.contains("token"), "{line}");
}

#[test]
fn a_script_of_a_server_runs_there_unless_another_target_is_written() {
    let mut session = sample_forms::session((80, 24), true);
    let mut scripts = session.app.scripts.clone();
    scripts[1].name = "ws:report.py".into();
    scripts[1].connection = Some("ws".into());
    let mut launch = Launch::new(&scripts, Some("ws:report.py"), "");
    assert_eq!(launch.target(), "ws");
    launch.fields[0].input.put(Some("all-kinds.sh"));
    launch.script_chosen(&scripts);
    assert_eq!(launch.target(), "", "another script takes it along no more than it brought it");
    let launch = Launch::new(&scripts, Some("ws:report.py"), "web");
    assert_eq!(launch.target(), "web");
    session.keys("r");
    assert!(session.sent.iter().all(|effect| !matches!(effect, Effect::Launch { .. })));
}
