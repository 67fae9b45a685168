//! Past jobs of systems that keep some, brought in: who is asked, how far that is, and what came of it. The engine does
//! it, whether a console waits or not; the jobs come as all jobs do.

use super::notices::Level;
use super::{App, Effect};
use crate::model::import::Import;
use crate::model::nearest;
use crate::model::wire::Problem;

impl App {
    /// Connections that keep the jobs that they ran.
    pub(super) fn keeping(&self) -> impl Iterator<Item = &str> {
        let all = self.tree.targets.connections.iter();
        all.filter(|connection| connection.capabilities.past_jobs).map(|connection| connection.name.as_str())
    }

    pub(super) fn why_not_import(&self) -> Option<String> {
        let none = self.keeping().next().is_none();
        none.then(|| "no connection here keeps past jobs; a SimpleMDM account would".to_owned())
    }

    /// By its name.
    pub(super) fn keeps_jobs(&self, name: &str) -> Result<String, String> {
        if self.keeping().any(|known| known == name) {
            return Ok(name.to_owned());
        }
        if self.tree.targets.connections.iter().any(|known| known.name == name) {
            return Err(format!("{name} keeps no jobs that could be brought in"));
        }
        let names = self.keeping().collect::<Vec<_>>();
        Err(format!("no connection is called {name}{}", nearest::hint(name, names)))
    }

    /// From one connection, or from all that keep jobs.
    pub(super) fn bring_in(&mut self, only: Option<&str>, effects: &mut Vec<Effect>) {
        let meant = self.keeping().filter(|name| only.is_none_or(|only| only == *name));
        let meant: Vec<String> = meant.map(str::to_owned).collect();
        for connection in meant {
            if self.imports.get(&connection).is_some_and(|import| import.going) {
                self.say(Level::Info, self.imports[&connection].says());
                continue;
            }
            let import = Import { going: true, ..Import::of(&connection) };
            self.say(Level::Info, import.says());
            self.imports.insert(connection.clone(), import);
            effects.push(Effect::Import { connection, begun: false });
        }
    }

    /// How far it is; asked again until it has ended.
    pub(super) fn brought_in(
        &mut self,
        connection: String,
        answer: Result<Import, Problem>,
        effects: &mut Vec<Effect>,
    ) {
        match answer {
            Ok(import) if import.going => {
                self.imports.insert(connection.clone(), import);
                effects.push(Effect::Import { connection, begun: true });
            }
            Ok(import) => {
                self.imports.remove(&connection);
                let level = if import.problem.is_some() { Level::Error } else { Level::Info };
                self.say(level, import.says());
            }
            Err(problem) => {
                self.imports.remove(&connection);
                self.say(Level::Error, format!("past jobs of {connection}: {}", problem.error));
            }
        }
    }

    /// `macs 12/40`: of those that are being brought in.
    pub fn bringing_in(&self) -> Option<String> {
        let far = |import: &Import| match import.found {
            0 => format!("{} …", import.connection),
            found => format!("{} {}/{found}", import.connection, import.done),
        };
        let going: Vec<String> = self.imports.values().filter(|import| import.going).map(far).collect();
        (!going.is_empty()).then(|| going.join("  "))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Event;
    use super::super::sample::{self, Session};
    use super::*;

    fn session() -> Session {
        let mut session = Session::starting((80, 24), true);
        let mut macs = sample::connection("macs", "simplemdm", 0);
        macs.capabilities.past_jobs = true;
        session.targets.connections.push(macs);
        session.attach();
        session
    }

    fn told(session: &mut Session, import: Import) {
        session.tell(Event::Imported { connection: "macs".into(), answer: Ok(import) });
    }

    /// What the engine was asked for in this matter since the last look.
    fn asked(session: &mut Session) -> Vec<Effect> {
        let mut sent = std::mem::take(&mut session.sent);
        sent.retain(|effect| matches!(effect, Effect::Import { .. }));
        sent
    }

    #[test]
    fn past_jobs_are_asked_for_told_of_while_they_come_and_counted_when_they_are_here() {
        let mut session = session();
        session.keys(":import macs<enter>");
        assert!(session.screen().contains("macs 12/40"), "{}", session.screen());
        let asks = |begun| Effect::Import { connection: "macs".into(), begun };
        assert_eq!(asked(&mut session), [asks(true)], "it is asked how far it is");
        told(&mut session, Import { going: true, found: 40, done: 39, ..Import::of("macs") });
        assert!(session.screen().contains("macs 39/40"), "{}", session.screen());
        assert_eq!(asked(&mut session), [asks(true)], "and again");
        told(&mut session, Import { found: 40, done: 40, added: 38, updated: 2, ..Import::of("macs") });
        let screen = session.screen();
        assert!(screen.contains("38 past jobs brought in, 2 brought up to date"), "{screen}");
        assert!(!screen.contains("40/40"), "{screen}");
        assert_eq!(asked(&mut session), []);
    }

    #[test]
    fn what_breaks_off_says_why_and_that_it_goes_on_there() {
        let mut session = session();
        session.keys(":import<enter>");
        told(&mut session, Import { done: 7, problem: Some("no answer".into()), ..Import::of("macs") });
        let screen = session.screen();
        assert!(screen.contains("broke off after 7 past jobs: no answer"), "{screen}");
    }

    #[test]
    fn only_from_a_system_that_keeps_jobs() {
        let mut session = session();
        session.keys(":import lab<enter>");
        assert!(session.screen().contains("lab keeps no jobs"), "{}", session.screen());
        let mut session = Session::new((80, 24), true);
        session.keys(":import<enter>");
        assert_eq!(asked(&mut session), []);
        assert!(session.screen().contains("no connection here keeps past jobs"), "{}", session.screen());
    }
}
