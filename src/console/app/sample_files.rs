//! The sample fleet's library as files: versions, texts, what was deleted. What would change it is answered by nobody:
//! a test tells the answer that it is about.

use super::diff::Text;
use super::shelf::Opened;
use super::{Effect, Event, sample};
use crate::model::diff::Diff;
use crate::model::script::inspect;
use crate::model::shelf::{Trashed, Version, Why};

/// Versions, newest first: the file is the first.
pub fn versions() -> Vec<Version> {
    let row = |number: u32, version: &str, at: i64, why: Why, job: Option<u64>| Version {
        number,
        version: version.into(),
        at: sample::at(at),
        by: if number == 16 { "s.oz".into() } else { "r.ito".into() },
        size: 812 + u64::from(number),
        why,
        current: number == 17,
        job,
    };
    vec![
        row(17, "9f3c1e27aa01", -3600, Why::Saved, Some(12)),
        row(16, "77aa00b1c2d3", -86_400, Why::Saved, Some(11)),
        row(15, "51de00b1c2d3", -8 * 86_400, Why::Launched, Some(10)),
        row(1, "00ff00b1c2d3", -90 * 86_400, Why::Found, None),
    ]
}

/// A script of 60 lines, as it was in one version or another.
pub fn text(version: &str) -> Vec<u8> {
    let mut lines: Vec<String> = (1..=60).map(|n| format!("step_{n} \"$STAGE\" || exit {n}")).collect();
    if version.starts_with("9f3c") {
        lines[4] = "step_5 \"$STAGE\" --retry 3 || exit 5".into();
        lines.insert(29, "log \"half way \u{1b}[31mred\u{202e}\"".into());
        lines.remove(50);
    }
    (lines.join("\n") + "\n").into_bytes()
}

pub fn trashed() -> Trashed {
    Trashed {
        id: "20261122T080000-07af".into(),
        name: "old/clear-cache.sh".into(),
        version: "00aa00bb00cc".into(),
        size: 420,
        deleted_at: sample::at(-7200),
        by: "r.ito".into(),
    }
}

/// The engine's answers to what only reads.
pub fn answer(effect: &Effect) -> Option<Event> {
    let bytes = |side: &Text| match side {
        Text::Bytes(bytes) => bytes.clone(),
        Text::Script(_) => text("9f3c"),
        Text::Version { version, .. } => text(version),
    };
    Some(match effect {
        Effect::LoadVersions(name) => Event::Versions { name: name.clone(), answer: Ok(versions()) },
        Effect::LoadVersion { title, name, version } => {
            let bytes = text(version);
            let info = inspect(name, &bytes);
            let opened = Opened { version: version.clone(), path: None, info, bytes };
            Event::Version { title: title.clone(), answer: Box::new(Ok(opened)) }
        }
        Effect::LoadTrash => Event::Trash(Ok(vec![trashed()])),
        Effect::Compare { serial, left, right } => {
            let diff = Diff::of(&bytes(&left.text), &bytes(&right.text));
            Event::Compared { serial: *serial, answer: Box::new(Ok(diff)) }
        }
        _ => return None,
    })
}
