//! In which contexts a key is looked up, innermost first: by what is topmost, and below it by the view and its pane.
//! Owns nothing; which command a key then means is the keymap's affair.

use super::files::Files;
use super::prompt::Purpose;
use super::{App, Layer, Pane, View};

impl App {
    /// Where keys are looked up, innermost first.
    pub fn contexts(&self) -> &'static [&'static str] {
        self.contexts_of(self.layers.last())
    }

    /// The same for the place below all menus and help: what their commands are for.
    pub fn place_contexts(&self) -> &'static [&'static str] {
        let menu = |layer: &&Layer| match layer {
            Layer::Menu(_) | Layer::Palette(_) | Layer::Help(_) => true,
            Layer::Prompt(prompt) => prompt.purpose == Purpose::Command,
            _ => false,
        };
        self.contexts_of(self.layers.iter().rev().find(|layer| !menu(layer)))
    }

    fn contexts_of(&self, layer: Option<&Layer>) -> &'static [&'static str] {
        match layer {
            Some(Layer::Launch(launch)) if launch.picker.is_none() && launch.devices.is_none() => {
                &["launch", "dialog", "list", "global"]
            }
            Some(Layer::Help(_)) => &["help", "dialog", "list", "global"],
            Some(Layer::Prompt(_)) => &["prompt", "global"],
            Some(Layer::Palette(_)) => &["prompt", "list", "global"],
            Some(Layer::Diff(_)) => &["diff", "dialog", "list", "global"],
            Some(Layer::Files(files)) if matches!(**files, Files::Versions(_) | Files::Trash(_) | Files::With(_)) => {
                &["versions", "dialog", "list", "global"]
            }
            Some(Layer::Pages(pages)) if pages.reads => &["view", "text", "list", "dialog", "global"],
            Some(Layer::Pages(_)) => &["text", "list", "dialog", "global"],
            Some(_) => &["dialog", "list", "global"],
            None => self.view_contexts(),
        }
    }

    pub fn view_contexts(&self) -> &'static [&'static str] {
        match (self.view, self.overview.focus) {
            (View::Editor, _) => self.editor_contexts(),
            (View::Live, _) if self.list_here().is_some() => &["job", "retry", "list", "text", "global"],
            (View::Live, _) => &["job", "retry", "text", "list", "global"],
            (View::Groups, _) => self.triage_contexts(),
            (View::Past, _) => &["past", "list", "global"],
            (View::Changes, _) => &["changes", "list", "global"],
            // While a filter is on, n is the next match.
            (View::Overview, Pane::Scripts) if !self.overview.script_look.filter.is_empty() => {
                &["match", "scripts", "list", "global"]
            }
            (View::Overview, Pane::Scripts) => &["scripts", "list", "global"],
            (View::Overview, Pane::Targets) => &["targets", "list", "global"],
            (View::Overview, Pane::Jobs) => &["jobs", "retry", "list", "global"],
            (View::Overview, Pane::Preview) => match self.overview.subject {
                Pane::Targets => &["text", "targets", "list", "global"],
                Pane::Jobs => &["text", "jobs", "retry", "list", "global"],
                Pane::Scripts | Pane::Preview => &["text", "scripts", "list", "global"],
            },
        }
    }
}
