//! What a person and a program see of a job.

use super::*;

fn summary_of(state: JobState, counts: Counts) -> JobSummary {
    JobSummary { script: "disk.sh".into(), target: "web*".into(), ..JobSummary::sample(7, state, counts) }
}

fn job(devices: &[(&str, &str)]) -> Job {
    let runs: Vec<Run> = (0..).zip(devices).map(|(index, (id, name))| Run::queued(index, id, name)).collect();
    let counts = Counts::of(runs.iter().map(|run| run.state));
    Job {
        summary: summary_of(JobState::Running, counts),
        params: vec![],
        timeout_ms: None,
        at_once: 0,
        options: vec![],
        rollout: Default::default(),
        runs,
    }
}

type Desk = Printer<Vec<u8>, Vec<u8>>;

fn printer(style: Style, wanted: Wanted, job: &Job) -> Desk {
    let mut printer = Printer::to(style, wanted, 7, Vec::new(), Some(Vec::new()));
    printer.job(&job.summary).unwrap();
    printer.start(job.clone());
    printer
}

fn state(job: &Job, run: usize, state: RunState, code: Option<i32>) -> Run {
    Run { state, exit_code: code, ..job.runs[run].clone() }
}

fn end(printer: &mut Desk, states: &[RunState]) {
    let counts = Counts::of(states.iter().copied());
    printer.end(&summary_of(JobState::Done, counts), &counts).unwrap();
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

const TEXT: Style = Style::Text { safe: false, labels: true };

#[test]
fn people_see_the_device_before_each_line_and_stderr_on_stderr() {
    let job = job(&[("lab:a", "a"), ("lab:b", "b")]);
    let mut desk = printer(TEXT, Wanted::ALL, &job);
    desk.output(0, Stream::Out, b"one\ntw").unwrap();
    desk.output(1, Stream::Out, b"uno\n").unwrap();
    desk.output(0, Stream::Err, b"oops\n").unwrap();
    desk.output(0, Stream::Meta, b"attempt 2\n").unwrap();
    desk.output(0, Stream::Out, b"o").unwrap();
    desk.run(state(&job, 0, RunState::Ok, Some(0))).unwrap();
    let offline = Run { reason: Some("no route to host".to_owned()), ..state(&job, 1, RunState::Offline, None) };
    desk.run(offline).unwrap();
    end(&mut desk, &[RunState::Ok, RunState::Offline]);
    assert_eq!(text(&desk.out), "a: one\nb: uno\na: two\n");
    assert_eq!(
        text(desk.err.as_ref().unwrap()),
        "quarterdeck: job 7: disk.sh on 2 devices\na: oops\nquarterdeck: b: offline: no route to host\n\
         quarterdeck: job 7 done: 1 ok, 1 offline\n"
    );
}

#[test]
fn programs_see_one_object_a_line() {
    let job = job(&[("lab:a", "a")]);
    let mut desk = printer(Style::Json, Wanted::ALL, &job);
    desk.run(state(&job, 0, RunState::Running, None)).unwrap();
    desk.output(0, Stream::Out, b"say \"hi\"\nbad \xff\nlast").unwrap();
    desk.output(0, Stream::Err, b"oops\n").unwrap();
    let failed = Run { reason: Some("ended by us".to_owned()), ..state(&job, 0, RunState::Failed, Some(3)) };
    desk.run(failed).unwrap();
    end(&mut desk, &[RunState::Failed]);
    let lines: Vec<String> = text(&desk.out).lines().map(str::to_owned).collect();
    assert_eq!(
        lines[..7],
        [
            r#"{"event":"job","schema_version":1,"id":7,"script":"disk.sh","target":"web*","devices":1}"#,
            r#"{"event":"run","device":"lab:a","name":"a","state":"running","exit_code":null}"#,
            r#"{"event":"output","device":"lab:a","stream":"out","text":"say \"hi\""}"#,
            "{\"event\":\"output\",\"device\":\"lab:a\",\"stream\":\"out\",\"text\":\"bad \u{fffd}\"}",
            r#"{"event":"output","device":"lab:a","stream":"err","text":"oops"}"#,
            r#"{"event":"output","device":"lab:a","stream":"out","text":"last"}"#,
            r#"{"event":"run","device":"lab:a","name":"a","state":"failed","exit_code":3,"reason":"ended by us"}"#,
        ]
    );
    let summary: serde_json::Value = serde_json::from_str(&lines[7]).unwrap();
    assert_eq!((&summary["event"], &summary["job"], &summary["state"]), (&"summary".into(), &7.into(), &"done".into()));
    assert_eq!((&summary["counts"]["failed"], &summary["counts"]["ok"]), (&1.into(), &0.into()));
    assert_eq!(lines.len(), 8);
    assert!(desk.err.unwrap().is_empty());
}

#[test]
fn a_line_above_the_limit_says_that_it_goes_on() {
    let job = job(&[("lab:a", "a")]);
    let mut desk = printer(Style::Json, Wanted::ALL, &job);
    desk.output(0, Stream::Out, &[vec![b'x'; super::super::lines::PIECE + 1], b"\n".to_vec()].concat()).unwrap();
    let out = text(&desk.out);
    let more: Vec<bool> = out.lines().skip(1).map(|line| line.ends_with("\"more\":true}")).collect();
    assert_eq!(more, [true, false]);
}

#[test]
fn names_that_several_devices_have_give_way_to_their_ids() {
    let job = job(&[("eu:web1", "web1"), ("us:web1", "web1"), ("us:db", "db")]);
    let mut desk = printer(TEXT, Wanted::ALL, &job);
    for run in 0..3 {
        desk.output(run, Stream::Out, b"x\n").unwrap();
    }
    assert_eq!(text(&desk.out), "eu:web1: x\nus:web1: x\ndb: x\n");
}

#[test]
fn a_job_that_had_ended_tells_each_end_once_and_after_the_output() {
    let mut job = job(&[("lab:a", "a")]);
    job.runs[0].state = RunState::Failed;
    job.runs[0].exit_code = Some(1);
    let mut desk = printer(Style::Json, Wanted::ALL, &job);
    desk.output(0, Stream::Out, b"x").unwrap();
    end(&mut desk, &[RunState::Failed]);
    let out = text(&desk.out);
    let events: Vec<_> = out
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["event"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(events, ["job", "output", "run", "summary"]);
}

#[test]
fn the_runs_of_a_large_job_are_introduced_piece_by_piece() {
    let whole = job(&[("lab:a", "a"), ("lab:b", "b"), ("us:a", "a")]);
    let mut first = whole.clone();
    first.runs.truncate(1);
    let mut desk = printer(TEXT, Wanted::ALL, &first);
    desk.run(state(&whole, 1, RunState::Queued, None)).unwrap();
    desk.run(state(&whole, 2, RunState::Ok, Some(0))).unwrap();
    desk.output(2, Stream::Out, b"x\n").unwrap();
    desk.output(9, Stream::Out, b"of nobody\n").unwrap();
    assert_eq!(text(&desk.out), "us:a: x\n");
}

#[test]
fn only_what_is_wanted_is_printed() {
    let job = job(&[("lab:a", "a"), ("lab:b", "b")]);
    let wanted =
        Wanted { which: Which::Err, devices: Some(["lab:b".to_owned()].into()), account: false, states: false };
    let mut desk = printer(TEXT, wanted, &job);
    for (run, stream) in [(0, Stream::Err), (1, Stream::Out), (1, Stream::Err)] {
        desk.output(run, stream, format!("{run} {stream:?}\n").as_bytes()).unwrap();
    }
    desk.run(state(&job, 1, RunState::Failed, Some(1))).unwrap();
    end(&mut desk, &[RunState::Ok, RunState::Failed]);
    assert_eq!((text(&desk.out), text(&desk.err.unwrap())), (String::new(), "b: 1 Err\n".to_owned()));
}

#[test]
fn on_a_terminal_nothing_drives_it() {
    let job = job(&[("lab:a\u{1b}[2J", "a\u{1b}[2J")]);
    let mut desk = printer(Style::Text { safe: true, labels: true }, Wanted::ALL, &job);
    desk.output(0, Stream::Out, b"\x1b]52;c;aGk=\x07\r\n").unwrap();
    assert_eq!(text(&desk.out), "a^[[2J: ^[]52;c;aGk=^G\n");
}

#[test]
fn counts_are_summed_up_in_words_with_ok_first() {
    let counts = Counts::of([RunState::Failed, RunState::Ok, RunState::Ok, RunState::Offline]);
    assert_eq!(summary(&counts), "2 ok, 1 failed, 1 offline");
    assert_eq!(summary(&Counts::default()), "no runs");
}
