//! Ansible's host ranges: `web[01:40:2].x`, `[a:d]`, several a name, both ends included, zero padding kept.

/// All names of a pattern, at most `limit`; a name without a range is itself.
pub(super) fn expand(pattern: &str, limit: usize) -> Result<Vec<String>, String> {
    let mut names = vec![String::new()];
    let mut rest = pattern;
    while let Some((head, after)) = rest.split_once('[') {
        let (range, tail) = after.split_once(']').ok_or_else(|| format!("`{pattern}`: a bracket is not closed"))?;
        let values = values(range, limit).map_err(|why| format!("`{pattern}`: [{range}]: {why}"))?;
        if names.len().saturating_mul(values.len()) > limit {
            return Err(format!("`{pattern}`: more than {limit} hosts"));
        }
        names = names.iter().flat_map(|name| values.iter().map(move |value| format!("{name}{head}{value}"))).collect();
        rest = tail;
    }
    names.iter_mut().for_each(|name| name.push_str(rest));
    Ok(names)
}

fn values(range: &str, limit: usize) -> Result<Vec<String>, String> {
    let parts: Vec<&str> = range.split(':').collect();
    let (begin, end, step) = match parts.as_slice() {
        [begin, end] => (*begin, *end, "1"),
        [begin, end, step] => (*begin, *end, *step),
        _ => return Err("a range is begin:end or begin:end:step".to_owned()),
    };
    let begin = if begin.is_empty() { "0" } else { begin };
    let step: usize = step.parse().ok().filter(|&step| step > 0).ok_or("the step is not a number above 0")?;
    if end.is_empty() {
        return Err("the end is missing".to_owned());
    }
    if let (Some(first), Some(last)) = (letter(begin), letter(end)) {
        if first > last {
            return Err("the begin is after the end".to_owned());
        }
        return Ok((first..=last).step_by(step).map(|at| LETTERS[at..=at].to_owned()).collect());
    }
    let number = |text: &str| text.parse::<u64>().map_err(|_| format!("`{text}` is not a number"));
    let (first, last) = (number(begin)?, number(end)?);
    let padded = begin.len() > 1 && begin.starts_with('0');
    if padded && begin.len() != end.len() {
        return Err("begin and end must have the same length".to_owned());
    }
    if first > last {
        return Err("the begin is after the end".to_owned());
    }
    if (last - first) / step as u64 >= limit as u64 {
        return Err(format!("more than {limit} hosts"));
    }
    let width = if padded { begin.len() } else { 0 };
    Ok((first..=last).step_by(step).map(|number| format!("{number:0width$}")).collect())
}

const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

fn letter(text: &str) -> Option<usize> {
    if text.len() == 1 { LETTERS.find(text) } else { None }
}

/// Host pattern and port of `web[1:3]:2222`, `[::1]:22`; an IPv6 address by itself has none.
pub(super) fn split_port(text: &str) -> (&str, Option<u16>) {
    let Some((host, digits)) = text.rsplit_once(':') else { return (text, None) };
    let Some(port) = digits.parse::<u16>().ok().filter(|&port| port > 0) else { return (text, None) };
    if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'))
        && address.parse::<std::net::Ipv6Addr>().is_ok()
    {
        return (address, Some(port));
    }
    // A colon inside a range is no port's, one outside makes it an address.
    let (mut depth, mut plain) = (0, true);
    for c in host.chars() {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            ':' if depth == 0 => plain = false,
            _ => {}
        }
    }
    if plain && depth == 0 && !host.is_empty() { (host, Some(port)) } else { (text, None) }
}
