//! A script of a system's own library. Where its text stays with the system, what is known of it here is its definition,
//! which stands where a local script has its text: it is what a version is told by, what a plan fixes, and what is kept
//! with a job so that it can be run again. Where the system hands its text out, it is read as a local one is. Pure.

use super::{ScriptInfo, inspect};

/// One whose text is known, `connection:name`.
pub fn texted(connection: &str, name: &str, text: &[u8]) -> ScriptInfo {
    let name = format!("{connection}:{name}");
    ScriptInfo { connection: Some(connection.to_owned()), ..inspect::inspect(&name, text) }
}

/// One with nothing but its name, `connection:name`.
pub fn named(connection: &str, name: &str) -> ScriptInfo {
    ScriptInfo {
        name: format!("{connection}:{name}"),
        version: String::new(),
        number: None,
        describe: String::new(),
        language: String::new(),
        interpreter: Vec::new(),
        params: Vec::new(),
        runbook: None,
        exits: Vec::new(),
        dry_run: None,
        size: 0,
        path: None,
        modified_at: None,
        last_run: None,
        refused: None,
        output: None,
        connection: Some(connection.to_owned()),
        category: String::new(),
        read_only: None,
        switches: Vec::new(),
    }
}

/// The same with the version and size of its definition.
pub fn define(info: ScriptInfo) -> ScriptInfo {
    let bytes = definition(&info);
    ScriptInfo { version: inspect::version(&bytes), size: bytes.len() as u64, ..info }
}

/// What a system says of the script, and nothing that is of here or of the moment.
pub fn definition(info: &ScriptInfo) -> Vec<u8> {
    let plain = ScriptInfo {
        version: String::new(),
        number: None,
        size: 0,
        path: None,
        modified_at: None,
        last_run: None,
        read_only: None,
        ..info.clone()
    };
    serde_json::to_vec_pretty(&plain).unwrap_or_default()
}

/// A script by its definition. `None`: the bytes are none.
pub fn read(bytes: &[u8]) -> Option<ScriptInfo> {
    let info: ScriptInfo = serde_json::from_slice(bytes).ok()?;
    info.connection.is_some().then(|| define(info))
}

/// The connection and the name there.
pub fn split(name: &str) -> Option<(&str, &str)> {
    name.split_once(':').filter(|(connection, name)| !connection.is_empty() && !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_is_what_its_system_says_and_nothing_of_the_moment() {
        let script = define(ScriptInfo { describe: "Does it.".into(), ..named("ws", "a:b.py") });
        let later = ScriptInfo { path: Some("/srv/b.py".into()), read_only: Some("why".into()), ..script.clone() };
        assert_eq!(definition(&script), definition(&later));
        assert_eq!(define(later.clone()).version, script.version);
        assert_ne!(define(ScriptInfo { describe: "Does more.".into(), ..later }).version, script.version);
        assert_eq!(read(&definition(&script)), Some(script));
    }

    #[test]
    fn what_is_no_definition_is_none() {
        assert_eq!(read(b"#!/bin/sh\n"), None);
        let local = inspect::inspect("x.sh", b"#!/bin/sh\n");
        assert_eq!(read(&serde_json::to_vec(&local).unwrap()), None, "a local script has its text");
    }

    #[test]
    fn a_name_is_parted_at_its_first_colon() {
        assert_eq!(split("ws:a:b.py"), Some(("ws", "a:b.py")));
        for other in ["report.py", ":x", "ws:", ""] {
            assert_eq!(split(other), None);
        }
    }
}
