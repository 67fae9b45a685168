//! The stop dialog: what stopping can mean, on how many devices, armed before it does anything. The numbers
//! are those of the moment it was opened: a dialog whose count moves could never be confirmed.

use super::form::{Arm, Need};
use crate::model::job::JobSummary;

#[derive(Debug)]
pub struct Stop {
    pub job: u64,
    pub script: String,
    /// Runs that have not started.
    pub queued: u32,
    /// Runs under way.
    pub running: u32,
    /// `None`: nothing is chosen by default.
    pub choice: Option<Choice>,
    pub arm: Arm,
    /// The focused button: Cancel, or Stop.
    pub on_stop: bool,
    pub sent: bool,
    threshold: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// What waits is withdrawn, what runs goes on.
    Queued,
    /// What runs is asked to end, too.
    All,
}

impl Stop {
    pub fn new(job: &JobSummary, threshold: u32) -> Self {
        let counts = &job.counts;
        Self {
            job: job.id,
            script: job.script.clone(),
            queued: counts.queued,
            running: counts.sent + counts.running,
            choice: None,
            arm: Arm::new(Need::Yes),
            on_stop: false,
            sent: false,
            threshold,
        }
    }

    pub fn touches(&self, choice: Choice) -> u32 {
        match choice {
            Choice::Queued => self.queued,
            Choice::All => self.queued + self.running,
        }
    }

    pub fn choose(&mut self, choice: Choice) {
        if self.choice != Some(choice) {
            self.choice = Some(choice);
            let touched = self.touches(choice);
            let need = if touched > self.threshold { Need::Count(touched as usize) } else { Need::Yes };
            self.arm = Arm::new(need);
            self.on_stop = false;
        }
    }

    pub fn armed(&self) -> bool {
        self.choice.is_some_and(|choice| self.touches(choice) > 0) && self.arm.armed() && !self.sent
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::app::sample;
    use crate::model::state::RunState;

    #[test]
    fn nothing_is_chosen_and_another_choice_disarms() {
        let states = [RunState::Queued; 12].into_iter().chain([RunState::Running; 3]).collect::<Vec<_>>();
        let mut stop = Stop::new(&sample::job(7, &states).summary, 10);
        assert!(!stop.armed());
        stop.choose(Choice::Queued);
        stop.arm.typed = "12".into();
        assert!(stop.armed());
        stop.choose(Choice::All);
        assert!(!stop.armed());
        assert_eq!(stop.arm.need, Need::Count(15));
    }

    #[test]
    fn nothing_to_stop_is_never_armed() {
        let mut stop = Stop::new(&sample::job(7, &[RunState::Ok]).summary, 10);
        stop.choose(Choice::Queued);
        stop.arm.typed = "y".into();
        assert!(!stop.armed());
    }
}
