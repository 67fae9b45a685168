//! What is done with the lines written into prompts: told of every change, asked what may complete them, and given
//! them at the end. One match a question, one arm a purpose; the work stands in each purpose's own room.

use super::commands::Do;
use super::event::Effect;
use super::layers::Next;
use super::prompt::{Completion, Prompt, Purpose};
use super::{App, Layer};
use crate::console::app::tree::quoted;

impl App {
    /// A prompt above everything that is open.
    pub fn open_prompt(&mut self, purpose: Purpose, text: &str) {
        self.open(Prompt::new(purpose, text));
    }

    pub(super) fn open(&mut self, mut prompt: Prompt) {
        self.prompt_edited(&mut prompt);
        self.layers.push(Layer::Prompt(Box::new(prompt)));
    }

    /// The line has changed.
    pub(super) fn prompt_edited(&mut self, prompt: &mut Prompt) {
        match prompt.purpose {
            Purpose::Filter(list) => self.filter_edited(list, prompt),
            Purpose::Command => {
                prompt.problem = None;
                prompt.aside = self.aside_of(prompt.text.text());
            }
            Purpose::Search => self.search_edited(prompt),
            Purpose::Lines => self.lines_edited(prompt),
            Purpose::Device => self.device_edited(prompt),
            Purpose::Pipe => prompt.aside = "a command of your shell, on this machine; it gets all of the text".into(),
            Purpose::Save => prompt.aside = "a new file; ~ is your home".into(),
            Purpose::Template => {
                prompt.problem = None;
                prompt.aside = "a name such as nightly-eu; secrets are not kept".into();
            }
            Purpose::Note | Purpose::Runbook => self.remark_edited(prompt),
            Purpose::Mask | Purpose::Keep => self.rule_edited(prompt),
            Purpose::Target => {}
        }
    }

    /// What tab may make of the word before the cursor.
    fn prompt_candidates(&self, prompt: &Prompt) -> Completion {
        match prompt.purpose {
            Purpose::Target => self.target_candidates(prompt.before_cursor()),
            Purpose::Command => self.command_candidates(prompt.before_cursor()),
            Purpose::Filter(list) => self.filter_candidates(list, prompt.before_cursor()),
            Purpose::Template => {
                let names = self.templates.iter().map(|template| (template.name.clone(), "is replaced".to_owned()));
                Completion::of_word(prompt.before_cursor(), &[], names)
            }
            Purpose::Search
            | Purpose::Pipe
            | Purpose::Lines
            | Purpose::Save
            | Purpose::Device
            | Purpose::Note
            | Purpose::Runbook
            | Purpose::Mask
            | Purpose::Keep => Completion::default(),
        }
    }

    /// Enter: the line is done, and already in the history.
    fn prompt_accepted(&mut self, prompt: &mut Prompt, effects: &mut Vec<Effect>) -> Next {
        match prompt.purpose {
            Purpose::Target => self.keep_expression(prompt, effects),
            Purpose::Command if prompt.text.text().trim().is_empty() => {}
            Purpose::Command => match self.understand(prompt.text.text()) {
                Ok(act) => return Next::Act(act),
                Err(problem) => {
                    prompt.problem = Some((None, problem));
                    return Next::Stay;
                }
            },
            // What cannot be read stays to be put right; esc gives it up.
            Purpose::Filter(_) if prompt.problem.is_some() => return Next::Stay,
            Purpose::Search => self.search_accepted(),
            Purpose::Pipe => self.pipe_accepted(prompt.text.text(), effects),
            Purpose::Save => self.save_accepted(prompt.text.text(), effects),
            Purpose::Template => return Next::stay(!self.template_named(prompt, effects)),
            Purpose::Lines if !self.lines_accepted(prompt.text.text()) => return Next::Stay,
            Purpose::Note | Purpose::Runbook => {
                if !self.remark_accepted(prompt, effects) {
                    return Next::Stay;
                }
            }
            Purpose::Mask | Purpose::Keep => return Next::stay(!self.rule_accepted(prompt, effects)),
            Purpose::Filter(_) | Purpose::Lines | Purpose::Device => {}
        }
        Next::Close
    }

    /// Esc, or `^c`: as if it had never been opened, or whatever the purpose has instead.
    pub(super) fn prompt_cancelled(&mut self, prompt: &Prompt) {
        match prompt.purpose {
            Purpose::Filter(list) => {
                // The empty filter is never wrong.
                let _ = self.set_filter(list, "");
            }
            Purpose::Search => self.search_cancelled(),
            Purpose::Target
            | Purpose::Command
            | Purpose::Pipe
            | Purpose::Lines
            | Purpose::Save
            | Purpose::Device
            | Purpose::Template
            | Purpose::Note
            | Purpose::Runbook
            | Purpose::Mask
            | Purpose::Keep => {}
        }
    }

    pub(super) fn in_prompt(&mut self, prompt: &mut Prompt, verb: Do, effects: &mut Vec<Effect>) -> Next {
        let before = prompt.text.text().to_owned();
        match verb {
            Do::Accept | Do::Open => {
                let line = prompt.text.text().to_owned();
                if self.histories.of_mut(prompt.purpose).remember(&line) {
                    effects.push(Effect::SaveHistory { name: Purpose::NAMES[prompt.purpose.index()], line });
                }
                return self.prompt_accepted(prompt, effects);
            }
            Do::Cancel | Do::Back | Do::QuitOrBack if prompt.end_search() => {}
            Do::Cancel | Do::Back | Do::QuitOrBack => {
                self.prompt_cancelled(prompt);
                return Next::Close;
            }
            Do::Older | Do::Newer => {
                let history = self.histories.of(prompt.purpose);
                let other = prompt.step(history, verb == Do::Older);
                self.hint = (!other).then(|| "no other line like this in the history".into());
            }
            Do::SearchHistory => prompt.search(self.histories.of(prompt.purpose)),
            Do::Complete | Do::CompleteBack => {
                let done = prompt.cycle(verb == Do::Complete) || prompt.complete(self.prompt_candidates(prompt));
                self.hint = (!done).then(|| "nothing completes this".into());
            }
            _ => {}
        }
        if prompt.text.text() != before {
            self.prompt_edited(prompt);
        }
        Next::Stay
    }

    /// Groups, connections, fields and devices that a target expression may name.
    pub(super) fn target_candidates(&self, before: &str) -> Completion {
        let targets = &self.tree.targets;
        let mut facts: Vec<&str> = targets.devices.iter().flat_map(|d| d.facts.keys()).map(String::as_str).collect();
        facts.sort_unstable();
        facts.dedup();
        let option = |text: String, note: &str| (text, note.to_owned());
        let groups = targets.groups.iter().map(|group| option(quoted(&group.name), "group"));
        let connections = targets.connections.iter().map(|connection| option(connection.name.clone(), "connection"));
        let fields = ["name", "state", "group", "connection"].into_iter().chain(facts);
        let fields = fields.map(|field| option(format!("{field}:"), "field"));
        let devices = targets.devices.iter().flat_map(|device| {
            [
                option(quoted(&device.name), "device"),
                option(format!("{}:{}", device.connection, quoted(&device.name)), "device"),
            ]
        });
        let all = [option("@all".into(), "everything")].into_iter();
        let options = all.chain(groups).chain(connections).chain(fields).chain(devices);
        Completion::of_word(before, &['&', '|', '!', '(', ')', ','], options)
    }
}
