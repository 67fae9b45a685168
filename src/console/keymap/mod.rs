//! Which key means which command where. Owns every key of the console, read from `keymaps/*.toml` and the operator's
//! keymap.toml; refuses to know what a command does. A key that cannot be bound is a sentence on the screen, and the
//! default stays.

mod chord;
mod read;

use std::path::Path;

pub use chord::{Chord, macro_keys};
use read::Wish;

/// Where a key can mean something, outermost first.
pub const CONTEXTS: [&str; 17] = [
    "global", "list", "match", "scripts", "targets", "jobs", "job", "groups", "versions", "diff", "text", "launch",
    "dialog", "prompt", "editor", "find", "help",
];

const PRESETS: [(&str, &str); 1] = [("vi", include_str!("../../../keymaps/vi.toml"))];
const DEFAULT: &str = "vi";

/// The way out has a key, always.
const WAY_OUT: (&str, &str) = ("global", "quit");

/// Keys of one context, in the order of the file.
#[derive(Clone, Debug, PartialEq)]
struct Binding {
    context: String,
    command: String,
    keys: Vec<Chord>,
}

/// Which keys mean which commands, by context.
#[derive(Clone, Debug, PartialEq)]
pub struct Keymap {
    bindings: Vec<Binding>,
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

    /// The text of a preset, for `quarterdeck keys --default`.
    pub fn preset_text(name: &str) -> Option<&'static str> {
        PRESETS.into_iter().find(|(known, _)| *known == name).map(|(_, text)| text)
    }

    pub fn preset(name: &str) -> Option<Keymap> {
        let (wishes, _) = read::wishes(&format!("keymaps/{name}.toml"), Self::preset_text(name)?);
        let bindings = wishes
            .wishes
            .into_iter()
            .flat_map(|wish| {
                let (context, command) = (wish.context, wish.command);
                wish.keys.into_iter().map(move |keys| Binding {
                    context: context.clone(),
                    command: command.clone(),
                    keys: keys.chords,
                })
            })
            .collect();
        Some(Keymap { bindings })
    }

    /// The preset with the operator's file (path and text) on top, and what is wrong with that file: one sentence each,
    /// naming file, line, context and key. `known` tells the commands there are; what a preset binds to others is left
    /// out, since a preset may be ahead of the program.
    pub fn load(preset: &str, user: Option<(&Path, &str)>, known: &dyn Fn(&str) -> bool) -> (Keymap, Vec<String>) {
        let mut problems = Vec::new();
        let (asked, wishes) = match user {
            Some((path, text)) => {
                let (file, mut wrong) = read::wishes(&path.display().to_string(), text);
                problems.append(&mut wrong);
                (file.preset, file.wishes)
            }
            None => (None, Vec::new()),
        };
        let (name, place) = match asked {
            Some((name, place)) => (name, place),
            None => (preset.to_owned(), "keymap".to_owned()),
        };
        let keymap = Self::preset(&name).or_else(|| {
            let names: Vec<&str> = PRESETS.iter().map(|(name, _)| *name).collect();
            problems.push(format!(
                "{place}: no preset is called `{name}` (known: {}); `{DEFAULT}` is used",
                names.join(", ")
            ));
            Self::preset(DEFAULT)
        });
        let mut keymap = keymap.unwrap_or(Keymap { bindings: Vec::new() });
        keymap.bindings.retain(|binding| known(&binding.command));
        keymap.apply(wishes, known, &mut problems);
        (keymap, problems)
    }

    fn apply(&mut self, wishes: Vec<Wish>, known: &dyn Fn(&str) -> bool, problems: &mut Vec<String>) {
        let mut wishes: Vec<Wish> = wishes
            .into_iter()
            .filter(|wish| {
                let place = format!("{}: [{}] `{}`", wish.place, wish.context, wish.command);
                if !known(&wish.command) {
                    problems.push(format!("{place}: there is no such command"));
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
                        "{}: [{}] `{}` and `{}` cannot both have \"{}\"{}; `{}` keeps it",
                        keys.place,
                        wish.context,
                        wish.command,
                        other.command,
                        shown(&keys.chords),
                        match other.keys == keys.chords {
                            true => String::new(),
                            false => format!(" (\"{}\" is there already)", shown(&other.keys)),
                        },
                        other.command,
                    )),
                    None => {
                        taken += 1;
                        self.bindings.push(Binding {
                            context: wish.context.clone(),
                            command: wish.command.clone(),
                            keys: keys.chords.clone(),
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

fn shown(keys: &[Chord]) -> String {
    keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
