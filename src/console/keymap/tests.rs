//! What a keymap promises.

use super::*;

fn all(_: &str) -> bool {
    true
}

fn with(text: &str) -> (Keymap, Vec<String>) {
    Keymap::load("vi", Some((Path::new("keymap.toml"), text)), &|command| command != "no-such")
}

fn keys(text: &str) -> Vec<Chord> {
    macro_keys(text).into_iter().filter_map(Chord::of).collect()
}

#[test]
fn the_preset_is_without_fault_and_without_conflict() {
    for (name, text) in PRESETS {
        let (file, problems) = read::wishes(name, text);
        assert_eq!(problems, Vec::<String>::new());
        let mut keymap = Keymap { bindings: Vec::new() };
        let mut problems = Vec::new();
        keymap.apply(file.wishes, &all, &mut problems);
        assert_eq!(problems, Vec::<String>::new());
    }
}

#[test]
fn no_command_has_only_keys_that_terminals_keep_for_themselves() {
    const KEPT: [&str; 10] = ["^s", "^q", "^\\", "^]", "^a", "^b", "^h", "^i", "^m", "~"];
    for (_, keys, command) in Keymap::preset("vi").unwrap().rows() {
        assert!(keys.split(", ").any(|key| !KEPT.contains(&key)), "{command}: {keys}");
    }
}

#[test]
fn a_key_is_looked_up_from_inside_out() {
    let keymap = Keymap::preset("vi").unwrap();
    assert_eq!(keymap.resolve(&["scripts", "list", "global"], &keys("n")), Found::Command("new"));
    assert_eq!(keymap.resolve(&["text", "list", "global"], &keys("n")), Found::Command("next-match"));
    assert_eq!(keymap.resolve(&["dialog"], &keys("<esc>")), Found::Command("cancel"));
    assert_eq!(keymap.resolve(&["dialog"], &keys("q")), Found::None);
    assert_eq!(keymap.resolve(&["global"], &keys("<S-tab>")), Found::Command("previous-pane"));
    assert_eq!(keymap.resolve(&["global"], &[]), Found::None);
}

#[test]
fn a_beginning_names_what_may_follow_in_every_context() {
    let keymap = Keymap::preset("vi").unwrap();
    let Found::Prefix(next) = keymap.resolve(&["list", "global"], &keys("g")) else { panic!() };
    let next: Vec<String> = next.iter().map(|(chord, command)| format!("{chord} {command}")).collect();
    assert_eq!(next, ["g first", "s go-scripts", "t go-targets", "j go-jobs", "h go-history", "l go-log"]);
    assert_eq!(keymap.resolve(&["list", "global"], &keys("gg")), Found::Command("first"));
    assert_eq!(keymap.resolve(&["list", "global"], &keys("gj")), Found::Command("go-jobs"));
    assert_eq!(keymap.resolve(&["list", "global"], &keys("gx")), Found::None);
}

#[test]
fn an_inner_key_hides_an_outer_beginning_and_the_other_way_round() {
    let (keymap, problems) = with("[jobs]\nstop = [\"g\"]\n[job]\nstop = [\"q x\"]\n");
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(keymap.resolve(&["jobs", "list", "global"], &keys("g")), Found::Command("stop"));
    let Found::Prefix(next) = keymap.resolve(&["job", "global"], &keys("q")) else { panic!() };
    assert_eq!(next, [(keys("x")[0], "stop".to_owned())]);
}

#[test]
fn the_operator_replaces_adds_and_unbinds() {
    let (keymap, problems) = with("[job]\nstop = []\nfollow = [\"F\", \"<C-f>\"]\n[list]\ndown = \"n\"\n");
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(keymap.keys_for("job", "stop"), Vec::<String>::new());
    assert_eq!(keymap.keys_for("jobs", "stop"), ["K"]);
    assert_eq!(keymap.keys_for("job", "follow"), ["F", "^f"]);
    assert_eq!(keymap.keys_for("list", "down"), ["n"]);
}

#[test]
fn two_commands_may_change_places() {
    let (keymap, problems) = with("[list]\ndown = [\"k\"]\nup = [\"j\"]\n");
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(keymap.keys_for("list", "up"), ["j"]);
}

#[test]
fn a_conflict_names_both_sides_and_the_place() {
    let (keymap, problems) = with("\n[list]\ndown = [\n  \"n\",\n  \"v\"]\nup = [\"g\"]\n");
    assert_eq!(
        problems,
        [
            "keymap.toml:5: [list] `down` and `range` cannot both have \"v\"; `range` keeps it",
            "keymap.toml:6: [list] `up` and `first` cannot both have \"g\" (\"g g\" is there already); `first` keeps it",
        ]
    );
    assert_eq!(keymap.keys_for("list", "down"), ["n"]);
    assert_eq!(keymap.keys_for("list", "up"), ["k", "up"]);
    assert_eq!(keymap.keys_for("list", "range"), ["v"]);
}

#[test]
fn every_mistake_is_named_and_costs_only_itself() {
    let (keymap, problems) = with(
        "colour = 1\n[list]\nno-such = [\"a\"]\ndown = [\"j\", \"foo\"]\nup = 3\n[jbo]\nstop = []\n[global]\nhelp = [\"a b c d e\"]\n",
    );
    let mut starts: Vec<&str> = problems.iter().map(|text| text.split(": ").next().unwrap()).collect();
    starts.sort_unstable();
    assert_eq!(
        starts,
        ["keymap.toml:1", "keymap.toml:3", "keymap.toml:4", "keymap.toml:5", "keymap.toml:6", "keymap.toml:9"],
        "{problems:#?}"
    );
    assert_eq!(keymap.keys_for("list", "down"), ["j"]);
    assert_eq!(keymap.keys_for("list", "up"), ["k", "up"]);
    assert_eq!(keymap.keys_for("global", "help"), ["?", "F1"]);
}

#[test]
fn a_file_that_is_not_toml_leaves_the_preset() {
    let (keymap, problems) = with("[list]\ndown = [\n");
    assert!(problems[0].starts_with("keymap.toml:"), "{problems:?}");
    assert_eq!(keymap, Keymap::preset("vi").unwrap());
}

#[test]
fn there_is_always_a_way_out() {
    for text in [
        "[global]\nquit = []\ncopy = [\"Q\"]\n",
        "[global]\ncopy = [\"Q\"]\nquit = [\"y\"]\nhelp = [\"y\"]\n",
        "[global]\nquit = [\"foo\"]\ncopy = [\"Q\"]\n",
        "[global]\nquit = [\"esc\"]\ncopy = [\"Q\"]\n",
    ] {
        let (keymap, problems) = with(text);
        assert!(!problems.is_empty(), "{text}");
        assert!(!keymap.keys_for("global", "quit").is_empty(), "{text}");
    }
    assert_eq!(with("[global]\nquit = [\"<C-q>\"]\n").0.keys_for("global", "quit"), ["^q"]);
}

#[test]
fn an_unknown_preset_is_named() {
    let (keymap, problems) = Keymap::load("nano", None, &all);
    assert!(problems[0].contains("`nano`"), "{problems:?}");
    assert_eq!(keymap, Keymap::preset("vi").unwrap());
    let (_, problems) = with("preset = \"nano\"\n");
    assert!(problems[0].starts_with("keymap.toml:1: "), "{problems:?}");
}

#[test]
fn a_preset_may_be_ahead_of_the_program() {
    let (keymap, problems) = Keymap::load("vi", None, &|command| command != "go-log");
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(keymap.keys_for("global", "go-log"), Vec::<String>::new());
}

#[test]
fn rows_come_by_context_with_all_keys_of_a_command() {
    let rows = Keymap::preset("vi").unwrap().rows();
    assert_eq!(rows[0], ("global".into(), "?, F1".into(), "help".into()));
    assert!(rows.contains(&("list".into(), "g g, home".into(), "first".into())));
    assert!(rows.contains(&("launch".into(), "alt-a".into(), "block-a".into())));
    assert!(rows.iter().position(|row| row.0 == "dialog") > rows.iter().rposition(|row| row.0 == "list"));
}
