//! A job beside another one: which devices ended in another way, by what changed. Owns what the engine said of the two and
//! which device is looked at; what differs in its outputs is shown by `diff`.

use std::borrow::Cow;

use super::commands::Do;
use super::list::{Cursor, ListId, Look};
use super::triage::compare::Question;
use super::{App, Effect, View};
use crate::console::text;
use crate::model::compare::{Against, Comparison, Pick, Shift, What};
use crate::model::filter::{Column, Kind, Rows};
use crate::model::job::JobId;
use crate::model::nodeset;
use crate::model::wire::Problem;

/// Devices of a job that are counted one by one.
const MOST: usize = 1_000_000;

#[derive(Debug)]
pub struct Changes {
    pub job: JobId,
    /// What it is compared with; `None`: the one of the same script before it.
    pub other: Option<JobId>,
    pub answer: Option<Against>,
    /// Devices of one of them alone, left and right, and of both.
    pub alone: (usize, usize),
    pub both: usize,
    pub problem: Option<String>,
    asking: bool,
    pub cursor: Cursor,
    pub look: Look,
    /// Rows as shown.
    pub order: Vec<u32>,
    unsorted: bool,
    /// The outputs that are being compared above, and the number of that view.
    comparing: Option<(Question, u64)>,
}

impl Changes {
    fn new(job: JobId, other: Option<JobId>, columns: Vec<String>) -> Self {
        let mut look = Look::sorted(ListId::Changes.usual_sort());
        look.columns = columns;
        Self {
            job,
            other,
            answer: None,
            alone: (0, 0),
            both: 0,
            problem: None,
            asking: false,
            cursor: Cursor::default(),
            look,
            order: Vec::new(),
            unsorted: true,
            comparing: None,
        }
    }

    pub fn shifts(&self) -> &[Shift] {
        self.answer.as_ref().map_or(&[], |against| &against.shifts)
    }

    /// The device under the cursor.
    pub fn row(&self) -> Option<&Shift> {
        self.shifts().get(*self.order.get(self.cursor.at)? as usize)
    }

    pub fn moved(&mut self) {
        self.look.home = self.row().map(|row| row.device.clone());
    }

    pub fn sift(&mut self) {
        self.unsorted = true;
    }

    /// An answer is awaited.
    pub fn waits(&self) -> bool {
        self.asking
    }

    /// Asked anew: devices may have ended since.
    pub fn again(&mut self) {
        self.reset();
        self.answer = None;
        self.unsorted = true;
    }

    /// Nothing is on its way any more.
    pub fn reset(&mut self) {
        self.asking = false;
        self.problem = None;
    }

    fn settle(&mut self, height: usize) {
        if !std::mem::take(&mut self.unsorted) {
            return;
        }
        let Some(against) = &self.answer else {
            self.order.clear();
            return;
        };
        let rows = Shifts { all: &against.shifts };
        self.look.changed();
        let key = |row: usize| Cow::Borrowed(against.shifts[row].device.as_str());
        self.order = self.look.order(&rows, key, &mut self.cursor, height);
    }

    /// `broke 3   fixed 5`: how many changed how, what is worst first.
    pub fn counts(&self) -> Vec<(&'static str, usize)> {
        let mut counts: Vec<(&'static str, usize)> = Vec::new();
        for word in Shift::WORDS {
            let count = self.shifts().iter().filter(|shift| shift.word() == word).count();
            if count > 0 {
                counts.push((word, count));
            }
        }
        counts
    }
}

/// Devices of both jobs whose end is another one, or bad again.
pub struct Shifts<'a> {
    pub all: &'a [Shift],
}

static SHIFTS: [Column; 7] = [
    Column::new("device", Kind::Text).also("name"),
    Column::new("change", Kind::Text),
    Column::new("was", Kind::Text),
    Column::new("is", Kind::Text),
    Column::new("says", Kind::Text),
    Column::new("signature", Kind::Text),
    Column::new("connection", Kind::Text),
];

impl Shifts<'_> {
    pub fn known() -> &'static [Column] {
        &SHIFTS
    }
}

impl Rows for Shifts<'_> {
    fn columns(&self) -> &[Column] {
        &SHIFTS
    }

    fn len(&self) -> usize {
        self.all.len()
    }

    fn text<'a>(&'a self, row: usize, column: usize, room: &'a mut String) -> &'a str {
        let shift = &self.all[row];
        match column {
            0 => &shift.name,
            1 => shift.word(),
            2 => {
                *room = shift.from.said();
                room
            }
            3 => {
                *room = shift.to.said();
                room
            }
            4 => &shift.says,
            5 => &shift.to.signature,
            _ => shift.device.split_once(':').map_or("", |(connection, _)| connection),
        }
    }

    fn number(&self, _: usize, _: usize) -> Option<f64> {
        None
    }

    fn order(&self, row: usize, column: usize) -> Option<f64> {
        let place = || Shift::WORDS.iter().position(|word| *word == self.all[row].word());
        (column == 1).then(|| place().map(|at| at as f64)).flatten()
    }

    fn troubled(&self, row: usize) -> bool {
        self.all[row].to.state.bad()
    }
}

impl App {
    /// The job under the cursor beside another: the marked one, else the one of the same script before it; of two marked
    /// the older stands on the left.
    pub(super) fn compare_jobs(&mut self) {
        let marked: Vec<JobId> = match self.overview.job_look.marks.is_empty() {
            true => Vec::new(),
            false => self.chosen_jobs().iter().map(|job| job.id).collect(),
        };
        let here = self.overview.job(&self.jobs).map(|job| job.id);
        let (job, other) = match (marked.as_slice(), here) {
            ([one, other], _) => (*one.max(other), Some(*one.min(other))),
            ([one], Some(here)) if *one != here => (here.max(*one), Some(here.min(*one))),
            (_, Some(here)) => (here, None),
            (_, None) => {
                self.hint = Some(self.no_job());
                return;
            }
        };
        let columns = self.changes.take().map(|before| before.look.columns).unwrap_or_default();
        self.changes = Some(Changes::new(job, other, columns));
        self.view = View::Changes;
    }

    pub(super) fn settle_changes(&mut self, effects: &mut Vec<Effect>) {
        let height = self.rows_of(ListId::Changes);
        let Some(changes) = &mut self.changes else { return };
        if changes.answer.is_none() && changes.problem.is_none() && !changes.asking {
            changes.asking = true;
            effects.push(Effect::CompareJobs { job: changes.job, other: changes.other });
        }
        changes.settle(height);
    }

    /// The engine has compared two jobs.
    pub(super) fn jobs_compared(&mut self, job: JobId, other: Option<JobId>, answer: Result<Against, Problem>) {
        let Some(changes) = self.changes.as_mut().filter(|changes| (changes.job, changes.other) == (job, other)) else {
            return;
        };
        changes.asking = false;
        changes.unsorted = true;
        match answer {
            Ok(against) => {
                let count = |devices: &str| nodeset::expand(devices, MOST).map_or(0, |names| names.len());
                changes.alone = (count(&against.only_left), count(&against.only_right));
                let ended: usize = against.groups.iter().map(|group| group.right).sum();
                changes.both = ended.saturating_sub(changes.alone.1);
                (changes.answer, changes.problem) = (Some(against), None);
            }
            Err(problem) => changes.problem = Some(problem.error),
        }
    }

    pub(super) fn in_changes(&mut self, verb: Do, effects: &mut Vec<Effect>) {
        let height = self.rows_of(ListId::Changes);
        let Some(changes) = &mut self.changes else {
            self.view = View::Overview;
            return;
        };
        match verb {
            Do::Back if changes.look.step_back() => changes.sift(),
            Do::Back | Do::QuitOrBack => self.leave_view(),
            Do::Open => self.compare_device(effects),
            Do::WhereUsed => self.where_used(effects),
            verb if changes.cursor.go(verb, changes.order.len(), height) => changes.moved(),
            Do::NextPane | Do::PreviousPane | Do::Pane(_) | Do::ZoomPane => {
                self.hint = Some("there is one pane here".into());
            }
            verb if self.in_list(ListId::Changes, verb) => {}
            _ => self.nothing(),
        }
    }

    /// What differs in the outputs of the device under the cursor.
    fn compare_device(&mut self, effects: &mut Vec<Effect>) {
        let Some((shift, against)) = self.changes.as_ref().and_then(|c| Some((c.row()?.clone(), c.answer.as_ref()?)))
        else {
            self.hint = Some("no device here".into());
            return;
        };
        let (left, right) = (against.left, against.right);
        let question = Question {
            job: right,
            left: Pick { job: Some(left), what: What::Run(shift.from.run) },
            right: What::Run(shift.to.run).into(),
            masked: true,
        };
        let name = text::plain(&shift.name);
        let titles = (format!("{name} in {left}"), format!("{name} in {right}"));
        let raw = format!(
            "quarterdeck diff {left} {right} --device {} --raw",
            shlex::try_quote(&shift.device).unwrap_or_default()
        );
        let serial = self.await_diff(titles, raw);
        if let Some(changes) = &mut self.changes {
            changes.comparing = Some((question.clone(), serial));
        }
        effects.push(Effect::CompareOutputs(question));
    }

    /// Two outputs have been compared; `Err`: not for this room.
    pub(super) fn device_compared(
        &mut self,
        question: &Question,
        answer: Box<Result<Comparison, Problem>>,
    ) -> Result<(), Box<Result<Comparison, Problem>>> {
        let comparing = self.changes.as_mut().map(|changes| &mut changes.comparing);
        let Some(comparing) = comparing.filter(|mine| mine.as_ref().is_some_and(|(mine, _)| mine == question)) else {
            return Err(answer);
        };
        if let Some((_, serial)) = comparing.take() {
            self.compared(serial, answer.map(|comparison| comparison.diff));
        }
        Ok(())
    }

    /// What can be copied of it.
    pub(super) fn changes_to_copy(&self) -> Vec<(&'static str, String)> {
        let Some(changes) = &self.changes else { return Vec::new() };
        let mut items: Vec<(&'static str, String)> = Vec::new();
        if let Some(row) = changes.row() {
            items.push(("device", row.name.clone()));
            items.push(("device id", row.device.clone()));
        }
        let shown = changes.order.iter().filter_map(|at| changes.shifts().get(*at as usize));
        let names: Vec<&str> = shown.map(|shift| shift.name.as_str()).collect();
        if !names.is_empty() {
            items.push(("node set listed", nodeset::fold(names)));
        }
        let other = changes.answer.as_ref().map(|against| against.left).or(changes.other);
        let other = other.map_or_else(String::new, |other| format!("{other} "));
        items.push(("command", format!("quarterdeck diff {other}{}", changes.job)));
        items
    }
}
