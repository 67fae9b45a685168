//! What each command does in the editor, and what is text there.

use super::again::Typed;
use super::ask::{Ask, Pick};
use super::search::{Bar, place};
use super::vi::{Came, Mode};
use super::{Editor, Then, Verb, lint};
use crate::console::app::commands::Do;
use crate::console::app::event::Effect;
use crate::console::app::{App, Layer};
use crate::console::editor::buffer::{Full, pos};
use crate::console::text;

/// Terminals take no more through OSC 52; it can still be pasted here.
const CLIPBOARD: usize = 70_000;

impl App {
    /// A letter, where letters are text.
    pub(super) fn editor_letter(&mut self, c: char) {
        let area = self.area;
        let Some(editor) = &mut self.editing.open else { return };
        editor.cutting = false;
        editor.vi_types(Typed::Letter(c));
        if editor.vi.as_ref().is_some_and(|vi| !vi.writes()) {
            let came = editor.vi_key(c, area);
            editor.vi_typed();
            match came {
                Ok(Came::Used | Came::Command) => {}
                Ok(Came::Undo) => self.undo(true),
                Ok(Came::Redo) => self.undo(false),
                Ok(Came::Repeat(count)) => {
                    let done = editor.vi_repeat(count, area);
                    self.done(done);
                }
                Ok(Came::Find { .. }) => editor.open_find(false),
                Ok(Came::Again { forward }) => self.hint = editor.find_again(forward),
                Ok(Came::Nothing) => self.hint = Some(format!("{c} means nothing to vi keys here")),
                Err(full) => self.hint = Some(full.why().into()),
            }
            return;
        }
        let done = editor.type_char(c);
        self.done(done);
    }

    pub(in crate::console::app) fn done(&mut self, done: Result<(), Full>) {
        if let Err(full) = done {
            self.hint = Some(full.why().into());
        }
    }

    pub(in crate::console::app) fn editor_paste(&mut self, text: &str) {
        let Some(editor) = &mut self.editing.open else { return };
        editor.cutting = false;
        let done = match &mut editor.bar {
            Some(bar) => {
                bar.text().paste(text);
                if matches!(bar, Bar::Find(find) if !find.second) {
                    editor.pattern_changed();
                }
                Ok(())
            }
            None => {
                if let Some(vi) = &mut editor.vi
                    && vi.mode != Mode::Insert
                {
                    vi.mode = Mode::Insert;
                    editor.vi_forgets();
                }
                editor.vi_types(Typed::Pasted(text.to_owned()));
                editor.insert_pasted(text)
            }
        };
        self.done(done);
    }

    pub(super) fn undo(&mut self, back: bool) {
        let Some(editor) = &mut self.editing.open else { return };
        let at = editor.buffer.serial;
        let moved = if back { editor.buffer.undo() } else { editor.buffer.redo() };
        if !moved && editor.buffer.serial == at {
            self.hint = Some(if back { "nothing to undo" } else { "nothing to redo" }.into());
        }
        editor.vi_clamp();
        editor.vi_forgets();
    }

    pub(in crate::console::app) fn in_editor(&mut self, verb: Do, effects: &mut Vec<Effect>) {
        let Some(editor) = &mut self.editing.open else {
            self.leave_editor(effects);
            return;
        };
        if !matches!(verb, Do::Editor(Verb::Cut)) {
            editor.cutting = false;
        }
        match verb {
            Do::Editor(verb) => self.edit_verb(verb, effects),
            Do::Back => {
                if editor.vi.as_ref().is_some_and(|vi| vi.writes()) {
                    editor.vi_types(Typed::Escape);
                }
                let escaped = editor.bar.take().is_some() || editor.vi_escape();
                editor.vi_typed();
                if escaped || editor.buffer.selecting() {
                    editor.buffer.unselect();
                } else if editor.vi.is_some() {
                    self.hint = Some("this is vi's normal mode; :q leaves, F4 turns vi keys off".into());
                } else {
                    self.leave_editor(effects);
                }
            }
            Do::QuitOrBack => self.leave_editor(effects),
            Do::Run => self.save(Then::Run, false, effects),
            _ => self.hint = Some("that means nothing in the editor".into()),
        }
    }

    fn edit_verb(&mut self, verb: Verb, effects: &mut Vec<Effect>) {
        let area = self.area;
        let Some(editor) = &mut self.editing.open else { return };
        let normal = editor.vi.as_ref().is_some_and(|vi| vi.mode != Mode::Insert);
        let at = editor.buffer.cursor();
        let writes =
            matches!(verb, Verb::Newline | Verb::Backspace | Verb::Delete | Verb::DeleteWordLeft | Verb::Indent);
        if writes && !normal {
            editor.vi_types(Typed::Verb(verb));
        }
        let done = match verb {
            Verb::Move(motion) => {
                let visual = normal && editor.buffer.selecting();
                let marked = editor.buffer.selecting() && editor.marking;
                editor.travel(motion, visual || marked, area);
                editor.vi_clamp();
                Ok(())
            }
            Verb::Select(motion) => {
                editor.travel(motion, true, area);
                Ok(())
            }
            // Outside insert mode these keys are vi's.
            Verb::Newline if normal => editor.vi_key('\r', area).map(drop),
            Verb::Backspace if normal => editor.vi_key('h', area).map(drop),
            Verb::Indent | Verb::Unindent if normal => Ok(()),
            Verb::Delete if normal => editor.vi_key('x', area).map(drop),
            Verb::Newline => editor.newline(),
            Verb::Backspace => editor.backspace(),
            Verb::Delete => editor.delete_to(editor.right_of(at)),
            Verb::DeleteWordLeft => editor.delete_to(editor.word_left(at)),
            Verb::DeleteWordRight => editor.delete_to(editor.word_right(at)),
            Verb::Indent => editor.indent(),
            Verb::Unindent => {
                let (first, last) = editor.rows();
                editor.shift(first, last, false);
                Ok(())
            }
            Verb::Comment => editor.comment(),
            Verb::DeleteLine => editor.delete_lines(),
            Verb::DuplicateLine => editor.duplicate_lines(),
            Verb::MoveLineUp => editor.move_lines(false),
            Verb::MoveLineDown => editor.move_lines(true),
            Verb::Paste => editor.paste_clip(),
            Verb::ReplaceAll => return self.replace_all(),
            _ => return self.other_verb(verb, effects),
        };
        self.done(done);
    }

    fn other_verb(&mut self, verb: Verb, effects: &mut Vec<Effect>) {
        let area = self.area;
        let Some(editor) = &mut self.editing.open else { return };
        // None of these writes on at the same word.
        editor.buffer.pause();
        match verb {
            Verb::Bracket => {
                let extend = editor.buffer.selecting();
                if !editor.seek_bracket(extend) {
                    self.hint = Some("no bracket with another half here".into());
                }
            }
            Verb::Mark => {
                editor.marking = editor.buffer.mark();
                let said = if editor.marking { "marking: move, then copy or cut" } else { "no longer marking" };
                self.hint = Some(said.into());
            }
            Verb::SelectAll => editor.buffer.select(pos(0, 0), editor.buffer.end()),
            Verb::Copy | Verb::Cut => {
                if verb == Verb::Cut {
                    let done = editor.cut();
                    self.done(done);
                } else {
                    editor.clip = editor.clip_here();
                    editor.buffer.unselect();
                }
                self.send_clip(effects);
            }
            Verb::Undo | Verb::Redo => self.undo(verb == Verb::Undo),
            Verb::Find => match &mut editor.bar {
                Some(Bar::Find(_)) => self.hint = editor.find_again(true),
                _ => editor.open_find(false),
            },
            Verb::Replace => editor.open_find(true),
            Verb::FindNext => self.hint = editor.find_again(true),
            Verb::FindPrevious => self.hint = editor.find_again(false),
            Verb::FindRegex => editor.turn_regex(),
            Verb::FindCase => editor.turn_case(),
            Verb::NextField => {
                if let Some(Bar::Find(find)) = &mut editor.bar {
                    find.second = !find.second && find.replace.is_some();
                }
            }
            Verb::GotoLine => editor.bar = Some(Bar::Goto(Default::default())),
            Verb::CloseBar => editor.bar = None,
            Verb::Accept => self.accept_bar(effects),
            Verb::NextFinding | Verb::PreviousFinding => match editor.next_finding(verb == Verb::NextFinding) {
                Some(at) => editor.visit(at, area),
                None => self.hint = Some("lint has nothing to say about any line".into()),
            },
            Verb::Why => self.why(),
            Verb::Fix => match editor.finding_here().cloned() {
                Some(finding) if !finding.fix.is_empty() => {
                    let done = editor.apply(&finding.fix);
                    self.hint = Some(format!("{}: fixed", text::plain(&finding.code)));
                    self.done(done);
                }
                Some(finding) => {
                    self.hint = Some(format!("no fix is known for {}", text::plain(&finding.code)));
                }
                None => self.hint = Some("lint has nothing to fix here".into()),
            },
            Verb::Save => self.save(Then::Stay, false, effects),
            Verb::Difference => self.difference(effects),
            Verb::External => self.open_outside(effects),
            Verb::ViKeys => {
                let on = editor.vi.is_none();
                editor.vi = on.then(Default::default);
                self.editing.vi = on;
                self.hint = Some(if on { "vi keys are on; F4 turns them off" } else { "vi keys are off" }.into());
            }
            Verb::Parameters => {
                let row = editor.header_row();
                editor.visit(pos(row, 0), area);
                self.hint = Some("parameters are comments here: # @arg, # @option, # @flag; the panel follows".into());
            }
            Verb::Versions => self.open_versions(effects),
            Verb::LineEnds => {
                let ends = editor.turn_line_ends();
                self.hint = Some(format!("lines end with {} when saved", ends.word()));
            }
            Verb::Discard => {
                let ask =
                    Ask::new("Back to the saved text?", vec!["What is not saved goes; undo brings it back.".into()])
                        .pick(Pick::Close, "Cancel", "the text stays")
                        .pick(Pick::Discard, "Discard", "the text becomes what the library has");
                self.layers.push(Layer::Editor(ask));
            }
            _ => {}
        }
    }

    fn send_clip(&mut self, effects: &mut Vec<Effect>) {
        let Some(editor) = &self.editing.open else { return };
        let text = editor.clip.text.clone();
        let lines = memchr::memchr_iter(b'\n', text.as_bytes()).count();
        let what = if editor.clip.lines {
            text::number(lines as u64, "line")
        } else {
            format!("{} characters", text::count(text.chars().count() as u64))
        };
        if text.len() > CLIPBOARD {
            self.hint = Some(format!("{what} kept here; too many for the terminal's clipboard"));
        } else if !text.is_empty() {
            self.hint = Some(format!("{what} copied, also through the terminal (OSC 52)"));
            effects.push(Effect::Copy(text));
        }
    }

    fn replace_all(&mut self) {
        let Some(editor) = &mut self.editing.open else { return };
        match editor.replace_all() {
            Ok(count) => editor.search.said = Some(format!("{} replaced", text::count(count as u64))),
            Err(full) => self.hint = Some(full.why().into()),
        }
    }

    /// enter in the bar.
    fn accept_bar(&mut self, effects: &mut Vec<Effect>) {
        let area = self.area;
        let Some(editor) = &mut self.editing.open else { return };
        match &editor.bar {
            Some(Bar::Find(find)) if find.second => {
                let done = editor.replace_one();
                self.done(done);
            }
            Some(Bar::Find(find)) if find.replace.is_some() => {
                if let Some(Bar::Find(find)) = &mut editor.bar {
                    find.second = true;
                }
            }
            Some(Bar::Find(_)) if editor.vi.is_some() => {
                editor.bar = None;
                let from = editor.buffer.selection().map(|(from, _)| from);
                if let Some(from) = from {
                    editor.buffer.go(from, false);
                }
            }
            Some(Bar::Find(_)) => self.hint = editor.find_again(true),
            Some(Bar::Goto(typed)) => {
                let to = place(typed.text(), editor.buffer.cursor(), editor.buffer.lines().len());
                match to {
                    Some(to) => {
                        editor.bar = None;
                        editor.visit(to, area);
                    }
                    None => self.hint = Some("a line: 120, 120:7, +10, -10, 50%, $".into()),
                }
            }
            Some(Bar::Ex(typed)) => {
                let command = typed.text().trim().to_owned();
                editor.bar = None;
                self.ex(&command, effects);
            }
            None => {}
        }
    }

    /// vi's `:` commands.
    fn ex(&mut self, command: &str, effects: &mut Vec<Effect>) {
        let area = self.area;
        let Some(editor) = &mut self.editing.open else { return };
        match command {
            "" => {}
            "w" | "w!" => self.save(Then::Stay, command.ends_with('!'), effects),
            "wq" | "x" | "wq!" => self.save(Then::Leave, command.ends_with('!'), effects),
            "q" => self.leave_editor(effects),
            "q!" => {
                let ask =
                    Ask::new("Leave without the changes?", vec!["What is not saved goes; undo brings it back.".into()])
                        .pick(Pick::Close, "Cancel", "the text stays")
                        .pick(Pick::Discard, "Discard", "the text becomes what the library has");
                self.layers.push(Layer::Editor(ask));
            }
            "noh" | "nohlsearch" => editor.search = Default::default(),
            _ => match place(command, editor.buffer.cursor(), editor.buffer.lines().len()) {
                Some(to) => editor.visit(to, area),
                None => match editor.substitute(command) {
                    Some(Ok(count)) => self.hint = Some(format!("{count} replaced")),
                    Some(Err(full)) => self.hint = Some(full.why().into()),
                    None => {
                        self.hint = Some(format!(
                            ":{} is not known: w wq x q s/old/new/g %s/old/new/g 120",
                            text::plain(command)
                        ))
                    }
                },
            },
        }
    }

    fn why(&mut self) {
        let Some(editor) = &self.editing.open else { return };
        let Some(finding) = editor.finding_here().cloned() else {
            self.hint = Some("lint has nothing to say here".into());
            return;
        };
        let place =
            if finding.line == 0 { "the script as a whole".to_owned() } else { format!("line {}", finding.line) };
        let mut lines = vec![text::plain(&finding.text)];
        if finding.line > 0 {
            lines.push(String::new());
            lines.push(text::plain(editor.buffer.line(finding.line as usize - 1)));
        }
        let page = lint::page(&finding.code);
        if let Some(page) = &page {
            lines.push(String::new());
            lines.push(page.clone());
        }
        let mut ask = Ask::new(format!("{}  {place}", text::plain(&finding.code)), lines);
        if !finding.fix.is_empty() {
            let first = finding.fix.iter().map(|fix| fix.text.as_str()).find(|text| !text.trim().is_empty());
            let doc = first.map_or_else(
                || "as lint proposes".to_owned(),
                |text| format!("puts {} there", text::plain(text.trim())),
            );
            ask = ask.pick(Pick::Fix(finding.fix.clone()), "Fix it", doc);
        }
        if let Some(page) = page {
            ask = ask.pick(Pick::Copy(page), "Copy the link", "through the terminal (OSC 52)");
        }
        self.layers.push(Layer::Editor(ask.pick(Pick::Close, "Close", "")));
    }

    fn open_outside(&mut self, effects: &mut Vec<Effect>) {
        let Some(editor) = &self.editing.open else { return };
        let Some(path) = editor.path.clone() else {
            self.hint = Some(format!("{} is not a file here", text::plain(&editor.name)));
            return;
        };
        if !editor.dirty {
            return effects.push(Effect::OpenEditor(path));
        }
        let ask = Ask::new("Save first?", vec!["$EDITOR opens the file, and the text here is not saved yet.".into()])
            .pick(Pick::SaveAndOpen, "Save and open", "a new version, then $EDITOR")
            .pick(Pick::Close, "Cancel", "stay here");
        self.layers.push(Layer::Editor(ask));
    }
}

impl Editor {
    /// Where a parameter is, or would be, declared.
    fn header_row(&self) -> usize {
        let tag = |line: &String| ["@arg", "@option", "@flag", "@describe"].iter().any(|tag| line.contains(tag));
        let lines = self.buffer.lines();
        let first = lines.iter().take(200).position(tag);
        first
            .unwrap_or_else(|| usize::from(lines.first().is_some_and(|line| line.starts_with("#!")) && lines.len() > 1))
    }

    /// `s/old/new/g` on this line, `%s/old/new/g` everywhere. `None`: it is not that.
    fn substitute(&mut self, command: &str) -> Option<Result<usize, Full>> {
        let (whole, rest) = match command.strip_prefix('%') {
            Some(rest) => (true, rest),
            None => (false, command),
        };
        let mut parts = rest.strip_prefix('s')?.chars();
        let separator = parts.next().filter(|c| !c.is_alphanumeric() && !c.is_whitespace())?;
        let mut parts = parts.as_str().splitn(3, separator);
        let (old, new) = (parts.next()?, parts.next().unwrap_or_default());
        self.set_pattern(old, true);
        let row = self.buffer.cursor().row;
        let (first, last) = if whole { (0, usize::MAX) } else { (row, row) };
        Some(self.replace_in(first, last, new))
    }
}

impl Bar {
    /// The field that is being written.
    pub(in crate::console::app) fn text(&mut self) -> &mut crate::console::app::form::Text {
        match self {
            Bar::Find(find) => match &mut find.replace {
                Some(replace) if find.second => replace,
                _ => &mut find.find,
            },
            Bar::Goto(text) | Bar::Ex(text) => text,
        }
    }
}
