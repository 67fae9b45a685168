//! Bad input: broken files, impossible targets, odd scripts, hostile output. Each is answered with its own
//! words, and whatever else can go on goes on. Hosts that misbehave are in `ssh.rs`, a full disk and a
//! killed engine in `survive.rs`.

mod support;

use rustix::process::Signal;
use serde_json::json;
use support::{Console, Home, Ran, eventually};

const HELLO: &str = "#!/bin/sh\necho hello\n";

/// The message names all of these.
#[track_caller]
fn names(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word:?} is not named in:\n{text}");
    }
}

/// Both streams: what an operator sees of a verb.
fn all(ran: &Ran) -> String {
    format!("{}{}", ran.text(), ran.errors())
}

// ---- broken files: named by file, line and key; the rest goes on -------------------------------------------

#[test]
fn a_broken_config_names_file_line_and_key_and_everything_else_still_works() {
    for (config, words) in [
        ("[engine]\nat_once = \"many\"\n", &["config.toml", "2", "at_once"][..]),
        ("[engine]\n\nat_onec = 3\n", &["config.toml", "3", "at_onec"]),
        ("[engine\n", &["config.toml", "1"]),
        ("[[connection]]\nname = \"lab\"\nkind = \"smoke-signals\"\n", &["config.toml", "3", "kind"]),
        ("[[connection]]\nkind = \"ssh\"\n", &["config.toml", "name"]),
        (
            "[[connection]]\nname = \"a\"\nkind = \"local\"\n[[connection]]\nname = \"a\"\nkind = \"local\"\n",
            &["config.toml", "a"],
        ),
        (
            "[[connection]]\nname = \"lab\"\nkind = \"ssh\"\nhost_keys = \"whatever\"\n",
            &["config.toml", "4", "host_keys"],
        ),
    ] {
        let home = Home::empty();
        home.config(config);
        let check = home.qd(["config", "check"]);
        assert_ne!(check.code(), 0, "{config}\n{check}");
        names(&all(&check), words);
        let script = home.file("hello.sh", HELLO);
        let run = ["run", &script, "--target", "local", "--wait"];
        if config == "[engine\n" {
            // nobody knows what such a file freezes
            home.qd(run).exits(2).says(&[
                "in a change freeze until the configuration is put right",
                "config.toml:1",
                "--include freeze",
            ]);
        }
        let ran = home.verb(run.into_iter().chain(["--include", "freeze"])).run().ok();
        assert!(ran.text().contains("hello"), "{ran}");
    }
}

#[test]
fn a_config_that_is_not_text_is_named() {
    let home = Home::empty();
    home.write("config/quarterdeck/config.toml", [0xff, 0xfe, 0, 1, 2]);
    let check = home.qd(["config", "check"]);
    assert_ne!(check.code(), 0, "{check}");
    names(&all(&check), &["config.toml"]);
}

#[test]
fn a_config_named_by_the_environment_must_exist() {
    let home = Home::empty();
    let ran = home.verb(["config", "check"]).env("QUARTERDECK_CONFIG", "/nowhere/at/all.toml").run();
    assert_ne!(ran.code(), 0, "{ran}");
    names(&all(&ran), &["/nowhere/at/all.toml"]);
}

/// The console in front of something broken: it opens, and the notice is on the screen.
#[track_caller]
fn opens_with_notice(home: &Home, words: &[&str]) {
    let mut console = Console::setup(home).size(140, 40).start();
    console.sees("Scripts");
    for word in words {
        console.sees(word);
    }
    console.quit().is_restored();
}

#[test]
fn the_console_opens_on_a_broken_config_with_the_notice() {
    let home = Home::empty();
    home.config("[engine]\nat_once = \"many\"\n");
    opens_with_notice(&home, &["config.toml", "at_once"]);
}

#[test]
fn the_console_opens_on_a_config_that_is_no_toml_with_the_notice() {
    let home = Home::empty();
    home.config("this is no toml {{{\n");
    opens_with_notice(&home, &["config.toml"]);
}

#[test]
fn the_console_opens_on_a_broken_keymap_with_the_notice() {
    let home = Home::empty();
    home.write("config/quarterdeck/keymap.toml", "[global]\nfly = [\"<C-q>\"]\n");
    opens_with_notice(&home, &["keymap.toml", "fly"]);
}

#[test]
fn the_console_opens_on_a_broken_theme_with_the_notice() {
    let home = Home::empty();
    home.config("[ui]\ntheme = \"mine\"\n");
    home.write("config/quarterdeck/themes/mine.toml", "inherits = \"terminal\"\n\"state.ok\" = \"greenish\"\n");
    opens_with_notice(&home, &["mine.toml", "greenish"]);
}

#[test]
fn every_bad_theme_opens_the_console_with_its_notice() {
    for (theme, words) in [
        ("inherits = \"yours\"\n", &["mine", "yours"][..]),
        ("inherits = \"terminal\"\ntext = \"#12\"\n", &["mine.toml:2", "#rrggbb"]),
        ("inherits = \"terminal\"\n\"state.okay\" = \"red\"\n", &["mine.toml", "state.okay"]),
        ("inherits = \"nobody\"\n", &["mine.toml", "nobody"]),
        ("[palette\n", &["mine.toml"]),
    ] {
        let home = Home::empty();
        home.config("[ui]\ntheme = \"mine\"\n");
        home.write("config/quarterdeck/themes/mine.toml", theme);
        home.write("config/quarterdeck/themes/yours.toml", "inherits = \"mine\"\n");
        opens_with_notice(&home, words);
    }
}

#[test]
fn the_console_opens_on_an_unknown_theme_with_the_notice() {
    let home = Home::empty();
    home.config("[ui]\ntheme = \"nosuch\"\n");
    opens_with_notice(&home, &["nosuch"]);
}

/// A home with one ssh connection on this inventory.
fn with_inventory(name: &str, text: &str) -> Home {
    let home = Home::empty();
    let path = home.write(format!("lab/{name}"), text);
    home.config(&format!("[[connection]]\nname = \"lab\"\nkind = \"ssh\"\ninventory = [{path:?}]\n"));
    home
}

#[test]
fn a_broken_inventory_names_file_and_line_and_its_good_part_is_used() {
    for (name, text, words) in [
        ("hosts.ini", "[web]\ngood\n[web:nonsense]\nbad\n", &["hosts.ini", "3"][..]),
        ("hosts.ini", "good\n[web\nother\n", &["hosts.ini", "2"]),
        ("hosts.ini", "good\nweb[9:1]\n", &["hosts.ini", "2"]),
        ("hosts.ini", "good ansible_port=many\n", &["hosts.ini", "1", "ansible_port"]),
        ("hosts.yml", "all:\n  hosts:\n    good:\n  children: [\n", &["hosts.yml"]),
    ] {
        let home = with_inventory(name, text);
        let ran = home.qd(["targets", "ls"]);
        names(&all(&ran), words);
        if name.ends_with("ini") {
            assert_eq!(home.qd(["targets", "resolve", "good", "--json"]).ok().json()["count"], 1, "{text}");
        }
        opens_with_notice(&home, &[name]);
    }
}

#[test]
fn lost_lines_of_an_inventory_let_no_device_through_that_was_to_be_left_out() {
    let home = with_inventory("hosts.ini", "[web]\nweb[005:009] ansible_port=1\n[db]\nweb007 ansible_host=\"x\n");
    let script = home.file("hello.sh", HELLO);
    for expression in ["web[005-009] & !db", "web & group!=db"] {
        home.qd(["run", &script, "--target", expression]).exits(2).says(&[
            "leaves devices out",
            "hosts.ini:4:",
            "not closed",
        ]);
    }
    let plan = home.qd(["plan", &script, "--target", "web005"]).ok();
    let warning = plan.json()["plan"]["warnings"][0].to_string();
    assert!(warning.contains("lab is not whole") && warning.contains("hosts.ini:4:"), "{warning}");
    assert!(plan.errors().contains("quarterdeck: the inventory of lab is not whole"), "{plan}");
    assert_eq!(home.qd(["jobs", "ls", "--json"]).ok().json(), json!([]), "nothing was sent");
}

#[test]
fn a_window_of_a_group_that_lost_lines_is_of_whom_it_may_have_lost() {
    let home = with_inventory("hosts.ini", "[web]\nweb[005:009] ansible_port=1\n[db]\nweb007 ansible_host=\"x\n");
    let config = std::fs::read_to_string(home.path().join("config/quarterdeck/config.toml")).expect("a configuration");
    home.config(&format!("{config}[[freeze]]\ntarget = \"db\"\nreason = \"year end\"\n"));
    let script = home.file("hello.sh", HELLO);
    home.qd(["run", &script, "--target", "web007"]).exits(2).says(&[
        "in a change freeze",
        "year end",
        "of these too until that is put right",
        "hosts.ini:4:",
    ]);
    home.qd(["plan", &script, "--target", "local"]).ok();
}

#[test]
fn a_window_of_nobody_that_is_known_is_of_everything() {
    for (window, why) in [
        ("[[maintenance]]\ntarget = \"goood\"\nreason = \"racks\"\n", "maintenance"),
        ("[[freeze]]\ntarget = \"goood\"\n", "freeze"),
    ] {
        let home = with_inventory("hosts.ini", "good ansible_port=1\n");
        let config =
            std::fs::read_to_string(home.path().join("config/quarterdeck/config.toml")).expect("a configuration");
        home.config(&format!("{config}{window}"));
        let script = home.file("hello.sh", HELLO);
        let wrong = format!(
            "config.toml:6:10: `target` in [[{why}]]: no device, group or connection is named 'goood'; did you mean 'good'?"
        );
        let check = home.qd(["config", "check"]).exits(2);
        names(&all(&check), &[&wrong]);
        let include = format!("--include {why}");
        home.qd(["run", &script, "--target", "local"]).exits(2).says(&["of everything", &wrong, &include]);
        home.qd(["targets", "ls"]).ok();
        home.qd(["run", &script, "--target", "local", "--include", why, "--wait"]).ok();
    }
}

#[test]
fn an_inventory_that_is_not_there_is_named() {
    let home = Home::empty();
    home.config("[[connection]]\nname = \"lab\"\nkind = \"ssh\"\ninventory = [\"nowhere.ini\"]\n");
    names(&all(&home.qd(["targets", "ls"])), &["nowhere.ini"]);
    opens_with_notice(&home, &["nowhere.ini"]);
}

#[test]
fn a_broken_ssh_config_names_file_and_line_and_its_good_part_is_used() {
    let home = Home::empty();
    home.private("home/.ssh/config", "Host good\n  HostName 127.0.6.6\n  Port ninety\nHost also\n  Prot 22\n");
    let text = all(&home.qd(["targets", "ls"]));
    names(&text, &["config:3", "port", "ninety"]);
    assert_eq!(home.qd(["targets", "resolve", "good | also", "--json"]).ok().json()["count"], 2);
    opens_with_notice(&home, &[".ssh/config"]);
}

#[test]
fn a_group_that_contains_itself_is_no_endless_loop() {
    let home = with_inventory("hosts.ini", "[a]\none\n[a:children]\nb\n[b:children]\na\n");
    assert_eq!(home.qd(["targets", "resolve", "a", "--json"]).ok().json()["count"], 1);
    let home = Home::empty();
    home.private("home/.ssh/config", "Include config\nHost one\n  HostName 127.0.6.6\n");
    assert_eq!(home.qd(["targets", "resolve", "one", "--json"]).ok().json()["count"], 1);
}

#[test]
fn a_range_of_a_thousand_million_hosts_is_refused_with_the_reason() {
    let home = with_inventory("hosts.ini", "good\nweb[0:1000000000]\n");
    names(&all(&home.qd(["targets", "ls"])), &["hosts.ini", "2"]);
    assert_eq!(home.qd(["targets", "resolve", "good", "--json"]).ok().json()["count"], 1);
}

// ---- impossible targets: refused before anything is sent ---------------------------------------------------

#[test]
fn what_cannot_be_a_target_is_refused_before_anything_is_sent() {
    let home = Home::empty();
    let script = home.file("hello.sh", HELLO);
    for (expression, words) in [
        ("nosuchgroup", &["nosuchgroup"][..]),
        ("", &["no target"]),
        ("   ", &["no target"]),
        ("local & !local", &["no device"]),
        ("local &", &["^"]),
        ("(local", &["^"]),
        ("local ) & x", &["^"]),
        ("web[01-", &["^"]),
        ("os<", &["^"]),
    ] {
        let ran = home.qd(["run", &script, "--target", expression, "--wait"]).exits(2);
        names(&ran.errors(), words);
        home.qd(["targets", "resolve", expression]).exits(2);
    }
    assert_eq!(home.qd(["jobs", "ls", "--json"]).ok().json(), json!([]), "nothing was sent");
}

#[test]
fn an_error_in_an_expression_points_at_its_column() {
    let home = Home::empty();
    let ran = home.qd(["targets", "resolve", "local & & local"]).exits(2);
    let errors = ran.errors();
    let lines: Vec<&str> = errors.lines().collect();
    let at = lines.iter().position(|line| line.contains("local & & local")).expect("the expression is shown");
    let under = lines[at + 1];
    assert_eq!(under.find('^'), lines[at].find("& local"), "{errors}");
}

#[test]
fn many_devices_without_the_count_are_refused_and_nothing_is_sent() {
    let home = with_inventory("hosts.ini", "[dark]\nh[01:12] ansible_host=127.0.6.9 ansible_port=1\n");
    let script = home.file("hello.sh", HELLO);
    home.qd(["run", &script, "--target", "dark", "--wait"]).exits(2).says(&["--confirm 12"]);
    home.qd(["run", &script, "--target", "dark", "--wait", "--confirm", "11"]).exits(2).says(&["12"]);
    assert_eq!(home.qd(["jobs", "ls", "--json"]).ok().json(), json!([]), "nothing was sent");
    home.qd(["run", &script, "--target", "dark", "--wait", "--confirm", "12"]).exits(6);
}

#[test]
fn a_protected_connection_asks_from_the_second_device_on() {
    let home = Home::empty();
    let path = home.write("lab/hosts.ini", "[dark]\nh[1:2] ansible_host=127.0.6.9 ansible_port=1\n");
    home.config(&format!("[[connection]]\nname = \"lab\"\nkind = \"ssh\"\nprotected = true\ninventory = [{path:?}]\n"));
    let script = home.file("hello.sh", HELLO);
    home.qd(["run", &script, "--target", "dark", "--wait"]).exits(2).says(&["--confirm 2"]);
}

#[test]
fn a_read_only_connection_is_not_written_to() {
    let home = Home::empty();
    home.config("[[connection]]\nname = \"here\"\nkind = \"local\"\nread_only = true\n");
    let script = home.file("hello.sh", HELLO);
    let ran = home.qd(["run", &script, "--target", "here", "--wait"]);
    assert!([2, 4].contains(&ran.code()), "{ran}");
    names(&all(&ran), &["read"]);
}

#[test]
fn wrong_options_are_usage_errors() {
    let home = Home::empty();
    let script = home.file("hello.sh", HELLO);
    for arguments in [
        &["run", &script][..],
        &["run", &script, "--target", "local", "--timeout", "soon"],
        &["run", &script, "--target", "local", "--at-once", "-1"],
        &["run", &script, "--target", "local", "--param", "novalue"],
        &["frobnicate"],
        &["jobs", "show", "not-a-number"],
        &["output", "1", "--stream", "sideways"],
    ] {
        home.verb(arguments.iter().copied()).run().exits(2);
    }
}

// ---- odd scripts -----------------------------------------------------------------------------------------

#[test]
fn a_script_without_a_shebang_is_run_by_sh() {
    let home = Home::empty();
    let script = home.file("plain", "echo plain $0 | grep -c plain\n");
    home.qd(["run", &script, "--target", "local", "--wait"]).ok();
}

#[test]
fn a_script_with_crlf_runs_or_is_refused_with_the_reason() {
    let home = Home::empty();
    let script = home.file("dos.sh", "#!/bin/sh\r\necho works\r\nexit 0\r\n");
    let ran = home.qd(["run", &script, "--target", "local", "--wait"]);
    if ran.code() == 0 {
        assert!(ran.text().contains("works"), "{ran}");
    } else {
        assert_eq!(ran.code(), 2, "{ran}");
        names(&all(&ran), &["CR LF"]);
    }
    names(&all(&home.qd(["scripts", "lint", &script])), &["CR LF"]);
}

#[test]
fn a_script_with_nul_bytes_is_refused_with_the_reason() {
    let home = Home::empty();
    let script = home.file("nul.sh", b"#!/bin/sh\necho a\0b\n");
    let ran = home.qd(["run", &script, "--target", "local", "--wait"]).exits(2);
    names(&ran.errors(), &["NUL"]);
    assert_eq!(home.qd(["jobs", "ls", "--json"]).ok().json(), json!([]));
}

#[test]
fn an_empty_script_runs_or_is_refused_with_the_reason() {
    let home = Home::empty();
    let script = home.file("empty.sh", "");
    let ran = home.qd(["run", &script, "--target", "local", "--wait"]);
    // nothing to do is done well, or said to be nothing
    assert!(ran.code() == 0 || (ran.code() == 2 && ran.errors().contains("empty")), "{ran}");
}

#[test]
fn a_script_of_ten_megabytes_runs_or_is_refused_with_the_reason() {
    let home = Home::empty();
    let mut text = String::from("#!/bin/sh\necho large\nexit\n");
    text.push_str(&"# a line that only makes it longer 0123456789 0123456789\n".repeat(200_000));
    assert!(text.len() > 10_000_000);
    let script = home.file("large.sh", &text);
    let ran = home.qd(["run", &script, "--target", "local", "--wait"]);
    if ran.code() == 0 {
        assert!(ran.text().contains("large"), "{ran}");
    } else {
        assert_eq!(ran.code(), 2, "{ran}");
        names(&ran.errors(), &["MB"]);
    }
}

#[test]
fn a_script_that_is_not_utf8_runs_as_it_is() {
    let home = Home::empty();
    let script = home.file("latin.sh", b"#!/bin/sh\n# caf\xe9\nprintf 'caf\xe9\\n'\n");
    let id = home.qd(["run", &script, "--target", "local"]).ok().job_id();
    home.ended_job(id);
    assert_eq!(home.output(id, &["--raw"]), b"caf\xe9\n");
}

#[test]
fn an_interpreter_that_is_not_there_is_named() {
    let home = Home::empty();
    let script = home.file("nosuch", "#!/usr/bin/no-such-interpreter\nhello\n");
    let ran = home.qd(["run", &script, "--target", "local", "--wait", "--json"]).exits(3);
    let id = ran.events()[0]["id"].as_u64().expect("id");
    names(&home.job(id)["runs"][0]["reason"].to_string(), &["no-such-interpreter"]);
}

#[test]
fn a_folder_a_missing_file_and_a_device_are_no_scripts() {
    let home = Home::empty();
    for path in ["/etc", "/no/such/file.sh", "/dev/zero"] {
        let ran = home.qd(["run", path, "--target", "local", "--wait"]);
        assert!([1, 2].contains(&ran.code()), "{ran}");
        names(&ran.errors(), &[path]);
    }
}

#[test]
fn a_library_with_odd_things_in_it_lists_what_can_be_run() {
    let home = Home::empty();
    home.script("good.sh", HELLO);
    home.script("binary", [0_u8, 159, 146, 150].repeat(1000));
    home.script("sub folder/ünïcode \u{202e}name.sh", HELLO);
    std::os::unix::fs::symlink("/etc", home.library().join("outside")).expect("a link");
    std::os::unix::fs::symlink("loop", home.library().join("loop")).expect("a link");
    let scripts = home.qd(["scripts", "ls", "--json"]).ok().json();
    let names: Vec<&str> =
        scripts["scripts"].as_array().unwrap().iter().filter_map(|script| script["name"].as_str()).collect();
    assert!(names.contains(&"good.sh"), "{names:?}");
    assert!(names.iter().any(|name| name.contains("sub folder/")), "{names:?}");
    assert!(!names.iter().any(|name| name.starts_with("outside")), "links do not lead out: {names:?}");
}

#[test]
fn a_name_that_leads_out_of_the_library_is_not_followed() {
    let home = Home::empty();
    home.script("good.sh", HELLO);
    home.write("data/quarterdeck/secret.sh", "#!/bin/sh\necho out of bounds\n");
    let ran = home.qd(["scripts", "show", "../secret.sh"]);
    assert_ne!(ran.code(), 0, "{ran}");
    assert!(!ran.text().contains("out of bounds"), "{ran}");
}

// ---- hostile output --------------------------------------------------------------------------------------

/// Titles, clipboard, cursor moves, alternate screen, queries, device control, 8-bit C1, and a beep.
const HOSTILE: &[u8] =
    b"\x1b]0;owned title\x07\x1b]52;c;b3duZWQ=\x07\x1b[2J\x1b[H\x1b[?1049h\x1b[6n\x1b[c\x1bP+q544e\x1b\\\
\x9b31m\x9d0;c1 title\x9c\x1b[31mred\x1b[0m \x1b[5;5Hmoved\rback\x08\x07 \xe2\x80\xae right to left\n";

fn hostile_job(home: &Home) -> u64 {
    home.write("work/hostile", HOSTILE);
    let script = home.script("hostile.sh", format!("#!/bin/sh\ncat {}/hostile\n", home.work().display()));
    drop(script);
    let id = home.qd(["run", "hostile.sh", "--target", "local"]).ok().job_id();
    home.ended_job(id);
    id
}

/// No control but newline, tab and colour.
#[track_caller]
fn is_safe(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut rest = text.as_ref();
    while let Some(at) = rest.find(|c: char| c.is_control() && c != '\n' && c != '\t') {
        let sequence = &rest[at..];
        let colour = sequence.strip_prefix("\x1b[").and_then(|parameters| {
            let end = parameters.find(|c: char| !c.is_ascii_digit() && c != ';' && c != ':')?;
            parameters[end..].starts_with('m').then_some(end + 3)
        });
        let Some(length) = colour else { panic!("a control sequence got through: {:?}", &rest[at..]) };
        rest = &sequence[length..];
    }
    assert!(!text.contains('\u{202e}'), "direction overrides are shown, not obeyed: {text:?}");
}

#[test]
fn hostile_output_is_shown_as_safe_text_and_kept_byte_for_byte() {
    let home = Home::empty();
    let id = hostile_job(&home);
    assert_eq!(home.output(id, &["--raw"]), HOSTILE);
    let waited = home.qd(["run", "hostile.sh", "--target", "local", "--wait"]).ok();
    is_safe(&waited.out);
    is_safe(&home.qd(["jobs", "attach", &id.to_string()]).ok().out);
    is_safe(&home.qd(["jobs", "show", &id.to_string()]).ok().out);
    is_safe(&home.qd(["jobs", "show", &id.to_string(), "--json"]).ok().out);
    is_safe(&home.qd(["run", "hostile.sh", "--target", "local", "--wait", "--json"]).ok().out);
}

#[test]
fn hostile_output_does_nothing_to_the_console_s_terminal() {
    let home = Home::empty();
    let id = hostile_job(&home);
    let mut console = Console::start(&home);
    console.opens_job(id, "hostile");
    console.sees("right to left");
    let log = String::from_utf8_lossy(&console.log).into_owned();
    for forbidden in ["owned title", "c1 title", "b3duZWQ="] {
        for opener in ["\x1b]0;", "\x1b]52;c;", "\u{9d}0;"] {
            assert!(!log.contains(&format!("{opener}{forbidden}")), "{forbidden} was sent as a sequence");
        }
    }
    assert!(!console.log.contains(&0x9b) || String::from_utf8(console.log.clone()).is_ok(), "no bare C1 byte");
    console.quit().is_restored();
}

#[test]
fn an_endless_line_is_kept_whole_and_shown_in_part() {
    let home = Home::empty();
    let script = home.script("endless.sh", "#!/bin/sh\nhead -c 30000000 /dev/zero | tr '\\0' 'x'\n");
    drop(script);
    let id = home.qd(["run", "endless.sh", "--target", "local"]).ok().job_id();
    assert_eq!(home.ended_job(id)["runs"][0]["bytes"], 30_000_000);
    let output = home.output(id, &["--raw"]);
    assert!(output.len() == 30_000_000 && output.iter().all(|byte| *byte == b'x'));
    let mut console = Console::start(&home);
    console.opens_job(id, "endless");
    console.sees("xxxxxxxxxx");
    console.quit().is_restored();
}

#[test]
fn binary_output_does_not_disturb_the_console() {
    let home = Home::empty();
    home.script("binary.sh", "#!/bin/sh\nhead -c 200000 /dev/urandom\necho; echo the end\n");
    let id = home.qd(["run", "binary.sh", "--target", "local"]).ok().job_id();
    home.ended_job(id);
    let mut console = Console::start(&home);
    console.opens_job(id, "binary");
    console.sees("the end");
    console.quit().is_restored();
}

#[test]
fn a_gigabyte_of_output_is_kept_and_opens_at_its_end_in_little_memory() {
    let home = Home::empty();
    // lines of 100 bytes: a gigabyte, or a tenth of it where the disk has no room to spare, and said
    let disk = rustix::fs::statvfs(home.path()).expect("the temporary folder is on a disk");
    let roomy = disk.f_bavail * disk.f_frsize > 3_000_000_000;
    let lines = if roomy { 10_000_000_u64 } else { 1_000_000 };
    if !roomy {
        eprintln!("{}: less than 3 GB free, so 100 MB of output instead of a gigabyte", home.path().display());
    }
    let script = format!(
        "#!/bin/sh\nyes '{}' | head -n {lines}\necho the very last line\n",
        "0123456789".repeat(9) + "012345678"
    );
    home.script("large.sh", script);
    let id = home.qd(["run", "large.sh", "--target", "local"]).ok().job_id();
    let run = home.ended_job(id)["runs"][0].clone();
    assert_eq!(run["bytes"].as_u64(), Some(lines * 100 + 19), "{run}");
    let engine = support::processes::Process::read(home.engine()).expect("it lives");
    assert!(engine.resident() < 150 << 20, "the engine holds no output: {} bytes", engine.resident());
    let mut console = Console::start(&home);
    console.opens_job(id, "large");
    console.sees("the very last line");
    let shown = support::processes::Process::read(console.pid()).expect("it lives");
    assert!(shown.resident() < 150 << 20, "the console holds a screenful: {} bytes", shown.resident());
    console.quit().is_restored();
}

// ---- the store -------------------------------------------------------------------------------------------

#[test]
fn a_broken_store_is_named_and_not_overwritten() {
    let home = Home::empty();
    let script = home.file("hello.sh", HELLO);
    let id = home.qd(["run", &script, "--target", "local"]).ok().job_id();
    home.ended_job(id);
    home.end_engine(Signal::TERM);
    let database = std::fs::read_dir(home.state())
        .expect("the state folder")
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|ending| ["db", "sqlite", "sqlite3"].iter().any(|e| ending == *e)))
        .expect("the database");
    for beside in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{beside}", database.display()));
    }
    let nonsense = b"this is not a database at all, but long enough to look like one ".repeat(64);
    std::fs::write(&database, &nonsense).expect("broken");
    let ran = home.qd(["jobs", "ls"]);
    assert_ne!(ran.code(), 0, "{ran}");
    names(&ran.errors(), &[database.file_name().unwrap().to_str().unwrap()]);
    assert_eq!(std::fs::read(&database).expect("still there"), nonsense);
}

#[test]
fn a_torn_index_is_rebuilt_and_the_output_is_all_there() {
    let home = Home::empty();
    let script = home.file("seq.sh", "#!/bin/sh\nseq 1 200000\n");
    let id = home.qd(["run", &script, "--target", "local"]).ok().job_id();
    home.ended_job(id);
    let before = home.output(id, &["--raw"]);
    home.end_engine(Signal::TERM);
    // every file beside the raw bytes loses its tail, at an odd byte
    let mut torn = 0;
    for file in files_below(&home.state()) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let length = std::fs::metadata(&file).expect("a file").len();
        if name.contains("idx") || name.contains("index") {
            std::fs::OpenOptions::new().write(true).open(&file).unwrap().set_len(length.saturating_sub(7)).unwrap();
            torn += 1;
        }
    }
    let after = home.output(id, &["--raw"]);
    assert!(after == before, "{} of {} bytes, {torn} indexes torn", after.len(), before.len());
}

fn files_below(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .flat_map(|entry| {
            let path = entry.path();
            if path.is_dir() { files_below(&path) } else { vec![path] }
        })
        .collect()
}

#[test]
fn a_home_that_cannot_be_written_is_said() {
    let home = Home::empty();
    // a file where a folder must be: holds for root too
    std::fs::remove_dir(home.path().join("state")).expect("empty");
    std::fs::write(home.path().join("state"), "").expect("a file");
    let ran = home.qd(["jobs", "ls"]);
    assert_eq!(ran.code(), 1, "{ran}");
    names(&ran.errors(), &["state"]);
}

#[test]
fn an_unknown_terminal_and_no_terminal_are_said() {
    let home = Home::empty();
    let ran = home.qd([]);
    assert_ne!(ran.code(), 0, "the console needs a terminal: {ran}");
    names(&ran.errors(), &["terminal"]);
    eventually("and no engine was needed to say so", || home.engines().len() <= 1);
}
