//! What a row of a menu, of the palette or a line of the command line comes to, and the commands that mean the same
//! wherever the operator is. Owns no list and no text; whatever changes the fleet opens its dialog, as its key does.

use super::commands::{self, Command, Do};
use super::list::{ListId, Sort};
use super::pages::Pages;
use super::palette::Palette;
use super::prompt::{Prompt, Purpose};
use super::{App, Effect, Layer, Pane, View};
use crate::model::job::JobId;
use crate::model::past::Past;
use crate::model::saved::SavedTarget;

/// Something to be done or gone to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    Command(&'static Command),
    /// Go to the script of this name.
    Script(String),
    /// Go to the group, by connection and name.
    Group(String, String),
    /// Go to the device of this id.
    Device(String),
    /// Watch the job.
    Job(JobId),
    /// Compare the groups with this job; `None`: with the one that the engine finds.
    Against(Option<JobId>),
    /// Show only these rows of a list.
    Filter(ListId, String),
    Sort(ListId, Sort),
    Theme(String),
    Keymap(String),
    /// Open the launch dialog on them.
    Run {
        script: String,
        target: String,
    },
    /// Keep a target expression.
    Keep(String),
    /// Save a target under a name.
    Save {
        target: SavedTarget,
        replace: bool,
    },
    Forget(String),
    /// Bring in the past jobs of this connection.
    Import(String),
    /// Search past jobs: as it was written, and what it means.
    Search(String, Box<Past>),
    /// Help on what says these words.
    Help(String),
    /// Go on writing it on the command line.
    Line(String),
}

/// Remembered for the palette.
const RECENT: usize = 30;

impl App {
    pub(super) fn act(&mut self, act: Act, effects: &mut Vec<Effect>) {
        if !matches!(act, Act::Line(_)) {
            self.recent.retain(|old| *old != act);
            self.recent.insert(0, act.clone());
            self.recent.truncate(RECENT);
        }
        match act {
            Act::Command(command) => match self.why_not(command) {
                Some(why) => self.hint = Some(why),
                None => self.perform(command.verb, effects),
            },
            Act::Script(name) => {
                self.close_layers();
                if self.overview.script_order.iter().any(|at| self.scripts[*at].name == name) {
                    self.go(Pane::Scripts);
                    self.show_script(&name);
                } else {
                    self.hint = Some(format!("no script is listed as {name}"));
                }
            }
            Act::Group(connection, name) => {
                let at = self.tree.targets.groups.iter().position(|g| g.connection == connection && g.name == name);
                let row = at.and_then(|at| self.tree.reveal_group(at));
                self.reveal(row, &name);
            }
            Act::Device(id) => {
                let row = self.tree.by_id.get(&id).copied().and_then(|at| self.tree.reveal_device(at));
                self.reveal(row, &id);
            }
            Act::Job(id) => {
                self.close_layers();
                self.watch(id);
            }
            Act::Against(base) => {
                if let Some(triage) = &mut self.triage {
                    triage.compare_with(base);
                }
            }
            Act::Run { script, target } => self.run_on(&script, &target),
            Act::Keep(expr) => {
                self.close_layers();
                self.go(Pane::Targets);
                self.keep_expression(&Prompt::new(Purpose::Target, &expr), effects);
            }
            Act::Save { target, replace } => effects.push(Effect::SaveTarget { target, replace }),
            Act::Search(words, asked) => self.seek(words, None, *asked, effects),
            Act::Import(connection) => self.bring_in(Some(&connection), effects),
            Act::Forget(name) => effects.push(Effect::ForgetTarget(name)),
            Act::Line(line) => self.open_prompt(Purpose::Command, &line),
            Act::Help(words) => {
                self.perform(Do::Help, effects);
                if let Some(Layer::Help(help)) = self.layers.last_mut() {
                    help.filter.paste(&words);
                    help.find(&self.keymap);
                }
            }
            Act::Filter(list, text) => {
                // What cannot be read was refused before.
                if self.set_filter(list, &text).is_ok() {
                    self.hint = Some(self.filter_said(list));
                }
            }
            Act::Sort(list, sort) => {
                self.sort_list(list, sort);
                self.hint = Some(format!("{} by {}", list.word(), self.sorted_by(list)));
            }
            Act::Theme(name) => self.choose_theme(&name, effects),
            Act::Keymap(name) => self.choose_keymap(&name, effects),
        }
    }

    /// The launch dialog, filled in.
    fn run_on(&mut self, script: &str, target: &str) {
        let run = commands::find(&["scripts"], "run");
        match run.and_then(|run| self.state_why(run)) {
            Some(why) => self.hint = Some(why),
            None => {
                self.close_layers();
                self.launch_dialog(Some(script.to_owned()), target);
            }
        }
    }

    fn reveal(&mut self, row: Option<usize>, name: &str) {
        self.close_layers();
        let Some(row) = row else {
            self.hint = Some(format!("{name} is not among the targets now"));
            return;
        };
        self.go(Pane::Targets);
        self.overview.targets.put(row, self.tree.rows.len(), self.targets_height());
        self.moved(ListId::Targets);
    }

    /// Commands that mean the same above every view and dialog. `true`: done.
    pub(super) fn anywhere(&mut self, verb: Do, effects: &mut Vec<Effect>) -> bool {
        match verb {
            Do::Palette if !matches!(self.layers.last(), Some(Layer::Palette(_))) => {
                let mut palette = Palette::default();
                self.find_in(&mut palette);
                self.layers.push(Layer::Palette(Box::new(palette)));
            }
            Do::Actions if !matches!(self.layers.last(), Some(Layer::Menu(_))) => {
                let menu = self.menu();
                self.layers.push(Layer::Menu(menu));
            }
            Do::CommandLine if !matches!(self.layers.last(), Some(Layer::Prompt(_))) => {
                self.open_prompt(Purpose::Command, "");
            }
            Do::Mode if !matches!(self.layers.last(), Some(Layer::Write(_))) => self.turn_mode(),
            Do::GoSearch => self.open_seek(""),
            Do::GoWhere => {
                self.close_layers();
                self.where_used(effects);
            }
            Do::Themes => self.open_themes(),
            Do::Keymaps => self.open_keymaps(),
            Do::Refresh => self.reload(effects),
            Do::Audit => self.open_audit(effects),
            Do::Import => self.bring_in(None, effects),
            Do::GoScripts | Do::GoTargets | Do::GoJobs | Do::GoHistory | Do::GoGroups | Do::GoLog | Do::LastView => {
                self.close_layers();
                match verb {
                    Do::GoScripts => self.go(Pane::Scripts),
                    Do::GoTargets => self.go(Pane::Targets),
                    Do::GoJobs => self.go(Pane::Jobs),
                    Do::GoHistory => {
                        self.go(Pane::Jobs);
                        self.overview.full = true;
                    }
                    Do::GoGroups => self.open_groups(),
                    Do::GoLog => self.open_log(),
                    _ => self.last_view(),
                }
            }
            _ => return false,
        }
        true
    }

    fn open_audit(&mut self, effects: &mut Vec<Effect>) {
        self.pipes += 1;
        effects.push(Effect::ReadAudit { serial: self.pipes });
        self.layers.push(Layer::Pages(Box::new(Pages::new(self.pipes, "quarterdeck audit"))));
    }

    pub(super) fn go(&mut self, pane: Pane) {
        self.view = View::Overview;
        self.overview.focus(pane);
    }

    /// Out of every dialog; what was typed into one is kept.
    pub(super) fn close_layers(&mut self) {
        while let Some(layer) = self.layers.pop() {
            self.shelve(layer);
        }
    }
}
