//! What the sample engine finds in its jobs: rows for a search, and one job beside another.

use super::Event;
use crate::model::compare::{Against, Changed, Shift, Way};
use crate::model::import::Import;
use crate::model::job::{Job, JobId, Run};
use crate::model::past::{End, Hit, Mention, Past, Progress, Spot, Told};
use crate::model::state::{Counts, RunState};
use crate::model::wire::{Code, Problem};

fn hit(job: &Job, run: &Run, asked: &Past) -> Hit {
    let spot = Spot { number: 41, at: job.summary.created_at };
    Hit {
        job: job.summary.id,
        script: job.summary.script.clone(),
        version: job.summary.version.clone(),
        at: job.summary.created_at,
        by: job.summary.by.clone(),
        run: run.index,
        device: run.device.clone(),
        name: run.name.clone(),
        state: run.state,
        exit_code: run.exit_code,
        signature: run.state.bad().then(|| "v1:2c7ed99e65aa".into()),
        says: run.reason.clone().unwrap_or_else(|| run.last_line.clone()),
        line: asked.text.is_some().then_some(spot),
        lines: if asked.text.is_some() { 3 } else { 0 },
        counts: None,
    }
}

/// Runs by device, script and state; a text is in every line that was printed.
pub fn found(jobs: &[Job], serial: u64, asked: &Past) -> Event {
    let device = asked.device.as_deref().map(|device| device.rsplit(':').next().unwrap_or(device).to_owned());
    let fits = |run: &&Run| {
        device.as_ref().is_none_or(|device| run.name.starts_with(device.as_str()))
            && (asked.state.is_empty() && !asked.unknown
                || asked.state.contains(&run.state)
                || asked.unknown && run.unknown())
            && (asked.text.is_none() || !run.last_line.is_empty())
    };
    let mut told: Vec<Told> = Vec::new();
    let mut more = false;
    for job in jobs.iter().filter(|job| asked.script.as_ref().is_none_or(|script| *script == job.summary.script)) {
        let runs: Vec<&Run> = job.runs.iter().filter(fits).collect();
        let Some(worst) = runs.iter().min_by_key(|run| run.state.rank()) else { continue };
        match asked.jobs {
            true => {
                let counts = Some(Counts::of(runs.iter().map(|run| run.state)));
                told.push(Told::Hit(Box::new(Hit { counts, ..hit(job, worst, asked) })));
            }
            false => told.extend(runs.into_iter().map(|run| Told::Hit(Box::new(hit(job, run, asked))))),
        }
    }
    if told.len() > asked.limit {
        (more, _) = (true, told.truncate(asked.limit));
    }
    if asked.jobs && asked.device.is_some() {
        let mention = Mention { what: "template".into(), name: "nightly".into(), says: "disk-use.sh on web".into() };
        told.push(Told::Mention(mention));
    }
    let progress = Progress { runs: 413, bytes: 41_000, found: told.len() as u64, back_to: Some(super::sample::at(0)) };
    told.push(Told::End(End { progress, more, ..End::default() }));
    Event::Found { serial, answer: Ok(told) }
}

/// A job beside one in which every third device failed and nobody was offline.
pub fn compared(jobs: &[Job], job: JobId, other: Option<JobId>) -> Event {
    let found = jobs.iter().find(|one| one.summary.id == job && one.summary.script == "disk-use.sh" && job > 10);
    let Some(right) = found else {
        let error = format!("no job of disk-use.sh before job {job}: name a job to compare with");
        return Event::JobsCompared {
            job,
            other,
            answer: Box::new(Err(Problem { code: Code::NotFound, error, column: None })),
        };
    };
    let way = |run: &Run, state: RunState| Way {
        run: run.index,
        state,
        exit_code: match state {
            RunState::Ok => Some(0),
            RunState::Failed => Some(69),
            _ => None,
        },
        signature: format!("v1:{}", state.word()),
    };
    let shift = |run: &Run| {
        let was = if run.index.is_multiple_of(3) { RunState::Failed } else { RunState::Ok };
        let changed = run.state.ended() && (was != run.state || run.state.bad());
        changed.then(|| Shift {
            device: run.device.clone(),
            name: run.name.clone(),
            from: way(run, was),
            to: way(run, run.state),
            says: run.reason.clone().unwrap_or_else(|| run.last_line.clone()),
        })
    };
    let mut shifts: Vec<Shift> = right.runs.iter().filter_map(shift).collect();
    shifts.sort_by_key(|shift| Shift::WORDS.iter().position(|word| *word == shift.word()));
    let group = |state: RunState, exit_code, says: &str, left, right| Changed {
        signature: format!("v1:{}", state.word()),
        state,
        exit_code,
        says: says.into(),
        left,
        right,
    };
    let answer = Against {
        left: other.unwrap_or(9),
        right: job,
        groups: vec![
            group(RunState::Offline, None, "no answer within <n> s", 0, 12),
            group(RunState::Failed, Some(69), "retry <n>/<n> failed: CDN <n>", 138, 17),
            group(RunState::Ok, Some(0), "<path> <n>% used", 274, 218),
        ],
        moved: Vec::new(),
        only_left: "lab:db[1-2]".into(),
        only_right: String::new(),
        shifts,
    };
    Event::JobsCompared { job, other, answer: Box::new(Ok(answer)) }
}

/// A bringing-in that has come some way.
pub fn imported(connection: &str) -> Event {
    let import = Import { going: true, found: 40, done: 12, ..Import::of(connection) };
    Event::Imported { connection: connection.to_owned(), answer: Ok(import) }
}
