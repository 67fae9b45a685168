//! From a server's index to scripts as the house knows them (contract A2): names, categories, and one parameter for each
//! argument, in the server's order. Pure. What a server says is shown to people: nothing of it is kept that no terminal
//! should see, and nothing that is endless.

use super::answer::{Arg, Entry};
use crate::model::content::Content;
use crate::model::script::inspect::ENDINGS;
use crate::model::script::{Param, ParamKind, ScriptInfo, Takes, remote};

/// In characters.
const NAME: usize = 200;
const TEXT: usize = 2_000;
/// Values to choose from.
const CHOICES: usize = 500;

/// What is said of a script that has no file here.
pub const READ_ONLY: &str = "WebScripts hands out no script's text and takes none: name the server's folder as \
                             `script_folder` of its connection, if this machine can reach it";

/// All scripts that can be launched, sorted by name.
pub fn scripts(connection: &str, index: Vec<(String, Entry)>) -> Vec<ScriptInfo> {
    let mut scripts: Vec<ScriptInfo> = index
        .into_iter()
        // the script that logs in is no script to us; a name that cannot be shown cannot be launched safely
        .filter(|(name, _)| name != "/auth/" && !name.is_empty() && clean(name, NAME) == *name)
        .map(|(name, entry)| script(connection, &name, entry))
        .collect();
    scripts.sort_by(|a, b| a.name.cmp(&b.name));
    scripts
}

fn script(connection: &str, name: &str, entry: Entry) -> ScriptInfo {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let language = ENDINGS.iter().find(|(known, _, _)| *known == ending).map_or("", |(_, language, _)| language);
    remote::define(ScriptInfo {
        describe: clean(&entry.description, TEXT),
        language: language.to_owned(),
        category: clean(&entry.category, NAME),
        params: entry.args.iter().filter_map(param).collect(),
        // plain text is what the server says of every script of which its configuration says nothing
        output: Content::of_mime(&entry.content_type).filter(|content| *content != Content::Text),
        read_only: Some(READ_ONLY.to_owned()),
        ..remote::named(connection, name)
    })
}

fn param(arg: &Arg) -> Option<Param> {
    if clean(&arg.name, NAME) != arg.name {
        return None; // it could not be shown, nor asked for
    }
    let dashed = arg.name.starts_with('-');
    let kind = match arg.html_type.as_str() {
        "checkbox" => ParamKind::Flag,
        _ if dashed => ParamKind::Option,
        _ => ParamKind::Arg,
    };
    let takes = match arg.html_type.as_str() {
        "number" | "range" => Takes::Number,
        "file" => Takes::File,
        _ => Takes::Text,
    };
    let choices = arg.predefined_values.iter().filter(|value| !value.is_empty()).take(CHOICES);
    let default = if kind == ParamKind::Flag {
        matches!(arg.default_value.as_str(), "true" | "True" | "on" | "checked").then(|| "true".to_owned())
    } else {
        Some(clean(&arg.default_value, TEXT)).filter(|value| !value.is_empty())
    };
    Some(Param {
        name: arg.name.clone(),
        kind,
        describe: clean(&arg.description, TEXT),
        required: false,
        default,
        choices: choices.map(|value| clean(value, TEXT)).collect(),
        multiple: arg.list && kind != ParamKind::Flag,
        secret: arg.html_type == "password",
        takes,
        example: Some(clean(&arg.example, TEXT)).filter(|example| !example.is_empty()),
        // the server sends what looks like an option to argv, whatever its configuration says
        stdin: arg.input && !dashed,
        advanced: arg.is_advanced || arg.html_type == "hidden",
    })
}

/// One line without control characters, bounded.
fn clean(text: &str, most: usize) -> String {
    let plain = text.chars().map(|c| if matches!(c, '\n' | '\t') { ' ' } else { c }).filter(|c| !c.is_control());
    plain.take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::super::answer;
    use super::*;

    fn read(body: &str) -> Vec<ScriptInfo> {
        scripts("ws", answer::index(body.as_bytes()).expect("an index"))
    }

    #[test]
    fn a_script_is_named_by_its_connection_and_keeps_its_category() {
        let read = read(
            r#"{"b.py": {"category": "Demo", "description": "Does\nit.", "content_type": "text/html"},
                "a": {"category": "", "content_type": "text/plain"}, "/auth/": {}, "bad\u001b[31m": {}}"#,
        );
        let names: Vec<_> = read.iter().map(|script| script.name.as_str()).collect();
        assert_eq!(names, ["ws:a", "ws:b.py"]);
        let script = &read[1];
        assert_eq!((script.connection.as_deref(), script.category.as_str()), (Some("ws"), "Demo"));
        assert_eq!((script.describe.as_str(), script.language.as_str()), ("Does it.", "python3"));
        assert_eq!((script.output, read[0].output), (Some(Content::Html), None));
        assert!(script.read_only.is_some() && script.refused.is_none());
        assert_eq!((read[0].category.as_str(), read[0].language.as_str()), ("", ""));
    }

    #[test]
    fn every_kind_of_argument_is_one_parameter_in_the_servers_order() {
        let read = read(
            r#"{"x": {"args": [
            {"name": "name", "html_type": "text", "description": "who", "example": "bob", "input": null},
            {"name": "--count", "html_type": "number", "default_value": "3"},
            {"name": "--verbose", "html_type": "checkbox"},
            {"name": "tags", "html_type": "text", "list": true},
            {"name": "color", "predefined_values": ["", "red", "green"], "default_value": "red"},
            {"name": "secret", "html_type": "password", "input": true},
            {"name": "--token", "html_type": "password", "input": true},
            {"name": "document", "html_type": "file", "input": true},
            {"name": "hidden", "html_type": "hidden", "default_value": "zz", "description": null}]}}"#,
        );
        let params = &read[0].params;
        let names: Vec<_> = params.iter().map(|param| param.name.as_str()).collect();
        assert_eq!(names, ["name", "--count", "--verbose", "tags", "color", "secret", "--token", "document", "hidden"]);
        let of = |name: &str| params.iter().find(|param| param.name == name).expect("it is there");
        assert_eq!((of("name").kind, of("name").example.as_deref()), (ParamKind::Arg, Some("bob")));
        assert_eq!((of("--count").kind, of("--count").takes), (ParamKind::Option, Takes::Number));
        assert_eq!(of("--verbose").kind, ParamKind::Flag);
        assert!(of("tags").multiple);
        assert_eq!(
            (of("color").choices.join(" "), of("color").default.as_deref()),
            ("red green".to_owned(), Some("red"))
        );
        assert!(of("secret").secret && of("secret").stdin);
        assert!(of("--token").secret && !of("--token").stdin, "an option is never stdin");
        assert_eq!((of("document").takes, of("document").stdin), (Takes::File, true));
        assert!(of("hidden").advanced);
    }

    #[test]
    fn another_definition_is_another_version() {
        let version = |body: &str| read(body)[0].version.clone();
        let plain = version(r#"{"x": {"args": []}}"#);
        assert_eq!(plain, version(r#"{"x": {"args": [], "weight": 3}}"#));
        assert_ne!(plain, version(r#"{"x": {"args": [{"name": "a"}]}}"#));
        assert_eq!(plain.len(), 12);
    }
}
