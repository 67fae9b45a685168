//! `[[webhook]]`: whom to tell what happens to jobs, by HTTP. One that is written down wrongly is left out: a key that
//! was meant and is not understood must not become an unsigned message.

use std::net::IpAddr;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::env::absolute;
use super::file::{Entry, Page};
use super::reference::reference;
use crate::model::nearest::nearest;
use crate::model::notify::{Kind, Webhook};

const KEYS: [&str; 4] = ["url", "key", "ca_file", "on"];

/// `base`: where relative paths begin.
pub fn read(page: &mut Page<'_>, entries: &[Entry<'_, '_>], base: &Path, home: &Path) -> Vec<Webhook> {
    let mut hooks: Vec<Webhook> = Vec::new();
    for (at, table) in entries {
        let Some(hook) = one(page, *at, table, base, home) else { continue };
        if hooks.iter().any(|other| other.url == hook.url) {
            page.problem(*at, "there is a [[webhook]] with this `url` already: this one is left out");
            continue;
        }
        hooks.push(hook);
    }
    hooks
}

fn one(page: &mut Page<'_>, at: usize, table: &DeTable<'_>, base: &Path, home: &Path) -> Option<Webhook> {
    let (mut url, mut key, mut ca_file, mut on) = (None, None, None, Kind::ALL.to_vec());
    let mut right = true;
    for (name, value) in table {
        let word = &**name.get_ref();
        let done = match word {
            "url" => value.get_ref().as_str().ok_or_else(|| "expected an address".to_owned()).and_then(|text| {
                address(text)?;
                url = Some(text.to_owned());
                Ok(())
            }),
            "key" => reference(value.get_ref(), base, home).map(|found| key = Some(found)),
            "ca_file" => match value.get_ref().as_str() {
                Some(path) if !path.is_empty() => {
                    ca_file = Some(absolute(path, base, home));
                    Ok(())
                }
                _ => Err("expected the path of a file with certificates (PEM)".to_owned()),
            },
            "on" => kinds(value.get_ref()).map(|found| on = found),
            _ => {
                page.unknown(name.span().start, "key", word, " in [[webhook]], which is left out", KEYS);
                right = false;
                continue;
            }
        };
        if let Err(wrong) = done {
            page.problem(value.span().start, format!("`{word}` in [[webhook]]: {wrong}; it is left out"));
            right = false;
        }
    }
    if right && url.is_none() {
        page.problem(at, "a [[webhook]] has no `url`: it is left out");
    }
    url.filter(|_| right).map(|url| Webhook { url, key, ca_file, on })
}

/// `https`, or `http` that stays on this machine.
pub fn address(text: &str) -> Result<(), String> {
    let wrong = || "expected an https:// address, or http:// to this machine (localhost, 127.0.0.1, [::1])".to_owned();
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(wrong());
    }
    let (rest, plain) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => (rest, false),
        (_, Some(rest)) => (rest, true),
        _ => return Err(wrong()),
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err("a user or password does not belong in an address: sign it with `key`".to_owned());
    }
    let host = match authority.strip_prefix('[').and_then(|v6| v6.split_once(']')) {
        Some((host, _)) => host,
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    };
    let here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    if host.is_empty() || (plain && !here) { Err(wrong()) } else { Ok(()) }
}

fn kinds(value: &DeValue<'_>) -> Result<Vec<Kind>, String> {
    let wrong = |word: &str| {
        let known = Kind::ALL.map(Kind::word);
        let hint = nearest(word, known).map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
        format!("expected a list of {}{hint}", known.join(", "))
    };
    let words = value.as_array().ok_or_else(|| wrong(""))?;
    words
        .iter()
        .map(|word| {
            let word = word.get_ref().as_str().unwrap_or_default();
            Kind::ALL.into_iter().find(|kind| kind.word() == word).ok_or_else(|| wrong(word))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Env, Overrides, Settings, read};
    use super::*;
    use crate::model::secret::KeyRef;

    fn settings(text: &str) -> Settings {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config.toml");
        std::fs::write(&config, text).unwrap();
        let env = Env::of(&[("HOME", "/home/ops"), ("QUARTERDECK_CONFIG", config.to_str().unwrap())]);
        read(&env, "", &Overrides::default())
    }

    #[test]
    fn webhooks_are_read_whole() {
        let read = settings(
            "[notify]\nbell = false\ndesktop = \"osc9\"\n\
             [[webhook]]\nurl = \"https://ops.example/hook?room=1\"\nkey = { file = \"~/hook.key\" }\nca_file = \"~/ca.pem\"\non = [\"done\", \"stopped\"]\n\
             [[webhook]]\nurl = \"http://127.0.0.1:8080/\"\nkey = { command = [\"pass\", \"show\", \"hook\"] }\n\
             [[webhook]]\nurl = \"http://[::1]/\"\nkey = { env = \"HOOK\" }\n",
        );
        assert_eq!(read.problems, Vec::<String>::new());
        assert!(!read.ui.ring.bell);
        let [ops, here, v6] = read.engine.webhooks.as_slice() else { panic!("{:?}", read.engine.webhooks) };
        assert_eq!(
            (&ops.key, &ops.ca_file, &ops.on),
            (
                &Some(KeyRef::File("/home/ops/hook.key".into())),
                &Some("/home/ops/ca.pem".into()),
                &vec![Kind::Done, Kind::Stopped]
            )
        );
        assert_eq!(
            (&here.key, here.on.len()),
            (&Some(KeyRef::Command(vec!["pass".into(), "show".into(), "hook".into()])), 4)
        );
        assert_eq!(v6.key, Some(KeyRef::Env("HOOK".into())));
    }

    #[test]
    fn what_is_wrong_is_left_out_and_a_key_is_never_repeated() {
        for (text, said) in [
            ("url = \"http://ops.example/\"", "expected an https:// address"),
            ("url = \"http://localhost.evil.example/\"", "expected an https:// address"),
            ("url = \"http://127.0.0.1@evil.example/\"", "a user or password does not belong"),
            ("url = \"ftp://x/\"", "expected an https:// address"),
            ("url = \"https:///x\"", "expected an https:// address"),
            ("url = \"https://x/ y\"", "expected an https:// address"),
            ("url = \"https://x/\"\nkey = \"hunter2\"", "a secret never stands in this file"),
            ("url = \"https://x/\"\nkey = { env = \"A\", file = \"b\" }", "a secret never stands"),
            ("url = \"https://x/\"\nkey = { command = [] }", "a secret never stands"),
            ("url = \"https://x/\"\non = [\"dune\"]", "did you mean \"done\"?"),
            ("url = \"https://x/\"\nkeys = { env = \"A\" }", "did you mean `key`?"),
            ("on = [\"done\"]", "has no `url`"),
        ] {
            let read = settings(&format!("[[webhook]]\n{text}\n"));
            assert_eq!(read.problems.len(), 1, "{text}: {:?}", read.problems);
            assert!(
                read.problems[0].contains(said) && read.problems[0].contains("config.toml:"),
                "{text}: {:?}",
                read.problems
            );
            assert!(!read.problems[0].contains("hunter2"));
            assert!(read.engine.webhooks.is_empty(), "{text}");
        }
        let twice = "[[webhook]]\nurl = \"https://x/\"\n";
        assert!(settings(&twice.repeat(2)).problems[0].contains("already"));
    }
}
