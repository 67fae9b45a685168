//! What the commands do in a dialog: launch, stop, help, copy menu, notices, expression. Here, on the armed buttons
//! of two of them, is all that ever reaches a device.

use super::act::Act;
use super::commands::Do;
use super::form::Input;
use super::help::{self, CopyMenu, Help};
use super::launch::{At, Launch, Slot};
use super::marks::marking;
use super::planned::DeviceList;
use super::prompt::Prompt;
use super::stop::{self, Stop};
use super::tree::{Kind, Saved};
use super::{App, Effect, Layer, Pane, View, layout};
use crate::console::text;
use crate::model::nodeset;

/// A launch dialog was closed without launching.
const LEFT: &str = "nothing was sent; what was typed is kept";

/// What becomes of a layer after a command.
pub(super) enum Next {
    Stay,
    Close,
    /// Another one opens above it.
    Above(Box<Layer>),
    /// It closes, and this is done in what is below.
    Act(Act),
}

impl Next {
    pub(super) const fn stay(stays: bool) -> Self {
        if stays { Next::Stay } else { Next::Close }
    }
}

/// Expressions kept at most.
const KEPT: usize = 30;

/// In the copy menu: all of the text, which has to be asked for first.
const WHOLE: &str = "whole output";

impl App {
    /// A closed layer. What was typed into a launch dialog is kept: esc may be half of an arrow key.
    pub(super) fn shelve(&mut self, layer: Layer) {
        match layer {
            Layer::Launch(launch) if !launch.sent => self.leave_launch(*launch),
            Layer::Chooser(chooser) => self.chooser_closed(&chooser),
            _ => {}
        }
    }

    pub(super) fn in_layer(&mut self, layer: &mut Layer, verb: Do, effects: &mut Vec<Effect>) -> Next {
        let page = layout::inside(layout::strips(self.area).body);
        let out = matches!(verb, Do::Cancel | Do::Back | Do::QuitOrBack);
        if marking(verb) && !matches!(layer, Layer::Chooser(_)) {
            self.hint = Some("no marks in this list: enter takes the row".into());
            return Next::Stay;
        }
        match layer {
            Layer::Help(_) => {}
            Layer::Launch(_) if verb == Do::Help => {
                return Next::Above(Box::new(Layer::Help(Help::new(&["launch", "dialog", "global"], &self.keymap))));
            }
            Layer::Prompt(_) if verb == Do::Help => {
                return Next::Above(Box::new(Layer::Help(Help::new(&["prompt", "global"], &self.keymap))));
            }
            _ if verb == Do::Help => {
                return Next::Above(Box::new(Layer::Help(Help::new(&["dialog", "list", "global"], &self.keymap))));
            }
            _ => {}
        }
        match layer {
            Layer::Launch(launch) => self.in_launch(launch, verb, effects),
            Layer::Stop(stop) => Next::stay(self.in_stop(stop, verb, effects)),
            Layer::Help(help) => {
                match verb {
                    _ if out => return Next::Close,
                    Do::Accept | Do::Open => {
                        let command = help.rows.get(help.cursor.at).map(|row| row.command);
                        return command.map_or(Next::Stay, |command| Next::Act(Act::Command(command)));
                    }
                    Do::NextField => help.section(true),
                    Do::PreviousField => help.section(false),
                    Do::CopyLine => {
                        if let Some(line) = help.rows.get(help.cursor.at).map(help::Row::line) {
                            self.copy("line", line, effects);
                        }
                    }
                    Do::Report => self.report(effects),
                    Do::Help => {
                        help.all = !help.all;
                        help.find(&self.keymap);
                    }
                    verb => drop(help.cursor.go(verb, help.rows.len(), page)),
                }
                Next::Stay
            }
            Layer::Copy(menu) => match verb {
                Do::Accept | Do::Open => {
                    match menu.items.get(menu.cursor.at) {
                        Some((what, _)) if *what == WHOLE => effects.extend(self.feed().map(Effect::CopyText)),
                        Some((what, text)) => self.copy(what, text.clone(), effects),
                        None => {}
                    }
                    Next::Close
                }
                verb => {
                    menu.cursor.go(verb, menu.items.len(), menu.items.len());
                    Next::stay(!out && verb != Do::Copy)
                }
            },
            Layer::Chooser(chooser) => self.in_chooser(chooser, verb, effects),
            Layer::Menu(menu) => self.in_menu(menu, verb),
            Layer::Palette(palette) => self.in_palette(palette, verb),
            Layer::Write(ask) => Next::stay(self.in_ask_write(ask, verb)),
            Layer::Editor(ask) => match verb {
                Do::Accept | Do::Open => {
                    if let Some(comparison) = self.compare_asked(ask, effects) {
                        return Next::Above(Box::new(comparison));
                    }
                    self.answer(ask, effects);
                    Next::Close
                }
                Do::NextField | Do::PreviousField => {
                    let verb = if verb == Do::NextField { Do::Down } else { Do::Up };
                    ask.cursor.go(verb, ask.picks.len(), ask.picks.len());
                    Next::Stay
                }
                verb => {
                    ask.cursor.go(verb, ask.picks.len(), ask.picks.len());
                    Next::stay(!out)
                }
            },
            Layer::Log(log) => self.in_log(log, verb),
            Layer::Diff(view) => self.in_diff(view, verb, effects),
            Layer::Files(files) => self.in_files(files, verb, effects),
            Layer::Pages(pages) => Next::stay(self.in_pages(pages, verb, effects)),
            Layer::Prompt(prompt) => self.in_prompt(prompt, verb, effects),
            Layer::Template(ask) => self.in_template(ask, verb, effects),
            Layer::Hold(ask) => self.in_hold(ask, verb, effects),
            Layer::Export(export) => self.in_export(export, verb, effects),
            Layer::Regroup(dialog) => self.in_regroup(dialog, verb, effects),
            Layer::Window(window) => self.in_window(window, verb),
        }
    }

    pub(super) fn copy(&mut self, what: &str, text: String, effects: &mut Vec<Effect>) {
        self.hint = Some(format!("copied the {what} through the terminal (OSC 52)"));
        effects.push(Effect::Copy(text));
    }

    pub(super) fn keep_expression(&mut self, prompt: &Prompt, effects: &mut Vec<Effect>) {
        let expr = prompt.text.text().trim().to_owned();
        let saved = &mut self.tree.saved;
        saved.retain(|saved| {
            !saved.is_own() || (Some(&saved.expr) != prompt.expression.replaces.as_ref() && saved.expr != expr)
        });
        if !expr.is_empty() {
            saved.insert(0, Saved::own(expr.clone()));
            let mut own = 0;
            saved.retain(|saved| {
                own += usize::from(saved.is_own());
                !saved.is_own() || own <= KEPT
            });
        }
        let own = saved.iter().filter(|saved| saved.is_own());
        effects.push(Effect::SaveExpressions(own.map(|saved| saved.expr.clone()).collect()));
        self.tree.build();
        let height = self.targets_height();
        let row = self.tree.rows.iter().position(|row| matches!(row.kind, Kind::Saved(0)));
        if let (Some(row), false) = (row, expr.is_empty()) {
            self.overview.targets.put(row, self.tree.rows.len(), height);
        }
    }

    fn in_launch(&mut self, launch: &mut Launch, verb: Do, effects: &mut Vec<Effect>) -> Next {
        if launch.sent {
            // On its way: the answer closes the dialog.
            return Next::stay(!matches!(verb, Do::Cancel | Do::Back | Do::QuitOrBack));
        }
        if launch.picker.is_some() {
            match verb {
                Do::Accept | Do::Open => {
                    let picked = launch.pick();
                    if let Some(slot) = &picked {
                        self.chosen_in(launch, slot);
                    }
                    // (a form that was filled in has its cursor where something is missing)
                    if picked != Some(Slot::Template) {
                        launch.next(true);
                    }
                }
                Do::Cancel | Do::Back | Do::QuitOrBack => launch.picker = None,
                verb => {
                    if let Some((_, picker)) = &mut launch.picker {
                        let page = usize::from(layout::chooser_rows(self.area, picker).height);
                        picker.go(verb, page);
                    }
                }
            }
            return Next::Stay;
        }
        if let Some(lines) = launch.open_lines() {
            lines.open = false;
            if matches!(verb, Do::Cancel | Do::Back | Do::QuitOrBack) {
                return Next::Stay;
            }
        }
        match verb {
            Do::Cancel | Do::Back | Do::QuitOrBack if std::mem::take(&mut launch.alone) => {}
            Do::Cancel | Do::Back | Do::QuitOrBack => {
                self.hint = Some(LEFT.into());
                return Next::Close;
            }
            Do::SaveTemplate => return Next::Above(Box::new(self.open_save_template(launch))),
            Do::ForgetTemplate => {
                return self.ask_forget(launch).map_or(Next::Stay, |ask| Next::Above(Box::new(ask)));
            }
            Do::DryRun => self.turn_dry(launch),
            Do::Accept | Do::Open if launch.at == At::DryRun => self.turn_dry(launch),
            Do::Accept | Do::Open if launch.at == At::Save => {
                return Next::Above(Box::new(self.open_save_template(launch)));
            }
            Do::NextField | Do::Down => launch.step(true),
            Do::PreviousField | Do::Up => launch.step(false),
            Do::Block(block) => launch.jump(block),
            Do::DeviceList => {
                if launch.plan.is_some() {
                    launch.devices = Some(DeviceList::default());
                } else {
                    self.hint = Some("no devices yet: the target is not resolved".into());
                }
            }
            Do::CopyCommand => self.copy("command line", launch.command_line(), effects),
            Do::Toggle => {
                if let Some(field) = launch.focused()
                    && field.input.cycle(true)
                {
                    self.changed(launch);
                }
            }
            Do::Accept | Do::Open => return Next::stay(self.accept(launch, effects)),
            _ => {}
        }
        Next::Stay
    }

    /// By the argument with which the script changes nothing, or for real again: another plan either way.
    fn turn_dry(&mut self, launch: &mut Launch) {
        match launch.info.as_ref().map(|info| info.dry_run.clone()) {
            Some(Some(argument)) => {
                launch.dry_run = !launch.dry_run;
                launch.edited();
                self.hint = Some(match launch.dry_run {
                    true => format!("dry run: the script is given {}", text::plain(&argument)),
                    false => "for real again: what the script changes, it changes".to_owned(),
                });
            }
            Some(None) => {
                self.hint = Some(
                    "its header names no dry run (`# @meta dry-run --dry-run`); until you arm, nothing is sent".into(),
                );
            }
            None => self.hint = Some("choose a script first".into()),
        }
    }

    /// A choice or flag of the form changed.
    fn changed(&mut self, launch: &mut Launch) {
        if let Some(slot) = launch.focused().map(|field| field.slot.clone()) {
            self.chosen_in(launch, &slot);
        }
    }

    fn accept(&mut self, launch: &mut Launch, effects: &mut Vec<Effect>) -> bool {
        match launch.at {
            At::Cancel => {
                self.hint = Some(LEFT.into());
                return false;
            }
            At::Save | At::DryRun => {}
            At::Arm if launch.armed() => launch.at = At::Launch,
            At::Launch if launch.armed() => {
                if let Some(plan) = &launch.plan {
                    effects.push(Effect::Launch { plan: plan.id.clone(), confirm: launch.arm.count() });
                    launch.sent = true;
                }
            }
            At::Arm | At::Launch if launch.current() => {
                self.hint = Some(format!("{}: nothing is sent before that", launch.arm.asks()));
            }
            At::Arm | At::Launch => self.hint = Some("not possible yet: block d says why; nothing was sent".into()),
            At::Field(_) => match launch.focused().map(|field| (&field.input, &field.slot)) {
                Some((Input::Choice { .. }, _)) => launch.open_picker(),
                Some((Input::Hidden(text), Slot::Answer(question))) if !text.is_empty() => {
                    let value = crate::model::secret::Secret::new(text.expose());
                    effects.push(Effect::Answer { question: question.clone(), value });
                }
                // whatever is in it is taken as it is
                _ => launch.next(true),
            },
        }
        true
    }

    fn in_stop(&mut self, stop: &mut Stop, verb: Do, effects: &mut Vec<Effect>) -> bool {
        match verb {
            Do::Cancel | Do::Back | Do::QuitOrBack => {
                self.hint = Some(stop.goes_on());
                return false;
            }
            _ if stop.sent => {}
            Do::Down | Do::Up => stop.step(verb == Do::Down),
            Do::NextField | Do::PreviousField => stop.next(verb == Do::NextField),
            Do::Accept | Do::Open => match stop.at {
                stop::At::Cancel => {
                    self.hint = Some(stop.goes_on());
                    return false;
                }
                stop::At::Arm if stop.armed() => stop.at = stop::At::Stop,
                stop::At::Stop if stop.armed() => {
                    effects.extend(stop.effects());
                    stop.sent = true;
                    return false;
                }
                _ => self.hint = Some(format!("{}: nothing is stopped before that", stop.arm.asks())),
            },
            _ => {}
        }
        true
    }

    pub(super) fn open_copy(&mut self) {
        let mut items: Vec<(&'static str, String)> = self.marked_to_copy();
        match self.view {
            View::Overview => match self.overview.subject {
                Pane::Scripts => {
                    if let Some(script) = self.overview.script(&self.scripts) {
                        items.push(("name", script.name.clone()));
                        items.push(("version", script.version.clone()));
                        items.extend(script.path.clone().map(|path| ("path", path)));
                        let name = shlex::try_quote(&script.name).unwrap_or_default();
                        items.push(("command", format!("quarterdeck run {name} --target ")));
                        if let Some(source) = self.source.as_ref().filter(|source| source.name == script.name) {
                            items.push(("text", source.lines.join("\n")));
                        }
                    }
                }
                Pane::Targets => {
                    if let Some(row) = self.tree.rows.get(self.overview.targets.at) {
                        items.push(("expression", row.term.clone()));
                        let members = self.tree.members(row);
                        if !members.is_empty() {
                            let names = members.iter().map(|device| device.name.as_str());
                            items.push(("node set", nodeset::fold(names)));
                        }
                        if let [only] = members.as_slice() {
                            items.push(("id", only.id.clone()));
                        }
                    }
                }
                _ => {
                    if let Some(job) = self.overview.job(&self.jobs) {
                        items.push(("id", job.id.to_string()));
                        items.push(("script", job.script.clone()));
                        items.push(("target", job.target.clone()));
                        items.push(("command", format!("quarterdeck jobs attach {}", job.id)));
                    }
                }
            },
            View::Groups => items.extend(self.group_to_copy()),
            View::Past => items.extend(self.found_to_copy()),
            View::Changes => items.extend(self.changes_to_copy()),
            View::Editor => {
                if let Some(editor) = &self.editing.open {
                    items.push(("name", editor.name.clone()));
                    items.push(("text", editor.buffer.lines().join("\n")));
                }
            }
            View::Live => {
                if let (Some(live), Some(held)) = (&self.live, &self.held) {
                    if let Some(run) = held.run(live.chosen) {
                        items.push(("device", run.name.clone()));
                        items.push(("device id", run.device.clone()));
                        if !run.last_line.is_empty() {
                            items.push(("last line", run.last_line.clone()));
                        }
                    }
                    let shown = live.tail.shown();
                    if !shown.is_empty() {
                        let lines = shown.iter().map(|line| text::plain(&line.text));
                        items.push(("lines shown", lines.collect::<Vec<_>>().join("\n")));
                        let here = live.tail.current().and_then(|place| shown.iter().find(|l| l.place() == place));
                        let line = here.or_else(|| if live.tail.follow { shown.last() } else { shown.first() });
                        items.extend(line.map(|line| ("line", text::plain(&line.text))));
                    }
                    if live.tail.bytes > 0 {
                        items.push((WHOLE, format!("{} of it", text::bytes(live.tail.bytes))));
                    }
                    if let Some(job) = &held.job {
                        let runs = live.order.iter().filter_map(|at| job.runs.get(*at as usize));
                        items.push(("node set listed", nodeset::fold(runs.map(|run| run.name.as_str()))));
                    }
                    items.push(("job id", live.id.to_string()));
                    let device = live.tail.run.and_then(|run| held.run(run));
                    let device = device.map_or_else(String::new, |run| format!(" --device '{}'", run.device));
                    items.push(("command", format!("quarterdeck output {}{device}", live.id)));
                }
            }
        }
        if items.is_empty() {
            self.hint = Some("nothing to copy here".into());
        } else {
            self.layers.push(Layer::Copy(CopyMenu { items, cursor: super::list::Cursor::default() }));
        }
    }
}
