//! What the form means: the request for a plan, the same as a command line, and what the answer's devices have in
//! common.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Field, Launch, Slot, Spread};
use crate::console::app::form::{Input, Need, duration};
use crate::console::app::tree::Tree;
use crate::model::job::Job;
use crate::model::plan::{LeftOut, Plan, PlanRequest, ScriptRef};
use crate::model::script::{Param, Takes};
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
        let (timeout, at_once) = self.limits()?;
        let (mut params, mut secrets) = (Vec::new(), Vec::new());
        for (param, field) in self.asked() {
            if let Some(why) = self.wrong(field) {
                return Err(format!("{}: {why}", param.name));
            }
            match &field.input {
                Input::Hidden(text) if !text.is_empty() => {
                    secrets.push((param.name.clone(), Secret::new(text.expose())));
                }
                input => params.extend(given(param, input).into_iter().map(|value| (param.name.clone(), value))),
            }
        }
        let timeout_ms = timeout.map(|t| u64::try_from(t.as_millis()).unwrap_or(u64::MAX));
        let include =
            LeftOut::INCLUDABLE.into_iter().filter(|why| self.value(&Slot::Include(*why)).is_some()).collect();
        let script = self.of.map_or(ScriptRef::Library(script), ScriptRef::Job);
        let (mut how, dry_run) = (self.how()?, self.dry_run);
        if how.drawn() {
            how.seed.clone_from(&self.seed);
        }
        let files = Vec::new(); // read on the way to the engine
        let options = self.options();
        for field in self.fields.iter().chain(&self.folded).filter(|field| matches!(field.slot, Slot::Option(_))) {
            if let Some(why) = self.wrong(field) {
                return Err(format!("{}: {why}", field.label));
            }
        }
        Ok(PlanRequest { script, target, params, secrets, files, include, dry_run, options, timeout_ms, at_once, how })
    }

    /// How long a device may take, and how many run at once.
    fn limits(&self) -> Result<(Option<Duration>, Option<u32>), String> {
        let timeout = duration(&self.value(&Slot::Timeout).unwrap_or_default()).map_err(|e| format!("timeout: {e}"))?;
        let at_once = match self.value(&Slot::AtOnce) {
            None => None,
            Some(text) => Some(text.trim().parse().map_err(|_| format!("at once: \"{text}\" is not a number"))?),
        };
        Ok((timeout, at_once))
    }

    /// What of block How cannot be read, by the field's name.
    pub fn wrong_how(&self) -> Option<String> {
        self.limits().err().or_else(|| self.how().err())
    }

    /// Parameters whose files are to be read for a plan.
    pub(super) fn files(&self) -> Vec<Param> {
        let params = self.info.iter().flat_map(|info| &info.params);
        params.filter(|param| param.takes == Takes::File && !param.secret).cloned().collect()
    }

    /// What this job ran, within its time.
    pub fn retry(&mut self, job: &Job) {
        self.of = Some(job.summary.id);
        self.before.clone_from(&job.options);
        let had = |(param, field): (&Param, &Field)| {
            given(param, &field.input).into_iter().map(|value| (param.name.clone(), value)).collect::<Vec<_>>()
        };
        self.params_before = self.asked().flat_map(had).collect();
        self.put_options(&job.options);
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
            return again + &self.params_flags(&quote) + &self.options_flags(&quote) + &self.other_flags(&quote);
        }
        let mut line = format!(
            "quarterdeck run {} --target {}",
            self.script().map_or("SCRIPT".into(), |s| quote(&s)),
            quote(&self.target())
        );
        line.push_str(&self.params_flags(&quote));
        line.push_str(&self.options_flags(&quote));
        if let Some(timeout) = self.value(&Slot::Timeout) {
            line.push_str(&format!(" --timeout {}", quote(&timeout)));
        }
        line.push_str(&self.other_flags(&quote));
        line
    }

    /// Of a retry, those that are others than the job had.
    fn params_flags(&self, quote: Quote<'_>) -> String {
        let mut line = String::new();
        for (param, field) in self.asked() {
            let values = given(param, &field.input);
            let had = self.params_before.iter().filter(|(name, _)| *name == param.name).map(|(_, value)| value);
            if self.of.is_some() && had.eq(&values) {
                continue;
            }
            for value in values {
                line.push_str(&format!(" --param {}", quote(&format!("{}={value}", param.name))));
            }
        }
        line
    }

    /// What the systems take: of a retry, what is another than the job had it.
    fn options_flags(&self, quote: Quote<'_>) -> String {
        let before: &[_] = if self.of.is_some() { &self.before } else { &[] };
        let now = self.options();
        let gone = before.iter().filter(|(name, _)| now.iter().all(|(other, _)| other != name));
        let gone = gone.map(|(name, _)| (name.clone(), String::new()));
        let other = now.iter().filter(|option| !before.contains(option)).cloned();
        other.chain(gone).map(|(name, value)| format!(" --option {}", quote(&format!("{name}={value}")))).collect()
    }

    /// What `run` and `rerun` both have.
    fn other_flags(&self, quote: Quote<'_>) -> String {
        let mut line = String::new();
        if let Some(at_once) = self.value(&Slot::AtOnce) {
            line.push_str(&format!(" --at-once {}", quote(&at_once)));
        }
        line.push_str(&self.how_flags(quote));
        let include = LeftOut::INCLUDABLE.into_iter().filter(|why| self.value(&Slot::Include(*why)).is_some());
        let include: Vec<&str> = include.map(LeftOut::word).collect();
        if !include.is_empty() {
            line.push_str(&format!(" --include {}", include.join(",")));
        }
        if self.dry_run && self.of.is_none() {
            line.push_str(" --dry-run=script");
        }
        if let Need::Count(count) = self.arm.need {
            line.push_str(&format!(" --confirm {count}"));
        }
        line
    }
}

/// What a field gives: where a flag is usually on, off is said.
pub(super) fn given(param: &Param, input: &Input) -> Vec<String> {
    match input {
        Input::Flag(false) if param.usually_on() => vec!["false".to_owned()],
        input => input.values(),
    }
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
