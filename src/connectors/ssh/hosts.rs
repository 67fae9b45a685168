//! The devices of an `ssh` connection: the hosts of its inventories, or of the ssh configuration where it has none. Pure
//! reading: what could not be read is a warning of the inventory, never a failure.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::config::{Config, HostConfig, Overrides};
use super::inventory::{self, Host, Parsed};
use crate::model::connection::{Connection, Held, Kind, Ssh};
use crate::model::device::{Device, Group, Inventory};

/// Facts shown of one device, and characters of one.
const FACTS: usize = 64;
const FACT: usize = 256;

/// Files of the ssh configuration, in OpenSSH's order.
pub fn config_files(ssh: &Ssh) -> Vec<PathBuf> {
    match &ssh.ssh_config {
        Some(path) => vec![path.clone()],
        None => vec![ssh.home.join(".ssh/config"), PathBuf::from("/etc/ssh/ssh_config")],
    }
}

/// Devices and groups; what the inventories say of each host, by device name; files and folders to watch.
pub fn inventory(connection: &Connection) -> (Inventory, HashMap<String, Overrides>, Vec<PathBuf>) {
    let (mut inventory, overrides, watched, aside) = read(connection);
    inventory.warnings.extend(aside);
    (inventory, overrides, watched)
}

/// What the files of a connection hold, for whoever checks them.
pub fn held(connection: &Connection) -> (Held, Inventory) {
    let (inventory, _, _, aside) = read(connection);
    let held = Held {
        connection: connection.name.clone(),
        devices: inventory.devices.len(),
        groups: inventory.groups.len(),
        problems: inventory.warnings.clone(),
        aside,
    };
    (held, inventory)
}

/// The same with the hosts that are left out, which is nothing that is wrong with a file.
fn read(connection: &Connection) -> (Inventory, HashMap<String, Overrides>, Vec<PathBuf>, Vec<String>) {
    let Kind::Ssh(ssh) = &connection.kind else { return <_>::default() };
    let (config, mut warnings) = Config::load(&config_files(ssh), &ssh.home, &ssh.user);
    if let Some(path) = ssh.ssh_config.as_ref().filter(|path| !path.exists()) {
        warnings.push(format!("{}: the ssh configuration is not there", path.display()));
    }
    let mut watched = config.files();
    let name = &connection.name;
    if ssh.inventory.is_empty() {
        let over = Overrides::default();
        let mut aliases = config.aliases();
        aliases.sort();
        let of = |alias: &String| Arc::new(device(name, alias, &config.host(alias, &over), None));
        let devices = aliases.iter().map(of).collect();
        return (Inventory { devices, warnings, ..Inventory::default() }, HashMap::new(), watched, Vec::new());
    }
    let parsed = inventory::read_all(&ssh.inventory);
    warnings.extend(parsed.warnings.iter().cloned());
    watched.extend(parsed.files.iter().cloned());
    let mut overrides = HashMap::with_capacity(parsed.hosts.len());
    let mut devices = Vec::with_capacity(parsed.hosts.len());
    let mut members: HashMap<&str, Vec<String>> = HashMap::new();
    let mut elsewhere: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for host in &parsed.hosts {
        if let Some(way) = other_way(host) {
            elsewhere.entry(way).or_default().push(&host.name);
            continue;
        }
        let over = overrides_of(host, ssh, &mut warnings);
        let device = device(name, &host.name, &config.host(&host.name, &over), Some(host));
        for group in &host.groups {
            members.entry(group).or_default().push(device.id.clone());
        }
        devices.push(Arc::new(device));
        overrides.insert(host.name.clone(), over);
    }
    let aside = elsewhere.into_iter().map(|(way, hosts)| left_out(way, &hosts)).collect();
    let groups = groups(name, &parsed, members);
    // (a part that could not be read may have held any of its hosts, groups and values)
    let unread = Some((name.clone(), parsed.unread)).filter(|(_, unread)| !unread.is_empty()).into_iter().collect();
    (Inventory { devices, groups, warnings, unread }, overrides, watched, aside)
}

fn implied(group: &str) -> bool {
    matches!(group, "all" | "ungrouped")
}

fn groups(connection: &str, parsed: &Parsed, mut members: HashMap<&str, Vec<String>>) -> Vec<Arc<Group>> {
    let group = |group: &inventory::GroupDef| Group {
        name: group.name.clone(),
        connection: connection.to_owned(),
        children: group.children.clone(),
        // Hosts come by name, so their ids are in order.
        devices: members.remove(group.name.as_str()).unwrap_or_default(),
    };
    // Every inventory has these two, written or not: `@all` and the connection's own name say the same.
    parsed.groups.iter().filter(|group| !implied(&group.name)).map(group).map(Arc::new).collect()
}

fn device(connection: &str, name: &str, config: &HostConfig, host: Option<&Host>) -> Device {
    let mut device = Device::new(connection, name);
    if let Some(host) = host {
        device.groups = host.groups.iter().filter(|group| !implied(group)).cloned().collect();
        let told = host.vars.iter().filter(|(name, _)| !name.starts_with("ansible_") && !inventory::secret(name));
        device.facts.extend(told.take(FACTS).map(|(name, value)| (shown(name), shown(value))));
    }
    // Last: how it is reached is not for a variable of the same name to say.
    device.facts.insert("address".to_owned(), shown(&config.host_name));
    device.facts.insert("port".to_owned(), config.port.to_string());
    device.facts.insert("user".to_owned(), shown(&config.user));
    if !config.proxy_jump.is_empty() {
        device.facts.insert("jump".to_owned(), shown(&config.proxy_jump.join(",")));
    }
    device
}

fn shown(text: &str) -> String {
    text.chars().take(FACT).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// How Ansible reaches the host, where that is not ssh.
fn other_way(host: &Host) -> Option<&str> {
    let way = host.vars.get("ansible_connection")?;
    let last = way.rsplit('.').next().unwrap_or(way);
    (!matches!(last, "ssh" | "smart" | "paramiko" | "paramiko_ssh" | "libssh" | "")).then_some(way)
}

fn left_out(way: &str, hosts: &[&str]) -> String {
    let first = hosts.first().copied().unwrap_or_default();
    let who = if hosts.len() > 1 { format!("{first} and {} more", hosts.len() - 1) } else { first.to_owned() };
    let local = if way == "local" { " (this machine is a connection of kind `local`)" } else { "" };
    format!("inventory: {who}: left out, ansible_connection is {}, not ssh{local}", shown(way))
}

/// Which inventory a variable came from is not kept: the files are named, the host and the key say where in them.
fn files_of(ssh: &Ssh) -> String {
    ssh.inventory.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ")
}

fn overrides_of(host: &Host, ssh: &Ssh, warnings: &mut Vec<String>) -> Overrides {
    let var =
        |names: &[&str]| names.iter().find_map(|name| host.vars.get(*name)).filter(|value| !value.is_empty()).cloned();
    let mut over = Overrides {
        host_name: var(&["ansible_host", "ansible_ssh_host"]),
        user: var(&["ansible_user", "ansible_ssh_user"]),
        ..Overrides::default()
    };
    if let Some(name) = over.host_name.take_if(|name| name.starts_with('-') || name.contains(char::is_whitespace)) {
        warnings.push(format!(
            "{}: host {}: ansible_host `{}` is not the name of a host",
            files_of(ssh),
            host.name,
            shown(&name)
        ));
    }
    if let Some(text) = var(&["ansible_port", "ansible_ssh_port"]) {
        over.port = text.parse().ok().filter(|&port| port > 0);
        if over.port.is_none() {
            let text = shown(&text);
            warnings.push(format!(
                "{}: host {}: ansible_port `{text}` is not a port (1-65535)",
                files_of(ssh),
                host.name
            ));
        }
    }
    over.identity_file =
        var(&["ansible_ssh_private_key_file", "ansible_private_key_file"]).map(|text| key_file(&text, ssh));
    for name in ["ansible_ssh_args", "ansible_ssh_common_args", "ansible_ssh_extra_args"] {
        if let Some(text) = var(&[name]) {
            arguments(&text, name, &mut over);
        }
    }
    let no = |text: String| matches!(text.to_lowercase().as_str(), "false" | "no" | "0" | "off");
    if var(&["ansible_host_key_checking", "ansible_ssh_host_key_checking"]).is_some_and(no) {
        over.options.push("StrictHostKeyChecking=no".to_owned());
    }
    if let Some(seconds) = var(&["ansible_timeout", "ansible_ssh_timeout"]).filter(|text| text.parse::<u16>().is_ok()) {
        over.options.push(format!("ConnectTimeout={seconds}"));
    }
    over
}

/// A relative name is looked for beside the inventories: an engine has no folder of its own to start from.
fn key_file(text: &str, ssh: &Ssh) -> PathBuf {
    let path = PathBuf::from(text);
    if path.is_absolute() || text.starts_with('~') {
        return path;
    }
    let folder = |inventory: &PathBuf| {
        if inventory.is_dir() { inventory.clone() } else { inventory.parent().unwrap_or(Path::new("")).to_owned() }
    };
    let mut places = ssh.inventory.iter().map(|inventory| folder(inventory).join(&path));
    let first = places.next();
    match first {
        Some(first) if !first.exists() => places.find(|place| place.exists()).unwrap_or(first),
        first => first.unwrap_or(path),
    }
}

/// Arguments of an ssh command line, as far as they are options.
fn arguments(text: &str, name: &str, over: &mut Overrides) {
    let Some(words) = shlex::split(text) else {
        over.beyond.push(format!("inventory: {name}: a quote is not closed"));
        return;
    };
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let mut chars = word.chars();
        let (dash, flag) = (chars.next(), chars.next());
        let Some(flag) = flag.filter(|_| dash == Some('-')) else {
            over.beyond.push(format!("inventory: {name}: `{}` is no option", shown(&word)));
            continue;
        };
        // Switches may stand together; those that only concern terminals and forwarding change nothing here.
        if word.chars().skip(1).all(|c| "CqTtxXYaAnvkK46".contains(c)) {
            let family = if word.contains('4') { Some("inet") } else { word.contains('6').then_some("inet6") };
            over.options.extend(family.map(|family| format!("AddressFamily={family}")));
            continue;
        }
        let rest: String = chars.collect();
        let value = if rest.is_empty() { words.next() } else { Some(rest) };
        let Some(value) = value else {
            over.beyond.push(format!("inventory: {name}: -{flag} needs a value"));
            continue;
        };
        let option = match flag {
            'o' => value,
            'J' if over.proxy_jump.is_none() => {
                over.proxy_jump = Some(value);
                continue;
            }
            'p' => format!("Port={value}"),
            'l' => format!("User={value}"),
            'i' => format!("IdentityFile=\"{value}\""),
            'c' => format!("Ciphers={value}"),
            'm' => format!("MACs={value}"),
            'b' => format!("BindAddress={value}"),
            'B' => format!("BindInterface={value}"),
            'I' => format!("PKCS11Provider={value}"),
            'J' | 'S' | 'D' | 'L' | 'R' | 'E' | 'e' => continue,
            _ => {
                over.beyond.push(format!("inventory: {name}: -{flag} {} is for the ssh program", shown(&value)));
                continue;
            }
        };
        over.options.push(option);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn connection(folder: &Path, inventory: &[&str]) -> Connection {
        let ssh = Ssh {
            inventory: inventory.iter().map(|name| folder.join(name)).collect(),
            ssh_config: Some(folder.join("config")),
            home: folder.to_owned(),
            user: "me".into(),
            ..Ssh::default()
        };
        Connection { name: "lab".into(), kind: Kind::Ssh(ssh), protected: false, read_only: false }
    }

    fn facts(inventory: &Inventory, name: &str) -> BTreeMap<String, String> {
        inventory.devices.iter().find(|device| device.name == name).unwrap().facts.clone()
    }

    #[test]
    fn without_an_inventory_the_aliases_are_the_devices() {
        let folder = tempfile::tempdir().unwrap();
        let config = "Host web1 bastion\n  HostName %h.example.com\nHost web*\n  User deploy\n  Port 2222\n  ProxyJump bastion\nHost *\n  Prot 1\n";
        fs::write(folder.path().join("config"), config).unwrap();
        let (inventory, overrides, watched) = super::inventory(&connection(folder.path(), &[]));
        let ids: Vec<&str> = inventory.devices.iter().map(|device| device.id.as_str()).collect();
        assert_eq!(ids, ["lab:bastion", "lab:web1"]);
        let told: Vec<(String, String)> = facts(&inventory, "web1").into_iter().collect();
        let expected = [("address", "web1.example.com"), ("jump", "bastion"), ("port", "2222"), ("user", "deploy")];
        assert_eq!(told, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(facts(&inventory, "bastion")["user"], "me");
        assert!(inventory.groups.is_empty() && overrides.is_empty());
        assert_eq!(watched, [folder.path().join("config")]);
        assert!(inventory.warnings[0].contains("config:8: prot:"), "{:?}", inventory.warnings);
    }

    #[test]
    fn an_inventory_gives_devices_groups_and_how_to_reach_them() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(
            folder.path().join("config"),
            "Host 10.0.0.*\n  Port 2200\n  User file\n  IdentityFile ~/.ssh/file\n",
        )
        .unwrap();
        let hosts = "
[web]
web[1:2] ansible_host=10.0.0.9 ansible_user=deploy site=east api_token=x user=nobody
[db]
db1 ansible_port=5022 ansible_ssh_private_key_file=keys/db%1 ansible_ssh_common_args='-o ProxyCommand=\"ssh -W %h:%p -q ops@gate\" -o StrictHostKeyChecking=no -4 -F other'
db2 ansible_port=many ansible_ssh_common_args='-J gate,second:22'
[prod:children]
web
db
[here]
localhost ansible_connection=local
win[1:3] ansible_connection=winrm
";
        fs::write(folder.path().join("hosts"), hosts).unwrap();
        let connection = connection(folder.path(), &["hosts"]);
        let (inventory, overrides, watched) = super::inventory(&connection);
        let names: Vec<&str> = inventory.devices.iter().map(|device| device.name.as_str()).collect();
        assert_eq!(names, ["db1", "db2", "web1", "web2"]);
        let told: Vec<(String, String)> = facts(&inventory, "web2").into_iter().collect();
        let expected = [("address", "10.0.0.9"), ("port", "2200"), ("site", "east"), ("user", "deploy")];
        assert_eq!(told, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(inventory.devices[3].groups, ["prod", "web"]);
        let groups: Vec<(&str, usize, usize)> =
            inventory.groups.iter().map(|g| (g.name.as_str(), g.children.len(), g.devices.len())).collect();
        assert_eq!(groups, [("db", 0, 2), ("here", 0, 0), ("prod", 2, 4), ("web", 0, 2)]);
        assert_eq!(inventory.groups[2].devices, ["lab:db1", "lab:db2", "lab:web1", "lab:web2"]);

        let Kind::Ssh(ssh) = &connection.kind else { unreachable!() };
        let (config, _) = Config::load(&config_files(ssh), &ssh.home, &ssh.user);
        let db1 = config.host("db1", &overrides["db1"]);
        assert_eq!((db1.port, db1.proxy_jump), (5022, vec!["ops@gate".to_owned()]));
        assert_eq!(db1.identity_files, [folder.path().join("keys/db%1")], "beside the inventory");
        assert_eq!(db1.beyond, ["inventory: ansible_ssh_common_args: -F other is for the ssh program"]);
        assert_eq!(config.host("db2", &overrides["db2"]).proxy_jump, ["gate", "second:22"]);
        assert_eq!(
            inventory.warnings,
            [
                &format!(
                    "{}: host db2: ansible_port `many` is not a port (1-65535)",
                    folder.path().join("hosts").display()
                ),
                "inventory: localhost: left out, ansible_connection is local, not ssh (this machine is a connection of kind `local`)",
                "inventory: win1 and 2 more: left out, ansible_connection is winrm, not ssh",
            ]
        );
        assert!(watched.contains(&folder.path().join("hosts")) && watched.contains(&folder.path().join("config")));
    }

    #[test]
    fn ten_thousand_hosts_are_all_there_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let aliases: String =
            (0..10_000).map(|n| format!("Host h{n}\n  HostName 10.0.0.1\n  Port {}\n", n + 1)).collect();
        fs::write(folder.path().join("config"), format!("{aliases}Host *\n  User all\n")).unwrap();
        fs::write(folder.path().join("hosts"), "[web]\nh[0:9999] site=x\n[top:children]\nweb\n").unwrap();
        let (by_config, ..) = super::inventory(&connection(folder.path(), &[]));
        let (by_inventory, overrides, _) = super::inventory(&connection(folder.path(), &["hosts"]));
        for inventory in [&by_config, &by_inventory] {
            assert_eq!(inventory.devices.len(), 10_000);
            assert!(inventory.devices.is_sorted_by(|a, b| a.id < b.id));
            assert_eq!(facts(inventory, "h4711")["port"], "4712");
        }
        assert_eq!(overrides.len(), 10_000);
        assert!(by_inventory.groups.iter().all(|group| group.devices.len() == 10_000 && group.devices.is_sorted()));
    }

    #[test]
    fn what_is_missing_is_said_and_nothing_fails() {
        let folder = tempfile::tempdir().unwrap();
        let (inventory, _, watched) = super::inventory(&connection(folder.path(), &["hosts.yml"]));
        assert!(inventory.devices.is_empty());
        let [config, hosts] = inventory.warnings.as_slice() else { panic!("{:?}", inventory.warnings) };
        assert!(config.ends_with("config: the ssh configuration is not there"), "{config}");
        assert!(hosts.contains("hosts.yml: the inventory cannot be read"), "{hosts}");
        assert!(watched.contains(&folder.path().join("hosts.yml")), "it may come yet");
    }
}
