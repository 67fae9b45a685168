//! The editor: one script being written. Owns its text, what is known about it (colours, findings, parameters), where
//! the operator is in it, and what has not reached the disk yet. What a command does stands in the rooms below
//! (`edit`, `search`, `lint`, `vi`); how a text comes from the library and goes back, in `file`. Refuses to know files
//! and engine: what it wants from them are effects.

mod again;
pub mod ask;
mod edit;
mod entry;
mod file;
mod go;
pub mod lint;
mod object;
pub mod panes;
pub mod past;
mod perform;
pub mod search;
#[cfg(test)]
mod tests;
pub mod verbs;
pub mod vi;

use jiff::{SignedDuration, Timestamp};
use ratatui::layout::Rect;

pub use ask::Ask;
pub use search::Bar;
pub use verbs::{Motion, Verb};

use self::lint::Lint;
use self::past::Past;
use self::search::Search;
use self::vi::Vi;
use super::event::Effect;
use crate::console::editor::brackets;
use crate::console::editor::buffer::{Buffer, Full, Kind, Pos, Same};
use crate::console::editor::cache::Colours;
use crate::console::editor::document::{Document, Shape};
use crate::console::editor::highlight::{Grammar, MARKED};
use crate::model::script::header::{Header, header};
use crate::model::script::{ScriptInfo, inspect};

/// After the last key, a draft is kept; while keys keep coming, so often.
const DRAFT_PAUSE: SignedDuration = SignedDuration::from_secs(1);
const DRAFT_LATEST: SignedDuration = SignedDuration::from_secs(5);
/// After the last key, lint is asked.
const LINT_PAUSE: SignedDuration = SignedDuration::from_millis(600);
/// After the last key, what is below the screen is coloured.
const COLOUR_PAUSE: SignedDuration = SignedDuration::from_millis(150);
/// Bytes coloured at one go while a key waits for its frame, and in one idle slice, behind which a key may have to
/// wait.
const AT_ONCE: usize = 16_000;
const SLICE: usize = 1_000;
/// Lines that a header may have.
const HEADER: usize = 1_000;

/// What was copied or cut last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clip {
    pub text: String,
    /// Whole lines: they go between lines.
    pub lines: bool,
}

/// What happens when the save that is on its way has come through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    Stay,
    Run,
    External,
    Leave,
}

/// A text on its way to the library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saving {
    pub then: Then,
    pub(super) bytes: Vec<u8>,
}

/// Where the text is kept beside the library, until it is saved.
#[derive(Clone, Copy, Debug, Default)]
pub struct Drafted {
    /// First and last change that is not kept yet.
    since: Option<(Timestamp, Timestamp)>,
    /// When the draft was last kept.
    pub at: Option<Timestamp>,
    /// A draft of this script lies on the disk.
    pub kept: bool,
}

#[derive(Debug)]
pub struct Editor {
    pub name: String,
    pub path: Option<String>,
    /// The version that the edit began from; `None`: the script is new.
    pub base: Option<String>,
    /// What the engine would run it with.
    pub language: String,
    pub interpreter: String,
    pub shape: Shape,
    saved: Document,
    pub buffer: Buffer,
    pub colours: Colours,
    /// First row and first cell on screen.
    pub top: usize,
    pub left: usize,
    /// The text is not what the library has.
    pub dirty: bool,
    /// What of it is certainly as the library has it.
    same: Same,
    /// Until then, only what is on screen is coloured.
    resting: Timestamp,
    /// Somebody else has changed the file since.
    pub behind: bool,
    pub search: Search,
    pub bar: Option<Bar>,
    pub lint: Lint,
    pub header: Header,
    pub vi: Option<Vi>,
    pub clip: Clip,
    pub bracket: Option<(Pos, Pos)>,
    pub draft: Drafted,
    pub past: Past,
    pub saving: Option<Saving>,
    /// The mark was set by its key: motions select until it is taken away.
    pub(super) marking: bool,
    /// Lines were cut without a move between: the next ones join them.
    cutting: bool,
    serial: u64,
}

/// The editor and what waits for it.
#[derive(Debug, Default)]
pub struct Editing {
    pub open: Option<Box<Editor>>,
    /// The script that was asked for.
    pub(super) asked: Option<String>,
    /// To be launched as soon as the library has read it.
    pub(super) launch: Option<String>,
    /// Lint asked and not answered, by serial.
    pub(super) linting: Option<u64>,
    lints: u64,
    /// vi keys are wanted.
    pub(super) vi: bool,
    /// A way back has just led here: no key was pressed since.
    pub(super) returned: bool,
}

impl Editor {
    pub(super) fn new(info: &ScriptInfo, base: Option<String>, document: Document, vi: bool) -> Self {
        let grammar = Grammar::of(&info.name, &info.language, &document.lines);
        let mut editor = Self {
            name: info.name.clone(),
            path: info.path.clone(),
            base,
            language: info.language.clone(),
            interpreter: info.interpreter.join(" "),
            shape: document.shape,
            buffer: Buffer::new(document.lines.clone()),
            saved: document,
            colours: Colours::new(grammar),
            top: 0,
            left: 0,
            dirty: false,
            same: Same::ALL,
            resting: Timestamp::UNIX_EPOCH,
            behind: false,
            search: Search::default(),
            bar: None,
            lint: Lint::default(),
            header: Header::default(),
            vi: vi.then(Vi::default),
            clip: Clip::default(),
            bracket: None,
            draft: Drafted::default(),
            past: Past::default(),
            saving: None,
            marking: false,
            cutting: false,
            serial: 0,
        };
        editor.dirty = editor.base.is_none();
        editor.lint.due = Some(Timestamp::UNIX_EPOCH);
        editor.colours.sync(editor.buffer.lines(), Same::NONE);
        editor.read_header();
        editor
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.shape.encode(self.buffer.lines())
    }

    /// The text as the library has it.
    pub fn saved_bytes(&self) -> Vec<u8> {
        self.saved.shape.encode(&self.saved.lines)
    }

    /// As the title bar says it.
    pub fn language(&self) -> &str {
        match self.colours.grammar() {
            Some(grammar) => grammar.name(),
            None => &self.language,
        }
    }

    /// Lines as people count them: an empty one behind the last line end is none.
    pub fn length(&self) -> usize {
        let lines = self.buffer.lines();
        lines.len() - usize::from(lines.len() > 1 && lines.last().is_some_and(String::is_empty))
    }

    /// For the breadcrumb.
    pub fn crumb(&self) -> String {
        let edited = if self.dirty { " [edited]" } else { "" };
        format!("{}{edited}", crate::console::text::plain(&self.name))
    }

    /// One edit that is a step of its own; says why if there is no room for it.
    fn splice(&mut self, from: Pos, to: Pos, text: &str, kind: Kind) -> Result<(), Full> {
        let done = self.buffer.splice(from, to, text);
        self.buffer.close(kind);
        done
    }

    fn read_header(&mut self) {
        let lines = self.buffer.lines();
        self.header = header(&lines[..lines.len().min(HEADER)].join("\n"));
    }

    /// The first line names what runs it, the first few what it is written in.
    fn read_language(&mut self, row: usize) {
        if row == 0 {
            let info = inspect(&self.name, self.buffer.line(0).as_bytes());
            (self.language, self.interpreter) = (info.language, info.interpreter.join(" "));
        }
        self.colours.set_grammar(Grammar::of(&self.name, &self.language, self.buffer.lines()));
    }

    /// The library has this text now.
    pub(super) fn saved_as(&mut self, version: String, bytes: &[u8]) {
        self.base = Some(version);
        self.behind = false;
        if let Ok(document) = Document::read(&self.name, bytes) {
            self.saved = document;
        }
        self.same = Same::NONE;
        self.past.grew();
        self.past.due = Some(Timestamp::UNIX_EPOCH);
        self.compare();
    }

    /// Is the text what was saved? Looks only at rows that a change has touched, and of these at no more than tell.
    fn compare(&mut self) {
        let (saved, lines) = (&self.saved.lines, self.buffer.lines());
        if saved.len() == lines.len() {
            self.same = self.same.grown(saved.len(), lines.len(), |mine, theirs| saved[mine] == lines[theirs]);
        }
        let equal = saved.len() == lines.len() && self.same.head >= lines.len();
        let shape = (self.shape.ends, self.shape.bom) == (self.saved.shape.ends, self.saved.shape.bom);
        self.dirty = self.base.is_none() || !shape || !equal;
    }

    /// Brings everything that hangs on the text and the cursor up to date with them.
    pub(super) fn settle(&mut self, now: Timestamp, area: Rect) {
        let view = panes::panes(area, self).text_size();
        if self.serial != self.buffer.serial {
            self.serial = self.buffer.serial;
            self.changed(now);
        }
        self.follow(view);
        self.colours.ensure(self.top + view.1, AT_ONCE);
        // Further away than the screen is high, the other half is not seen.
        self.bracket = brackets::pair(self.buffer.lines(), &self.colours, self.buffer.cursor(), view.1);
    }

    /// The text has changed. What is done here is done at every key: it looks at what has changed, not at the text.
    fn changed(&mut self, now: Timestamp) {
        let same = self.buffer.take_same();
        if let Some((old, new)) = self.colours.sync(self.buffer.lines(), same) {
            self.lint.moved(&old, &new);
            if new.start <= self.header.lines {
                self.read_header();
            }
            if new.start < MARKED {
                self.read_language(new.start);
            }
        }
        self.same = self.same.and(same);
        self.compare();
        self.resting = now + COLOUR_PAUSE;
        self.search.stale();
        self.lint.due = Some(now + LINT_PAUSE);
        self.past.due = self.lint.due;
        let since = self.draft.since.map_or(now, |(first, _)| first);
        self.draft.since = Some((since, now));
    }

    /// When a draft is to be kept.
    fn draft_due(&self) -> Option<Timestamp> {
        let (first, last) = self.draft.since?;
        Some((last + DRAFT_PAUSE).min(first + DRAFT_LATEST))
    }

    /// When the clock is next needed.
    /// `beside`: the versions are on screen.
    pub(super) fn wake(&self, now: Timestamp, seen: bool, linting: bool, beside: bool) -> Option<Timestamp> {
        let idle = (seen && !self.colours.complete()).then(|| self.resting.max(now));
        let lint = self.lint.due.filter(|_| seen && !linting);
        [idle, self.draft_due(), lint, self.past.due.filter(|_| seen && beside)].into_iter().flatten().min()
    }

    /// The text goes to the drafts, or its draft away, if that is due.
    pub(super) fn keep(&mut self, effects: &mut Vec<Effect>) {
        self.draft.since = None;
        // Whoever rested long enough for a draft begins something new.
        self.buffer.pause();
        if self.dirty {
            let bytes = self.bytes();
            effects.push(Effect::SaveDraft { name: self.name.clone(), base: self.base.clone(), bytes });
            self.draft.kept = true;
        } else if std::mem::take(&mut self.draft.kept) {
            effects.push(Effect::DropDraft(self.name.clone()));
            self.draft.at = None;
        }
    }
}

impl super::App {
    /// The clock moved. `true`: something on screen did.
    pub(super) fn tick_editor(&mut self, effects: &mut Vec<Effect>) -> bool {
        let seen = self.view == super::View::Editor;
        let (now, area) = (self.now, self.area);
        let Some(editor) = &mut self.editing.open else { return false };
        let mut moved = false;
        if editor.draft_due().is_some_and(|due| due <= now) {
            editor.keep(effects);
            moved = true;
        }
        if seen && editor.lint.due.is_some_and(|due| due <= now) && self.editing.linting.is_none() {
            editor.lint.due = None;
            self.editing.lints += 1;
            let serial = self.editing.lints;
            self.editing.linting = Some(serial);
            effects.push(Effect::LintText { serial, name: editor.name.clone(), bytes: editor.bytes() });
        }
        if seen && !editor.colours.complete() && editor.resting <= now {
            let rows = panes::panes(area, editor).text_size().1;
            let shown = editor.top..editor.top + rows;
            let changed = editor.colours.ensure(usize::MAX, SLICE);
            moved |= changed.is_some_and(|rows| rows.start < shown.end && shown.start < rows.end);
        }
        self.settle_past(effects);
        moved
    }
}

/// What the rest of the console asks of the editor.
impl super::App {
    pub(super) fn settle_editor(&mut self, effects: &mut Vec<Effect>) {
        let (now, area) = (self.now, self.area);
        if self.view == super::View::Editor
            && let Some(editor) = &mut self.editing.open
        {
            editor.settle(now, area);
            self.settle_past(effects);
        }
    }

    pub(super) fn wake_editor(&self) -> Option<Timestamp> {
        let editor = self.editing.open.as_deref()?;
        let beside = editor.base.is_some() && panes::panes(self.area, editor).versions.is_some();
        editor.wake(self.now, self.view == super::View::Editor, self.editing.linting.is_some(), beside)
    }

    pub(super) fn editor_contexts(&self) -> &'static [&'static str] {
        match self.editing.open.as_ref().map(|editor| editor.bar.is_some()) {
            Some(true) => &["find", "editor", "global"],
            _ => &["editor", "global"],
        }
    }

    /// The script under the cursor, here.
    pub(super) fn edit_here(&mut self, effects: &mut Vec<Effect>) {
        if let Some(name) = self.overview.script(&self.scripts).map(|script| script.name.clone()) {
            self.edit(&name, effects);
        }
    }

    pub(super) fn close_bar(&mut self) {
        if let Some(editor) = &mut self.editing.open {
            editor.bar = None;
        }
    }

    pub(super) fn leave_console(&mut self, effects: &mut Vec<Effect>) {
        effects.extend(self.leaving());
        effects.push(Effect::Quit);
    }
}
