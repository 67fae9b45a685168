//! How a text comes from the library into the editor and goes back: opening, drafts, saving, and what somebody else
//! has done to the file meanwhile.

use super::ask::{Ask, Other, Pick};
use super::{Editor, Saving, Then};
use crate::console::app::diff::{self, Side};
use crate::console::app::event::Effect;
use crate::console::app::notices::Level;
use crate::console::app::shelf::{Draft, Opened, SaveProblem, SavedScript};
use crate::console::app::{App, Layer, View};
use crate::console::editor::buffer::{Kind, pos};
use crate::console::editor::document::{Document, Refusal};
use crate::console::text;
use crate::model::moment;
use crate::model::script::{Finding, ScriptInfo};
use crate::model::wire::Problem;

impl App {
    /// Edits a script of the library here.
    pub(in crate::console::app) fn edit(&mut self, name: &str, effects: &mut Vec<Effect>) {
        if self.editing.open.as_ref().is_some_and(|editor| editor.name == name) {
            // As it was left, with all that can be undone.
            self.view = View::Editor;
            self.look_again(effects);
            return;
        }
        self.hint = Some(format!("opening {}…", text::plain(name)));
        self.editing.asked = Some(name.to_owned());
        effects.push(Effect::OpenScript(name.to_owned()));
    }

    /// The file may have changed since: it is read again, and taken if there is nothing of ours to lose.
    fn look_again(&mut self, effects: &mut Vec<Effect>) {
        if let Some(editor) =
            self.editing.open.as_ref().filter(|editor| editor.base.is_some() && editor.saving.is_none())
        {
            effects.push(Effect::OpenScript(editor.name.clone()));
        }
    }

    /// The engine is gone, and with it what it was asked: nothing waits for its answers.
    pub(in crate::console::app) fn editor_lost(&mut self) {
        let now = self.now;
        (self.editing.asked, self.editing.linting) = (None, None);
        if let Some(editor) = &mut self.editing.open {
            editor.lint.due = Some(now);
            if editor.saving.take().is_some() {
                let text =
                    format!("{} may not have been saved: the engine was lost on the way", text::plain(&editor.name));
                self.say(Level::Warn, text);
            }
        }
    }

    /// $EDITOR has ended.
    pub(in crate::console::app) fn edited_outside(&mut self, path: &str, effects: &mut Vec<Effect>) {
        if self.editing.open.as_ref().is_some_and(|editor| editor.path.as_deref() == Some(path)) {
            self.look_again(effects);
        }
    }

    pub(in crate::console::app) fn opened(
        &mut self,
        name: String,
        answer: Result<Opened, Problem>,
        effects: &mut Vec<Effect>,
    ) {
        let wanted = self.editing.asked.take_if(|asked| *asked == name).is_some();
        let opened = match answer {
            Ok(opened) => opened,
            Err(problem) => {
                if wanted {
                    self.hint = None;
                    self.say(Level::Error, format!("{} cannot be opened: {}", text::plain(&name), problem.error));
                }
                return;
            }
        };
        if !wanted {
            return self.read_again(&name, opened);
        }
        self.hint = None;
        match Document::read(&name, &opened.bytes) {
            Ok(document) => self.start(&opened.info, Some(opened.version), document, effects),
            Err(refusal) => self.refused(&opened.info, opened.path.or_else(|| opened.info.path.clone()), &refusal),
        }
    }

    /// Begins to write. What was written before goes to its draft.
    pub(in crate::console::app) fn start(
        &mut self,
        info: &ScriptInfo,
        base: Option<String>,
        document: Document,
        effects: &mut Vec<Effect>,
    ) {
        let mut clip = super::Clip::default();
        if let Some(mut old) = self.editing.open.take() {
            old.keep(effects);
            clip = std::mem::take(&mut old.clip);
        }
        let mut editor = Editor::new(info, base, document, self.editing.vi);
        editor.clip = clip;
        self.editing.linting = None;
        self.editing.open = Some(Box::new(editor));
        self.view = View::Editor;
        self.offer_draft();
    }

    /// It is on the disk now, and not before.
    pub(in crate::console::app) fn draft_kept(&mut self, draft: &Draft) {
        if let Some(editor) = self.editing.open.as_mut().filter(|editor| editor.name == draft.name) {
            editor.draft.at = Some(draft.saved_at);
        }
    }

    /// The drafts came after the script was opened.
    pub(in crate::console::app) fn drafts_read(&mut self) {
        if self.editing.open.as_ref().is_some_and(|editor| !editor.dirty && !editor.draft.kept) {
            self.offer_draft();
        }
    }

    /// A draft of this script from an earlier session: what becomes of it?
    fn offer_draft(&mut self) {
        let (now, zone) = (self.now, self.place.zone.clone());
        let Some(editor) = &mut self.editing.open else { return };
        let Some(draft) = self.shelf.drafts.get(&editor.name).cloned() else { return };
        editor.draft.kept = true;
        if draft.bytes == editor.bytes() {
            return; // Saved since: it goes when the editor is left.
        }
        let when = moment::said(draft.saved_at, now, &zone);
        let other = match (&draft.base, &editor.base) {
            (Some(from), Some(base)) if from != base => {
                format!("It began from version {from}; the library has {base}.")
            }
            _ => "The library still has the text that it began from.".into(),
        };
        let ask = Ask::new(
            "Draft found",
            vec![format!("A draft of {} from {when} was never saved.", text::plain(&editor.name)), other],
        )
        .pick(Pick::KeepDraft, "Keep", "go on with the draft; undo leads to the saved text")
        .pick(Pick::CompareDraft, "See the difference", "between the saved text and the draft")
        .pick(Pick::DiscardDraft, "Discard", "the draft is deleted, the saved text stays")
        .about(Other { version: draft.base, bytes: draft.bytes });
        self.layers.push(Layer::Editor(ask));
    }

    fn refused(&mut self, info: &ScriptInfo, path: Option<String>, refusal: &Refusal) {
        let mut lines = vec![format!("{} cannot be edited here.", text::plain(&info.name)), refusal.to_string()];
        if path.is_some() {
            lines.push("Your own editor takes it as it is.".into());
        }
        let mut ask = Ask::new("Not for this editor", lines);
        if let Some(path) = path {
            ask = ask.pick(Pick::External(path), "Open in $EDITOR", "$VISUAL, $EDITOR or vi");
        }
        self.layers.push(Layer::Editor(ask.pick(Pick::Close, "Close", "nothing happens")));
    }

    /// The file as it is now, while it is open here.
    fn read_again(&mut self, name: &str, opened: Opened) {
        let Some(editor) = self.editing.open.as_mut().filter(|editor| editor.name == name) else { return };
        if editor.base.as_ref() == Some(&opened.version) || editor.saving.is_some() {
            editor.behind = false;
            return;
        }
        if editor.dirty {
            editor.behind = true;
            let key = self.key_in("editor", "save");
            self.say(Level::Warn, format!("{} was changed by somebody else; {key} asks what to do", text::plain(name)));
            return;
        }
        match Document::read(name, &opened.bytes) {
            Ok(document) => {
                take(editor, &document);
                editor.saved_as(opened.version, &opened.bytes);
                self.hint = Some(format!("{} was changed on the disk: this is the new text", text::plain(name)));
            }
            Err(refusal) => self.say(Level::Warn, format!("{} was changed on the disk: {refusal}", text::plain(name))),
        }
    }

    /// The launch dialog for this script, on what is marked.
    fn launch_script(&mut self, name: &str) {
        self.launch_dialog(Some(name.to_owned()), &self.tree.marked());
    }

    /// The library has been listed: is the script that is open still what it was?
    pub(in crate::console::app) fn check_editor(&mut self, effects: &mut Vec<Effect>) {
        if let Some(name) = self.editing.launch.take() {
            self.launch_script(&name);
        }
        let Some(editor) = &self.editing.open else { return };
        let info = self.scripts.iter().find(|script| script.name == editor.name);
        if let (Some(info), Some(base)) = (info, &editor.base)
            && info.version != *base
            && !editor.behind
        {
            self.look_again(effects);
        }
    }

    pub(in crate::console::app) fn save(&mut self, then: Then, force: bool, effects: &mut Vec<Effect>) {
        let Some(editor) = &mut self.editing.open else { return };
        if editor.saving.is_some() {
            self.hint = Some("still saving".into());
            return;
        }
        // What is undone later ends here.
        editor.buffer.pause();
        if !editor.dirty {
            self.hint = Some(format!("nothing to save: {} is as the library has it", text::plain(&editor.name)));
            return self.saved_then(then, effects);
        }
        let bytes = editor.bytes();
        editor.saving = Some(Saving { then, bytes: bytes.clone() });
        effects.push(Effect::SaveScript { name: editor.name.clone(), base: editor.base.clone(), bytes, force });
    }

    pub(in crate::console::app) fn saved(
        &mut self,
        name: &str,
        answer: Result<SavedScript, SaveProblem>,
        effects: &mut Vec<Effect>,
    ) {
        let now = self.now;
        let Some(editor) = self.editing.open.as_mut().filter(|editor| editor.name == name) else {
            if let Err(problem) = answer {
                self.say(Level::Error, format!("{} was not saved: {}", text::plain(name), words(&problem)));
            }
            return;
        };
        let Some(Saving { then, bytes }) = editor.saving.take() else { return };
        match answer {
            Ok(saved) => {
                editor.saved_as(saved.version.clone(), &bytes);
                editor.path.get_or_insert(saved.path);
                editor.lint.due = Some(now);
                editor.keep(effects);
                // (a text that holds nothing ends with nothing)
                let open = if bytes.last().is_some_and(|last| *last != b'\n') {
                    "; its last line has no newline at its end"
                } else {
                    ""
                };
                let version = self.version_saved(name, &saved.version);
                self.hint = Some(format!("{} was saved as {version}{open}", text::plain(name)));
                if let Some(warning) = saved.warning {
                    self.say(Level::Warn, warning);
                }
                self.ask_library(effects);
                self.saved_then(then, effects);
            }
            Err(SaveProblem::Changed { version, bytes }) => {
                editor.behind = true;
                let ask = Ask::new(
                    "Changed by somebody else",
                    vec![
                        format!("{} is no longer what you began from.", text::plain(name)),
                        format!("The library has version {version}."),
                    ],
                )
                .pick(Pick::SeeBoth, "See both", "the difference between theirs and yours; then choose")
                .pick(Pick::KeepMine, "Keep mine", "your text is saved; theirs stays in the versions")
                .pick(Pick::TakeTheirs, "Take theirs", "their text comes here; undo leads to yours")
                .about(Other { version: Some(version), bytes });
                self.layers.push(Layer::Editor(ask));
            }
            Err(SaveProblem::Other(problem)) => {
                let text = format!("not saved: {}. The text is kept as a draft", problem.error);
                editor.keep(effects);
                self.say(Level::Error, text);
            }
        }
    }

    fn saved_then(&mut self, then: Then, effects: &mut Vec<Effect>) {
        let Some(editor) = &self.editing.open else { return };
        let (name, path) = (editor.name.clone(), editor.path.clone());
        match then {
            Then::Stay => {}
            Then::Leave => self.leave_editor(effects),
            Then::External => match path {
                Some(path) => effects.push(Effect::OpenEditor(path)),
                None => self.hint = Some(format!("{} is not a file here", text::plain(&name))),
            },
            Then::Run => {
                let known = self.scripts.iter().find(|script| script.name == name);
                if known.is_some_and(|script| Some(&script.version) == editor.base.as_ref()) {
                    self.launch_script(&name);
                } else {
                    // The form is made of the header: the library must have read it first.
                    self.editing.launch = Some(name);
                }
            }
        }
    }

    /// Out of the editor. What is not saved stays: here, and as a draft.
    pub(in crate::console::app) fn leave_editor(&mut self, effects: &mut Vec<Effect>) {
        if let Some(editor) = &mut self.editing.open {
            editor.bar = None;
            editor.keep(effects);
            if editor.dirty {
                self.hint = Some(format!("{} is not saved yet: the draft is kept", text::plain(&editor.name)));
            }
        }
        self.leave_view();
        if self.view == View::Editor {
            self.view = View::Overview;
        }
    }

    /// The console is being left: what is not on the disk goes there.
    pub fn leaving(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        if let Some(editor) = self.editing.open.as_mut().filter(|editor| editor.draft.since.is_some()) {
            editor.keep(&mut effects);
        }
        effects
    }

    pub(in crate::console::app) fn linted(&mut self, serial: u64, answer: Result<Vec<Finding>, Problem>) {
        if self.editing.linting != Some(serial) {
            return;
        }
        self.editing.linting = None;
        let Some(editor) = &mut self.editing.open else { return };
        match answer {
            // Of a text that has changed since: the next answer is under way.
            Ok(_) if editor.lint.due.is_some() && editor.lint.asked => {}
            Ok(findings) => editor.lint.set(findings),
            Err(problem) => editor.lint.problem = Some(problem.error),
        }
    }

    /// An answer to one of the editor's questions.
    pub(in crate::console::app) fn answer(&mut self, ask: &Ask, effects: &mut Vec<Effect>) {
        let pick = ask.chosen();
        if let Pick::External(path) = &pick {
            return effects.push(Effect::OpenEditor(path.clone()));
        }
        let Some(editor) = &mut self.editing.open else { return };
        let other = ask.other.as_ref().and_then(|other| Document::read(&editor.name, &other.bytes).ok());
        match (pick, other) {
            (Pick::KeepDraft, Some(document)) => {
                take(editor, &document);
                if let Some(Other { version: Some(version), .. }) = &ask.other {
                    // What it began from decides whether somebody else has saved since.
                    editor.base = Some(version.clone());
                }
                self.hint = Some("this is the draft; undo leads to the saved text".into());
            }
            (Pick::TakeTheirs, Some(document)) => {
                take(editor, &document);
                if let Some(Other { version: Some(version), bytes }) = &ask.other {
                    editor.saved_as(version.clone(), bytes);
                }
                editor.keep(effects);
                self.hint = Some("this is their text; undo leads to yours".into());
            }
            (Pick::KeepDraft | Pick::TakeTheirs, None) => {
                self.say(Level::Error, "that text cannot be edited here: it stays where it is".to_owned());
            }
            (Pick::DiscardDraft, _) => {
                editor.draft.kept = true;
                editor.keep(effects);
            }
            (Pick::KeepMine, _) => self.save(Then::Stay, true, effects),
            (Pick::SaveAndOpen, _) => self.save(Then::External, false, effects),
            (Pick::Discard, _) => {
                let saved = editor.saved.clone();
                take(editor, &saved);
                self.hint = Some("back to the saved text; undo leads to yours".into());
            }
            (Pick::Fix(fix), _) => {
                let done = editor.apply(&fix);
                self.done(done);
            }
            (Pick::Copy(text), _) => self.copy("link", text, effects),
            (Pick::CompareDraft | Pick::SeeBoth | Pick::Close | Pick::External(_), _) => {}
        }
    }

    /// What has changed since the saved version, and whether to save it.
    pub(super) fn difference(&mut self, effects: &mut Vec<Effect>) {
        let Some(editor) = &self.editing.open else { return };
        if !editor.dirty {
            self.hint = Some(format!("{} is as the library has it", text::plain(&editor.name)));
            return;
        }
        let base = editor.base.as_deref().unwrap_or("nothing");
        let left = Side { title: format!("saved, {base}"), text: diff::Text::Bytes(editor.saved_bytes()) };
        let right = Side { title: "your text".into(), text: diff::Text::Bytes(editor.bytes()) };
        self.open_save(left, right, effects);
    }

    /// The two texts that a question is about, beside each other. `None`: this answer is no comparison.
    pub(in crate::console::app) fn compare_asked(&mut self, ask: &Ask, effects: &mut Vec<Effect>) -> Option<Layer> {
        let (Some(other), Some(editor)) = (&ask.other, &self.editing.open) else { return None };
        let other = |title: &str| Side { title: title.into(), text: diff::Text::Bytes(other.bytes.clone()) };
        let mine = |title: &str| Side { title: title.into(), text: diff::Text::Bytes(editor.bytes()) };
        let (left, right) = match ask.chosen() {
            Pick::CompareDraft => (mine("saved"), other("draft")),
            Pick::SeeBoth => (other("theirs"), mine("yours")),
            _ => return None,
        };
        Some(self.diff_view(left, right, effects))
    }

    /// The editor waits for this script to be saved.
    pub(in crate::console::app) fn editor_saves(&self, name: &str) -> bool {
        self.editing.open.as_ref().is_some_and(|editor| editor.name == name && editor.saving.is_some())
    }

    /// The first key of a command of this context, for texts.
    pub fn key_in(&self, context: &str, name: &str) -> String {
        self.keymap.keys_for(context, name).into_iter().next().unwrap_or_else(|| name.to_owned())
    }
}

/// Another text in the place of this one, as one step that can be undone.
fn take(editor: &mut Editor, document: &Document) {
    let at = editor.buffer.cursor();
    editor.shape = document.shape;
    if editor.buffer.splice(pos(0, 0), editor.buffer.end(), &document.lines.join("\n")).is_ok() {
        editor.buffer.close(Kind::Other);
    }
    editor.buffer.go(editor.buffer.near(at), false);
    editor.buffer.serial += 1;
}

fn words(problem: &SaveProblem) -> String {
    match problem {
        SaveProblem::Changed { .. } => "somebody else has changed it; your text is kept as a draft".into(),
        SaveProblem::Other(problem) => problem.error.clone(),
    }
}
