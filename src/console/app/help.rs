//! Screen 7: the keys of a place, from the command table and the operator's own keymap; what is typed filters
//! them, enter runs one. Also the copy menu and the which-key rows, which are lists of the same kind.

use super::commands::{self, CONTEXTS, Command, Do, KEYLESS, TABLE};
use super::form::Text;
use super::list::Cursor;
use crate::console::keymap::Keymap;
use crate::console::text;

#[derive(Debug)]
pub struct Help {
    /// Innermost first, as where help was asked for.
    pub contexts: &'static [&'static str],
    /// Every context there is.
    pub all: bool,
    pub filter: Text,
    /// A filter was begun on purpose: every letter belongs to it.
    pub typing: bool,
    pub rows: Vec<Row>,
    pub cursor: Cursor,
}

/// One line of help.
#[derive(Clone, Debug)]
pub struct Row {
    pub command: &'static Command,
    pub keys: Vec<String>,
    /// The operator has changed them.
    pub own: bool,
}

impl Row {
    /// Under which heading it stands.
    pub fn section(&self) -> &'static str {
        if commands::motion(self.command.verb) { "moving" } else { commands::title(self.command.context) }
    }

    /// What it does, marked where it changes the fleet.
    pub fn said(&self) -> String {
        format!("{}{}", self.command.doc, if self.command.fleet { ".." } else { "" })
    }

    /// As it is copied: keys, name and what it does.
    pub fn line(&self) -> String {
        let keys = if self.keys.is_empty() { format!(":{}", self.command.name) } else { self.keys.join(" or ") };
        format!("{keys}  {}: {}", self.command.name, self.said())
    }

    /// The same in rows of so many cells. What takes more than one gives its first words, where they fit: the chosen
    /// row is said in full below the list.
    pub fn folded(&self, width: usize) -> Vec<String> {
        let said = self.said();
        if text::width(&said) <= width {
            return vec![said];
        }
        let ends = [": ", "; ", ", ", " ("].into_iter().filter_map(|sign| self.command.doc.find(sign)).min();
        let first = ends.map_or("", |end| &self.command.doc[..end]);
        let brief = format!("{first}{}", if self.command.fleet { ".." } else { "" });
        if !first.is_empty() && text::width(&brief) <= width { vec![brief] } else { text::fold(&said, width) }
    }
}

impl Help {
    pub fn new(contexts: &'static [&'static str], keymap: &Keymap) -> Self {
        let mut help = Self {
            contexts,
            all: false,
            filter: Text::default(),
            typing: false,
            rows: Vec::new(),
            cursor: Cursor::default(),
        };
        help.find(keymap);
        help
    }

    /// Rows for what has been typed. A command hidden by a nearer one of the same name is left out.
    pub fn find(&mut self, keymap: &Keymap) {
        let wanted = self.filter.text().to_lowercase();
        let mut rows: Vec<Row> = Vec::new();
        let contexts: &[&str] = if self.all { &CONTEXTS } else { self.contexts };
        for context in contexts {
            for command in TABLE.iter().filter(|command| command.context == *context) {
                let hidden = rows.iter().any(|row| row.command.name == command.name);
                // Panes that are nowhere are worth a row only where everything is listed.
                if !self.all && (hidden || matches!(command.verb, Do::Pane(5..))) {
                    continue;
                }
                let keys = match self.all {
                    true => bound(keymap, command),
                    false => keys_here(keymap, self.contexts, command),
                };
                // What an inner key hides here is no key of this place.
                if !self.all && keys.is_empty() && !KEYLESS.contains(&(command.context, command.name)) {
                    continue;
                }
                let text = format!("{} {} {}", keys.join(" "), command.name, command.doc).to_lowercase();
                if wanted.split_whitespace().all(|word| text.contains(word)) {
                    let own = keymap.own(contexts, command.name);
                    rows.push(Row { command, keys, own });
                }
            }
        }
        // What changes the fleet stands last of its context, under a line of its own; how to move, last of all.
        rows.sort_by_key(|row| {
            let place = contexts.iter().position(|context| *context == row.command.context);
            (commands::motion(row.command.verb), place, row.command.fleet)
        });
        self.cursor.at = self.cursor.at.min(rows.len().saturating_sub(1));
        self.rows = rows;
    }

    /// To the first row of the next section, or of the one before.
    pub fn section(&mut self, forward: bool) {
        let of = |at: usize| self.rows.get(at).map(Row::section);
        let starts: Vec<usize> = (0..self.rows.len()).filter(|at| *at == 0 || of(*at) != of(at - 1)).collect();
        let next = match forward {
            true => starts.iter().find(|start| **start > self.cursor.at).or(starts.first()),
            false => starts.iter().rev().find(|start| **start < self.cursor.at).or(starts.last()),
        };
        self.cursor.at = next.copied().unwrap_or(0);
    }
}

/// The keys of a command in a place: those that reach it from there, whichever context binds them.
pub fn keys_here(keymap: &Keymap, contexts: &[&str], command: &Command) -> Vec<String> {
    match commands::find(contexts, command.name) {
        Some(found) if std::ptr::eq(found, command) => keymap.keys_in(contexts, command.name),
        _ => bound(keymap, command),
    }
}

/// The keys of a command, wherever it is at home: of its own context, else of the wider one that binds its name.
pub fn bound(keymap: &Keymap, command: &Command) -> Vec<String> {
    [command.context, "list", "global"]
        .iter()
        .map(|context| keymap.keys_for(context, command.name))
        .find(|keys| !keys.is_empty())
        .unwrap_or_default()
}

/// What can be copied from here.
#[derive(Debug)]
pub struct CopyMenu {
    /// What it is, and the text.
    pub items: Vec<(&'static str, String)>,
    pub cursor: Cursor,
}
