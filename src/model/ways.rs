//! How the outputs of a script are put together beyond the masks that every line goes through: its own rules, what was
//! learnt from its outputs, and what people merged and split by hand. Kept for every script by itself.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::triage::Masked;

/// `GET /api/v1/ways?script=…`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ways {
    pub script: String,
    pub rules: Vec<Rule>,
    /// Groups put into others by hand.
    pub merged: Vec<Merged>,
    /// Groups taken apart by hand.
    pub split: Vec<Split>,
    /// Templates with a place for any word, learnt from the script's outputs.
    pub learnt: Vec<String>,
    pub tree: Tree,
}

/// A rule for the lines that tell, tried before the masks; of rules that find the same place the first counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// A regular expression; matched in linear time, so without look-around and backreferences.
    pub pattern: String,
    /// What stands for what it finds; `None`: that stays as it is, whatever the masks would do.
    pub becomes: Option<String>,
}

/// `POST /api/v1/ways`: all the rules of a script, instead of those it has. Answered by [`Ways`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    pub script: String,
    pub rules: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merged {
    pub signature: String,
    pub says: String,
    pub into: String,
    pub by: String,
    pub at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// The group as it was.
    pub signature: String,
    pub says: String,
    pub by_what: Fine,
    pub by: String,
    pub at: Timestamp,
}

/// How finely a group is told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fine {
    /// By masked lines, in which some words may be any.
    #[default]
    Words,
    /// By masked lines as they are.
    Masks,
    /// By lines with their numbers; times, addresses and the like are masked.
    Numbers,
    /// By lines in which the device's own words alone are masked.
    Lines,
}

impl Fine {
    pub const ALL: [Fine; 4] = [Fine::Words, Fine::Masks, Fine::Numbers, Fine::Lines];

    pub const fn words(self) -> &'static str {
        match self {
            Fine::Words => "by masked lines in which some words may be any",
            Fine::Masks => "by masked lines, word for word",
            Fine::Numbers => "by their numbers too",
            Fine::Lines => "by their lines as they are",
        }
    }

    pub fn finer(self) -> Option<Self> {
        Self::ALL.into_iter().find(|other| *other > self)
    }
}

/// `POST /api/v1/jobs/{id}/regroup`: groups of this job are put together or taken apart, here and wherever the same
/// script ends in the same way. Answered by [`Ways`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Regroup {
    /// All of these in one act, which is taken back as one.
    Merge { signatures: Vec<String>, into: String },
    /// One step finer.
    Split { signature: String },
    /// The last that was done to it by hand is taken back.
    Undo { signature: String },
}

/// `POST /api/v1/jobs/{id}/regroup/preview`: what a [`Regroup`] would come to; nothing is changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Foreseen {
    pub script: String,
    pub does: Does,
    /// The groups that this job's runs of what is regrouped would be in, the largest first.
    pub groups: Vec<Expected>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Does {
    Merge,
    /// Told apart as finely as this.
    Split(Fine),
    /// What one act merged by hand: each is a group of its own again.
    Unmerge(Vec<Merged>),
    /// What was taken apart by hand is as it was, or as it was taken apart before.
    Unsplit(Split),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    pub signature: String,
    pub says: String,
    pub runs: usize,
}

/// `GET /api/v1/jobs/{id}/masking?group=…`: how a group of this job came by its template.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Masking {
    pub script: String,
    pub signature: String,
    /// The device that stands for the group.
    pub device: String,
    /// The lines that tell, as it said them but for its own words, each with what the rules and the masks make of it.
    pub lines: Vec<Line>,
    /// The group's template: some words may be any.
    pub template: Vec<String>,
    pub masked: Vec<Masked>,
    /// How finely it is told apart.
    pub fine: Fine,
    /// What was merged into it by hand.
    pub merged: Vec<Merged>,
    /// The script's rules, before the masks.
    pub rules: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub raw: String,
    pub masked: String,
}

/// By what words are taken to be a place for any word.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tree {
    /// Words at the head of a line that are never taken for any.
    pub depth: usize,
    /// Share of a template's words that must stay.
    pub similarity: f64,
    /// Different words at a place, all else being equal, above which any may stand there.
    pub children: usize,
}

impl Default for Tree {
    fn default() -> Self {
        Self { depth: 1, similarity: 0.6, children: 8 }
    }
}
