//! The fields that a script's parameters make: one for each, in its order; those that are rarely needed folded under a
//! row of their own. Says beneath the focused one what it is for, and at each what is wrong with it.

use std::collections::BTreeMap;

use super::{At, Field, Launch, Slot};
use crate::console::app::event::Effect;
use crate::console::app::form::{Hidden, Input, Text};
use crate::console::app::inputs::{Lines, List, PathField, Picks};
use crate::console::app::tree::quoted;
use crate::console::text;
use crate::model::script::values::check;
use crate::model::script::{self, Param, ScriptInfo};

/// Paths and names told beneath a field.
pub(super) const TOLD: usize = 8;
/// Cells before what stands beneath a field.
pub const INDENT: usize = 2;

impl Launch {
    /// The script field has a (new) value: its parameters become fields. Values of the same name are kept.
    pub fn script_chosen(&mut self, scripts: &[ScriptInfo]) {
        let chosen = self.script();
        if chosen != self.info.as_ref().map(|info| info.name.clone()) {
            self.of = None;
        }
        let info = chosen.and_then(|name| scripts.iter().find(|s| s.name == name).cloned());
        let options = self.take_options();
        let mut kept = self.take_params();
        if let Some(info) = &info {
            let mut fields: Vec<Field> =
                info.params.iter().enumerate().map(|(at, param)| field(at, param, kept.remove(&param.name))).collect();
            self.folded = fields.extract_if(.., |field| is_advanced(info, field)).collect();
            self.fields.splice(1..1, fields);
        }
        self.folded.extend(options);
        self.aim(info.as_ref().and_then(|info| info.connection.as_deref()));
        self.info = info;
        self.fold_again(false);
        if self.folded.iter().any(|field| field.required && field.input.is_empty()) {
            self.unfold(true);
        }
    }

    /// Takes the fields of all parameters out of the form: what is in them, by name.
    fn take_params(&mut self) -> BTreeMap<String, Input> {
        let params = self.info.take().map(|info| info.params).unwrap_or_default();
        let of_params = |field: &mut Field| matches!(field.slot, Slot::Param(_) | Slot::Advanced);
        let fields: Vec<Field> = self.fields.extract_if(.., of_params).chain(self.folded.drain(..)).collect();
        let named = fields.into_iter().filter_map(|field| match field.slot {
            Slot::Param(at) => Some((params.get(at)?.name.clone(), field.input)),
            _ => None,
        });
        named.collect()
    }

    /// A script of a server runs there, unless another target is written.
    fn aim(&mut self, connection: Option<&str>) {
        let aimed = self.aimed.take();
        let Some(field) = self.fields.iter_mut().find(|field| field.slot == Slot::Target) else { return };
        let written = field.input.value();
        if written.is_some() && written != aimed {
            return;
        }
        if connection.is_some() || aimed.is_some() {
            self.aimed = connection.map(quoted);
            field.input.put(self.aimed.as_deref());
        }
    }

    /// Every parameter with its field, shown or folded.
    pub(super) fn asked(&self) -> impl Iterator<Item = (&Param, &Field)> {
        let params = self.info.as_ref().map_or(&[][..], |info| &info.params);
        let fields = self.fields.iter().chain(&self.folded);
        fields.filter_map(move |field| match field.slot {
            Slot::Param(at) => Some((params.get(at)?, field)),
            _ => None,
        })
    }

    /// Opens or folds what is rarely needed, below its row.
    pub fn unfold(&mut self, open: bool) {
        let Some(at) = self.fields.iter().position(|field| field.slot == Slot::Advanced) else { return };
        let focused = self.focused().map(|field| field.slot.clone());
        match (&self.info, open) {
            (_, true) => drop(self.fields.splice(at + 1..at + 1, self.folded.drain(..))),
            (Some(info), false) => {
                self.folded.extend(self.fields.extract_if(.., |field| is_advanced(info, field)));
            }
            (None, false) => {}
        }
        self.fields[at].input = Input::Flag(open);
        if let Some(slot) = focused {
            let again = self.fields.iter().position(|field| field.slot == slot);
            self.at = At::Field(again.unwrap_or(at));
        }
    }

    /// Values as a job or a template had them; what was secret then is asked for again.
    pub fn fill(&mut self, given: &[(String, String)]) {
        let Some(info) = &self.info else { return };
        let mut unusual = false;
        for field in self.fields.iter_mut().chain(&mut self.folded) {
            let Slot::Param(at) = field.slot else { continue };
            let Some(param) = info.params.get(at) else { continue };
            let values: Vec<&str> =
                given.iter().filter(|(name, _)| *name == param.name).map(|(_, value)| value.as_str()).collect();
            if values.is_empty() {
                continue;
            }
            field.input.fill(&values);
            unusual |= param.advanced && param.default.as_deref() != values.first().copied();
        }
        if unusual && !self.folded.is_empty() {
            self.unfold(true);
        }
        self.at = self.first_gap();
    }

    /// What is wrong with what a field holds, if anything can be said against it here.
    pub fn wrong(&self, field: &Field) -> Option<String> {
        if let Slot::Option(name) = &field.slot {
            return self.wrong_option(name, &field.input);
        }
        let Slot::Param(at) = field.slot else { return None };
        let param = self.info.as_ref()?.params.get(at)?;
        if let Input::Path(path) = &field.input {
            return path.size()?.as_ref().err().cloned();
        }
        let why = field.input.values().iter().find_map(|value| check(param, value).err())?;
        // whose it is can be seen
        Some(why.strip_prefix(&format!("'{}' is ", param.name)).map_or(why.clone(), str::to_owned))
    }

    /// What a field is for, and how it is written: the row beneath it, while it is focused.
    pub fn about(&self, field: &Field) -> Option<String> {
        if let Slot::Option(name) = &field.slot {
            return self.about_option(name, &field.input);
        }
        if field.slot == Slot::Advanced {
            let open = field.input.value().is_some();
            return Some(if open { "space folds them away" } else { "space shows them" }.to_owned());
        }
        let Slot::Param(at) = field.slot else { return None };
        let param = self.info.as_ref()?.params.get(at)?;
        let mut parts = Vec::new();
        if let Input::Path(path) = &field.input {
            parts.push(written_path(path));
        }
        parts.push(param.describe.clone());
        if !matches!(param.field(), script::Field::Select | script::Field::Choices | script::Field::Checkbox) {
            parts.extend(param.example.as_ref().map(|example| format!("such as {example}")));
        }
        parts.push(match (&field.input, param.field()) {
            (Input::List(_), _) => "enter adds one, backspace takes it back".into(),
            (Input::Picks(_), _) => "space picks, left and right walk".into(),
            (Input::Lines(lines), _) if !lines.open => "a letter or space opens it".into(),
            (Input::Choice { .. }, _) => "left, right, or enter for the list".into(),
            (Input::Flag(_), _) => "space switches it".into(),
            (_, script::Field::Number) => "a number".into(),
            _ => String::new(),
        });
        parts.retain(|part| !part.is_empty());
        (!parts.is_empty()).then(|| parts.join("; "))
    }

    /// Files to look at: each path once.
    pub fn looks(&mut self) -> Vec<Effect> {
        let paths = self.fields.iter_mut().chain(&mut self.folded).filter_map(|field| match &mut field.input {
            Input::Path(path) => path.wants(),
            _ => None,
        });
        paths.map(Effect::LookAt).collect()
    }

    /// Files may have changed.
    pub(super) fn look_again(&mut self) {
        for field in self.fields.iter_mut().chain(&mut self.folded) {
            if let Input::Path(path) = &mut field.input {
                path.again();
            }
        }
    }

    /// What was found there.
    pub fn looked(&mut self, path: &str, size: &Result<u64, String>, near: &[String]) -> bool {
        let mut told = false;
        for field in self.fields.iter_mut().chain(&mut self.folded) {
            if let Input::Path(field) = &mut field.input {
                told |= field.tell(path, size, near);
            }
        }
        told
    }

    /// The text of many lines that is open for writing.
    pub fn open_lines(&mut self) -> Option<&mut Lines> {
        match &mut self.focused()?.input {
            Input::Lines(lines) if lines.open => Some(lines),
            _ => None,
        }
    }

    /// Rows of block What: which field stands on which, the part around the focus of a form that is longer. The focused
    /// one has a row more, for what it is about.
    pub fn what_shown(&self, rows: usize, width: u16) -> Vec<(u16, usize)> {
        let beneath = self.beneath(rows, width).map_or(0, |(_, said)| said.len());
        let mut row = 0;
        let mut shown = Vec::new();
        for (at, _) in self.fields_shown(0, rows.saturating_sub(beneath).max(1)) {
            shown.push((row, at));
            row += if At::Field(at) == self.at { 1 + beneath as u16 } else { 1 };
        }
        shown
    }

    /// What stands beneath the focused field, in a row or two, and whether it is wrong.
    pub fn beneath(&self, rows: usize, width: u16) -> Option<(bool, Vec<String>)> {
        let At::Field(at) = self.at else { return None };
        let field = self.fields.get(at)?;
        let unfinished = matches!(&field.input, Input::Path(path) if !path.near().is_empty());
        let wrong = self.wrong(field).filter(|_| !unfinished).map(|why| (true, why));
        let (wrong, said) = wrong.or_else(|| self.about(field).map(|about| (false, about)))?;
        let width = usize::from(width).saturating_sub(INDENT).max(10);
        let folded = text::fold(&text::plain(&said), width);
        let most = if rows < 8 { 1 } else { 2 };
        let mut told: Vec<String> = folded.iter().take(most).cloned().collect();
        if folded.len() > most
            && let Some(last) = told.last_mut()
        {
            *last = text::clip(&format!("{last} {}", folded[most]), width);
        }
        Some((wrong, told))
    }
}

fn is_advanced(info: &ScriptInfo, field: &Field) -> bool {
    match field.slot {
        Slot::Param(at) => info.params.get(at).is_some_and(|param| param.advanced),
        Slot::Option(_) => true,
        _ => false,
    }
}

fn field(at: usize, param: &Param, kept: Option<Input>) -> Field {
    let fresh = input_of(param);
    let input = match (&fresh, kept) {
        (Input::Choice { of, .. }, Some(Input::Choice { of: old, at, .. })) if *of == old => {
            Input::Choice { of: old, at, optional: !param.required }
        }
        (Input::Picks(picks), Some(Input::Picks(old))) if picks.of == old.of => Input::Picks(old),
        (Input::Choice { .. } | Input::Picks(_), _) | (_, None) => fresh,
        (_, Some(old)) if std::mem::discriminant(&fresh) == std::mem::discriminant(&old) => old,
        _ => fresh,
    };
    Field {
        block: 0,
        slot: Slot::Param(at),
        label: param.name.clone(),
        input,
        note: note_of(param),
        required: param.required,
    }
}

/// The row under which the others are folded.
pub(super) fn fold(folded: &[Field]) -> Field {
    let names: Vec<&str> = folded.iter().map(|field| field.label.as_str()).collect();
    let (block, slot, input) = (0, Slot::Advanced, Input::Flag(false));
    Field { block, slot, label: "advanced".into(), input, note: names.join(", "), required: false }
}

fn input_of(param: &Param) -> Input {
    let default = param.default.as_deref();
    match param.field() {
        script::Field::Password => Input::Hidden(Hidden::default()),
        script::Field::Checkbox => Input::Flag(param.usually_on()),
        script::Field::Select => {
            let at = default.and_then(|default| param.choices.iter().position(|choice| choice == default));
            Input::Choice { of: param.choices.clone(), at, optional: !param.required }
        }
        script::Field::Choices => Input::Picks(Picks::new(&param.choices, default.as_slice())),
        script::Field::List => Input::List(List::new(default)),
        script::Field::Lines => Input::Lines(Lines::new(default.unwrap_or_default())),
        script::Field::File => Input::Path(PathField::new(default.unwrap_or_default())),
        script::Field::Text | script::Field::Number => Input::Text(Text::new(default.unwrap_or_default())),
    }
}

fn note_of(param: &Param) -> String {
    let kind = match param.field() {
        script::Field::Password => "hidden, sent on stdin",
        script::Field::List => "several",
        script::Field::File => "a file of yours",
        _ => "",
    };
    let parts = [kind, &param.describe];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
}

/// What a path is, or may become.
fn written_path(path: &PathField) -> String {
    let near = path.near();
    let names = |near: &[String]| {
        let name = |path: &String| {
            let end = path.trim_end_matches('/').rfind('/').map_or(0, |slash| slash + 1);
            path[end..].to_owned()
        };
        let told: Vec<String> = near.iter().take(TOLD).map(name).collect();
        format!("right completes: {}{}", told.join(" "), if near.len() > TOLD { " …" } else { "" })
    };
    match path.size() {
        Some(Ok(size)) => format!("{}; read when it is planned", text::bytes(*size)),
        Some(Err(why)) if !near.is_empty() => format!("{why}; {}", names(near)),
        _ => "a path on this machine; ~ is your home".into(),
    }
}
