//! What each command does. Every failure is said on screen; nothing here sends anything to a device except the
//! armed buttons of the launch and stop dialogs.

use jiff::SignedDuration;

use super::begun::Begun;
use super::commands::Do;
use super::help::Help;
use super::launch::Launch;
use super::layers::Next;
use super::list::{ListId, Look};
use super::live::LivePane;
use super::prompt::{Prompt, Purpose};
use super::stop::Stop;
use super::tree::Kind;
use super::{App, Effect, Layer, Link, Pane, View, layout, marks};
use crate::console::text;
use crate::model::job::JobId;
use crate::model::rollout::How;

impl App {
    pub(super) fn perform(&mut self, verb: Do, effects: &mut Vec<Effect>) {
        if verb != Do::Interrupt {
            self.interrupted = None;
        }
        match verb {
            Do::Suspend => effects.push(Effect::Suspend),
            Do::Redraw => effects.push(Effect::Redraw),
            Do::Mouse => self.turn_mouse(effects),
            Do::Quit => self.leave_console(effects),
            Do::Interrupt => self.interrupt(effects),
            verb if self.anywhere(verb, effects) => {}
            verb if self.in_planned(verb) => {}
            verb if self.reads() && self.read(verb, effects) => {}
            _ => match self.layers.pop() {
                Some(mut layer) => match self.in_layer(&mut layer, verb, effects) {
                    Next::Stay => self.layers.push(layer),
                    Next::Above(above) => self.layers.extend([layer, *above]),
                    Next::Act(act) => self.act(act, effects),
                    Next::Close => self.shelve(layer),
                },
                None => self.in_view(verb, effects),
            },
        }
    }

    /// `^c`: out of whatever takes text; the second within two seconds leaves the console.
    fn interrupt(&mut self, effects: &mut Vec<Effect>) {
        let soon = self.interrupted.is_some_and(|at| self.now.duration_since(at) <= SignedDuration::from_secs(2));
        if soon {
            self.leave_console(effects);
            return;
        }
        self.interrupted = Some(self.now);
        if let Some(Layer::Pages(pages)) = self.layers.last()
            && pages.ended.is_none()
            && !pages.reads
        {
            effects.push(Effect::StopPipe(pages.serial));
            self.hint = Some("the command is being stopped; what it printed stays".into());
            return;
        }
        match self.layers.pop() {
            Some(Layer::Prompt(prompt)) => self.prompt_cancelled(&prompt),
            Some(layer) => self.shelve(layer),
            None => self.close_bar(),
        }
        self.pending.clear();
        self.hint = Some("^c again within 2 s leaves the console; jobs go on".into());
    }

    fn in_view(&mut self, verb: Do, effects: &mut Vec<Effect>) {
        match verb {
            Do::Help => {
                let help = Help::new(self.view_contexts(), &self.keymap);
                self.layers.push(Layer::Help(help));
            }
            Do::Copy => self.open_copy(),
            Do::Export => self.open_export(),
            Do::OpenLink => {
                let script = || self.chosen_script().and_then(|script| script.runbook.clone());
                if let Some(link) = if self.view == View::Groups { self.runbook_here() } else { script() } {
                    // there is no browser at the far end of an SSH session: the terminal can open it, or paste it
                    self.hint = Some(format!("runbook {}  (copied through the terminal)", text::plain(&link)));
                    effects.push(Effect::Copy(link));
                }
            }
            verb => match self.view {
                View::Overview => self.in_overview(verb, effects),
                View::Live => self.in_live(verb, effects),
                View::Groups => self.in_triage(verb, effects),
                View::Past => self.in_past(verb, effects),
                View::Changes => self.in_changes(verb, effects),
                View::Editor => self.in_editor(verb, effects),
            },
        }
    }

    /// Everything again.
    pub(super) fn reload(&mut self, effects: &mut Vec<Effect>) {
        if self.link != Link::Attached {
            self.hint =
                Some("no engine to ask; it is looked for every few seconds, and then everything is read".into());
            return;
        }
        self.asked.jobs = true;
        effects.extend([Effect::LoadJobs, Effect::LoadRemarks]);
        self.ask_library(effects);
        self.ask_targets(effects);
        if let Some(held) = &self.held
            && self.asked.job.is_none()
        {
            self.asked.job = Some(held.id);
            effects.push(Effect::LoadJob(held.id));
        }
        if let Some(live) = &mut self.live {
            live.tail.reset();
        }
        if let Some(triage) = &mut self.triage {
            triage.reset();
        }
        if let Some(changes) = &mut self.changes {
            changes.again();
        }
        self.seek_again(effects);
    }

    pub(super) fn targets_height(&self) -> usize {
        layout::rows(self.overview_panes().targets)
    }

    fn in_overview(&mut self, verb: Do, effects: &mut Vec<Effect>) {
        let panes = self.overview_panes();
        let focus = self.overview.focus;
        match verb {
            Do::QuitOrBack if self.close_pane() => {}
            Do::Back if self.step_back() => {}
            Do::QuitOrBack => self.leave_console(effects),
            Do::Back => self.hint = Some(format!("this is the top; {} quits", self.key_of("global", "quit-or-back"))),
            Do::NextPane | Do::PreviousPane => {
                self.overview.next_pane(verb == Do::NextPane);
                self.hold_job();
            }
            Do::Pane(n) => match n {
                1 => self.overview.focus(Pane::Scripts),
                2 => self.overview.focus(Pane::Targets),
                3 => {
                    self.overview.focus(Pane::Jobs);
                    self.hold_job();
                }
                0 | 4 => self.overview.focus(Pane::Preview),
                n => self.hint = Some(format!("there is no pane {n} here: 1 to 4, 0 is the large one")),
            },
            Do::Narrow | Do::Widen => self.resize_pane(verb == Do::Widen),
            Do::ZoomPane => self.overview.full = !self.overview.full,
            Do::Stop => self.open_stop(),
            Do::Pause => self.pause_or_ask(effects),
            Do::Approve => self.ask_approval(),
            Do::Retry(again) => self.open_retry(again),
            Do::Groups => self.open_groups(),
            Do::Run => self.open_launch(),
            Do::WhereUsed => self.where_used(effects),
            Do::CompareJobs => self.compare_jobs(),
            Do::Ack => self.acknowledge_jobs(effects),
            Do::Note => self.note_jobs(),
            Do::Favourite => self.turn_favourites(),
            verb if self.overview.subject == Pane::Scripts && self.open_files(verb, effects) => {}
            verb if self.list_here().is_some_and(|list| self.in_list(list, verb)) => {}
            _ => match focus {
                Pane::Scripts => {
                    let height = layout::rows(panes.scripts);
                    let len = self.overview.branches.rows.len();
                    match verb {
                        Do::Open if self.turn_branch() => {}
                        Do::Collapse if self.close_branch(height) => {}
                        Do::Expand if self.open_branch() => {}
                        Do::Open => {
                            self.overview.focus(Pane::Preview);
                            self.overview.full = true;
                        }
                        Do::Edit => self.edit_here(effects),
                        Do::EditOutside => self.open_editor(effects),
                        verb if self.overview.scripts.go(verb, len, height) => {
                            self.moved(ListId::Scripts);
                            (self.overview.preview, self.overview.left) = (0, 0);
                        }
                        _ => self.nothing(),
                    }
                }
                Pane::Targets => self.in_targets(verb, layout::rows(panes.targets)),
                Pane::Jobs => {
                    let height = layout::rows(panes.jobs);
                    let on = self.overview.job(&self.jobs).map(|job| job.id);
                    match verb {
                        Do::Open => match on {
                            Some(id) => self.watch(id),
                            None => self.hint = Some(self.no_job()),
                        },
                        verb if self.overview.jobs.go(verb, self.overview.job_order.len(), height) => {
                            self.moved(ListId::Jobs);
                        }
                        _ => self.nothing(),
                    }
                }
                Pane::Preview if verb == Do::Edit => self.edit_here(effects),
                Pane::Preview if verb == Do::EditOutside => self.open_editor(effects),
                Pane::Preview if verb == Do::Open && self.overview.subject == Pane::Jobs => {
                    if let Some(id) = self.overview.job(&self.jobs).map(|job| job.id) {
                        self.watch(id);
                    }
                }
                Pane::Preview => self.in_preview(verb, panes.preview.map_or(1, layout::inside)),
            },
        }
    }

    pub(super) fn nothing(&mut self) {
        self.hint = Some("that means nothing here".into());
    }

    /// One level back within the overview. `false`: this is the top.
    fn step_back(&mut self) -> bool {
        if self.overview.search.take().is_some() {
            return true;
        }
        if self.close_pane() {
            return true;
        }
        if self.notices.dismiss() {
            return true;
        }
        let Some(list) = self.list_here() else { return false };
        let stepped = self.look_mut(list).is_some_and(Look::step_back);
        if stepped {
            if list == ListId::Targets {
                self.tree.sift();
            }
            self.relist(list);
        }
        stepped
    }

    /// Who goes to the jobs means the one under the cursor: another that comes meanwhile does not slip in its place.
    fn hold_job(&mut self) {
        if self.overview.focus == Pane::Jobs
            && let Some(job) = self.overview.job(&self.jobs)
        {
            self.overview.job_look.home = Some(job.id.to_string());
            self.overview.jobs.touched = true;
        }
    }

    /// Out of a full screen, out of the preview.
    fn close_pane(&mut self) -> bool {
        if std::mem::take(&mut self.overview.full) {
            if self.overview.focus == Pane::Preview {
                self.overview.focus = self.overview.subject;
            }
            return true;
        }
        if self.overview.focus == Pane::Preview {
            self.overview.focus = self.overview.subject;
            return true;
        }
        false
    }

    fn in_targets(&mut self, verb: Do, height: usize) {
        let Some(row) = self.tree.rows.get(self.overview.targets.at).cloned() else {
            if verb == Do::EditExpression {
                self.open_prompt(Purpose::Target, "");
            }
            return;
        };
        match verb {
            Do::Open => match row.open {
                Some(_) => self.tree.turn(&row.path),
                None => self.overview.focus(Pane::Preview),
            },
            Do::Expand => {
                if row.open == Some(false) {
                    self.tree.turn(&row.path);
                }
            }
            Do::Collapse => {
                if row.open == Some(true) {
                    self.tree.turn(&row.path);
                } else {
                    // To the row it hangs on.
                    let parent = self.tree.rows[..self.overview.targets.at]
                        .iter()
                        .rposition(|above| above.depth < row.depth && above.kind != Kind::Heading);
                    if let Some(parent) = parent {
                        self.overview.targets.put(parent, self.tree.rows.len(), height);
                    }
                }
            }
            Do::EditExpression => {
                let (text, replaces) = match row.kind {
                    // the engine's own are changed by the word that saved them
                    Kind::Saved(at) if self.tree.saved[at].named.is_some() => {
                        let saved = &self.tree.saved[at];
                        let name = saved.expr.trim_start_matches('@');
                        let line = format!("target replace {name} {}", saved.named.as_deref().unwrap_or_default());
                        return self.open_prompt(Purpose::Command, &line);
                    }
                    Kind::Saved(at) if self.tree.saved[at].failed.is_some() => (row.term.clone(), None),
                    Kind::Saved(at) => {
                        let expr = self.tree.saved[at].expr.clone();
                        (expr.clone(), Some(expr))
                    }
                    _ if !self.tree.look.marks.is_empty() => (self.tree.marked(), None),
                    _ => (row.term.clone(), None),
                };
                let mut prompt = Prompt::new(Purpose::Target, &text);
                prompt.expression.replaces = replaces;
                self.open(prompt);
            }
            verb if self.overview.targets.go(verb, self.tree.rows.len(), height) => {
                // A heading is nothing to stand on.
                if self.tree.rows.get(self.overview.targets.at).is_some_and(|row| row.kind == Kind::Heading) {
                    let back = matches!(verb, Do::Up | Do::HalfUp | Do::PageUp);
                    self.overview.targets.go(if back { Do::Up } else { Do::Down }, self.tree.rows.len(), height);
                }
                (self.overview.preview, self.overview.left) = (0, 0);
            }
            _ => self.nothing(),
        }
        self.overview.targets.put(self.overview.targets.at, self.tree.rows.len(), height);
        self.moved(ListId::Targets);
    }

    fn in_preview(&mut self, verb: Do, height: usize) {
        let len = match self.overview.subject {
            Pane::Scripts => self.source.as_ref().map_or(0, |source| source.lines.len()),
            Pane::Jobs => self.held.as_ref().and_then(|held| held.job.as_ref()).map_or(0, |job| job.runs.len()),
            _ => self.tree.rows.get(self.overview.targets.at).map_or(0, |row| row.tally.devices),
        };
        let most = len.saturating_sub(height / 2);
        let top = &mut self.overview.preview;
        match verb {
            Do::Down => *top += 1,
            Do::Up => *top = top.saturating_sub(1),
            Do::HalfDown => *top += (height / 2).max(1),
            Do::HalfUp => *top = top.saturating_sub((height / 2).max(1)),
            Do::PageDown => *top += height,
            Do::PageUp => *top = top.saturating_sub(height),
            Do::First => *top = 0,
            Do::Last => *top = len.saturating_sub(height),
            Do::Expand => self.overview.left += 8,
            Do::Collapse => self.overview.left = self.overview.left.saturating_sub(8),
            Do::Open => self.overview.full = !self.overview.full,
            Do::Wrap => self.overview.wrap = !self.overview.wrap,
            _ => return self.nothing(),
        }
        self.overview.preview = self.overview.preview.min(most);
    }

    /// Looks at a job.
    pub(super) fn watch(&mut self, id: JobId) {
        if self.live.as_ref().is_none_or(|live| live.id != id) {
            self.live = Some(self.new_live(id));
        }
        self.view = View::Live;
    }

    fn in_live(&mut self, verb: Do, effects: &mut Vec<Effect>) {
        match verb {
            Do::Stop => return self.open_stop(),
            Do::Pause => return self.pause_or_ask(effects),
            Do::Approve => return self.ask_approval(),
            Do::Retry(again) => return self.open_retry(again),
            Do::Groups => return self.open_groups(),
            Do::Run => return self.open_launch_again(),
            _ => {}
        }
        let Some(live) = &mut self.live else {
            self.view = View::Overview;
            return;
        };
        let shape = layout::Shape::of(self.held.as_ref().and_then(|held| held.job.as_ref()));
        let sizes = self.overview.sizes;
        let panes = layout::live(self.area, shape, live.focus, live.zoom, sizes);
        let grid = layout::live(self.area, shape, LivePane::Devices, false, sizes).grid.is_some();
        match verb {
            Do::Back | Do::QuitOrBack => {
                if live.tail.frozen.is_some() && verb == Do::Back {
                    live.tail.freeze();
                    live.stale();
                } else if verb == Do::Back && live.focus != LivePane::Tail && live.look.step_back() {
                    live.stale();
                } else if (verb == Do::Back && self.leave_reading())
                    || self.live.as_mut().is_some_and(|live| std::mem::take(&mut live.zoom))
                {
                    // one level is enough
                } else {
                    self.leave_view();
                }
            }
            Do::NextPane => live.next_pane(true, grid),
            Do::PreviousPane => live.next_pane(false, grid),
            Do::Pane(1) if grid => live.focus = LivePane::Grid,
            Do::Pane(1 | 2) => live.focus = LivePane::Devices,
            Do::Pane(_) => live.focus = LivePane::Tail,
            Do::Open if live.focus == LivePane::Grid => live.focus = LivePane::Devices,
            Do::Open if live.focus == LivePane::Devices => {
                live.focus = LivePane::Tail;
                live.zoom = true;
            }
            Do::Open | Do::ZoomPane => live.zoom = !live.zoom,
            Do::Follow => live.tail.set_follow(!live.tail.follow),
            Do::Freeze => {
                live.tail.freeze();
                live.stale();
            }
            Do::OneOrAll => live.one_or_all(),
            Do::GridBy => self.next_grid(),
            Do::Wrap => live.tail.wrap = !live.tail.wrap,
            Do::Timestamps => live.tail.times = !live.tail.times,
            // beside the devices the next tab is the groups; the output has streams
            Do::NextTab if live.focus != LivePane::Tail => self.open_groups(),
            Do::NextTab => live.next_stream(true),
            Do::PreviousTab => live.next_stream(false),
            verb if live.go(verb, layout::rows(panes.devices)) => {}
            Do::Narrow | Do::Widen => self.resize_pane(verb == Do::Widen),
            verb if self.in_list(ListId::Devices, verb) => {}
            _ => self.nothing(),
        }
    }

    pub(super) fn open_stop(&mut self) {
        let (jobs, runs) = (self.chosen_jobs(), self.marked_runs());
        let (reach, most) = (self.reach(), self.threshold());
        let stop = match (self.view, jobs.as_slice()) {
            (_, []) => return,
            (View::Live | View::Groups, [job]) if !runs.is_empty() => Stop::of_runs(job, &runs, reach, most),
            (_, jobs) => Stop::new(jobs, reach, most),
        };
        self.layers.push(Layer::Stop(stop));
    }

    /// The script of the job that is watched once more, on the marked devices, else on the one that is looked at.
    fn open_launch_again(&mut self) {
        let Some(job) = self.held.as_ref().and_then(|held| held.job.as_ref()) else { return };
        let target = marks::exactly(self.chosen_runs().into_iter().map(|run| run.device.as_str()));
        let (script, params, options) = (job.summary.script.clone(), job.params.clone(), job.options.clone());
        let begun = Begun { script: Some(script.clone()), target: target.clone(), of: Some(job.summary.id) };
        // which devices go first was said of all of them
        let how = How { canary: None, spread: Vec::new(), ..job.rollout.how.clone() };
        self.begin_launch(begun, |app| {
            let mut launch = Launch::new(&app.scripts, Some(&script), &target);
            launch.fill(&params);
            launch.put_options(&options);
            launch.put_how(&how);
            launch
        });
    }

    fn open_launch(&mut self) {
        let mut target = self.tree.marked();
        let mut script = self.chosen_script().map(|script| script.name.clone());
        if self.overview.subject == Pane::Targets {
            if target.is_empty()
                && let Some(row) = self.tree.rows.get(self.overview.targets.at)
            {
                target = match row.kind {
                    Kind::Saved(at) => self.tree.saved[at].expr.clone(),
                    _ => row.term.clone(),
                };
            }
            // The script is only given if it was chosen.
            let chosen = self.overview.scripts.touched || !self.overview.script_look.marks.is_empty();
            script = script.filter(|_| chosen);
        }
        self.launch_dialog(script, &target);
    }

    fn open_editor(&mut self, effects: &mut Vec<Effect>) {
        let path = self.chosen_script().and_then(|script| script.path.clone());
        effects.extend(path.map(Effect::OpenEditor));
    }
}
