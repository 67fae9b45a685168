//! The small grammar of `ssh_config`: how a line is cut into words, how patterns match, how durations
//! and tokens read. Follows OpenSSH's `strdelim`, `argv_split` and `match.c`, quirks included: the
//! referee is `ssh -G`.

/// What OpenSSH calls white space between words of a line.
const BLANK: [char; 4] = [' ', '\t', '\r', '\n'];

/// The keyword of a line (lower case) and the rest after blanks and at most one `=`. `None`: nothing to read.
pub(super) fn keyword(line: &str) -> Option<(String, &str)> {
    let line = line.trim_end_matches([' ', '\t', '\r', '\n', '\u{c}']).trim_start_matches(BLANK);
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let (word, rest) = delimited(line)?;
    (!word.is_empty()).then(|| (word.to_lowercase(), rest.trim_start_matches(BLANK)))
}

/// One word ended by blanks, a quote or `=`, and what follows it. `None`: a quote is not closed.
fn delimited(text: &str) -> Option<(String, &str)> {
    let Some(end) = text.find(|c: char| BLANK.contains(&c) || c == '"' || c == '=') else {
        return Some((text.to_owned(), ""));
    };
    let (before, after) = text.split_at(end);
    if let Some(quoted) = after.strip_prefix('"') {
        let close = quoted.find('"')?;
        let word = format!("{before}{}", &quoted[..close]);
        return Some((word, quoted[close + 1..].trim_start_matches(BLANK)));
    }
    let after = after.trim_start_matches(BLANK);
    let after = after.strip_prefix('=').map_or(after, |rest| rest.trim_start_matches(BLANK));
    Some((before.to_owned(), after))
}

/// The words of a `Match` line, cut the older way (`host=a` is two words); a comment ends it.
pub(super) fn criteria(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut rest = text.trim_start_matches(BLANK);
    while !rest.is_empty() {
        let (word, after) = delimited(rest)?;
        if word.is_empty() || word.starts_with('#') {
            break;
        }
        words.push(word);
        rest = after;
    }
    Some(words)
}

/// The arguments of any other line: single and double quotes, backslash escapes, a `#` between words ends it.
/// `None`: a quote is not closed.
pub(super) fn arguments(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut chars = text.chars().peekable();
    loop {
        while chars.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
        match chars.peek() {
            None | Some('#') => return Some(words),
            Some(_) => {}
        }
        let mut word = String::new();
        let mut quote = None;
        while let Some(c) = chars.next() {
            match (c, quote) {
                ('\\', _) => {
                    let escaped =
                        chars.next_if(|&next| matches!(next, '\'' | '"' | '\\') || (quote.is_none() && next == ' '));
                    word.push(escaped.unwrap_or('\\'));
                }
                (' ' | '\t', None) => break,
                ('"' | '\'', None) => quote = Some(c),
                (_, Some(open)) if c == open => quote = None,
                _ => word.push(c),
            }
        }
        if quote.is_some() {
            return None;
        }
        words.push(word);
    }
}

/// `*` and `?`, in time bounded by the product of the lengths (a pattern is someone's input).
pub(crate) fn matches(text: &str, pattern: &str) -> bool {
    let (text, pattern) = (text.as_bytes(), pattern.as_bytes());
    let (mut t, mut p) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                retry = Some((p + 1, t));
                p += 1;
            }
            Some(&c) if c == b'?' || c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((after, from)) => {
                    p = after;
                    t = from + 1;
                    retry = Some((after, t));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == b'*')
}

/// A comma list with `!` for negation: a negated match refuses, whatever else matches.
pub(crate) fn matches_list(text: &str, list: &str, lower: bool) -> bool {
    let mut found = false;
    for part in list.split(',') {
        let (negated, pattern) = part.strip_prefix('!').map_or((false, part), |rest| (true, rest));
        let hit = if lower { matches(text, &pattern.to_lowercase()) } else { matches(text, pattern) };
        if hit && negated {
            return false;
        }
        found |= hit;
    }
    found
}

pub(super) fn is_pattern(word: &str) -> bool {
    word.starts_with('!') || word.contains(['*', '?'])
}

/// Seconds, or `1h30m`; `None`: not a duration.
pub(super) fn seconds(text: &str) -> Option<u64> {
    let mut total: u64 = 0;
    let mut digits = String::new();
    if text.is_empty() {
        return None;
    }
    for c in text.chars() {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        let unit = match c.to_ascii_lowercase() {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return None,
        };
        total = total.checked_add(digits.parse::<u64>().ok()?.checked_mul(unit)?)?;
        digits.clear();
    }
    if !digits.is_empty() {
        total = total.checked_add(digits.parse().ok()?)?;
    }
    (total <= i32::MAX as u64).then_some(total)
}

/// Replaces `%x` by `value(x)`. `Err`: the token that nobody knows.
pub(super) fn expand(text: &str, value: impl Fn(char) -> Option<String>) -> Result<String, String> {
    if !text.contains('%') {
        return Ok(text.to_owned());
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('%') => out.push('%'),
            Some(token) => out.push_str(&value(token).ok_or_else(|| format!("%{token}"))?),
            None => return Err("%".to_owned()),
        }
    }
    Ok(out)
}
