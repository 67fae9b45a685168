//! A new script: in which library, by which template, under which name. Owns the dialog until it is sent; that the
//! engine made it, or not, is heard in [`super::files`].

use super::App;
use super::commands::Do;
use super::event::Effect;
use super::files::out;
use super::form::Text;
use super::layers::Next;
use crate::console::text;
use crate::model::script::remote;
use crate::model::script::template::{TEMPLATES, Template};
use crate::model::wire::Shelf;

#[derive(Debug)]
pub struct New {
    /// An index of [`New::offered`].
    pub template: usize,
    pub name: Text,
    /// Systems in whose own libraries a script can be made.
    pub places: Vec<Shelf>,
    /// The one it is made in, an index of `places`. `None`: the local library.
    pub place: Option<usize>,
    /// Why it is not made where the cursor was.
    pub elsewhere: Option<String>,
    pub problem: Option<String>,
    /// Asked for under this name.
    pub sent: Option<String>,
}

impl App {
    /// In the library that the cursor is in, where a script can be made there.
    pub(super) fn new_script(&self) -> New {
        let open = self.libraries.iter().filter(|shelf| shelf.closed.is_none());
        let places: Vec<Shelf> = open.cloned().collect();
        let branch = self.branch_here().map(|branch| branch.system.name.clone());
        let here = branch.or_else(|| self.chosen_script()?.connection.clone());
        let place = here.as_ref().and_then(|here| places.iter().position(|shelf| shelf.connection == *here));
        let closed = self.libraries.iter().filter(|shelf| Some(&shelf.connection) == here.as_ref());
        let elsewhere = closed.filter_map(|shelf| shelf.closed.as_deref()).next();
        let elsewhere = elsewhere.map(|why| format!("{}: {why}", here.as_deref().unwrap_or_default()));
        New { template: 0, name: Text::new(""), places, place, elsewhere, problem: None, sent: None }
    }
}

impl New {
    pub(super) fn go(&mut self, verb: Do, effects: &mut Vec<Effect>) -> Next {
        let count = self.offered().len();
        match verb {
            verb if out(verb) => return Next::Close,
            _ if self.sent.is_some() => {}
            Do::NextField if !self.places.is_empty() => self.turn(1),
            Do::PreviousField if !self.places.is_empty() => self.turn(self.places.len()),
            Do::Down | Do::NextField => self.template = (self.template + 1) % count,
            Do::Up | Do::PreviousField => self.template = (self.template + count - 1) % count,
            Do::Accept | Do::Open => {
                let name = self.full_name();
                if name.is_empty() {
                    self.problem = Some("write a name, such as fix-dns or web/fix-dns".into());
                } else {
                    let bytes = self.text(&name).into_bytes();
                    effects.push(Effect::SaveScript { name: name.clone(), base: None, bytes, force: false });
                    (self.problem, self.sent) = (None, Some(name));
                }
            }
            _ => {}
        }
        Next::Stay
    }

    /// So many libraries on, and round; the language stays, where it is offered there.
    fn turn(&mut self, by: usize) {
        let key = self.template().key;
        let all = self.places.len() + 1;
        let at = (self.place.map_or(0, |at| at + 1) + by) % all;
        self.place = at.checked_sub(1);
        self.template = self.offered().iter().position(|template| template.key == key).unwrap_or(0);
        (self.elsewhere, self.problem) = (None, None);
    }

    /// The languages that it can be begun in.
    pub fn offered(&self) -> Vec<&'static Template> {
        match self.shelf().and_then(|shelf| shelf.bare.as_ref()) {
            Some(_) => Template::offered_bare().collect(),
            None => TEMPLATES.iter().collect(),
        }
    }

    pub fn template(&self) -> &'static Template {
        self.offered().get(self.template).copied().unwrap_or(&TEMPLATES[0])
    }

    /// The system in whose library it is made: the one that is chosen, or that is written before the name.
    pub fn shelf(&self) -> Option<&Shelf> {
        let name = self.name.text().trim();
        let written = remote::split(name).map(|(connection, _)| connection);
        let written = written.and_then(|of| self.places.iter().find(|shelf| shelf.connection == of));
        written.or_else(|| self.places.get(self.place?))
    }

    /// As it will be called.
    pub fn full_name(&self) -> String {
        let name = self.name.text().trim();
        // (what a system keeps is called what it is called, without an ending of ours)
        match self.shelf() {
            _ if name.is_empty() => String::new(),
            Some(shelf) if name.strip_prefix(&shelf.connection).is_some_and(|rest| rest.starts_with(':')) => {
                name.to_owned()
            }
            Some(shelf) => format!("{}:{name}", shelf.connection),
            None => self.template().named(name),
        }
    }

    /// What it begins with.
    fn text(&self, name: &str) -> String {
        let own = remote::split(name).map_or(name, |(_, own)| own);
        let bare = self.shelf().and_then(|shelf| self.template().fill_bare(own, shelf.bare.as_ref()?));
        bare.unwrap_or_else(|| self.template().fill(if self.shelf().is_some() { own } else { name }))
    }

    /// Where it is made, for a person.
    pub fn library(&self, folder: &str) -> String {
        match self.shelf() {
            Some(shelf) => text::plain(&shelf.connection),
            None => format!("the library here, {}", text::plain(folder)),
        }
    }
}
