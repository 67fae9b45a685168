//! `[[hook]]`: what is launched when another system says that something has happened. One that is written down wrongly
//! is left out: it would launch something else than was meant.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::file::{Entry, Page, given};
use super::keys::Shape;
use super::reference::reference;
use crate::model::hook::Hook;
use crate::model::target;

const KEYS: [&str; 7] = ["name", "on", "script", "params", "target", "secret", "max_devices"];

/// As many as a launch takes without a typed count.
const MAX_DEVICES: usize = 10;

/// `base`: where relative paths begin.
pub fn read(page: &mut Page<'_>, entries: &[Entry<'_, '_>], base: &Path, home: &Path) -> Vec<Hook> {
    let mut hooks: Vec<Hook> = Vec::new();
    for (at, table) in entries {
        let Some(hook) = one(page, *at, table, base, home) else { continue };
        if hooks.iter().any(|other| other.name == hook.name) {
            page.problem(*at, "there is a [[hook]] with this `name` already: this one is left out");
            continue;
        }
        hooks.push(hook);
    }
    hooks
}

fn one(page: &mut Page<'_>, at: usize, table: &DeTable<'_>, base: &Path, home: &Path) -> Option<Hook> {
    let mut hook = Hook {
        name: String::new(),
        on: String::new(),
        script: String::new(),
        params: Vec::new(),
        target: None,
        secret: None,
        max_devices: MAX_DEVICES,
    };
    let mut right = true;
    for (name, value) in table {
        let word = &**name.get_ref();
        let text = || {
            Shape::Text.check(given(value.get_ref()))?;
            Ok::<_, String>(value.get_ref().as_str().unwrap_or_default().to_owned())
        };
        let done = match word {
            "name" => text().and_then(|text| named(&text).map(|()| hook.name = text)),
            "on" => text().map(|text| hook.on = text),
            "script" => text().map(|text| hook.script = text),
            "target" => text().and_then(|text| {
                target::parse(&text).map_err(|wrong| wrong.message)?;
                hook.target = Some(text);
                Ok(())
            }),
            "params" => params(value.get_ref()).map(|found| hook.params = found),
            "secret" => reference(value.get_ref(), base, home).map(|found| hook.secret = Some(found)),
            "max_devices" => match given(value.get_ref()) {
                super::keys::Given::Whole(n) if n > 0 => {
                    hook.max_devices = usize::try_from(n).unwrap_or(usize::MAX);
                    Ok(())
                }
                _ => Err("expected a whole number from 1".to_owned()),
            },
            _ => {
                page.unknown(name.span().start, "key", word, " in [[hook]], which is left out", KEYS);
                right = false;
                continue;
            }
        };
        if let Err(wrong) = done {
            page.problem(value.span().start, format!("`{word}` in [[hook]]: {wrong}; it is left out"));
            right = false;
        }
    }
    let missing = [("name", &hook.name), ("on", &hook.on), ("script", &hook.script)];
    if right && let Some((key, _)) = missing.iter().find(|(_, value)| value.is_empty()) {
        page.problem(at, format!("a [[hook]] has no `{key}`: it is left out"));
        return None;
    }
    right.then_some(hook)
}

/// It is a part of a path.
fn named(text: &str) -> Result<(), String> {
    let right = text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if right { Ok(()) } else { Err("expected up to 64 letters, digits, - and _".to_owned()) }
}

fn params(value: &DeValue<'_>) -> Result<Vec<(String, String)>, String> {
    let wrong = || "expected { parameter = \"value\" }, all of them texts".to_owned();
    let DeValue::Table(table) = value else { return Err(wrong()) };
    let pairs =
        table.iter().map(|(name, value)| Some((name.get_ref().to_string(), value.get_ref().as_str()?.to_owned())));
    pairs.collect::<Option<_>>().ok_or_else(wrong)
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
    fn a_hook_is_read_whole() {
        let read = settings(
            "[[hook]]\nname = \"setup\"\non = \"device.enrolled\"\nscript = \"setup.sh\"\nparams = { site = \"berlin\" }\n\
             secret = { env = \"HOOK\" }\nmax_devices = 3\n\
             [[hook]]\nname = \"tell\"\non = \"device.unenrolled\"\nscript = \"tell.sh\"\ntarget = \"ops & !stale\"\n",
        );
        assert_eq!(read.problems, Vec::<String>::new());
        let [setup, tell] = read.engine.hooks.as_slice() else { panic!("{:?}", read.engine.hooks) };
        assert_eq!((&setup.secret, setup.max_devices), (&Some(KeyRef::Env("HOOK".into())), 3));
        assert_eq!((&setup.target, &setup.params), (&None, &vec![("site".into(), "berlin".into())]));
        assert_eq!((tell.target.as_deref(), tell.max_devices), (Some("ops & !stale"), MAX_DEVICES));
    }

    #[test]
    fn what_is_wrong_is_left_out() {
        let whole = "name = \"a\"\non = \"x\"\nscript = \"s\"\n";
        for (text, said) in [
            ("on = \"x\"\nscript = \"s\"".to_owned(), "has no `name`"),
            ("name = \"a\"\nscript = \"s\"".to_owned(), "has no `on`"),
            (format!("{whole}target = \"web &\""), "`target` in [[hook]]"),
            (format!("{whole}secret = \"hunter2\""), "a secret never stands in this file"),
            (format!("{whole}max_devices = 0"), "a whole number from 1"),
            (format!("{whole}params = {{ a = 1 }}"), "all of them texts"),
            (format!("{whole}targets = \"x\""), "did you mean `target`?"),
            ("name = \"a/b\"\non = \"x\"\nscript = \"s\"".to_owned(), "letters, digits"),
        ] {
            let read = settings(&format!("[[hook]]\n{text}\n"));
            assert_eq!(read.problems.len(), 1, "{text}: {:?}", read.problems);
            assert!(read.problems[0].contains(said), "{text}: {:?}", read.problems);
            assert!(!read.problems[0].contains("hunter2") && read.engine.hooks.is_empty());
        }
        assert!(settings(&format!("[[hook]]\n{whole}").repeat(2)).problems[0].contains("already"));
    }
}
