//! Marks: how rows of any list get one, what of it a filter can ask, and which rows a verb means: the marked ones, else
//! the one under the cursor. A verb that can only take one says so; refuses to do anything to what is marked.

use std::borrow::Cow;
use std::ops::Range;

use super::commands::{Command, Do};
use super::list::{Cursor, ListId, Look};
use super::tree::{self, quoted};
use super::{App, Layer, LivePane, Pane, View};
use crate::model::filter::{Column, Kind, Rows};
use crate::model::job::{JobSummary, Run};
use crate::model::nodeset;
use crate::model::script::ScriptInfo;

/// Asked for as `marked:yes`.
const MARKED: Column = Column::new("marked", Kind::Flag);

/// The columns of a list, and whether a row is marked.
pub fn with_mark(columns: &[Column]) -> Vec<Column> {
    columns.iter().cloned().chain([MARKED]).collect()
}

/// Rows, and whether each is marked.
pub struct Marked<'a, R, F> {
    rows: &'a R,
    columns: Vec<Column>,
    is: F,
}

impl<'a, R: Rows, F: Fn(usize) -> bool> Marked<'a, R, F> {
    pub fn new(rows: &'a R, is: F) -> Self {
        Self { columns: with_mark(rows.columns()), rows, is }
    }

    fn own(&self, column: usize) -> bool {
        column + 1 == self.columns.len()
    }
}

impl<R: Rows, F: Fn(usize) -> bool + Sync> Rows for Marked<'_, R, F> {
    fn columns(&self) -> &[Column] {
        &self.columns
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn text<'a>(&'a self, row: usize, column: usize, room: &'a mut String) -> &'a str {
        match (self.own(column), column) {
            (false, column) => self.rows.text(row, column, room),
            (true, _) if (self.is)(row) => "yes",
            (true, _) => "",
        }
    }

    fn number(&self, row: usize, column: usize) -> Option<f64> {
        if self.own(column) { None } else { self.rows.number(row, column) }
    }

    /// Marked ones first.
    fn order(&self, row: usize, column: usize) -> Option<f64> {
        if self.own(column) { Some(f64::from(!(self.is)(row))) } else { self.rows.order(row, column) }
    }

    fn troubled(&self, row: usize) -> bool {
        self.rows.troubled(row)
    }
}

/// Makes or unmakes marks.
pub const fn marking(verb: Do) -> bool {
    matches!(verb, Do::Mark | Do::Range | Do::MarkAll | Do::UnmarkAll | Do::InvertMarks)
}

impl Look {
    /// Marks that none of these rows has.
    pub fn count_unseen<'k>(&mut self, keys: impl Iterator<Item = Cow<'k, str>>) {
        self.unseen = self.marks.len();
        if self.unseen > 0 {
            self.unseen -= keys.filter(|key| self.marks.contains(&**key)).count().min(self.unseen);
        }
    }

    /// Marking verbs. `keys`: of the rows shown; rows without one cannot be marked. `true`: used up.
    pub fn mark(&mut self, verb: Do, keys: &[Option<String>], cursor: &mut Cursor, height: usize) -> bool {
        let at = cursor.at;
        match verb {
            Do::Mark => {
                if let Some(Some(key)) = keys.get(at) {
                    self.turn(key.clone());
                }
                cursor.go(Do::Down, keys.len(), height);
            }
            Do::Range => match self.anchor.take() {
                None => self.anchor = keys.get(at).cloned().flatten(),
                Some(from) => {
                    let range = span(keys, &from, at);
                    self.marks.extend(keys[range].iter().flatten().cloned());
                }
            },
            Do::MarkAll => self.marks.extend(keys.iter().flatten().cloned()),
            Do::UnmarkAll => self.unmark(),
            Do::InvertMarks => keys.iter().flatten().cloned().for_each(|key| self.turn(key)),
            _ => return false,
        }
        self.count_unseen(keys.iter().flatten().map(Cow::from));
        true
    }

    fn turn(&mut self, key: String) {
        if !self.marks.remove(&key) {
            self.marks.insert(key);
        }
    }

    pub fn unmark(&mut self) {
        self.marks.clear();
        (self.anchor, self.unseen) = (None, 0);
    }

    /// `3 marked, 2 hidden by the filter`; empty: none.
    pub fn marked(&self) -> String {
        match (self.marks.len(), self.unseen) {
            (0, _) => String::new(),
            (n, 0) => format!("{n} marked"),
            (n, unseen) if self.narrowed() => format!("{n} marked, {unseen} hidden by the filter"),
            (n, unseen) => format!("{n} marked, {unseen} not shown"),
        }
    }
}

/// From the row with this key to the cursor.
fn span(keys: &[Option<String>], from: &str, at: usize) -> Range<usize> {
    let start = keys.iter().position(|key| key.as_deref() == Some(from)).unwrap_or(at);
    start.min(at)..(start.max(at) + 1).min(keys.len())
}

/// How many marked rows a verb takes at a time; `None`: it is about the row under the cursor, or about none.
fn most(command: &Command) -> Option<usize> {
    Some(match (command.context, command.verb) {
        ("scripts", Do::Run | Do::Edit | Do::EditOutside | Do::Versions | Do::RenameScript) => 1,
        ("scripts", Do::DiffWith) | ("jobs", Do::CompareJobs) => 2,
        ("scripts", Do::WhereUsed) => 1,
        ("targets", Do::WhereUsed) => usize::MAX,
        ("scripts", Do::DeleteScript) | ("groups" | "jobs", Do::Ack | Do::Note | Do::EditRunbook) => usize::MAX,
        ("groups", Do::Merge) => usize::MAX,
        ("targets", Do::Run | Do::EditExpression) | ("jobs" | "job", Do::Stop) | ("job", Do::Run) => usize::MAX,
        ("text", Do::Save | Do::Pager | Do::Pipe) => usize::MAX,
        ("global", Do::Copy) => usize::MAX,
        _ => return None,
    })
}

impl App {
    /// The list that commands of the place are about: also from its preview, or from a menu above it.
    pub(super) fn list_meant(&self) -> Option<ListId> {
        match (self.view, self.overview.subject) {
            (View::Overview, Pane::Scripts) => Some(ListId::Scripts),
            (View::Overview, Pane::Targets) => Some(ListId::Targets),
            (View::Overview, Pane::Jobs) => Some(ListId::Jobs),
            (View::Live, _) => Some(ListId::Devices),
            (View::Groups, _) => self.list_here().or(Some(ListId::Groups)),
            _ => None,
        }
    }

    /// How many marked rows a command would act on, in words; `None`: it is about the row under the cursor.
    pub(super) fn marked_for(&self, command: &Command) -> Option<String> {
        let (list, marked) = self.marks_under(command)?;
        Some(list.count(marked))
    }

    /// The list whose marks a command honours, and how many there are.
    pub(super) fn marks_under(&self, command: &Command) -> Option<(ListId, usize)> {
        most(command)?;
        if command.context == "text" && self.runs_to_read().is_none() {
            return None;
        }
        // what is said of a group is not said of its marked devices
        let of_groups =
            command.context == "groups" && matches!(command.verb, Do::Ack | Do::Note | Do::EditRunbook | Do::Merge);
        let list = if of_groups { ListId::Groups } else { self.list_meant()? };
        let marked = self.look(list).map_or(0, |look| look.marks.len());
        (marked > 0).then_some((list, marked))
    }

    /// Why a command cannot be done with what is marked.
    pub(super) fn why_marks(&self, command: &Command) -> Option<String> {
        if marking(command.verb) {
            let here = self.list_below().filter(|list| list.takes_marks());
            return here.is_none().then(|| {
                "nothing is marked here: marks are made in the lists (scripts, targets, jobs, a job's devices)".into()
            });
        }
        let most = most(command)?;
        let (list, marked) = self.marks_under(command).filter(|(_, marked)| *marked > most)?;
        let all = self.key_to_unmark();
        let takes = if most == 1 { "it takes one".to_owned() } else { format!("it takes {most} at most") };
        Some(format!("{} are marked and {takes}: {all} unmarks all", list.count(marked)))
    }

    fn key_to_unmark(&self) -> String {
        self.keymap.keys_for("list", "unmark-all").into_iter().next().unwrap_or_else(|| "esc".into())
    }

    /// As [`App::list_here`], looked at through menus, palette and help.
    pub(super) fn list_below(&self) -> Option<ListId> {
        let through = |layer: &Layer| matches!(layer, Layer::Menu(_) | Layer::Palette(_) | Layer::Help(_));
        self.list_under(|layer| through(layer))
    }

    /// The scripts that commands mean.
    pub fn chosen_scripts(&self) -> Vec<&ScriptInfo> {
        let marks = &self.overview.script_look.marks;
        if marks.is_empty() {
            return self.overview.script(&self.scripts).into_iter().collect();
        }
        self.scripts.iter().filter(|script| marks.contains(&script.name)).collect()
    }

    /// The script that a command for one means: the only marked one, else the one under the cursor.
    pub fn chosen_script(&self) -> Option<&ScriptInfo> {
        match self.chosen_scripts().as_slice() {
            [only] => Some(only),
            _ => self.overview.script(&self.scripts),
        }
    }

    /// The jobs that commands mean, the newest first.
    pub fn chosen_jobs(&self) -> Vec<&JobSummary> {
        let marks = &self.overview.job_look.marks;
        if self.view != View::Overview || marks.is_empty() {
            return self.job_here().into_iter().collect();
        }
        self.jobs.iter().filter(|job| marks.contains(&job.id.to_string())).collect()
    }

    /// The marked runs of the job that is watched, as it has them.
    pub fn marked_runs(&self) -> Vec<&Run> {
        let (Some(live), Some(held)) = (&self.live, &self.held) else { return Vec::new() };
        let Some(job) = held.job.as_ref().filter(|_| held.id == live.id && !live.look.marks.is_empty()) else {
            return Vec::new();
        };
        job.runs.iter().filter(|run| live.look.marks.contains(&run.device)).collect()
    }

    /// The runs that commands mean: the marked ones, else the one that is looked at.
    pub fn chosen_runs(&self) -> Vec<&Run> {
        let marked = self.marked_runs();
        if !marked.is_empty() {
            return marked;
        }
        let run = self.live.as_ref().and_then(|live| self.held.as_ref()?.run(live.chosen));
        run.into_iter().collect()
    }

    /// Runs whose whole output is meant: the marked ones, unless a text itself is being read.
    pub(super) fn runs_to_read(&self) -> Option<Vec<u32>> {
        let reading = self.live.as_ref().is_none_or(|live| live.focus == LivePane::Tail);
        let runs: Vec<u32> = self.marked_runs().iter().map(|run| run.index).collect();
        (!reading && !runs.is_empty()).then_some(runs)
    }

    /// `3 scripts`, where rows of the list are marked.
    pub(super) fn marked_words(&self) -> Option<String> {
        let list = self.list_meant()?;
        let marked = self.look(list).map_or(0, |look| look.marks.len());
        (marked > 0).then(|| format!("{} marked", list.count(marked)))
    }

    /// The first lines of the copy menu: what is marked.
    pub(super) fn marked_to_copy(&self) -> Vec<(&'static str, String)> {
        let lines = |texts: Vec<String>| texts.join("\n");
        match self.list_meant() {
            Some(list) if self.look(list).is_none_or(|look| look.marks.is_empty()) => Vec::new(),
            Some(ListId::Scripts) => {
                vec![("marked names", lines(self.chosen_scripts().iter().map(|script| script.name.clone()).collect()))]
            }
            Some(ListId::Jobs) => {
                vec![("marked ids", lines(self.chosen_jobs().iter().map(|job| job.id.to_string()).collect()))]
            }
            Some(ListId::Targets) => vec![("marked ones", self.tree.marked())],
            Some(ListId::Devices | ListId::Members) => {
                let runs = self.marked_runs();
                vec![
                    ("marked devices", lines(runs.iter().map(|run| run.name.clone()).collect())),
                    ("marked node set", nodeset::fold(runs.iter().map(|run| run.name.as_str()))),
                    ("marked as target", exactly(runs.iter().map(|run| run.device.as_str()))),
                ]
            }
            Some(ListId::Groups) => self.marked_groups_to_copy(),
            Some(ListId::Planned | ListId::Found | ListId::Changes) | None => Vec::new(),
        }
    }
}

/// These devices and no others, as a target expression.
pub fn exactly<'a>(devices: impl Iterator<Item = &'a str>) -> String {
    let mut plain: Vec<&str> = Vec::new();
    let mut terms: Vec<String> = Vec::new();
    for id in devices {
        let (connection, name) = id.split_once(':').unwrap_or(("", id));
        if quoted(name) == name && !connection.is_empty() {
            plain.push(id);
        } else if connection.is_empty() {
            terms.push(quoted(name));
        } else {
            terms.push(format!("{connection}:{}", quoted(name)));
        }
    }
    let folded = nodeset::fold(plain);
    terms.splice(0..0, tree::parts(&folded).into_iter().map(str::to_owned));
    terms.join(" | ")
}
