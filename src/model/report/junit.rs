//! JUnit's XML: a job is a suite, a device a test case, what its end is called the type of its failure. Outputs of
//! what did not end well alone. Valid whatever devices say: what XML cannot hold is shown instead.

use std::fmt::Write as _;

use super::{plain, seconds, took};
use crate::model::job::{Job, Run};
use crate::model::state::RunState;

/// Its outputs are of interest.
pub(super) fn tells(run: &Run) -> bool {
    matches!(run.state, RunState::Failed | RunState::Timeout)
}

/// Text of an element; `quoted`: of an attribute.
pub(super) fn escape(text: &str, quoted: bool, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' if quoted => out.push_str("&quot;"),
            '\n' | '\t' if !quoted => out.push(c),
            // a reader takes a bare one for a line end
            '\r' => out.push_str("&#13;"),
            '\n' | '\t' => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            '\0'..='\x1f' => out.extend(['^', char::from(c as u8 ^ 0x40)]),
            '\u{fffe}' | '\u{ffff}' => out.push(char::REPLACEMENT_CHARACTER),
            c => out.push(c),
        }
    }
}

fn attribute(name: &str, value: &str, out: &mut String) {
    let _ = write!(out, " {name}=\"");
    escape(&plain::line(value), true, out);
    out.push('"');
}

pub(super) fn head(job: &Job, out: &mut String) {
    let head = &job.summary;
    let counts = head.counts;
    let answered = counts.ok + counts.bad() + counts.offline;
    let mut tallies = String::new();
    attribute("tests", &counts.total().to_string(), &mut tallies);
    attribute("failures", &counts.bad().to_string(), &mut tallies);
    attribute("errors", &counts.offline.to_string(), &mut tallies);
    attribute("skipped", &counts.total().saturating_sub(answered).to_string(), &mut tallies);
    if let Some(ended) = head.finished_at {
        attribute("time", &seconds(head.created_at, ended), &mut tallies);
    }
    out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites");
    attribute("name", &format!("job {}", head.id), out);
    out.push_str(&tallies);
    out.push_str(">\n  <testsuite");
    attribute("name", &head.script, out);
    attribute("id", &head.id.to_string(), out);
    attribute("timestamp", &head.created_at.strftime("%Y-%m-%dT%H:%M:%S").to_string(), out);
    out.push_str(&tallies);
    out.push_str(">\n    <properties>\n");
    let params = job.params.iter().map(|(name, value)| (format!("param.{name}"), value.clone()));
    let facts = [
        ("version".to_owned(), head.version.clone()),
        ("target".to_owned(), head.target.clone()),
        ("by".to_owned(), head.by.clone()),
        ("state".to_owned(), head.state.word().to_owned()),
    ];
    for (name, value) in facts.into_iter().chain(params) {
        out.push_str("      <property");
        attribute("name", &name, out);
        attribute("value", &value, out);
        out.push_str("/>\n");
    }
    out.push_str("    </properties>\n");
}

pub(super) fn open(job: &Job, run: &Run, out: &mut String) {
    out.push_str("    <testcase");
    attribute("classname", &job.summary.script, out);
    attribute("name", &run.device, out);
    attribute("time", &took(run).unwrap_or_else(|| "0.000".to_owned()), out);
    out.push('>');
    let element = match run.state {
        RunState::Ok => return,
        RunState::Failed | RunState::Timeout => "failure",
        RunState::Offline => "error",
        _ => "skipped",
    };
    let _ = write!(out, "\n      <{element}");
    let code = run.exit_code.map_or_else(String::new, |code| format!(" with exit code {code}"));
    let why = run.reason.as_ref().filter(|_| run.exit_code.is_none());
    let says = run.signature.as_ref().map(|signature| &signature.says).filter(|says| !says.is_empty());
    let detail = why.or(says).map_or_else(String::new, |why| format!(": {why}"));
    attribute("message", &format!("{}{code}{detail}", run.state.word()), out);
    if element != "skipped" {
        attribute("type", run.signature.as_ref().map_or(run.state.word(), |signature| &signature.name), out);
        out.push('>');
        escape(&plain::line(&run.last_line), false, out);
        let _ = write!(out, "</{element}>");
    } else {
        out.push_str("/>");
    }
}

pub(super) fn close(run: &Run, out: &mut String) {
    out.push_str(if run.state == RunState::Ok { "</testcase>\n" } else { "\n    </testcase>\n" });
}
