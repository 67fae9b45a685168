//! The keywords of `ssh_config`: which exist, what their values are, and which of them ask for something
//! that only the `ssh` program can do.

use super::values::{assignments, duration, family, files, flag, jump, number, port, strict, yes};
use super::{AddressFamily, Strict, words};

/// One line, read and judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Host(Vec<String>),
    Match(Vec<Criterion>),
    Include(Vec<String>),
    IgnoreUnknown(String),
    Set(Setting),
    /// A keyword that changes nothing here.
    Other,
}

/// One condition of a `Match` line; `wanted` is false after `!`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Criterion {
    pub wanted: bool,
    pub test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Test {
    All,
    /// Holds in the second pass alone, and asks for one.
    Final,
    /// Holds in a second pass alone.
    Canonical,
    Host(String),
    OriginalHost(String),
    User(String),
    LocalUser(String),
    Tagged(String),
    /// Its answer needs a command or a look at the network: `exec`, `localnetwork`…
    Outside(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Setting {
    HostName(String),
    Port(u16),
    User(String),
    IdentityFile(String),
    CertificateFile(String),
    IdentitiesOnly(bool),
    IdentityAgent(String),
    /// Empty: `none`.
    ProxyJump(Vec<String>),
    ProxyCommand(String),
    ConnectTimeout(Option<u64>),
    /// Empty: `none`.
    KnownHosts(Vec<String>),
    GlobalKnownHosts(Vec<String>),
    Strict(Strict),
    HostKeyAlias(String),
    AliveInterval(u64),
    AliveCountMax(u32),
    SetEnv(Vec<(String, String)>),
    SendEnv(Vec<String>),
    Family(AddressFamily),
    HashKnownHosts(bool),
    Kex(String),
    Ciphers(String),
    Macs(String),
    HostKeyAlgorithms(String),
    PubkeyAlgorithms(String),
    Tag(String),
    Publickey(bool),
    Password(bool),
    KeyboardInteractive(bool),
    /// `PreferredAuthentications`.
    Methods(String),
    /// A keyword whose first value decides whether the native client will do. `why`: it will not.
    Need {
        key: &'static str,
        why: Option<String>,
    },
}

/// Reads the line whose keyword (lower case) and rest were cut by [`words::keyword`].
pub(super) fn read(key: &str, rest: &str, ignored: &[String]) -> Result<Line, String> {
    if rest.is_empty() {
        return Err("no argument after it".to_owned());
    }
    if key == "match" {
        return criteria(rest).map(Line::Match);
    }
    if matches!(key, "proxycommand" | "remotecommand" | "localcommand" | "knownhostscommand") {
        return Ok(command(key, rest));
    }
    if key == "proxyjump" {
        return jump(rest).map(|hops| Line::Set(Setting::ProxyJump(hops)));
    }
    let args = words::arguments(rest).ok_or("a quote is not closed")?;
    let one = || match args.as_slice() {
        [one] if !one.is_empty() => Ok(one.clone()),
        [] => Err("no argument after it".to_owned()),
        [_] => Err("an empty argument".to_owned()),
        [_, extra, ..] => Err(format!("more than one argument (`{extra}`): quote a value with blanks")),
    };
    let some = || match args.as_slice() {
        [] => Err("no argument after it".to_owned()),
        many if many.iter().any(String::is_empty) => Err("an empty argument".to_owned()),
        many => Ok(many.to_vec()),
    };
    let need = |key, why: Option<String>| Ok(Line::Set(Setting::Need { key, why }));
    let setting = match key {
        "host" => return some().map(Line::Host),
        "include" => return some().map(Line::Include),
        "ignoreunknown" => return one().map(Line::IgnoreUnknown),
        "hostname" => Setting::HostName(one()?),
        "port" => Setting::Port(port(&one()?)?),
        "user" => Setting::User(one()?),
        "identityfile" | "identityfile2" => Setting::IdentityFile(one()?),
        "certificatefile" => Setting::CertificateFile(one()?),
        "identitiesonly" => Setting::IdentitiesOnly(flag(&one()?)?),
        "identityagent" => Setting::IdentityAgent(one()?),
        "connecttimeout" => Setting::ConnectTimeout(duration(&one()?)?),
        "userknownhostsfile" | "userknownhostsfile2" => Setting::KnownHosts(files(some()?)?),
        "globalknownhostsfile" | "globalknownhostsfile2" => Setting::GlobalKnownHosts(files(some()?)?),
        "stricthostkeychecking" => Setting::Strict(strict(&one()?)?),
        "hostkeyalias" => Setting::HostKeyAlias(one()?),
        "serveraliveinterval" => Setting::AliveInterval(duration(&one()?)?.unwrap_or(0)),
        "serveralivecountmax" => Setting::AliveCountMax(number(&one()?)?),
        "setenv" => Setting::SetEnv(assignments(&some()?)?),
        "sendenv" => Setting::SendEnv(some()?),
        "addressfamily" => Setting::Family(family(&one()?)?),
        "hashknownhosts" => Setting::HashKnownHosts(flag(&one()?)?),
        "kexalgorithms" => Setting::Kex(one()?),
        "ciphers" => Setting::Ciphers(one()?),
        "macs" => Setting::Macs(one()?),
        "hostkeyalgorithms" => Setting::HostKeyAlgorithms(one()?),
        "pubkeyacceptedalgorithms" | "pubkeyacceptedkeytypes" => Setting::PubkeyAlgorithms(one()?),
        "tag" => Setting::Tag(one()?),
        // `unbound` and `host-bound` are ways to use keys
        "pubkeyauthentication" => Setting::Publickey(!matches!(one()?.to_lowercase().as_str(), "no" | "false")),
        "passwordauthentication" => Setting::Password(flag(&one()?)?),
        "kbdinteractiveauthentication"
        | "challengeresponseauthentication"
        | "skeyauthentication"
        | "tisauthentication" => Setting::KeyboardInteractive(flag(&one()?)?),
        "preferredauthentications" => Setting::Methods(one()?),

        "gssapiauthentication" => return need("GSSAPIAuthentication", yes(&one()?, "signs in with Kerberos")?),
        "hostbasedauthentication" => {
            return need("HostbasedAuthentication", yes(&one()?, "signs in with this machine's host key")?);
        }
        "pkcs11provider" | "smartcarddevice" => {
            let value = one()?;
            let why = (!value.eq_ignore_ascii_case("none")).then(|| "keys are on a PKCS#11 token".to_owned());
            return need("PKCS11Provider", why);
        }
        "securitykeyprovider" => {
            let value = one()?;
            let plain = value.eq_ignore_ascii_case("internal") || value.eq_ignore_ascii_case("none");
            return need("SecurityKeyProvider", (!plain).then(|| "keys are on a FIDO token".to_owned()));
        }
        "canonicalizehostname" => {
            let value = one()?.to_lowercase();
            let why =
                matches!(value.as_str(), "yes" | "true" | "always").then(|| "the name is completed by DNS".into());
            return need("CanonicalizeHostname", why);
        }
        "bindinterface" => {
            let value = one()?;
            return need("BindInterface", Some(format!("binds to the interface {value}")));
        }
        "bindaddress" => {
            let value = one()?;
            return need("BindAddress", Some(format!("binds to the address {value}")));
        }
        "revokedhostkeys" => {
            let value = one()?;
            let why = (!value.eq_ignore_ascii_case("none")).then(|| "a list of revoked host keys is kept".to_owned());
            return need("RevokedHostKeys", why);
        }
        "verifyhostkeydns" => {
            let value = one()?.to_lowercase();
            let why = (value != "no" && value != "false").then(|| "host keys are checked in DNS".to_owned());
            return need("VerifyHostKeyDNS", why);
        }
        _ if OTHERS.binary_search(&key).is_ok() => return Ok(Line::Other),
        _ if ignored.iter().any(|list| words::matches_list(key, &list.to_lowercase(), false)) => {
            return Ok(Line::Other);
        }
        _ => return Err("not a keyword of ssh_config (ssh: Bad configuration option)".to_owned()),
    };
    Ok(Line::Set(setting))
}

/// Keywords whose value is the rest of the line as it stands.
fn command(key: &str, rest: &str) -> Line {
    let rest = rest.trim_start_matches([' ', '\t', '=']);
    match key {
        "proxycommand" => Line::Set(Setting::ProxyCommand(rest.to_owned())),
        "knownhostscommand" => {
            let why = (!rest.eq_ignore_ascii_case("none")).then(|| "a command tells the host keys".to_owned());
            Line::Set(Setting::Need { key: "KnownHostsCommand", why })
        }
        _ => Line::Other,
    }
}

fn criteria(rest: &str) -> Result<Vec<Criterion>, String> {
    let words = words::criteria(rest).ok_or("a quote is not closed")?;
    let mut found: Vec<Criterion> = Vec::new();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let (wanted, name) = word.strip_prefix('!').map_or((true, word.as_str()), |name| (false, name));
        let name = name.to_lowercase();
        let test = match name.as_str() {
            "all" => {
                if found.len() > 1 || words.next().is_some() {
                    return Err("`all` cannot be combined with other conditions".to_owned());
                }
                Test::All
            }
            "final" => Test::Final,
            "canonical" => Test::Canonical,
            _ => {
                let value = words.next().ok_or_else(|| format!("`{name}` needs a value"))?;
                match name.as_str() {
                    "host" => Test::Host(value),
                    "originalhost" => Test::OriginalHost(value),
                    "user" => Test::User(value),
                    "localuser" => Test::LocalUser(value),
                    "tagged" => Test::Tagged(value),
                    "exec" | "localnetwork" | "sessiontype" | "command" | "version" => Test::Outside(name),
                    _ => return Err(format!("`{name}` is not a condition of Match")),
                }
            }
        };
        found.push(Criterion { wanted, test });
    }
    if found.is_empty() { Err("no condition".to_owned()) } else { Ok(found) }
}

/// Keywords OpenSSH knows (old and new ones, and those distributions add) that change nothing in how a script
/// is run here: forwarding, terminals, caching, logging. Sorted.
const OTHERS: [&str; 82] = [
    "addkeystoagent",
    "afstokenpassing",
    "batchmode",
    "canonicaldomains",
    "canonicalizefallbacklocal",
    "canonicalizemaxdots",
    "canonicalizepermittedcnames",
    "casignaturealgorithms",
    "channeltimeout",
    "checkhostip",
    "cipher",
    "clearallforwardings",
    "compression",
    "compressionlevel",
    "connectionattempts",
    "controlmaster",
    "controlpath",
    "controlpersist",
    "dsaauthentication",
    "dynamicforward",
    "enableescapecommandline",
    "enablesshkeysign",
    "escapechar",
    "exitonforwardfailure",
    "fallbacktorsh",
    "fingerprinthash",
    "forkafterauthentication",
    "forwardagent",
    "forwardx11",
    "forwardx11timeout",
    "forwardx11trusted",
    "gatewayports",
    "gssapiclientidentity",
    "gssapidelegatecredentials",
    "gssapikexalgorithms",
    "gssapikeyexchange",
    "gssapirenewalforcesrekey",
    "gssapiserveridentity",
    "gssapitrustdns",
    "hostbasedacceptedalgorithms",
    "hostbasedkeytypes",
    "ipqos",
    "kbdinteractivedevices",
    "keepalive",
    "kerberosauthentication",
    "kerberostgtpassing",
    "localforward",
    "loglevel",
    "logverbose",
    "nohostauthenticationforlocalhost",
    "numberofpasswordprompts",
    "obscurekeystroketiming",
    "permitlocalcommand",
    "permitremoteopen",
    "protocol",
    "protocolkeepalives",
    "proxyusefdpass",
    "refuseconnection",
    "rekeylimit",
    "remoteforward",
    "requesttty",
    "requiredrsasize",
    "rhostsauthentication",
    "rhostsrsaauthentication",
    "rsaauthentication",
    "sessiontype",
    "stdinnull",
    "streamlocalbindmask",
    "streamlocalbindunlink",
    "syslogfacility",
    "tcpkeepalive",
    "tunnel",
    "tunneldevice",
    "updatehostkeys",
    "useblacklistedkeys",
    "useprivilegedport",
    "useroaming",
    "usersh",
    "versionaddendum",
    "visualhostkey",
    "warnweakcrypto",
    "xauthlocation",
];
