//! What a stop can reach: of the runs at work, those on a system that can end nothing go on, whatever is asked. Says how
//! many that are and why, for the key's reason, for what it would touch and for its dialog; changes nothing.

use std::collections::HashSet;

use super::{App, Layer, View};
use crate::model::connection::cannot_stop;
use crate::model::job::{JobSummary, Run};
use crate::model::script::remote;
use crate::model::state::{Counts, RunState};

/// Runs that have not ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Not sent to; sent, and not started; running, where that can be ended.
    pub queued: u32,
    pub sent: u32,
    pub running: u32,
    /// They run and cannot be ended, and why.
    pub endless: u32,
    pub why: Option<String>,
}

impl Reach {
    /// Of what runs everything can be ended.
    pub fn of(counts: &Counts) -> Self {
        Self { queued: counts.queued, sent: counts.sent, running: counts.running, ..Self::default() }
    }

    pub fn touched(&self) -> u32 {
        self.queued + self.sent + self.running
    }

    fn add(&mut self, other: Self) {
        self.queued += other.queued;
        self.sent += other.sent;
        self.running += other.running;
        self.endless += other.endless;
        self.why = self.why.take().or(other.why);
    }
}

impl App {
    /// Why what runs on the devices of a connection goes on. `None`: it can be ended, or the connection is not known.
    fn endless(&self, connection: &str) -> Option<String> {
        let known = self.tree.targets.connections.iter().find(|known| known.name == connection)?;
        (!known.capabilities.cancel_running).then(|| cannot_stop(&known.kind))
    }

    fn of_runs<'a>(&self, runs: impl IntoIterator<Item = &'a Run>) -> Reach {
        let mut reach = Reach::default();
        for run in runs {
            let connection = || run.device.split(':').next().unwrap_or_default();
            match run.state {
                RunState::Queued => reach.queued += 1,
                RunState::Sent => reach.sent += 1,
                RunState::Running => match self.endless(connection()) {
                    Some(why) => (reach.endless, reach.why) = (reach.endless + 1, Some(why)),
                    None => reach.running += 1,
                },
                _ => {}
            }
        }
        reach
    }

    /// Of a job whose runs are not at hand: a system's own script runs on its kind alone.
    fn of_job(&self, job: &JobSummary) -> Reach {
        if let Some(held) = self.held.as_ref().filter(|held| held.id == job.id).and_then(|held| held.job.as_ref()) {
            return self.of_runs(&held.runs);
        }
        let reach = Reach::of(&job.counts);
        match remote::split(&job.script).and_then(|(connection, _)| self.endless(connection)) {
            Some(why) if reach.running > 0 => Reach { running: 0, endless: reach.running, why: Some(why), ..reach },
            _ => reach,
        }
    }

    /// What a stop would be about: the marked runs of a job, or the jobs that are meant.
    pub(super) fn reach(&self) -> Reach {
        let marked = self.marked_runs();
        if matches!(self.view, View::Live | View::Groups) && !marked.is_empty() {
            return self.of_runs(marked);
        }
        let mut reach = Reach::default();
        for job in self.chosen_jobs().into_iter().filter(|job| !job.state.ended()) {
            reach.add(self.of_job(job));
        }
        reach
    }

    /// The stop dialog says how many there are now.
    pub(super) fn settle_stop(&mut self) {
        let open = self.layers.iter().rposition(|layer| matches!(layer, Layer::Stop(_)));
        let Some((at, Layer::Stop(stop))) = open.and_then(|at| Some((at, self.layers.get(at)?))) else { return };
        let reach = if stop.devices.is_empty() {
            let mut reach = Reach::default();
            let meant = self.jobs.iter().filter(|job| stop.jobs.contains(&job.id) && !job.state.ended());
            meant.for_each(|job| reach.add(self.of_job(job)));
            reach
        } else {
            let held = self.held.as_ref().filter(|held| stop.jobs.contains(&held.id));
            let Some(job) = held.and_then(|held| held.job.as_ref()) else { return };
            let meant: HashSet<&str> = stop.devices.iter().map(String::as_str).collect();
            self.of_runs(job.runs.iter().filter(|run| meant.contains(run.device.as_str())))
        };
        if let Some(Layer::Stop(stop)) = self.layers.get_mut(at) {
            stop.follow(reach);
        }
    }

    pub(super) fn why_not_stop(&self) -> Option<String> {
        let jobs = self.chosen_jobs();
        let nothing = match jobs.as_slice() {
            [] => Some(self.no_job()),
            [job] => match &job.origin {
                _ if job.state.ended() => Some(format!("job {} has ended: there is nothing to stop", job.id)),
                Some(there) => Some(format!(
                    "job {} was launched by its system ({there}): it can be cancelled there alone",
                    job.id
                )),
                None => None,
            },
            jobs => {
                let ended = jobs.iter().all(|job| job.state.ended());
                ended.then(|| format!("all {} marked jobs have ended: there is nothing to stop", jobs.len()))
            }
        };
        if nothing.is_some() {
            return nothing;
        }
        let reach = self.reach();
        let why = reach.why.as_ref().filter(|_| reach.touched() == 0)?;
        Some(match jobs.as_slice() {
            [job] if self.marked_runs().is_empty() => format!("job {}: {why}", job.id),
            [_] => format!("none of the marked devices: {why}"),
            jobs => format!("none of the {} marked jobs: {why}", jobs.len()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Event;
    use super::super::sample::{self, Session};
    use super::*;
    use crate::model::connection::Capabilities;
    use crate::model::wire::{self, Stopping};

    #[test]
    fn the_stop_dialog_follows_the_job_while_it_is_open() {
        let mut session = Session::starting((80, 24), true);
        session.jobs = vec![sample::job(12, &[RunState::Queued, RunState::Sent, RunState::Running])];
        session.attach();
        session.keys("3K");
        let reaches = |session: &Session| CHOICES.map(|choice| dialog(session).expect("it is open").touches(choice));
        assert_eq!(reaches(&session), [1, 2, 3]);
        let mut run = session.jobs[0].runs[0].clone();
        run.state = RunState::Running;
        session.tell(Event::Engine(wire::Event::Runs { job: 12, runs: vec![run] }));
        assert_eq!(reaches(&session), [0, 1, 3], "{}", session.screen());
        let mut ended = sample::job(12, &[RunState::Ok; 3]).summary;
        ended.created_at = session.jobs[0].summary.created_at;
        session.tell(Event::Engine(wire::Event::Job { job: Box::new(ended) }));
        assert!(session.screen().contains("there is nothing to stop"), "{}", session.screen());
    }

    /// Jobs 21 and 20 run a server's script, 19 one of the library; 21 has one run that waits for its turn.
    fn session() -> Session {
        let mut session = Session::starting((80, 24), true);
        let endless = Capabilities { cancel_running: false, ..Capabilities::own_runs() };
        let mut server = sample::connection("ws", "webscripts", 1);
        server.capabilities = endless;
        session.targets.connections.push(server);
        session.jobs.clear();
        for (id, script, states) in [
            (19, "disk-use.sh", &[RunState::Running][..]),
            (20, "ws:report.py", &[RunState::Running]),
            (21, "ws:report.py", &[RunState::Running, RunState::Sent]),
        ] {
            let mut job = sample::job(id, states);
            job.summary.script = script.to_owned();
            for run in &mut job.runs {
                let on = if script.starts_with("ws:") { "ws" } else { "lab" };
                run.device = format!("{on}:{}", run.name);
            }
            session.jobs.insert(0, job);
        }
        session.attach();
        session.keys("3gg");
        session
    }

    fn dialog(session: &Session) -> Option<&super::super::stop::Stop> {
        session.app.layers.iter().find_map(|layer| if let Layer::Stop(stop) = layer { Some(stop) } else { None })
    }

    #[test]
    fn what_cannot_be_ended_is_not_asked_to_end() {
        let mut session = session();
        session.keys("jK");
        let told = session.app.hint.clone().unwrap_or_default();
        assert!(told.starts_with("job 20: WebScripts cannot stop a script"), "{told}");
        assert!(dialog(&session).is_none());
        // of a job of which something still waits, that can be withdrawn
        session.keys("kK");
        let stop = dialog(&session).expect("it opens");
        assert_eq!(CHOICES.map(|choice| stop.touches(choice)), [0, 1, 1]);
        assert!(
            session.screen().contains("1 running goes on: WebScripts cannot stop a script"),
            "{}",
            session.screen()
        );
    }

    const CHOICES: [Stopping; 3] = [Stopping::Sending, Stopping::Unstarted, Stopping::All];

    #[test]
    fn of_several_it_says_how_many_can_be_stopped() {
        let mut session = session();
        session.keys("j  K");
        let stop = dialog(&session).expect("one of the two can");
        assert_eq!((stop.touches(Stopping::All), stop.jobs.len()), (1, 2));
        assert!(session.screen().contains("1 running goes on"), "{}", session.screen());
        session.keys("<esc>U");
        session.keys("ggj K");
        let told = session.app.hint.clone().unwrap_or_default();
        assert!(told.starts_with("job 20: WebScripts cannot stop"), "{told}");
    }

    #[test]
    fn menu_and_help_say_the_reason_before_anybody_tries() {
        let mut session = session();
        session.keys("jx");
        assert!(session.screen().contains("WebScripts cannot stop a script"), "{}", session.screen());
    }
}
