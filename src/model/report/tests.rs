//! Reports of jobs whose devices do their worst, read back.

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::model::job::{JobSummary, Signature};
use crate::model::rollout::{Approval, Ring};
use crate::model::state::{Counts, JobState, RunState};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

fn ended(index: u32, name: &str, code: i32, says: &str) -> Run {
    Run {
        state: if code == 0 { RunState::Ok } else { RunState::Failed },
        exit_code: Some(code),
        started_at: Some(at(1)),
        finished_at: Some(at(3)),
        last_line: says.to_owned(),
        lines: 1,
        bytes: 9,
        attempts: 1,
        signature: Some(Signature { name: format!("v1:{index}"), says: says.to_owned(), told: None }),
        ..Run::queued(index, &format!("lab:{name}"), name)
    }
}

fn job(runs: Vec<Run>) -> Job {
    let summary = JobSummary {
        script: "os patch.sh".into(),
        version: "9f3c1e".into(),
        created_at: at(0),
        finished_at: Some(at(60)),
        target: "lab & !web3".into(),
        parent: Some(9),
        ..JobSummary::sample(12, JobState::Done, Counts::of(runs.iter().map(|run| run.state)))
    };
    Job { params: vec![("version".into(), "14.6".into())], at_once: 50, ..Job::sample(summary, runs) }
}

fn group(signature: &str, says: &str, runs: &[u32]) -> Group {
    Group {
        signature: signature.into(),
        state: RunState::Failed,
        exit_code: Some(1),
        says: says.into(),
        template: Vec::new(),
        masked: Vec::new(),
        runs: runs.to_vec(),
        devices: "lab:web[1-2]".into(),
        first_ended: None,
        before: Some(0),
        met: false,
        fixed: 0,
        texts: 1,
        plain: None,
        shared: Vec::new(),
        remarks: crate::model::triage::Remarks::default(),
    }
}

/// The whole report; every run says `out` on stdout and `err` on stderr.
fn write(report: &Report, job: &Job, groups: &Groups, out: &[u8], err: &[u8]) -> String {
    let mut writer = Writer::new(report, job, groups);
    writer.head();
    for group in writer.samples() {
        let line =
            |text: &str| Line { number: 0, run: 0, stream: Stream::Out, at: at(2), text: text.to_owned(), cut: 0 };
        let lines: Vec<Line> = String::from_utf8_lossy(out).lines().map(line).collect();
        writer.group(group, job.runs.first(), &lines);
    }
    for run in &job.runs {
        writer.open(run);
        for stream in writer.streams(run) {
            writer.begin(*stream);
            for piece in if *stream == Stream::Out { out } else { err }.chunks(3) {
                writer.said(piece);
            }
            writer.end(*stream);
        }
        writer.close(run);
    }
    writer.foot();
    writer.take()
}

fn report(format: Format) -> Report {
    Report::new(format, false, &[]).unwrap()
}

/// RFC 4180, read back.
fn rows(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match (quoted, c) {
            (true, '"') if characters.next_if_eq(&'"').is_some() => cell.push('"'),
            (true, '"') => quoted = false,
            (false, '"') => quoted = true,
            (false, ',') => row.push(std::mem::take(&mut cell)),
            (false, '\r') if characters.next_if_eq(&'\n').is_some() => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            (_, c) => cell.push(c),
        }
    }
    rows
}

#[test]
fn csv_is_a_row_a_device_and_no_cell_is_a_formula() {
    let job = job(vec![ended(0, "web1", 1, "=cmd|'/c calc'!A1"), ended(1, "web2", 0, "a \"b\", c")]);
    let fields: Vec<String> = ["device", "exit_code", "took_s", "says"].map(String::from).to_vec();
    let text = write(&Report::new(Format::Csv, false, &fields).unwrap(), &job, &Groups::default(), b"", b"");
    assert_eq!(
        text,
        "device,exit_code,took_s,says\r\nlab:web1,1,2.000,'=cmd|'/c calc'!A1\r\nlab:web2,0,2.000,\"a \"\"b\"\", c\"\r\n"
    );
    let raw = write(&Report::new(Format::Csv, true, &fields).unwrap(), &job, &Groups::default(), b"", b"");
    assert!(raw.contains(",=cmd|"), "raw is as it came");
}

#[test]
fn json_has_everything_with_the_outputs() {
    let job = job(vec![ended(0, "web1", 1, "no"), ended(1, "web2", 0, "yes")]);
    let groups = Groups { groups: vec![group("v1:0", "no", &[0])], ..Groups::default() };
    let text =
        write(&report(Format::Json), &job, &groups, b"\x1b[31mr\xc3\xa9d\x1b[0m\n\x1b[2J", "\u{202e}x".as_bytes());
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["schema_version"], 1);
    assert_eq!((&value["job"]["id"], &value["job"]["parent"]), (&Value::from(12), &Value::from(9)));
    assert_eq!(value["groups"]["groups"][0]["says"], "no");
    assert_eq!(value["runs"][1]["device"], "lab:web2");
    assert_eq!(
        (&value["runs"][0]["stdout"], &value["runs"][0]["stderr"]),
        (&"réd\n^[[2J".into(), &"\\u{202e}x".into())
    );
    let fields = ["device".to_owned(), "stderr".to_owned()];
    let some = write(&Report::new(Format::Ndjson, true, &fields).unwrap(), &job, &groups, b"", b"\x1b[2J");
    let lines: Vec<Value> = some.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let events: Vec<&str> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["job", "group", "run", "run"]);
    assert_eq!(lines[2].as_object().unwrap().len(), 4, "{}", lines[2]);
    assert_eq!(lines[2]["stderr"], "\x1b[2J");
}

#[test]
fn a_page_for_the_ticket_keeps_what_devices_said_in_code() {
    let job = job(vec![ended(0, "web1", 1, "`rm` | @everyone <b>")]);
    let groups = Groups {
        groups: vec![group("v1:0", "`rm` | @everyone <b>", &[0]), group("v1:1", "", &[0])],
        previous: Some(9),
        open: 3,
        ..Groups::default()
    };
    let text = write(&report(Format::Md), &job, &groups, b"# not a heading\n```\n\x1b[31mred\x1b[0m\n", b"");
    for words in [
        "# Job 12: `os patch.sh` done\n",
        "* retry of: job 9\n",
        "* devices: 1: 1 failed\n",
        "| S1 `v1:0` | 1 | failed | 1 | **new** | `` `rm` \\| @everyone <b> `` |\n",
        "## `` `rm` | @everyone <b> `` (1 device, failed)\n",
        "The last lines of `lab:web1`:\n\n````text\n# not a heading\n```\nred\n````\n",
        "(said nothing)",
        "3 devices have not ended.",
    ] {
        assert!(text.contains(words), "{words:?} in\n{text}");
    }
}

#[test]
fn a_page_for_the_ticket_names_the_rings_and_who_let_them_go() {
    let mut job = job(vec![ended(0, "web1", 0, "fine"), ended(1, "web2", 1, "no")]);
    let ring =
        |runs: &[u32], devices: &str| Ring { runs: runs.to_vec(), devices: devices.into(), why: "by lot".into() };
    job.rollout.rings = vec![ring(&[1], "lab:web2"), ring(&[0], "lab:web1")];
    job.summary.progress.approvals = vec![Approval { ring: 2, by: "r.ito".into(), at: at(30) }];
    job.summary.progress.held_ms = 25_000;
    let text = write(&report(Format::Md), &job, &Groups::default(), b"", b"");
    let approved = format!("* ring 2: 1 device `lab:web1`, approved by `r.ito` at {}\n", at(30));
    for words in ["* ring 1: 1 device `lab:web2`\n", &approved, " s, 25 s of them waiting for people\n"] {
        assert!(text.contains(words), "{words:?} in\n{text}");
    }
}

#[test]
fn junit_tells_failures_from_errors_and_what_never_ran() {
    let offline = Run {
        state: RunState::Offline,
        reason: Some("no route & no \"host\"".into()),
        ..Run::queued(2, "lab:web3", "web3")
    };
    let job =
        job(vec![ended(0, "web1", 69, "CDN <n>"), ended(1, "web2", 0, "fine"), offline, Run::queued(3, "lab:d", "d")]);
    let text = write(&report(Format::Junit), &job, &Groups::default(), b"a < b ]]> \x01\n", b"\xff");
    for words in [
        "<testsuites name=\"job 12\" tests=\"4\" failures=\"1\" errors=\"1\" skipped=\"1\" time=\"60.000\">",
        "<testcase classname=\"os patch.sh\" name=\"lab:web1\" time=\"2.000\">",
        "<failure message=\"failed with exit code 69: CDN &lt;n&gt;\" type=\"v1:0\">CDN &lt;n&gt;</failure>",
        "<system-out>a &lt; b ]]&gt; ^A\n</system-out>",
        "<system-err>\\xff</system-err>",
        "name=\"lab:web2\" time=\"2.000\"></testcase>",
        "<error message=\"offline: no route &amp; no &quot;host&quot;\" type=\"offline\"></error>",
        "<skipped message=\"queued\"/>",
    ] {
        assert!(text.contains(words), "{words:?} in\n{text}");
    }
    assert_eq!(text.matches("<system-out>").count(), 1, "outputs of failures alone");
}

#[test]
fn a_field_that_there_is_not_is_refused_with_those_there_are() {
    let wrong = |format, field: &str| Report::new(format, false, &[field.to_owned()]).unwrap_err();
    assert!(wrong(Format::Csv, "devise").contains("no field `devise`; did you mean 'device'?"));
    assert!(wrong(Format::Json, "took_s").contains("stdout"));
    assert!(wrong(Format::Md, "device").contains("no fields to choose from"));
}

proptest! {
    #[test]
    fn csv_says_what_devices_said_cell_by_cell(texts in prop::collection::vec(any::<String>(), 1..5), raw: bool) {
        let runs = (0..).zip(&texts).map(|(n, text)| ended(n, &format!("d{n}"), 1, text)).collect();
        let fields = ["device".to_owned(), "says".to_owned()];
        let text = write(&Report::new(Format::Csv, raw, &fields).unwrap(), &job(runs), &Groups::default(), b"", b"");
        let rows = rows(&text);
        prop_assert_eq!(rows.len(), texts.len() + 1);
        for (n, said) in texts.iter().enumerate() {
            prop_assert_eq!(&rows[n + 1][0], &format!("lab:d{n}"));
            if raw {
                prop_assert_eq!(&rows[n + 1][1], said);
            } else {
                let plain = plain::line(said);
                prop_assert_eq!(rows[n + 1][1].strip_prefix('\'').unwrap_or(&rows[n + 1][1]), plain.strip_prefix('\'').unwrap_or(&plain));
                prop_assert!(!rows[n + 1][1].starts_with(['=', '+', '-', '@']));
            }
        }
    }

    #[test]
    fn json_holds_any_bytes(out in prop::collection::vec(any::<u8>(), 0..300), raw: bool) {
        let job = job(vec![ended(0, "a", 1, "x")]);
        let report = Report::new(Format::Json, raw, &[]).unwrap();
        let value: Value = serde_json::from_str(&write(&report, &job, &Groups::default(), &out, b"")).unwrap();
        if raw {
            let said = value["runs"][0]["stdout"].as_str().unwrap();
            // one mark for each piece of what is no UTF-8, however it was cut
            let valid = |text: &str| text.replace(char::REPLACEMENT_CHARACTER, "");
            prop_assert_eq!(valid(said), valid(&String::from_utf8_lossy(&out)));
        }
    }
}
