//! The launch dialog and the launches that are kept under a name: filling the form in from one, and making one of the
//! form. What is typed into a hidden field stays out of it, and is asked for again.

use std::collections::BTreeMap;

use super::request::given;
use super::{Field, Launch, Slot, how};
use crate::console::app::form::{Input, Text};
use crate::model::script::ScriptInfo;
use crate::model::template::{Form, Template};

/// Names told beside the field.
const TOLD: usize = 3;

impl Slot {
    /// What a template calls the limit that is written there.
    pub const fn limit(&self) -> Option<&'static str> {
        match self {
            Slot::AtOnce => Some("at_once"),
            Slot::Timeout => Some("timeout"),
            Slot::How(knob) => Some(knob.name()),
            Slot::Include(_)
            | Slot::Script
            | Slot::Param(_)
            | Slot::Option(_)
            | Slot::Advanced
            | Slot::Template
            | Slot::Target
            | Slot::Answer(_) => None,
        }
    }
}

impl Launch {
    /// `true`, once: the templates there are want to be known.
    pub fn wants_templates(&mut self) -> bool {
        !std::mem::replace(&mut self.templates_asked, true)
    }

    /// The templates there are now. The one that was chosen stays so while it is there.
    pub fn know(&mut self, templates: &[Template]) {
        let chosen = self.template();
        let names: Vec<String> = templates.iter().map(|template| template.name.clone()).collect();
        if let Some(field) = self.fields.iter_mut().find(|field| field.slot == Slot::Template) {
            let at = chosen.as_ref().and_then(|chosen| names.iter().position(|name| name == chosen));
            if at.is_none() {
                self.filled = None;
            }
            field.input = Input::Choice { of: names, at, optional: true };
        }
        self.retell();
    }

    /// The form is what a template says.
    pub fn know_filled(&mut self, form: Form) {
        self.filled = Some(form);
        self.retell();
    }

    /// The name of the template it was filled in from.
    pub fn template(&self) -> Option<String> {
        self.value(&Slot::Template)
    }

    /// Fills the form in. What the template does not say is as the script and the settings have it.
    pub fn apply(&mut self, template: &Template, scripts: &[ScriptInfo]) {
        let form = &template.form;
        let limits: Vec<(Slot, Option<String>)> =
            how::fields().into_iter().map(|field| (field.slot, field.input.value())).collect();
        let usual = |field: &Field| matches!(field.slot, Slot::Param(_)) && !matches!(field.input, Input::Hidden(_));
        self.fields.retain(|field| !usual(field));
        self.folded.retain(|field| !usual(field));
        for field in &mut self.fields {
            match (&field.slot, &mut field.input) {
                (Slot::Script, Input::Choice { of, at, .. }) => *at = of.iter().position(|name| *name == form.script),
                (Slot::Target, input) => *input = Input::Text(Text::new(&form.target)),
                (slot, input) => {
                    if let Some(limit) = slot.limit() {
                        let usual =
                            limits.iter().find(|(known, _)| known == slot).and_then(|(_, value)| value.as_ref());
                        input.put(form.limits.get(limit).or(usual).map(String::as_str));
                    }
                }
            }
        }
        self.script_chosen(scripts);
        let options: Vec<(String, String)> = form.options.clone().into_iter().collect();
        self.put_options(&options);
        let params: Vec<(String, String)> = form
            .params
            .iter()
            .flat_map(|(name, values)| values.iter().map(|value| (name.clone(), value.clone())))
            .collect();
        self.fill(&params);
        self.filled = Some(self.form());
    }

    /// What is written in it, to be kept.
    pub fn form(&self) -> Form {
        let mut params = BTreeMap::new();
        for (param, field) in self.asked().filter(|(param, _)| !param.secret) {
            let values = given(param, &field.input);
            if !values.is_empty() {
                params.insert(param.name.clone(), values);
            }
        }
        let limits = self.fields.iter().filter_map(|field| {
            let (name, value) = (field.slot.limit()?, field.input.value()?);
            Some((name.to_owned(), value))
        });
        let limits = limits.collect();
        let options = self.options().into_iter().collect();
        Form { script: self.script().unwrap_or_default(), target: self.target(), params, limits, options }
    }

    /// Says beside the field what there is, or how the form stands to the template it came from.
    pub(super) fn retell(&mut self) {
        let note = match (&self.filled, self.template()) {
            (Some(filled), Some(_)) if *filled == self.form() => "as saved".to_owned(),
            (Some(_), Some(_)) => "changed since".to_owned(),
            _ => String::new(),
        };
        let Some(field) = self.fields.iter_mut().find(|field| field.slot == Slot::Template) else { return };
        let Input::Choice { of, .. } = &field.input else { return };
        field.note = match of.as_slice() {
            _ if !note.is_empty() => note,
            [] => "none saved yet".to_owned(),
            some => {
                let more = if some.len() > TOLD { " …" } else { "" };
                format!("saved: {}{more}", some[..some.len().min(TOLD)].join(", "))
            }
        };
    }
}
