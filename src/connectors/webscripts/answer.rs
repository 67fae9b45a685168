//! What a server's answers say (contracts A2 and A4): read leniently, since administrators add keys of their own and
//! leave others out, and since another program may stand at the address. Pure; keeps nothing.

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// One script of the index.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Entry {
    #[serde(deserialize_with = "text")]
    pub category: String,
    #[serde(deserialize_with = "text")]
    pub description: String,
    #[serde(deserialize_with = "text")]
    pub content_type: String,
    #[serde(deserialize_with = "arguments")]
    pub args: Vec<Arg>,
}

/// One argument of a script.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Arg {
    #[serde(deserialize_with = "text")]
    pub name: String,
    #[serde(deserialize_with = "text")]
    pub html_type: String,
    #[serde(deserialize_with = "text")]
    pub description: String,
    #[serde(deserialize_with = "text")]
    pub example: String,
    #[serde(deserialize_with = "text")]
    pub default_value: String,
    #[serde(deserialize_with = "texts")]
    pub predefined_values: Vec<String>,
    #[serde(deserialize_with = "yes")]
    pub input: bool,
    #[serde(deserialize_with = "yes")]
    pub list: bool,
    #[serde(deserialize_with = "yes")]
    pub is_advanced: bool,
}

/// The index, in the server's order; `/auth/` among its names where the server knows users.
pub fn index(body: &[u8]) -> Result<Vec<(String, Entry)>, String> {
    struct InOrder(Vec<(String, Entry)>);
    impl<'de> Deserialize<'de> for InOrder {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visitor;
            impl<'de> serde::de::Visitor<'de> for Visitor {
                type Value = InOrder;

                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("an object of scripts")
                }

                fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<InOrder, A::Error> {
                    let mut found = Vec::new();
                    while let Some(name) = map.next_key::<String>()? {
                        if found.len() == SCRIPTS {
                            map.next_value::<IgnoredAny>()?;
                        } else {
                            // one entry that is odd takes no other with it
                            let entry = map.next_value::<Value>()?;
                            found.push((name, Entry::deserialize(entry).unwrap_or_default()));
                        }
                    }
                    Ok(InOrder(found))
                }
            }
            deserializer.deserialize_map(Visitor)
        }
    }
    let read: InOrder = parsed(body)?;
    Ok(read.0)
}

/// More are not read.
pub const SCRIPTS: usize = 5_000;
/// Arguments of one script.
const ARGS: usize = 256;

/// What a launch or a poll says.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Told {
    #[serde(deserialize_with = "text")]
    pub stdout: String,
    #[serde(deserialize_with = "text")]
    pub stderr: String,
    #[serde(deserialize_with = "number")]
    pub code: Option<i64>,
    /// `No errors`, `TimeoutError`; empty while it runs.
    #[serde(deserialize_with = "text")]
    pub error: String,
    /// What is asked with for more; empty: there is no more.
    #[serde(deserialize_with = "text")]
    pub key: String,
}

/// `Err`: it is no answer of a run.
pub fn told(body: &[u8]) -> Result<Told, String> {
    let value: Value = parsed(body)?;
    if value.get("stdout").is_none() && value.get("code").is_none() {
        return Err("it says nothing of a run".to_owned());
    }
    Told::deserialize(value).map_err(|error| error.to_string())
}

fn parsed<T: for<'de> Deserialize<'de>>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).or_else(|error| {
        // half a pair of surrogates is JSON for Python, and is none
        serde_json::from_slice(&paired(body)).map_err(|_| format!("it is no JSON: {error}"))
    })
}

/// The same text with every lone `\udXXX` replaced by the sign for what cannot be shown.
fn paired(body: &[u8]) -> Vec<u8> {
    let unit = |at: usize| -> Option<u16> {
        let escape = body.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(escape).ok()?, 16).ok()
    };
    let mut mended = Vec::with_capacity(body.len());
    let mut at = 0;
    while at < body.len() {
        let (take, text): (usize, &[u8]) = match unit(at) {
            Some(0xD800..=0xDBFF) if matches!(unit(at + 6), Some(0xDC00..=0xDFFF)) => (12, &body[at..at + 12]),
            Some(0xD800..=0xDFFF) => (6, b"\\ufffd"),
            Some(_) => (6, &body[at..at + 6]),
            // (an escaped backslash does not begin another escape)
            None if body[at] == b'\\' => {
                let end = (at + 2).min(body.len());
                (end - at, &body[at..end])
            }
            None => (1, &body[at..=at]),
        };
        mended.extend_from_slice(text);
        at += take;
    }
    mended
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        Value::Bool(yes) => yes.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
    })
}

fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let Value::Array(items) = Value::deserialize(deserializer)? else { return Ok(Vec::new()) };
    let one = |item: Value| match item {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    Ok(items.into_iter().filter_map(one).collect())
}

fn yes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(Value::deserialize(deserializer)? == Value::Bool(true))
}

fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    Ok(Value::deserialize(deserializer)?.as_i64())
}

fn arguments<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Arg>, D::Error> {
    let Value::Array(items) = Value::deserialize(deserializer)? else { return Ok(Vec::new()) };
    let args = items.into_iter().filter_map(|item| Arg::deserialize(item).ok());
    Ok(args.filter(|arg| !arg.name.is_empty()).take(ARGS).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_read_whatever_is_missing_or_added() {
        let body = br#"{"zz.py": {"category": null, "description": null, "weight": {"a": 1}, "args": [
            {"name": "--count", "html_type": "number", "default_value": 3, "input": null, "list": null},
            {"name": "color", "predefined_values": ["", "red", 7], "is_advanced": true, "example": null},
            {"html_type": "text"}, "odd"]}, "aa.py": 5, "/auth/": {"args": null}}"#;
        let read = index(body).expect("an index");
        let names: Vec<_> = read.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["zz.py", "aa.py", "/auth/"], "in the order of the server");
        let args = &read[0].1.args;
        assert_eq!((args.len(), args[0].default_value.as_str(), args[0].input), (2, "3", false));
        assert_eq!((args[1].predefined_values.join("|"), args[1].is_advanced), ("|red|7".to_owned(), true));
        assert_eq!(read[1].1, Entry::default());
    }

    #[test]
    fn an_answer_of_a_run_is_told_from_any_other() {
        let read = told(br#"{"stdout": "a\n", "stderr": "", "code": null, "error": null, "key": "k==", "x": 1}"#);
        assert_eq!(read, Ok(Told { stdout: "a\n".into(), key: "k==".into(), ..Told::default() }));
        assert_eq!(told(br#"{"stdout": "", "code": -9, "error": "TimeoutError"}"#).map(|told| told.code), Ok(Some(-9)));
        for other in [&b"<html>"[..], b"[1]", b"{}", b"\"x\"", b""] {
            assert!(told(other).is_err());
        }
    }

    #[test]
    fn half_a_surrogate_loses_no_answer() {
        let read = told(br#"{"stdout": "a\ud83d b\ud83d\ude00 \\ud83d c\udc00", "code": 0}"#).expect("read");
        assert_eq!(read.stdout, "a\u{fffd} b\u{1f600} \\ud83d c\u{fffd}");
    }

    #[test]
    fn nothing_grows_without_end() {
        let many: Vec<String> = (0..SCRIPTS + 10).map(|n| format!("\"{n}\": {{}}")).collect();
        assert_eq!(index(format!("{{{}}}", many.join(",")).as_bytes()).map(|read| read.len()), Ok(SCRIPTS));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_can_be_looked_at(bytes in proptest::collection::vec(0_u8.., 0..200), escapes in "(\\\\u[dD][89abcdAF][0-9a-f]{2}|\\\\|\"|x){0,20}") {
            let _ = (index(&bytes), told(&bytes), paired(&bytes));
            let _ = told(format!("{{\"stdout\": \"{escapes}\"}}").as_bytes());
        }
    }
}
