//! CSV after RFC 4180: a row a device. A cell that a spreadsheet would take for a formula begins with an apostrophe.

use super::{Report, took};
use crate::model::job::{Job, Run};

pub(super) const COLUMNS: [&str; 17] = [
    "job",
    "script",
    "device",
    "name",
    "state",
    "exit_code",
    "signal",
    "reason",
    "started_at",
    "finished_at",
    "took_s",
    "bytes",
    "lines",
    "attempts",
    "signature",
    "says",
    "last_line",
];

pub(super) fn head(report: &Report, out: &mut String) {
    line(&columns(report).map(str::to_owned).collect::<Vec<_>>(), out);
}

/// In the order asked for.
fn columns(report: &Report) -> impl Iterator<Item = &str> {
    let all = COLUMNS.iter().copied().filter(|_| report.fields.is_empty());
    all.chain(report.fields.iter().map(String::as_str))
}

pub(super) fn row(report: &Report, job: &Job, run: &Run, out: &mut String) {
    let text = |text: &str| {
        let text = report.line(text);
        if !report.raw && formula(&text) { format!("'{text}") } else { text }
    };
    let maybe = |given: Option<&String>| given.map_or_else(String::new, |given| text(given));
    let signature = run.signature.as_ref();
    let cells: Vec<String> = columns(report)
        .map(|column| match column {
            "job" => job.summary.id.to_string(),
            "script" => text(&job.summary.script),
            "device" => text(&run.device),
            "name" => text(&run.name),
            "state" => run.state.word().to_owned(),
            "exit_code" => run.exit_code.map_or_else(String::new, |code| code.to_string()),
            "signal" => maybe(run.signal.as_ref()),
            "reason" => maybe(run.reason.as_ref()),
            "started_at" => run.started_at.map_or_else(String::new, |at| at.to_string()),
            "finished_at" => run.finished_at.map_or_else(String::new, |at| at.to_string()),
            "took_s" => took(run).unwrap_or_default(),
            "bytes" => run.bytes.to_string(),
            "lines" => run.lines.to_string(),
            "attempts" => run.attempts.to_string(),
            "signature" => maybe(signature.map(|signature| &signature.name)),
            "says" => maybe(signature.map(|signature| &signature.says)),
            "last_line" => text(&run.last_line),
            _ => String::new(),
        })
        .collect();
    line(&cells, out);
}

fn line(cells: &[String], out: &mut String) {
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        if cell.contains(['"', ',', '\r', '\n']) || cell.starts_with(' ') || cell.ends_with(' ') {
            out.push('"');
            out.push_str(&cell.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(cell);
        }
    }
    out.push_str("\r\n");
}

/// A spreadsheet would work it out instead of showing it.
fn formula(cell: &str) -> bool {
    cell.trim_start().starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'])
}
