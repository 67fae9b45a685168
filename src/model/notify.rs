//! What is worth a ring: a job has ended, waits for an approval, or failed in a way its script never did before. Told
//! from two states of a job, so that whoever sees both tells it once.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::job::JobSummary;
use super::secret::KeyRef;
use super::state::JobState;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Every run has ended by itself.
    Done,
    /// It ended before its end: its budget, somebody, the engine.
    Stopped,
    /// A ring waits for somebody to let it go.
    Approval,
    /// A way to fail that the script's earlier jobs never met.
    Signature,
}

impl Kind {
    pub const ALL: [Kind; 4] = [Kind::Done, Kind::Stopped, Kind::Approval, Kind::Signature];

    pub const fn word(self) -> &'static str {
        match self {
            Kind::Done => "done",
            Kind::Stopped => "stopped",
            Kind::Approval => "approval",
            Kind::Signature => "signature",
        }
    }
}

/// A transition of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    pub kind: Kind,
    /// Tells it from others of the job: there is one of each.
    pub key: String,
    /// One sentence of our own words, the script's name, and numbers: nothing that a device said.
    pub text: String,
}

/// What happened to a job between two moments.
pub fn turns(before: Option<&JobSummary>, now: &JobSummary) -> Vec<Turn> {
    let mut found = Vec::new();
    let (job, script, counts) = (now.id, &now.script, &now.counts);
    let mut turn = |kind: Kind, key: String, text: String| found.push(Turn { kind, key, text });
    let known = before.map(|before| &before.progress);
    for fresh in &now.progress.fresh {
        if known.is_none_or(|known| !known.fresh.contains(fresh)) {
            let text = format!("job {job} {script}: a new signature, {} failed so far", counts.bad());
            turn(Kind::Signature, format!("signature:{fresh}"), text);
        }
    }
    if let Some(asks) = &now.progress.asks
        && known.is_none_or(|known| known.asks.as_ref().is_none_or(|known| known.ring != asks.ring))
    {
        let text = format!("job {job} {script}: ring {} of {} devices waits for an approval", asks.ring, asks.devices);
        turn(Kind::Approval, format!("approval:{}", asks.ring), text);
    }
    if now.state.ended() && before.is_none_or(|before| !before.state.ended()) {
        let (total, ok, bad) = (counts.total(), counts.ok, counts.bad());
        let tally = format!("{ok} ok, {bad} failed of {total}");
        match now.state {
            JobState::Done => turn(Kind::Done, "ended".to_owned(), format!("job {job} {script} is done: {tally}")),
            state => turn(Kind::Stopped, "ended".to_owned(), format!("job {job} {script} {}: {tally}", state.word())),
        }
    }
    found
}

/// How a terminal is asked to tell the desktop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Desktop {
    #[default]
    None,
    /// iTerm2, WezTerm, Windows Terminal, kitty.
    Osc9,
    /// urxvt, foot, VTE, Ghostty.
    Osc777,
}

/// What a console does at such a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ring {
    pub bell: bool,
    pub desktop: Desktop,
}

impl Default for Ring {
    fn default() -> Self {
        Self { bell: true, desktop: Desktop::None }
    }
}

impl Ring {
    /// What the terminal is sent, through tmux where that is between. Of the text only what can do no harm is left.
    pub fn bytes(self, text: &str, tmux: bool) -> String {
        let told: String = text.chars().filter(|c| !c.is_control() && *c != ';').take(200).collect();
        let desktop = match self.desktop {
            Desktop::None => String::new(),
            Desktop::Osc9 => format!("\u{1b}]9;{told}\u{1b}\\"),
            Desktop::Osc777 => format!("\u{1b}]777;notify;quarterdeck;{told}\u{1b}\\"),
        };
        let desktop = match desktop {
            told if tmux && !told.is_empty() => {
                format!("\u{1b}Ptmux;{}\u{1b}\\", told.replace('\u{1b}', "\u{1b}\u{1b}"))
            }
            told => told,
        };
        format!("{}{desktop}", if self.bell { "\u{7}" } else { "" })
    }
}

/// Where something is told by HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// `https://…`, or `http://` to this machine.
    pub url: String,
    /// What it is signed with; `None`: it is not.
    pub key: Option<KeyRef>,
    /// An authority of its certificate besides those that this machine trusts.
    pub ca_file: Option<PathBuf>,
    pub on: Vec<Kind>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::rollout::Asks;
    use crate::model::state::Counts;

    fn job(state: JobState) -> JobSummary {
        let counts = Counts { ok: 3, failed: 1, ..Counts::default() };
        JobSummary { script: "patch.sh".into(), ..JobSummary::sample(7, state, counts) }
    }

    fn keys(before: Option<&JobSummary>, now: &JobSummary) -> Vec<(Kind, String)> {
        turns(before, now).into_iter().map(|turn| (turn.kind, turn.key)).collect()
    }

    #[test]
    fn each_transition_is_told_when_it_happens_and_not_again() {
        let running = job(JobState::Running);
        assert_eq!(keys(None, &running), []);
        let done = job(JobState::Done);
        assert_eq!(turns(Some(&running), &done)[0].text, "job 7 patch.sh is done: 3 ok, 1 failed of 4");
        assert_eq!(keys(Some(&done), &done), []);
        for state in [JobState::Stopped, JobState::Cancelled, JobState::Interrupted] {
            assert_eq!(keys(Some(&running), &job(state)), [(Kind::Stopped, "ended".to_owned())]);
        }
        let mut asks = running.clone();
        asks.progress.asks = Some(Asks { ring: 2, devices: 11, why: String::new() });
        asks.progress.fresh = vec!["v1:a".into()];
        let both = [(Kind::Signature, "signature:v1:a".to_owned()), (Kind::Approval, "approval:2".to_owned())];
        assert_eq!(keys(Some(&running), &asks), both);
        assert_eq!(keys(Some(&asks), &asks), []);
        let mut next = asks.clone();
        next.progress.asks = Some(Asks { ring: 3, devices: 40, why: String::new() });
        next.progress.fresh.push("v1:b".into());
        let both = [(Kind::Signature, "signature:v1:b".to_owned()), (Kind::Approval, "approval:3".to_owned())];
        assert_eq!(keys(Some(&asks), &next), both);
    }

    #[test]
    fn a_terminal_gets_what_was_configured_and_no_control_of_a_scripts_name() {
        let hostile = "job 1 x\u{7}\u{1b}]52;c;AAAA\u{1b}\\.sh\u{9c} is done";
        let ring = |bell, desktop| Ring { bell, desktop }.bytes(hostile, false);
        assert_eq!(ring(true, Desktop::None), "\u{7}");
        assert_eq!(ring(false, Desktop::None), "");
        assert_eq!(ring(false, Desktop::Osc9), "\u{1b}]9;job 1 x]52cAAAA\\.sh is done\u{1b}\\");
        let tmux = Ring { bell: true, desktop: Desktop::Osc9 }.bytes("done", true);
        assert_eq!(tmux, "\u{7}\u{1b}Ptmux;\u{1b}\u{1b}]9;done\u{1b}\u{1b}\\\u{1b}\\");
        assert_eq!(ring(false, Desktop::Osc777), "\u{1b}]777;notify;quarterdeck;job 1 x]52cAAAA\\.sh is done\u{1b}\\");
    }
}
