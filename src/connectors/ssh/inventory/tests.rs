//! What Ansible makes of the same files (`ansible-inventory --list`) is what is expected here.

use proptest::prelude::*;

use super::*;

struct Bench(tempfile::TempDir);

impl Bench {
    fn new(files: &[(&str, &str)]) -> Self {
        let bench = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            let path = bench.path(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn read(&self, name: &str) -> Parsed {
        read(&self.path(name))
    }
}

fn names(parsed: &Parsed) -> Vec<&str> {
    parsed.hosts.iter().map(|host| host.name.as_str()).collect()
}

fn host<'a>(parsed: &'a Parsed, name: &str) -> &'a Host {
    parsed.hosts.iter().find(|host| host.name == name).unwrap_or_else(|| panic!("no host {name}"))
}

fn var<'a>(parsed: &'a Parsed, host: &str, name: &str) -> Option<&'a str> {
    self::host(parsed, host).vars.get(name).map(String::as_str)
}

const INI: &str = r#"
# a fleet
lonely ansible_host=10.0.0.1 ; note=x
jump:2222

[web]
web[01:03].example.com ansible_user=deploy   # the front
blue[a:c:2] role='front end' quoted="a \"b\""
[10:12]x

[db]
db1 size=large
; off
db2 ansible_password=hunter2 api_key=abc

[db:vars]
size = small
tier='data base'
port_hint=5432
[prod:children]
web
db   # both
[prod:vars]
size=middling
stage=prod
ansible_ssh_private_key_file=~/.ssh/prod
[all:vars]
stage=none
domain=example.com
"#;

#[test]
fn ini_hosts_ranges_groups_and_variables() {
    let bench = Bench::new(&[("hosts", INI)]);
    let parsed = bench.read("hosts");
    assert_eq!(
        names(&parsed),
        [
            "10x",
            "11x",
            "12x",
            "bluea",
            "bluec",
            "db1",
            "db2",
            "jump",
            "lonely",
            "web01.example.com",
            "web02.example.com",
            "web03.example.com",
        ]
    );
    assert_eq!(host(&parsed, "web02.example.com").groups, ["prod", "web"]);
    assert_eq!(host(&parsed, "lonely").groups, Vec::<String>::new());
    assert_eq!(var(&parsed, "jump", "ansible_port"), Some("2222"));
    assert_eq!(var(&parsed, "bluea", "role"), Some("front end"));
    assert_eq!(var(&parsed, "bluea", "quoted"), Some("a \"b\""));
    assert_eq!(var(&parsed, "lonely", "stage"), Some("none"));
    assert_eq!(var(&parsed, "web01.example.com", "stage"), Some("prod"));
    assert_eq!(var(&parsed, "web01.example.com", "size"), Some("middling"));
    assert_eq!(var(&parsed, "db1", "size"), Some("large"), "the host wins");
    assert_eq!(var(&parsed, "db2", "size"), Some("small"), "the child group wins over its parent");
    assert_eq!(var(&parsed, "db2", "tier"), Some("data base"));
    assert_eq!(var(&parsed, "db2", "ansible_ssh_private_key_file"), Some("~/.ssh/prod"));
    assert_eq!((var(&parsed, "db2", "ansible_password"), var(&parsed, "db2", "api_key")), (None, None), "no secrets");
    let groups: Vec<(&str, Vec<&str>)> =
        parsed.groups.iter().map(|g| (g.name.as_str(), g.children.iter().map(String::as_str).collect())).collect();
    assert_eq!(groups, [("db", vec![]), ("prod", vec!["db", "web"]), ("web", vec![])]);
    let file = bench.path("hosts").display().to_string();
    assert_eq!(parsed.warnings, [format!("{file}:3: `;` is not name=value")]);
    assert_eq!(parsed.files, ["hosts", "group_vars", "host_vars"].map(|name| bench.path(name)));
}

#[test]
fn yaml_says_the_same() {
    let bench = Bench::new(&[(
        "hosts.yml",
        r"
all:
  vars: {stage: none}
  hosts:
    lonely: {ansible_host: 10.0.0.1}
    'jump:2222':
  children:
    prod:
      vars: &shared
        size: middling
        stage: prod
      children:
        web:
          hosts:
            web[01:03].example.com: {ansible_user: deploy, tags: [a, b], big: 0o17, answer: yes}
        db:
          hosts:
            db1: {<<: *shared, tier: data base}
            db2:
              ansible_password: hunter2
              sealed: !vault |
                $ANSIBLE_VAULT;1.1;AES256
                6162
          vars: {size: small}
    empty:
other:
  hosts: db1
",
    )]);
    let parsed = bench.read("hosts.yml");
    assert_eq!(parsed.warnings, Vec::<String>::new());
    assert_eq!(
        names(&parsed),
        ["db1", "db2", "jump", "lonely", "web01.example.com", "web02.example.com", "web03.example.com"]
    );
    assert_eq!(host(&parsed, "db1").groups, ["all", "db", "other", "prod"]);
    assert_eq!(var(&parsed, "jump", "ansible_port"), Some("2222"));
    assert_eq!(var(&parsed, "web03.example.com", "answer"), Some("yes"), "as it is written");
    assert_eq!(var(&parsed, "web03.example.com", "tags"), None);
    assert_eq!((var(&parsed, "db1", "size"), var(&parsed, "db2", "size")), (Some("middling"), Some("small")));
    assert_eq!((var(&parsed, "db2", "sealed"), var(&parsed, "db2", "ansible_password")), (None, None));
    assert_eq!(var(&parsed, "db2", "stage"), Some("prod"));
    let groups: Vec<&str> = parsed.groups.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(groups, ["all", "db", "empty", "other", "prod", "web"]);
}

#[test]
fn variables_beside_the_inventory() {
    let bench = Bench::new(&[
        ("hosts", "[web]\nweb1 a=host\nweb2\n[top:children]\nweb\n[web:vars]\na=ini\nb=ini\n"),
        ("group_vars/all.yml", "b: all file\nc: all file\nz: 1\n"),
        ("group_vars/web", "c: web file\n"),
        ("group_vars/web.other.yml", "c: of no group\n"),
        ("group_vars/top/one.yml", "d: top file\nc: top file\n"),
        ("host_vars/web1.yml", "a: host file\n"),
        ("host_vars/web2.yml", "$ANSIBLE_VAULT;1.1;AES256\n6162\n"),
    ]);
    let parsed = bench.read("hosts");
    assert_eq!(parsed.warnings, Vec::<String>::new());
    let all = |name: &str| ["a", "b", "c", "d", "z"].map(|v| var(&parsed, name, v).unwrap_or("-").to_owned());
    assert_eq!(all("web1"), ["host file", "all file", "web file", "top file", "1"]);
    assert_eq!(all("web2"), ["ini", "all file", "web file", "top file", "1"]);
    for watched in ["hosts", "group_vars", "group_vars/all.yml", "group_vars/top", "host_vars/web1.yml"] {
        assert!(parsed.files.contains(&bench.path(watched)), "{watched}");
    }
}

#[test]
fn a_folder_is_one_inventory() {
    let bench = Bench::new(&[
        ("inv/10-web", "[web]\nweb1\n"),
        ("inv/20-more.yml", "web: {hosts: {web2: }, vars: {a: 1}}\n"),
        ("inv/readme.md", "[not a host"),
        ("inv/.hidden", "[x]\nhidden\n"),
        ("inv/group_vars/web.yml", "b: 2\n"),
    ]);
    let parsed = bench.read("inv");
    assert_eq!((names(&parsed), &parsed.warnings), (vec!["web1", "web2"], &Vec::new()));
    assert_eq!((var(&parsed, "web1", "a"), var(&parsed, "web1", "b")), (Some("1"), Some("2")));
    assert!(parsed.files.contains(&bench.path("inv")));
}

#[test]
fn several_inventories_are_one() {
    let bench = Bench::new(&[("a", "[web]\nweb1 v=1\n"), ("b", "[web]\nweb2\n[web:vars]\nv=2\n")]);
    let parsed = read_all(&[bench.path("a"), bench.path("b")]);
    assert_eq!((var(&parsed, "web1", "v"), var(&parsed, "web2", "v")), (Some("1"), Some("2")));
}

#[test]
fn what_is_wrong_is_named_with_file_and_line() {
    let long = "x".repeat(3);
    for (name, text, expected) in [
        (
            "hosts",
            "[web\nweb1 'open\n".to_owned(),
            vec!["1: `[web`: a bracket is not closed", "2: a quote (') is not closed"],
        ),
        (
            "hosts",
            "[a b]\nlost\n[web:what]\nlost\n".into(),
            vec![
                "1: `[a b]` is not a section: [group], [group:children], [group:vars]",
                "3: [web:what]: only :children and :vars are known",
            ],
        ),
        (
            "hosts",
            "web[3:1]\nweb[1:2:0]\nweb[01:100]\nweb[1:900000000]\n".into(),
            vec![
                "1: `web[3:1]`: [3:1]: the begin is after the end",
                "2: `web[1:2:0]`: [1:2:0]: the step is not a number above 0",
                "3: `web[01:100]`: [01:100]: begin and end must have the same length",
                "4: `web[1:900000000]`: [1:900000000]: more than 200000 hosts",
            ],
        ),
        (
            "hosts",
            format!("{long} key\n[g:children]\nnone\nh 1\n[v:vars]\nx\n"),
            vec![
                "1: `key` is not name=value",
                "4: `h 1` is not the name of a group",
                "6: `x` is not name=value",
                "3: the group `none` has no section of its own",
                "5: the group `v` has no section of its own",
            ],
        ),
        (
            "hosts",
            "[a]\nh\n[a:children]\nb\n[b:children]\nc\n[c:children]\na\n".into(),
            vec!["8: `a` under `c` closes a circle of groups: left out"],
        ),
        (
            "h.yml",
            "all:\n  hosts:\n    a: {b\n".into(),
            vec!["4: not YAML: while parsing a flow mapping, did not find expected ',' or '}'"],
        ),
        (
            "h.yml",
            "all:\n  hosts: [a]\n  what: {}\n  children:\n    x: 3\n".into(),
            vec![
                "2: `hosts` of the group `all` is not a map",
                "3: `what` in the group `all`: only hosts, children and vars are known",
                "5: the group `x` is not a map of hosts, children, vars",
            ],
        ),
        ("h.yml", "hosts:\n  a:\n".into(), vec!["1: `hosts` stands outside of a group (`all:` above it is missing)"]),
        ("h.yml", "- a\n".into(), vec!["1: an inventory begins with the name of a group"]),
        (
            "h.yml",
            "plugin: aws_ec2\n".into(),
            vec![
                "1: the settings of an inventory plugin: none is run here; keep its hosts in a file instead \
                 (`ansible-inventory -i IT --list --yaml` writes one), and itself out of the inventory",
            ],
        ),
        ("h.yml", "a: &x\n  children:\n    b: *x\n".into(), vec!["3: an alias of itself"]),
    ] {
        let bench = Bench::new(&[(name, &text)]);
        let file = bench.path(name).display().to_string();
        let expected: Vec<String> = expected.into_iter().map(|warning| format!("{file}:{warning}")).collect();
        assert_eq!(bench.read(name).warnings, expected, "{text}");
    }
    let missing = read(Path::new("/nowhere/hosts"));
    assert!(missing.warnings[0].starts_with("/nowhere/hosts: the inventory cannot be read"), "{missing:?}");
}

#[test]
fn a_program_is_not_run_and_what_to_do_instead_is_said_where_its_hosts_are_missed() {
    let bench = Bench::new(&[("inv", "#!/bin/sh\ntouch ran\n")]);
    fs::set_permissions(bench.path("inv"), fs::Permissions::from_mode(0o755)).unwrap();
    let parsed = bench.read("inv");
    assert!(parsed.hosts.is_empty() && parsed.warnings[0].contains("inv:1: a program: none is run here"), "{parsed:?}");
    assert_eq!(parsed.unread, parsed.warnings, "whom it would leave out is not known either");
    assert!(!bench.path("ran").exists());
}

#[test]
fn templates_by_name_are_filled_in_and_others_named_once() {
    let bench = Bench::new(&[(
        "hosts",
        "[web]\nweb[1:3].x site=east\n[web:vars]\nansible_host=\"{{ inventory_hostname_short }}.{{site}}.example.com\"\n\
         ansible_user={{ lookup('env','USER') }}\nnote={{ a | b }}\nloop={{ loop }}\n",
    )]);
    let parsed = bench.read("hosts");
    assert_eq!(var(&parsed, "web2.x", "ansible_host"), Some("web2.east.example.com"));
    assert_eq!((var(&parsed, "web2.x", "note"), var(&parsed, "web2.x", "loop")), (None, None));
    assert_eq!(
        parsed.warnings,
        [
            "inventory: ansible_user of web1.x and 2 more: the template `{{ lookup('env','USER') }}` is not understood, the variable is left out"
        ]
    );
}

#[test]
fn addresses_and_ports() {
    for (text, expected) in [
        ("web", ("web", None)),
        ("web:2222", ("web", Some(2222))),
        ("web[1:3]:22", ("web[1:3]", Some(22))),
        ("web[1:3]", ("web[1:3]", None)),
        ("::1", ("::1", None)),
        ("fe80::1:22", ("fe80::1:22", None)),
        ("[::1]:22", ("::1", Some(22))),
        ("web:0", ("web:0", None)),
        ("web:x", ("web:x", None)),
    ] {
        assert_eq!(range::split_port(text), expected, "{text}");
    }
}

#[test]
fn aliases_that_multiply_and_deep_nesting_end_early() {
    let mut bomb = "a0: &a0 {hosts: {h: }}\n".to_owned();
    for n in 1..40 {
        let below = n - 1;
        bomb.push_str(&format!("a{n}: &a{n} {{children: {{x: *a{below}, y: *a{below}}}}}\n"));
    }
    let bench =
        Bench::new(&[("bomb.yml", &bomb), ("deep.yml", &"- ".repeat(100_000)), ("flow.yml", &"{a: ".repeat(10_000))]);
    assert_eq!(names(&bench.read("bomb.yml")), ["h"]);
    assert!(bench.read("deep.yml").warnings[0].contains("nested more than 64 deep"));
    assert!(!bench.read("flow.yml").warnings.is_empty());
    let chain: String = (0..3000).map(|n| format!("[g{n}:children]\ng{}\n", n + 1)).collect();
    let bench = Bench::new(&[("chain", &format!("{chain}[g3000]\nh\n"))]);
    assert!(bench.read("chain").warnings.iter().any(|warning| warning.contains("more than 64 groups deep")));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn arbitrary_input_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let text = String::from_utf8_lossy(&bytes);
        for yaml in [false, true] {
            let mut store = Store::default();
            let file = store.file(Path::new("x"));
            if yaml { yaml::read(&mut store, file, &text) } else { ini::read(&mut store, file, &text) }
            store.finish();
        }
    }

    #[test]
    fn arbitrary_ini_never_panics(lines in prop::collection::vec("(\\[(a|b|all|ungrouped)(:children|:vars|:hosts)?\\]|[ab\\[\\]:019é]{0,8}( [a-c]=[\"'\\\\{} #a]{0,6})?)", 0..20)) {
        let mut store = Store::default();
        let file = store.file(Path::new("x"));
        ini::read(&mut store, file, &lines.join("\n"));
        store.finish();
    }

    #[test]
    fn arbitrary_yaml_never_panics(lines in prop::collection::vec(" {0,6}(- |\\? )?(all|hosts|children|vars|<<|a\\[1:3\\]|b)?:? ?([&*]x |!vault |[\\[\\]{},|>'\"]|~|3)?", 0..20)) {
        let mut store = Store::default();
        let file = store.file(Path::new("x"));
        yaml::read(&mut store, file, &lines.join("\n"));
        yaml::vars(&mut store, file, &lines.join("\n"));
        store.finish();
    }
}
