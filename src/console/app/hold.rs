//! Holding a roll-out: pause and go on, and letting the next ring go. Pausing is done at once, for it sends nothing;
//! what sends again asks first, with Cancel focused. Owns the question; whether a job waits is the engine's word.

use ratatui::layout::Rect;

use super::commands::Do;
use super::layers::Next;
use super::notices::Level;
use super::{App, Effect, Layer, layout};
use crate::console::text;
use crate::console::theme::Role;
use crate::model::job::{Job, JobId, JobSummary, Run, Signature};
use crate::model::rollout::Asks;
use crate::model::state::RunState;
use crate::model::wire::{Problem, Turned};

/// Lines of what the bad ones say, and ways to end that are told apart for it.
const SAID: usize = 3;
const KINDS: usize = 100;

/// What is asked of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    Pause,
    /// Also where a maintenance or a change freeze has begun meanwhile.
    Resume {
        anyway: bool,
    },
    /// This ring: somebody else may have let it go meanwhile.
    Approve(u32),
}

/// The question before something is sent again.
#[derive(Debug)]
pub struct Ask {
    pub job: JobId,
    pub script: String,
    pub turn: Turn,
    /// What would happen, a line each.
    pub says: Vec<String>,
    /// The button that does it.
    pub word: String,
    pub on_yes: bool,
}

impl Ask {
    fn resume(job: &JobSummary) -> Self {
        let mut says = Vec::new();
        if let Some(paused) = &job.progress.paused {
            says.push(format!("Paused {}.", paused.says()));
        }
        // (where a ring waits for its word the end of the pause sends nothing, and must not sound as if it did)
        let (word, sends) = match &job.progress.asks {
            Some(asks) => {
                ("End the pause", format!("Nothing is sent by that: ring {} then still waits for you.", asks.ring))
            }
            None => {
                let left = job.counts.queued;
                let have = if left == 1 { "1 device has" } else { &format!("{left} devices have") };
                ("Go on", format!("{have} not been sent to: now comes their turn, as the plan says."))
            }
        };
        says.push(sends);
        says.extend(budget_said(job));
        Self::new(job, Turn::Resume { anyway: false }, says, word)
    }

    /// It was not let go on, for this reason.
    fn anyway(job: &JobSummary, against: &str) -> Self {
        let says = vec![
            format!("Still paused: {against}."),
            "It can wait until that is over, or be sent to them all the same.".to_owned(),
        ];
        Self::new(job, Turn::Resume { anyway: true }, says, "Send all the same")
    }

    fn new(job: &JobSummary, turn: Turn, says: Vec<String>, word: &str) -> Self {
        Self { job: job.id, script: job.script.clone(), turn, says, word: word.to_owned(), on_yes: false }
    }

    /// Room for what it says, no more.
    pub fn size(&self, body: Rect) -> (u16, u16) {
        let inside = layout::inner(layout::middle(body, (layout::HOLD, body.height))).width;
        let rows: usize = self.says.iter().map(|said| text::fold(&text::plain(said), inside.into()).len()).sum();
        (layout::HOLD, u16::try_from(rows).unwrap_or(u16::MAX).saturating_add(4))
    }

    fn approve(job: &Job, asks: &Asks) -> Self {
        let ring = asks.ring.checked_sub(1).and_then(|at| job.rollout.rings.get(at as usize));
        let devices = ring.map_or_else(String::new, |ring| format!(": {}", ring.devices));
        let size = text::number(asks.devices.into(), "device");
        let mut says = vec![format!("Ring {} of {} is {size}{devices}", asks.ring, job.summary.progress.rings)];
        if !asks.why.is_empty() {
            says.push(format!("It waits because {}.", asks.why));
        }
        if job.summary.progress.paused.is_some() {
            says.push("The job is paused: the ring begins when it goes on.".to_owned());
        }
        let counts = &job.summary.counts;
        let ended = format!("So far {} ok, {} bad, {} offline.", counts.ok, counts.bad(), counts.offline);
        says.push(ended);
        says.extend(bad_said(&job.runs));
        says.extend(budget_said(&job.summary));
        Self::new(&job.summary, Turn::Approve(asks.ring), says, &format!("Start ring {}", asks.ring))
    }
}

/// How much of the failure budget is used, of how much, and in which role that is said.
pub fn budget(job: &JobSummary) -> Option<(u32, u32, Role)> {
    let (bad, stop_at) = (job.progress.bad, job.progress.stop_at?);
    let role = match bad {
        bad if bad >= stop_at => Role::BudgetOver,
        bad if bad * 2 >= stop_at => Role::BudgetNear,
        _ => Role::BudgetOk,
    };
    Some((bad, stop_at, role))
}

/// What a job in a list needs to be looked at for: its sign, what that means, and its role.
pub fn flag(job: &JobSummary) -> Option<(char, &'static str, Role)> {
    if job.progress.stopped.is_some() {
        return Some(('#', "stopped by itself", Role::BudgetOver));
    }
    if job.state.ended() {
        return None;
    }
    if job.progress.held() {
        return Some(('?', "waits for you", Role::StateSent));
    }
    let (bad, stop_at, role) = budget(job)?;
    (bad * 2 >= stop_at).then_some(('!', "half of its failure budget is used", role))
}

/// What the bad ones say, those that say the same together, the most first: `3 failed: certificate expired`.
fn bad_said(runs: &[Run]) -> Vec<String> {
    let mut alike: Vec<(RunState, Option<&Signature>, usize)> = Vec::new();
    for run in runs.iter().filter(|run| run.state.bad()) {
        let named = run.signature.as_ref();
        let same = |(state, other, _): &(RunState, Option<&Signature>, usize)| {
            *state == run.state && other.map(|other| &other.name) == named.map(|named| &named.name)
        };
        match alike.iter().position(same) {
            Some(at) => alike[at].2 += 1,
            None if alike.len() < KINDS => alike.push((run.state, named, 1)),
            None => {}
        }
    }
    alike.sort_by_key(|(.., count)| std::cmp::Reverse(*count));
    let said = alike.iter().take(SAID).map(|(state, named, count)| {
        let says = named.map(|named| named.says.as_str()).filter(|says| !says.is_empty());
        format!("  {count} {}: {}", state.word(), says.unwrap_or("said nothing"))
    });
    let more = alike.len().saturating_sub(SAID);
    let more = (more > 0).then(|| format!("  and {more} more ways to end badly"));
    said.chain(more).collect()
}

/// `9 are bad: at 20 it stops by itself.`
fn budget_said(job: &JobSummary) -> Option<String> {
    let stop_at = job.progress.stop_at?;
    Some(format!("{} bad so far: at {stop_at} it stops by itself.", job.progress.bad))
}

impl App {
    /// The job that is watched, or that the cursor of the jobs is on, as a whole if it is here.
    pub(super) fn held_here(&self) -> Option<&Job> {
        let id = self.job_here()?.id;
        self.held.as_ref().filter(|held| held.id == id).and_then(|held| held.job.as_ref())
    }

    /// Why a job cannot be paused, go on, or let its next ring go.
    pub(super) fn why_not_turn(&self, verb: Do) -> Option<String> {
        let Some(job) = self.job_here() else { return Some(self.no_job()) };
        if job.state.ended() {
            return Some(format!("job {} has ended", job.id));
        }
        if let Some(there) = &job.origin {
            return Some(format!("job {} was launched by its system ({there}): it goes its own way", job.id));
        }
        match verb {
            Do::Approve if job.progress.asks.is_none() => Some(match job.progress.rings {
                0 | 1 => format!("job {} has no rings to wait for", job.id),
                rings => format!("no ring waits: ring {} of {rings} is under way", job.progress.ring.max(1)),
            }),
            _ => None,
        }
    }

    /// `p`: nothing new is sent; on a paused job, the question whether it goes on.
    pub(super) fn pause_or_ask(&mut self, effects: &mut Vec<Effect>) {
        let Some(job) = self.job_here() else { return };
        if job.progress.paused.is_some() {
            let ask = Ask::resume(job);
            self.layers.push(Layer::Hold(ask));
        } else {
            effects.push(Effect::Turn { job: job.id, turn: Turn::Pause });
        }
    }

    /// `P`: the question whether the next ring goes.
    pub(super) fn ask_approval(&mut self) {
        let ask = self.held_here().and_then(|job| Some(Ask::approve(job, job.summary.progress.asks.as_ref()?)));
        match ask {
            Some(ask) => self.layers.push(Layer::Hold(ask)),
            None => self.hint = Some("the job is still being read".into()),
        }
    }

    pub(super) fn in_hold(&mut self, ask: &mut Ask, verb: Do, effects: &mut Vec<Effect>) -> Next {
        match verb {
            Do::Cancel | Do::Back | Do::QuitOrBack => {
                self.hint = Some(format!("job {} waits on", ask.job));
                return Next::Close;
            }
            Do::NextField | Do::PreviousField | Do::Down | Do::Up | Do::Collapse | Do::Expand => {
                ask.on_yes = !ask.on_yes;
            }
            Do::Accept | Do::Open => {
                if ask.on_yes {
                    effects.push(Effect::Turn { job: ask.job, turn: ask.turn });
                } else {
                    self.hint = Some(format!("job {} waits on", ask.job));
                }
                return Next::Close;
            }
            _ => {}
        }
        Next::Stay
    }

    /// The engine did it, or not: two who ask at once both hear what the job does now.
    pub(super) fn turned(&mut self, job: JobId, answer: Result<Turned, Problem>) {
        match answer {
            Ok(turned) => {
                // Who does something else by now hears of it, and is not asked in the midst of it.
                let ask = turned.against.as_deref().filter(|_| self.layers.is_empty());
                match ask.map(|against| Ask::anyway(&turned.job, against)) {
                    Some(ask) => self.layers.push(Layer::Hold(ask)),
                    None => self.say(Level::Info, format!("job {job}: {}", turned.says)),
                }
                self.set_job(turned.job);
            }
            Err(problem) => self.say(Level::Error, format!("job {job}: {}", problem.error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::app::Event;
    use crate::console::app::sample::{self, Session};
    use crate::model::rollout::Paused;

    #[test]
    fn who_lets_a_ring_go_reads_what_the_bad_ones_say() {
        let mut job = sample::held_back();
        for run in job.runs.iter_mut().filter(|run| run.state.bad()) {
            run.signature = Some(Signature { name: "v1:ab".into(), says: "certificate expired".into(), told: None });
        }
        let asks = job.summary.progress.asks.clone().unwrap();
        let says = Ask::approve(&job, &asks).says;
        assert!(says.contains(&"  2 failed: certificate expired".to_owned()), "{says:?}");
    }

    #[test]
    fn a_ring_that_begins_to_wait_is_told_at_once_and_not_behind_what_was_launched() {
        let mut session = Session::new((120, 24), true);
        let asking = session.jobs[1].summary.clone();
        let mut running = asking.clone();
        running.progress.asks = None;
        let tell = |session: &mut Session, job| {
            session.tell(Event::Engine(crate::model::wire::Event::Job { job: Box::new(job) }));
        };
        tell(&mut session, running);
        session.app.say(Level::Info, "job 11 is launched");
        tell(&mut session, asking.clone());
        assert!(session.app.notices.shown().is_none());
        session.app.say(Level::Info, "copied");
        tell(&mut session, asking);
        assert!(session.app.notices.shown().is_some(), "it waited before: that is no news");
    }

    #[test]
    fn the_end_of_a_pause_sends_nothing_where_a_ring_waits_and_says_so() {
        let mut job = sample::held_back();
        job.summary.progress.paused = Some(Paused { by: "r.ito".into(), at: sample::at(0), why: None });
        let ask = Ask::resume(&job.summary);
        assert_eq!((ask.word.as_str(), ask.on_yes), ("End the pause", false));
        assert_eq!(ask.says[..2], ["Paused by r.ito.", "Nothing is sent by that: ring 3 then still waits for you."]);
        job.summary.progress.asks = None;
        let ask = Ask::resume(&job.summary);
        assert_eq!(ask.word, "Go on");
        assert!(ask.says[1].starts_with("8 devices have not been sent to:"));
        job.summary.counts.queued = 1;
        assert!(Ask::resume(&job.summary).says[1].starts_with("1 device has not been sent to:"));
    }

    fn turned(against: Option<&str>) -> Event {
        let job = sample::held_back().summary;
        let says = "still paused: of the 8 left to send to, 3 maintenance".to_owned();
        let answer = Turned { changed: false, says, job, against: against.map(str::to_owned), questions: Vec::new() };
        Event::Turned { job: 11, answer: Box::new(Ok(answer)) }
    }

    #[test]
    fn a_job_that_is_not_let_go_on_asks_with_the_reason_whether_it_shall_all_the_same() {
        let mut session = Session::new((80, 24), true);
        session.tell(turned(Some("of the 8 left to send to, 3 maintenance")));
        let Some(Layer::Hold(ask)) = session.app.layers.last() else { panic!("no question") };
        assert_eq!(ask.says[0], "Still paused: of the 8 left to send to, 3 maintenance.");
        session.keys("<enter>");
        assert!(session.app.layers.is_empty() && session.sent.is_empty(), "enter alone sends nothing");
        session.tell(turned(Some("of the 8 left to send to, 3 maintenance")));
        session.keys("<tab><enter>");
        assert_eq!(session.sent, [Effect::Turn { job: 11, turn: Turn::Resume { anyway: true } }]);
        // in the midst of something else it is a notice
        session.keys(":pane");
        session.tell(turned(Some("of the 8 left to send to, 3 maintenance")));
        assert!(matches!(session.app.layers.last(), Some(Layer::Prompt(_))));
        assert!(session.app.notices.shown().is_some_and(|notice| notice.text.contains("still paused")));
    }
}
