//! The groups of the sample jobs, as an engine would tell them: made from the runs, with what a device shares made up.

use std::collections::BTreeMap;

use super::Event;
use super::sample::at;
use super::triage::compare::{Question, Side};
use crate::model::compare::{Compared, Comparison};
use crate::model::diff::Diff;
use crate::model::job::{Job, JobId, Run};
use crate::model::nodeset;
use crate::model::state::RunState;
use crate::model::triage::{About, Acked, Alone, Gone, Group, Groups, Masked, Noted, Remark, Remarks, Shared, Subject};

/// Signature, and what it says.
fn ended(run: &Run) -> (&'static str, &'static str) {
    match (run.state, run.index % 3) {
        (RunState::Failed, _) if run.index == 5 => ("v1:5e0c7b1a90d24f3e", "sw_vers: command not found"),
        (RunState::Failed, 0 | 1) => ("v1:1b2f60c4a7718d95", "retry <n>/<n> failed: CDN <n>"),
        (RunState::Failed, _) => ("v1:2d9a4471e06b83fc", "no space: <n> GiB free, need <n>"),
        (RunState::Offline, _) => ("v1:0ff11e5c3a7d2b86", "no answer within <n> s"),
        _ => ("v1:00c0ffee11aa22bb", "/dev/<dev> <n>% used"),
    }
}

pub fn groups(job: &Job, exact: bool, base: Option<JobId>) -> Groups {
    let mut by: BTreeMap<(&str, u32), Vec<&Run>> = BTreeMap::new();
    for run in job.runs.iter().filter(|run| run.state.ended()) {
        let text = if exact { run.index % 2 } else { 0 };
        by.entry((ended(run).0, text)).or_default().push(run);
    }
    let previous = base.or((job.summary.id == 12).then_some(11));
    let mut groups: Vec<Group> = by
        .into_values()
        .map(|runs| {
            let (signature, says) = ended(runs[0]);
            let before = match says.split(' ').next() {
                Some("sw_vers:") => 0,
                Some("retry") => 31,
                Some("no") if runs[0].state == RunState::Offline => runs.len(),
                Some("no") => 1,
                _ => 88,
            };
            Group {
                signature: signature.into(),
                state: runs[0].state,
                exit_code: runs[0].exit_code,
                says: says.into(),
                plain: None,
                runs: runs.iter().map(|run| run.index).collect(),
                devices: nodeset::fold(runs.iter().map(|run| run.device.as_str())),
                first_ended: runs.iter().filter_map(|run| run.finished_at).min(),
                before: previous.map(|_| before),
                met: before > 0,
                texts: if exact { 1 } else { runs.len().min(2) },
                shared: vec![],
                template: vec![says.into()],
                masked: vec![],
                fixed: 0,
                remarks: Remarks::default(),
            }
        })
        .collect();
    groups.sort_by_key(|group| {
        (group.state == RunState::Ok, !group.is_new(), group.state.rank(), std::cmp::Reverse(group.runs.len()))
    });
    let base = groups.iter().position(|group| group.state == RunState::Ok);
    let of = base.map_or(0, |base| groups[base].runs.len());
    for group in groups.iter_mut().filter(|group| group.state == RunState::Failed) {
        let here = group.runs.len();
        let shared = |field: &str, value: &str, here: usize, base: usize| Shared {
            field: field.into(),
            value: value.into(),
            here,
            of: group.runs.len(),
            base,
            base_of: of,
        };
        let via = if group.says.starts_with("retry") { 0 } else { of / 4 };
        group.shared = vec![
            shared("via", "proxy-b", here, via),
            shared("os", "debian 13", here, of * 3 / 4),
            shared("group", "web", here.div_ceil(2), of / 5),
        ];
    }
    let gone = previous.map(|_| Gone {
        signature: "v1:90e1aa5502dd71c3".into(),
        state: RunState::Failed,
        says: "mount: /var is busy".into(),
        runs: 4,
        fixed: 4,
    });
    Groups {
        job: job.summary.id,
        exact,
        previous,
        alone: previous.is_none().then_some(Alone::First),
        base,
        well_in: None,
        groups,
        gone: gone.into_iter().collect(),
        open: job.runs.iter().filter(|run| !run.state.ended()).count(),
    }
}

/// What is said of a signature is kept, as the engine would.
pub fn remarked(subject: &Subject, remark: &Remark) -> Event {
    let name = match subject {
        Subject::Signature(name) => name.clone(),
        Subject::Job(id) => id.to_string(),
    };
    let mut remarks = Remarks::default();
    match remark.clone() {
        Remark::Ack(true) => remarks.acked = Some(Acked { by: "ops".into(), at: at(90) }),
        Remark::Ack(false) => {}
        Remark::Note(text) => remarks.note = Some(Noted { text, by: "ops".into(), at: at(90) }),
        Remark::Runbook(link) => remarks.runbook = Some(link),
    }
    Event::Remarked(Ok(About { subject: name, says: String::new(), remarks }))
}

/// Two outputs as these jobs would have printed them.
pub fn compared(question: &Question) -> Event {
    let (ok, bad) = (
        "os-patch v17 want=14.6 have=14.5\nfree <n> GiB\nDownloading 14.6\n100%\ninstalled, reboot at 18:00\nrc=0 from=14.5 to=14.6\n",
        "os-patch v17 want=14.6 have=14.5\nfree <n> GiB\nDownloading 14.6\n~~~ stderr\ncurl: (22) The requested URL returned error: <n>\nretry <n>/<n> failed: CDN <n>\nrc=69 from=14.5 to=14.6\n",
    );
    let side = |job, run: u32, state, stands_for| Compared {
        job,
        run,
        device: format!("lab:web{:03}", run + 1),
        state,
        exit_code: None,
        signature: Some(match state {
            RunState::Ok => "v1:00c0ffee11aa22bb".to_owned(),
            _ => match &question.right.what {
                Side::Group(signature) => signature.clone(),
                _ => "v1:1b2f60c4a7718d95".to_owned(),
            },
        }),
        stands_for,
        left_out: 0,
    };
    let (run, many) = match question.right.what {
        Side::Run(run) => (run, 1),
        _ => (22, 16),
    };
    let left = match question.left.what {
        Side::Before => side(11, run, RunState::Failed, 1),
        _ => side(question.job, 0, RunState::Ok, 222),
    };
    let masked = |mark: &str, count| Masked { mark: mark.into(), count };
    let comparison = Comparison {
        left,
        right: side(question.job, run, RunState::Failed, many),
        masked: question.masked,
        masks: if question.masked { vec![masked("<n>", 6), masked("<time>", 9)] } else { vec![] },
        diff: Diff::of(ok.as_bytes(), bad.as_bytes()),
    };
    Event::OutputsCompared { question: question.clone(), answer: Box::new(Ok(comparison)) }
}
