//! Launches kept under a name: saving the launch dialog as one, filling it in from one, forgetting one. The engine keeps
//! the files; before one is saved over or forgotten the operator is asked, with Cancel focused.

use super::commands::Do;
use super::form::Input;
use super::launch::{Launch, Slot};
use super::layers::Next;
use super::notices::Level;
use super::prompt::{Prompt, Purpose};
use super::{App, Effect, Event, Layer};
use crate::model::template::{Template, Templates, check_name};
use crate::model::wire::{Code, Problem};

/// The question before something is lost.
#[derive(Debug)]
pub struct Ask {
    pub what: What,
    pub on_yes: bool,
}

#[derive(Debug)]
pub enum What {
    /// Another one has this name.
    Replace(Template),
    Forget(String),
}

impl Ask {
    fn new(what: What) -> Self {
        Self { what, on_yes: false }
    }

    /// The button that does it.
    pub const fn word(&self) -> &'static str {
        match self.what {
            What::Replace(_) => "Replace",
            What::Forget(_) => "Forget",
        }
    }
}

impl App {
    /// What the engine says of templates.
    pub(super) fn template_event(&mut self, event: Event, effects: &mut Vec<Effect>) {
        match event {
            Event::Templates(Ok(Templates { all, warnings })) => {
                self.notices.read(self.now, "the templates", warnings);
                self.templates = all;
                if let Some(launch) = self.layers.iter_mut().find_map(Layer::launch_mut) {
                    launch.know(&self.templates);
                }
            }
            Event::Templates(Err(problem)) => {
                self.say(Level::Error, format!("the templates could not be read: {}", problem.error));
            }
            Event::TemplateKept { template, answer } => self.template_kept(template, answer, effects),
            Event::TemplateForgotten { name, answer } => {
                match answer {
                    Ok(()) => self.hint = Some(format!("the template {name} is forgotten")),
                    Err(problem) => self.say(Level::Error, problem.error),
                }
                effects.push(Effect::LoadTemplates);
            }
            _ => {}
        }
    }

    fn template_kept(&mut self, template: Template, answer: Result<(), Problem>, effects: &mut Vec<Effect>) {
        match answer {
            Ok(()) => {
                self.hint = Some(format!("saved as template {}; secrets are asked for each time", template.name));
                self.templates.retain(|known| known.name != template.name);
                self.templates.push(template.clone());
                self.templates.sort_by(|a, b| a.name.cmp(&b.name));
                if let Some(launch) = self.layers.iter_mut().find_map(Layer::launch_mut) {
                    launch.kept_as(&template, &self.templates);
                }
                effects.push(Effect::LoadTemplates);
            }
            Err(problem) if problem.code == Code::Unconfirmed => {
                self.layers.push(Layer::Template(Ask::new(What::Replace(template))));
            }
            Err(problem) => self.say(Level::Error, format!("not saved: {}", problem.error)),
        }
    }

    /// The line for the name, with the one that the form came from.
    pub(super) fn open_save_template(&mut self, launch: &Launch) -> Layer {
        let prompt = Prompt::new(Purpose::Template, &launch.template().unwrap_or_default());
        Layer::Prompt(Box::new(prompt))
    }

    /// The name is written. `false`: it cannot be one.
    pub(super) fn template_named(&mut self, prompt: &mut Prompt, effects: &mut Vec<Effect>) -> bool {
        let name = prompt.text.text().trim().to_owned();
        if let Err(why) = check_name(&name) {
            prompt.problem = Some((None, why));
            return false;
        }
        if let Some(launch) = self.launch() {
            let template = Template { name, form: launch.form() };
            effects.push(Effect::KeepTemplate { template, replace: false });
        }
        true
    }

    /// Asks before the chosen template is forgotten; `None`: none is chosen.
    pub(super) fn ask_forget(&mut self, launch: &Launch) -> Option<Layer> {
        let Some(name) = launch.template() else {
            self.hint = Some("choose the template first: field template, in block a".into());
            return None;
        };
        Some(Layer::Template(Ask::new(What::Forget(name))))
    }

    pub(super) fn in_template(&mut self, ask: &mut Ask, verb: Do, effects: &mut Vec<Effect>) -> Next {
        match verb {
            Do::Cancel | Do::Back | Do::QuitOrBack => return Next::Close,
            Do::NextField | Do::PreviousField | Do::Down | Do::Up | Do::Collapse | Do::Expand => {
                ask.on_yes = !ask.on_yes;
            }
            Do::Accept | Do::Open => {
                if ask.on_yes {
                    effects.push(match &ask.what {
                        What::Replace(template) => Effect::KeepTemplate { template: template.clone(), replace: true },
                        What::Forget(name) => Effect::ForgetTemplate(name.clone()),
                    });
                }
                return Next::Close;
            }
            _ => {}
        }
        Next::Stay
    }

    /// A choice or a flag of the launch dialog was changed.
    pub(super) fn chosen_in(&mut self, launch: &mut Launch, slot: &Slot) {
        match slot {
            Slot::Script => launch.script_chosen(&self.scripts),
            // nothing that is launched is different
            Slot::Advanced => {
                let open = launch.focused().is_some_and(|field| field.input.value().is_some());
                return launch.unfold(open);
            }
            Slot::Template => {
                let name = launch.template();
                if let Some(template) = name.and_then(|name| self.templates.iter().find(|known| known.name == name)) {
                    launch.apply(template, &self.scripts);
                    let script = &template.form.script;
                    if launch.script().is_none() && !script.is_empty() {
                        self.hint = Some(format!("{} runs {script}, which is not in the library", template.name));
                    }
                }
            }
            _ => {}
        }
        launch.edited();
    }
}

impl Layer {
    fn launch_mut(&mut self) -> Option<&mut Launch> {
        match self {
            Layer::Launch(launch) => Some(launch),
            _ => None,
        }
    }
}

impl Launch {
    /// The form is what was just kept under this name.
    fn kept_as(&mut self, template: &Template, all: &[Template]) {
        self.know(all);
        if let Some(field) = self.fields.iter_mut().find(|field| field.slot == Slot::Template)
            && let Input::Choice { of, at, .. } = &mut field.input
        {
            *at = of.iter().position(|name| *name == template.name);
        }
        self.know_filled(template.form.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::app::sample::Session;

    fn field(session: &Session, slot: &Slot) -> String {
        let launch = session.app.launch().expect("the dialog is open");
        launch.fields.iter().find(|field| field.slot == *slot).and_then(|field| field.input.value()).unwrap_or_default()
    }

    /// os-patch.sh on web, version 14.6, under a name that is typed.
    fn saved(session: &mut Session, name: &str) -> Option<Template> {
        session.keys("jjjr<A-a><tab>14.6<A-b>web<A-s>").keys(name).keys("<enter>");
        match sent(session).pop() {
            Some(Effect::KeepTemplate { template, replace: false }) => Some(template),
            _ => None,
        }
    }

    /// What was sent since, but for the lines that prompts remember.
    fn sent(session: &mut Session) -> Vec<Effect> {
        let all = std::mem::take(&mut session.sent);
        all.into_iter().filter(|effect| !matches!(effect, Effect::SaveHistory { .. })).collect()
    }

    fn keep(session: &mut Session, template: &Template) {
        session.templates.push(template.clone());
        session.tell(Event::TemplateKept { template: template.clone(), answer: Ok(()) });
    }

    #[test]
    fn a_launch_is_saved_without_its_secrets_and_comes_back_whole() {
        let mut session = Session::new((80, 24), true);
        let template = saved(&mut session, "nightly").expect("it is kept");
        assert_eq!((template.name.as_str(), template.form.script.as_str()), ("nightly", "os-patch.sh"));
        assert_eq!(template.form.target, "web");
        assert_eq!(template.form.params["version"], ["14.6"]);
        assert!(!template.form.params.contains_key("token"), "a secret is not kept");
        keep(&mut session, &template);
        assert_eq!(field(&session, &Slot::Template), "nightly");
        // into a dialog on another script
        session.keys("<esc>ggr");
        let launch = session.app.launch().unwrap();
        let at = launch.fields.iter().position(|field| field.slot == Slot::Template).unwrap();
        session.keys("<A-a>").keys(&"<tab>".repeat(at)).keys("<right>");
        let launch = session.app.launch().unwrap();
        assert_eq!(launch.form(), template.form);
        assert!(!launch.armed(), "a filled in form is not armed");
    }

    #[test]
    fn a_name_that_is_taken_is_asked_about_with_cancel_focused() {
        let mut session = Session::new((80, 24), true);
        let template = saved(&mut session, "nightly").unwrap();
        let taken = || Problem { code: Code::Unconfirmed, error: "there already".into(), column: None };
        session.tell(Event::TemplateKept { template: template.clone(), answer: Err(taken()) });
        session.keys("<enter>");
        assert_eq!(sent(&mut session), [], "enter alone replaces nothing");
        session.tell(Event::TemplateKept { template: template.clone(), answer: Err(taken()) });
        session.keys("<tab><enter>");
        assert_eq!(sent(&mut session), [Effect::KeepTemplate { template, replace: true }]);
    }

    #[test]
    fn a_template_is_forgotten_after_a_question() {
        let mut session = Session::new((80, 24), true);
        let template = saved(&mut session, "nightly").unwrap();
        session.keys("<A-d>:forget-template<enter>");
        assert!(session.app.hint.as_deref().is_some_and(|hint| hint.contains("choose the template")));
        keep(&mut session, &template);
        session.keys("<A-d>:forget-template<enter>").keys("<enter>");
        assert_eq!(sent(&mut session), []);
        session.keys(":forget-template<enter>").keys("<tab><enter>");
        assert_eq!(sent(&mut session), [Effect::ForgetTemplate("nightly".into())]);
    }

    #[test]
    fn what_cannot_be_a_name_is_said_and_can_be_put_right() {
        let mut session = Session::new((80, 24), true);
        assert_eq!(saved(&mut session, "../x"), None);
        assert!(session.screen().contains("cannot name a template"), "{}", session.screen());
        session.keys("<C-u>x<enter>");
        assert!(matches!(sent(&mut session).as_slice(), [Effect::KeepTemplate { .. }]));
    }
}
