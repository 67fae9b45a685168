//! What the commands do around a search over past jobs: beginning one, stopping it, going to what was found and back.

use super::{MOST, Seek, State, USUAL};
use crate::console::app::commands::Do;
use crate::console::app::find::Find;
use crate::console::app::list::ListId;
use crate::console::app::prompt::{Completion, Purpose};
use crate::console::app::{App, Effect, LivePane, Pane, View, Whose};
use crate::console::text;
use crate::model::nodeset;
use crate::model::past::{Here, Hit, Past, Told, WORDS};
use crate::model::state::RunState;
use crate::model::target::Left;
use crate::model::wire::Problem;

/// The word before the words.
pub const SEARCH: &str = "search ";

impl App {
    /// What is written behind `search`.
    ///
    /// # Errors
    /// Which word is wrong.
    pub(in crate::console::app) fn past_of(&self, words: &str) -> Result<Past, String> {
        let split = shlex::split(words).ok_or("a quote is not closed")?;
        Past::read(&split, Here { now: self.now, zone: &self.place.zone })
    }

    /// Begins a search and shows it.
    pub(in crate::console::app) fn seek(
        &mut self,
        words: String,
        where_used: Option<String>,
        asked: Past,
        effects: &mut Vec<Effect>,
    ) {
        self.close_layers();
        self.searches += 1;
        let before = self.past.take();
        let columns = before.as_ref().map(|before| before.look.columns.clone()).unwrap_or_default();
        let mut seek = Seek::new(self.searches, words, where_used, asked, columns);
        // the way back leads through what was found before, if one came from there
        if self.view == View::Past || self.trail.passed(View::Past) {
            seek.keep(before);
        }
        effects.push(Effect::Search { serial: seek.serial, asked: Box::new(seek.asked.clone()) });
        self.past = Some(Box::new(seek));
        self.view = View::Past;
        self.dirty = true;
    }

    /// The line for a search, opened on these words.
    pub(in crate::console::app) fn open_seek(&mut self, words: &str) {
        self.open_prompt(Purpose::Command, &format!("{SEARCH}{words}"));
    }

    /// The jobs of what is under the cursor.
    pub(in crate::console::app) fn where_used(&mut self, effects: &mut Vec<Effect>) {
        let Some((flag, value)) = self.used_here() else {
            self.hint = Some("no device, target or script is under the cursor".into());
            return;
        };
        let quoted = shlex::try_quote(&value).map_or_else(|_| value.clone(), |quoted| quoted.into_owned());
        let words = format!("--jobs --{flag} {quoted}");
        match self.past_of(&words) {
            Ok(asked) => self.seek(words, Some(value), asked, effects),
            Err(why) => self.hint = Some(why),
        }
    }

    /// Which word of the question names it, and its name.
    pub(in crate::console::app) fn used_here(&self) -> Option<(&'static str, String)> {
        let device = |id: &str| ("device", crate::console::app::marks::exactly(std::iter::once(id)));
        match (self.view, self.overview.subject) {
            (View::Overview, Pane::Scripts) => self.chosen_script().map(|script| ("script", script.name.clone())),
            (View::Overview, Pane::Targets) if !self.tree.look.marks.is_empty() => Some(("device", self.tree.marked())),
            (View::Overview, Pane::Targets) => {
                let row = self.tree.rows.get(self.overview.targets.at)?;
                (!row.term.is_empty()).then(|| ("device", row.term.clone()))
            }
            (View::Overview, Pane::Jobs) => self.overview.job(&self.jobs).map(|job| ("script", job.script.clone())),
            (View::Overview, Pane::Preview) => None,
            (View::Live, _) => {
                let run = self.held.as_ref()?.run(self.live.as_ref()?.chosen)?;
                Some(device(&run.device))
            }
            (View::Groups, _) => {
                let run = self.held.as_ref()?.run(self.triage.as_ref()?.member()?)?;
                Some(device(&run.device))
            }
            (View::Past, _) => self.past.as_ref()?.hit().map(|hit| device(&hit.device)),
            (View::Editor, _) => self.editing.open.as_ref().map(|editor| ("script", editor.name.clone())),
            (View::Changes, _) => self.changes.as_ref()?.row().map(|row| device(&row.device)),
        }
    }

    /// Some of what a search finds.
    pub(in crate::console::app) fn seek_found(&mut self, serial: u64, answer: Result<Vec<Told>, Problem>) {
        if let Some(seek) = self.past.as_mut().filter(|seek| seek.serial == serial) {
            seek.take(answer);
        }
    }

    /// The engine went away in the middle of it.
    pub(in crate::console::app) fn seek_lost(&mut self) {
        if let Some(seek) = self.past.as_mut().filter(|seek| seek.going()) {
            seek.state = State::Failed("the engine went away while it searched".into());
        }
    }

    pub(in crate::console::app) fn settle_seek(&mut self) {
        let (now, height) = (self.now, self.rows_of(ListId::Found));
        if let Some(seek) = &mut self.past {
            seek.settle(now, height);
        }
    }

    pub(in crate::console::app) fn in_past(&mut self, verb: Do, effects: &mut Vec<Effect>) {
        let height = self.rows_of(ListId::Found);
        let Some(seek) = &mut self.past else {
            self.view = View::Overview;
            return;
        };
        match verb {
            Do::Back if seek.going() => {
                seek.state = State::Stopped;
                effects.push(Effect::StopSearch(seek.serial));
            }
            Do::Back if seek.look.step_back() => seek.sift(),
            Do::Back | Do::QuitOrBack => {
                if seek.going() {
                    seek.state = State::Stopped;
                    effects.push(Effect::StopSearch(seek.serial));
                }
                match seek.before.take() {
                    Some(before) => self.past = Some(before),
                    None => self.leave_view(),
                }
            }
            Do::Open => match seek.hit().cloned() {
                Some(hit) => self.open_hit(&hit),
                None => self.hint = Some("nothing is found here yet".into()),
            },
            Do::EditSearch => {
                let words = seek.words.clone();
                self.open_seek(&words);
            }
            Do::WhereUsed => self.where_used(effects),
            verb if seek.cursor.go(verb, seek.order.len(), height) => seek.moved(),
            Do::NextPane | Do::PreviousPane | Do::Pane(_) | Do::ZoomPane => {
                self.hint = Some("there is one pane here".into());
            }
            verb if self.in_list(ListId::Found, verb) => {}
            _ => self.nothing(),
        }
    }

    /// Asks the same again: jobs may have come since.
    pub(in crate::console::app) fn seek_again(&mut self, effects: &mut Vec<Effect>) {
        if let Some(seek) = self.past.as_ref().filter(|_| self.view == View::Past) {
            let (words, where_used, asked) = (seek.words.clone(), seek.where_used.clone(), seek.asked.clone());
            let before = self.past.as_mut().and_then(|seek| seek.before.take());
            self.seek(words, where_used, asked, effects);
            if let Some(seek) = &mut self.past {
                seek.before = before;
            }
        }
    }

    /// The run in its job; where a text was looked for at the line that has it, and the search goes on from there.
    fn open_hit(&mut self, hit: &Hit) {
        let pattern = self.past.as_ref().and_then(|seek| seek.asked.text.clone());
        self.watch(hit.job);
        let Some(live) = &mut self.live else { return };
        live.choose(hit.run);
        live.tail.show(Some(hit.run));
        live.stale();
        if let (Some(place), Some(pattern)) = (hit.place(), pattern) {
            live.focus = LivePane::Tail;
            let mut find = Find::new(pattern, Whose::Search);
            find.from(Some(place));
            live.tail.restore(Some(place));
            live.tail.find = Some(find);
        }
    }

    /// What can be copied of what was found.
    pub(in crate::console::app) fn found_to_copy(&self) -> Vec<(&'static str, String)> {
        let Some(seek) = &self.past else { return Vec::new() };
        let mut items: Vec<(&'static str, String)> = Vec::new();
        if let Some(hit) = seek.hit() {
            items.push(("job id", hit.job.to_string()));
            items.push(("device", hit.name.clone()));
            items.push(("device id", hit.device.clone()));
            if !hit.says.is_empty() {
                items.push(("line", text::plain(&hit.says)));
            }
            items.extend(hit.signature.clone().map(|signature| ("signature", signature)));
        }
        let shown = || seek.order.iter().filter_map(|at| seek.hits.get(*at as usize));
        if !seek.asked.jobs && shown().next().is_some() {
            let mut names: Vec<&str> = shown().map(|hit| hit.name.as_str()).collect();
            names.sort_unstable();
            names.dedup();
            items.push(("node set listed", nodeset::fold(names)));
        }
        items.push(("command", format!("quarterdeck {SEARCH}{}", seek.words)));
        items
    }

    /// What tab may make of the words behind `search`.
    pub(in crate::console::app) fn seek_candidates(&self, before: &str) -> Completion {
        let option = |text: &str, note: &str| (text.to_owned(), note.to_owned());
        let mut behind = before.split_whitespace().rev();
        let last = if before.ends_with(char::is_whitespace) { behind.next() } else { behind.nth(1) };
        match last {
            Some("--device") => self.target_candidates(before),
            Some("--script") => {
                let scripts = self.scripts.iter().map(|script| option(&script.name, &script.describe));
                Completion::of_word(before, &[], scripts)
            }
            Some("--job") => {
                Completion::of_word(before, &[], self.jobs.iter().map(|job| (job.id.to_string(), job.script.clone())))
            }
            Some("--state") => {
                let words = RunState::ALL.map(RunState::word).into_iter().chain([Left::Unknown.word()]);
                let states = words.map(|word| option(word, "state"));
                Completion::of_word(before, &[','], states)
            }
            Some("--since" | "--until") => {
                Completion::of_word(before, &[], ["1h", "1d", "7d", "30d"].iter().map(|ago| option(ago, "ago")))
            }
            _ => Completion::of_word(
                before,
                &[],
                WORDS.iter().map(|word| (format!("--{} ", word.name), word.doc.into())),
            ),
        }
    }

    /// A word that is sought in the outputs and is the name of a device.
    pub fn device_among(&self, asked: &Past) -> Option<String> {
        let text = asked.text.as_ref().filter(|_| asked.device.is_none())?.spelled();
        let known = |word: &&str| {
            self.tree.by_id.contains_key(*word) || self.tree.targets.devices.iter().any(|device| device.name == **word)
        };
        let word = text.split_whitespace().find(known)?;
        Some(format!("{word} is a device: --device {word}"))
    }

    /// How many it would show, for the line's right side.
    pub(in crate::console::app) fn seek_aside(&self, words: &str) -> String {
        match self.past_of(words) {
            _ if words.is_empty() => "a text, --device, --script, --exit-code …; tab shows them".into(),
            Ok(asked) => {
                if let Some(advice) = self.device_among(&asked) {
                    return advice;
                }
                let limit = if asked.limit == crate::model::past::USUAL { USUAL } else { asked.limit.min(MOST) };
                let what = if asked.jobs { "jobs" } else { "runs" };
                format!("past {what} that fit all of it, the newest {} first", text::count(limit as u64))
            }
            Err(why) => why,
        }
    }
}
