//! What was written into prompts before, per purpose, oldest first. Owns what is kept: bounded, each line once, and
//! nothing that looks like a secret. Where it is kept is `runtime`'s affair.

use super::prompt::Purpose;

/// Lines kept for a purpose.
pub const LINES: usize = 500;
/// A longer line is not kept.
const LENGTH: usize = 2000;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    pub lines: Vec<String>,
}

impl History {
    /// `false`: it is not kept.
    pub fn remember(&mut self, line: &str) -> bool {
        if line.trim().is_empty() || line.starts_with(' ') || line.len() > LENGTH || holds_secret(line) {
            return false;
        }
        self.lines.retain(|old| old != line);
        self.lines.push(line.to_owned());
        let excess = self.lines.len().saturating_sub(LINES);
        self.lines.drain(..excess);
        true
    }
}

/// The histories of all purposes.
#[derive(Debug, Default)]
pub struct Histories {
    by: [History; Purpose::COUNT],
}

impl Histories {
    pub fn of(&self, purpose: Purpose) -> &History {
        &self.by[purpose.index()]
    }

    pub fn of_mut(&mut self, purpose: Purpose) -> &mut History {
        &mut self.by[purpose.index()]
    }

    /// What was kept under this name; what was written since stays the newest.
    pub fn restore(&mut self, name: &str, lines: Vec<String>) {
        let Some(at) = Purpose::NAMES.iter().position(|known| *known == name) else { return };
        let newer = std::mem::take(&mut self.by[at].lines);
        for line in lines.iter().chain(&newer) {
            self.by[at].remember(line);
        }
    }
}

/// Names of things that nobody may read in a file.
const SECRETS: [&str; 10] =
    ["password", "passwd", "passphrase", "secret", "token", "apikey", "api_key", "api-key", "credential", "bearer"];

/// A value stands where a secret's would. What only names its place (`env:TOKEN`, `@file`, `$TOKEN`) is none.
pub fn holds_secret(line: &str) -> bool {
    let line = line.to_lowercase();
    let named = SECRETS.iter().any(|name| {
        line.match_indices(name).any(|(at, _)| {
            let rest = &line[at + name.len()..];
            let rest = rest.strip_prefix('s').unwrap_or(rest).trim_start_matches(['"', '\'']);
            let Some(value) = rest.strip_prefix(['=', ':', ' ']) else { return false };
            let value = value.trim_start_matches([' ', '=', ':', '"', '\'']);
            let place = ["env:", "@", "$"].iter().any(|place| value.starts_with(place));
            // `--secret token=env:TOKEN`: the name comes first, and is looked at by itself
            let name_first = SECRETS.iter().any(|name| value.starts_with(name));
            !value.is_empty() && !place && !name_first
        })
    });
    let in_address = line.split("://").skip(1).any(|rest| {
        let host = rest.split(['/', ' ']).next().unwrap_or_default();
        host.split_once('@').is_some_and(|(user, _)| user.contains(':'))
    });
    named || in_address || line.contains("authorization:") || line.contains("private key-----")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_kept_once_and_the_rest_is_bounded() {
        let mut history = History::default();
        for line in ["web", "state:ok", "web"] {
            assert!(history.remember(line));
        }
        assert_eq!(history.lines, ["state:ok", "web"]);
        assert!(
            !history.remember("  ") && !history.remember(" not this") && !history.remember(&"x".repeat(LENGTH + 1))
        );
        for n in 0..2 * LINES {
            history.remember(&n.to_string());
        }
        assert_eq!((history.lines.len(), history.lines[0].as_str()), (LINES, "500"));
    }

    #[test]
    fn a_secret_is_never_kept_and_the_place_of_one_may_be() {
        for secret in [
            "run fix.sh --param password=hunter2",
            "run x --secret token=abc",
            "| curl -H 'Authorization: Basic abc'",
            "| curl https://ops:hunter2@example.net/x",
            "API_KEY=\"abc\" sh",
            "| mail --passwd hunter2",
        ] {
            assert!(holds_secret(secret), "{secret}");
            assert!(!History::default().remember(secret));
        }
        for plain in [
            "run rotate-token.sh",
            "run x --secret token=env:TOKEN",
            "run x --secret token=@/run/t",
            "token",
            "os:debian",
        ] {
            assert!(!holds_secret(plain), "{plain}");
        }
    }

    #[test]
    fn what_is_restored_is_older_than_what_was_written() {
        let mut all = Histories::default();
        all.of_mut(Purpose::Command).remember("new");
        all.restore("command", vec!["old".into(), "older than new".into()]);
        all.restore("no such thing", vec!["x".into()]);
        assert_eq!(all.of(Purpose::Command).lines, ["old", "older than new", "new"]);
    }
}
