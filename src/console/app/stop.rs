//! The stop dialog: what stopping can mean, on how many devices, armed before it does anything. It is about one job,
//! several, or some devices of one. The numbers follow the jobs. A count that moves could never be confirmed, so any that
//! was asked for meanwhile arms, unless more would be stopped than it says. Whether a count is typed or a letter is
//! settled when a choice is made; only more devices than a letter is good for make it a count.

use super::endless::Reach;
use super::event::Effect;
use super::form::{Arm, Need};
use crate::model::job::{JobId, JobSummary, Run};
use crate::model::state::Counts;
use crate::model::wire::Stopping;

#[derive(Debug)]
pub struct Stop {
    pub jobs: Vec<JobId>,
    /// Of the only job; empty: it is about all of its devices.
    pub devices: Vec<String>,
    /// What it is about, in a few words.
    pub about: String,
    /// Runs that have not been sent to, that have and have not started, and that run.
    pub queued: u32,
    pub waiting: u32,
    pub running: u32,
    /// Runs that go on whatever is asked, and why.
    pub endless: u32,
    pub why: Option<String>,
    pub choice: Stopping,
    pub arm: Arm,
    pub at: At,
    pub sent: bool,
    threshold: u32,
    /// The most devices that this choice was said to reach.
    said: u32,
}

/// Where the focus is: where the count is typed, or a button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    Arm,
    Cancel,
    Stop,
}

/// What stopping can mean, the mildest first.
pub const CHOICES: [Stopping; 3] = [Stopping::Sending, Stopping::Unstarted, Stopping::All];

impl Stop {
    /// These jobs; of those that have ended nothing is left to stop.
    pub fn new(jobs: &[&JobSummary], reach: Reach, threshold: u32) -> Self {
        let ids: Vec<JobId> = jobs.iter().filter(|job| !job.state.ended()).map(|job| job.id).collect();
        let about = match jobs {
            [job] => format!("job {}  {}", job.id, job.script),
            jobs => {
                let ended = jobs.len() - ids.len();
                let ended = if ended > 0 { format!("  ({ended} more have ended)") } else { String::new() };
                let named: Vec<String> = ids.iter().map(JobId::to_string).collect();
                format!("{} jobs: {}{ended}", ids.len(), named.join(" "))
            }
        };
        Self::about(about, ids, Vec::new(), reach, threshold)
    }

    /// These runs of a job.
    pub fn of_runs(job: &JobSummary, runs: &[&Run], reach: Reach, threshold: u32) -> Self {
        let devices = runs.iter().filter(|run| !run.state.ended()).map(|run| run.device.clone()).collect();
        let s = if runs.len() == 1 { "" } else { "s" };
        let about = format!("{} marked device{s} of job {}  {}", runs.len(), job.id, job.script);
        Self::about(about, vec![job.id], devices, reach, threshold)
    }

    fn about(about: String, jobs: Vec<JobId>, devices: Vec<String>, reach: Reach, threshold: u32) -> Self {
        let mut stop = Self {
            jobs,
            devices,
            about,
            queued: reach.queued,
            waiting: reach.sent,
            running: reach.running,
            endless: reach.endless,
            why: reach.why,
            choice: Stopping::All,
            arm: Arm::new(Need::Yes),
            at: At::Arm,
            sent: false,
            threshold,
            said: 0,
        };
        // the mildest that does anything
        stop.choose(CHOICES.into_iter().find(|choice| stop.touches(*choice) > 0).unwrap_or_default());
        stop
    }

    /// How many there are now.
    pub fn follow(&mut self, reach: Reach) {
        (self.queued, self.waiting, self.running) = (reach.queued, reach.sent, reach.running);
        (self.endless, self.why) = (reach.endless, reach.why);
        let touched = self.touches(self.choice);
        self.said = self.said.max(touched);
        // (what it asked for when it opened it goes on asking for: nobody types a `y` for a count)
        let (need, more) = match self.arm.need {
            Need::Yes => (self.needs(touched), touched > self.threshold),
            Need::Count(asked) => (Need::Count(touched as usize), touched as usize > asked),
        };
        if self.arm.need != need && (more || self.arm.typed.is_empty()) {
            self.arm = Arm::new(need);
            self.at = if self.at == At::Stop { At::Arm } else { self.at };
        }
    }

    const fn needs(&self, touched: u32) -> Need {
        if touched > self.threshold { Need::Count(touched as usize) } else { Need::Yes }
    }

    /// What is asked of the engine.
    pub fn effects(&self) -> impl Iterator<Item = Effect> {
        let stop = self.choice;
        self.jobs.iter().map(move |job| Effect::Cancel { job: *job, devices: self.devices.clone(), stop })
    }

    /// How many devices a choice reaches.
    pub fn touches(&self, choice: Stopping) -> u32 {
        let (queued, sent, running) = (self.queued, self.waiting, self.running);
        choice.reaches(&Counts { queued, sent, running, ..Counts::default() })
    }

    /// The next choice that reaches anything, milder or harder.
    pub fn step(&mut self, harder: bool) {
        let at = CHOICES.iter().position(|choice| *choice == self.choice).unwrap_or(2);
        let mut others: Vec<Stopping> =
            if harder { CHOICES[at + 1..].to_vec() } else { CHOICES[..at].iter().rev().copied().collect() };
        others.retain(|choice| self.touches(*choice) > 0);
        if let Some(next) = others.first() {
            self.choose(*next);
        }
    }

    /// One that touches nothing cannot be chosen. Another one disarms.
    pub fn choose(&mut self, choice: Stopping) {
        let touched = self.touches(choice);
        if choice != Stopping::All && touched == 0 {
            return;
        }
        let need = self.needs(touched);
        if self.choice != choice || self.arm.need != need {
            self.said = touched;
            self.choice = choice;
            self.arm = Arm::new(need);
            self.at = At::Arm;
        }
    }

    pub fn armed(&self) -> bool {
        let left = self.touches(self.choice);
        let typed = self.arm.typed.replace(',', "").parse();
        let meanwhile = typed.is_ok_and(|typed| (left..=self.said).contains(&typed));
        left > 0 && !self.sent && (self.arm.armed() || (self.arm.need != Need::Yes && meanwhile))
    }

    pub fn next(&mut self, forward: bool) {
        self.at = match (self.at, forward) {
            (At::Arm, true) | (At::Stop, false) => At::Cancel,
            (At::Cancel, true) | (At::Arm, false) => At::Stop,
            (At::Stop, true) | (At::Cancel, false) => At::Arm,
        };
    }

    /// What goes on when the dialog is closed.
    pub fn goes_on(&self) -> String {
        match (self.running + self.endless + self.waiting, self.queued) {
            (0, 0) => "nothing was stopped: nothing was running".to_owned(),
            (running, 0) => format!("nothing was stopped: {running} under way"),
            (running, queued) => format!("nothing was stopped: {running} under way, {queued} queued"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::app::sample;
    use crate::model::state::RunState;

    /// What runs can be ended.
    fn new(jobs: &[&JobSummary]) -> Stop {
        let mut all = Counts::default();
        for job in jobs {
            all.queued += job.counts.queued;
            all.sent += job.counts.sent;
            all.running += job.counts.running;
        }
        Stop::new(jobs, Reach::of(&all), 10)
    }

    #[test]
    fn nothing_is_chosen_and_another_choice_disarms() {
        let states = [RunState::Queued; 12].into_iter().chain([RunState::Running; 3]).collect::<Vec<_>>();
        let mut stop = new(&[&sample::job(7, &states).summary]);
        assert!(!stop.armed());
        stop.choose(Stopping::Sending);
        stop.arm.typed = "12".into();
        assert!(stop.armed());
        stop.choose(Stopping::All);
        assert!(!stop.armed());
        assert_eq!(stop.arm.need, Need::Count(15));
    }

    #[test]
    fn several_jobs_are_stopped_together_and_those_that_ended_are_left_alone() {
        let jobs = [
            sample::job(7, &[RunState::Queued, RunState::Running]).summary,
            sample::job(6, &[RunState::Ok]).summary,
            sample::job(5, &[RunState::Running]).summary,
        ];
        let mut stop = new(&jobs.each_ref());
        stop.choose(Stopping::All);
        assert_eq!((stop.touches(Stopping::Sending), stop.touches(Stopping::All)), (1, 3));
        assert_eq!(stop.about, "2 jobs: 7 5  (1 more have ended)");
        let cancel = |job| Effect::Cancel { job, devices: vec![], stop: Stopping::All };
        assert_eq!(stop.effects().collect::<Vec<_>>(), [cancel(7), cancel(5)]);
    }

    #[test]
    fn the_numbers_follow_the_job_and_a_count_that_is_being_typed_stays_as_it_was_asked() {
        let reach = |queued, running| Reach { queued, running, ..Reach::default() };
        let mut stop = new(&[&sample::job(7, &[RunState::Queued; 30]).summary]);
        stop.follow(reach(25, 5));
        assert_eq!((CHOICES.map(|choice| stop.touches(choice)), stop.arm.need), ([25, 25, 30], Need::Count(25)));
        stop.arm.typed = "25".into();
        stop.follow(reach(20, 6));
        assert!(stop.armed(), "fewer are stopped than was said");
        assert_eq!(stop.touches(Stopping::Sending), 20);
        for (typed, arms) in [("30", true), ("22", true), ("31", false), ("19", false)] {
            stop.arm.typed = typed.into();
            assert_eq!(stop.armed(), arms, "{typed}: of 30 that were said 20 are left");
        }
        stop.follow(reach(26, 0));
        assert_eq!((stop.armed(), stop.arm.need), (false, Need::Count(26)), "more than was said");
        stop.arm.typed.clear();
        stop.follow(reach(3, 9));
        assert_eq!(stop.arm.need, Need::Count(3), "a count was asked for: a letter is not, however few are left");
        stop.arm.typed = "y".into();
        assert!(!stop.armed());
        stop.arm.typed = "3".into();
        assert!(stop.armed());
        stop.follow(reach(0, 9));
        assert!(!stop.armed(), "nothing is left to this choice, and no harder one is taken for it");
        assert_eq!(stop.choice, Stopping::Sending);
    }

    #[test]
    fn nothing_to_stop_is_never_armed() {
        let mut stop = new(&[&sample::job(7, &[RunState::Ok]).summary]);
        stop.choose(Stopping::Sending);
        stop.arm.typed = "y".into();
        assert!(!stop.armed());
    }

    #[test]
    fn each_choice_reaches_what_the_milder_ones_do_and_more() {
        let states = [RunState::Queued, RunState::Queued, RunState::Sent, RunState::Running];
        let mut stop = new(&[&sample::job(7, &states).summary]);
        assert_eq!(stop.choice, Stopping::Sending, "the mildest that does anything");
        assert_eq!(CHOICES.map(|choice| stop.touches(choice)), [2, 3, 4]);
        stop.step(true);
        assert_eq!(stop.choice, Stopping::Unstarted);
        stop.step(true);
        stop.step(true);
        assert_eq!(stop.choice, Stopping::All);
        stop.step(false);
        assert_eq!(stop.choice, Stopping::Unstarted);
    }
}
