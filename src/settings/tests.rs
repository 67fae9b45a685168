//! The configuration as an operator meets it: tables of files and what comes of them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::*;
use crate::model::connection::{HostKeys, Kind};
use crate::model::window::Window;

struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.toml"), config).unwrap();
        Self { folder }
    }

    fn config(&self) -> String {
        self.folder.path().join("config.toml").to_str().unwrap().to_owned()
    }

    fn read_with(&self, vars: &[(&str, &str)], overrides: &Overrides) -> Settings {
        let config = self.config();
        let home = self.folder.path().to_str().unwrap().to_owned();
        let mut all = vec![("QUARTERDECK_CONFIG", config.as_str()), ("HOME", &home), ("USER", "ops")];
        all.extend(vars);
        super::read(&Env::of(&all), "", overrides)
    }

    fn read(&self) -> Settings {
        self.read_with(&[], &Overrides::default())
    }
}

fn read(config: &str) -> Settings {
    Desk::new(config).read()
}

#[test]
fn without_a_file_there_are_this_machine_and_the_ssh_hosts() {
    let settings = super::read(&Env::of(&[("HOME", "/nowhere")]), "", &Overrides::default());
    let names: Vec<_> = settings.connections.iter().map(|c| (c.name.as_str(), c.kind.word())).collect();
    assert_eq!(names, [("local", "local"), ("ssh", "ssh")]);
    assert_eq!(settings.problems, Vec::<String>::new());
    assert_eq!(settings.engine, EngineSettings::default());
    assert_eq!(settings.ui, UiSettings::default());
    assert_eq!(settings.paths.library, PathBuf::from("/nowhere/.local/share/quarterdeck/library"));
}

#[test]
fn a_file_that_was_named_and_is_not_there_is_said() {
    let overrides = Overrides { config: Some("/nowhere/q.toml".into()), ..Overrides::default() };
    let settings = super::read(&Env::of(&[("HOME", "/home/ops")]), "", &overrides);
    assert_eq!(
        settings.problems,
        [
            "/nowhere/q.toml: there is no such file, and --config or QUARTERDECK_CONFIG names it (mend the name, write the file, \
             or name none for the usual one); the defaults are used; everything is taken as frozen until that is put right"
        ]
    );
    assert_eq!(settings.connections.len(), 2);
}

#[test]
fn every_right_value_counts() {
    let settings = read(
        r##"
        [engine]
        idle_exit = "2h"
        at_once = 0
        confirm_above = 5
        timeout = "90s"
        keep_days = 7
        keep_size = "500MB"
        socket = "run/e.sock"
        [library]
        path = "~/scripts"
        [ui]
        fleet = "acme-prod"
        theme = "mono"
        keymap = "arrows"
        ascii = true
        color = "never"
        fps = 10
        ask_terminal = false
        mouse = true
        editor = "nano -w"
        pager = "most"
        "##,
    );
    assert_eq!(settings.problems, Vec::<String>::new());
    let expected = EngineSettings {
        idle_exit: Duration::from_secs(7200),
        at_once: 0,
        confirm_above: 5,
        timeout: Some(Duration::from_secs(90)),
        keep_days: 7,
        keep_bytes: 500_000_000,
        closed: Vec::new(),
        webhooks: Vec::new(),
        hooks: Vec::new(),
    };
    assert_eq!(settings.engine, expected);
    assert_eq!(settings.paths.library, settings.home.join("scripts"));
    assert_eq!(settings.paths.socket, settings.paths.config.parent().unwrap().join("run/e.sock"));
    let expected = UiSettings {
        fleet: "acme-prod".to_owned(),
        theme: ThemeWish::Named("mono".to_owned()),
        theme_pinned: false,
        keymap: "arrows".to_owned(),
        keymap_pinned: false,
        ascii: Some(true),
        no_color: true,
        fps: Some(10),
        ask: false,
        mouse: true,
        editor: Some("nano -w".to_owned()),
        pager: Some("most".to_owned()),
        ring: crate::model::notify::Ring::default(),
    };
    assert_eq!(settings.ui, expected);
}

#[test]
fn a_wrong_part_is_named_with_its_place_and_the_rest_counts() {
    for (config, problem) in [
        ("\n[engine]\nretries = 3", "~/config.toml:3:1: unknown key `retries` in [engine]"),
        (
            "[engine]\nidle_exits = \"1h\"",
            "~/config.toml:2:1: unknown key `idle_exits` in [engine]; did you mean `idle_exit`?",
        ),
        (
            "[engine]\nidle_exit = \"soon\"",
            "~/config.toml:2:13: `idle_exit` in [engine]: expected a duration such as \"30s\", \"10m\", \"2h\" or \"1d\", found \"soon\"",
        ),
        (
            "[engine]\nat_once = -1",
            "~/config.toml:2:11: `at_once` in [engine]: expected a whole number from 0 to 1000000, found -1",
        ),
        (
            "[engine]\nat_once = \"many\"",
            "~/config.toml:2:11: `at_once` in [engine]: expected a whole number from 0 to 1000000, found \"many\"",
        ),
        ("[ui]\nascii = \"yes\"", "~/config.toml:2:9: `ascii` in [ui]: expected true or false, found \"yes\""),
        (
            "[ui]\ncolor = \"red\"",
            "~/config.toml:2:9: `color` in [ui]: expected one of auto, always, never, found \"red\"",
        ),
        (
            "[ui]\nfps = 1.5",
            "~/config.toml:2:7: `fps` in [ui]: expected a whole number from 1 to 60, found a value of type float",
        ),
        ("[enigne]\nat_once = 3", "~/config.toml:1:2: unknown section `enigne`; did you mean `engine`?"),
        ("at_once = 3", "~/config.toml:1:1: `at_once` belongs below [engine]"),
        ("engine = 3", "~/config.toml:1:1: `engine` is a section: [engine]"),
        (
            "[connection]\nname = \"a\"",
            "~/config.toml:1:2: write [[connection]], with two brackets: there may be several",
        ),
        ("[[connection]]\nkind = \"ssh\"", "~/config.toml:1:1: a connection has no `name`: it is left out"),
        (
            "[[connection]]\nname = \"a\"",
            "~/config.toml:1:1: connection `a` has no `kind`: \"local\", \"ssh\", \"webscripts\" or \"simplemdm\"",
        ),
        (
            "[[connection]]\nname = \"a:b\"\nkind = \"ssh\"",
            "~/config.toml:2:8: \"a:b\" cannot name a connection: letters, digits, `-`, `_` and `.` can; it is left out",
        ),
        (
            "[[connection]]\nname = \"a b\"\nkind = \"ssh\"",
            "~/config.toml:2:8: \"a b\" cannot name a connection: letters, digits, `-`, `_` and `.` can; it is left out",
        ),
        (
            "[[connection]]\nname = \"a\"\nkind = \"shh\"",
            "~/config.toml:3:8: connection `a`: unknown kind, expected \"local\", \"ssh\", \"webscripts\" or \"simplemdm\"; did you mean \"ssh\"?",
        ),
        (
            "[[connection]]\nname = \"macs\"\nkind = \"fleet\"\nurl = \"https://x\"",
            "~/config.toml:3:8: connection `macs`: kind \"fleet\" is not built yet, it is left out",
        ),
        (
            "[[connection]]\nname = \"a\"\nkind = \"ssh\"\ninventroy = [\"x\"]",
            "~/config.toml:4:1: unknown key `inventroy` in connection `a` (ssh); did you mean `inventory`?",
        ),
        (
            "[[connection]]\nname = \"a\"\nkind = \"ssh\"\nhost_keys = \"no\"",
            "~/config.toml:4:13: `host_keys` in connection `a`: expected one of strict, accept-new, found \"no\"",
        ),
        (
            "[[connection]]\nname = \"a\"\nkind = \"ssh\"\n[[connection]]\nname = \"a\"\nkind = \"ssh\"",
            "~/config.toml:4:1: there is a connection named `a` already: this one is left out",
        ),
    ] {
        let settings = read(config);
        assert_eq!(settings.problems, [problem], "{config}");
        assert_eq!(settings.engine, EngineSettings::default(), "{config}");
    }
}

#[test]
fn a_guard_that_was_written_down_wrongly_is_in_force() {
    for (line, protected, read_only, said) in [
        (
            "protcted = true",
            true,
            false,
            "unknown key `protcted` in connection `a` (local), taken as protected; did you mean",
        ),
        (
            "protected = \"yes\"",
            true,
            false,
            "`protected` in connection `a`, taken as protected: expected true or false",
        ),
        (
            "readonly = true",
            false,
            true,
            "unknown key `readonly` in connection `a` (local), taken as read-only; did you mean",
        ),
        ("colour = true", false, false, "unknown key `colour` in connection `a` (local)"),
    ] {
        let settings = read(&format!("[[connection]]\nname = \"a\"\nkind = \"local\"\n{line}\n"));
        let connection = &settings.connections[0];
        assert_eq!((connection.protected, connection.read_only), (protected, read_only), "{line}");
        assert!(settings.problems[0].contains(said), "{line}: {:?}", settings.problems);
    }
}

#[test]
fn the_rest_of_a_file_with_a_mistake_counts() {
    let settings = read("[engine]\nat_once = 7\nretries = 3\n[ui]\ntheme = \"mono\"\nfps = 0\n");
    assert_eq!(settings.engine.at_once, 7);
    assert_eq!(settings.ui.theme, ThemeWish::Named("mono".into()));
    assert_eq!(settings.ui.fps, None);
    assert_eq!(settings.problems.len(), 2);
    assert!(settings.problems[0].starts_with("~/config.toml:3:1:"), "{:?}", settings.problems);
}

#[test]
fn broken_syntax_is_named_with_its_place_and_never_ends_the_program() {
    for (config, place) in [
        ("[engine\nat_once = 3\n", "~/config.toml:1:"),
        ("[engine]\nat_once = = 3\n[ui]\nfps = 10", "~/config.toml:2:"),
        ("[engine]\nat_once = 3\nat_once = 4\n", "~/config.toml:3:1"),
        ("[ui]\ntheme = \"unfinished\n", "~/config.toml:2:"),
        ("\u{0}\u{1}", "~/config.toml:1:"),
        ("[[[[[[", "~/config.toml:1:"),
    ] {
        let settings = read(config);
        let frozen = &settings.engine.closed[0];
        assert!(frozen.everywhere && frozen.says("").contains(place), "{config:?}: {frozen:?}");
        assert!(settings.problems[0].contains("everything is taken as frozen"), "{config:?}: {:?}", settings.problems);
        assert!(settings.problems[0].starts_with(place), "{config:?}: {:?}", settings.problems);
        assert!(!settings.problems.iter().any(|problem| problem.contains('\n')));
        assert!(settings.connections.iter().any(|connection| connection.name == "local"));
    }
}

#[test]
fn a_freeze_under_a_name_that_was_to_be_another_is_of_everything() {
    for (config, place) in [
        ("[[freez]]\nweekly = \"Sat\"", "~/config.toml:1:3: unknown key `freez`; did you mean `freeze`?"),
        ("[[maintainance]]\ntarget = \"web\"", "~/config.toml:1:3: unknown key `maintainance`"),
        ("[freeze]\nreason = \"x\"", "~/config.toml:1:2: write [[freeze]]"),
        ("freeze = [\"web\"]", "~/config.toml:1:11: a freeze is a table"),
        (
            "[engine]\nat_once = 3\n[[engine.freeze]]\non = \"all\"",
            "~/config.toml:3:10: unknown key `freeze` in [engine]",
        ),
    ] {
        let settings = read(config);
        let [frozen] = settings.engine.closed.as_slice() else { panic!("{config}: {:?}", settings.engine.closed) };
        assert!(frozen.everywhere && frozen.target.is_none() && frozen.window == Window::always(), "{config}");
        let says = frozen.says("");
        assert!(
            says.starts_with("in a change freeze until the configuration is put right") && says.contains(place),
            "{says}"
        );
        assert!(settings.problems[0].starts_with(place), "{:?}", settings.problems);
    }
    assert_eq!(read("[[webhok]]\nurl = \"x\"").engine, EngineSettings::default(), "no freeze is lost by that");
}

#[test]
fn what_follows_from_a_missing_bracket_is_counted_and_the_cause_comes_first() {
    let settings = read("[engine\nat_once = 3\n[ui]\nthem = \"mono\"\n[[freeze]]\non = \"all\"\n");
    let [cause, more] = settings.problems.as_slice() else { panic!("{:?}", settings.problems) };
    assert!(cause.starts_with("~/config.toml:1:"), "{cause}");
    assert_eq!(*more, format!("~/config.toml: {} more: quarterdeck config check", settings.all_problems.len() - 1));
    assert_eq!(settings.all_problems[0], *cause);
}

#[test]
fn a_file_that_is_no_text_is_named() {
    let desk = Desk::new("");
    std::fs::write(desk.config(), b"[ui]\ntheme = \"\xff\xfe\"\n").unwrap();
    let frozen = "; everything is taken as frozen until that is put right";
    assert_eq!(desk.read().problems, [format!("~/config.toml:2: not read, the file is not UTF-8{frozen}")]);
    assert!(desk.read().engine.closed[0].everywhere);
    std::fs::remove_file(desk.config()).unwrap();
    std::fs::create_dir(desk.config()).unwrap();
    assert_eq!(desk.read().problems, [format!("~/config.toml: not read, it is not a file{frozen}")]);
}

#[test]
fn an_ssh_connection_is_read_whole() {
    let desk = Desk::new(
        r#"
        [[connection]]
        name = "lab"
        kind = "ssh"
        inventory = ["hosts.ini", "/etc/ansible/more.yml"]
        ssh_config = "ssh_config"
        known_hosts = "~/known"
        host_keys = "accept-new"
        keep = "1m"
        max_handshakes = 8
        protected = true
        [[connection]]
        name = "eu"
        kind = "ssh"
        inventory = "eu.ini"
        read_only = true
        "#,
    );
    let settings = desk.read_with(&[("SSH_AUTH_SOCK", "/tmp/agent")], &Overrides::default());
    assert_eq!(settings.problems, Vec::<String>::new());
    let base = settings.paths.config.parent().unwrap();
    let names: Vec<_> = settings.connections.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["local", "lab", "eu"]);
    let Kind::Ssh(lab) = &settings.connections[1].kind else { panic!("not ssh") };
    assert_eq!(lab.inventory, [base.join("hosts.ini"), PathBuf::from("/etc/ansible/more.yml")]);
    assert_eq!(lab.ssh_config, Some(base.join("ssh_config")));
    assert_eq!(lab.known_hosts, Some(settings.home.join("known")));
    assert_eq!(lab.host_keys, Some(HostKeys::AcceptNew));
    assert_eq!((lab.keep_seconds, lab.max_handshakes), (60, 8));
    assert_eq!((lab.user.as_str(), lab.home.as_path()), ("ops", settings.home.as_path()));
    assert_eq!(lab.agent.as_deref(), Some(Path::new("/tmp/agent")));
    assert!(settings.connections[1].protected && !settings.connections[1].read_only);
    let Kind::Ssh(eu) = &settings.connections[2].kind else { panic!("not ssh") };
    assert_eq!(eu.inventory, [base.join("eu.ini")]);
    assert!(settings.connections[2].read_only);
}

#[test]
fn this_machine_stays_reachable_unless_the_file_says_otherwise() {
    let ssh = "[[connection]]\nname = \"lab\"\nkind = \"ssh\"\n";
    let own = "[[connection]]\nname = \"here\"\nkind = \"local\"\n";
    for (config, names) in [
        (ssh.to_owned(), vec!["local", "lab"]),
        (format!("{ssh}[local]\nenabled = false\n"), vec!["lab"]),
        (format!("{ssh}{own}"), vec!["lab", "here"]),
        (ssh.replace("lab", "local"), vec!["local"]),
        ("[local]\nenabled = false\n".to_owned(), vec!["ssh"]),
    ] {
        let settings = read(&config);
        assert_eq!(settings.problems, Vec::<String>::new(), "{config}");
        assert_eq!(settings.connections.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), names, "{config}");
    }
}

#[test]
fn the_environment_wins_over_the_file_and_flags_over_both() {
    let desk = Desk::new("[engine]\nat_once = 7\n[ui]\ntheme = \"file\"\nkeymap = \"file\"\n");
    let vars = [
        ("QUARTERDECK_ENGINE__AT_ONCE", "9"),
        ("QUARTERDECK_ENGINE__IDLE_EXIT", "5s"),
        ("QUARTERDECK_UI__THEME", "exact"),
        ("QUARTERDECK_THEME", "short"),
        ("QUARTERDECK_KEYMAP", "env"),
        ("QUARTERDECK_ASCII", "1"),
    ];
    let settings = desk.read_with(&vars, &Overrides { keymap: Some("flag".to_owned()), ..Overrides::default() });
    assert_eq!(settings.problems, Vec::<String>::new());
    assert_eq!(settings.engine.at_once, 9);
    assert_eq!(settings.engine.idle_exit, Duration::from_secs(5));
    assert_eq!((settings.ui.theme.to_string().as_str(), settings.ui.keymap.as_str()), ("exact", "flag"));
    assert!(settings.ui.theme_pinned && settings.ui.keymap_pinned);
    assert_eq!(settings.ui.ascii, Some(true));
}

#[test]
fn stray_variables_do_no_harm() {
    let desk = Desk::new("");
    let vars = [
        ("QUARTERDECK_LOG", "debug"),
        ("QUARTERDECK_HOME", "/x"),
        ("QUARTERDECK_", "x"),
        ("QUARTERDECK", "x"),
        ("QUARTERDECK_ENGINE__RETRIES", "3"),
        ("QUARTERDECK_ENGINE__AT_ONCE", "many"),
        ("QUARTERDECK_UI__FPS", ""),
    ];
    let settings = desk.read_with(&vars, &Overrides::default());
    assert_eq!(
        settings.problems,
        [
            "the variable QUARTERDECK_ENGINE__AT_ONCE: expected a whole number from 0 to 1000000, found \"many\"",
            "the variable QUARTERDECK_ENGINE__RETRIES names no setting: [engine] has no `retries`",
        ]
    );
    assert_eq!(settings.engine, EngineSettings::default());
}

#[test]
fn colour_is_a_matter_of_flag_file_and_no_color_in_that_order() {
    let with = |color: &str| Desk::new(&format!("[ui]\ncolor = \"{color}\"\n"));
    let flag = |color| Overrides { color: Some(color), ..Overrides::default() };
    let no_color = [("NO_COLOR", "1")];
    for (desk, vars, overrides, expected) in [
        (with("auto"), &[][..], Overrides::default(), false),
        (with("auto"), &no_color, Overrides::default(), true),
        (with("always"), &no_color, Overrides::default(), false),
        (with("never"), &[], Overrides::default(), true),
        (with("never"), &[], flag(Colours::Always), false),
        (with("always"), &[], flag(Colours::Never), true),
    ] {
        assert_eq!(desk.read_with(vars, &overrides).ui.no_color, expected);
    }
}

#[test]
fn the_editor_is_the_configured_one_else_the_shells() {
    let desk = Desk::new("");
    let editor = |vars: &[(&str, &str)]| desk.read_with(vars, &Overrides::default()).ui.editor;
    assert_eq!(editor(&[("VISUAL", "vim"), ("EDITOR", "ed")]).as_deref(), Some("vim"));
    assert_eq!(editor(&[("EDITOR", "ed")]).as_deref(), Some("ed"));
    assert_eq!(editor(&[]), None);
}

#[test]
fn a_theme_may_depend_on_what_the_terminal_stands_on() {
    let file = "[ui]\ntheme = { dark = \"nord\", light = \"one-light\" }\n";
    let settings = read(file);
    assert_eq!(settings.problems, Vec::<String>::new());
    let wish = ThemeWish::ByGround { dark: "nord".into(), light: "one-light".into(), fallback: "terminal".into() };
    assert_eq!((settings.ui.theme, settings.ui.theme_pinned), (wish, false));
    let named = Desk::new(file).read_with(&[("QUARTERDECK_THEME", "dracula")], &Overrides::default());
    assert_eq!((named.ui.theme, named.ui.theme_pinned), (ThemeWish::Named("dracula".into()), true));
    let wrong = read("[ui]\ntheme = { drak = \"nord\", light = 3 }\n");
    assert!(
        wrong.problems[0].contains(":2:11: unknown key `drak` in `theme`; did you mean `dark`?"),
        "{:?}",
        wrong.problems
    );
    assert!(wrong.problems[1].contains(":2:34: `theme.light` in [ui]: expected a text"), "{:?}", wrong.problems);
}
