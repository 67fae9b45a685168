//! What a job is compared with: which job "new", "gone", "grew", "shrank" and "fixed" are said against. This is the one
//! place where that is decided.
//!
//! Merely the job before would be unfair: after a retry of three failures every `ok` of the next whole job would be
//! news. So it is the newest job of the same script that
//! * had an answer (it ended well, badly, too late, or was not reached) from at least half of this job's devices: what
//!   was withdrawn or left out says nothing about how a device would have ended; and
//! * is no re-run, or else had an answer from all of this job's devices: a re-run has those that were ill before, and
//!   stands for no whole fleet. A re-run itself is thus compared with what it re-runs, or with a later job that had
//!   all of its devices.
//!
//! Only devices of both are counted. Where there is no such job nothing is new, and the screen says why: it is the
//! script's first job, none before it has ended, or none ran on these devices. People may choose another job.

use crate::engine::store::db;
use crate::engine::{Engine, problem};
use crate::model::job::JobId;
use crate::model::triage::Alone;
use crate::model::wire::{Code, Problem};

/// Earlier jobs looked at.
const LOOKED: usize = 30;

/// An earlier job of the script: how many of this job's devices answered in it.
pub struct Earlier {
    pub job: JobId,
    pub rerun: bool,
    pub answered: usize,
}

/// The first that is fair, of the newest first; `devices`: this job's.
pub fn fair(earlier: impl IntoIterator<Item = Earlier>, devices: usize) -> Result<JobId, Alone> {
    let mut none = Alone::First;
    for job in earlier {
        none = Alone::Elsewhere;
        let enough = if job.rerun { devices } else { devices.div_ceil(2) };
        if job.answered > 0 && job.answered >= enough {
            return Ok(job.job);
        }
    }
    Err(none)
}

impl Engine {
    /// What a job is compared with, unless somebody chooses.
    pub async fn baseline(&self, id: JobId) -> Result<Result<JobId, Alone>, Problem> {
        let found = self.jobs.store.db.call(move |db| {
            let (devices, candidates) = db::earlier(db, id, LOOKED)?;
            let mut looked = Vec::new();
            for (job, rerun) in candidates {
                let answered = db::answered_in(db, id, job)?;
                looked.push(Earlier { job, rerun, answered });
                // the rest is not worth a look
                let so_far = looked.iter().map(|earlier| Earlier { ..*earlier });
                if let Ok(job) = fair(so_far, devices) {
                    return Ok(Ok(job));
                }
            }
            let first = looked.is_empty() && !db::open_before(db, id)?;
            Ok(fair(looked, devices).map_err(|alone| match alone {
                Alone::First if !first => Alone::Open,
                alone => alone,
            }))
        });
        Ok(found.await?)
    }

    /// The jobs that it may be compared with, newest first, and whether they re-run another.
    pub(super) async fn earlier(&self, id: JobId) -> Result<Vec<(JobId, bool)>, Problem> {
        Ok(self.jobs.store.db.call(move |db| db::earlier(db, id, LOOKED)).await?.1)
    }

    /// The job that is chosen, looked at.
    pub(super) async fn chosen_base(&self, id: JobId, base: JobId) -> Result<JobId, Problem> {
        if base == id {
            return Err(problem(Code::Invalid, format!("job {id} is compared with itself: name another")));
        }
        self.job(base).await.map(|job| job.summary.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(earlier: &[(JobId, bool, usize)], devices: usize) -> Result<JobId, Alone> {
        fair(
            earlier.iter().map(|(job, rerun, answered)| Earlier { job: *job, rerun: *rerun, answered: *answered }),
            devices,
        )
    }

    #[test]
    fn a_first_job_has_nothing_to_be_compared_with() {
        assert_eq!(of(&[], 10), Err(Alone::First));
    }

    #[test]
    fn the_newest_job_on_half_of_the_devices_is_it() {
        assert_eq!(of(&[(8, false, 5), (7, false, 10)], 10), Ok(8));
        assert_eq!(of(&[(8, false, 4), (7, false, 10)], 10), Ok(7), "too few of them");
        assert_eq!(of(&[(8, false, 4), (7, false, 0)], 10), Err(Alone::Elsewhere));
        assert_eq!(of(&[(8, false, 0)], 0), Err(Alone::Elsewhere), "a job without devices is like no other");
    }

    #[test]
    fn a_re_run_stands_for_the_fleet_only_if_it_had_all_of_it() {
        assert_eq!(of(&[(9, true, 7), (8, false, 10)], 10), Ok(8));
        assert_eq!(of(&[(9, true, 3), (8, false, 3)], 3), Ok(9), "the same devices once more");
    }
}
