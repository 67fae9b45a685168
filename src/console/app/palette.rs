//! Screen 6: everything there is in one list, found by typing. Commands come with their keys, so that the palette
//! teaches them; what cannot be done now is there too, greyed with the reason. Owns the question and what was found;
//! nothing runs from here that changes the fleet: such a verb opens its dialog.

use super::App;
use super::act::Act;
use super::commands::{self, Command, Do, TABLE};
use super::form::Text;
use super::layers::Next;
use super::list::Cursor;
use crate::console::keymap::Keymap;
use crate::console::text;
use crate::model::filter::fuzzy::Fuzzy;

/// Rows found at most: nobody reads further, everybody types on.
const SHOWN: usize = 200;

#[derive(Debug, Default)]
pub struct Palette {
    pub query: Text,
    pub found: Vec<Find>,
    /// How many there are of the kinds asked for.
    pub of: usize,
    pub cursor: Cursor,
}

/// What a row is, in the order in which they stand when nothing is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Command,
    Script,
    Job,
    Group,
    Device,
    Theme,
    Keymap,
}

impl Kind {
    pub const fn word(self) -> &'static str {
        match self {
            Kind::Command => "command",
            Kind::Script => "script",
            Kind::Job => "job",
            Kind::Group => "group",
            Kind::Device => "device",
            Kind::Theme => "theme",
            Kind::Keymap => "keymap",
        }
    }

    /// The kinds that a question beginning with this character asks for.
    fn of_prefix(prefix: char) -> Option<&'static [Kind]> {
        match prefix {
            '>' => Some(&[Kind::Command]),
            '@' => Some(&[Kind::Device, Kind::Group]),
            '#' => Some(&[Kind::Job]),
            '$' => Some(&[Kind::Script]),
            _ => None,
        }
    }
}

/// One row.
#[derive(Clone, Debug)]
pub struct Find {
    pub act: Act,
    pub kind: Kind,
    pub label: String,
    /// What it does, or what is known of it.
    pub note: String,
    pub keys: String,
    pub fleet: bool,
    pub touches: Option<String>,
    /// Why it cannot be done now.
    pub why: Option<String>,
}

impl Find {
    /// The same on the command line, to be gone on with.
    fn line(&self) -> String {
        match &self.act {
            Act::Command(command) => command.name.to_owned(),
            Act::Script(name) => format!("run {name} "),
            Act::Group(_, name) => format!("group {name}"),
            Act::Device(id) => format!("device {id}"),
            Act::Job(id) => format!("job {id}"),
            Act::Against(base) => base.map_or_else(|| "base auto".to_owned(), |id| format!("base {id}")),
            Act::Theme(name) => format!("theme {name}"),
            Act::Filter(_, text) => format!("filter {text}"),
            Act::Sort(..) => "sort ".to_owned(),
            Act::Keymap(name) => format!("keymap {name}"),
            Act::Run { script, target } => format!("run {script} {target}"),
            Act::Keep(expr) => format!("target {expr}"),
            Act::Save { target, .. } => format!("target save {} {}", target.name, target.expr),
            Act::Forget(name) => format!("target forget {name}"),
            Act::Import(name) => format!("import {name}"),
            Act::Search(words, _) => format!("{}{words}", super::past::SEARCH),
            Act::Help(words) => format!("help {words}"),
            Act::Line(line) => line.clone(),
        }
    }
}

/// What was typed: words that must all be found, in any order; capitals do not count.
struct Question(Vec<Fuzzy>);

impl Question {
    fn new(typed: &str) -> Self {
        Self(typed.split_whitespace().map(|word| Fuzzy::new(&word.to_lowercase())).collect())
    }

    /// `None`: it does not answer. An empty question is answered by everything.
    fn score(&self, text: &str) -> Option<u32> {
        self.0.iter().try_fold(0, |sum, word| Some(sum + word.score(text)?))
    }
}

/// Something that may be found: where it lies, so that ten thousand of them cost nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Thing {
    Command(usize),
    Script(usize),
    Job(usize),
    Group(usize),
    Device(usize),
    Theme(usize),
    Keymap(usize),
}

/// Better ones are smaller: used lately (when nothing is typed), can be done, fits well, does more than move about,
/// kind, place.
type Rank = (usize, bool, std::cmp::Reverse<u32>, bool, Kind, usize);

impl App {
    /// Answers what has been typed.
    pub(super) fn find_in(&self, palette: &mut Palette) {
        let typed = palette.query.text();
        let kinds = typed.chars().next().and_then(Kind::of_prefix);
        let question = typed.strip_prefix(|c| Kind::of_prefix(c).is_some()).unwrap_or(typed).trim();
        let wanted = |kind: Kind| kinds.is_none_or(|kinds| kinds.contains(&kind));
        let fuzzy = Question::new(question);
        let mut ranked: Vec<(Rank, Thing)> = Vec::new();
        let mut of = 0;
        let mut offer =
            |thing: Thing, kind: Kind, at: usize, off: bool, score: Option<u32>, act: &dyn Fn(&Act) -> bool| {
                of += 1;
                let Some(score) = score else { return };
                let used = self.recent.iter().position(act);
                // With a question, use only tips the scales between equals.
                let (first, score) = match (question.is_empty(), used) {
                    (true, used) => (used.unwrap_or(usize::MAX), score),
                    (false, used) => (0, score + u32::from(used.is_some()) * 8),
                };
                let moves = matches!(thing, Thing::Command(at) if commands::motion(TABLE[at].verb));
                ranked.push(((first, off, std::cmp::Reverse(score), moves, kind, at), thing));
            };
        if wanted(Kind::Command) {
            for (at, command) in TABLE.iter().enumerate() {
                let hidden = TABLE[..at].iter().any(|twin| twin.verb == command.verb && twin.name == command.name);
                let near = self.place_contexts().contains(&command.context);
                if command.verb == Do::Palette
                    || (!near && (hidden || matches!(command.context, "dialog" | "launch" | "prompt")))
                {
                    continue;
                }
                let score = fuzzy.score(command.name).map(|score| score + 20).or_else(|| fuzzy.score(command.doc));
                let off = score.is_some() && self.why_not(command).is_some();
                let this = |act: &Act| matches!(act, Act::Command(used) if std::ptr::eq(*used, command));
                offer(Thing::Command(at), Kind::Command, at, off, score, &this);
            }
        }
        if wanted(Kind::Script) {
            for (at, script) in self.scripts.iter().enumerate() {
                let this = |act: &Act| matches!(act, Act::Script(name) if *name == script.name);
                offer(Thing::Script(at), Kind::Script, at, false, fuzzy.score(&script.name), &this);
            }
        }
        if wanted(Kind::Job) {
            let mut words = String::new();
            for (at, job) in self.jobs.iter().enumerate() {
                words.clear();
                let _ =
                    std::fmt::Write::write_fmt(&mut words, format_args!("{} {} {}", job.id, job.script, job.target));
                let this = |act: &Act| matches!(act, Act::Job(id) if *id == job.id);
                offer(Thing::Job(at), Kind::Job, at, false, fuzzy.score(&words), &this);
            }
        }
        if wanted(Kind::Group) {
            for (at, group) in self.tree.targets.groups.iter().enumerate() {
                let this = |act: &Act| matches!(act, Act::Group(connection, name) if *name == group.name && *connection == group.connection);
                offer(Thing::Group(at), Kind::Group, at, false, fuzzy.score(&group.name), &this);
            }
        }
        if wanted(Kind::Device) {
            for (at, device) in self.tree.targets.devices.iter().enumerate() {
                let this = |act: &Act| matches!(act, Act::Device(id) if *id == device.id);
                offer(Thing::Device(at), Kind::Device, at, false, fuzzy.score(&device.id), &this);
            }
        }
        if wanted(Kind::Theme) {
            for (at, name) in self.looks.shelf.names().into_iter().enumerate() {
                let this = |act: &Act| matches!(act, Act::Theme(used) if used == name);
                offer(Thing::Theme(at), Kind::Theme, at, false, fuzzy.score(&format!("theme {name}")), &this);
            }
        }
        if wanted(Kind::Keymap) {
            for (at, name) in Keymap::presets().enumerate() {
                let this = |act: &Act| matches!(act, Act::Keymap(used) if used == name);
                offer(Thing::Keymap(at), Kind::Keymap, at, false, fuzzy.score(&format!("keymap {name}")), &this);
            }
        }
        if ranked.len() > SHOWN {
            ranked.select_nth_unstable(SHOWN);
            ranked.truncate(SHOWN);
        }
        ranked.sort_unstable();
        palette.of = of;
        palette.found = ranked.into_iter().filter_map(|(_, thing)| self.found(thing)).collect();
        palette.cursor = Cursor::default();
    }

    fn found(&self, thing: Thing) -> Option<Find> {
        let plain = |act, kind, label: &str, note: String| Find {
            act,
            kind,
            label: text::plain(label),
            note,
            keys: String::new(),
            fleet: false,
            touches: None,
            why: None,
        };
        Some(match thing {
            Thing::Command(at) => self.command_found(TABLE.get(at)?),
            Thing::Script(at) => {
                let script = self.scripts.get(at)?;
                plain(Act::Script(script.name.clone()), Kind::Script, &script.name, text::plain(&script.describe))
            }
            Thing::Job(at) => {
                let job = self.jobs.get(at)?;
                let note = format!("{}, {} of {} ok", job.state.word(), job.counts.ok, job.counts.total());
                plain(Act::Job(job.id), Kind::Job, &format!("{} {}", job.id, job.script), note)
            }
            Thing::Group(at) => {
                let group = self.tree.targets.groups.get(at)?;
                let act = Act::Group(group.connection.clone(), group.name.clone());
                let note = format!("{} devices, {}", group.devices.len(), text::plain(&group.connection));
                plain(act, Kind::Group, &group.name, note)
            }
            Thing::Device(at) => {
                let device = self.tree.targets.devices.get(at)?;
                let note = format!("{}, {}", device.state.word(), text::plain(&device.connection));
                plain(Act::Device(device.id.clone()), Kind::Device, &device.name, note)
            }
            Thing::Theme(at) => {
                let name = self.looks.shelf.names().into_iter().nth(at)?;
                let note = if name == self.theme.name { "in use" } else { "" };
                plain(Act::Theme(name.to_owned()), Kind::Theme, name, note.into())
            }
            Thing::Keymap(at) => {
                let name = Keymap::presets().nth(at)?;
                plain(Act::Keymap(name.to_owned()), Kind::Keymap, name, String::new())
            }
        })
    }

    fn command_found(&self, command: &'static Command) -> Find {
        let row = self.row_of(command);
        Find {
            act: Act::Command(command),
            kind: Kind::Command,
            label: command.name.replace('-', " "),
            note: command.doc.to_owned(),
            keys: row.keys.into_iter().next().unwrap_or_default(),
            fleet: command.fleet,
            touches: row.touches,
            why: row.why,
        }
    }

    pub(super) fn in_palette(&mut self, palette: &mut Palette, verb: Do) -> Next {
        let len = palette.found.len();
        let page = super::layout::palette(self.area).1;
        match verb {
            Do::Cancel | Do::Back | Do::QuitOrBack => return Next::Close,
            Do::Accept | Do::Open => {
                let Some(find) = palette.found.get(palette.cursor.at) else { return Next::Stay };
                match &find.why {
                    Some(why) => self.hint = Some(format!("{}: {why}", find.label)),
                    None => return Next::Act(find.act.clone()),
                }
            }
            Do::Complete => {
                if let Some(line) = palette.found.get(palette.cursor.at).map(Find::line) {
                    return Next::Act(Act::Line(line));
                }
            }
            Do::Older => drop(palette.cursor.go(Do::Up, len, page)),
            Do::Newer => drop(palette.cursor.go(Do::Down, len, page)),
            verb => drop(palette.cursor.go(verb, len, page)),
        }
        Next::Stay
    }
}
