//! What differs from device to device and from run to run in a line that means the same: its numbers, times and
//! addresses. (The device's own names are out of it already: `own`.) One pass over the line, no memory of other lines,
//! so that the same line has the same template everywhere and always; a script's own rules come before the masks.
//! Knows nothing of jobs.
//!
//! A change of what is masked changes the names of groups: it wants a new version in `signature`.

use super::own::{HOST, SERIAL, USER};
use super::rules::Rules;
use crate::model::ways::Fine;

/// What stood for each kind of thing that was masked.
pub const NUMBER: &str = "<n>";
pub const TIME: &str = "<time>";
pub const HEX: &str = "<hex>";
pub const UUID: &str = "<uuid>";
pub const ADDRESS: &str = "<addr>";
pub const HOME: &str = "<home>";
pub const TEMPORARY: &str = "<tmp>";

/// All that can stand in a template.
pub const MARKS: [&str; 10] = [NUMBER, TIME, HEX, UUID, ADDRESS, HOME, TEMPORARY, HOST, SERIAL, USER];

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// The line with everything that is its own alone taken out.
#[cfg(test)]
pub fn mask(line: &str) -> String {
    mask_by(line, &Rules::default(), Fine::Masks)
}

/// The same by a script's own rules, which come first, and as finely as is asked.
pub fn mask_by(line: &str, rules: &Rules, fine: Fine) -> String {
    let claims = rules.claims(line);
    let mut claims = claims.iter().peekable();
    let mut masked = String::with_capacity(line.len());
    let mut at = 0;
    // whether what stands before could be part of the same word
    let mut within = false;
    while let Some(character) = line[at..].chars().next() {
        if let Some((place, becomes)) = claims.next_if(|(place, _)| place.start == at) {
            let claimed = &line[place.clone()];
            masked.push_str(becomes.unwrap_or(claimed));
            within = claimed.ends_with(|c: char| c.is_alphanumeric() || c == '_');
            at = place.end;
            continue;
        }
        // no mask reaches into what a rule has claimed
        let rest = &line[at..claims.peek().map_or(line.len(), |(place, _)| place.start)];
        let found = match fine {
            Fine::Words | Fine::Masks => token(rest, within).or_else(|| number(rest, &line[..at])),
            Fine::Numbers => token(rest, within),
            Fine::Lines => None,
        };
        if let Some((mark, len)) = found {
            masked.push_str(mark);
            within = rest[..len].ends_with(|c: char| c.is_alphanumeric());
            at += len;
        } else {
            // blanks are laid out by widths: `9 GiB` and `10 GiB` are the same
            if !(character.is_whitespace() && masked.ends_with(' ')) {
                masked.push(if character.is_whitespace() { ' ' } else { character });
            }
            within = character.is_alphanumeric() || character == '_';
            at += character.len_utf8();
        }
    }
    masked.truncate(masked.trim_end().len());
    masked
}

type Found = Option<(&'static str, usize)>;

/// What can only begin where a word begins.
fn token(rest: &str, within: bool) -> Found {
    let first = *rest.as_bytes().first()?;
    if within {
        return None;
    }
    match first {
        b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F' | b':' => named_time(rest)
            .or_else(|| uuid(rest))
            .or_else(|| time(rest))
            .or_else(|| address(rest))
            .or_else(|| hex(rest)),
        b'/' => path(rest),
        b'G'..=b'Z' => named_time(rest),
        _ => None,
    }
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

fn hex_digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_hexdigit).count()
}

/// No letter, digit or underscore goes on behind.
fn ends(rest: &str, len: usize) -> bool {
    !rest[len..].starts_with(|c: char| c.is_alphanumeric() || c == '_')
}

fn uuid(rest: &str) -> Found {
    let mut at = 0;
    for (n, len) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if n > 0 {
            if !rest[at..].starts_with('-') {
                return None;
            }
            at += 1;
        }
        if hex_digits(&rest[at..]) < len {
            return None;
        }
        at += len;
    }
    ends(rest, at).then_some((UUID, at))
}

/// `10:42:07.123`, `10:42`; and what follows a clock: a fraction, a zone.
fn clock(rest: &str) -> Option<usize> {
    let hours = digits(rest);
    if !(1..=2).contains(&hours) {
        return None;
    }
    let mut at = hours;
    let mut fields = 1;
    while fields < 3 && rest[at..].starts_with(':') && digits(&rest[at + 1..]) == 2 {
        at += 3;
        fields += 1;
    }
    if fields < 2 {
        return None;
    }
    if rest[at..].starts_with(['.', ',']) && digits(&rest[at + 1..]) > 0 {
        at += 1 + digits(&rest[at + 1..]);
    }
    if rest[at..].starts_with('Z') {
        return Some(at + 1);
    }
    let zone = rest[at..].strip_prefix(' ').unwrap_or(&rest[at..]);
    if zone.starts_with(['+', '-']) {
        let sign = rest.len() - zone.len();
        let behind = &rest[sign + 1..];
        let offset = match digits(behind) {
            4 => 4,
            2 if behind[2..].starts_with(':') && digits(&behind[3..]) == 2 => 5,
            _ => return Some(at),
        };
        at = sign + 1 + offset;
    }
    Some(at)
}

/// `10_42_07_123Z`, `10-42-07`: in the name of a file, behind a date.
fn clock_of_a_name(rest: &str) -> Option<usize> {
    let between = rest[digits(rest)..].chars().next().filter(|c| matches!(c, '_' | '-' | '.'))?;
    let mut at = 0;
    for field in 0..3 {
        if field > 0 {
            at += rest[at..].strip_prefix(between).map(|_| 1)?;
        }
        at += (digits(&rest[at..]) == 2).then_some(2)?;
    }
    let fraction = rest[at..].strip_prefix(between).map_or(0, digits);
    at += if fraction > 0 { 1 + fraction } else { 0 };
    Some(at + usize::from(rest[at..].starts_with('Z')))
}

/// `2026-11-22T10:42:07Z`, `2026/11/22`, `22/Nov/2026:10:42:07 +0000`, `10:42:07`.
fn time(rest: &str) -> Found {
    if let Some(at) = date(rest) {
        let glue = &rest[at..];
        if glue.starts_with(['T', ' ', '_', ':', '-'])
            && let Some(len) = clock(&glue[1..]).or_else(|| clock_of_a_name(&glue[1..]))
        {
            return Some((TIME, at + 1 + len));
        }
        return ends(rest, at).then_some((TIME, at));
    }
    let at = clock(rest)?;
    // `1:02` of `stage 1:02:x`, or a port list, are no times: something with a colon goes on
    (ends(rest, at) && !rest[at..].starts_with(':')).then_some((TIME, at))
}

fn date(rest: &str) -> Option<usize> {
    let first = digits(rest);
    let separator = *rest.as_bytes().get(first).filter(|byte| matches!(byte, b'-' | b'/'))?;
    let behind = &rest[first + 1..];
    match (first, separator) {
        (4, _) => {
            let second = digits(behind);
            let third = behind.get(second + 1..).map_or(0, digits);
            ((1..=2).contains(&second) && behind.as_bytes().get(second) == Some(&separator) && (1..=2).contains(&third))
                .then_some(first + 1 + second + 1 + third)
        }
        (1..=2, _) => {
            let month = MONTHS.iter().any(|month| behind.starts_with(month));
            let year = behind.get(4..).map_or(0, digits);
            (month && behind.as_bytes().get(3) == Some(&separator) && year == 4).then_some(first + 1 + 3 + 1 + year)
        }
        _ => None,
    }
}

/// `Sun Nov 22 10:42:07 2026`, `Nov 22 10:42:07`, `Sun, 22 Nov 2026 10:42:07 GMT`.
fn named_time(rest: &str) -> Found {
    let mut at = 0;
    if DAYS.iter().any(|day| rest.starts_with(day)) && rest[3..].starts_with([' ', ',']) {
        at = 3 + rest[3..].len() - rest[3..].trim_start_matches([',', ' ']).len();
    }
    let text = &rest[at..];
    let mut len;
    if MONTHS.iter().any(|month| text.starts_with(month)) {
        len = 3 + blanks(&text[3..])?;
        let day = digits(&text[len..]);
        if !(1..=2).contains(&day) {
            return None;
        }
        len += day;
    } else if at > 0 {
        let day = digits(text);
        len = day + text[day..].len().min(1);
        if day == 0 || !text.get(len..)?.starts_with(|c: char| c.is_ascii_uppercase()) {
            return None;
        }
        if !MONTHS.iter().any(|month| text[len..].starts_with(month)) {
            return None;
        }
        len += 3;
        len += text[len..].strip_prefix(' ').map_or(0, |year| if digits(year) == 4 { 5 } else { 0 });
    } else {
        return None;
    }
    if let Some(behind) = text[len..].strip_prefix(' ')
        && let Some(clock) = clock(behind)
    {
        len += 1 + clock;
    }
    // `UTC`, `CEST`: what `date` prints before the year, and a mail header at the end
    if let Some(behind) = text[len..].strip_prefix(' ') {
        let zone = behind.bytes().take_while(u8::is_ascii_uppercase).count();
        let year = behind.get(zone..).and_then(|text| text.strip_prefix(' ')).map_or(0, digits);
        len += if (3..=4).contains(&zone) && (year == 4 || matches!(&behind[..zone], "GMT" | "UTC")) {
            1 + zone
        } else {
            0
        };
    }
    if let Some(year) = text[len..].strip_prefix(' ')
        && digits(year) == 4
        && ends(year, 4)
    {
        len += 5;
    }
    Some((TIME, at + len))
}

fn blanks(text: &str) -> Option<usize> {
    let count = text.len() - text.trim_start_matches(' ').len();
    (count > 0).then_some(count)
}

/// IPv4, IPv6 and MAC addresses, with a port or the width of a network.
fn address(rest: &str) -> Found {
    let len = rest.bytes().take_while(|b| b.is_ascii_hexdigit() || matches!(b, b'.' | b':')).count();
    let text = rest[..len].trim_end_matches(['.', ':']);
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if host.contains('.') => (host, Some(port)),
        _ => (text, None),
    };
    let octets = |text: &str| text.split('.').count() == 4 && text.split('.').all(|part| part.parse::<u8>().is_ok());
    let mac = |text: &str| text.split(':').count() == 6 && text.split(':').all(|part| part.len() == 2);
    let found = if octets(host) && port.is_none_or(|port| port.bytes().all(|b| b.is_ascii_digit()) && !port.is_empty())
    {
        text.len()
    } else if octets(host) {
        host.len()
    } else if mac(text) || (text.matches(':').count() >= 2 && text.parse::<std::net::Ipv6Addr>().is_ok()) {
        text.len()
    } else {
        return None;
    };
    let width = rest[found..].strip_prefix('/').map_or(0, digits);
    let found = if (1..=3).contains(&width) { found + 1 + width } else { found };
    ends(rest, found).then_some((ADDRESS, found))
}

/// `0x7ffe`, a commit, a hash: eight digits or more, letters and figures among them.
fn hex(rest: &str) -> Found {
    if let Some(behind) = rest.strip_prefix("0x") {
        let len = hex_digits(behind);
        return (len > 0 && ends(rest, len + 2)).then_some((HEX, len + 2));
    }
    let len = hex_digits(rest);
    let text = &rest[..len];
    let mixed = text.bytes().any(|b| b.is_ascii_digit()) && text.bytes().any(|b| b.is_ascii_alphabetic());
    (len >= 7 && mixed && ends(rest, len)).then_some((HEX, len))
}

/// Somebody's home, and names that were made up for the moment.
fn path(rest: &str) -> Found {
    let name = |text: &str| {
        let mut len = 0;
        loop {
            let rest = &text[len..];
            let own = [HOST, SERIAL, USER].into_iter().find(|mark| rest.starts_with(mark)).map_or(0, str::len);
            let plain = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || b"._-@+".contains(b)).count();
            match own.max(plain) {
                0 => return len,
                more => len += more,
            }
        }
    };
    for homes in ["/home/", "/Users/", "/var/home/"] {
        if let Some(behind) = rest.strip_prefix(homes) {
            let len = name(behind);
            return (len > 0).then_some((HOME, homes.len() + len));
        }
    }
    if rest.starts_with("/root") && ends(rest, 5) {
        return Some((HOME, 5));
    }
    for made_up in ["/tmp/", "/var/tmp/", "/private/tmp/", "/var/folders/", "/private/var/folders/", "/run/user/"] {
        if let Some(behind) = rest.strip_prefix(made_up) {
            let len = name(behind);
            return (len > 0).then_some((TEMPORARY, made_up.len() + len));
        }
    }
    None
}

/// Figures. One or two of them right behind a letter belong to a name (`eth0`, `utf8`, `x86`).
fn number(rest: &str, before: &str) -> Found {
    let mut len = digits(rest);
    if len == 0 {
        return None;
    }
    let last = before.chars().next_back();
    let named = last.is_some_and(|c| c.is_alphabetic() || c == '_');
    if last.is_some_and(|c| c.is_ascii_digit()) || (named && len < 3) {
        return None;
    }
    while rest[len..].starts_with(['.', ',']) && digits(&rest[len + 1..]) > 0 {
        len += 1 + digits(&rest[len + 1..]);
    }
    // `1h02m03s` is as long as `58s` is: in the unit that stands last
    while rest[len..].starts_with(['d', 'h', 'm']) && (1..=2).contains(&digits(&rest[len + 1..])) {
        let behind = len + 1 + digits(&rest[len + 1..]);
        let fraction = rest[behind..].strip_prefix('.').map_or(0, digits);
        let behind = behind + if fraction > 0 { 1 + fraction } else { 0 };
        if !rest[behind..].starts_with(['h', 'm', 's']) {
            break;
        }
        len = behind;
    }
    Some((NUMBER, len))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ways::Rule;

    fn masked(line: &str) -> String {
        mask(line)
    }

    #[test]
    fn what_changes_from_run_to_run_is_taken_out() {
        for (line, expected) in [
            ("retry 3/3 failed: CDN 503", "retry <n>/<n> failed: CDN <n>"),
            ("no space: 9 GiB free, need 12", "no space: <n> GiB free, need <n>"),
            ("no space:   10 GiB free, need 12", "no space: <n> GiB free, need <n>"),
            ("rc=69 from=14.5 to=14.6.1", "rc=<n> from=<n> to=<n>"),
            ("62% downloaded, 1,204 of 2,000", "<n>% downloaded, <n> of <n>"),
            ("took 2.5s, -12 left", "took <n>s, -<n> left"),
            ("pid 4711: Killed", "pid <n>: Killed"),
            ("in 58s, 1m02s, 1h02m03.5s", "in <n>s, <n>s, <n>s"),
            ("2d4h and 3m5x", "<n>h and <n>m5x"),
            ("2026-11-22T10:42:07.123Z start", "<time> start"),
            ("2026-11-22 10:42:07,123 ERROR x", "<time> ERROR x"),
            ("2026-11-22 10:42:07 +0100 x", "<time> x"),
            ("2026/11/22 10:42:07 [error]", "<time> [error]"),
            ("in /x/2026-11-22T10_42_07_123Z-debug-0.log", "in /x/<time>-debug-<n>.log"),
            ("2026-11-22_10-42-07.log and 2026-11-22-10.42.07", "<time>.log and <time>"),
            ("2026-11-22-12 gone", "<time>-<n> gone"),
            ("[22/Nov/2026:10:42:07 +0000] GET", "[<time>] GET"),
            ("Nov 22 10:42:07 sshd[812]: bye", "<time> sshd[<n>]: bye"),
            ("Nov  2 10:42:07 sshd", "<time> sshd"),
            ("Sun Nov 22 10:42:07 UTC 2026", "<time>"),
            ("Sun Nov 22 10:42:07 CEST 2026", "<time>"),
            ("Sun Nov 22 10:42:07 2026 done", "<time> done"),
            ("Date: Sun, 22 Nov 2026 10:42:07 GMT", "Date: <time>"),
            ("at 10:42:07 it stopped", "at <time> it stopped"),
            ("not seen since 2026-11-22", "not seen since <time>"),
            ("job 3f2b1c9a-0000-4abc-8def-0123456789ab failed", "job <uuid> failed"),
            ("commit 9f3c1e7 and 0x7ffe12", "commit <hex> and <hex>"),
            ("10.0.0.7:22: connection refused", "<addr>: connection refused"),
            ("route 10.0.0.0/8 via fe80::1", "route <addr> via <addr>"),
            ("link 52:54:00:12:34:56 up", "link <addr> up"),
            ("/home/alice/x.py and /Users/bob/y", "<home>/x.py and <home>/y"),
            ("cannot read /root/.ssh", "cannot read <home>/.ssh"),
            ("mv /tmp/tmp.Ab3dEf/out /var/tmp/x1", "mv <tmp>/out <tmp>"),
            ("/tmp and /rooted stay", "/tmp and /rooted stay"),
            ("web0012 is node12", "web<n> is node12"),
        ] {
            assert_eq!(masked(line), expected, "{line:?}");
        }
    }

    #[test]
    fn words_stay_as_they_are() {
        for line in [
            "eth0 is down",
            "not valid utf8",
            "x86_64",
            "May contain nuts",
            "Sat down",
            "decade of abc",
            "cafe",
            "face the feed",
            "a: b:: c",
            "sw_vers: command not found",
            "March on",
            "Monday",
            "deadbeef",
            "café ☕ ok",
            "",
        ] {
            assert_eq!(masked(line), line);
        }
    }

    #[test]
    fn a_script_s_rules_come_before_the_masks() {
        let rule =
            |pattern: &str, becomes: Option<&str>| Rule { pattern: pattern.into(), becomes: becomes.map(Into::into) };
        let rules =
            [rule("HTTP [0-9]+", None), rule("pkg-[a-z]+", Some("<pkg>")), rule("[0-9]+ left", Some("some left"))];
        let rules = Rules::compile(&rules).unwrap();
        for (line, expected) in [
            ("HTTP 503 after 12 s", "HTTP 503 after <n> s"),
            ("10.0.0.7: HTTP 404", "<addr>: HTTP 404"),
            ("no pkg-foo, 12 left of 13", "no <pkg>, some left of <n>"),
        ] {
            assert_eq!(mask_by(line, &rules, Fine::Masks), expected);
        }
    }

    #[test]
    fn less_can_be_masked() {
        let line = "10:42:07 retry 3/3   from 10.0.0.7";
        assert_eq!(mask_by(line, &Rules::default(), Fine::Numbers), "<time> retry 3/3 from <addr>");
        assert_eq!(mask_by(line, &Rules::default(), Fine::Lines), "10:42:07 retry 3/3 from 10.0.0.7");
    }

    proptest::proptest! {
        #[test]
        fn any_line_has_a_template_and_a_template_is_its_own(line in "\\PC{0,80}") {
            let once = masked(&line);
            proptest::prop_assert_eq!(&masked(&once), &once);
        }

        #[test]
        fn other_numbers_and_times_make_no_other_template(a in 0u32..1_000_000, b in 0u32..1_000_000, h in 10u32..24, m in 10u32..60) {
            let line = |n: u32, h: u32, m: u32| format!("2026-11-22 {h}:{m}:07 step {n} of 12 at 10.0.{}.9 took {n}.5 ms", n % 256);
            proptest::prop_assert_eq!(masked(&line(a, h, m)), masked(&line(b, 33 - h.min(23), 69 - m)));
        }
    }
}
