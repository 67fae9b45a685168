//! Secrets that were written into a script: what looks like a private key, a token or a password becomes a finding.
//! Everybody who reads the library, its versions or a job's record would read them. Pure, bounded, and never repeats
//! what it found. What is only a name, a variable, a path or a placeholder is none; better a guess too few than a
//! list that nobody reads.

use std::sync::LazyLock;

use regex::{Regex, RegexBuilder};

use super::{Finding, Level};

/// The code of these findings.
pub const CODE: &str = "secret";

/// What is said at most, and how much of a line is looked at, in bytes.
const FINDINGS: usize = 50;
const LINE: usize = 4_000;
/// A compiled expression may take so much memory.
const REGEX: usize = 4 << 20;

/// Beginnings that mean one thing only, and what it is.
const MARKED: [(&str, &str); 16] = [
    (r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----", "a private key"),
    (r"\bAGE-SECRET-KEY-1[0-9A-Z]{50,}", "a private key (age)"),
    (r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b", "an access key of AWS"),
    (r"\bgh[pousr]_[0-9A-Za-z]{36,}", "a token of GitHub"),
    (r"\bgithub_pat_[0-9A-Za-z_]{22,}", "a token of GitHub"),
    (r"\bglpat-[0-9A-Za-z_-]{20,}", "a token of GitLab"),
    (r"\bxox[abeprs]-[0-9A-Za-z-]{10,}", "a token of Slack"),
    (r"\bhooks\.slack\.com/services/T[0-9A-Z]+/B[0-9A-Z]+/[0-9A-Za-z]{16,}", "a webhook of Slack"),
    (r"\bAIza[0-9A-Za-z_-]{35}", "a key of Google"),
    (r"\b[rs]k_live_[0-9A-Za-z]{16,}", "a key of Stripe"),
    (r"\bsk-(?:ant-|proj-)?[0-9A-Za-z_-]{32,}", "an API key"),
    (r"\bSG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{16,}", "a key of SendGrid"),
    (r"\b(?:npm_[0-9A-Za-z]{36}|pypi-[0-9A-Za-z_-]{50,})", "a token of a package registry"),
    (r"\bhvs\.[0-9A-Za-z_-]{24,}", "a token of Vault"),
    (r"\bdop_v1_[0-9a-f]{64}", "a token of DigitalOcean"),
    (r"\beyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10,}", "a signed token (JWT)"),
];

/// Names of what is secret.
const NAMES: &str =
    "password|passwd|passphrase|passwort|secret|api[_-]?key|access[_-]?key|private[_-]?key|token|credentials?";

/// Ways in which a secret is given a name; the group `value` is it. The rest is guessed from the value.
static NAMED: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    let names = NAMES;
    let quoted = r#"(?:"(?P<value>[^"]*)"|'(?P<other>[^']*)')"#;
    // A quoted text behind a name, in whatever language: password = "...", "token": "...", :secret => '...'
    let assigned = format!(r#"\b[\w.-]*(?:{names})\w*["']?\]?\s*(?::=|=>|==?|:)\s*[a-z]?{quoted}"#);
    // A shell's own: TOKEN=abc123 at the beginning of a command.
    let shell = format!(
        r"(?:^[\s#]*|[;&|]|\b(?:export|local|readonly|declare|typeset|env|set)\b[^=]*)\s*\w*(?:{names})=(?P<value>[^\s;&|()'\x22<>,]+)(?:\s|;|&|\||$)"
    );
    let option = format!(r#"(?:^|\s)--?[\w-]*(?:{names}|pass)(?:=|\s+)(?:{quoted}|(?P<third>[^\s'"]+))"#);
    [
        (
            r#"\b[a-z][a-z0-9+.-]*://[^\s/:@"'<>]*:(?P<value>[^\s/@"'<>]+)@[\w\[.-]"#.to_owned(),
            "a password in an address",
        ),
        (
            r#"\b(?:proxy-)?authorization["']?\s*[:=,]\s*["']?(?:bearer|basic|token)\s+(?P<value>[^\s"']{16,})"#
                .to_owned(),
            "a token in a header",
        ),
        (assigned, "a secret"),
        (shell, "a secret"),
        (option, "a secret on a command line"),
    ]
    .into_iter()
    .filter_map(|(pattern, what)| Some((build(&pattern, true)?, what)))
    .collect()
});

static KNOWN: LazyLock<Vec<(Regex, &'static str)>> =
    LazyLock::new(|| MARKED.iter().filter_map(|(pattern, what)| Some((build(pattern, false)?, *what))).collect());

fn build(pattern: &str, any_case: bool) -> Option<Regex> {
    RegexBuilder::new(pattern).case_insensitive(any_case).size_limit(REGEX).build().ok()
}

/// Names that end so hold where it is, not what it is.
const ABOUT: [&str; 16] = [
    "file", "path", "dir", "url", "uri", "name", "names", "id", "ref", "env", "var", "len", "length", "ttl", "type",
    "cmd",
];

/// Words that stand for a secret.
const PLACEHOLDERS: [&str; 22] = [
    "example",
    "changeme",
    "change-me",
    "change_me",
    "placeholder",
    "redacted",
    "dummy",
    "your",
    "xxx",
    "***",
    "...",
    "todo",
    "replace",
    "insert",
    "secret",
    "password",
    "passwd",
    "token",
    "keyring:",
    "vault:",
    "none",
    "null",
];

/// What looks like a secret, in the order of the lines; one finding a line.
pub fn leaks(text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, number) in text.lines().zip(1_u32..) {
        let line = &line[..line.floor_char_boundary(LINE)];
        if let Some((at, what, level)) = marked(line).or_else(|| named(line)) {
            let text = format!(
                "looks like {what}, for all to read: declare it (# @option --token! <SECRET>), and it is asked for at launch"
            );
            let mut finding = Finding::new(level, number, CODE, text);
            finding.column = u32::try_from(line[..at].chars().count() + 1).unwrap_or(0);
            findings.push(finding);
            if findings.len() == FINDINGS {
                break;
            }
        }
    }
    findings
}

fn marked(line: &str) -> Option<(usize, &'static str, Level)> {
    KNOWN.iter().find_map(|(regex, what)| {
        let found = regex.find(line)?;
        let shown = found.as_str().contains("EXAMPLE") || found.as_str().to_ascii_lowercase().contains("xxxx");
        (!shown).then_some((found.start(), *what, Level::Error))
    })
}

fn named(line: &str) -> Option<(usize, &'static str, Level)> {
    NAMED.iter().find_map(|(regex, what)| {
        regex.captures_iter(line).find_map(|found| {
            let quoted = found.name("value").or_else(|| found.name("other"));
            let value = quoted.or_else(|| found.name("third"))?;
            let before = &line[found.get(0)?.start()..value.start()];
            let name = before.trim_end_matches(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'));
            let bare = !before.ends_with(['"', '\'']);
            (!about(name) && is_secret(value.as_str(), bare)).then_some((value.start(), *what, Level::Warn))
        })
    })
}

/// The name says that it is a file, an address, a length...
fn about(name: &str) -> bool {
    let last = name.rsplit(['_', '-', '.', ' ']).next().unwrap_or_default().to_ascii_lowercase();
    ABOUT.contains(&last.as_str())
}

/// A value that is the thing itself, and no reference to it. Without quotes, it has to look like one.
fn is_secret(value: &str, bare: bool) -> bool {
    let lower = value.to_ascii_lowercase();
    let digit = value.bytes().any(|byte| byte.is_ascii_digit());
    let letter = value.bytes().any(|byte| byte.is_ascii_alphabetic());
    let refers = value.contains(['$', '`', '%', '{', '<', '(', '\\'])
        || value.starts_with(['/', '~', '.', '@', '-', '*'])
        || value.contains("://")
        || value.contains(char::is_whitespace);
    let repeated = value.chars().next().is_some_and(|first| value.chars().all(|c| c == first));
    let metavar = !digit && value.bytes().all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'_' | b'-'));
    value.chars().count() >= 6
        && !refers
        && !repeated
        && !metavar
        && !PLACEHOLDERS.iter().any(|word| lower.contains(word))
        && (!bare || (digit && letter))
        // one plain word is a mode or a label more often than a password
        && (digit || value.bytes().any(|byte| !byte.is_ascii_alphabetic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Put together here, so that no text of ours looks like what it is looking for.
    fn made(parts: &[&str]) -> String {
        parts.concat()
    }

    fn said(text: &str) -> Option<(u32, u32, Level, String)> {
        let finding = leaks(text).into_iter().next()?;
        let what = finding.text.strip_prefix("looks like ")?.split(", for all").next()?.to_owned();
        Some((finding.line, finding.column, finding.level, what))
    }

    #[test]
    fn keys_and_tokens_are_known_by_their_beginning() {
        let letters = "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dF3hJ5";
        for (text, what) in [
            (made(&["-----BEGIN OPENSSH ", "PRIVATE KEY-----"]), "a private key"),
            (made(&["-----BEGIN ", "PRIVATE KEY-----"]), "a private key"),
            (made(&["key=", "AKIA", "J4NPQ2RSTUV5WXYZ"]), "an access key of AWS"),
            (made(&["curl -H 'X: ", "ghp_", letters, "'"]), "a token of GitHub"),
            (made(&["glpat-", "x9Kd82mQpL0sVbN3tYz1"]), "a token of GitLab"),
            (made(&["xoxb-", "123456789012-abcdefghijkl"]), "a token of Slack"),
            (made(&["https://hooks.slack.com/", "services/T0AB/B0CD/x9Kd82mQpL0sVbN3"]), "a webhook of Slack"),
            (made(&["AIza", "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q"]), "a key of Google"),
            (made(&["sk_live_", "x9Kd82mQpL0sVbN3tYz1"]), "a key of Stripe"),
            (made(&["npm_", letters]), "a token of a package registry"),
            (made(&["hvs.", "x9Kd82mQpL0sVbN3tYz1aB3d"]), "a token of Vault"),
            (made(&["eyJhbGciOiJIUzI1", ".eyJzdWIiOiIxMjM0", ".SflKxwRJSMeKKF2QT4"]), "a signed token (JWT)"),
        ] {
            let (_, _, level, found) = said(&text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((found.as_str(), level), (what, Level::Error), "{text}");
        }
    }

    #[test]
    fn passwords_are_known_by_what_they_are_called() {
        for text in [
            "PASSWORD=hunter22",
            "export DB_PASSWORD=hunter22 # for now",
            "  local api_token=\"9f3c1e27aa01\"",
            "readonly ADMIN_PASSWD='correct-horse'",
            "password = \"hunter-2\"",
            "config[\"secret\"] = \"9f3c1e27aa01\"",
            "    \"apiKey\": \"9f3c1e27aa01\",",
            ":secret => 'hunter22'",
            "$Password = 'Winter2026!'",
            "# PASSWORD=hunter22",
            "mysqldump --password=hunter22 db",
            "tool --api-key '9f3c1e27aa01'",
            "curl https://ops:hunter22@repo.acme.org/x",
            "curl -H 'Authorization: Bearer 9f3c1e27aa019f3c1e27aa01'",
            "PGPASSWORD=hunter22 psql -h db",
        ] {
            assert!(said(text).is_some_and(|(_, _, level, _)| level == Level::Warn), "{text}");
        }
    }

    #[test]
    fn what_only_speaks_of_a_secret_is_none() {
        for text in [
            "PASSWORD=$(keyring get ops)",
            "password=\"$1\"",
            "PASSWORD=",
            "TOKEN=${TOKEN:?missing}",
            "read -rs password",
            "# @option --token! <SECRET>   the key",
            "# @meta secret token",
            "TOKEN_FILE=/run/secrets/token1",
            "password_file=\"secrets/db1.txt\"",
            "secret_name = 'db-main-1'",
            "token_url: \"oauth2.acme.org/v1\"",
            "password = getpass.getpass()",
            "token = args.token1",
            "    token=os.environ[\"TOKEN1\"],",
            "call(token=token1, x=2)",
            "password = \"changeme1\"",
            "api_key = 'YOUR_API_KEY_1'",
            "token = 'xxxxxxxx1'",
            "password = '********'",
            "PASSWORD=<password1>",
            "usage: tool --password PASSWORD --token FILE",
            "tool --password-file /etc/pw1",
            "tool --token \"$TOKEN\"",
            "tool --token-ttl 3600s",
            "curl https://$USER:$PASS@repo.acme.org/x",
            "git clone ssh://git@host:22/repo",
            "rsync a@b:/x c@d:/y",
            "echo \"password: \"",
            "prompt = \"Token: \"",
            "secret: \"manual\"",
            "mkdir -p secrets; cp token1 secrets/",
            "if [ \"$token\" = \"\" ]; then",
            "passwd -l root",
            "AKIAIOSFODNN7EXAMPLE",
            "sha256=9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "tokens=3; token_count=12345a",
        ] {
            assert_eq!(said(text), None, "{text}");
        }
    }

    #[test]
    fn the_place_is_told_and_the_secret_is_not() {
        let findings = leaks("#!/bin/sh\n\necho é; PASSWORD=hunter22\nPASSWORD=hunter22\n");
        let places: Vec<(u32, u32)> = findings.iter().map(|finding| (finding.line, finding.column)).collect();
        assert_eq!(places, [(3, 18), (4, 10)]);
        assert!(findings.iter().all(|finding| !finding.text.contains("hunter22") && finding.code == CODE));
    }

    #[test]
    fn what_is_said_is_bounded() {
        assert_eq!(leaks(&"PASSWORD=hunter22\n".repeat(1000)).len(), FINDINGS);
        assert!(leaks(&format!("{} PASSWORD=hunter22", "é".repeat(3000))).is_empty(), "beyond what is looked at");
    }

    #[test]
    fn our_templates_have_none() {
        for template in &super::super::template::TEMPLATES {
            assert_eq!(leaks(&template.fill("x")), [], "{}", template.fill("x"));
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_can_be_looked_at(text in "(\\PC|\n|password=\"|token: ){0,40}") {
            leaks(&text);
        }
    }
}
