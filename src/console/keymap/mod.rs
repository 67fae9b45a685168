//! Which key means which command where. Owns every key of the console, read from `keymaps/*.toml` and the operator's
//! keymap.toml; refuses to know what a command does. A key that cannot be bound is a sentence on the screen, and the
//! default stays.

mod chord;
mod read;

use std::path::Path;

pub use chord::{Chord, macro_keys};
use read::Wish;

use crate::model::nearest;

/// Where a key can mean something, outermost first.
pub const CONTEXTS: [&str; 21] = [
    "global", "list", "match", "scripts", "targets", "jobs", "job", "view", "groups", "retry", "past", "changes",
    "versions", "diff", "text", "launch", "dialog", "prompt", "editor", "find", "help",
];

const PRESETS: [(&str, &str); 3] = [
    ("vi", include_str!("../../../keymaps/vi.toml")),
    ("arrows", include_str!("../../../keymaps/arrows.toml")),
    ("emacs", include_str!("../../../keymaps/emacs.toml")),
];
pub const DEFAULT: &str = "vi";
/// Where a key of a preset stands; an operator's file has a whole path.
const OURS: &str = "keymaps/";

/// Is there such a command, and can it be bound in this context? `Err`: why not, and what may have been meant.
pub type Known<'a> = &'a dyn Fn(&str, &str) -> Result<(), String>;

/// The way out has a key, always.
const WAY_OUT: (&str, &str) = ("global", "quit");

/// Keys of one context, in the order of the file.
#[derive(Clone, Debug, PartialEq)]
struct Binding {
    context: String,
    command: String,
    keys: Vec<Chord>,
    /// `file:line`.
    place: String,
}

/// Which keys mean which commands, by context.
#[derive(Clone, Debug, PartialEq)]
pub struct Keymap {
    bindings: Vec<Binding>,
}

/// One command of a context, for a list of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<'k, 'c> {
    pub command: &'k str,
    pub keys: Vec<String>,
    pub doc: &'c str,
}

/// What the keys pressed so far mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    Command(&'a str),
    /// More keys are awaited: which, and what each leads to.
    Prefix(Vec<(Chord, String)>),
    None,
}

impl Keymap {
    /// The names of the keymaps that come with the program.
    pub fn presets() -> impl Iterator<Item = &'static str> {
        PRESETS.into_iter().map(|(name, _)| name)
    }

    /// A keymap that comes with the program, whole: what it builds on and what it changes.
    pub fn preset(name: &str) -> Option<Keymap> {
        let (_, text) = PRESETS.into_iter().find(|(known, _)| *known == name)?;
        // Ours are without fault: a test says so.
        let (file, _) = read::wishes(&format!("{OURS}{name}.toml"), text);
        let base = file.preset.filter(|(base, _)| base != name).and_then(|(base, _)| Self::preset(&base));
        if let Some(mut keymap) = base {
            keymap.apply(file.wishes, &|_, _| Ok(()), &mut Vec::new());
            return Some(keymap);
        }
        let bindings = file.wishes.into_iter().flat_map(|Wish { context, command, keys, .. }| {
            keys.into_iter().map(move |keys| Binding {
                context: context.clone(),
                command: command.clone(),
                keys: keys.chords,
                place: keys.place,
            })
        });
        Some(Keymap { bindings: bindings.collect() })
    }

    /// The preset with the operator's file (path and text) on top, and what is wrong with that file: one sentence each,
    /// naming file, line, context and key. The file's own `preset` wins over the settings'. What a preset binds to
    /// commands that are not known is left out, since a preset may be ahead of the program.
    pub fn load(preset: &str, user: Option<(&Path, &str)>, known: Known<'_>) -> (Keymap, Vec<String>) {
        Self::on(preset, user, true, known)
    }

    /// The same on this preset, whatever the file says.
    pub fn switched(preset: &str, user: Option<(&Path, &str)>, known: Known<'_>) -> (Keymap, Vec<String>) {
        Self::on(preset, user, false, known)
    }

    /// The preset that this file asks for.
    pub fn asked(file: &str) -> Option<String> {
        read::wishes("", file).0.preset.map(|(name, _)| name)
    }

    fn on(preset: &str, user: Option<(&Path, &str)>, by_file: bool, known: Known<'_>) -> (Keymap, Vec<String>) {
        let mut problems = Vec::new();
        let (asked, wishes) = match user {
            Some((path, text)) => {
                let (file, mut wrong) = read::wishes(&path.display().to_string(), text);
                problems.append(&mut wrong);
                (file.preset.filter(|_| by_file), file.wishes)
            }
            None => (None, Vec::new()),
        };
        let (name, place) = asked.unwrap_or_else(|| (preset.to_owned(), "keymap".to_owned()));
        let keymap = Self::preset(&name).or_else(|| {
            problems.push(format!("{place}: {}; `{DEFAULT}` is used", unknown_preset(&name)));
            Self::preset(DEFAULT)
        });
        let mut keymap = keymap.unwrap_or(Keymap { bindings: Vec::new() });
        keymap.bindings.retain(|binding| known(&binding.context, &binding.command).is_ok());
        keymap.apply(wishes, known, &mut problems);
        (keymap, problems)
    }

    fn apply(&mut self, wishes: Vec<Wish>, known: Known<'_>, problems: &mut Vec<String>) {
        let mut wishes: Vec<Wish> = wishes
            .into_iter()
            .filter(|wish| {
                let place = format!("{}: [{}] `{}`", wish.place, wish.context, wish.command);
                if let Err(why) = known(&wish.context, &wish.command) {
                    problems.push(format!("{place}: {why}"));
                    return false;
                }
                if wish.keys.is_empty() && (wish.context.as_str(), wish.command.as_str()) == WAY_OUT {
                    problems.push(format!("{place}: the way out needs a key; the default stays"));
                    return false;
                }
                // A list of which nothing could be read changes nothing.
                !(wish.keys.is_empty() && wish.failed)
            })
            .collect();
        // The way out first, so that nothing else can take its key while it is let go.
        wishes.sort_by_key(|wish| (wish.context.as_str(), wish.command.as_str()) != WAY_OUT);
        // All wishes let go of their old keys before any takes a new one, so that two commands can change places.
        let mut old = Vec::new();
        for wish in &wishes {
            let (gone, kept) = std::mem::take(&mut self.bindings)
                .into_iter()
                .partition(|binding| binding.context == wish.context && binding.command == wish.command);
            old.push(gone);
            self.bindings = kept;
        }
        for (wish, old) in wishes.iter().zip(old) {
            let mut taken = 0;
            for keys in &wish.keys {
                match self.in_the_way(&wish.context, &keys.chords) {
                    Some(other) => problems.push(format!(
                        "{}: [{}] `{}` cannot have \"{}\": `{}` has {} ({}) and keeps it",
                        keys.place,
                        wish.context,
                        wish.command,
                        shown(&keys.chords),
                        other.command,
                        match other.keys == keys.chords {
                            true => "it".to_owned(),
                            false => format!("\"{}\"", shown(&other.keys)),
                        },
                        other.place,
                    )),
                    None => {
                        taken += 1;
                        self.bindings.push(Binding {
                            context: wish.context.clone(),
                            command: wish.command.clone(),
                            keys: keys.chords.clone(),
                            place: keys.place.clone(),
                        });
                    }
                }
            }
            if taken == 0 && !wish.keys.is_empty() {
                for binding in old {
                    if self.in_the_way(&binding.context, &binding.keys).is_none() {
                        self.bindings.push(binding);
                    }
                }
            }
        }
    }

    /// The binding that would be hidden by `keys`, or hide it: the same keys, or the beginning of the others.
    fn in_the_way(&self, context: &str, keys: &[Chord]) -> Option<&Binding> {
        self.bindings
            .iter()
            .filter(|binding| binding.context == context)
            .find(|binding| binding.keys.starts_with(keys) || keys.starts_with(&binding.keys))
    }

    /// What `pending` means, looked up from the innermost context outwards. A command of an inner context hides what
    /// an outer one would make of the same keys; beginnings are gathered from all contexts.
    pub fn resolve(&self, contexts: &[&str], pending: &[Chord]) -> Found<'_> {
        let mut next: Vec<(Chord, String)> = Vec::new();
        if pending.is_empty() {
            return Found::None;
        }
        for context in contexts {
            for binding in self.bindings.iter().filter(|binding| binding.context == *context) {
                let Some(rest) = binding.keys.strip_prefix(pending) else { continue };
                match rest.first() {
                    None if next.is_empty() => return Found::Command(&binding.command),
                    None => return Found::Prefix(next),
                    Some(chord) if next.iter().any(|(known, _)| known == chord) => {}
                    Some(chord) => next.push((*chord, binding.command.clone())),
                }
            }
        }
        if next.is_empty() { Found::None } else { Found::Prefix(next) }
    }

    /// The keys of a command in a context as shown to people: `g g`, `^d`, `enter`; the first is the one for hints.
    pub fn keys_for(&self, context: &str, command: &str) -> Vec<String> {
        self.bindings
            .iter()
            .filter(|binding| binding.context == context && binding.command == command)
            .map(|binding| shown(&binding.keys))
            .collect()
    }

    /// The keys that reach a command from a place, its contexts innermost first. What an inner key hides is not among
    /// them.
    pub fn keys_in(&self, contexts: &[&str], command: &str) -> Vec<String> {
        let mut keys: Vec<String> = Vec::new();
        for context in contexts {
            let here = self.bindings.iter().filter(|binding| binding.context == *context && binding.command == command);
            for binding in here {
                let written = shown(&binding.keys);
                if self.resolve(contexts, &binding.keys) == Found::Command(command) && !keys.contains(&written) {
                    keys.push(written);
                }
            }
        }
        keys
    }

    /// Is any key of this command the operator's own, in one of these contexts?
    pub fn own(&self, contexts: &[&str], command: &str) -> bool {
        self.bindings.iter().any(|binding| {
            binding.command == command
                && contexts.contains(&binding.context.as_str())
                && !binding.place.starts_with(OURS)
        })
    }

    /// The whole of it as a keymap file: each command once, what it does beside it (`doc`), in the order of `all`.
    pub fn file<'c>(&self, name: &str, all: impl IntoIterator<Item = (&'c str, &'c str, &'c str)>) -> String {
        let mut text = format!(
            "# Every key of `{name}`. Keep what you change; what is left out stays as it is.\n\
             # A list replaces the keys, [] unbinds. Keys pressed one after the other have a space between them.\n\
             preset = \"{name}\"\n"
        );
        for (context, rows) in self.listed(all) {
            text.push_str(&format!("\n[{context}]\n"));
            for Listed { command, keys, doc } in rows {
                let keys: Vec<String> = keys.iter().map(|key| toml::Value::String(key.clone()).to_string()).collect();
                text.push_str(&format!("{command} = [{}]  # {doc}\n", keys.join(", ")));
            }
        }
        text
    }

    /// What has a key, context by context in the order of `all` (context, command, what it does); behind it what is
    /// bound there for the places within or around.
    pub fn listed<'c>(
        &self,
        all: impl IntoIterator<Item = (&'c str, &'c str, &'c str)>,
    ) -> Vec<(&'static str, Vec<Listed<'_, 'c>>)> {
        let all: Vec<(&str, &str, &str)> = all.into_iter().collect();
        let mut contexts = Vec::new();
        for context in CONTEXTS {
            let mut rows: Vec<Listed<'_, 'c>> = Vec::new();
            for (_, command, doc) in all.iter().filter(|(of, ..)| *of == context) {
                let keys = self.keys_for(context, command);
                if let Some(binding) = self.bindings.iter().find(|b| b.context == context && b.command == *command) {
                    rows.push(Listed { command: &binding.command, keys, doc });
                }
            }
            for binding in self.bindings.iter().filter(|binding| binding.context == context) {
                if !rows.iter().any(|row| row.command == binding.command) {
                    let doc =
                        all.iter().find(|(_, command, _)| *command == binding.command).map_or("", |(.., doc)| doc);
                    rows.push(Listed {
                        command: &binding.command,
                        keys: self.keys_for(context, &binding.command),
                        doc,
                    });
                }
            }
            if !rows.is_empty() {
                contexts.push((context, rows));
            }
        }
        contexts
    }

    /// Context, keys, command: one row a command, for help and `quarterdeck keys`.
    pub fn rows(&self) -> Vec<(String, String, String)> {
        let mut rows: Vec<(String, String, String)> = Vec::new();
        for context in &CONTEXTS {
            for binding in self.bindings.iter().filter(|binding| binding.context == *context) {
                let keys = shown(&binding.keys);
                match rows.iter_mut().find(|row| row.0 == *context && row.2 == binding.command) {
                    Some(row) => {
                        row.1.push_str(", ");
                        row.1.push_str(&keys);
                    }
                    None => rows.push((binding.context.clone(), keys, binding.command.clone())),
                }
            }
        }
        rows
    }
}

/// What to say of a preset that there is not.
pub fn unknown_preset(name: &str) -> String {
    let names: Vec<&str> = Keymap::presets().collect();
    format!("no keymap is called `{}` (known: {}){}", nearest::shown(name), names.join(", "), hint(name, names.clone()))
}

/// `; did you mean …`, or nothing.
pub fn hint<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest::nearest(name, known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}

fn shown(keys: &[Chord]) -> String {
    keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
