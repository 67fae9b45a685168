//! The launcher under real shells, without a server.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use super::*;

fn payload(bytes: &[u8], interpreter: &[&str]) -> Arc<Payload> {
    Arc::new(Payload {
        name: "dir/script.sh".to_owned(),
        bytes: bytes.to_vec(),
        path: PathBuf::new(),
        interpreter: interpreter.iter().map(|word| (*word).to_owned()).collect(),
        variables: false,
    })
}

/// As sshd does: the login shell, `-c`, the command; stdin stays open until the script has ended.
fn launch(login: &str, command: &str, input: &[Bytes]) -> Output {
    let mut child = Command::new(login)
        .args(["-c", command])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("this test needs {login}: {error}"));
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.concat();
    let feeding = std::thread::spawn(move || {
        let _ = stdin.write_all(&input);
        stdin
    });
    let output = child.wait_with_output().expect("output");
    drop(feeding.join());
    output
}

fn said(output: &Output, token: &str) -> (Said, String) {
    match Preamble::new(token).hear(&output.stderr) {
        Heard::Line(said, rest) => (said, String::from_utf8_lossy(&rest).into_owned()),
        other => panic!("{other:?}: {}", String::from_utf8_lossy(&output.stderr)),
    }
}

fn installed(shell: &str) -> bool {
    Command::new(shell).args(["-c", "exit 0"]).status().is_ok_and(|status| status.success())
}

#[test]
fn the_command_has_nothing_that_a_login_shell_reads_in_its_own_way() {
    assert!(!BOOT.contains(['\'', '\\', '!', '\n']), "{BOOT}");
}

#[test]
fn the_script_finds_its_device_and_its_job_however_it_is_started() {
    let print: &[u8] = b"echo \"$QUARTERDECK_DEVICE $QUARTERDECK_JOB\"\n";
    let environment = [("QUARTERDECK_DEVICE", "it's $HOME".to_owned()), ("QUARTERDECK_JOB", "7".to_owned())];
    for (text, interpreter) in [(print.to_vec(), "/bin/sh"), (print.to_vec(), "bash"), (print.repeat(200), "sh")] {
        let script = payload(&text, &[interpreter]);
        let secrets = [Secret::new("hush".to_owned())];
        for secrets in [&[][..], &secrets[..]] {
            let launch_ = Launch { payload: &script, args: &[], secrets, environment: &environment };
            let token = token();
            let output = launch("sh", &command(false), &launch_.stdin(&token, launch_.way(), &[]));
            let printed = String::from_utf8_lossy(&output.stdout).into_owned();
            assert_eq!(printed.lines().next(), Some("it's $HOME 7"), "{interpreter}");
        }
    }
}

#[test]
fn every_login_shell_runs_it() {
    let script = payload(b"printf '%s|' \"$@\"; echo oops >&2; exit 3\n", &["/bin/sh"]);
    let args = ["it's", "a \\ b!", "new\nline", "$HOME `id`", "", "-n"].map(str::to_owned);
    let launch_ = Launch { payload: &script, args: &args, secrets: &[], environment: &[] };
    let token = token();
    let input = launch_.stdin(&token, launch_.way(), &[]);
    for login in ["sh", "dash", "bash", "zsh", "fish", "csh"].into_iter().filter(|shell| installed(shell)) {
        let output = launch(login, &command(false), &input);
        let (said, rest) = said(&output, &token);
        assert!(matches!(said, Said::Started { group: 2.., .. }), "{login}: {said:?}");
        assert_eq!(rest, "oops\n", "{login}");
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(printed, "it's|a \\ b!|new\nline|$HOME `id`||-n|", "{login}");
        assert_eq!(output.status.code(), Some(3), "{login}");
    }
    let output = launch("sh", &command(true), &input);
    assert_eq!(output.status.code(), Some(3), "as the login shell itself");
}

#[test]
fn every_byte_of_a_script_arrives() {
    // In place, through a descriptor, by file, through memory. Every byte but NUL and newline, inside a quoted here-document that the script prints.
    let odd: Vec<u8> = (1..=255).filter(|byte| *byte != b'\n').collect();
    let mut script = b"cat <<'END'\n".to_vec();
    script.extend_from_slice(&odd);
    script.extend_from_slice("\nÁÉ ünï\u{2003}  \\ \\\\ \t\nEND".as_bytes());
    let expected: Vec<u8> = [odd.as_slice(), "\nÁÉ ünï\u{2003}  \\ \\\\ \t\n".as_bytes()].concat();
    for shell in ["/bin/sh", "bash", "dash", "busybox sh"].into_iter().filter(|shell| installed(shell)) {
        for (interpreter, way) in
            [("/bin/sh", Way::Small), ("dash", Way::Small), ("/bin/sh", Way::File), ("/bin/sh", Way::Memory)]
        {
            let script = payload(&script, &[interpreter]);
            let launch_ = Launch { payload: &script, args: &[], secrets: &[], environment: &[] };
            let token = token();
            let output = launch("sh", &command(false).replace("/bin/sh", shell), &launch_.stdin(&token, way, &[]));
            assert!(matches!(said(&output, &token).0, Said::Started { .. }), "{shell} {way:?}");
            assert_eq!(output.stdout, expected, "{shell} {way:?}");
        }
    }
}

#[test]
fn secrets_come_on_stdin_and_then_it_ends() {
    let secrets = [Secret::new("hunter2 '\"\\"), Secret::new("")];
    let body = b"read -r a; read -r b; read -r c; echo \"$? [$a] [$b]\"; ps -o args= -p $$ 2>/dev/null\n";
    let big = [body.as_slice(), &b"# filler\n".repeat(2000)].concat();
    let small = body.to_vec();
    for (script, way, shell) in [
        (small.clone(), Way::Small, "/bin/sh"),
        (small, Way::Small, "/bin/dash"),
        (big.clone(), Way::File, "/bin/sh"),
        (big, Way::Memory, "/bin/sh"),
    ] {
        let script = payload(&script, &[shell]);
        let launch_ = Launch { payload: &script, args: &[], secrets: &secrets, environment: &[] };
        let token = token();
        let output = launch("sh", &command(false), &launch_.stdin(&token, way, &[]));
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(printed.starts_with("1 [hunter2 '\"\\] []\n"), "{way:?}: {printed}");
        assert!(!printed.trim_start_matches("1 [hunter2").contains("hunter2"), "{way:?}: {printed}");
    }
}

#[test]
fn a_script_run_in_place_sees_nothing_of_the_launcher_and_may_wait() {
    let body = b"jobs; sleep 0 & wait; set | grep '^_[a-z]='; type t k w g s 2>/dev/null | grep function\n\
                 [ -e /dev/fd/4 ] && echo open; set -u; f() { return 4; }; trap 'echo bye' EXIT; f\n";
    for shell in ["/bin/sh", "bash", "dash"] {
        let script = payload(body, &["/bin/sh"]);
        let launch_ = Launch { payload: &script, args: &[], secrets: &[], environment: &[] };
        let token = token();
        let input = launch_.stdin(&token, Way::Small, &[]);
        let output = launch("sh", &command(false).replace("/bin/sh", shell), &input);
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(printed, "bye\n", "{shell}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(4), "{shell}");
    }
}

#[test]
fn a_large_script_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let script =
        [b"#!/bin/sh\nls -A \"$XDG_RUNTIME_DIR\"; echo $#\n".as_slice(), &b"# filler\n".repeat(20_000)].concat();
    let script = payload(&script, &["/bin/sh", "-u"]);
    let args = ["one".to_owned()];
    let launch_ = Launch { payload: &script, args: &args, secrets: &[], environment: &[] };
    assert_eq!(launch_.way(), Way::File);
    let token = token();
    let login = format!("XDG_RUNTIME_DIR='{}' {}", folder.path().display(), command(false));
    let login = login.replace("exec ", "export XDG_RUNTIME_DIR; exec ").replacen(' ', "; ", 1);
    let output = launch("sh", &login, &launch_.stdin(&token, Way::File, &[]));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "1\n", "gone before the script looks");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_full_folder_is_named_and_left_out_the_next_time() {
    let script = payload(&b"echo hi #\n".repeat(1000), &["/bin/sh"]);
    let launch_ = Launch { payload: &script, args: &[], secrets: &[], environment: &[] };
    let token = token();
    // A limit on file size is the full disk a test can have.
    let login = format!("ulimit -f 1; trap '' XFSZ; XDG_RUNTIME_DIR=/tmp; export XDG_RUNTIME_DIR; {}", command(false));
    let output = launch("sh", &login, &launch_.stdin(&token, Way::File, &[]));
    assert_eq!(said(&output, &token).0, Said::Full("/tmp".to_owned()));
    let everywhere: Vec<String> =
        ["/tmp", "/var/tmp", "/dev/shm"].into_iter().map(str::to_owned).chain([home(&login)]).collect();
    let output = launch("sh", &login, &launch_.stdin(&token, Way::File, &everywhere));
    assert_eq!(said(&output, &token).0, Said::Nowhere);
    let output = launch("sh", &login, &launch_.stdin(&token, Way::Memory, &[]));
    assert!(output.stdout.starts_with(b"hi\nhi\n"));
}

fn home(login: &str) -> String {
    let _ = login;
    let output = Command::new("sh").args(["-c", "printf %s \"$HOME\""]).output().expect("sh");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_program_that_waits_for_any_child_does_not_wait_for_the_watcher() {
    let script = payload(b"1 while wait() > 0; print \"done\\n\";", &["/usr/bin/env", "perl"]);
    let launch_ = Launch { payload: &script, args: &[], secrets: &[], environment: &[] };
    let token = token();
    let output = launch("sh", &command(false), &launch_.stdin(&token, launch_.way(), &[]));
    assert_eq!(output.stdout, b"done\n");
}

#[test]
fn an_interpreter_that_is_not_there_is_said_by_the_shell() {
    let script = payload(b"x\n", &["/usr/bin/env", "no-such-interpreter"]);
    let launch_ = Launch { payload: &script, args: &[], secrets: &[], environment: &[] };
    let token = token();
    let output = launch("sh", &command(false), &launch_.stdin(&token, launch_.way(), &[]));
    assert_eq!(output.status.code(), Some(127));
    assert!(said(&output, &token).1.contains("no-such-interpreter"));
}

#[test]
fn a_line_cut_in_pieces_among_noise_is_found() {
    let mut preamble = Preamble::new("qd1");
    assert_eq!(preamble.hear(b"Welcome!\nqd"), Heard::Nothing);
    assert_eq!(preamble.hear(b"1:go:77:/bin/ba"), Heard::Nothing);
    assert_eq!(
        preamble.hear(b"sh\nfirst"),
        Heard::Line(Said::Started { group: 77, shell: "/bin/bash".to_owned() }, b"first".to_vec())
    );
}
