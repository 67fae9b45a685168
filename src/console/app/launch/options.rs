//! The fields of what the systems of the devices take beside the script (a custom attribute that keeps what each device
//! prints): which there are is known with the plan, so they come and go with it, folded with what is rarely needed. One
//! that holds something stays until it is emptied, whatever the devices are: what was meant is never dropped unseen.

use super::params::{TOLD, fold};
use super::{At, Field, Launch, Slot};
use crate::console::app::form::{Input, Text};
use crate::console::app::inputs::Known;
use crate::model::options::LaunchOption;

impl Launch {
    /// What is written into them.
    pub(super) fn options(&self) -> Vec<(String, String)> {
        let fields = self.fields.iter().chain(&self.folded);
        let given = fields.filter_map(|field| match &field.slot {
            Slot::Option(name) => Some((name.clone(), field.input.value()?)),
            _ => None,
        });
        given.collect()
    }

    /// Takes their fields out of the form.
    pub(super) fn take_options(&mut self) -> Vec<Field> {
        let of_options = |field: &mut Field| matches!(field.slot, Slot::Option(_));
        self.fields.extract_if(.., of_options).chain(self.folded.extract_if(.., of_options)).collect()
    }

    /// Others than before, as a job or a template had them.
    pub fn put_options(&mut self, given: &[(String, String)]) {
        let fields = given.iter().map(|(name, value)| field(name, name, Input::Text(Text::new(value))));
        self.lay_options(|_| fields.collect());
    }

    /// A field for each that these devices' systems take.
    pub(super) fn ask_options(&mut self, taken: &[LaunchOption]) {
        let fields = self.fields.iter().chain(&self.folded);
        let there = fields.filter_map(|field| match &field.slot {
            Slot::Option(name) => Some(name),
            _ => None,
        });
        if self.taken == taken && there.eq(taken.iter().map(|option| &option.name)) {
            return;
        }
        self.taken = taken.to_vec();
        self.lay_options(|mut old| {
            old.retain(|field| !field.input.is_empty());
            let mut fields = Vec::with_capacity(taken.len());
            for option in taken {
                let written = old.iter().position(|field| is(field, &option.name)).map(|at| old.remove(at).input);
                let input = input(option, written.and_then(|input| input.value()).unwrap_or_default());
                fields.push(field(&option.name, option.called(), input));
            }
            fields.extend(old);
            fields
        });
    }

    /// Other fields instead of those there are, among what is rarely needed. The focus stays where it is, if that is
    /// still there.
    fn lay_options(&mut self, other: impl FnOnce(Vec<Field>) -> Vec<Field>) {
        let focused = self.focused().map(|field| field.slot.clone());
        let open = self.unfolded();
        self.unfold(false);
        let old = self.take_options();
        self.folded.extend(other(old));
        self.fold_again(open);
        if let Some(slot) = focused {
            self.at = self.fields.iter().position(|field| field.slot == slot).map_or(At::Arm, At::Field);
        }
    }

    fn unfolded(&self) -> bool {
        self.fields.iter().any(|field| field.slot == Slot::Advanced && field.input.value().is_some())
    }

    /// The row under which what is rarely needed is folded, for what that is now: open if it was, or if something is
    /// written there.
    pub(super) fn fold_again(&mut self, open: bool) {
        self.fields.retain(|field| field.slot != Slot::Advanced);
        if self.folded.is_empty() || self.info.is_none() {
            return;
        }
        let after = self.fields.iter().rposition(|field| matches!(field.slot, Slot::Param(_))).unwrap_or(0);
        self.fields.insert(after + 1, fold(&self.folded));
        if open || !self.options().is_empty() {
            self.unfold(true);
        }
    }

    /// What is wrong with an option, if anything can be said against it here.
    pub(super) fn wrong_option(&self, name: &str, input: &Input) -> Option<String> {
        let value = input.value()?;
        let option = self.taken.iter().find(|option| option.name == *name)?;
        if let Err(why) = option.check(&value) {
            let whose = format!("the option {name}");
            // whose it is can be seen
            let why = why.strip_prefix(&whose).map_or(why.as_str(), |why| why.trim_start_matches([' ', ':']));
            return Some(why.to_owned());
        }
        let needs = option.needs.as_ref()?;
        let given = self.options().iter().any(|(other, _)| other == needs);
        let label = self.taken.iter().find(|other| other.name == *needs).map_or(needs.as_str(), LaunchOption::called);
        (!given).then(|| format!("means nothing without {label}"))
    }

    pub(super) fn about_option(&self, name: &str, input: &Input) -> Option<String> {
        let option = self.taken.iter().find(|option| option.name == *name)?;
        let mut parts = vec![option.describe.clone()];
        if let Input::Known(known) = input {
            let near = known.near();
            if !near.is_empty() {
                let more = if near.len() > TOLD { " …" } else { "" };
                parts.insert(0, format!("right completes: {}{more}", near[..near.len().min(TOLD)].join(" ")));
            }
        }
        parts.retain(|part| !part.is_empty());
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

/// A name is completed from those that there are.
fn input(option: &LaunchOption, written: String) -> Input {
    let text = Text::new(&written);
    match &option.known {
        Some(names) if !names.is_empty() => Input::Known(Known { text, names: names.clone() }),
        _ => Input::Text(text),
    }
}

fn is(field: &Field, name: &str) -> bool {
    matches!(&field.slot, Slot::Option(of) if of == name)
}

fn field(name: &str, label: &str, input: Input) -> Field {
    let slot = Slot::Option(name.to_owned());
    Field { block: 0, slot, label: label.to_owned(), input, note: String::new(), required: false }
}

#[cfg(test)]
mod tests {
    use crate::console::app::event::Effect;
    use crate::console::app::launch::{At, Field, Launch, Slot};
    use crate::console::app::sample;
    use crate::console::app::tree::Tree;
    use crate::model::options::LaunchOption;
    use crate::model::plan::PlanRequest;
    use crate::model::template::Template;
    use crate::model::wire::{Code, Problem};

    fn planned(launch: &mut Launch, taken: Vec<LaunchOption>) -> PlanRequest {
        launch.edited();
        let Some(Effect::Plan { serial, request, .. }) = launch.settle() else { panic!("{:?}", launch.problem) };
        let plan = crate::model::plan::Plan { taken, ..sample::plan(3) };
        launch.planned(serial, Ok(plan), &Tree::default());
        *request
    }

    fn field<'a>(launch: &'a mut Launch, name: &str) -> Option<&'a mut Field> {
        launch.fields.iter_mut().find(|field| matches!(&field.slot, Slot::Option(of) if of == name))
    }

    fn write(launch: &mut Launch, name: &str, value: &str) {
        field(launch, name).expect("the field").input.put(Some(value));
    }

    fn on(script: &str) -> Launch {
        Launch::new(&sample::library().scripts, Some(script), "macs")
    }

    #[test]
    fn they_come_folded_with_the_plan_and_go_with_it_unless_something_is_written() {
        let mut launch = on("os-patch.sh");
        launch.fields[1].input.put(Some("14.6"));
        assert!(field(&mut launch, "custom_attribute").is_none());
        planned(&mut launch, sample::taken());
        let fold = launch.fields.iter().find(|field| field.slot == Slot::Advanced).expect("folded under a row");
        assert_eq!(fold.note, "custom attribute, attribute regex");
        launch.unfold(true);
        let at = launch.fields.iter().position(|field| field.label == "attribute regex").unwrap();
        launch.at = At::Field(at);
        planned(&mut launch, vec![]);
        assert!(field(&mut launch, "custom_attribute").is_none());
        assert!(launch.fields.iter().all(|field| field.slot != Slot::Advanced));
        assert_eq!(launch.at, At::Arm, "the focus is nowhere else by chance");
        planned(&mut launch, sample::taken());
        launch.unfold(true);
        write(&mut launch, "custom_attribute", "cache_state");
        planned(&mut launch, vec![]);
        assert!(field(&mut launch, "custom_attribute").is_some(), "what is written can be seen and emptied");
        assert!(field(&mut launch, "custom_attribute_regex").is_none());
    }

    #[test]
    fn what_is_written_is_asked_for_and_told_to_the_shell() {
        let mut launch = on("disk-use.sh");
        planned(&mut launch, sample::taken());
        launch.unfold(true);
        write(&mut launch, "custom_attribute", "cache_state");
        write(&mut launch, "custom_attribute_regex", r"\n");
        let request = planned(&mut launch, sample::taken());
        let given = [("custom_attribute", "cache_state"), ("custom_attribute_regex", r"\n")];
        assert_eq!(request.options, given.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let line = launch.command_line();
        assert!(line.contains(" --option custom_attribute=cache_state --option "), "{line}");
        // another script is launched with them, too
        launch.fields[0].input.put(Some("failed-units.sh"));
        launch.script_chosen(&sample::library().scripts);
        assert_eq!(planned(&mut launch, sample::taken()).options, request.options);
    }

    #[test]
    fn the_names_that_there_are_are_told_beneath_the_field_and_completed() {
        let mut taken = sample::taken();
        taken[0].known = Some(vec!["cache_size".into(), "cache_state".into(), "site".into()]);
        let mut launch = on("disk-use.sh");
        planned(&mut launch, taken);
        launch.unfold(true);
        let at = launch.fields.iter().position(|field| field.label == "custom attribute").unwrap();
        launch.at = At::Field(at);
        let told = |launch: &Launch| launch.beneath(20, 140).expect("what it is for").1.concat();
        assert!(told(&launch).starts_with("right completes: cache_size cache_state site; "), "{}", told(&launch));
        for key in crate::console::keymap::macro_keys("ca<right>t<right>") {
            launch.fields[at].input.key(&key);
        }
        assert_eq!(launch.fields[at].input.value().as_deref(), Some("cache_state"));
        assert!(!told(&launch).contains("completes"), "it is one of them");
    }

    #[test]
    fn what_is_wrong_is_said_at_the_field_and_keeps_the_launch_back() {
        for (attribute, regex, said) in [
            ("a b", "", "custom attribute: is a name of letters, digits and _: 'a b' is none"),
            ("a", "(x", "attribute regex: a ) is missing"),
            ("", "x", "attribute regex: means nothing without custom attribute"),
        ] {
            let mut launch = on("disk-use.sh");
            planned(&mut launch, sample::taken());
            launch.unfold(true);
            write(&mut launch, "custom_attribute", attribute);
            write(&mut launch, "custom_attribute_regex", regex);
            assert_eq!(launch.request().unwrap_err(), said);
        }
    }

    #[test]
    fn of_a_rerun_the_parameters_are_said_that_are_others_than_the_job_had() {
        let mut launch = on("os-patch.sh");
        let had = [("version", "14.6"), ("window", "08-18")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        launch.fill(&had);
        launch.retry(&sample::job(12, &[]));
        launch.fields.iter_mut().find(|field| field.slot == Slot::Target).expect("where").input.put(Some("@failed:12"));
        assert_eq!(launch.command_line(), "quarterdeck rerun 12 --failed");
        launch.fields[1].input.put(Some("14.7"));
        assert!(launch.command_line().ends_with(" --param version=14.7"), "{}", launch.command_line());
    }

    #[test]
    fn a_rerun_and_a_template_bring_them_along_and_one_that_nobody_takes_can_be_emptied() {
        let given = vec![("custom_attribute".to_owned(), "cache_state".to_owned())];
        let mut launch = on("disk-use.sh");
        let job = crate::model::job::Job { options: given.clone(), ..sample::job(12, &[]) };
        launch.retry(&job);
        assert!(field(&mut launch, "custom_attribute").is_some(), "seen before there is a plan");
        assert_eq!(launch.request().unwrap().options, given);
        let again = |launch: &mut Launch| {
            let target = launch.fields.iter_mut().find(|field| field.slot == Slot::Target).expect("where");
            target.input.put(Some("@failed:12"));
            launch.command_line()
        };
        assert_eq!(again(&mut launch), "quarterdeck rerun 12 --failed", "the options of the job are those of the verb");
        write(&mut launch, "custom_attribute", "site");
        assert_eq!(again(&mut launch), "quarterdeck rerun 12 --failed --option custom_attribute=site");
        write(&mut launch, "custom_attribute", "");
        assert_eq!(again(&mut launch), "quarterdeck rerun 12 --failed --option custom_attribute=");
        let Some(Effect::Plan { serial, .. }) = launch.settle() else { panic!("no plan") };
        let problem = Problem { code: Code::Invalid, error: "they take none".into(), column: None };
        launch.planned(serial, Err(problem), &Tree::default());
        write(&mut launch, "custom_attribute", "");
        assert_eq!(planned(&mut launch, vec![]).options, []);
        assert!(field(&mut launch, "custom_attribute").is_none());

        let mut launch = on("disk-use.sh");
        planned(&mut launch, sample::taken());
        launch.unfold(true);
        write(&mut launch, "custom_attribute", "cache_state");
        let template = Template { name: "nightly".into(), form: launch.form() };
        let mut other = on("failed-units.sh");
        other.apply(&template, &sample::library().scripts);
        assert_eq!(other.request().unwrap().options, given);
        assert_eq!(other.form(), template.form);
        let plain = Template { name: "plain".into(), form: on("disk-use.sh").form() };
        other.apply(&plain, &sample::library().scripts);
        assert_eq!(other.request().unwrap().options, []);
    }
}
