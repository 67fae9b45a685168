//! From the blocks to one host: the first value of a keyword wins, identity files add up, tokens are filled in.

use std::net::IpAddr;
use std::path::PathBuf;

use super::keywords::{self, Criterion, Line, Setting, Test};
use super::read::{Condition, Place};
use super::way::{Tokens, Way, way};
use super::{AddressFamily, Config, HostConfig, IdentityAgent, Overrides, Strict, values, words};

/// Identity and certificate files kept a host, as in OpenSSH.
const IDENTITIES: usize = 100;

/// OpenSSH's own, in its order. Those of a security key are tried by the agent alone.
const DEFAULT_IDENTITIES: [&str; 5] = ["id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk"];

#[derive(Default)]
struct Found {
    host_name: Option<String>,
    port: Option<u16>,
    user: Option<String>,
    identity_files: Vec<String>,
    certificate_files: Vec<String>,
    identities_only: Option<bool>,
    identity_agent: Option<String>,
    /// `ProxyJump` or `ProxyCommand`, whichever came first.
    way: Option<(Way, String)>,
    connect_timeout: Option<Option<u64>>,
    known_hosts: Option<Vec<String>>,
    global_known_hosts: Option<Vec<String>>,
    strict: Option<Strict>,
    host_key_alias: Option<String>,
    alive_interval: Option<u64>,
    alive_count_max: Option<u32>,
    set_env: Option<Vec<(String, String)>>,
    send_env: Vec<String>,
    family: Option<AddressFamily>,
    hash_known_hosts: Option<bool>,
    kex: Option<String>,
    ciphers: Option<String>,
    macs: Option<String>,
    host_key_algorithms: Option<String>,
    pubkey_algorithms: Option<String>,
    tag: Option<String>,
    publickey: Option<bool>,
    password: Option<bool>,
    keyboard_interactive: Option<bool>,
    /// With the place that says so.
    methods: Option<(String, String)>,
    needs: Vec<(&'static str, Option<String>)>,
    beyond: Vec<String>,
}

pub(super) fn host(config: &Config, alias: &str, over: &Overrides) -> HostConfig {
    let given = over.host_name.as_deref().unwrap_or(alias);
    // `ssh user@host` is one argument too.
    let (user, given) = given.rsplit_once('@').map_or((None, given), |(user, host)| (Some(user), host));
    let mut found = Found { beyond: over.beyond.clone(), ..Found::default() };
    overrides(&mut found, over, user);
    pass(config, &mut found, given, given, false);
    let mut host_name = named(&mut found, given);
    if config.files.twice {
        found.host_name = Some(host_name.clone());
        pass(config, &mut found, &host_name, given, true);
        host_name = found.host_name.clone().unwrap_or(host_name);
    }
    finish(config, found, alias, given, host_name)
}

/// What stands on the command line wins.
fn overrides(found: &mut Found, over: &Overrides, user: Option<&str>) {
    found.port = over.port;
    found.user = over.user.clone().or_else(|| user.map(str::to_owned));
    // A file name, not a template: its `%` is its own.
    let file = over.identity_file.iter().map(|path| path.display().to_string().replace('%', "%%"));
    found.identity_files.extend(file);
    let from = "inventory";
    if let Some(jump) = &over.proxy_jump {
        match values::jump(jump) {
            Ok(hops) => found.way = Some((Way::Jump(hops), from.to_owned())),
            Err(why) => found.beyond.push(format!("{from}: ProxyJump: {why}")),
        }
    }
    for option in &over.options {
        let read = words::keyword(option).map(|(key, rest)| (keywords::read(&key, rest, &[]), key));
        match read {
            Some((Ok(Line::Set(setting)), _)) => apply(found, &setting, || from.to_owned(), false),
            Some((Ok(_), _)) => {}
            Some((Err(why), key)) => found.beyond.push(format!("{from}: {key}: {why}")),
            None => found.beyond.push(format!("{from}: an option without a keyword")),
        }
    }
}

/// Goes through the blocks that may concern this host, in the order of the files.
fn pass(config: &Config, found: &mut Found, host: &str, original: &str, last: bool) {
    let files = &config.files;
    let named: &[usize] = files.named.get(host).map_or(&[], Vec::as_slice);
    let (mut general, mut named) = (files.general.iter().peekable(), named.iter().peekable());
    let mut active: Vec<usize> = Vec::new();
    loop {
        let index = match (general.peek(), named.peek()) {
            (Some(&&a), Some(&&b)) if a < b => general.next(),
            (_, Some(_)) => named.next(),
            (_, None) => general.next(),
        };
        let Some(&index) = index else { break };
        let Some(block) = files.blocks.get(index) else { continue };
        if block.parent.is_some_and(|parent| active.binary_search(&parent).is_err()) {
            continue;
        }
        let holds = match &block.condition {
            Condition::Always => true,
            Condition::Never => false,
            Condition::Host(patterns) => host_matches(host, patterns),
            Condition::Match(criteria) => {
                let (holds, outside) = match_holds(config, found, criteria, host, original, last);
                if let Some(what) = outside {
                    let at = at(config, block.place);
                    push_once(&mut found.beyond, format!("{at}: Match {what} is for the ssh program to decide"));
                }
                holds
            }
        };
        if !holds {
            continue;
        }
        active.push(index);
        for (setting, place) in &block.settings {
            let system = files.system.get(place.file).copied().unwrap_or(false);
            apply(found, setting, || at(config, *place), system);
        }
    }
}

fn at(config: &Config, place: Place) -> String {
    let path = config.files.paths.get(place.file).map(|path| path.display().to_string()).unwrap_or_default();
    format!("{path}:{}", place.line)
}

fn push_once(list: &mut Vec<String>, text: String) {
    if !list.contains(&text) {
        list.push(text);
    }
}

fn host_matches(host: &str, patterns: &[String]) -> bool {
    let mut holds = false;
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            Some(negated) if words::matches(host, negated) => return false,
            Some(_) => {}
            None => holds |= words::matches(host, pattern),
        }
    }
    holds
}

/// Whether all criteria hold; and the one that cannot be told here, where everything else holds.
fn match_holds<'a>(
    config: &Config,
    found: &Found,
    criteria: &'a [Criterion],
    host: &str,
    original: &str,
    last: bool,
) -> (bool, Option<&'a str>) {
    let user = found.user.as_deref().unwrap_or(&config.user);
    let target = match &found.host_name {
        Some(name) if !last => {
            words::expand(name, |token| (token == 'h').then(|| host.to_owned())).unwrap_or_else(|_| name.clone())
        }
        Some(name) => name.clone(),
        None => host.to_owned(),
    };
    let mut outside = None;
    for Criterion { wanted, test } in criteria {
        let holds = match test {
            Test::All => true,
            Test::Final | Test::Canonical => last,
            Test::Host(list) => words::matches_list(&target, list, true),
            Test::OriginalHost(list) => words::matches_list(original, list, true),
            Test::User(list) => words::matches_list(user, list, false),
            Test::LocalUser(list) => words::matches_list(&config.user, list, false),
            Test::Tagged(list) => words::matches_list(found.tag.as_deref().unwrap_or_default(), list, false),
            Test::Outside(what) => {
                outside = Some(what.as_str());
                continue;
            }
        };
        if holds != *wanted {
            return (false, None);
        }
    }
    (outside.is_none(), outside)
}

fn apply(found: &mut Found, setting: &Setting, at: impl Fn() -> String, system: bool) {
    fn first<T: Clone>(slot: &mut Option<T>, value: &T) {
        slot.get_or_insert_with(|| value.clone());
    }
    fn add(list: &mut Vec<String>, value: &String) {
        if list.len() < IDENTITIES && !list.contains(value) {
            list.push(value.clone());
        }
    }
    match setting {
        Setting::HostName(name) => first(&mut found.host_name, name),
        Setting::Port(port) => first(&mut found.port, port),
        Setting::User(user) => first(&mut found.user, user),
        Setting::IdentityFile(file) => add(&mut found.identity_files, file),
        Setting::CertificateFile(file) => add(&mut found.certificate_files, file),
        Setting::IdentitiesOnly(on) => first(&mut found.identities_only, on),
        Setting::IdentityAgent(agent) => first(&mut found.identity_agent, agent),
        Setting::ProxyJump(hops) => {
            found.way.get_or_insert_with(|| (Way::Jump(hops.clone()), at()));
        }
        Setting::ProxyCommand(command) => {
            // `ProxyJump none` forbids hops, not a command.
            found.way.take_if(|(way, _)| matches!(way, Way::Jump(hops) if hops.is_empty()));
            found.way.get_or_insert_with(|| (Way::Command(command.clone()), at()));
        }
        Setting::ConnectTimeout(seconds) => first(&mut found.connect_timeout, seconds),
        Setting::KnownHosts(files) => first(&mut found.known_hosts, files),
        Setting::GlobalKnownHosts(files) => first(&mut found.global_known_hosts, files),
        Setting::Strict(strict) => first(&mut found.strict, strict),
        Setting::HostKeyAlias(alias) => first(&mut found.host_key_alias, alias),
        Setting::AliveInterval(seconds) => first(&mut found.alive_interval, seconds),
        Setting::AliveCountMax(count) => first(&mut found.alive_count_max, count),
        Setting::SetEnv(pairs) => first(&mut found.set_env, pairs),
        Setting::SendEnv(patterns) => patterns.iter().for_each(|pattern| add(&mut found.send_env, pattern)),
        Setting::Family(family) => first(&mut found.family, family),
        Setting::HashKnownHosts(on) => first(&mut found.hash_known_hosts, on),
        Setting::Kex(list) => first(&mut found.kex, list),
        Setting::Ciphers(list) => first(&mut found.ciphers, list),
        Setting::Macs(list) => first(&mut found.macs, list),
        Setting::HostKeyAlgorithms(list) => first(&mut found.host_key_algorithms, list),
        Setting::PubkeyAlgorithms(list) => first(&mut found.pubkey_algorithms, list),
        Setting::Tag(tag) => first(&mut found.tag, tag),
        Setting::Publickey(on) => first(&mut found.publickey, on),
        Setting::Password(on) => first(&mut found.password, on),
        Setting::KeyboardInteractive(on) => first(&mut found.keyboard_interactive, on),
        Setting::Methods(list) => {
            found.methods.get_or_insert_with(|| (list.clone(), at()));
        }
        Setting::Need { key, why } => {
            if found.needs.iter().any(|(known, _)| known == key) {
                return;
            }
            // Debian and Red Hat switch GSSAPI on for every host: an offer, not a need. Whoever relies on it says so
            // in a file of their own.
            let why = why.as_ref().filter(|_| !(system && *key == "GSSAPIAuthentication"));
            found.needs.push((key, why.map(|why| format!("{}: {key}: {why}", at()))));
        }
    }
}

/// `HostName` with its tokens, in lower case unless it is an address.
fn named(found: &mut Found, given: &str) -> String {
    let name = found.host_name.as_deref().unwrap_or("%h");
    let name = words::expand(name, |token| (token == 'h').then(|| given.to_owned())).unwrap_or_else(|token| {
        found.beyond.push(format!("HostName `{name}`: {token} has no meaning there"));
        name.to_owned()
    });
    if name.parse::<IpAddr>().is_ok() { name } else { name.to_lowercase() }
}

fn finish(config: &Config, mut found: Found, alias: &str, given: &str, host_name: String) -> HostConfig {
    let user = found.user.take().unwrap_or_else(|| config.user.clone());
    let port = found.port.unwrap_or(22);
    found.host_key_alias = found.host_key_alias.map(|alias| alias.to_lowercase());
    let mut beyond = std::mem::take(&mut found.beyond);
    beyond.extend(found.needs.drain(..).filter_map(|(_, why)| why));
    let listed = |method: &str| match &found.methods {
        Some((list, _)) => list.split(',').any(|listed| listed.trim() == method),
        None => true,
    };
    let publickey = found.publickey.unwrap_or(true) && listed("publickey");
    let password = found.password.unwrap_or(true) && listed("password");
    let keyboard_interactive = found.keyboard_interactive.unwrap_or(true) && listed("keyboard-interactive");
    if !publickey && !password && !keyboard_interactive {
        beyond.push(match &found.methods {
            Some((list, at)) => format!("{at}: PreferredAuthentications: neither a key nor a password is in `{list}`"),
            None => "keys and passwords are switched off".to_owned(),
        });
    }
    let tokens = Tokens {
        home: &config.home,
        local_user: &config.user,
        original: given,
        host: &host_name,
        port,
        user: &user,
        key_alias: found.host_key_alias.as_deref().unwrap_or(&host_name),
    };
    let mut files = |key: &str, list: Vec<String>| -> Vec<PathBuf> {
        let mut paths = Vec::with_capacity(list.len());
        for text in list.iter().filter(|text| !text.eq_ignore_ascii_case("none")) {
            match tokens.path(text) {
                Ok(path) => paths.push(path),
                Err(why) => push_once(&mut beyond, format!("{key} `{text}`: {why}")),
            }
        }
        paths
    };
    let explicit_identities = !found.identity_files.is_empty();
    let identity_files = match explicit_identities {
        true => files("IdentityFile", found.identity_files),
        false => DEFAULT_IDENTITIES.iter().map(|name| config.home.join(".ssh").join(name)).collect(),
    };
    let certificate_files = files("CertificateFile", found.certificate_files);
    let known_hosts = match found.known_hosts {
        Some(list) => files("UserKnownHostsFile", list),
        None => ["known_hosts", "known_hosts2"].iter().map(|name| config.home.join(".ssh").join(name)).collect(),
    };
    let global_known_hosts = match found.global_known_hosts {
        Some(list) => files("GlobalKnownHostsFile", list),
        None => vec!["/etc/ssh/ssh_known_hosts".into(), "/etc/ssh/ssh_known_hosts2".into()],
    };
    let identity_agent = match found.identity_agent.as_deref() {
        None | Some("SSH_AUTH_SOCK") => IdentityAgent::Env,
        Some(none) if none.eq_ignore_ascii_case("none") => IdentityAgent::None,
        Some(variable) if variable.starts_with('$') => {
            beyond.push(format!("IdentityAgent `{variable}`: a variable of the environment names the agent"));
            IdentityAgent::Env
        }
        Some(path) => match files("IdentityAgent", vec![path.to_owned()]).pop() {
            Some(path) => IdentityAgent::Path(path),
            None => IdentityAgent::Env,
        },
    };
    let (proxy_jump, proxy_command) = way(found.way, &tokens, &mut beyond);
    HostConfig {
        alias: alias.to_owned(),
        identity_files,
        explicit_identities,
        certificate_files,
        identities_only: found.identities_only.unwrap_or(false),
        identity_agent,
        proxy_jump,
        proxy_command,
        connect_timeout: found.connect_timeout.flatten(),
        known_hosts,
        global_known_hosts,
        strict: found.strict.unwrap_or_default(),
        server_alive_interval: found.alive_interval.unwrap_or(0),
        server_alive_count_max: found.alive_count_max.unwrap_or(3),
        set_env: found.set_env.unwrap_or_default(),
        send_env: found.send_env,
        address_family: found.family.unwrap_or_default(),
        hash_known_hosts: found.hash_known_hosts.unwrap_or(false),
        kex: found.kex,
        ciphers: found.ciphers,
        macs: found.macs,
        host_key_algorithms: found.host_key_algorithms,
        pubkey_algorithms: found.pubkey_algorithms,
        publickey,
        password,
        keyboard_interactive,
        beyond,
        host_key_alias: found.host_key_alias.clone(),
        port,
        user,
        host_name,
    }
}
