//! What every list understands, whatever its rows are: filter, order, marks, ranges, only problems, columns, next
//! match. Finds the list that is meant, does it, and puts the rows in order again.

use super::branches;
use super::changes::Shifts;
use super::commands::Do;
use super::list::{Cursor, ListId, Look, Sort};
use super::marks::{marking, with_mark};
use super::past::Found;
use super::planned::{self, Planned};
use super::prompt::{Completion, Prompt, Purpose};
use super::triage::{TriagePane, rows::GroupRows, rows::MemberRows};
use super::{App, Layer, LivePane, Pane, View, layout, tree};
use crate::model::compare::Shift;
use crate::model::filter::{Column, Filter, Kind, Rows, Wrong};
use crate::model::past::Hit;
use crate::model::rows::{Jobs, Runs, Scripts};

impl App {
    /// The list that has the keys, or had them before a prompt opened above it.
    pub fn list_here(&self) -> Option<ListId> {
        self.list_under(|_| false)
    }

    /// The same, looked for below such layers.
    pub(super) fn list_under(&self, through: impl Fn(&Layer) -> bool) -> Option<ListId> {
        let opaque = |layer: &&Layer| match layer {
            Layer::Prompt(_) => false,
            Layer::Chooser(chooser) => !chooser.what.of_list(),
            layer => !through(layer),
        };
        match self.layers.iter().rev().find(opaque) {
            Some(Layer::Launch(launch)) if launch.devices.is_some() => return Some(ListId::Planned),
            Some(_) => return None,
            None => {}
        }
        match (self.view, self.overview.focus) {
            (View::Overview, Pane::Scripts) => Some(ListId::Scripts),
            (View::Overview, Pane::Targets) => Some(ListId::Targets),
            (View::Overview, Pane::Jobs) => Some(ListId::Jobs),
            (View::Overview, Pane::Preview) => None,
            (View::Live, _) => {
                let focus = self.live.as_ref().map(|live| live.focus);
                (focus.is_some_and(|focus| focus != LivePane::Tail)).then_some(ListId::Devices)
            }
            (View::Groups, _) => match self.triage.as_ref()?.focus {
                TriagePane::Groups => Some(ListId::Groups),
                TriagePane::Members => Some(ListId::Members),
                TriagePane::Diff => None,
            },
            (View::Past, _) => Some(ListId::Found),
            (View::Changes, _) => Some(ListId::Changes),
            (View::Editor, _) => None,
        }
    }

    pub fn look(&self, list: ListId) -> Option<&Look> {
        Some(match list {
            ListId::Scripts => &self.overview.script_look,
            ListId::Targets => &self.tree.look,
            ListId::Jobs => &self.overview.job_look,
            ListId::Devices => &self.live.as_ref()?.look,
            ListId::Groups => &self.triage.as_ref()?.look,
            ListId::Members => &self.triage.as_ref()?.members.look,
            ListId::Planned => &self.launch()?.devices.as_ref()?.look,
            ListId::Found => &self.past.as_ref()?.look,
            ListId::Changes => &self.changes.as_ref()?.look,
        })
    }

    pub(super) fn look_mut(&mut self, list: ListId) -> Option<&mut Look> {
        Some(match list {
            ListId::Scripts => &mut self.overview.script_look,
            ListId::Targets => &mut self.tree.look,
            ListId::Jobs => &mut self.overview.job_look,
            ListId::Devices => &mut self.live.as_mut()?.look,
            ListId::Groups => &mut self.triage.as_mut()?.look,
            ListId::Members => &mut self.triage.as_mut()?.members.look,
            ListId::Planned => &mut self.launch_mut()?.devices.as_mut()?.look,
            ListId::Found => &mut self.past.as_mut()?.look,
            ListId::Changes => &mut self.changes.as_mut()?.look,
        })
    }

    /// The columns that a filter of this list knows.
    pub(super) fn columns_of(&self, list: ListId) -> Vec<Column> {
        let (now, besides) = (self.now, Some(&self.besides));
        match list {
            ListId::Scripts => with_mark(Scripts { all: &[], now, besides }.columns()),
            ListId::Jobs => with_mark(Jobs { all: &[], now }.columns()),
            ListId::Devices => with_mark(Runs { all: &[], now }.columns()),
            ListId::Groups => with_mark(GroupRows::known()),
            ListId::Members => with_mark(MemberRows::known()),
            ListId::Targets => with_mark(self.tree.columns()),
            ListId::Planned => planned::columns(&self.tree),
            ListId::Found => with_mark(Found::known()),
            ListId::Changes => with_mark(Shifts::known()),
        }
    }

    /// Rows of a list as they are on screen now.
    pub fn rows_of(&self, list: ListId) -> usize {
        let panes = self.overview_panes();
        match list {
            ListId::Scripts => layout::rows(panes.scripts),
            ListId::Targets => layout::rows(panes.targets),
            ListId::Jobs => layout::rows(panes.jobs),
            ListId::Devices => layout::rows(self.live_panes().devices),
            ListId::Groups => self.triage_panes().group_rows(),
            ListId::Members => self.triage_panes().member_rows(),
            ListId::Planned => layout::inside(layout::strips(self.area).body),
            ListId::Found => layout::found_rows(self.area),
            ListId::Changes => {
                let groups = self.changes.as_ref().and_then(|changes| changes.answer.as_ref());
                layout::changes_rows(self.area, groups.map_or(0, |against| against.groups.len()))
            }
        }
    }

    pub fn overview_panes(&self) -> layout::Overview {
        layout::overview(self.area, self.overview.focus, self.overview.full, self.overview.sizes)
    }

    pub fn live_panes(&self) -> layout::Live {
        let shape = layout::Shape::of(self.held.as_ref().and_then(|held| held.job.as_ref()));
        let (focus, zoom) = self.live.as_ref().map_or_else(Default::default, |live| (live.focus, live.zoom));
        layout::live(self.area, shape, focus, zoom, self.overview.sizes)
    }

    /// How many rows (of the targets: devices) a list shows.
    pub fn shown_of(&self, list: ListId) -> usize {
        match list {
            ListId::Scripts => self.overview.script_order.len(),
            ListId::Targets => self.tree.passed,
            ListId::Jobs => self.overview.job_order.len(),
            ListId::Devices => self.live.as_ref().map_or(0, |live| live.order.len()),
            ListId::Groups => self.triage.as_ref().map_or(0, |triage| triage.order.len()),
            ListId::Members => self.triage.as_ref().map_or(0, |triage| triage.members.order.len()),
            ListId::Planned => {
                self.launch().and_then(|launch| launch.devices.as_ref()).map_or(0, |list| list.order.len())
            }
            ListId::Found => self.past.as_ref().map_or(0, |seek| seek.order.len()),
            ListId::Changes => self.changes.as_ref().map_or(0, |changes| changes.order.len()),
        }
    }

    /// Keys of the rows as shown; `None`: nothing to mark.
    fn keys_of_rows(&self, list: ListId) -> Vec<Option<String>> {
        match list {
            ListId::Scripts => {
                let name = |row: &branches::Row| match *row {
                    branches::Row::Script(at, _) => self.scripts.get(at as usize).map(|script| script.name.clone()),
                    branches::Row::System { .. } | branches::Row::Category { .. } => None,
                };
                self.overview.branches.rows.iter().map(name).collect()
            }
            ListId::Jobs => {
                self.overview.job_order.iter().map(|at| self.jobs.get(*at).map(|job| job.id.to_string())).collect()
            }
            ListId::Targets => {
                let markable = |row: &tree::Row| row.kind != tree::Kind::Heading && row.hit;
                self.tree.rows.iter().map(|row| markable(row).then(|| row.term.clone())).collect()
            }
            ListId::Devices => {
                let run = |at: &u32| self.held.as_ref()?.run(*at).map(|run| run.device.clone());
                self.live.iter().flat_map(|live| &live.order).map(run).collect()
            }
            ListId::Groups | ListId::Members => self.triage_keys(list),
            ListId::Planned | ListId::Found | ListId::Changes => vec![Some(String::new()); self.shown_of(list)],
        }
    }

    /// The rows of a list have changed, or their order: sorts and filters them again.
    pub(super) fn relist(&mut self, list: ListId) {
        if let Some(look) = self.look_mut(list) {
            look.changed();
        }
        self.sift(list);
    }

    /// Only what passes, or is marked, has changed.
    pub(super) fn sift(&mut self, list: ListId) {
        let height = self.rows_of(list);
        match list {
            ListId::Scripts => self.overview.order_scripts(&self.scripts, &self.besides, self.now, height),
            ListId::Jobs => self.overview.order_jobs(&self.jobs, self.now, height),
            ListId::Targets => {
                self.tree.now = Some(self.now);
                let on = self.overview.targets_home.clone();
                self.tree.build();
                self.stay_on(on, height);
            }
            ListId::Devices => {
                if let Some(live) = &mut self.live {
                    live.sift();
                }
            }
            ListId::Groups | ListId::Members => {
                if let Some(triage) = &mut self.triage {
                    triage.sift(list);
                }
            }
            ListId::Planned => self.list_planned(),
            ListId::Found => {
                if let Some(seek) = &mut self.past {
                    seek.sift();
                }
            }
            ListId::Changes => {
                if let Some(changes) = &mut self.changes {
                    changes.sift();
                }
            }
        }
    }

    /// The cursor of the targets goes back to the row of this path, if it is there.
    pub(super) fn stay_on(&mut self, path: Option<String>, height: usize) {
        let len = self.tree.rows.len();
        match path.and_then(|path| self.tree.rows.iter().position(|row| row.path == path)) {
            Some(at) => self.overview.targets.follow(at, len, height),
            None => self.overview.targets.put(self.overview.targets.at, len, height),
        }
        // A heading is nothing to stand on.
        let at = self.overview.targets.at;
        let heading = |row: usize| self.tree.rows.get(row).is_some_and(|row| row.kind == tree::Kind::Heading);
        if heading(at) {
            self.overview.targets.put(if at + 1 < len { at + 1 } else { at.saturating_sub(1) }, len, height);
        }
    }

    /// Where a filter hides the row that the operator chose, the first it names is meant, else the first that passes.
    fn land_on_first_hit(&mut self) {
        let chosen = self.overview.targets_home.as_ref();
        if !self.tree.look.narrowed() || self.tree.rows.iter().any(|row| Some(&row.path) == chosen) {
            return;
        }
        let (look, rows) = (&self.tree.look, &self.tree.rows);
        let passes = |row: &tree::Row| row.hit && row.kind != tree::Kind::Heading;
        let named = rows.iter().position(|row| passes(row) && look.names(&row.label));
        if let Some(at) = named.or_else(|| rows.iter().position(passes)) {
            let height = self.targets_height();
            self.overview.targets.put(at, self.tree.rows.len(), height);
        }
    }

    /// After a motion: this is the row the operator chose.
    pub(super) fn moved(&mut self, list: ListId) {
        match list {
            ListId::Scripts => {
                let overview = &self.overview;
                let branch =
                    overview.branches.rows.get(overview.scripts.at).and_then(|row| overview.branches.path_of(*row));
                let name = || overview.script(&self.scripts).map(|script| script.name.clone());
                self.overview.script_look.home = branch.or_else(name);
            }
            ListId::Jobs => {
                self.overview.job_look.home = self.overview.job(&self.jobs).map(|job| job.id.to_string());
            }
            ListId::Targets => {
                let row = self.tree.rows.get(self.overview.targets.at);
                self.overview.targets_home = row.map(|row| row.path.clone());
            }
            ListId::Groups => {
                if let Some(triage) = &mut self.triage {
                    triage.moved();
                }
            }
            ListId::Members => {
                if let Some(triage) = &mut self.triage {
                    triage.member_moved();
                }
            }
            ListId::Found => {
                if let Some(seek) = &mut self.past {
                    seek.moved();
                }
            }
            ListId::Changes => {
                if let Some(changes) = &mut self.changes {
                    changes.moved();
                }
            }
            ListId::Devices | ListId::Planned => {} // The chosen run is remembered as such.
        }
    }

    pub(super) fn set_filter(&mut self, list: ListId, text: &str) -> Result<(), Wrong> {
        let now = self.now;
        match list {
            ListId::Scripts => {
                self.overview.script_look.set_filter(text, &Scripts { all: &[], now, besides: Some(&self.besides) })?
            }
            ListId::Jobs => self.overview.job_look.set_filter(text, &Jobs { all: &[], now })?,
            ListId::Targets => {
                self.tree.now = Some(now);
                self.tree.set_filter(text)?;
                self.sift(list);
                self.land_on_first_hit();
                return Ok(());
            }
            ListId::Devices => {
                if let Some(live) = &mut self.live {
                    live.look.set_filter(text, &Runs { all: &[], now })?;
                }
            }
            ListId::Groups | ListId::Members => self.filter_triage(list, text)?,
            ListId::Planned => self.filter_planned(text)?,
            ListId::Found => {
                if let Some(seek) = &mut self.past {
                    seek.look.set_filter(text, &Found { all: &[], now })?;
                }
            }
            ListId::Changes => {
                if let Some(changes) = &mut self.changes {
                    changes.look.set_filter(text, &Shifts { all: &[] })?;
                }
            }
        }
        self.sift(list);
        Ok(())
    }

    /// Whether some word of a filter is a slip, by the rows there are.
    pub(super) fn check_filter(&self, list: ListId, filter: &Filter) -> Result<(), Wrong> {
        let now = self.now;
        let runs = self.held.as_ref().and_then(|held| held.job.as_ref()).map_or(&[][..], |job| &job.runs);
        match list {
            ListId::Scripts => filter.check(&Scripts { all: &self.scripts, now, besides: Some(&self.besides) }),
            ListId::Jobs => filter.check(&Jobs { all: &self.jobs, now }),
            ListId::Devices => filter.check(&Runs { all: runs, now }),
            ListId::Targets => filter.check(&self.tree.devices()),
            ListId::Groups | ListId::Members => self.check_triage(list, filter),
            ListId::Planned => match self.launch().and_then(|launch| launch.plan.as_ref()) {
                Some(plan) => filter.check(&Planned::new(plan, &self.tree)),
                None => Ok(()),
            },
            ListId::Found => filter.check(&Found { all: self.hits(), now }),
            ListId::Changes => filter.check(&Shifts { all: self.shifts() }),
        }
    }

    fn hits(&self) -> &[Hit] {
        self.past.as_ref().map_or(&[], |seek| &seek.hits)
    }

    fn shifts(&self) -> &[Shift] {
        self.changes.as_ref().map_or(&[], |changes| changes.shifts())
    }

    /// Sorts by a column, or by the other end of it.
    pub(super) fn sort_list(&mut self, list: ListId, sort: Sort) {
        if let Some(look) = self.look_mut(list) {
            look.sort = sort;
        }
        self.relist(list);
    }

    /// A filter is being written: it is in force at once.
    pub(super) fn filter_edited(&mut self, list: ListId, prompt: &mut Prompt) {
        let set = self.set_filter(list, prompt.text.text());
        let filter = self.look(list).map(|look| look.filter.clone()).unwrap_or_default();
        match set.and_then(|()| self.check_filter(list, &filter)) {
            Ok(()) => prompt.problem = None,
            Err(wrong) => prompt.problem = Some((Some(wrong.column), wrong.message)),
        }
    }

    /// `31 of 412, hiding 381: "web"`, for the right of the prompt.
    pub fn filter_said(&self, list: ListId) -> String {
        let Some(look) = self.look(list).filter(|look| look.narrowed()) else { return String::new() };
        format!("{}: {}", look.hiding(self.shown_of(list)), look.says())
    }

    /// Columns, and after a colon the values there are.
    pub(super) fn filter_candidates(&self, list: ListId, before: &str) -> Completion {
        let columns = self.columns_of(list);
        let names = columns.iter().map(|column| (format!("{}:", column.name), "column".to_owned()));
        let word = before.rsplit([' ', '|', '!']).next().unwrap_or_default();
        let Some(column) = word.split_once(':').and_then(|(name, _)| columns.iter().position(|c| c.is_called(name)))
        else {
            return Completion::of_word(before, &['|', '!'], names);
        };
        let now = self.now;
        if columns[column].kind == Kind::Flag {
            let either = ["yes", "no"].map(|word| (word.to_owned(), columns[column].name.to_string()));
            return Completion::of_word(before, &['|', '!', ':'], either);
        }
        let runs = self.held.as_ref().and_then(|held| held.job.as_ref()).map_or(&[][..], |job| &job.runs);
        let values = match list {
            ListId::Scripts => values(&Scripts { all: &self.scripts, now, besides: Some(&self.besides) }, column),
            ListId::Jobs => values(&Jobs { all: &self.jobs, now }, column),
            ListId::Devices => values(&Runs { all: runs, now }, column),
            ListId::Targets => values(&self.tree.devices(), column),
            ListId::Groups => self.group_rows().map_or_else(Vec::new, |rows| values(&rows, column)),
            ListId::Members => self.member_rows().map_or_else(Vec::new, |rows| values(&rows, column)),
            ListId::Planned => match self.launch().and_then(|launch| launch.plan.as_ref()) {
                Some(plan) => values(&Planned::new(plan, &self.tree), column),
                None => Vec::new(),
            },
            ListId::Found => values(&Found { all: self.hits(), now }, column),
            ListId::Changes => values(&Shifts { all: self.shifts() }, column),
        };
        Completion::of_word(before, &['|', '!', ':'], values)
    }

    /// What any list does with a verb. `true`: done.
    pub(super) fn in_list(&mut self, list: ListId, verb: Do) -> bool {
        let height = self.rows_of(list);
        match verb {
            Do::Filter => {
                let text = self.look(list).map(|look| look.text.clone()).unwrap_or_default();
                self.open_prompt(Purpose::Filter(list), &text);
            }
            Do::Sort | Do::Columns => {
                let chooser = if verb == Do::Sort { self.sorts(list) } else { self.column_choice(list) };
                self.layers.extend(chooser.map(|chooser| Layer::Chooser(Box::new(chooser))));
            }
            Do::SortReverse => {
                let sort = self.look(list).map(|look| look.sort).unwrap_or_default();
                self.sort_list(list, Sort { reverse: !sort.reverse, ..sort });
            }
            Do::OnlyProblems => {
                if let Some(look) = self.look_mut(list) {
                    look.only_problems = !look.only_problems;
                }
                self.sift(list);
            }
            Do::NextMatch | Do::PreviousMatch => self.next_match(list, verb == Do::NextMatch),
            verb if marking(verb) && !list.takes_marks() => {
                self.hint = Some(match list {
                    ListId::Planned => "no marks in this list: it shows all that the launch is on".into(),
                    _ => "no marks in this list: enter takes the row".into(),
                });
            }
            verb if marking(verb) => self.mark(list, verb, height),
            _ => return false,
        }
        true
    }

    pub(super) fn cursor_of(&self, list: ListId) -> Option<Cursor> {
        Some(match list {
            ListId::Scripts => self.overview.scripts,
            ListId::Targets => self.overview.targets,
            ListId::Jobs => self.overview.jobs,
            ListId::Devices => self.live.as_ref()?.devices,
            ListId::Groups => self.triage.as_ref()?.cursor,
            ListId::Members => self.triage.as_ref()?.members.cursor,
            ListId::Planned => self.launch()?.devices.as_ref()?.cursor,
            ListId::Found => self.past.as_ref()?.cursor,
            ListId::Changes => self.changes.as_ref()?.cursor,
        })
    }

    fn cursor_mut(&mut self, list: ListId) -> Option<&mut Cursor> {
        Some(match list {
            ListId::Scripts => &mut self.overview.scripts,
            ListId::Targets => &mut self.overview.targets,
            ListId::Jobs => &mut self.overview.jobs,
            ListId::Devices => &mut self.live.as_mut()?.devices,
            ListId::Groups => &mut self.triage.as_mut()?.cursor,
            ListId::Members => &mut self.triage.as_mut()?.members.cursor,
            ListId::Planned => &mut self.launch_mut()?.devices.as_mut()?.cursor,
            ListId::Found => &mut self.past.as_mut()?.cursor,
            ListId::Changes => &mut self.changes.as_mut()?.cursor,
        })
    }

    /// Puts the cursor of a list on a row of those shown.
    pub(super) fn put_cursor(&mut self, list: ListId, at: usize) {
        let (len, height) = (self.len_of(list), self.rows_of(list));
        let Some(cursor) = self.cursor_mut(list) else { return };
        cursor.put(at, len, height);
        cursor.touched = true;
        if let (ListId::Devices, Some(live)) = (list, &mut self.live) {
            live.moved();
        }
        self.moved(list);
    }

    /// Rows of a list as they can be walked; scripts and targets have branches too.
    pub(super) fn len_of(&self, list: ListId) -> usize {
        match list {
            ListId::Targets => self.tree.rows.len(),
            ListId::Scripts => self.overview.branches.rows.len(),
            list => self.shown_of(list),
        }
    }

    fn mark(&mut self, list: ListId, verb: Do, height: usize) {
        let keys = self.keys_of_rows(list);
        let marked = self.columns_of(list).len() - 1;
        let mut look = self.look_mut(list).map(std::mem::take).unwrap_or_default();
        if let Some(cursor) = self.cursor_mut(list) {
            look.mark(verb, &keys, cursor, height);
        }
        look.remarked(marked);
        if let Some(place) = self.look_mut(list) {
            *place = look;
        }
        if let (ListId::Devices, Some(live)) = (list, &mut self.live) {
            live.moved();
        }
        self.moved(list);
        if list == ListId::Targets {
            self.tree.sift();
        }
        self.sift(list);
    }

    /// The next row that passes the filter itself, round the end.
    fn next_match(&mut self, list: ListId, forward: bool) {
        let searching = self.look(list).is_some_and(|look| !look.filter.is_empty());
        let keys = self.keys_of_rows(list);
        let len = keys.len();
        let Some(at) = self.cursor_of(list).map(|cursor| cursor.at) else { return };
        let mut hits = (1..=len).map(|n| if forward { (at + n) % len } else { (at + len - n) % len });
        let Some(to) = hits.find(|at| keys[*at].is_some()).filter(|_| searching) else {
            self.hint = Some(if searching { "nothing passes the filter" } else { "no filter is on" }.into());
            return;
        };
        let round = if forward { to <= at } else { to >= at };
        self.put_cursor(list, to);
        self.hint = round.then(|| "round the end of the list".into());
    }

    /// `<` and `>`: the focused pane narrower or wider; what has the whole width, lower or higher.
    pub(super) fn resize_pane(&mut self, wider: bool) {
        const STEP: i16 = 3;
        const MOST: i16 = 60;
        let step = if wider { STEP } else { -STEP };
        let sizes = &mut self.overview.sizes;
        let changes: &mut [(&mut i16, i16)] =
            match (self.view, self.overview.focus, self.live.as_ref().map(|l| l.focus)) {
                (View::Live, _, Some(LivePane::Tail)) => &mut [(&mut sizes.tail, step)],
                (View::Live, _, Some(LivePane::Grid)) => &mut [(&mut sizes.devices, -step)],
                (View::Live, ..) => &mut [(&mut sizes.devices, step)],
                (View::Groups, ..) => match self.triage.as_ref().map(|triage| triage.focus) {
                    Some(TriagePane::Groups) => &mut [(&mut sizes.groups, step)],
                    Some(TriagePane::Members) => &mut [(&mut sizes.members, step)],
                    _ => &mut [(&mut sizes.members, -step)],
                },
                (_, Pane::Scripts, _) => &mut [(&mut sizes.scripts, step)],
                (_, Pane::Targets, _) => &mut [(&mut sizes.targets, step)],
                // What lies right of it gives way: the two before it share the loss.
                (_, Pane::Jobs, _) => &mut [(&mut sizes.scripts, -step), (&mut sizes.targets, -step)],
                (_, Pane::Preview, _) => &mut [(&mut sizes.preview, step)],
            };
        for (size, step) in changes {
            **size = (**size + *step).clamp(-MOST, MOST);
        }
        if let Some(live) = &mut self.live {
            live.stale();
        }
    }
}

/// Different values of a column, the frequent ones of which an operator thinks.
fn values(rows: &impl Rows, column: usize) -> Vec<(String, String)> {
    let mut counts: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::new();
    let mut room = String::new();
    for row in 0..rows.len() {
        for value in rows.text(row, column, &mut room).split_whitespace() {
            *counts.entry(value.to_owned()).or_default() += 1;
        }
    }
    let mut values: Vec<(String, usize)> = counts.into_iter().collect();
    values.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    values.into_iter().take(200).map(|(value, count)| (value, count.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Event;
    use super::super::sample::{Session, job};
    use super::*;

    fn script(session: &Session) -> &str {
        session.app.overview.script(&session.app.scripts).map_or("", |script| script.name.as_str())
    }

    #[test]
    fn a_filter_stays_on_the_chosen_row_or_means_the_first_that_passes() {
        let mut session = Session::new((80, 24), true);
        session.keys("jjj");
        assert_eq!(script(&session), "os-patch.sh");
        session.keys("/sh");
        assert_eq!(script(&session), "os-patch.sh", "it passes");
        session.keys("<C-u>s !patch");
        assert_eq!(script(&session), "disk-use.sh", "it is hidden: the first that is not");
        session.keys("<esc>");
        assert_eq!(script(&session), "os-patch.sh", "and it comes back");
    }

    #[test]
    fn of_what_passes_a_row_of_that_name_is_meant_before_one_of_which_the_word_is_said() {
        let mut session = Session::new((80, 24), true);
        session.keys("/up");
        assert_eq!(session.app.overview.script_order.len(), 2, "disk-use.sh says of file systems that they fill up");
        assert_eq!(script(&session), "uptime.ps1");
        session.keys("<C-u>fill up");
        assert_eq!(script(&session), "disk-use.sh", "no name is so: the first that passes");
    }

    #[test]
    fn jobs_that_are_read_before_the_targets_leave_the_cursor_at_the_top() {
        let mut session = Session::starting((80, 24), true);
        let targets = session.targets.clone();
        let failed = job(9, &[crate::model::state::RunState::Failed]);
        let jobs = vec![failed.summary];
        session.tell(Event::Jobs(Ok(jobs)));
        assert!(session.app.tree.rows.iter().any(|row| row.kind == tree::Kind::Heading), "what failed is a target");
        session.tell(Event::Targets(Ok(targets)));
        assert_eq!(session.app.overview.targets.at, 0);
    }

    #[test]
    fn a_job_that_comes_does_not_slip_under_the_cursor_of_who_is_in_the_pane() {
        for (keys, on) in [("", 99), ("3", 12), ("<tab><tab>", 12), ("31", 12)] {
            let mut session = Session::new((80, 24), true);
            session.keys(keys);
            let mut jobs = session.app.jobs.clone();
            jobs.insert(0, job(99, &[crate::model::state::RunState::Running]).summary);
            session.tell(Event::Jobs(Ok(jobs)));
            assert_eq!(session.app.overview.job(&session.app.jobs).map(|job| job.id), Some(on), "{keys}");
        }
    }

    #[test]
    fn in_the_tree_the_first_that_passes_is_no_heading() {
        let mut session = Session::new((80, 24), true);
        session.keys("2G/db2");
        let row = &session.app.tree.rows[session.app.overview.targets.at];
        assert!(row.hit && row.kind != tree::Kind::Heading, "{}", row.label);
        session.keys("<esc>");
        assert_eq!(
            session.app.overview.targets_home.as_deref(),
            Some(session.app.tree.rows[session.app.overview.targets.at].path.as_str())
        );
    }
}
