//! The referee is `ssh -G`: what it prints for a host is what our reading must say. Needs the OpenSSH client.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use proptest::prelude::*;

use super::*;

/// The operator, as ssh sees them: the passwd entry, not the environment.
fn operator() -> (String, PathBuf) {
    let uid = rustix::process::getuid().as_raw().to_string();
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    let entry: Vec<&str> = passwd.lines().map(|l| l.split(':').collect()).find(|e: &Vec<&str>| e[2] == uid).unwrap();
    (entry[0].to_owned(), PathBuf::from(entry[5]))
}

struct Bench {
    folder: tempfile::TempDir,
    user: String,
    home: PathBuf,
}

impl Bench {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (user, home) = operator();
        let bench = Self { folder, user, home };
        bench.write("config", text);
        bench
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text.replace("FOLDER", &self.folder.path().display().to_string())).unwrap();
    }

    fn load(&self) -> (Config, Vec<String>) {
        Config::load(&[self.folder.path().join("config")], &self.home, &self.user)
    }

    /// What `ssh -G` prints, by keyword.
    fn referee(&self, alias: &str) -> BTreeMap<String, Vec<String>> {
        let output = Command::new("ssh")
            .args(["-G", "-F"])
            .arg(self.folder.path().join("config"))
            .arg(alias)
            .output()
            .expect("these tests need OpenSSH's ssh program");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "ssh -G {alias}: {error}");
        let mut said: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let (key, value) = line.split_once(' ').unwrap_or((line, ""));
            said.entry(key.to_owned()).or_default().push(value.to_owned());
        }
        said
    }

    /// Ours and theirs, as the same list of lines.
    fn agrees(&self, alias: &str) {
        let theirs = self.referee(alias);
        let ours = self.load().0.host(alias, &Overrides::default());
        let tilde = |text: &str| text.replacen('~', &self.home.display().to_string(), 1);
        let filled = |text: &String| {
            let text = text.replace("%d", &self.home.display().to_string()).replace("%h", &ours.host_name);
            let text = text.replace("%u", &self.user).replace("%n", alias).replace("%p", &ours.port.to_string());
            tilde(&text.replace("%r", &ours.user).replace("%%", "%"))
        };
        let get = |key: &str| theirs.get(key).cloned().unwrap_or_default();
        let shown = |paths: &[PathBuf]| paths.iter().map(|p| p.display().to_string()).collect::<Vec<_>>();
        let words = |key: &str| -> Vec<String> {
            get(key)
                .iter()
                .flat_map(|line| line.split(' '))
                .filter(|w| !w.is_empty() && *w != "none")
                .map(|w| filled(&w.to_owned()))
                .collect()
        };
        let same = |key: &str, ours: Vec<String>| assert_eq!(get(key), ours, "{key} of {alias}");
        same("hostname", vec![ours.host_name.clone()]);
        same("port", vec![ours.port.to_string()]);
        same("user", vec![ours.user.clone()]);
        same("identitiesonly", vec![if ours.identities_only { "yes" } else { "no" }.into()]);
        same("hashknownhosts", vec![if ours.hash_known_hosts { "yes" } else { "no" }.into()]);
        same("connecttimeout", vec![ours.connect_timeout.map_or("none".into(), |s| s.to_string())]);
        same("serveraliveinterval", vec![ours.server_alive_interval.to_string()]);
        same("serveralivecountmax", vec![ours.server_alive_count_max.to_string()]);
        same("addressfamily", vec![format!("{:?}", ours.address_family).to_lowercase()]);
        same("hostkeyalias", ours.host_key_alias.clone().into_iter().collect());
        same("setenv", ours.set_env.iter().map(|(name, value)| format!("{name}={value}")).collect());
        same("sendenv", ours.send_env.clone());
        let strict = match ours.strict {
            Strict::Yes => "true",
            Strict::No => "false",
            Strict::Ask => "ask",
            Strict::AcceptNew => "accept-new",
        };
        same("stricthostkeychecking", vec![strict.into()]);
        if ours.explicit_identities {
            let theirs: Vec<String> = get("identityfile").iter().filter(|f| *f != "none").map(filled).collect();
            assert_eq!(theirs, shown(&ours.identity_files), "identityfile of {alias}");
        } else {
            // Which defaults there are changes between versions (id_dsa, id_xmss); their order does not.
            let theirs: Vec<String> = get("identityfile").iter().map(filled).collect();
            let ours = shown(&ours.identity_files);
            let common: Vec<String> = theirs.into_iter().filter(|f| ours.contains(f)).collect();
            assert_eq!(common, ours, "identityfile of {alias}");
        }
        assert_eq!(get("certificatefile").iter().map(filled).collect::<Vec<_>>(), shown(&ours.certificate_files));
        assert_eq!(words("userknownhostsfile"), shown(&ours.known_hosts), "userknownhostsfile of {alias}");
        assert_eq!(words("globalknownhostsfile"), shown(&ours.global_known_hosts));
        let agent: Vec<String> = match &ours.identity_agent {
            IdentityAgent::Env => vec![],
            IdentityAgent::None => vec!["none".into()],
            IdentityAgent::Path(path) => vec![path.display().to_string()],
        };
        let said: Vec<String> = get("identityagent").iter().filter(|a| *a != "SSH_AUTH_SOCK").map(filled).collect();
        assert_eq!(said, agent, "identityagent of {alias}");
        let jump: Vec<String> = get("proxyjump").iter().filter(|j| *j != "none").map(filled).collect();
        let hops = ours.proxy_jump.join(",");
        if get("proxycommand").is_empty() {
            assert_eq!(jump.join(","), hops, "proxyjump of {alias}");
        }
        assert_eq!(
            get("proxycommand").iter().filter(|c| *c != "none").count(),
            usize::from(ours.proxy_command.is_some() || (jump.is_empty() && !hops.is_empty()))
        );
    }
}

#[test]
fn reads_hosts_as_ssh_does() {
    let bench = Bench::new(
        r#"# a working operator's file
CanonicalDomains none
Host web-* !web-old
    HostName %h.example.com
    User deploy
Host=db1 db2
	Port=5022
    HostName	"10.0.0.7"
    IdentityFile ~/.ssh/db key
Host db2
    Port 99
    User second
    IdentityFile ~/.ssh/extra
    IdentityFile "~/.ssh/with blank"
    IdentityFile ~/.ssh/extra
    CertificateFile ~/.ssh/extra-cert.pub
Host web-old
    HostName OLD.Example.COM # kept for the archive
    user    "o p"
Host bastion
    ProxyJump none
Host inner
    ProxyJump ops@bastion:2200,ssh://second.example.com:2022
Host command
    ProxyCommand nc -X connect %h %p # not a comment
Host quiet?
    ConnectTimeout 1m30
    ServerAliveInterval 15
    ServerAliveCountMax 7
    StrictHostKeyChecking accept-new
    HostKeyAlias Cluster
    UserKnownHostsFile ~/.ssh/one ~/.ssh/two
    GlobalKnownHostsFile none
    HashKnownHosts yes
    AddressFamily inet6
    IdentityAgent none
    SetEnv A=1 "B=two words"
    SetEnv C=3
    SendEnv LANG LC_*
    SendEnv FOO
Host quiet2
    StrictHostKeyChecking no
    IdentityAgent %d/agent
    UserKnownHostsFile none
Host *
    IdentitiesOnly yes
    User everyone
    ServerAliveInterval 30
    IdentityFile ~/.ssh/id_%n_%r@%h:%p
"#
        .replace("IdentityFile ~/.ssh/db key", "IdentityFile ~/.ssh/db\\ key")
        .as_str(),
    );
    for alias in [
        "web-1", "WEB-1", "web-old", "db1", "db2", "bastion", "inner", "command", "quiet1", "quiet2", "quiet", "other",
        "::1", "10.1.2.3", "web-",
    ] {
        bench.agrees(alias);
    }
    assert_eq!(bench.load().1, Vec::<String>::new());
    assert_eq!(
        bench.load().0.aliases(),
        ["db1", "db2", "web-old", "bastion", "inner", "command", "quiet2"],
        "patterns and negations are no hosts"
    );
}

#[test]
fn reads_match_as_ssh_does() {
    let (user, _) = operator();
    let bench = Bench::new(&format!(
        r"
Match originalhost jump,gate*
    Port 2201
Host renamed
    HostName final.example.com
    User carol
Match host *.example.com,!bad.example.com user carol
    IdentityFile ~/.ssh/carol
Match user carol
    ConnectTimeout 4
Match !user carol localuser {user}
    ConnectTimeout 5
Match host=plain
    Port 2202
Match final all
    ServerAliveInterval 11
Match final host final.example.com
    ServerAliveCountMax 12
Host final.*
    HostKeyAlias second-pass
Match canonical
    AddressFamily inet
Match !final
    HashKnownHosts yes
Match localuser nobody-here
    User wrong
Match all
    User last
"
    ));
    for alias in ["jump", "gate7", "renamed", "bad.example.com", "x.example.com", "plain", "PLAIN", "final.example.com"]
    {
        bench.agrees(alias);
    }
}

#[test]
fn reads_includes_in_their_place_as_ssh_does() {
    let bench = Bench::new(
        r"
Include FOLDER/parts/*.conf FOLDER/none/*.conf
Host one
    Include FOLDER/inside
    Port 1001
Host two
    Include FOLDER/inside
    Port 1002
Include FOLDER/parts/[ab]*.set
Host *
    ConnectTimeout 9
",
    );
    bench.write("parts/10-a.conf", "Host one two\n  User first\nHost three\n  Port 333\n");
    bench.write("parts/20-b.conf", "User second\nHost two\n HostName two.example.com\n");
    bench.write("parts/a1.set", "ServerAliveInterval 1\n");
    bench.write("parts/c1.set", "ServerAliveInterval 2\n");
    bench.write("inside", "HostKeyAlias inner\nHost one\n  IdentityFile ~/.ssh/inner\nHost two three\n StrictHostKeyChecking yes\nInclude FOLDER/deep\n");
    bench.write("deep", "AddressFamily inet\nMatch host two*\n HashKnownHosts yes\n");
    for alias in ["one", "two", "three", "four"] {
        bench.agrees(alias);
    }
    let watched = bench.load().0.files();
    for file in ["config", "parts", "parts/10-a.conf", "none", "inside", "deep", "parts/a1.set"] {
        assert!(watched.contains(&bench.folder.path().join(file)), "{file} is watched: {watched:?}");
    }
}

#[test]
fn what_is_wrong_is_named_with_file_line_and_keyword() {
    let bench = Bench::new(
        "Host a\n  Prot 22\n  Port 70000\n  HostName \"open\n  ConnectTimeout soon\nIgnoreUnknown UseKey*\nUseKeychain yes\n\
         Match colour red\n  User nobody\nHost a\n  User ok\n  IdentityFile /a b\nHostName\n",
    );
    let (config, warnings) = bench.load();
    let file = bench.folder.path().join("config");
    let file = file.display();
    assert_eq!(
        warnings,
        [
            format!("{file}:2: prot: not a keyword of ssh_config (ssh: Bad configuration option)"),
            format!("{file}:3: port: `70000` is not a port (1-65535)"),
            format!("{file}:4: hostname: a quote is not closed"),
            format!("{file}:5: connecttimeout: `soon` is not a duration (seconds, or 1m30s)"),
            format!("{file}:8: match: `colour` is not a condition of Match"),
            format!("{file}:12: identityfile: more than one argument (`b`): quote a value with blanks"),
            format!("{file}:13: hostname: no argument after it"),
        ]
    );
    assert_eq!(config.host("a", &Overrides::default()).user, "ok", "the rest of the file still counts");
}

#[test]
fn what_only_the_ssh_program_can_do_is_named_where_it_is_asked_for() {
    let bench = Bench::new(
        r"Host kerberos
    GSSAPIAuthentication yes
Host token
    PKCS11Provider /usr/lib/opensc.so
Host password
    PreferredAuthentications password,keyboard-interactive
Host nc
    ProxyCommand nc %h %p
Host hostbased
    PreferredAuthentications hostbased
Match originalhost asked exec true
    Port 1
Match originalhost other exec true
    Port 1
Host variable
    IdentityFile ${HOME}/key
Host hash
    IdentityFile ~/.ssh/%C
Host plain
    GSSAPIAuthentication no
Host *
    GSSAPIAuthentication no
",
    );
    let config = bench.load().0;
    let file = bench.folder.path().join("config").display().to_string();
    let beyond = |alias: &str| config.host(alias, &Overrides::default()).beyond;
    assert_eq!(beyond("kerberos"), [format!("{file}:2: GSSAPIAuthentication: signs in with Kerberos")]);
    assert_eq!(beyond("token"), [format!("{file}:4: PKCS11Provider: keys are on a PKCS#11 token")]);
    assert_eq!(beyond("nc"), [format!("{file}:8: ProxyCommand: the way there is a command")]);
    assert_eq!(beyond("asked"), [format!("{file}:11: Match exec is for the ssh program to decide")]);
    let password = config.host("password", &Overrides::default());
    assert_eq!((password.publickey, password.password, password.keyboard_interactive), (false, true, true));
    for (alias, count) in
        [("password", 0), ("hostbased", 1), ("variable", 1), ("hash", 1), ("plain", 0), ("anything", 0)]
    {
        assert_eq!(beyond(alias).len(), count, "{alias}: {:?}", beyond(alias));
    }
}

#[test]
fn a_command_that_only_passes_the_connection_on_is_a_hop() {
    for (command, hop) in [
        ("ssh -W %h:%p bastion", Some("bastion")),
        ("ssh -q -W [%h]:%p -p 2200 -l ops bastion", Some("ops@bastion:2200")),
        ("exec ssh ops@bastion -W %h:%p", Some("ops@bastion")),
        ("ssh bastion nc %h %p", None),
        ("ssh -i key -W %h:%p bastion", None),
        ("ssh -W %h:%p bastion | tee log", None),
        ("ssh -W other:22 bastion", None),
    ] {
        let bench = Bench::new(&format!("Host a\n  ProxyCommand {command}\n"));
        let host = bench.load().0.host("a", &Overrides::default());
        assert_eq!(host.proxy_jump.first().map(String::as_str), hop, "{command}");
        assert_eq!(host.proxy_command.is_none(), hop.is_some(), "{command}");
        assert_eq!(host.beyond.is_empty(), hop.is_some(), "{command}");
    }
}

#[test]
fn an_inventory_wins_as_options_on_the_command_line_do() {
    let bench = Bench::new(
        "Host web\n  Port 1\n  User file\nHost real\n HostName 10.0.0.9\n IdentityFile ~/.ssh/file\n ProxyJump other\n StrictHostKeyChecking yes\n",
    );
    let over = Overrides {
        host_name: Some("real".into()),
        port: Some(2222),
        user: Some("ansible".into()),
        identity_file: Some("/keys/ansible".into()),
        proxy_jump: Some("ops@bastion".into()),
        options: vec!["StrictHostKeyChecking=no".into(), "UserKnownHostsFile=/dev/null".into()],
        beyond: vec!["inventory: something".into()],
    };
    let host = bench.load().0.host("web", &over);
    assert_eq!((host.alias.as_str(), host.host_name.as_str(), host.port), ("web", "10.0.0.9", 2222));
    assert_eq!((host.user.as_str(), host.strict), ("ansible", Strict::No));
    assert_eq!(host.identity_files, [PathBuf::from("/keys/ansible"), bench.home.join(".ssh/file")]);
    assert_eq!((host.proxy_jump, host.known_hosts), (vec!["ops@bastion".to_owned()], vec!["/dev/null".into()]));
    assert_eq!(host.beyond, ["inventory: something"]);
}

#[test]
fn a_file_others_may_write_is_not_trusted() {
    use std::os::unix::fs::PermissionsExt as _;
    let bench = Bench::new("Include FOLDER/part\nHost a\n Port 7\n");
    bench.write("part", "Port 8\n");
    fs::set_permissions(bench.folder.path().join("part"), fs::Permissions::from_mode(0o666)).unwrap();
    let (config, warnings) = bench.load();
    assert_eq!(config.host("a", &Overrides::default()).port, 7);
    assert!(warnings.len() == 1 && warnings[0].contains("part: not read: others may write it"), "{warnings:?}");
}

#[test]
fn a_file_that_includes_itself_ends() {
    let bench = Bench::new("Include FOLDER/config\nInclude FOLDER/config\nHost a\n Port 7\n");
    let (config, warnings) = bench.load();
    assert_eq!(config.host("a", &Overrides::default()).port, 7);
    assert!(!warnings.is_empty() && warnings.len() <= 101);
}

#[test]
fn a_missing_file_is_no_error_and_is_watched() {
    let (config, warnings) = Config::load(&["/nowhere/config".into()], Path::new("/home/x"), "x");
    assert!(warnings.is_empty());
    assert_eq!(config.files(), [PathBuf::from("/nowhere/config")]);
    assert_eq!(config.host("A", &Overrides::default()).host_name, "a");
}

/// Lines that fit anywhere, so that any order of them is a configuration ssh takes.
fn line() -> impl Strategy<Value = String> {
    let pattern = prop::sample::select(vec!["a", "b", "a*", "!a", "?b", "*", "ab", "!*b", "x.example"]);
    prop_oneof![
        3 => prop::collection::vec(pattern.clone(), 1..3).prop_map(|p| format!("Host {}", p.join(" "))),
        1 => pattern.clone().prop_map(|p| format!("Match host {p}")),
        1 => pattern.clone().prop_map(|p| format!("Match originalhost {p},b user u*")),
        1 => pattern.prop_map(|p| format!("Match final !host {p}")),
        1 => prop::sample::select(vec!["HostName %h.example", "hostname x.example", "HostName=\"ab\""]).prop_map(str::to_owned),
        1 => (1..9u16).prop_map(|p| format!("\tPort {p}  # c")),
        1 => (1..4u8).prop_map(|n| format!("User=u{n}")),
        1 => (1..4u8).prop_map(|n| format!("  IdentityFile '~/.ssh/k {n}'")),
        1 => (1..90u16).prop_map(|n| format!("ConnectTimeout {n}m1")),
        1 => prop::sample::select(vec!["ProxyJump b", "ProxyJump none", "ProxyCommand none", "ProxyCommand x %h", "ProxyJump u@a:1,b"]).prop_map(str::to_owned),
    ]
}

#[test]
fn no_jump_is_not_no_command() {
    for text in [
        "ProxyJump none\nProxyCommand x %h\n",
        "ProxyJump none\nProxyJump b\n",
        "ProxyJump none\nProxyCommand none\nProxyJump b\n",
        "ProxyCommand none\nProxyJump b\n",
        "ProxyCommand x %h\nProxyJump none\n",
    ] {
        Bench::new(text).agrees("a");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_configuration_reads_as_ssh_reads_it(lines in prop::collection::vec(line(), 1..14)) {
        let bench = Bench::new(&format!("{}\n", lines.join("\n")));
        for alias in ["a", "ab", "c"] {
            bench.agrees(alias);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn arbitrary_input_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..400), alias in ".{0,20}") {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        fs::write(&path, &bytes).unwrap();
        let (config, _) = Config::load(&[path], folder.path(), "me");
        config.host(&alias, &Overrides { options: vec![alias.clone()], ..Overrides::default() });
    }

    #[test]
    fn arbitrary_lines_never_panic(
        lines in prop::collection::vec("(Host|Match|Include|ProxyJump|ProxyCommand|IdentityFile|HostName|SetEnv|Port)[ =](host |user |final |!)?[\"'\\\\a%*?!:@,\\[\\]~$ {}#-]{0,20}", 0..12)
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        fs::write(&path, lines.join("\n")).unwrap();
        let (config, _) = Config::load(&[path], folder.path(), "me");
        config.host("a", &Overrides::default());
        config.aliases();
    }
}
