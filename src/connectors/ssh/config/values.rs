//! The values of `ssh_config`: yes and no, ports, durations, hops, each refused with a reason.

use super::{AddressFamily, Strict, words};

/// `[user@]host[:port]` or `ssh://…`, several by commas; `none`.
pub(super) fn jump(rest: &str) -> Result<Vec<String>, String> {
    let rest = rest.trim_start_matches([' ', '\t', '=']);
    let rest = rest.split('#').next().unwrap_or_default().trim_end().trim_matches('"');
    if rest.eq_ignore_ascii_case("none") {
        return Ok(Vec::new());
    }
    rest.split(',')
        .map(|hop| {
            let bare = hop.strip_prefix("ssh://").unwrap_or(hop).trim_end_matches('/');
            split_hop(bare).map(|_| bare.to_owned()).ok_or_else(|| format!("`{hop}` is not [user@]host[:port]"))
        })
        .collect()
}

/// User, host and port of one hop; IPv6 addresses with a port stand in brackets.
pub(super) fn split_hop(hop: &str) -> Option<(Option<&str>, &str, Option<u16>)> {
    let (user, rest) = hop.rsplit_once('@').map_or((None, hop), |(user, rest)| (Some(user), rest));
    let (host, port) = if let Some(bracketed) = rest.strip_prefix('[') {
        let (host, after) = bracketed.split_once(']')?;
        match after.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if after.is_empty() => (host, None),
            None => return None,
        }
    } else if rest.matches(':').count() == 1 {
        rest.split_once(':').map(|(host, port)| (host, Some(port)))?
    } else {
        (rest, None)
    };
    let port = match port {
        Some(digits) => Some(digits.parse().ok().filter(|&port: &u16| port > 0)?),
        None => None,
    };
    let ok = !host.is_empty() && !host.starts_with('-') && user != Some("") && !host.contains(char::is_whitespace);
    ok.then_some((user, host, port))
}

pub(super) fn flag(text: &str) -> Result<bool, String> {
    match text.to_lowercase().as_str() {
        "yes" | "true" => Ok(true),
        "no" | "false" => Ok(false),
        _ => Err(format!("`{text}` is neither yes nor no")),
    }
}

pub(super) fn yes(text: &str, why: &str) -> Result<Option<String>, String> {
    flag(text).map(|on| on.then(|| why.to_owned()))
}

pub(super) fn port(text: &str) -> Result<u16, String> {
    if text.eq_ignore_ascii_case("ssh") {
        return Ok(22);
    }
    text.parse().ok().filter(|&port| port > 0).ok_or_else(|| format!("`{text}` is not a port (1-65535)"))
}

pub(super) fn number(text: &str) -> Result<u32, String> {
    text.parse::<i32>()
        .ok()
        .and_then(|number| u32::try_from(number).ok())
        .ok_or_else(|| format!("`{text}` is not a number"))
}

/// `None`: `none`.
pub(super) fn duration(text: &str) -> Result<Option<u64>, String> {
    if text == "none" {
        return Ok(None);
    }
    words::seconds(text).map(Some).ok_or_else(|| format!("`{text}` is not a duration (seconds, or 1m30s)"))
}

pub(super) fn strict(text: &str) -> Result<Strict, String> {
    Ok(match text.to_lowercase().as_str() {
        "yes" | "true" => Strict::Yes,
        "no" | "false" | "off" => Strict::No,
        "ask" => Strict::Ask,
        "accept-new" => Strict::AcceptNew,
        _ => return Err(format!("`{text}` is none of yes, accept-new, ask, no")),
    })
}

pub(super) fn family(text: &str) -> Result<AddressFamily, String> {
    Ok(match text.to_lowercase().as_str() {
        "any" => AddressFamily::Any,
        "inet" => AddressFamily::Inet,
        "inet6" => AddressFamily::Inet6,
        _ => return Err(format!("`{text}` is none of any, inet, inet6")),
    })
}

/// `none` stands alone and means no file.
pub(super) fn files(args: Vec<String>) -> Result<Vec<String>, String> {
    match args.iter().any(|arg| arg.eq_ignore_ascii_case("none")) {
        true if args.len() > 1 => Err("`none` must stand alone".to_owned()),
        true => Ok(Vec::new()),
        false => Ok(args),
    }
}

pub(super) fn assignments(args: &[String]) -> Result<Vec<(String, String)>, String> {
    args.iter()
        .map(|arg| {
            let (name, value) = arg.split_once('=').ok_or_else(|| format!("`{arg}` is not NAME=value"))?;
            Ok((name.to_owned(), value.to_owned()))
        })
        .collect()
}
