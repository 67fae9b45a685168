//! The referee is `ssh-keygen`: `-F` finds, `-H` hashes, `-s` signs. Needs the OpenSSH client.

use std::process::Command;

use proptest::prelude::*;

use super::*;

fn keygen(folder: &Path, args: &[&str]) -> String {
    let output = Command::new("ssh-keygen")
        .current_dir(folder)
        .args(args)
        .output()
        .expect("these tests need OpenSSH's ssh-keygen program");
    assert!(output.status.success(), "ssh-keygen {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A new key `name` in the folder.
fn key(folder: &Path, name: &str, kind: &str) -> PublicKey {
    keygen(folder, &["-q", "-t", kind, "-N", "", "-C", "", "-f", name]);
    PublicKey::read_openssh_file(folder.join(format!("{name}.pub"))).unwrap()
}

fn text(key: &PublicKey) -> String {
    key.to_openssh().unwrap().trim().to_owned()
}

fn known(folder: &Path, lines: &[String]) -> (PathBuf, KnownHosts) {
    let path = folder.join("known_hosts");
    fs::write(&path, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    let (known, warnings) = KnownHosts::load(std::slice::from_ref(&path));
    assert_eq!(warnings, Vec::<String>::new());
    (path, known)
}

#[test]
fn plain_names_patterns_ports_and_several_keys() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let (a, b, e) = (key(dir, "a", "ed25519"), key(dir, "b", "ed25519"), key(dir, "e", "ecdsa"));
    let (path, known) = known(
        dir,
        &[
            "# comment".into(),
            format!("Web1,10.0.0.1 {} note", text(&a)),
            format!("web1 {}", text(&e)),
            format!("[web1]:2222 {}", text(&b)),
            format!("*.example.com,!bad.example.com {}", text(&a)),
            format!("many {}", text(&a)),
            format!("many {}", text(&b)),
        ],
    );
    let changed = |line, key: &PublicKey| Verdict::Changed {
        file: path.clone(),
        line,
        fingerprint: key.fingerprint(HashAlg::Sha256).to_string(),
    };
    assert_eq!(known.check("web1", 22, &a), Verdict::Known);
    assert_eq!(known.check("WEB1", 22, &e), Verdict::Known);
    assert_eq!(known.check("10.0.0.1", 22, &a), Verdict::Known);
    assert_eq!(known.check("web1", 22, &b), changed(2, &a), "the line of the same type is named");
    assert_eq!(known.check("10.0.0.1", 22, &e), changed(2, &a), "a key of another type does not let in");
    assert_eq!(known.check("web1", 2222, &b), Verdict::Known);
    assert_eq!(known.check("web1", 2222, &a), changed(4, &b).clone());
    assert_eq!(known.check("web1", 2200, &a), Verdict::Known, "the bare name vouches for another port");
    assert_eq!(known.check("web1", 2200, &b), Verdict::Unknown, "and does not speak against it");
    assert_eq!(known.check("x.example.com", 22, &a), Verdict::Known);
    assert_eq!(known.check("bad.example.com", 22, &a), Verdict::Unknown);
    assert_eq!((known.check("many", 22, &a), known.check("many", 22, &b)), (Verdict::Known, Verdict::Known));
    assert_eq!(known.check("nobody", 22, &a), Verdict::Unknown);
    assert_eq!(known.algorithms("web1", 22), ["ssh-ed25519", "ecdsa-sha2-nistp256"]);
    assert_eq!(known.algorithms("web1", 2222), ["ssh-ed25519"]);
    assert_eq!(known.algorithms("nobody", 22), Vec::<String>::new());
}

#[test]
fn hashed_names_are_those_ssh_keygen_makes() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let (a, b, r) = (key(dir, "a", "ed25519"), key(dir, "b", "ed25519"), key(dir, "r", "rsa"));
    let (path, _) =
        known(dir, &[format!("web1 {}", text(&a)), format!("[web2]:2222 {}", text(&b)), format!("web3 {}", text(&r))]);
    keygen(dir, &["-q", "-H", "-f", "known_hosts"]);
    assert!(!fs::read_to_string(&path).unwrap().contains("web"), "the referee hashed the names");
    let (known, _) = KnownHosts::load(std::slice::from_ref(&path));
    assert_eq!(known.check("web1", 22, &a), Verdict::Known);
    assert_eq!(known.check("web2", 2222, &b), Verdict::Known);
    assert!(matches!(known.check("web1", 22, &b), Verdict::Changed { line: 1, .. }));
    assert_eq!(known.check("web2", 22, &b), Verdict::Unknown);
    assert_eq!(known.algorithms("web3", 22), ["rsa-sha2-512", "rsa-sha2-256"]);
    assert_eq!(known.algorithms("web3", 22), ["rsa-sha2-512", "rsa-sha2-256"], "also the second time");
}

#[test]
fn a_revoked_key_is_refused_whatever_else_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let (a, b) = (key(dir, "a", "ed25519"), key(dir, "b", "ed25519"));
    let (path, known) =
        known(dir, &[format!("web1 {}", text(&a)), format!("@revoked * {}", text(&a)), format!("web1 {}", text(&b))]);
    assert_eq!(known.check("web1", 22, &a), Verdict::Revoked { file: path.clone(), line: 2 });
    assert_eq!(known.check("other", 2222, &a), Verdict::Revoked { file: path, line: 2 });
    assert_eq!(known.check("web1", 22, &b), Verdict::Known);
}

#[test]
fn a_certificate_counts_when_its_authority_name_and_time_fit() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let (authority, stranger) = (key(dir, "ca", "ed25519"), key(dir, "ca2", "ed25519"));
    let host = key(dir, "host", "ed25519");
    let sign = |ca: &str, extra: &[&str]| {
        let mut args = vec!["-q", "-s", ca, "-I", "id"];
        args.extend(extra);
        args.push("host.pub");
        keygen(dir, &args);
        Certificate::read_file(&dir.join("host-cert.pub")).unwrap()
    };
    let (path, known) = known(
        dir,
        &[
            format!("@cert-authority *.example.com {}", text(&authority)),
            format!("plain.example.com {}", text(&host)),
            format!("@cert-authority *.revoked {}", text(&stranger)),
            format!("@revoked *.revoked {}", text(&stranger)),
        ],
    );
    let now = 1_700_000_000;
    let good = sign("ca", &["-h", "-n", "web.example.com,*.wild.example.com", "-V", "20200101:20400101"]);
    let judge = |name: &str, cert: &Certificate| known.check_certificate(name, 22, cert, now);
    assert_eq!(judge("web.example.com", &good), Verdict::Known);
    assert_eq!(judge("WEB.example.com", &good), Verdict::Known);
    assert_eq!(known.check_certificate("web.example.com", 2222, &good, now), Verdict::Known);
    assert_eq!(judge("a.wild.example.com", &good), Verdict::Known);
    assert_eq!(judge("other.example.com", &good), Verdict::Unknown, "signed for another name");
    assert_eq!(judge("web.elsewhere.org", &good), Verdict::Unknown, "the authority has no say there");
    assert_eq!(judge("plain.example.com", &good), Verdict::Known, "the key in it is known by itself");
    assert_eq!(known.check_certificate("web.example.com", 22, &good, 1_000), Verdict::Unknown, "not valid yet");
    assert_eq!(
        known.check_certificate("web.example.com", 22, &good, 3_000_000_000),
        Verdict::Unknown,
        "not valid any more"
    );
    let anyone = sign("ca", &["-h"]);
    assert_eq!(judge("web.example.com", &anyone), Verdict::Known, "without names and for ever");
    assert_eq!(
        judge("web.example.com", &sign("ca", &["-n", "web.example.com"])),
        Verdict::Unknown,
        "a user's certificate"
    );
    let theirs = sign("ca2", &["-h", "-n", "web.example.com,a.revoked"]);
    assert_eq!(judge("web.example.com", &theirs), Verdict::Unknown, "signed by a stranger");
    assert_eq!(judge("a.revoked", &theirs), Verdict::Revoked { file: path, line: 4 });
    assert!(known.has_authority("web.example.com", 2222) && !known.has_authority("web.org", 22));
    assert!(known.algorithms("web.example.com", 22).is_empty(), "an authority's key is not the host's");
}

#[test]
fn bad_lines_are_named_and_the_others_count() {
    let folder = tempfile::tempdir().unwrap();
    let a = key(folder.path(), "a", "ed25519");
    let blob = text(&a);
    let path = folder.path().join("known_hosts");
    let other = blob.replace("ssh-ed25519", "ssh-rsa");
    fs::write(
        &path,
        format!("web1\n@what web1 {blob}\nweb1 {other}\n|1|x|y {blob}\nweb1 ssh-ed25519 %%%\n\n  web2 {blob}\n"),
    )
    .unwrap();
    let (known, warnings) = KnownHosts::load(std::slice::from_ref(&path));
    let shown = path.display();
    assert_eq!(
        warnings,
        [
            format!("{shown}:1: no key"),
            format!("{shown}:2: a marker that is neither @cert-authority nor @revoked"),
            format!("{shown}:3: the key is not of the type the line says"),
            format!("{shown}:4: a hashed name that cannot be read"),
            format!("{shown}:5: the key is not base64"),
        ]
    );
    assert_eq!(known.check("web2", 22, &a), Verdict::Known);
}

#[test]
fn a_new_host_is_written_as_ssh_keygen_reads_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let (a, b) = (key(dir, "a", "ed25519"), key(dir, "b", "ed25519"));
    let path = dir.join(".ssh/known_hosts");
    accept(&path, "Web1", 22, &a, false).unwrap();
    accept(&path, "web2", 2222, &b, true).unwrap();
    accept(&path, "web2", 2222, &b, true).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
    let written = fs::read_to_string(&path).unwrap();
    assert_eq!(written.lines().count(), 2, "once: {written}");
    assert!(written.starts_with(&format!("web1 {}\n|1|", text(&a))), "{written}");
    for name in ["web1", "[web2]:2222"] {
        assert!(keygen(dir, &["-F", name, "-f", ".ssh/known_hosts"]).contains("found"), "{name}");
    }
    let refused = accept(&path, "web1", 22, &b, false).unwrap_err();
    assert!(refused.contains(":1: web1 has become known under another key"), "{refused}");
    for name in ["a b", "a\n* ssh-ed25519 AAAA", "*", "a,b", ""] {
        assert!(accept(&path, name, 22, &a, false).is_err(), "{name:?}");
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), written);
    accept(Path::new("/dev/null"), "web1", 22, &a, false).unwrap();
}

#[test]
fn a_line_without_an_end_and_other_programs_are_minded() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let a = key(dir, "a", "ed25519");
    let path = dir.join("known_hosts");
    fs::write(&path, format!("one {}", text(&a))).unwrap();
    accept(&path, "two", 22, &a, false).unwrap();
    fs::write(&path, format!("{}three {}\n", fs::read_to_string(&path).unwrap(), text(&a))).unwrap();
    accept(&path, "three", 22, &a, false).unwrap();
    keygen(dir, &["-q", "-R", "one", "-f", "known_hosts"]);
    accept(&path, "one", 22, &a, false).unwrap();
    let names: Vec<String> =
        fs::read_to_string(&path).unwrap().lines().map(|l| l.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(names, ["two", "three", "one"]);
}

#[test]
fn five_hundred_new_hosts_at_once_are_each_written_once() {
    let folder = tempfile::tempdir().unwrap();
    let a = key(folder.path(), "a", "ed25519");
    let path = folder.path().join("known_hosts");
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let (a, path) = (&a, &path);
            scope.spawn(move || {
                for n in 0..500 {
                    // Every host is accepted by two of the workers, in different orders.
                    let n = if worker % 2 == 0 { n } else { 499 - n };
                    accept(path, &format!("host{n}"), 22, a, worker >= 2 && n % 2 == 0).unwrap();
                }
            });
        }
    });
    let written = fs::read_to_string(&path).unwrap();
    assert_eq!(written.lines().count(), 500);
    let (known, warnings) = KnownHosts::load(&[path]);
    assert!(warnings.is_empty(), "{warnings:?}");
    for n in 0..500 {
        assert_eq!(known.check(&format!("host{n}"), 22, &a), Verdict::Known, "host{n}");
    }
}

#[test]
fn missing_files_and_dev_null_are_no_error() {
    let (known, warnings) = KnownHosts::load(&["/nowhere/known_hosts".into(), "/dev/null".into()]);
    assert!(warnings.is_empty() && known.entries.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn arbitrary_input_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..400), host in ".{0,20}", port: u16) {
        let mut known = KnownHosts::default();
        known.add(Path::new("x"), &bytes, 1, &mut Vec::new());
        known.algorithms(&host, port);
    }

    #[test]
    fn arbitrary_lines_never_panic(
        lines in prop::collection::vec("(@revoked |@cert-authority )?[|!*?a1,\\[\\]:=]{0,12} ssh-ed25519 (AAAAC3NzaC1lZDI1NTE5AAAA|AAAA|/////w==)[A-Za-z=]{0,8}", 0..8)
    ) {
        let mut known = KnownHosts::default();
        known.add(Path::new("x"), lines.join("\n").as_bytes(), 1, &mut Vec::new());
        known.algorithms("a", 22);
        known.has_authority("a", 1);
    }
}
