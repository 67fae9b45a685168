//! Signatures of running jobs that the job before did not have: heard of while runs end, made sure of by asking the
//! engine (at a bounded rate, a job at a time), told once. Refuses to guess: what is new is the engine's to say.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::console::app::notices::Level;
use crate::console::app::{App, Effect, Link, View};
use crate::console::text;
use crate::model::job::{JobId, Run};
use crate::model::label;
use crate::model::triage::Groups;

/// Between two questions about one job.
const PAUSE: SignedDuration = SignedDuration::from_secs(2);
/// Jobs, and signatures of one, that are kept in mind.
const JOBS: usize = 50;
const NAMES: usize = 500;
/// Named in one notice.
const NAMED: usize = 2;

#[derive(Debug, Default)]
pub struct News {
    jobs: BTreeMap<JobId, Heard>,
}

#[derive(Debug, Default)]
struct Heard {
    /// Of runs that went wrong.
    names: BTreeSet<String>,
    told: BTreeSet<String>,
    /// What was said last.
    said: Option<String>,
    /// There are names that the engine was not asked about.
    unasked: bool,
    asking: bool,
    asked_at: Option<Timestamp>,
}

impl Heard {
    fn due(&self) -> Option<Timestamp> {
        let open = self.unasked && !self.asking;
        open.then(|| self.asked_at.map_or(Timestamp::UNIX_EPOCH, |at| at + PAUSE))
    }
}

impl News {
    /// Runs of a job that goes on have changed.
    pub fn hear(&mut self, job: JobId, runs: &[Run]) {
        for run in runs.iter().filter(|run| run.state.bad()) {
            let Some(signature) = &run.signature else { continue };
            let heard = self.jobs.entry(job).or_default();
            if heard.names.len() < NAMES && !heard.names.contains(&signature.name) {
                heard.names.insert(signature.name.clone());
                heard.unasked = true;
            }
        }
        while self.jobs.len() > JOBS {
            self.jobs.pop_first();
        }
    }

    pub fn due(&self) -> Option<Timestamp> {
        self.jobs.values().filter_map(Heard::due).min()
    }

    pub fn ask(&mut self, now: Timestamp) -> Option<Effect> {
        let (job, heard) = self.jobs.iter_mut().find(|(_, heard)| heard.due().is_some_and(|due| due <= now))?;
        (heard.unasked, heard.asking, heard.asked_at) = (false, true, Some(now));
        Some(Effect::LoadGroups { job: *job, exact: false, base: None })
    }

    /// Nothing is on its way any more.
    pub fn reset(&mut self) {
        for heard in self.jobs.values_mut() {
            (heard.unasked, heard.asking) = (heard.unasked || heard.asking, false);
        }
    }

    /// Labels and words of what is new and was not told yet. Groups that could not be read tell nothing.
    fn answered(&mut self, job: JobId, groups: Option<&Groups>) -> Vec<String> {
        let Some(heard) = self.jobs.get_mut(&job) else { return Vec::new() };
        heard.asking = false;
        let Some(groups) = groups else { return Vec::new() };
        let labels = label::labels(groups);
        let new = groups.groups.iter().zip(labels).filter(|(group, _)| group.is_new() && group.state.bad());
        let untold = new.filter(|(group, _)| heard.told.insert(group.signature.clone()));
        untold
            .map(|(group, label)| {
                let code = group.exit_code.map_or_else(|| group.state.word().to_owned(), |code| format!("rc {code}"));
                format!("{label} ({}, {code})", who(&group.devices))
            })
            .collect()
    }
}

/// The node set without its connection, where it is one, cut to be short.
fn who(devices: &str) -> String {
    let named = match devices.split_once(':') {
        Some((connection, names)) => names.replace(&format!(",{connection}:"), ","),
        None => devices.to_owned(),
    };
    text::clip_middle(&text::plain(&named), 28)
}

impl App {
    /// The engine said how a job's runs ended.
    pub(in crate::console::app) fn news_of(&mut self, job: JobId, groups: Option<&Groups>) {
        let new = self.news.answered(job, groups);
        let shown = self.view == View::Groups && self.triage.as_ref().is_some_and(|triage| triage.job == job);
        if new.is_empty() || shown {
            return;
        }
        let more = new.len().saturating_sub(NAMED);
        let named = new.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let word = if new.len() == 1 { "new signature" } else { "new signatures" };
        let live = self.view == View::Live && self.live.as_ref().is_some_and(|live| live.id == job);
        let (before, way) = match live {
            true => (String::new(), format!("press {} for groups", self.key_of("job", "groups"))),
            false => (format!("job {job}: "), format!("{} on the job shows its groups", self.key_of("jobs", "groups"))),
        };
        let said = format!("{before}{word} {named}{more} - {way}");
        self.news.jobs.entry(job).or_default().said = Some(said.clone());
        self.say(Level::Warn, said);
    }

    /// The groups are on screen: what points to them need not cover what they say.
    pub(in crate::console::app) fn heed_news(&mut self, job: JobId) {
        if let Some(said) = self.news.jobs.get_mut(&job).and_then(|heard| heard.said.take()) {
            self.notices.heeded(&said);
        }
    }

    /// Runs of a job that was just read: what went wrong before one looked is news as well.
    pub(in crate::console::app) fn hear_held(&mut self) {
        let job = self.held.as_ref().and_then(|held| held.job.as_ref());
        if let Some(job) = job.filter(|job| !job.summary.state.ended()) {
            self.news.hear(job.summary.id, &job.runs);
        }
    }

    pub(in crate::console::app) fn ask_news(&mut self, effects: &mut Vec<Effect>) {
        if self.link == Link::Attached {
            effects.extend(self.news.ask(self.now));
        }
    }

    pub(in crate::console::app) fn news_wake(&self) -> Option<Timestamp> {
        self.news.due().filter(|_| self.link == Link::Attached)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::app::Event;
    use crate::console::app::sample::{Session, at};
    use crate::model::job::Signature;
    use crate::model::state::RunState;
    use crate::model::wire;

    fn failed(session: &Session, index: usize, signature: &str) -> Run {
        let signature = Some(Signature { name: signature.into(), says: String::new(), told: None });
        Run { state: RunState::Failed, signature, ..session.jobs[0].runs[index].clone() }
    }

    fn tell(session: &mut Session, run: Run) {
        session.tell(Event::Engine(wire::Event::Runs { job: 12, runs: vec![run] }));
    }

    const NEW: &str = "new signature S1 (web006, rc 69)";

    #[test]
    fn devices_of_one_connection_are_named_without_it() {
        for (devices, named) in [
            ("lab:web006", "web006"),
            ("lab:db03,lab:web[11,13]", "db03,web[11,13]"),
            ("lab:web1,ws:web1", "web1,ws:web1"),
        ] {
            assert_eq!(who(devices), named);
        }
    }

    #[test]
    fn what_the_job_before_did_not_have_is_told_once_with_the_way_to_it() {
        for (way, says) in [("3<enter>", "press u for groups"), ("", "u on the job shows its groups")] {
            let mut session = Session::new((120, 24), true);
            session.keys(way);
            let run = failed(&session, 5, "v1:5e0c7b1a90d24f3e");
            tell(&mut session, run);
            let screen = session.screen();
            assert!(screen.contains(NEW) && screen.contains(says), "{way}: {screen}");
            session.keys(if way.is_empty() { "3u" } else { "u" });
            assert!(!session.screen().contains(NEW), "it covers what it points to: {}", session.screen());
            session.keys("<esc>");
            let run = failed(&session, 22, "v1:other");
            tell(&mut session, run);
            let later = session.app.wake().unwrap_or(at(200)).max(at(200));
            session.tell(Event::Tick(later));
            assert!(!session.screen().contains(NEW), "told again: {}", session.screen());
        }
    }

    #[test]
    fn a_flood_of_signatures_is_few_questions() {
        let mut session = Session::new((80, 24), true);
        let mut asked = 0;
        for n in 0..1000 {
            let run = failed(&session, n % 400, &format!("v1:{n:016x}"));
            let event = Event::Engine(wire::Event::Runs { job: 12, runs: vec![run] });
            asked += session.app.update(event).iter().filter(|e| matches!(e, Effect::LoadGroups { .. })).count();
        }
        assert_eq!(asked, 1);
    }

    #[test]
    fn where_the_groups_are_on_screen_nothing_need_be_said() {
        let mut session = Session::new((120, 24), true);
        session.keys("3u");
        let run = failed(&session, 5, "v1:5e0c7b1a90d24f3e");
        tell(&mut session, run);
        assert!(!session.screen().contains("new signature S1 ("), "{}", session.screen());
    }
}
