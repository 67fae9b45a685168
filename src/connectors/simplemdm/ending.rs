//! What SimpleMDM says of one device in a script job, as the end of a run (contract 3.2, 3.3). Pure.

use super::wire::Row;
use crate::connectors::Outcome;
use crate::model::state::RunState;

/// How a run ended, with all it has said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    pub outcome: Outcome,
    pub output: String,
}

impl Ended {
    pub fn of(outcome: Outcome) -> Self {
        Self { outcome, output: String::new() }
    }
}

/// `None`: it has not ended. `over`: the script job as a whole has.
pub fn ended(row: Row, over: bool) -> Option<Ended> {
    let code = row.status_code.trim().parse::<i32>().ok();
    let word = || -> String { row.status.chars().filter(|c| !c.is_control()).take(40).collect() };
    let outcome = match (row.status.as_str(), code) {
        ("pending", _) if !over => return None,
        ("pending", _) => Outcome::because(RunState::Cancelled, "its script job ended without it"),
        ("completed", Some(code)) => Outcome::exited(code),
        ("completed", None) => Outcome::exited(0),
        ("error", Some(code)) if code != 0 => Outcome::exited(code),
        ("error", _) => Outcome::because(RunState::Failed, "SimpleMDM says that it failed, and with no exit code"),
        ("cancelled", _) => {
            Outcome::because(RunState::Cancelled, "taken back at SimpleMDM before the device had fetched it")
        }
        _ if !over && row.status_code.is_empty() => return None,
        (_, code) => Outcome {
            exit_code: code,
            ..Outcome::because(RunState::Failed, format!("SimpleMDM says '{}', which we do not know", word()))
        },
    };
    Some(Ended { outcome, output: row.response })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(status: &str, code: &str) -> Row {
        Row { status: status.into(), status_code: code.into(), response: "out\n".into(), ..Row::default() }
    }

    #[test]
    fn each_word_has_its_end() {
        for (status, code, over, state, exit) in [
            ("completed", "0", false, RunState::Ok, Some(0)),
            ("completed", "", false, RunState::Ok, Some(0)),
            ("completed", "3", false, RunState::Failed, Some(3)),
            ("error", "1", false, RunState::Failed, Some(1)),
            ("error", "-9", false, RunState::Failed, Some(-9)),
            ("error", "0", false, RunState::Failed, None),
            ("error", "x", false, RunState::Failed, None),
            ("cancelled", "", true, RunState::Cancelled, None),
            ("pending", "", true, RunState::Cancelled, None),
            ("postponed", "", true, RunState::Failed, None),
            ("postponed", "7", false, RunState::Failed, Some(7)),
        ] {
            let ended = ended(row(status, code), over).unwrap_or_else(|| panic!("{status} {code}"));
            assert_eq!((ended.outcome.state, ended.outcome.exit_code), (state, exit), "{status} {code}");
            assert_eq!(ended.output, "out\n");
        }
    }

    #[test]
    fn what_may_still_come_has_not_ended() {
        assert_eq!((ended(row("pending", ""), false), ended(row("postponed", ""), false)), (None, None));
    }

    #[test]
    fn an_unknown_word_can_be_shown() {
        let why = ended(row("weird\u{1b}[2J", "1"), true).and_then(|ended| ended.outcome.reason);
        assert_eq!(why.as_deref(), Some("SimpleMDM says 'weird[2J', which we do not know"));
    }
}
