//! What the form means: the request for a plan, the same as a command line, and what the answer's devices have in
//! common.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Launch, Slot, Spread};
use crate::console::app::form::{Hidden, Input, Need, Text, duration};
use crate::console::app::tree::Tree;
use crate::model::job::Job;
use crate::model::plan::{LeftOut, Plan, PlanRequest, ScriptRef};
use crate::model::script::{Param, ParamKind, Takes};
use crate::model::secret::Secret;
use crate::model::target::rerun;
use crate::settings::units::show_duration;

/// A word as a shell takes it.
pub(super) type Quote<'a> = &'a dyn Fn(&str) -> String;

impl Launch {
    pub(in crate::console::app) fn request(&self) -> Result<PlanRequest, String> {
        let script = self.script().ok_or("choose a script in block a")?;
        if let Some(why) = self.info.as_ref().and_then(|info| info.refused.as_ref()) {
            return Err(format!("{script} cannot be launched: {why}"));
        }
        let target = self.target();
        if target.trim().is_empty() {
            return Err("no target yet: write an expression in block b (a device, a group, @all)".into());
        }
        let timeout = duration(&self.value(&Slot::Timeout).unwrap_or_default()).map_err(|e| format!("timeout: {e}"))?;
        let at_once = match self.value(&Slot::AtOnce) {
            None => None,
            Some(text) => Some(text.trim().parse().map_err(|_| format!("at once: \"{text}\" is not a number"))?),
        };
        let (mut params, mut secrets) = (Vec::new(), Vec::new());
        let known = self.info.iter().flat_map(|info| info.params.iter()).collect::<Vec<_>>();
        for field in &self.fields {
            let Slot::Param(at) = field.slot else { continue };
            let Some(param) = known.get(at) else { continue };
            match &field.input {
                Input::Hidden(text) if !text.is_empty() => {
                    secrets.push((param.name.clone(), Secret::new(text.expose())));
                }
                Input::Hidden(_) => {}
                input => {
                    let Some(value) = input.value() else { continue };
                    if param.multiple {
                        let words = shlex::split(&value).ok_or(format!("{}: a quote is not closed", param.name))?;
                        params.extend(words.into_iter().map(|word| (param.name.clone(), word)));
                    } else {
                        params.push((param.name.clone(), value));
                    }
                }
            }
        }
        let timeout_ms = timeout.map(|t| u64::try_from(t.as_millis()).unwrap_or(u64::MAX));
        let include =
            LeftOut::INCLUDABLE.into_iter().filter(|why| self.value(&Slot::Include(*why)).is_some()).collect();
        let script = self.of.map_or(ScriptRef::Library(script), ScriptRef::Job);
        let (how, dry_run) = (self.how()?, self.dry_run);
        let files = Vec::new(); // read on the way to the engine
        Ok(PlanRequest { script, target, params, secrets, files, include, dry_run, timeout_ms, at_once, how })
    }

    /// Parameters whose files are to be read for a plan.
    pub(super) fn files(&self) -> Vec<Param> {
        let params = self.info.iter().flat_map(|info| &info.params);
        params.filter(|param| param.takes == Takes::File && !param.secret).cloned().collect()
    }

    /// Values as a job had them; what was secret then is asked for again.
    pub fn fill(&mut self, params: &[(String, String)]) {
        let Some(info) = &self.info else { return };
        for field in &mut self.fields {
            let Slot::Param(at) = field.slot else { continue };
            let Some(param) = info.params.get(at) else { continue };
            let values: Vec<&str> =
                params.iter().filter(|(name, _)| *name == param.name).map(|(_, value)| value.as_str()).collect();
            let [first, ..] = values.as_slice() else { continue };
            match &mut field.input {
                Input::Text(text) if param.multiple => *text = Text::new(&shlex::try_join(values).unwrap_or_default()),
                Input::Text(text) => *text = Text::new(first),
                Input::Flag(on) => *on = *first == "true",
                Input::Choice { of, at, .. } => *at = of.iter().position(|choice| choice == first),
                Input::Hidden(_) => {}
            }
        }
        self.at = self.first_gap();
    }

    /// What this job ran, within its time.
    pub fn retry(&mut self, job: &Job) {
        self.of = Some(job.summary.id);
        let timeout = job.timeout_ms.map(|ms| show_duration(Duration::from_millis(ms)));
        if let Some(field) = self.fields.iter_mut().find(|field| field.slot == Slot::Timeout) {
            field.input.put(timeout.as_deref());
        }
    }

    /// The same launch for a shell.
    pub fn command_line(&self) -> String {
        let quote = |text: &str| {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@+%".contains(c);
            match shlex::try_quote(text) {
                _ if !text.is_empty() && text.chars().all(plain) => text.to_owned(),
                Ok(quoted) => quoted.into_owned(),
                Err(_) => "?".to_owned(), // A NUL, which no shell can say.
            }
        };
        if let Some(again) = self.of.and_then(|job| rerun(job, &self.target())) {
            let confirm = match self.arm.need {
                Need::Count(count) => format!(" --confirm {count}"),
                _ => String::new(),
            };
            return format!("{again}{confirm}");
        }
        let mut line = format!(
            "quarterdeck run {} --target {}",
            self.script().map_or("SCRIPT".into(), |s| quote(&s)),
            quote(&self.target())
        );
        let known: Vec<&Param> = self.info.iter().flat_map(|info| info.params.iter()).collect();
        for field in &self.fields {
            let Slot::Param(at) = field.slot else { continue };
            if let (Some(value), Some(param)) = (field.input.value(), known.get(at)) {
                let values = if param.multiple { shlex::split(&value).unwrap_or_default() } else { vec![value] };
                for value in values {
                    line.push_str(&format!(" --param {}", quote(&format!("{}={value}", param.name))));
                }
            }
        }
        if let Some(timeout) = self.value(&Slot::Timeout) {
            line.push_str(&format!(" --timeout {}", quote(&timeout)));
        }
        if let Some(at_once) = self.value(&Slot::AtOnce) {
            line.push_str(&format!(" --at-once {}", quote(&at_once)));
        }
        line.push_str(&self.how_flags(&quote));
        let include = LeftOut::INCLUDABLE.into_iter().filter(|why| self.value(&Slot::Include(*why)).is_some());
        let include: Vec<&str> = include.map(LeftOut::word).collect();
        if !include.is_empty() {
            line.push_str(&format!(" --include {}", include.join(",")));
        }
        if self.dry_run {
            line.push_str(" --dry-run=script");
        }
        if let Need::Count(count) = self.arm.need {
            line.push_str(&format!(" --confirm {count}"));
        }
        line
    }
}

pub(super) fn input_of(param: &Param) -> Input {
    if param.secret {
        return Input::Hidden(Hidden::default());
    }
    if param.kind == ParamKind::Flag {
        return Input::Flag(param.default.as_deref() == Some("true"));
    }
    if !param.choices.is_empty() && !param.multiple {
        let at = param.default.as_ref().and_then(|default| param.choices.iter().position(|c| c == default));
        return Input::Choice { of: param.choices.clone(), at, optional: !param.required };
    }
    Input::Text(Text::new(param.default.as_deref().unwrap_or_default()))
}

pub(super) fn note_of(param: &Param) -> String {
    let mut notes = Vec::new();
    if param.secret {
        notes.push("hidden, sent on stdin".to_owned());
    }
    if param.multiple {
        notes.push("several, parted by spaces".to_owned());
    }
    if param.multiple && !param.choices.is_empty() {
        notes.push(param.choices.join(" "));
    }
    if !param.describe.is_empty() {
        notes.push(param.describe.clone());
    }
    notes.join("; ")
}

/// The facts that tell the planned devices apart best, at most six.
pub(super) fn spread(plan: &Plan, tree: &Tree) -> Vec<Spread> {
    let mut facts: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for device in plan.devices.iter().filter_map(|id| tree.device(id)) {
        *facts.entry("connection").or_default().entry(&device.connection).or_default() += 1;
        for (fact, value) in &device.facts {
            let values = facts.entry(fact).or_default();
            if values.len() <= 12 {
                *values.entry(value).or_default() += 1;
            }
        }
    }
    let mut facts: Vec<Spread> = facts
        .into_iter()
        .filter(|(_, values)| {
            // What is different on each device (an address) tells nothing of the set.
            let told: usize = values.values().sum();
            (1..=12).contains(&values.len()) && told > 1 && (values.len() < told || told <= 2)
        })
        .map(|(fact, values)| {
            let mut values: Vec<(String, usize)> = values.into_iter().map(|(v, n)| (v.to_owned(), n)).collect();
            values.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            (fact.to_owned(), values)
        })
        .collect();
    facts.sort_by_key(|(fact, values)| (values.len() == 1, fact != "os" && fact != "site", values.len()));
    facts.truncate(6);
    facts
}
