//! How a run on a server ends, each way told from the others (contract A5): by itself, by a signal, by the server's own
//! timeout in its three shapes, lost, forgotten. Pure.

use super::answer::Told;
use crate::connectors::{Outcome, signal_name};
use crate::model::job::UNKNOWN;
use crate::model::state::RunState;

/// What an answer means.
#[derive(Debug, PartialEq, Eq)]
pub enum Meaning {
    /// It goes on: ask with the key for more.
    Goes,
    Ended(Outcome),
}

/// `polled`: it is the answer of a poll, as against that of a launch.
pub fn meaning(told: &Told, polled: bool) -> Meaning {
    if told.error == "TimeoutError" {
        return Meaning::Ended(Outcome::because(
            RunState::Timeout,
            "the server's own timeout, which its configuration sets, ended it",
        ));
    }
    if !told.key.is_empty() {
        return Meaning::Goes;
    }
    Meaning::Ended(match told.code {
        Some(code @ 0..) => match i32::try_from(code) {
            Ok(code) => Outcome::exited(code),
            Err(_) => unknown(&format!("the server named an exit code that is none ({code})")),
        },
        Some(code) => {
            let name = signal_name(i32::try_from(-code).unwrap_or(i32::MAX));
            let doubt = if polled && code == -9 {
                ": by somebody, or by the server's own timeout, of which it says no more than that at times"
            } else {
                ""
            };
            Outcome {
                signal: Some(name.clone()),
                ..Outcome::because(RunState::Failed, format!("ended by signal {name}{doubt}"))
            }
        }
        None => unknown("the server said that it had ended, and not how"),
    })
}

/// It has ended, or is as good as ended for us; how is not known.
pub fn unknown(why: &str) -> Outcome {
    Outcome::because(RunState::Failed, format!("{why}: {UNKNOWN}; look at the server before it is run again"))
}

/// What a poll met that brings no more output: why the rest is lost.
pub fn lost(status: u16, away: Option<u64>, new_session: bool) -> Outcome {
    match (status, away) {
        (404, Some(seconds)) if new_session => unknown(&format!(
            "lost: our session had ended, and the server knows the run no more: it was started anew, or the script's timeout passed in the {seconds} s before we could ask again"
        )),
        (404, Some(seconds)) => unknown(&format!(
            "expired: the server keeps a result until the script's timeout, and could not be asked for {seconds} s"
        )),
        (404, None) if new_session => {
            unknown("lost: the server knows neither our session nor the run any more; it was started anew, most likely")
        }
        (404, None) => unknown(
            "lost: the server does not know the run any more; its timeout passed between two questions, or somebody else fetched its end",
        ),
        (500, _) => unknown(
            "lost: the server failed (500) to say how it ended; it does so at the end of every real-time script whose configuration sets no `timeout`",
        ),
        (403, _) => unknown("lost: the server refused (403) to say more of it; the user may have lost the right to it"),
        (status, _) => unknown(&format!("lost: the server answered {status} where more of its output was asked for")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(told: &Told, polled: bool) -> Outcome {
        match meaning(told, polled) {
            Meaning::Ended(outcome) => outcome,
            Meaning::Goes => panic!("it goes on: {told:?}"),
        }
    }

    fn told(code: Option<i64>, error: &str, key: &str) -> Told {
        Told { code, error: error.into(), key: key.into(), ..Told::default() }
    }

    #[test]
    fn a_script_ends_by_itself_or_by_a_signal() {
        assert_eq!(ended(&told(Some(3), "No errors", ""), false), Outcome::exited(3));
        let killed = ended(&told(Some(-11), "No errors", ""), true);
        assert_eq!((killed.signal.as_deref(), killed.exit_code, killed.state), (Some("SEGV"), None, RunState::Failed));
        assert!(ended(&told(None, "", ""), true).reason.expect("said").contains(UNKNOWN));
    }

    #[test]
    fn while_there_is_a_key_it_goes_on() {
        for error in ["", "No errors"] {
            assert_eq!(meaning(&told(None, error, "k="), true), Meaning::Goes);
        }
    }

    #[test]
    fn the_servers_timeout_has_three_shapes() {
        assert_eq!(ended(&told(Some(-9), "TimeoutError", ""), false).state, RunState::Timeout);
        assert_eq!(ended(&told(None, "TimeoutError", "k="), true).state, RunState::Timeout, "with the key still there");
        let third = ended(&told(Some(-9), "No errors", ""), true);
        assert_eq!((third.state, third.signal.as_deref()), (RunState::Failed, Some("KILL")));
        assert!(third.reason.expect("said").contains("or by the server's own timeout"));
        let plain = ended(&told(Some(-9), "No errors", ""), false);
        assert_eq!(plain.reason.as_deref(), Some("ended by signal KILL"), "a plain script's timeout says so");
    }

    #[test]
    fn what_is_lost_says_how() {
        let says = |status, away, new| lost(status, away, new).reason.expect("said");
        for (said, word) in [
            (says(404, Some(40), false), "expired"),
            (says(404, Some(40), true), "started anew, or"),
            (says(404, None, true), "started anew"),
            (says(404, None, false), "between two questions"),
            (says(500, None, false), "sets no `timeout`"),
            (says(403, None, false), "refused"),
            (says(418, None, false), "418"),
        ] {
            assert!(said.contains(word) && said.contains(UNKNOWN), "{said}");
        }
    }
}
