//! Outputs and jobs beside one another: which run stands for what was asked for, and what differs. How texts are
//! compared is `model::diff`'s affair, which runs are alike is triage's.

mod jobs;
mod text;

use std::collections::BTreeSet;
use std::sync::Arc;

use self::text::Text;
use super::jobs::plan::invalid;
use super::outputs::{Outputs, blocking};
use super::store::db;
use super::{Engine, find_run, problem, triage};
use crate::model::compare::{Compared, Comparison, Pick, What};
use crate::model::device::Device;
use crate::model::diff::Diff;
use crate::model::job::{Job, JobId, Run};
use crate::model::label;
use crate::model::triage::{Group, Groups, Masked};
use crate::model::wire::{Code, Problem};

/// A run that was found for a side.
struct Chosen {
    job: Job,
    run: u32,
    stands_for: usize,
}

impl Chosen {
    fn of(job: Job, run: u32) -> Self {
        Self { job, run, stands_for: 1 }
    }

    fn for_all(job: Job, group: &Group) -> Self {
        Self { run: group.sample(&job.runs), stands_for: group.runs.len(), job }
    }

    fn run(&self) -> Result<&Run, Problem> {
        let (id, runs) = (self.job.summary.id, self.job.runs.len());
        self.job.runs.get(self.run as usize).ok_or_else(|| {
            problem(Code::NotFound, format!("job {id} has {runs} runs, numbered from 0: no run {}", self.run))
        })
    }

    fn told(&self, left_out: u64) -> Result<Compared, Problem> {
        let run = self.run()?;
        Ok(Compared {
            job: self.job.summary.id,
            run: self.run,
            device: run.device.clone(),
            state: run.state,
            exit_code: run.exit_code,
            signature: run.signature.as_ref().map(|signature| signature.name.clone()),
            stands_for: self.stands_for,
            left_out,
        })
    }
}

impl Engine {
    /// Two outputs of jobs of whatever script, line by line.
    pub async fn diff(&self, id: JobId, left: &Pick, right: &Pick, masked: bool) -> Result<Comparison, Problem> {
        let (left, right) = match (&left.what, &right.what) {
            (What::Before, What::Before) => {
                return Err(invalid("`before` needs another side: it is what that side's device did the time before"));
            }
            (What::Before, _) => {
                let right = self.chosen(id, right).await?;
                (self.before(&right).await?, right)
            }
            (_, What::Before) => {
                let left = self.chosen(id, left).await?;
                let before = self.before(&left).await?;
                (left, before)
            }
            _ => (self.chosen(id, left).await?, self.chosen(id, right).await?),
        };
        let sides = [self.side(&left).await?, self.side(&right).await?];
        let ways = sides.each_ref().map(|side| Arc::clone(&side.ways));
        let (texts, diff) = blocking(id, move || {
            let [a, b] = sides.map(|side| side.read(masked));
            let (a, b) = (a?, b?);
            let diff = Diff::of(&a.bytes(), &b.bytes());
            Ok(([a, b], diff))
        })
        .await?;
        let mut comparison = Comparison {
            left: left.told(texts[0].left_out)?,
            right: right.told(texts[1].left_out)?,
            masked,
            masks: if masked { masks(&texts, &ways) } else { Vec::new() },
            diff,
        };
        for (side, compared) in [("left", &comparison.left), ("right", &comparison.right)] {
            if compared.left_out > 0 {
                let note = format!("on the {side} {} lines in the middle are not compared", compared.left_out);
                comparison.diff.notes.push(note);
            }
        }
        Ok(comparison)
    }

    async fn chosen(&self, id: JobId, pick: &Pick) -> Result<Chosen, Problem> {
        let id = pick.job.unwrap_or(id);
        let job = self.job(id).await?;
        match &pick.what {
            What::Run(run) => Ok(Chosen::of(job, *run)),
            What::Device(device) => {
                let run = find_run(&job, device)?;
                Ok(Chosen::of(job, run))
            }
            What::Base => {
                let groups = self.groups(id, false).await?;
                let base = groups.base.and_then(|at| groups.groups.get(at)).ok_or_else(|| {
                    let why = format!("nothing in job {id} ended well: name the group or device to compare with");
                    problem(Code::NotFound, why)
                })?;
                Ok(Chosen::for_all(job, base))
            }
            What::Group(signature) => {
                let groups = self.groups(id, false).await?;
                let group = find_group(&groups, signature)?;
                Ok(Chosen::for_all(job, group))
            }
            What::Before => Err(invalid("`before` is of no job of its own")),
        }
    }

    /// What this run's device did when the same script was last run on it.
    async fn before(&self, than: &Chosen) -> Result<Chosen, Problem> {
        let (id, script, device) = (than.job.summary.id, than.job.summary.script.clone(), than.run()?.device.clone());
        let (named, on) = (script.clone(), device.clone());
        match self.jobs.store.db.call(move |db| db::run_before(db, &script, &device, id)).await? {
            Some((job, run)) => Ok(Chosen::of(self.job(job).await?, run)),
            None => Err(problem(Code::NotFound, format!("{named} has not been run on {on} before job {id}"))),
        }
    }

    async fn side(&self, chosen: &Chosen) -> Result<Side, Problem> {
        let run = chosen.run()?;
        let ways = self.ways_of(&chosen.job.summary.script).await?;
        let inventory = self.inventories.all();
        let known = inventory.device(&run.device).cloned();
        Ok(Side {
            outputs: self.outputs(chosen.job.summary.id),
            ways,
            run: run.index,
            lines: run.lines,
            // of one that the inventory has no longer, the name is known
            device: known.unwrap_or_else(|| Arc::new(Device::new(run.connection(), &run.name))),
        })
    }
}

/// Everything that reading a side takes, away from the engine.
struct Side {
    outputs: Outputs,
    /// How the script wants its lines masked.
    ways: Arc<triage::Ways>,
    run: u32,
    lines: u64,
    device: Arc<Device>,
}

impl Side {
    fn read(&self, masked: bool) -> std::io::Result<Text> {
        let mut text = match self.outputs.open(self.run)? {
            Some(source) => text::read(&source.files, source.end, self.lines)?,
            None => Text::default(),
        };
        if masked {
            text.masked(triage::masker(&self.device, &self.ways));
        }
        Ok(text)
    }
}

/// A group by what the job calls it (`S3`), by its signature, or by the beginning of that (`v1:` may be left out).
pub fn find_group<'a>(of: &'a Groups, name: &str) -> Result<&'a Group, Problem> {
    let (id, groups) = (of.job, &of.groups);
    let begins = |group: &&Group| {
        let bare = group.signature.split_once(':').map_or(group.signature.as_str(), |(_, bare)| bare);
        group.signature.starts_with(name) || bare.starts_with(name)
    };
    if let Some(exactly) = label::find(of, name).and_then(|at| groups.get(at)) {
        return Ok(exactly);
    }
    match groups.iter().filter(begins).collect::<Vec<_>>().as_slice() {
        [one] => Ok(one),
        [] => {
            Err(problem(Code::NotFound, format!("job {id} has no group {name}: `quarterdeck groups {id}` lists them")))
        }
        many => Err(invalid(format!("{} groups of job {id} begin with {name}: give more of it", many.len()))),
    }
}

/// How often which mark stands in the texts.
fn masks(texts: &[Text], ways: &[Arc<triage::Ways>]) -> Vec<Masked> {
    let count = |mark: &str| {
        let finder = memchr::memmem::Finder::new(mark);
        texts.iter().flat_map(|text| &text.lines).map(|line| finder.find_iter(line).count()).sum()
    };
    let marks: BTreeSet<&str> =
        triage::MARKS.into_iter().chain(ways.iter().flat_map(|ways| ways.rules.marks())).collect();
    let masked = marks.into_iter().map(|mark| Masked { mark: mark.to_owned(), count: count(mark) });
    masked.filter(|masked| masked.count > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::state::RunState;
    use crate::model::triage::Remarks;

    fn group(signature: &str, runs: &[u32]) -> Group {
        Group {
            signature: signature.to_owned(),
            state: RunState::Failed,
            exit_code: Some(1),
            says: String::new(),
            template: Vec::new(),
            masked: Vec::new(),
            runs: runs.to_vec(),
            devices: String::new(),
            first_ended: None,
            before: None,
            met: false,
            fixed: 0,
            texts: 1,
            plain: None,
            shared: Vec::new(),
            remarks: Remarks::default(),
        }
    }

    #[test]
    fn a_group_is_found_by_as_much_of_its_name_as_tells_it_apart() {
        let groups = vec![group("v1:2c7e", &[0]), group("v1:2c80", &[1]), group("v1:ffff", &[2])];
        let groups = Groups { job: 7, groups, ..Groups::default() };
        let find = |name: &str| find_group(&groups, name).map(|group| group.runs[0]).map_err(|why| why.error);
        assert_eq!((find("S2"), find("s3")), (Ok(1), Ok(2)), "as the screens call it");
        assert_eq!((find("v1:2c7e"), find("2c7"), find("f")), (Ok(0), Ok(0), Ok(2)));
        assert!(find("2c").unwrap_err().contains("2 groups of job 7 begin with 2c"));
        assert!(find("v1:00").unwrap_err().contains("`quarterdeck groups 7` lists them"));
    }
}
