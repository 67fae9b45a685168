//! Targets saved under a name: the words of the command line that save, replace and forget them, from an expression,
//! from what is marked, or from the group that is looked at. The engine keeps them, so that every console and every verb
//! knows `@name`.

use super::act::Act;
use super::notices::Level;
use super::tree::Kind;
use super::{App, View, marks};
use crate::model::saved::{SavedTarget, check_name};
use crate::model::wire::{Code, Problem};

/// What became of a saved target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saving {
    Saved,
    Forgotten,
}

const WORDS: [&str; 3] = ["save", "replace", "forget"];

impl App {
    /// The rest of a line that begins with `group` or `target` is about saving. A group of such a name is gone to.
    pub(super) fn saves(&self, word: &str, rest: &str) -> bool {
        let first = rest.split_whitespace().next().unwrap_or_default();
        let group = word == "group" && self.tree.targets.groups.iter().any(|group| group.name == rest);
        WORDS.contains(&first) && !group && (word == "target" || first != "forget")
    }

    pub(super) fn saving_line(&self, word: &str, rest: &str) -> Result<Act, String> {
        let mut parts = rest.splitn(3, char::is_whitespace);
        let (verb, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let name = name.trim_start_matches('@');
        let expr = parts.next().unwrap_or_default().trim();
        if name.is_empty() {
            return Err(format!("{verb} under which name? write {word} {verb} NAME"));
        }
        check_name(name)?;
        if verb == "forget" {
            return Ok(Act::Forget(name.to_owned()));
        }
        let expr = match (word, expr) {
            ("group", "") => self.group_as_target()?,
            ("group", _) => return Err("a group is saved as it is: write group save NAME".into()),
            (_, "") => self.target_here()?,
            (_, expr) => expr.to_owned(),
        };
        let target = SavedTarget { name: name.to_owned(), expr };
        Ok(Act::Save { target, replace: verb == "replace" })
    }

    /// The devices of the group that is looked at, as they are now.
    fn group_as_target(&self) -> Result<String, String> {
        let Some((triage, job)) = self.sorted().filter(|_| self.view == View::Groups) else {
            return Err("only among the groups of a job: a target is saved with target save NAME EXPRESSION".into());
        };
        let runs = triage.members.of.iter().filter_map(|run| job.runs.get(*run as usize));
        let target = marks::exactly(runs.map(|run| run.device.as_str()));
        if target.is_empty() { Err("no device is in this group".into()) } else { Ok(target) }
    }

    /// What is marked among the targets, else what is under the cursor.
    fn target_here(&self) -> Result<String, String> {
        let marked = self.tree.marked();
        if !marked.is_empty() {
            return Ok(marked);
        }
        let row = self.tree.rows.get(self.overview.targets.at).filter(|row| row.kind != Kind::Heading);
        row.map(|row| row.term.clone()).ok_or_else(|| "no target here: write target save NAME EXPRESSION".into())
    }

    pub(super) fn target_saved(&mut self, name: &str, answer: Result<Saving, Problem>) {
        match answer {
            Ok(Saving::Saved) => {
                self.say(Level::Info, format!("saved as @{name}: any target expression can use it, here and in verbs"));
            }
            Ok(Saving::Forgotten) => self.say(Level::Info, format!("@{name} is forgotten")),
            Err(problem) if problem.code == Code::Unconfirmed => {
                self.say(
                    Level::Error,
                    format!("@{name} is there already: `replace {name}` instead of `save {name}` replaces it"),
                );
            }
            Err(problem) => self.say(Level::Error, format!("not saved: {}", problem.error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Effect;
    use super::super::sample::Session;
    use super::*;

    fn saved(session: &Session) -> Option<(String, String, bool)> {
        session.sent.iter().find_map(|effect| match effect {
            Effect::SaveTarget { target, replace } => Some((target.name.clone(), target.expr.clone(), *replace)),
            _ => None,
        })
    }

    #[test]
    fn the_group_that_is_looked_at_becomes_a_target_of_exactly_its_devices() {
        let mut session = Session::new((80, 24), true);
        session.keys("3u:group save s1-cdn<enter>");
        assert_eq!(saved(&session), Some(("s1-cdn".into(), "lab:web006".into(), false)));
        session.sent.clear();
        session.keys(":group replace @s1-cdn<enter>");
        assert_eq!(saved(&session).map(|saved| (saved.0, saved.2)), Some(("s1-cdn".into(), true)));
    }

    #[test]
    fn a_target_is_saved_from_the_line_from_marks_and_from_the_cursor() {
        for (keys, expr) in
            [(":target save nightly web & !db<enter>", "web & !db"), ("2jjl<space>:target save nightly<enter>", "lab")]
        {
            let mut session = Session::new((80, 24), true);
            session.keys(keys);
            assert_eq!(saved(&session).map(|saved| saved.1).as_deref(), Some(expr), "{keys}");
        }
    }

    #[test]
    fn what_cannot_be_saved_is_told_on_the_line() {
        for (line, says) in [
            (":group save x", "only among the groups of a job"),
            (":target save", "under which name"),
            (":target save all web", "has a meaning of its own"),
            (":target save a/b web", "cannot name a target"),
        ] {
            let mut session = Session::new((120, 24), true);
            session.keys(line).keys("<enter>");
            assert!(session.screen().contains(says), "{line}: {}", session.screen());
            assert_eq!(saved(&session), None, "{line}");
        }
    }

    #[test]
    fn what_the_engine_keeps_stands_among_the_targets_by_its_name() {
        let mut session = Session::new((80, 24), true);
        session.targets.saved = vec![SavedTarget { name: "s1-cdn".into(), expr: "lab:web[001-003]".into() }];
        session.keys("<C-r>2");
        let screen = session.screen();
        assert!(screen.contains("saved") && screen.contains("* @s1-cdn"), "{screen}");
        session.keys("Ge");
        assert!(session.screen().contains(":target replace s1-cdn lab:web[001-003]"), "{}", session.screen());
    }
}
