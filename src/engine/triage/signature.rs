//! The name of a way to end: state, exit code, and the template of the lines that tell. Made of nothing but these, so
//! the same failure has the same name in every job, after every restart and in whatever order outputs arrive.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::mask::mask_by;
use super::own::Own;
use super::rules::Rules;
use crate::connectors::Outcome;
use crate::model::job::{Run, Signature};
use crate::model::state::RunState;
use crate::model::ways::Fine;

/// What the names are made by. Another way of masking or choosing lines is another version: old names keep their
/// meaning, and are not compared with new ones.
const VERSION: &str = "v1";

/// Hex digits of a name: among a million signatures, two alike are not to be expected.
const DIGITS: usize = 12;

/// An end as it was, but for the words that were the device's own: what a name is made of, by whatever rules. Whatever
/// is remembered of a signature keeps one, and finds its group by it when the rules have changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Specimen {
    pub state: RunState,
    pub exit_code: Option<i32>,
    /// The lines that tell; of an end recorded before they were kept, what it said.
    pub told: Arc<[String]>,
    /// The name it was recorded under, where its lines are not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<String>,
}

impl Specimen {
    pub fn of(run: &Run) -> Self {
        let (state, exit_code) = (run.state, run.exit_code);
        match &run.signature {
            Some(Signature { told: Some(told), .. }) => {
                Self { state, exit_code, told: Arc::clone(told), recorded: None }
            }
            Some(Signature { name, says, told: None }) => {
                Self { state, exit_code, told: Arc::from([says.clone()]), recorded: Some(name.clone()) }
            }
            // never came to its device: withdrawn, not sent
            None => {
                let said = run.reason.as_ref().or((!run.last_line.is_empty()).then_some(&run.last_line));
                Self { state, exit_code, told: said.cloned().into_iter().collect(), recorded: None }
            }
        }
    }

    /// The lines, masked; what repeats itself once.
    pub fn template(&self) -> Vec<String> {
        let mut templates: Vec<String> =
            self.told.iter().map(|line| mask_by(line, &Rules::default(), Fine::Masks)).collect();
        templates.dedup();
        templates
    }

    /// The name that these templates make with its state and code.
    pub fn name(&self, templates: &[String]) -> String {
        match &self.recorded {
            Some(name) => name.clone(),
            None => name(self.state, self.exit_code, templates),
        }
    }
}

/// `lines`: those that tell, as they came.
pub fn of(outcome: &Outcome, lines: &[String], own: &Own) -> Signature {
    // why it could not be reached, ran too long, was withdrawn: what the script said before that is not the point
    let reason = outcome.reason.as_ref().filter(|_| outcome.exit_code.is_none());
    let told: Arc<[String]> = match reason {
        Some(reason) => [own.taken_out(reason)].into(),
        None => lines.iter().map(|line| own.taken_out(line)).collect(),
    };
    let specimen = Specimen { state: outcome.state, exit_code: outcome.exit_code, told, recorded: None };
    let templates = specimen.template();
    let name = specimen.name(&templates);
    Signature { name, says: templates.last().cloned().unwrap_or_default(), told: Some(specimen.told) }
}

fn name(state: RunState, exit_code: Option<i32>, templates: &[String]) -> String {
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
    name
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
        assert_eq!((&one.name, &one.says), (&other.name, &other.says));
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
        assert_eq!(once.name, thrice.name);
    }

    #[test]
    fn why_there_was_no_answer_is_masked_too() {
        let gone = |address: &str| {
            of(&Outcome::because(RunState::Offline, format!("{address}:22: connection refused")), &[], &Own::default())
        };
        assert_eq!(gone("10.0.0.7").name, gone("10.11.12.13").name);
        assert_eq!(gone("10.0.0.7").says, "<addr>: connection refused");
    }

    #[test]
    fn a_name_can_be_made_again_from_what_is_kept() {
        let told = ended(69, &["web001: retry 3/3 failed: CDN 503"], "web001");
        let run = Run {
            state: RunState::Failed,
            exit_code: Some(69),
            signature: Some(told.clone()),
            ..Run::queued(0, "lab:web001", "web001")
        };
        let specimen = Specimen::of(&run);
        assert_eq!(*specimen.told, ["<host>: retry 3/3 failed: CDN 503"]);
        assert_eq!(specimen.name(&specimen.template()), told.name);
        // recorded by an older engine, without the lines: the name stays
        let old = Run { signature: Some(Signature { told: None, ..told.clone() }), ..run };
        let specimen = Specimen::of(&old);
        assert_eq!(specimen.name(&specimen.template()), told.name);
    }
}
