//! What a target comes to while there is no plan: what is wrong elsewhere in the form says nothing against where it is to
//! run. The devices of the last plan, where it was for the same target; else what the engine makes of the expression.

use super::Launch;
use crate::console::app::event::Effect;
use crate::model::wire::{Problem, Resolved};

/// A target, and what the engine said of it; `None`: nothing yet.
#[derive(Debug)]
pub struct Meant {
    target: String,
    answer: Option<Result<Devices, Problem>>,
}

/// Ids, and the same folded for people.
#[derive(Debug)]
pub struct Devices {
    pub ids: Vec<String>,
    pub folded: String,
}

impl Launch {
    /// The plan is no longer what the form says; where it would run may still be.
    pub(super) fn unplan(&mut self) {
        let target = self.target();
        if let Some(plan) = self.plan.take().filter(|plan| plan.target == target) {
            let devices = Devices { ids: plan.devices, folded: plan.folded };
            self.meant = Some(Meant { target, answer: Some(Ok(devices)) });
        } else if self.meant.as_ref().is_none_or(|meant| meant.target != target) {
            self.spread.clear();
        }
    }

    /// Asks once what the target comes to, where no plan says it.
    pub(super) fn ask_meant(&mut self) -> Option<Effect> {
        let target = self.target();
        let known = self.meant.as_ref().is_some_and(|meant| meant.target == target);
        let elsewhere = self.problem.as_ref().is_some_and(|problem| problem.column.is_none());
        if known || !elsewhere || self.plan.is_some() || target.trim().is_empty() {
            return None;
        }
        self.meant = Some(Meant { target: target.clone(), answer: None });
        Some(Effect::Resolve(target))
    }

    /// The engine's answer, if it is to what was asked last.
    pub fn resolved(&mut self, expr: &str, answer: &Result<Resolved, Problem>) {
        let Some(meant) = self.meant.as_mut().filter(|meant| meant.target == expr) else { return };
        let devices = |found: &Resolved| Devices {
            ids: found.devices.iter().map(|device| device.id.clone()).collect(),
            folded: found.folded.clone(),
        };
        meant.answer = Some(answer.as_ref().map(devices).map_err(Clone::clone));
    }

    /// What the target of the form comes to; `None`: that is not known, or a plan says it.
    pub fn meant(&self) -> Option<&Result<Devices, Problem>> {
        let meant = self.meant.as_ref().filter(|_| self.plan.is_none())?;
        meant.answer.as_ref().filter(|_| meant.target == self.target())
    }
}
