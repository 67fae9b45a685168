//! The keys as a page to read elsewhere: Markdown from the command table and a keymap, for the README and for an
//! operator's own notes. Refuses to have a word of its own on what a command does.

use super::commands::{self, CONTEXTS, Command, KEYLESS, TABLE};
use super::help;
use crate::console::keymap::Keymap;

/// The places of the overview and of a job: what their rows of hints show stands above everything else.
const FIRST: [&str; 7] = ["scripts", "targets", "jobs", "job", "text", "list", "global"];

/// What the hints show, in one table; then every command, place by place, folded away.
pub fn markdown(keymap: &Keymap) -> String {
    let mut page = String::from("| where | key | what |\n| --- | --- | --- |\n");
    for context in FIRST {
        let hinted = TABLE.iter().filter(|command| command.context == context && !command.hint.is_empty());
        for (n, command) in hinted.enumerate() {
            let place = if n == 0 { commands::title(context) } else { "" };
            page.push_str(&format!("| {place} {}\n", row(keymap, command)));
        }
    }
    for context in CONTEXTS {
        let own = TABLE.iter().filter(|command| command.context == context);
        page.push_str(&format!(
            "\n<details><summary>Every key: {}</summary>\n\n| key | what |\n| --- | --- |\n",
            commands::title(context)
        ));
        own.for_each(|command| page.push_str(&format!("{}\n", row(keymap, command))));
        for (keys, command) in around(keymap, context) {
            page.push_str(&format!("| {} | {} |\n", code(&keys), words(command)));
        }
        page.push_str("\n</details>\n");
    }
    page
}

fn row(keymap: &Keymap, command: &Command) -> String {
    let keys = help::bound(keymap, command);
    let shown = match keys.is_empty() {
        // As the command line takes it.
        true if KEYLESS.contains(&(command.context, command.name)) => code(&[format!(":{}", command.name)]),
        true => "(none)".to_owned(),
        false => code(&keys),
    };
    format!("| {shown} | {} |", words(command))
}

/// What a place binds for the place around it.
fn around(keymap: &Keymap, context: &str) -> Vec<(Vec<String>, &'static Command)> {
    let wide = ["text", "list", "dialog", "global"].contains(&context);
    let rows = keymap
        .rows()
        .into_iter()
        .filter(|(of, _, name)| of == context && !wide && commands::find(&[context], name).is_none());
    rows.filter_map(|(_, _, name)| Some((keymap.keys_for(context, &name), commands::bound(context, &name)?))).collect()
}

fn words(command: &Command) -> String {
    format!("{}{}", command.doc.replace('|', "\\|"), if command.fleet { ".." } else { "" })
}

/// In a table a bar is a bar only behind a backslash, even in code.
fn code(keys: &[String]) -> String {
    keys.iter().map(|key| format!("`{}`", key.replace('|', "\\|"))).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usual() -> Keymap {
        Keymap::load("vi", None, &commands::known).0
    }

    #[test]
    fn every_command_is_on_the_page_with_its_keys() {
        let page = markdown(&usual());
        for command in TABLE {
            assert!(page.contains(&row(&usual(), command)), "{} {}", command.context, command.name);
        }
        assert!(
            page.contains("| `\\|` | give the text to a command of your shell, here |"),
            "a bar does not end a cell"
        );
        assert!(page.contains("| `:rename` |"), "what has no key is written");
        assert!(page.contains("| `up` | previous match |"), "what the find bar has of the editor");
        assert!(!page.contains("(none)"), "{page}");
    }

    #[test]
    fn it_follows_the_operator_s_own_keys() {
        let text = "[scripts]\nrun = [\"%\"]\nedit = []\n";
        let user = Some((std::path::Path::new("keymap.toml"), text));
        let page = markdown(&Keymap::load("vi", user, &commands::known).0);
        assert!(page.contains("| `%` | run this script: opens the launch dialog.. |"));
        assert!(page.contains("| (none) | edit the script here |"));
    }
}
