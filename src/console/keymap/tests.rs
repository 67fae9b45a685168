//! What a keymap promises.

use super::*;
use crate::console::app::commands;

fn all(_: &str, _: &str) -> Result<(), String> {
    Ok(())
}

fn with(text: &str) -> (Keymap, Vec<String>) {
    Keymap::load("vi", Some((Path::new("keymap.toml"), text)), &|_, command| match command {
        "no-such" => Err("there is no such command".into()),
        _ => Ok(()),
    })
}

fn keys(text: &str) -> Vec<Chord> {
    macro_keys(text).into_iter().filter_map(Chord::of).collect()
}

#[test]
fn every_preset_is_without_fault_and_without_conflict() {
    for (name, text) in PRESETS {
        let (file, problems) = read::wishes(name, text);
        assert_eq!(problems, Vec::<String>::new());
        let base = file.preset.as_ref().and_then(|(base, _)| Keymap::preset(base));
        let mut keymap = base.unwrap_or(Keymap { bindings: Vec::new() });
        let mut problems = Vec::new();
        keymap.apply(file.wishes, &all, &mut problems);
        assert_eq!(problems, Vec::<String>::new());
    }
}

#[test]
fn every_command_has_a_key_in_every_preset_or_none_on_purpose() {
    for preset in Keymap::presets() {
        let (keymap, _) = Keymap::load(preset, None, &commands::known);
        for command in commands::TABLE {
            let bound = [command.context, "text", "list", "dialog", "global"]
                .iter()
                .any(|context| !keymap.keys_for(context, command.name).is_empty());
            let keyless = commands::KEYLESS.contains(&(command.context, command.name));
            assert_eq!(bound, !keyless, "{preset}: [{}] {} (see commands::KEYLESS)", command.context, command.name);
        }
    }
}

#[test]
fn no_command_depends_on_a_key_that_terminals_keep_for_themselves() {
    // Flow control, quit, telnet, the prefixes of screen and tmux, backspace, tab, enter, an escape of ssh; alt and
    // what only a modern terminal can send.
    let kept = |key: &str| {
        ["^s", "^q", "^\\", "^]", "^a", "^b", "^h", "^i", "^m", "~"]
            .iter()
            .any(|kept| key.split(' ').any(|k| k == *kept))
    };
    let digits = |key: &str| key.strip_prefix("alt-").is_some_and(|rest| rest.parse::<u8>().is_ok());
    let rare = |key: &str| key.contains("ctrl-enter") || key.contains("shift-^");
    for preset in Keymap::presets() {
        for (context, keys, command) in Keymap::load(preset, None, &commands::known).0.rows() {
            let keys: Vec<&str> = keys.split(", ").collect();
            let safe = keys.iter().any(|key| !kept(key) && !digits(key) && !rare(key));
            assert!(safe, "{preset}: [{context}] {command}: {keys:?}");
        }
    }
}

#[test]
fn a_preset_printed_as_a_file_is_that_preset() {
    for preset in Keymap::presets() {
        let (keymap, _) = Keymap::load(preset, None, &commands::known);
        let all = commands::TABLE.iter().map(|command| (command.context, command.name, command.doc));
        let text = keymap.file(preset, all);
        let (again, problems) = Keymap::load("vi", Some((Path::new("keymap.toml"), &text)), &commands::known);
        assert_eq!(problems, Vec::<String>::new(), "{text}");
        assert_eq!(again.rows().len(), keymap.rows().len());
        for (context, keys, command) in keymap.rows() {
            assert_eq!(again.keys_for(&context, &command).join(", "), keys, "{preset} [{context}] {command}");
        }
    }
}

#[test]
fn emacs_and_arrows_move_without_vi() {
    let at = |preset: &str, keys_: &str| {
        let keymap = Keymap::preset(preset).unwrap();
        match keymap.resolve(&["scripts", "list", "global"], &keys(keys_)) {
            Found::Command(name) => name.to_owned(),
            Found::Prefix(next) => format!("{} more", next.len()),
            Found::None => "nothing".to_owned(),
        }
    };
    for (preset, keys, command) in [
        ("emacs", "<C-n>", "down"),
        ("emacs", "<C-p>", "up"),
        ("emacs", "<C-x><C-c>", "quit"),
        ("emacs", "<C-x>o", "next-pane"),
        ("emacs", "<A-lt>", "first"),
        ("emacs", "j", "nothing"),
        ("arrows", "<down>", "down"),
        ("arrows", "j", "nothing"),
        ("arrows", "r", "run"),
        ("vi", "j", "down"),
    ] {
        assert_eq!(at(preset, keys), command, "{preset} {keys}");
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
    assert_eq!(
        next,
        [
            "g first",
            "s go-scripts",
            "t go-targets",
            "j go-jobs",
            "h go-history",
            "u go-groups",
            "l go-log",
            "/ go-search",
            "w go-where",
            "c theme"
        ]
    );
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
    let line = |command: &str| {
        let text = PRESETS[0].1;
        let at = text[..text.find("[list]").unwrap()].lines().count();
        let more = text.lines().skip(at).position(|line| line.starts_with(&format!("{command} ="))).unwrap();
        format!("keymaps/vi.toml:{}", at + more + 1)
    };
    let (keymap, problems) = with("\n[list]\ndown = [\n  \"n\",\n  \"v\"]\nup = [\"g\"]\n");
    assert_eq!(
        problems,
        [
            format!("keymap.toml:5: [list] `down` cannot have \"v\": `range` has it ({}) and keeps it", line("range")),
            format!(
                "keymap.toml:6: [list] `up` cannot have \"g\": `first` has \"g g\" ({}) and keeps it",
                line("first")
            ),
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
    let (keymap, problems) = Keymap::load("vi", None, &|_, command| match command {
        "go-log" => Err(String::new()),
        _ => Ok(()),
    });
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(keymap.keys_for("global", "go-log"), Vec::<String>::new());
}

#[test]
fn a_slip_is_answered_with_what_was_meant() {
    let text = "preset = \"emcas\"\n[lits]\ndown = [\"j\"]\n[list]\ndwon = [\"j\"]\n[jobs]\nfollow = [\"F\"]\n";
    let (_, problems) = Keymap::load("vi", Some((Path::new("k.toml"), text)), &commands::known);
    for (start, part) in [
        ("k.toml:1: ", "did you mean `emacs`?"),
        ("k.toml:2: [lits]: ", "did you mean `list`?"),
        ("k.toml:5: [list] `dwon`: ", "did you mean `down`?"),
        ("k.toml:7: [jobs] `follow`: ", "one of [job]"),
    ] {
        assert!(problems.iter().any(|text| text.starts_with(start) && text.contains(part)), "{start}: {problems:#?}");
    }
}

#[test]
fn every_mistake_says_what_is_wrong_and_what_was_meant() {
    for (text, start, parts) in [
        ("[list]\ndwon = [\"j\"]\n", "k.toml:2: [list] `dwon`: ", &["no such command", "did you mean `down`?"][..]),
        ("[list]\ndown = [\"pgdwn\"]\n", "k.toml:2: [list] `down`: ", &["\"pgdwn\" is no key", "did you mean `pgdn`?"]),
        ("[list]\ndown = [\"g entr\"]\n", "k.toml:2: [list] `down`: ", &["has `entr`", "did you mean `enter`?"]),
        ("[list]\ndown = [\"Hyper-#\"]\n", "k.toml:2: [list] `down`: ", &["is no key", "like j, ^d"]),
        ("[list]\ndown = [\"\"]\n", "k.toml:2: [list] `down`: ", &["is no key", "`space`"]),
        ("[list]\ndown = [\"a b c d e\"]\n", "k.toml:2: [list] `down`: ", &["is 5 keys", "at most 4"]),
        ("[list]\ndown = 7\n", "k.toml:2: [list] `down`: ", &["a list of keys is expected"]),
        (
            "[list]\ndown = [\"v\"]\n",
            "k.toml:2: [list] `down` cannot have \"v\": ",
            &["`range` has it (keymaps/vi.toml:"],
        ),
        (
            "[list]\ndown = [\"g\"]\n",
            "k.toml:2: [list] `down` cannot have \"g\": ",
            &["`first` has \"g g\" (keymaps/vi.toml:"],
        ),
        ("[list]\ndown = [\"v x\"]\n", "k.toml:2: [list] `down` cannot have \"v x\": ", &["`range` has \"v\""]),
        ("[global]\nquit = []\n", "k.toml:2: [global] `quit`: ", &["the way out needs a key"]),
        ("[jobs]\nfollow = [\"F\"]\n", "k.toml:2: [jobs] `follow`: ", &["one of [job]", "not of this place"]),
        ("[find]\nfreeze = [\"F5\"]\n", "k.toml:2: [find] `freeze`: ", &["one of [job]"]),
        ("[lits]\ndown = [\"j\"]\n", "k.toml:1: [lits]: ", &["no such context", "did you mean `list`?"]),
        (
            "preset = \"emcas\"\n",
            "k.toml:1: ",
            &["no keymap is called `emcas`", "did you mean `emacs`?", "`vi` is used"],
        ),
        ("colour = 1\n", "k.toml:1: `colour`: ", &["only `preset` and tables of contexts"]),
        ("[list]\ndown = [\n", "k.toml:", &[]),
    ] {
        let (keymap, problems) = Keymap::load("vi", Some((Path::new("k.toml"), text)), &commands::known);
        let [said] = problems.as_slice() else { panic!("{text}{problems:?}") };
        assert!(said.starts_with(start) && parts.iter().all(|part| said.contains(part)), "{text}{said}");
        let sorted = |keymap: &Keymap| keymap.rows().into_iter().collect::<std::collections::BTreeSet<_>>();
        let untouched = Keymap::load("vi", None, &commands::known).0;
        assert!(sorted(&keymap) == sorted(&untouched), "{text}: nothing else changes");
    }
}

#[test]
fn an_inner_place_names_commands_of_the_one_around_it() {
    let keymap = Keymap::preset("vi").unwrap();
    let bar = ["find", "editor", "global"];
    assert_eq!(keymap.resolve(&bar, &keys("<up>")), Found::Command("find-previous"));
    assert_eq!(commands::find(&bar, "find-previous").map(|command| command.context), Some("editor"));
    assert_eq!(keymap.keys_in(&bar, "find-previous"), ["up", "alt-q"]);
    assert_eq!(keymap.keys_in(&bar[1..], "find-previous"), ["alt-q"], "where up is a motion");
    let text = "[find]\ngoto-line = [\"F7\"]\n";
    let (own, problems) = Keymap::load("vi", Some((Path::new("k.toml"), text)), &commands::known);
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(own.resolve(&bar, &keys("<F7>")), Found::Command("goto-line"));
}

#[test]
fn keys_that_are_hidden_where_one_stands_are_not_shown_there() {
    let keymap = Keymap::preset("vi").unwrap();
    assert_eq!(keymap.keys_in(&["scripts", "list", "global"], "next-match"), Vec::<String>::new(), "n makes a script");
    assert_eq!(keymap.keys_in(&["targets", "list", "global"], "next-match"), ["n"]);
    assert_eq!(keymap.keys_in(&["prompt", "global"], "next-pane"), Vec::<String>::new(), "tab completes");
    assert_eq!(keymap.keys_in(&["scripts", "list", "global"], "go-jobs"), ["g j"]);
}

#[test]
fn for_a_session_the_file_may_stand_on_another_preset() {
    let text = "preset = \"emacs\"\n[list]\nsort = [\"%\"]\n";
    let user = Some((Path::new("k.toml"), text));
    assert_eq!(Keymap::load("vi", user, &all).0.keys_for("list", "down"), ["^n", "down"]);
    let (switched, problems) = Keymap::switched("arrows", user, &all);
    assert!(problems.is_empty());
    assert_eq!(switched.keys_for("list", "down"), ["down"]);
    assert_eq!(switched.keys_for("list", "sort"), ["%"]);
}

#[test]
fn rows_come_by_context_with_all_keys_of_a_command() {
    let rows = Keymap::preset("vi").unwrap().rows();
    assert_eq!(rows[0], ("global".into(), "?, F1".into(), "help".into()));
    assert!(rows.contains(&("list".into(), "g g, home".into(), "first".into())));
    assert!(rows.contains(&("launch".into(), "alt-a".into(), "block-a".into())));
    assert!(rows.iter().position(|row| row.0 == "dialog") > rows.iter().rposition(|row| row.0 == "list"));
}
