//! A script's arguments on their way to a server: one JSON object whose order is the order of argv (contract A4). Pure.
//! Values are sent as text, since the server takes a number inside a list for a mistake; what goes to stdin is mapped
//! byte for byte to the first 256 characters, which is how the server reads it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::model::script::values::{Argument, Value};

/// Linux takes no longer argument, in bytes: the server would fail, and say nothing of why.
const LONGEST: usize = 128 * 1024 - 1;

/// What one argument is on the wire.
#[derive(Debug, PartialEq, Eq, serde::Serialize)]
struct Sent {
    value: Given,
    input: bool,
}

#[derive(Debug, PartialEq, Eq, serde::Serialize)]
#[serde(untagged)]
enum Given {
    /// The server passes the name itself.
    Yes(bool),
    One(String),
    Several(Vec<String>),
}

/// Members in the order in which they are given.
struct Members<'a>(&'a [(&'a str, Sent)]);

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, sent) in self.0 {
            map.serialize_entry(name, sent)?;
        }
        map.end()
    }
}

/// The body of a launch. `Err`: why the server could not take it.
pub fn body(arguments: &[Argument]) -> Result<Vec<u8>, String> {
    let mut members = Vec::with_capacity(arguments.len());
    for argument in arguments {
        // a name that looks like an option goes to argv, whatever its declaration says
        let input = argument.stdin && !argument.name.starts_with('-');
        let on_the_way = |text: &str| if input { latin(text.as_bytes()) } else { text.to_owned() };
        let value = match &argument.value {
            Value::True => Given::Yes(true),
            Value::Text(text) => Given::One(on_the_way(text)),
            Value::Secret(secret) => Given::One(on_the_way(secret.expose())),
            Value::List(values) => Given::Several(values.iter().map(|value| on_the_way(value)).collect()),
            // base64 as the server's own page sends it: its scripts expect that
            Value::Files(files) => match files.as_slice() {
                [file] => Given::One(STANDARD.encode(&*file.bytes)),
                files => Given::Several(files.iter().map(|file| STANDARD.encode(&*file.bytes)).collect()),
            },
        };
        let texts: &[String] = match &value {
            Given::Yes(_) => &[],
            Given::One(text) => std::slice::from_ref(text),
            Given::Several(texts) => texts,
        };
        for text in texts.iter().filter(|_| !input) {
            if text.contains('\0') {
                return Err(format!("the value of '{}' holds a NUL byte, which no argument can", argument.name));
            }
            if text.len() > LONGEST {
                let most = LONGEST.div_ceil(1024);
                return Err(format!(
                    "the value of '{}' is longer than {most} KiB: the server passes it as one argument, which can be no longer",
                    argument.name
                ));
            }
        }
        // an empty text cannot be sent: the server drops it
        if value != Given::One(String::new()) {
            members.push((argument.name.as_str(), Sent { value, input }));
        }
    }
    #[derive(serde::Serialize)]
    struct Body<'a> {
        arguments: Members<'a>,
    }
    serde_json::to_vec(&Body { arguments: Members(&members) }).map_err(|error| error.to_string())
}

/// Each byte as the character of that number.
fn latin(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::script::ParamKind;
    use crate::model::script::values::Contents;
    use crate::model::secret::Secret;

    fn argument(name: &str, stdin: bool, value: Value) -> Argument {
        Argument { name: name.to_owned(), kind: ParamKind::Arg, stdin, value }
    }

    fn sent(arguments: &[Argument]) -> String {
        String::from_utf8(body(arguments).expect("it can be sent")).expect("JSON")
    }

    #[test]
    fn the_order_is_that_of_the_script() {
        let text = |name: &str| argument(name, false, Value::Text("1".into()));
        let expected = r#"{"arguments":{"z":{"value":"1","input":false},"a":{"value":"1","input":false}}}"#;
        assert_eq!(sent(&[text("z"), text("a")]), expected);
        assert_eq!(sent(&[]), r#"{"arguments":{}}"#);
    }

    #[test]
    fn every_kind_has_its_form() {
        let file = |bytes: &[u8]| Contents { param: "f".into(), path: "/x".into(), bytes: bytes.to_vec().into() };
        for (argument, expected) in [
            (argument("--verbose", false, Value::True), r#""--verbose":{"value":true,"input":false}"#),
            (
                argument("t", false, Value::List(vec!["a".into(), "b c".into()])),
                r#""t":{"value":["a","b c"],"input":false}"#,
            ),
            (argument("s", true, Value::Secret(Secret::new("x"))), r#""s":{"value":"x","input":true}"#),
            (argument("--s", true, Value::Secret(Secret::new("x"))), r#""--s":{"value":"x","input":false}"#),
            (argument("f", true, Value::Files(vec![file(b"\xff\n")])), r#""f":{"value":"/wo=","input":true}"#),
        ] {
            assert_eq!(sent(&[argument]), format!("{{\"arguments\":{{{expected}}}}}"));
        }
        assert_eq!(sent(&[argument("s", true, Value::Secret(Secret::new("")))]), r#"{"arguments":{}}"#);
    }

    #[test]
    fn stdin_arrives_byte_for_byte_and_argv_as_text() {
        let text = || Value::Text("漢é".into());
        assert_eq!(
            sent(&[argument("in", true, text())]),
            "{\"arguments\":{\"in\":{\"value\":\"\u{e6}\u{bc}\u{a2}\u{c3}\u{a9}\",\"input\":true}}}"
        );
        assert_eq!(
            sent(&[argument("a", false, text())]),
            "{\"arguments\":{\"a\":{\"value\":\"漢é\",\"input\":false}}}"
        );
    }

    #[test]
    fn what_the_server_would_choke_on_is_not_sent() {
        let long = |stdin| body(&[argument("x", stdin, Value::Text("x".repeat(LONGEST + 1)))]);
        assert!(long(false).expect_err("too long").contains("128 KiB"));
        assert!(long(true).is_ok(), "stdin takes it");
        assert!(body(&[argument("x", false, Value::Text("a\0b".into()))]).expect_err("NUL").contains("NUL"));
    }
}
