//! The name of a way to end: state, exit code, and the template of the lines that tell. Made of nothing but these, so
//! the same failure has the same name in every job, after every restart and in whatever order outputs arrive.

use sha2::{Digest, Sha256};

use super::mask::mask;
use super::own::Own;
use crate::connectors::Outcome;
use crate::model::job::Signature;
use crate::model::state::RunState;

/// What the names are made by. Another way of masking or choosing lines is another version: old names keep their
/// meaning, and are not compared with new ones.
const VERSION: &str = "v1";

/// Hex digits of a name: among a million signatures, two alike are not to be expected.
const DIGITS: usize = 12;

/// `lines`: those that tell, as they came.
pub fn of(outcome: &Outcome, lines: &[String], own: &Own) -> Signature {
    let mut templates: Vec<String> = Vec::new();
    // why it could not be reached, ran too long, was withdrawn: what the script said before that is not the point
    let reason = outcome.reason.as_deref().filter(|_| outcome.exit_code.is_none()).map(str::to_owned);
    let told: &[String] = match &reason {
        Some(reason) => std::slice::from_ref(reason),
        None => lines,
    };
    for line in told {
        let template = mask(line, own);
        if templates.last() != Some(&template) {
            templates.push(template);
        }
    }
    named(outcome.state, outcome.exit_code, &templates)
}

fn named(state: RunState, exit_code: Option<i32>, templates: &[String]) -> Signature {
    let mut hash = Sha256::new();
    hash.update(format!("{VERSION}\0{}\0{exit_code:?}", state.word()));
    for template in templates {
        hash.update("\0");
        hash.update(template);
    }
    let digest = hash.finalize();
    let mut name = format!("{VERSION}:");
    for byte in &digest[..DIGITS / 2] {
        name.push_str(&format!("{byte:02x}"));
    }
    Signature { name, says: templates.last().cloned().unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::device::Device;

    fn ended(code: i32, lines: &[&str], device: &str) -> Signature {
        let own = Own::of(&Device::new("lab", device));
        of(&Outcome::exited(code), &lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>(), &own)
    }

    #[test]
    fn the_same_failure_has_the_same_name_on_every_device() {
        let one = ended(69, &["web001: retry 3/3 failed: CDN 503"], "web001");
        let other = ended(69, &["WEB-BERLIN-7: retry 1/3 failed: CDN 503"], "web-berlin-7");
        assert_eq!(one, other);
        assert_eq!(one.says, "<host>: retry <n>/<n> failed: CDN <n>");
        assert_eq!(one.name, "v1:2c7ed99e65aa", "names outlive the program that gave them");
    }

    #[test]
    fn another_state_code_or_text_is_another_signature() {
        let one = ended(1, &["no space"], "web001");
        assert_ne!(one.name, ended(2, &["no space"], "web001").name);
        assert_ne!(one.name, ended(1, &["no spade"], "web001").name);
        let late = Outcome::because(RunState::Timeout, "ran longer than allowed: ended after 30.0 s");
        assert_ne!(one.name, of(&late, &["no space".to_owned()], &Own::default()).name);
    }

    #[test]
    fn how_often_it_was_tried_does_not_matter() {
        let once = ended(69, &["retry 1/3 failed", "giving up: error 503"], "a");
        let thrice = ended(69, &["retry 2/3 failed", "retry 3/3 failed", "giving up: error 503"], "a");
        assert_eq!(once, thrice);
    }

    #[test]
    fn why_there_was_no_answer_is_masked_too() {
        let gone = |address: &str| {
            of(&Outcome::because(RunState::Offline, format!("{address}:22: connection refused")), &[], &Own::default())
        };
        assert_eq!(gone("10.0.0.7"), gone("10.11.12.13"));
        assert_eq!(gone("10.0.0.7").says, "<addr>: connection refused");
    }
}
