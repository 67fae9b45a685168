//! A page for the ticket: what ran, how it ended, the groups with what they share and a sample of each. What devices
//! said stands in code, where it is neither a heading nor a link nor somebody's name.

use std::fmt::Write as _;

use super::{Report, seconds};
use crate::model::amounts::number;
use crate::model::job::{Job, Run};
use crate::model::label;
use crate::model::output::Line;
use crate::model::state::RunState;
use crate::model::triage::{Group, Groups, Remarks};

/// Groups of which a sample is shown.
pub(super) const GROUPS: usize = 30;

/// Facts told of a group, and how much more common they must be there than where it went well.
const FACTS: usize = 3;
const TELLING: f64 = 0.3;

/// Characters of a node set in a table.
const NODES: usize = 200;

pub(super) fn head(report: &Report, job: &Job, groups: &Groups, out: &mut String) {
    let head = &job.summary;
    let _ = writeln!(out, "# Job {}: {} {}\n", head.id, code(&report.line(&head.script), false), head.state.word());
    let mut fact = |label: &str, value: &str| {
        let _ = writeln!(out, "* {label}: {value}");
    };
    let waited = match head.progress.held_ms / 1000 {
        0 => String::new(),
        waited => format!(", {waited} s of them waiting for people"),
    };
    let ended = head.finished_at.map(|at| format!(", took {} s{waited}", seconds(head.created_at, at)));
    fact(
        "launched",
        &format!("{} by {}{}", head.created_at, code(&report.line(&head.by), false), ended.unwrap_or_default()),
    );
    fact("script version", &code(&head.version, false));
    fact("target", &code(&report.line(&head.target), false));
    for (name, value) in &job.params {
        fact("parameter", &code(&report.line(&format!("{name}={value}")), false));
    }
    if let Some(parent) = head.parent {
        fact("retry of", &format!("job {parent}"));
    }
    if let Some(reason) = &head.reason {
        fact("reason", &code(&report.line(reason), false));
    }
    for (n, ring) in (1..).zip(&job.rollout.rings) {
        let approval = head.progress.approvals.iter().find(|approval| approval.ring == n);
        let approved = approval
            .map(|approval| format!(", approved by {} at {}", code(&report.line(&approval.by), false), approval.at));
        let devices = cut(&report.line(&ring.devices));
        let size = number(ring.runs.len() as u64, "device");
        fact(&format!("ring {n}"), &format!("{size} {}{}", code(&devices, false), approved.unwrap_or_default()));
    }
    let counts = RunState::ALL.into_iter().filter(|state| head.counts.get(*state) > 0);
    let counts: Vec<String> = counts.map(|state| format!("{} {}", head.counts.get(state), state.word())).collect();
    fact("devices", &format!("{}: {}", head.counts.total(), counts.join(", ")));
    if groups.groups.is_empty() {
        out.push_str("\nNothing has ended yet.\n");
        return;
    }
    let before = groups.previous.map_or_else(|| "before".to_owned(), |job| format!("job {job}"));
    let _ = writeln!(out, "\n| signature | devices | state | exit | {before} | what it says |");
    out.push_str("| --- | ---: | --- | ---: | ---: | --- |\n");
    for (group, label) in groups.groups.iter().zip(label::labels(groups)) {
        let _ = writeln!(
            out,
            "| {label} {} | {} | {} | {} | {} | {} |",
            code(&group.signature, true),
            group.runs.len(),
            group.state.word(),
            group.exit_code.map_or_else(|| "-".to_owned(), |code| code.to_string()),
            match group.before {
                None => "-".to_owned(),
                Some(0) => "**new**".to_owned(),
                Some(before) => before.to_string(),
            },
            said(report, group.said(), true),
        );
    }
    for gone in &groups.gone {
        let (name, says) = (code(&gone.signature, true), said(report, &gone.says, true));
        let _ = writeln!(out, "| {name} | 0 | {} | | {} | {says} (gone) |", gone.state.word(), gone.runs);
    }
    if groups.open > 0 {
        let _ = writeln!(out, "\n{} devices have not ended.", groups.open);
    }
}

pub(super) fn group(report: &Report, group: &Group, run: Option<&Run>, lines: &[Line], out: &mut String) {
    let count = group.runs.len();
    let devices = if count == 1 { "device" } else { "devices" };
    let _ = writeln!(out, "\n## {} ({count} {devices}, {})\n", said(report, group.said(), false), group.state.word());
    let _ = writeln!(out, "* {}: {}", devices, code(&cut(&report.line(&group.devices)), false));
    let telling = group.shared.iter().filter(|shared| count > 1 && shared.lift() >= TELLING);
    for shared in telling.take(FACTS) {
        let _ = writeln!(
            out,
            "* {}: {} of {} here, {} of {} where it went well",
            code(&report.line(&format!("{}={}", shared.field, shared.value)), false),
            shared.here,
            shared.of,
            shared.base,
            shared.base_of
        );
    }
    remarks(report, &group.remarks, out);
    let Some(run) = run else { return };
    let _ = writeln!(out, "\nThe last lines of {}:\n", code(&report.line(&run.device), false));
    let text: Vec<String> = lines.iter().map(|line| report.line(&line.text)).collect();
    let fence = "`".repeat(longest(&text.join("\n")).max(2) + 1);
    let _ = writeln!(
        out,
        "{fence}text\n{}\n{fence}",
        if text.is_empty() { "(said nothing)".to_owned() } else { text.join("\n") }
    );
}

/// As many characters of a node set as a page takes.
fn cut(nodes: &str) -> String {
    nodes.char_indices().nth(NODES).map_or_else(|| nodes.to_owned(), |(at, _)| format!("{}…", &nodes[..at]))
}

fn remarks(report: &Report, remarks: &Remarks, out: &mut String) {
    if let Some(note) = &remarks.note {
        let _ = writeln!(
            out,
            "* note by {}: {}",
            code(&report.line(&note.by), false),
            code(&report.line(&note.text), false)
        );
    }
    if let Some(acked) = &remarks.acked {
        let _ = writeln!(out, "* acknowledged by {}", code(&report.line(&acked.by), false));
    }
    if let Some(runbook) = &remarks.runbook {
        let _ = writeln!(out, "* runbook: <{}>", report.line(runbook).replace([' ', '<', '>'], ""));
    }
}

pub(super) fn foot(groups: &Groups, out: &mut String) {
    let more = groups.groups.len().saturating_sub(GROUPS);
    if more > 0 {
        let _ = writeln!(out, "\n{more} more groups are in the table above.");
    }
}

fn said(report: &Report, says: &str, cell: bool) -> String {
    if says.is_empty() { "(said nothing)".to_owned() } else { code(&report.line(says), cell) }
}

/// The longest run of backticks.
fn longest(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// Foreign text as code; in a table a bar would end its cell.
fn code(text: &str, cell: bool) -> String {
    let text = if cell { text.replace('|', "\\|") } else { text.to_owned() };
    let text = text.replace(['\n', '\r'], " ");
    if text.trim().is_empty() {
        return "(empty)".to_owned();
    }
    let ticks = "`".repeat(longest(&text) + 1);
    // a backtick at either end wants a blank beside it; readers take one blank away on both sides, or on none
    let blank = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{ticks}{blank}{text}{blank}{ticks}")
}
