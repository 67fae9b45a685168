//! `[[maintenance]]` and `[[freeze]]`: times in which devices are left alone. One that is written down wrongly is in
//! force all the same, at all times and, where its target cannot be read, for everything: what it was to keep away
//! stays away until somebody has looked.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use toml::de::{DeTable, DeValue};

use super::file::{Entry, Page, given};
use super::keys::Shape;
use crate::model::nearest::nearest;
use crate::model::target;
use crate::model::window::{Closed, ClosedKind, Weekly, Window};

const KEYS: [(&str, Shape); 7] = [
    ("target", Shape::Text),
    ("on", Shape::OneOf(&["protected", "all"])),
    ("from", Shape::Text),
    ("until", Shape::Text),
    ("weekly", Shape::Text),
    ("zone", Shape::Text),
    ("reason", Shape::Text),
];

pub fn read(page: &mut Page<'_>, entries: &[(ClosedKind, Entry<'_, '_>)]) -> Vec<Closed> {
    entries.iter().map(|(kind, (at, table))| one(page, *kind, *at, table)).collect()
}

fn one(page: &mut Page<'_>, kind: ClosedKind, at: usize, table: &DeTable<'_>) -> Closed {
    let word = kind.word();
    let mut closed = Closed {
        kind,
        target: None,
        everywhere: false,
        window: Window { zone: TimeZone::system(), ..Window::always() },
        reason: word.to_owned(),
        place: None,
        lost: None,
    };
    let fits = |key: &str| match kind {
        ClosedKind::Maintenance => key != "on",
        ClosedKind::Freeze => true,
    };
    let known = || KEYS.iter().map(|(key, _)| *key).filter(|key| fits(key));
    let (mut wrong_time, mut wrong_target) = (false, false);
    for (name, value) in table {
        let key = &**name.get_ref();
        let Some((_, shape)) = KEYS.iter().find(|(known, _)| *known == key && fits(key)) else {
            wrong_time |= matches!(nearest(key, known()), Some("from" | "until" | "weekly" | "zone"));
            wrong_target |= nearest(key, known()) == Some("target");
            page.unknown(name.span().start, "key", key, &format!(" in [[{word}]]"), known());
            continue;
        };
        // TOML has dates of its own: they say the same
        let date = match value.get_ref() {
            DeValue::Datetime(date) if matches!(key, "from" | "until") => Some(date.to_string()),
            _ => None,
        };
        let text = date.as_deref().or_else(|| value.get_ref().as_str()).unwrap_or_default();
        let right = date.as_deref().map_or_else(|| shape.check(given(value.get_ref())), |_| Ok(()));
        let done = right.and_then(|()| match key {
            "target" => {
                closed.place = Some(page.place_at(value.span().start));
                target::parse(text).map(|_| closed.target = Some(text.to_owned())).map_err(|wrong| wrong.message)
            }
            "on" => {
                closed.everywhere = text == "all";
                Ok(())
            }
            "from" => moment(text).map(|from| closed.window.from = Some(from)),
            "until" => moment(text).map(|until| closed.window.until = Some(until)),
            "weekly" => Weekly::parse(text).map(|weekly| closed.window.weekly = Some(weekly)),
            "zone" => TimeZone::get(text).map(|zone| closed.window.zone = zone).map_err(|_| {
                format!("{text:?} is no time zone this machine knows, such as \"Europe/Paris\" or \"UTC\"")
            }),
            _ => {
                text.clone_into(&mut closed.reason);
                Ok(())
            }
        });
        if let Err(wrong) = done {
            wrong_time |= matches!(key, "from" | "until" | "weekly" | "zone");
            wrong_target |= key == "target";
            page.problem(value.span().start, format!("`{key}` in [[{word}]]: {wrong}{}", meant(key)));
        }
    }
    if kind == ClosedKind::Maintenance && closed.target.is_none() && !wrong_target {
        page.problem(at, "a [[maintenance]] has no `target`: taken as of everything");
        wrong_target = true;
    }
    if wrong_target {
        (closed.target, closed.everywhere) = (None, true);
    }
    if let (Some(from), Some(until)) = (closed.window.from, closed.window.until)
        && from >= until
    {
        page.problem(at, format!("a [[{word}]] ends before it begins: taken as in force until that is put right"));
        wrong_time = true;
    }
    if wrong_time {
        closed.window = Window::always();
    }
    closed
}

fn meant(key: &str) -> &'static str {
    match key {
        "target" => "; taken as of everything until that is put right",
        "from" | "until" | "weekly" | "zone" => "; taken as in force until that is put right",
        _ => "",
    }
}

/// `2026-11-22T22:00`, or a day's beginning.
fn moment(text: &str) -> Result<DateTime, String> {
    // a zone in the text would be a second answer to the same question
    let zoned =
        text.contains(['Z', 'z', '+', '[']) || text.split_once(['T', ' ']).is_some_and(|(_, time)| time.contains('-'));
    text.parse()
        .ok()
        .filter(|_| !zoned)
        .ok_or_else(|| format!("{text:?} is no date and time such as \"2026-11-22T22:00\" (on the clock of `zone`)"))
}

#[cfg(test)]
mod tests {
    use super::super::{Env, Overrides, Settings, read};

    fn settings(text: &str) -> Settings {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config.toml");
        std::fs::write(&config, text).unwrap();
        let env = Env::of(&[("HOME", "/home/ops"), ("QUARTERDECK_CONFIG", config.to_str().unwrap())]);
        let mut settings = read(&env, "", &Overrides::default());
        let folder = format!("{}/", folder.path().display());
        settings.problems = settings.problems.iter().map(|problem| problem.replace(&folder, "")).collect();
        settings
    }

    #[test]
    fn windows_are_read_whole() {
        let read = settings(
            "[[maintenance]]\ntarget = \"site:par\"\nfrom = \"2026-11-22T22:00\"\nuntil = 2026-11-23\n\n\
             [[maintenance]]\ntarget = \"site:par\"\nuntil = \"2026-11-23\"\nzone = \"Europe/Paris\"\nreason = \"racks move\"\n\n\
             [[freeze]]\nweekly = \"Fri 18:00 - Mon 06:00\"\non = \"all\"\n",
        );
        assert_eq!(read.problems, Vec::<String>::new());
        let [first, racks, freeze] = read.engine.closed.as_slice() else { panic!("{:?}", read.engine.closed) };
        assert_eq!(first.window.until, Some("2026-11-23T00:00".parse().unwrap()));
        assert_eq!((racks.target.as_deref(), racks.reason.as_str()), (Some("site:par"), "racks move"));
        assert_eq!(racks.window.zone.iana_name(), Some("Europe/Paris"));
        assert!(freeze.everywhere && freeze.target.is_none());
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place_and_keeps_devices_away_all_the_same() {
        for (text, said, everywhere) in [
            (
                "[[freeze]]\nweekly = \"weekends\"",
                "config.toml:2:10: `weekly` in [[freeze]]: \"weekends\" is no time of",
                false,
            ),
            (
                "[[freeze]]\nfrom = \"tomorrow\"",
                "config.toml:2:8: `from` in [[freeze]]: \"tomorrow\" is no date",
                false,
            ),
            ("[[freeze]]\nuntil = \"2026-11-23T04:00Z\"", "is no date and time", false),
            ("[[freeze]]\nuntil = 2026-11-23T04:00:00-05:00", "is no date and time", false),
            (
                "[[freeze]]\nzone = \"Mars/Olympus\"",
                "config.toml:2:8: `zone` in [[freeze]]: \"Mars/Olympus\" is no time zone",
                false,
            ),
            (
                "[[freeze]]\nfrom = \"2026-11-23\"\nuntil = \"2026-11-22\"",
                "config.toml:1:1: a [[freeze]] ends before it begins",
                false,
            ),
            (
                "[[freeze]]\nweakly = \"Sat\"",
                "config.toml:2:1: unknown key `weakly` in [[freeze]]; did you mean `weekly`?",
                false,
            ),
            ("[[maintenance]]\ntarget = \"web &\"", "config.toml:2:10: `target` in [[maintenance]]", true),
            ("[[maintenance]]\nuntil = \"2030-01-01\"", "config.toml:1:1: a [[maintenance]] has no `target`", true),
            ("[[maintenance]]\ntarget = \"web\"\non = \"all\"", "unknown key `on` in [[maintenance]]", false),
        ] {
            let read = settings(text);
            assert_eq!(read.problems.len(), 1, "{text}: {:?}", read.problems);
            assert!(read.problems[0].contains(said), "{text}: {:?}", read.problems);
            let closed = &read.engine.closed[0];
            assert!(closed.window.holds(jiff::Timestamp::UNIX_EPOCH).is_some(), "{text}");
            assert_eq!(closed.everywhere, everywhere, "{text}");
        }
        assert!(settings("[freeze]\nreason = \"x\"").problems[0].contains("write [[freeze]], with two brackets"));
    }
}
