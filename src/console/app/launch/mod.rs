//! Screen 3: the launch dialog. Owns the form, the plan that the engine made of it, and the arming. Nothing is
//! sent before the arm text is right for the very plan on screen; a change of anything disarms.

#[cfg(test)]
mod form_tests;
pub mod how;
mod meant;
mod options;
pub mod params;
mod request;
mod template;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use ratatui::layout::{Position, Rect};

pub use self::how::{Knob, Place};
pub use self::meant::Meant;
use self::request::spread;
use super::begun::Begun;
use super::chooser::Chooser;
use super::event::Effect;
use super::form::{Arm, Input, Need, Text};
use super::planned::DeviceList;
use super::tree::Tree;
use crate::model::job::JobId;
use crate::model::options::LaunchOption;
use crate::model::plan::{Exclusion, LeftOut, Plan, Question};
use crate::model::plan_file::changes;
use crate::model::script::ScriptInfo;
use crate::model::template::Form;
use crate::model::wire::{Code, Problem};

/// What a field is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slot {
    Script,
    Param(usize),
    /// Under which the parameters are folded that are rarely needed.
    Advanced,
    /// The launch that is kept under a name and filled in from.
    Template,
    Target,
    AtOnce,
    Timeout,
    /// What only a roll-out has.
    How(Knob),
    /// What the systems of the devices take beside the script, by the option's name.
    Option(String),
    /// Devices left out for this reason are taken in.
    Include(LeftOut),
    /// The answer to a question of the plan.
    Answer(String),
}

#[derive(Clone, Debug)]
pub struct Field {
    /// 0 What, 1 Where, 2 How, 3 Check.
    pub block: u8,
    pub slot: Slot,
    pub label: String,
    pub input: Input,
    /// What belongs in it.
    pub note: String,
    pub required: bool,
}

/// Where the focus is. The buttons come after the fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    Field(usize),
    /// Where the count, or `y`, is typed.
    Arm,
    Cancel,
    /// To be kept under a name.
    Save,
    /// With the argument by which the script changes nothing, or without it again.
    DryRun,
    Launch,
}

/// The buttons, in their order; on a row narrower than [`ALL`] only those that end the dialog.
pub const BUTTONS: [(&str, At); 4] =
    [("Cancel", At::Cancel), ("Save as template", At::Save), ("Dry run", At::DryRun), ("Launch", At::Launch)];
pub const FEW: [(&str, At); 2] = [BUTTONS[0], BUTTONS[3]];
pub const ALL: u16 = 56;

/// A fact, and how many of the planned devices have which value.
pub type Spread = (String, Vec<(String, usize)>);

#[derive(Debug)]
pub struct Launch {
    pub fields: Vec<Field>,
    /// Fields that are folded away.
    folded: Vec<Field>,
    /// The target that was written here for a script of a server.
    aimed: Option<String>,
    pub at: At,
    pub info: Option<ScriptInfo>,
    pub plan: Option<Plan>,
    pub problem: Option<Problem>,
    pub arm: Arm,
    /// Devices that came and went since the plan before, without the operator's doing.
    pub changed: Option<(usize, usize)>,
    /// The same and what else is different, in words.
    pub differs: Vec<String>,
    pub spread: Vec<Spread>,
    /// What the target comes to while there is no plan.
    meant: Option<Meant>,
    /// The choices of a field.
    pub picker: Option<(usize, Chooser)>,
    /// The device list is open.
    pub devices: Option<DeviceList>,
    /// The block of the focus has all the room.
    pub alone: bool,
    /// The launch is on its way.
    pub sent: bool,
    serial: u64,
    asked: bool,
    dirty: bool,
    /// The form did not change since the last plan: a difference is the world's.
    world: bool,
    templates_asked: bool,
    /// The script is asked to change nothing.
    pub dry_run: bool,
    /// How it was opened: what was typed comes back where that happens again.
    pub begun: Begun,
    /// The version that this job ran, not what the library holds now.
    of: Option<JobId>,
    /// What that job gave its systems beside the script.
    before: Vec<(String, String)>,
    /// Parameters that it had.
    params_before: Vec<(String, String)>,
    /// What the systems of the planned devices take beside the script.
    taken: Vec<LaunchOption>,
    /// The way leads through the fields of a roll-out, too: who went to block c on purpose wants them.
    within: bool,
    /// What the template said that the form was filled in from.
    filled: Option<Form>,
    /// By which the first rings were drawn: what is changed afterwards deals no other ones.
    seed: Option<String>,
}

impl Launch {
    /// `script`: chosen by name, if any. `target`: an expression, may be empty.
    pub fn new(scripts: &[ScriptInfo], script: Option<&str>, target: &str) -> Self {
        let names: Vec<String> = scripts.iter().map(|s| s.name.clone()).collect();
        let at = script.and_then(|script| names.iter().position(|name| name == script));
        let field = |block, slot, label: &str, input, note: &str, required| Field {
            block,
            slot,
            label: label.to_owned(),
            input,
            note: note.to_owned(),
            required,
        };
        let mut fields = vec![
            field(0, Slot::Script, "script", Input::Choice { of: names, at, optional: false }, "", true),
            field(0, Slot::Template, "template", Input::Choice { of: Vec::new(), at: None, optional: true }, "", false),
            field(1, Slot::Target, "expr", Input::Text(Text::new(target)), "", true),
        ];
        fields.extend(how::fields());
        let mut launch = Self {
            fields,
            folded: Vec::new(),
            aimed: None,
            at: At::Arm,
            info: None,
            plan: None,
            problem: None,
            arm: Arm::new(Need::Yes),
            changed: None,
            differs: Vec::new(),
            spread: Vec::new(),
            meant: None,
            picker: None,
            devices: None,
            alone: false,
            sent: false,
            serial: 0,
            asked: false,
            dirty: true,
            world: false,
            templates_asked: false,
            dry_run: false,
            begun: Begun::default(),
            of: None,
            before: Vec::new(),
            params_before: Vec::new(),
            taken: Vec::new(),
            within: false,
            filled: None,
            seed: None,
        };
        launch.script_chosen(scripts);
        launch.at = launch.first_gap();
        launch
    }

    /// The first field that must be filled and is not; else where it is armed.
    fn first_gap(&self) -> At {
        let gap = self.fields.iter().position(|f| f.required && f.input.is_empty());
        gap.map_or(At::Arm, At::Field)
    }

    pub fn script(&self) -> Option<String> {
        self.value(&Slot::Script)
    }

    fn value(&self, slot: &Slot) -> Option<String> {
        self.fields.iter().find(|f| f.slot == *slot).and_then(|f| f.input.value())
    }

    pub fn target(&self) -> String {
        self.value(&Slot::Target).unwrap_or_default()
    }

    /// Something in the form changed: what was armed is not, and the plan is asked for again.
    pub fn edited(&mut self) {
        self.arm.typed.clear();
        if self.at == At::Launch {
            self.at = At::Arm;
        }
        self.changed = None;
        self.world = false;
        self.dirty = true;
        self.retell();
    }

    /// The world may have changed: plan again and say what is different.
    pub fn again(&mut self) {
        self.world = self.plan.is_some() && !self.dirty;
        self.dirty = true;
    }

    /// Opened again as it was left, disarmed.
    pub fn back(&mut self) {
        self.reset();
        self.edited();
        self.look_again();
        self.picker = None;
        self.devices = None;
        self.alone = false;
        self.at = self.first_gap();
    }

    /// Nothing is on its way any more.
    pub fn reset(&mut self) {
        self.asked = false;
        self.sent = false;
        self.again();
    }

    /// The plan on screen is what the form says.
    pub fn current(&self) -> bool {
        self.plan.is_some() && self.problem.is_none() && !self.asked && !self.dirty
    }

    pub fn waiting(&self) -> bool {
        self.asked || self.dirty
    }

    pub fn armed(&self) -> bool {
        self.current() && !self.sent && self.arm.armed() && self.plan.as_ref().is_some_and(|p| !p.devices.is_empty())
    }

    /// Asks for a plan if the form has changed: one at a time, the latest wins. Where there can be none, for what the
    /// target comes to.
    pub fn settle(&mut self) -> Option<Effect> {
        if self.asked {
            return None;
        }
        if !self.dirty {
            return self.ask_meant();
        }
        match self.request() {
            Ok(request) => {
                self.serial += 1;
                self.asked = true;
                self.dirty = false;
                Some(Effect::Plan { serial: self.serial, request: Box::new(request), files: self.files() })
            }
            Err(why) => {
                self.dirty = false;
                self.unplan();
                self.problem = Some(Problem { code: Code::Invalid, error: why, column: None });
                self.ask_meant()
            }
        }
    }

    /// The engine's answer. `false`: not to the last question.
    pub fn planned(&mut self, serial: u64, answer: Result<Plan, Problem>, tree: &Tree) -> bool {
        if serial != self.serial {
            return false;
        }
        self.asked = false;
        if self.dirty {
            return false; // Asked again at once; this one is old already.
        }
        match answer {
            Ok(plan) => {
                let need = if plan.confirm { Need::Count(plan.devices.len()) } else { Need::Yes };
                let before = self.plan.take();
                let same = before.as_ref().is_some_and(|before| before.devices == plan.devices);
                if let Some(before) = before.filter(|_| self.world) {
                    let differs = changes(&before, &plan);
                    if !differs.is_empty() {
                        self.differs = differs;
                        let old: HashSet<&String> = before.devices.iter().collect();
                        let new: HashSet<&String> = plan.devices.iter().collect();
                        self.changed = Some((new.difference(&old).count(), old.difference(&new).count()));
                        self.disarm();
                    }
                }
                if self.arm.need != need {
                    self.arm = Arm::new(need);
                    self.disarm();
                }
                if !same {
                    self.spread = spread(&plan, tree);
                }
                self.ask_questions(&plan.questions);
                self.ask_included(&plan);
                self.ask_options(&plan.taken);
                self.problem = None;
                if !plan.rollout.rings.is_empty() {
                    self.seed.get_or_insert_with(|| plan.rollout.seed.clone());
                }
                self.plan = Some(plan);
            }
            Err(problem) => {
                self.unplan();
                self.disarm();
                self.problem = Some(problem);
            }
        }
        true
    }

    fn disarm(&mut self) {
        self.arm.typed.clear();
        if self.at == At::Launch {
            self.at = At::Arm;
        }
    }

    /// A field for each secret that the engine lacks.
    fn ask_questions(&mut self, questions: &[Question]) {
        let focused = match self.at {
            At::Field(at) => self.fields.get(at).map(|f| f.slot.clone()),
            _ => None,
        };
        self.fields.retain(|f| match &f.slot {
            Slot::Answer(id) => questions.iter().any(|q| q.id == *id),
            _ => true,
        });
        for question in questions {
            let slot = Slot::Answer(question.id.clone());
            if !self.fields.iter().any(|f| f.slot == slot) {
                self.fields.push(Field {
                    block: 3,
                    slot,
                    label: question.text.clone(),
                    input: Input::Hidden(super::form::Hidden::default()),
                    note: format!("{} devices need it; enter hands it to the engine", question.devices),
                    required: false,
                });
            }
        }
        if let Some(slot) = focused {
            self.at = self.fields.iter().position(|f| f.slot == slot).map_or(At::Arm, At::Field);
        }
    }

    /// A flag for each reason for which devices are left out, or would be.
    fn ask_included(&mut self, plan: &Plan) {
        let focused = self.focused().map(|field| field.slot.clone());
        let on = |why: LeftOut| self.value(&Slot::Include(why)).is_some();
        let on = LeftOut::INCLUDABLE.map(|why| (why, on(why)));
        self.fields.retain(|field| !matches!(field.slot, Slot::Include(_)));
        let place = self.fields.iter().rposition(|field| field.block == 1).map_or(0, |at| at + 1);
        for (why, on) in on.into_iter().rev() {
            let of = plan.exclusions.iter().chain(&plan.included).filter(|exclusion| exclusion.why == why);
            let of: Vec<&Exclusion> = of.collect();
            if of.is_empty() {
                continue;
            }
            let count: usize = of.iter().map(|exclusion| exclusion.count).sum();
            let texts: Vec<&str> = of.iter().map(|exclusion| exclusion.text.as_str()).collect();
            let label = format!("include {count} {}", texts.join(", "));
            let (slot, input) = (Slot::Include(why), Input::Flag(on));
            self.fields.insert(place, Field { block: 1, slot, label, input, note: String::new(), required: false });
        }
        if let Some(slot) = focused {
            self.at = self.fields.iter().position(|field| field.slot == slot).map_or(At::Arm, At::Field);
        }
    }

    /// The engine took the answer to a question, or refused it: either way the field is empty again.
    pub fn question_answered(&mut self, question: &str) {
        if let Some(field) = self.fields.iter_mut().find(|f| matches!(&f.slot, Slot::Answer(id) if id == question)) {
            field.input = Input::Hidden(super::form::Hidden::default());
        }
        self.again();
    }

    /// The field or button beside this one, whichever it is.
    pub fn step(&mut self, forward: bool) {
        let block = self.block();
        self.at = self.beside(forward);
        self.within = self.knob_at(self.at);
        self.alone &= self.block() == block;
    }

    /// The next stop of who takes each field as it is. What only a roll-out has is passed over, unless one is in it
    /// already: a plain launch is armed after as few steps as ever.
    pub fn next(&mut self, forward: bool) {
        let block = self.block();
        self.within |= self.knob_at(self.at);
        loop {
            self.at = self.beside(forward);
            if self.within || !self.knob_at(self.at) {
                break;
            }
        }
        self.within &= matches!(self.at, At::Field(at) if self.fields.get(at).is_some_and(|field| field.block == 2));
        self.alone &= self.block() == block;
    }

    fn knob_at(&self, at: At) -> bool {
        matches!(at, At::Field(at) if self.fields.get(at).is_some_and(|field| matches!(field.slot, Slot::How(_))))
    }

    fn beside(&self, forward: bool) -> At {
        let last = self.fields.len() - 1;
        match (self.at, forward) {
            (At::Field(at), true) if at < last => At::Field(at + 1),
            (At::Field(_), true) => At::Arm,
            (At::Arm, true) => At::Cancel,
            (At::Cancel, true) | (At::DryRun, false) => At::Save,
            (At::Save, true) | (At::Launch, false) => At::DryRun,
            (At::DryRun, true) => At::Launch,
            (At::Launch, true) => At::Field(0),
            (At::Field(0), false) => At::Launch,
            (At::Field(at), false) => At::Field(at - 1),
            (At::Arm, false) => At::Field(last),
            (At::Cancel, false) => At::Arm,
            (At::Save, false) => At::Cancel,
        }
    }

    /// Fields of block How in so many rows of so many cells, around the focus: the places, and the first row shown.
    pub fn how_shown(&self, rows: usize, width: u16) -> (Vec<Place>, usize) {
        let places = self.places(width);
        // (what is wrong with one of them has a row or two)
        let said = self.wrong_how().map_or(0, |why| why.chars().count().div_ceil(usize::from(width).max(1)));
        let rows = rows.saturating_sub(said).max(1);
        let focused = places.iter().find(|place| self.at == At::Field(place.field)).map_or(0, |place| place.row);
        let from = (focused + 1).saturating_sub(rows);
        (places.into_iter().filter(|place| (from..from + rows).contains(&place.row)).collect(), from)
    }

    /// Which fields of a block are shown in so many rows: the part of a longer form that is around the focus.
    pub fn fields_shown(&self, block: u8, rows: usize) -> impl Iterator<Item = (usize, &Field)> {
        let of = move |(_, field): &(usize, &Field)| field.block == block;
        let focused = |(n, _): (usize, &Field)| At::Field(n) == self.at;
        let place = self.fields.iter().enumerate().filter(of).position(focused).unwrap_or(0);
        // facts of the script stand below its fields
        let rows = rows - if block == 0 { 2.min(rows / 3) } else { 0 };
        self.fields.iter().enumerate().filter(of).skip((place + 1).saturating_sub(rows)).take(rows)
    }

    /// The field that stands there in a block. Only where that is plain: a question takes several rows.
    pub fn field_at(&self, block: u8, inside: Rect, at: Position) -> Option<usize> {
        let (row, x) = (usize::from(at.y.checked_sub(inside.y)?), at.x.saturating_sub(inside.x));
        if block == 2 {
            let (places, from) = self.how_shown(usize::from(inside.height), inside.width);
            let mut here = places.iter().filter(|place| place.row == from + row);
            return here.rfind(|place| place.x <= x).map(|place| place.field);
        }
        if block == 0 {
            let shown = self.what_shown(usize::from(inside.height), inside.width);
            return shown.into_iter().find(|(at, _)| usize::from(*at) == row).map(|(_, field)| field);
        }
        let field = self.fields_shown(block, usize::from(inside.height)).nth(row)?;
        (row == 0).then_some(field.0)
    }

    /// The block that has the focus. What will happen is read beside the buttons.
    pub fn block(&self) -> u8 {
        match self.at {
            At::Field(at) => self.fields.get(at).map_or(0, |field| field.block),
            _ => 3,
        }
    }

    /// To the first field of a block; to where it is armed if it has none. From there: the block has all the room, and
    /// gives it back the next time.
    pub fn jump(&mut self, block: u8) {
        let to = self.fields.iter().position(|f| f.block == block).map_or(At::Arm, At::Field);
        self.alone = self.at == to && !self.alone;
        self.at = to;
        self.within = block == 2;
    }

    pub fn focused(&mut self) -> Option<&mut Field> {
        match self.at {
            At::Field(at) => self.fields.get_mut(at),
            _ => None,
        }
    }

    pub fn open_picker(&mut self) {
        if let At::Field(field) = self.at
            && let Some(Field { label, input: Input::Choice { of, at, .. }, .. }) = self.fields.get(field)
        {
            self.picker = Some((field, Chooser::field(label, of, *at)));
        }
    }

    /// Takes the choice under the picker's cursor: of which field, if it is another one.
    pub fn pick(&mut self) -> Option<Slot> {
        let (field, picker) = self.picker.take()?;
        let chosen = picker.chosen_at()?;
        let Some(Field { slot, input: Input::Choice { at, .. }, .. }) = self.fields.get_mut(field) else { return None };
        (at.replace(chosen) != Some(chosen)).then(|| slot.clone())
    }
}
