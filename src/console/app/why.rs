//! Whether a command is of use just now, and if not, why: one answer for keys, the palette, the `x` menu and the
//! command line. A sentence here names what is missing, and where there is one, the way to it. Changes nothing.

use super::commands::{Command, Do};
use super::list::ListId;
use super::overview::Pane;
use super::{App, Load, View};
use crate::console::text;
use crate::model::job::JobSummary;
use crate::model::script::ScriptInfo;

impl App {
    /// `None`: it can be done. Else why not, for the place the operator is in (or came from, below a menu).
    pub fn why_not(&self, command: &Command) -> Option<String> {
        if !self.place_contexts().contains(&command.context) {
            return Some(elsewhere(command.context).into());
        }
        self.state_why(command)
    }

    /// What a launch takes from the lists must have been read; who has a script here may write the target meanwhile.
    fn why_not_begun(&self) -> Option<String> {
        let from_targets = self.overview.subject == Pane::Targets && self.tree.marked().is_empty();
        let needed = [(true, &self.library, "scripts"), (from_targets, &self.targets, "targets")];
        needed.into_iter().find_map(|(needed, load, what)| match load {
            Load::Waiting if needed => Some(format!("still reading {what}")),
            Load::Failed(why) if needed => Some(format!("the {what} could not be read: {why}")),
            _ => None,
        })
    }

    /// The same, wherever the operator is.
    pub(super) fn state_why(&self, command: &Command) -> Option<String> {
        if (command.fleet || command.verb == Do::Pause) && self.reads_only() {
            return Some(self.why_read());
        }
        if let Some(why) = self.why_marks(command) {
            return Some(why);
        }
        match command.verb {
            Do::Run if command.context == "job" => self.why_not_again(),
            Do::Run if let Some(why) = self.why_not_begun() => Some(why),
            Do::Run if self.scripts.is_empty() => Some(self.no_script()),
            Do::Run if command.context == "targets" && self.tree.look.marks.is_empty() => self.why_idle(),
            Do::Run if command.context == "scripts" && self.chosen_script().is_none() => Some(self.no_script()),
            Do::Edit | Do::EditOutside => match self.chosen_script() {
                None => Some(self.no_script()),
                Some(script) if script.path.is_some() => None,
                Some(script) if command.verb == Do::Edit && script.has_text() && script.read_only.is_none() => None,
                Some(script) => {
                    Some(self.why_not_ours(script).unwrap_or(format!("{} is not a file here", script.name)))
                }
            },
            Do::Favourite => self.chosen_scripts().is_empty().then(|| self.no_script()),
            Do::NewScript | Do::Deleted => (self.library != Load::Ready).then(|| "the library was not read yet".into()),
            Do::Ack | Do::Note if command.context == "jobs" => self.why_no_job(),
            Do::Merge | Do::Split => self.why_not_regroup(command.verb),
            Do::Window | Do::SaveGroup => {
                let none = self.triage.as_ref().is_none_or(|triage| triage.group().is_none());
                none.then(|| "no group is under the cursor".into())
            }
            Do::Ack | Do::Note | Do::EditRunbook => {
                let none = self.triage.as_ref().is_none_or(|triage| triage.chosen_groups().is_empty());
                none.then(|| "no group is under the cursor".into())
            }
            Do::OpenLink if command.context == "groups" => self.runbook_here().is_none().then(|| {
                let key = self.key_of("groups", "edit-runbook");
                format!("no runbook: {key} links the signature to one")
            }),
            Do::OpenLink => match self.chosen_script() {
                None => Some(self.no_script()),
                Some(script) if script.runbook.is_none() => {
                    Some("no runbook: a line `# @meta runbook https://…` in its header names one".into())
                }
                Some(_) => None,
            },
            Do::RenameScript | Do::DeleteScript => match self.chosen_script() {
                None => Some(self.no_script()),
                Some(script) => self.why_closed(script),
            },
            Do::Versions | Do::DiffWith => match self.chosen_script() {
                None => Some(self.no_script()),
                Some(script) if script.has_text() => None,
                Some(script) => self.why_not_ours(script),
            },
            Do::Import => self.why_not_import(),
            Do::Export | Do::Groups | Do::CompareJobs => self.why_no_job(),
            Do::Pause | Do::Approve => self.why_not_turn(command.verb),
            Do::Retry(again) => self.why_not_retry(again),
            Do::Stop => self.why_not_stop(),
            Do::LastView => self.trail.last.is_none().then(|| "there was no other view yet".into()),
            Do::NextTab | Do::PreviousTab => matches!(self.view, View::Overview | View::Editor)
                .then(|| "only a job has tabs: its devices, its groups; and its output: stdout, stderr, both".into()),
            Do::WhereUsed | Do::GoWhere => {
                self.used_here().is_none().then(|| "no device, target or script is under the cursor".into())
            }
            Do::GoGroups => self.jobs.is_empty().then(|| self.no_job()),
            Do::Open if command.context == "jobs" => self.why_no_job(),
            Do::Open if command.context == "scripts" && self.overview.focus == Pane::Scripts => {
                self.overview.branches.rows.is_empty().then(|| self.no_script())
            }
            Do::Mode => self.mode_is_fixed(),
            _ => None,
        }
    }

    /// The same for a key: the lookup has found the command in the place itself, only a dialog may be above the rest.
    pub(super) fn why_not_here(&self, command: &Command) -> Option<String> {
        if self.contexts() == self.place_contexts() { self.why_not(command) } else { None }
    }

    /// What it would touch, where that is known before its dialog opens: `219 devices`, `3 scripts`.
    pub fn touches(&self, command: &Command) -> Option<String> {
        let devices = |n: u64| (n > 0).then(|| text::number(n, "device"));
        match command.verb {
            Do::Run if command.context == "targets" && self.tree.look.marks.is_empty() => {
                let tally = self.tree.rows.get(self.overview.targets.at)?.tally;
                devices((tally.devices - tally.cannot) as u64)
            }
            Do::Run if command.context == "job" => devices(self.chosen_runs().len() as u64),
            Do::Stop => devices(self.reach().touched().into()),
            Do::Retry(_) => devices(self.retried(command.verb)?),
            _ => self.marked_for(command),
        }
    }

    /// Why no script can run on what is under the cursor.
    fn why_idle(&self) -> Option<String> {
        let row = self.tree.rows.get(self.overview.targets.at).filter(|row| row.tally.idle())?;
        let why = self.tree.members(row).into_iter().find_map(|device| device.cannot.as_deref())?;
        let (label, why) = (text::plain(&row.label), text::plain(why));
        Some(match row.tally.devices {
            1 => format!("{label} cannot run scripts: {why}"),
            n => format!("none of the {n} devices of {label} can run scripts: {why}"),
        })
    }

    fn why_not_again(&self) -> Option<String> {
        let job = self.held.as_ref().and_then(|held| held.job.as_ref());
        let Some(job) = job else { return Some("the job is still being read".into()) };
        let known = self.scripts.iter().any(|script| script.name == job.summary.script);
        (!known).then(|| format!("{} is not in the library", text::plain(&job.summary.script)))
    }

    /// The job that job commands mean.
    pub(super) fn job_here(&self) -> Option<&JobSummary> {
        let id = match self.view {
            View::Live | View::Groups => self.live.as_ref().map(|live| live.id),
            View::Overview => self.overview.job(&self.jobs).map(|job| job.id),
            View::Editor | View::Past | View::Changes => None,
        };
        let held = self.held.as_ref().filter(|held| Some(held.id) == id).and_then(|held| held.job.as_ref());
        held.map(|job| &job.summary).or_else(|| self.jobs.iter().find(|job| Some(job.id) == id))
    }

    /// Why a script of a system's own library cannot be renamed or deleted from here.
    fn why_closed(&self, script: &ScriptInfo) -> Option<String> {
        let connection = script.connection.as_ref()?;
        let shelf = self.libraries.iter().find(|shelf| shelf.connection == *connection);
        match shelf {
            Some(shelf) => {
                let why = shelf.closed.as_deref()?;
                Some(format!("{} is {connection}'s: {}", text::plain(&script.name), text::plain(why)))
            }
            None => self.why_not_ours(script),
        }
    }

    /// Why a script of a system's own library cannot be changed from here.
    fn why_not_ours(&self, script: &ScriptInfo) -> Option<String> {
        let connection = script.connection.as_ref()?;
        let why = script.read_only.as_deref().unwrap_or("which scripts it has is its own affair");
        Some(format!("{} is {connection}'s: {}", text::plain(&script.name), text::plain(why)))
    }

    fn no_script(&self) -> String {
        if let Some(why) = self.why_branch() {
            return why;
        }
        if let Some(why) = self.all_hidden(ListId::Scripts) {
            return why;
        }
        match (&self.library, self.folder.as_str()) {
            (Load::Ready, folder) if !folder.is_empty() => format!("no script yet: put one into {folder}"),
            _ => "no script yet".into(),
        }
    }

    fn why_no_job(&self) -> Option<String> {
        self.job_here().is_none().then(|| self.no_job())
    }

    /// What a verb about a job says where there is none.
    pub(super) fn no_job(&self) -> String {
        let hidden = if self.view == View::Overview { self.all_hidden(ListId::Jobs) } else { None };
        hidden.unwrap_or_else(|| "no job here yet".into())
    }

    /// All of a list is hidden: by what, and the key that shows it again. `None`: some is shown, or there is nothing.
    fn all_hidden(&self, list: ListId) -> Option<String> {
        let look = self.look(list).filter(|look| look.narrowed() && look.total > 0)?;
        let key = match look.filter.is_empty() {
            true => self.key_of("list", "only-problems"),
            false => self.key_of("global", "back"),
        };
        let one = list.word().trim_end_matches('s');
        (self.shown_of(list) == 0).then(|| format!("no {one} passes {}: {key} shows them again", look.says()))
    }
}

/// Where the commands of a context are at home.
pub(super) fn elsewhere(context: &str) -> &'static str {
    match context {
        "scripts" => "only in the scripts pane",
        "targets" => "only in the targets pane",
        "jobs" => "only in the jobs pane",
        "job" => "only while a job is watched",
        "view" => "only where an output is read as what it is",
        "groups" => "only among the groups of a job",
        "retry" => "only where a job is looked at",
        "past" => "only among what a search of past jobs found",
        "changes" => "only where two jobs are compared",
        "text" => "only where a text is shown",
        "versions" => "only in the list of versions",
        "diff" => "only where two texts are compared",
        "launch" => "only in the launch dialog",
        "dialog" => "only in a dialog",
        "help" => "only in help",
        "prompt" => "only while a line is written",
        "editor" => "only in the editor",
        _ => "not here",
    }
}
