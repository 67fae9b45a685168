//! Pane 3: what sets an output apart from another: the group under the cursor beside the base, or beside whatever the
//! operator chose. Owns what is compared and where in it one reads; one question at a time, the latest wins.

use super::Triage;
use crate::console::app::chooser::{self, Chooser};
use crate::console::app::commands::Do;
use crate::console::app::diff::{Scroll, Shown};
use crate::console::app::{App, Layer, layout};
use crate::console::text;
pub use crate::model::compare::What as Side;
use crate::model::compare::{Comparison, Pick};
use crate::model::job::JobId;
use crate::model::wire::Problem;

/// What is compared: the sides as the engine knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub job: JobId,
    pub left: Pick,
    pub right: Pick,
    /// Without what is a device's or a moment's own.
    pub masked: bool,
}

#[derive(Debug)]
pub struct Beside {
    /// The left side, as the operator chose it.
    pub base: Side,
    pub masked: bool,
    /// Side by side, or one below the other; `None`: as there is room.
    pub wide: Option<bool>,
    pub scroll: Scroll,
    pub state: State,
    /// What the state answers, and what is being asked.
    shows: Option<Question>,
    asking: Option<Question>,
}

#[derive(Debug, Default)]
pub enum State {
    /// Nothing to compare, or not yet.
    #[default]
    Nothing,
    Ready(Box<Comparison>, Box<Shown>),
    Failed(String),
}

impl Default for Beside {
    fn default() -> Self {
        Self {
            base: Side::Base,
            masked: true,
            wide: None,
            scroll: Scroll::default(),
            state: State::Nothing,
            shows: None,
            asking: None,
        }
    }
}

impl Beside {
    /// Nothing is on its way any more, and everything is asked again.
    pub fn reset(&mut self) {
        (self.asking, self.shows) = (None, None);
    }

    /// What is on screen is not what is meant.
    pub fn waits(&self) -> bool {
        self.asking.is_some() && self.asking != self.shows
    }

    /// Asks if something else is meant than is shown.
    pub fn ask(&mut self, wanted: Option<Question>) -> Option<Question> {
        let Some(wanted) = wanted else {
            (self.state, self.shows) = (State::Nothing, None);
            return None;
        };
        if self.asking.is_some() || self.shows.as_ref() == Some(&wanted) {
            return None;
        }
        self.asking = Some(wanted.clone());
        Some(wanted)
    }

    pub fn answered(&mut self, question: &Question, answer: Result<Comparison, Problem>) {
        if self.asking.as_ref() != Some(question) {
            return;
        }
        self.asking = None;
        // the same two in another form: one goes on reading where one was
        let same =
            self.shows.as_ref().is_some_and(|shown| (&shown.left, &shown.right) == (&question.left, &question.right));
        if !same {
            self.scroll = Scroll::default();
        }
        self.shows = Some(question.clone());
        self.state = match answer {
            Ok(comparison) => {
                let shown = Box::new(Shown::of(comparison.diff.clone()));
                State::Ready(Box::new(comparison), shown)
            }
            Err(problem) => State::Failed(problem.error),
        };
    }

    /// Motions within the comparison. `None`: the verb was none; else what is to be said of it.
    pub fn go(&mut self, verb: Do, page: usize, wide: bool) -> Option<Option<&'static str>> {
        let State::Ready(_, shown) = &self.state else { return None };
        self.scroll.go(shown.lines(wide), verb, page)
    }
}

impl Triage {
    /// What is to be compared now. `None`: nothing is.
    pub fn question(&self) -> Option<Question> {
        let (group, row) = (self.group()?, self.row()?);
        let groups = self.groups.as_ref()?;
        let member = self.member().filter(|_| self.members.cursor.touched);
        let right = match member {
            Some(run) => Side::Run(run),
            // of several texts with one signature only a run tells which is meant
            None if self.shows_exact() => Side::Run(*group.runs.first()?),
            None => Side::Group(group.signature.clone()),
        };
        let is_base = row.of == groups.base && member.is_none();
        match &self.beside.base {
            Side::Base if groups.base.is_none() || is_base => return None,
            Side::Group(signature) if *signature == group.signature && member.is_none() => return None,
            _ => {}
        }
        Some(Question {
            job: self.job,
            left: self.beside.base.clone().into(),
            right: right.into(),
            masked: self.beside.masked,
        })
    }

    /// Side by side in a pane of this width.
    pub fn side_by_side(&self, width: u16) -> bool {
        self.beside.wide.unwrap_or(width >= layout::WIDE)
    }
}

impl App {
    /// The verbs of the comparison. `true`: it was one.
    pub(in crate::console::app) fn in_beside(&mut self, verb: Do) -> bool {
        let Some(area) = self.triage_panes().diff else { return false };
        let (above, below) = layout::around_diff(area);
        let page = layout::inside(area).saturating_sub(usize::from(above + below));
        let Some(triage) = &mut self.triage else { return false };
        let wide = triage.side_by_side(area.width);
        match verb {
            Do::Layout => {
                triage.beside.wide = Some(!wide);
                triage.beside.scroll.top = 0;
            }
            Do::Exact => triage.beside.masked = !triage.beside.masked,
            verb => match triage.beside.go(verb, page, wide) {
                Some(said) => self.hint = said.map(str::to_owned),
                None => return false,
            },
        }
        true
    }

    /// What to compare with: the base, another group, the same device the time before, any device.
    pub(in crate::console::app) fn open_bases(&mut self) {
        let Some((triage, job)) = self.sorted() else { return };
        let Some(groups) = &triage.groups else { return };
        let now = &triage.beside.base;
        let mut rows: Vec<(String, String, Side)> = Vec::new();
        if let Some((group, label)) = triage.base() {
            let about = format!("the largest that ended well: {}", text::number(group.runs.len() as u64, "device"));
            rows.push((label.to_owned(), about, Side::Base));
        }
        if let Some(previous) = groups.previous {
            rows.push(("before".into(), format!("the same device in {previous}"), Side::Before));
        }
        for row in triage.rows.iter().filter(|row| row.of.is_some() && row.of != groups.base) {
            let signature = row.of.and_then(|at| groups.groups.get(at)).map(|group| group.signature.clone());
            let same = |(_, _, side): &(String, String, Side)| matches!(side, Side::Group(had) if Some(had) == signature.as_ref());
            // exact groups of one signature are one here
            if !rows.iter().any(same) {
                rows.extend(signature.map(|signature| (row.label.clone(), row.says.clone(), Side::Group(signature))));
            }
        }
        for run in job.runs.iter().filter(|run| run.state.ended()) {
            rows.push((text::plain(&run.name), run.state.word().to_owned(), Side::Run(run.index)));
        }
        let chooser = Chooser::beside(rows.iter().map(|(name, about, side)| chooser::Row {
            name: name.clone(),
            source: about.clone(),
            on: side == now,
            ..chooser::Row::default()
        }));
        let bases = rows.into_iter().map(|(_, _, side)| side).collect();
        if let Some(triage) = &mut self.triage {
            triage.bases = bases;
        }
        self.layers.push(Layer::Chooser(Box::new(chooser)));
    }

    pub(in crate::console::app) fn choose_base(&mut self, at: Option<usize>) {
        let Some(triage) = &mut self.triage else { return };
        if let Some(side) = at.and_then(|at| triage.bases.get(at)) {
            triage.beside.base = side.clone();
        }
    }
}
