//! A job's stream on its way to stdout: `device: line` for people, one JSON object a line for programs.
//! Lines are whole and in order per run and stream; nothing is allocated for a line.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io::{self, Write};

use serde::Serialize;

use super::lines::{Lines, Whole};
use super::out::{self, SCHEMA_VERSION, Sink};
use super::safe;
use crate::model::amounts::number;
use crate::model::job::{Job, JobId, JobSummary, Run};
use crate::model::output::{Stream, Which};
use crate::model::state::{Counts, JobState, RunState};

/// How lines are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `device: line`; safe for a terminal, or the bytes as they were.
    Text {
        safe: bool,
        labels: bool,
    },
    Json,
}

/// Which output is wanted, and what is said around it.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub which: Which,
    /// Of these devices, by id; `None`: of all.
    pub devices: Option<BTreeSet<String>>,
    /// States and the summary, not output alone.
    pub account: bool,
    /// In text too, every change of state, not only how a run failed.
    pub states: bool,
}

impl Wanted {
    pub const ALL: Wanted = Wanted { which: Which::All, devices: None, account: true, states: false };
    /// For who sees nothing but lines.
    pub const STATES: Wanted = Wanted { states: true, ..Wanted::ALL };

    pub fn device(&self, run: &Run) -> bool {
        self.devices.as_ref().is_none_or(|wanted| wanted.contains(&run.device))
    }
}

/// A run as the printer needs it.
struct Known {
    run: Run,
    wanted: bool,
    /// Its end has been printed.
    told: bool,
}

pub struct Printer<O: Write = Sink, E: Write = Sink> {
    style: Style,
    wanted: Wanted,
    out: O,
    /// `None`: stderr is where stdout is.
    err: Option<E>,
    lines: Lines,
    runs: Vec<Known>,
    /// What stands before a line, by run: `name: `, or `"connection:name"` in JSON. Made when the first is needed:
    /// only then all runs are known, and which names are ambiguous.
    labels: Vec<Vec<u8>>,
    scratch: Vec<u8>,
    id: JobId,
}

impl Printer {
    pub fn new(style: Style, wanted: Wanted, id: JobId) -> io::Result<Self> {
        let err = if out::joined() { None } else { Some(out::stderr()?) };
        Ok(Self::to(style, wanted, id, out::stdout()?, err))
    }
}

impl<O: Write, E: Write> Printer<O, E> {
    pub fn to(style: Style, wanted: Wanted, id: JobId, out: O, err: Option<E>) -> Self {
        let (lines, runs, labels, scratch) = Default::default();
        Self { style, wanted, out, err, lines, runs, labels, scratch, id }
    }

    /// The job, before anything of it.
    pub fn job(&mut self, job: &JobSummary) -> io::Result<()> {
        let devices = job.counts.total();
        match self.style {
            // the head of every stream of objects, output alone or not: it says in which version they are
            Style::Json => self.object(&JobLine {
                event: "job",
                schema_version: SCHEMA_VERSION,
                id: job.id,
                script: &job.script,
                target: &job.target,
                devices,
            }),
            Style::Text { .. } if !self.wanted.account => Ok(()),
            Style::Text { .. } => {
                let devices = number(devices as u64, "device");
                self.say(&format!("job {}: {} on {devices}", job.id, job.script))
            }
        }
    }

    pub fn start(&mut self, job: Job) {
        for run in job.runs {
            self.introduce(run);
        }
    }

    fn introduce(&mut self, run: Run) {
        let wanted = self.wanted.device(&run);
        // What the job's account leaves out counts as told.
        self.runs.push(Known { told: !wanted || !self.wanted.account, wanted, run });
    }

    /// A run changed its state; all output before that has been given. (A large job's runs are introduced this way,
    /// before any output.)
    pub fn run(&mut self, run: Run) -> io::Result<()> {
        let index = run.index as usize;
        if index == self.runs.len() {
            self.introduce(run);
            return Ok(());
        }
        let Some(known) = self.runs.get_mut(index) else { return Ok(()) };
        known.run = run;
        if known.run.state.ended() { self.ended(index) } else { self.account(index) }
    }

    fn ended(&mut self, index: usize) -> io::Result<()> {
        self.rest(u32::try_from(index).unwrap_or(u32::MAX))?;
        if std::mem::replace(&mut self.runs[index].told, true) { Ok(()) } else { self.account(index) }
    }

    /// Says in which state a run is.
    fn account(&mut self, index: usize) -> io::Result<()> {
        if !self.wanted.account || !self.runs[index].wanted {
            return Ok(());
        }
        if self.style == Style::Json {
            out::json_to(&mut self.out, &RunLine::of(&self.runs[index].run))?;
            return self.out.write_all(b"\n");
        }
        let run = &self.runs[index].run;
        if !self.wanted.states && (!run.state.ended() || run.state == RunState::Ok) {
            return Ok(());
        }
        let sentence = outcome(run);
        self.label(index);
        let label = String::from_utf8_lossy(&self.labels[index]).into_owned();
        self.say(&format!("{}: {sentence}", label.trim_end_matches(": ")))
    }

    /// Bytes of a run.
    pub fn output(&mut self, run: u32, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        let index = run as usize;
        if !self.wanted.which.takes(stream) || !self.runs.get(index).is_some_and(|known| known.wanted) {
            return Ok(());
        }
        self.label(index);
        let mut lines = std::mem::take(&mut self.lines);
        let err = stream == Stream::Err;
        let written = lines.push(run, err, bytes, |whole| self.line(index, err, whole));
        self.lines = lines;
        written
    }

    /// What a run left without a newline.
    fn rest(&mut self, run: u32) -> io::Result<()> {
        let mut lines = std::mem::take(&mut self.lines);
        let written = lines.end(run, |err, whole| self.line(run as usize, err, whole));
        self.lines = lines;
        written
    }

    /// No more of this run will come.
    pub fn close(&mut self, run: u32) -> io::Result<()> {
        self.rest(run)
    }

    fn line(&mut self, index: usize, err: bool, whole: Whole<'_>) -> io::Result<()> {
        let label = &self.labels[index];
        match self.style {
            Style::Json => {
                self.out.write_all(b"{\"event\":\"output\",\"device\":")?;
                self.out.write_all(label)?;
                self.out.write_all(if err {
                    b",\"stream\":\"err\",\"text\":"
                } else {
                    b",\"stream\":\"out\",\"text\":"
                })?;
                out::json_to(&mut self.out, &String::from_utf8_lossy(whole.text))?;
                self.out.write_all(if whole.more { b",\"more\":true}\n" } else { b"}\n" })
            }
            Style::Text { safe: false, .. } => match &mut self.err {
                Some(sink) if err => plain(sink, label, whole.text),
                _ => plain(&mut self.out, label, whole.text),
            },
            Style::Text { safe: true, .. } => {
                self.scratch.clear();
                safe::line(whole.text, &mut self.scratch);
                match &mut self.err {
                    Some(sink) if err => plain(sink, label, &self.scratch),
                    _ => plain(&mut self.out, label, &self.scratch),
                }
            }
        }
    }

    /// The end of the job: what is unfinished is finished, and the whole summed up.
    pub fn end(&mut self, job: &JobSummary, counts: &Counts) -> io::Result<()> {
        for run in 0..self.lines.runs() {
            self.rest(run)?;
        }
        for index in 0..self.runs.len() {
            if self.runs[index].run.state.ended() {
                self.ended(index)?;
            }
        }
        if self.wanted.account {
            if self.style == Style::Json {
                self.object(&SummaryLine { event: "summary", job: job.id, state: job.state, counts })?;
            } else {
                self.say(&format!("job {} {}: {}", job.id, ended_word(job.state), summary(counts)))?;
            }
        }
        self.flush()
    }

    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()?;
        self.err.as_mut().map_or(Ok(()), Write::flush)
    }

    fn object(&mut self, value: &impl Serialize) -> io::Result<()> {
        out::json_to(&mut self.out, value)?;
        self.out.write_all(b"\n")
    }

    /// A message of ours between the devices' lines.
    fn say(&mut self, sentence: &str) -> io::Result<()> {
        let text = format!("quarterdeck: {}\n", safe::text(sentence));
        match &mut self.err {
            Some(sink) => sink.write_all(text.as_bytes()),
            None => self.out.write_all(text.as_bytes()),
        }
    }

    /// Makes all labels, once all runs are known.
    fn label(&mut self, index: usize) {
        if self.labels.len() > index {
            return;
        }
        let mut seen: HashMap<&str, &str> = HashMap::new();
        let mut ambiguous: HashSet<&str> = HashSet::new();
        for Known { run, .. } in &self.runs {
            if seen.insert(&run.name, &run.device).is_some_and(|other| other != run.device) {
                ambiguous.insert(&run.name);
            }
        }
        let label = |run: &Run| match self.style {
            Style::Json => serde_json::to_vec(&run.device).unwrap_or_default(),
            Style::Text { labels: false, .. } => Vec::new(),
            Style::Text { .. } => {
                let name = if ambiguous.contains(run.name.as_str()) { &run.device } else { &run.name };
                format!("{}: ", safe::text(name)).into_bytes()
            }
        };
        self.labels = self.runs.iter().map(|known| label(&known.run)).collect();
    }

    pub fn id(&self) -> JobId {
        self.id
    }
}

fn plain(sink: &mut impl Write, label: &[u8], text: &[u8]) -> io::Result<()> {
    sink.write_all(label)?;
    sink.write_all(text)?;
    sink.write_all(b"\n")
}

/// The `job` object.
#[derive(Serialize)]
struct JobLine<'a> {
    event: &'static str,
    schema_version: u32,
    id: JobId,
    script: &'a str,
    target: &'a str,
    devices: u32,
}

/// The `summary` object.
#[derive(Serialize)]
struct SummaryLine<'a> {
    event: &'static str,
    job: JobId,
    state: JobState,
    counts: &'a Counts,
}

/// The `run` object.
#[derive(Serialize)]
struct RunLine<'a> {
    event: &'static str,
    device: &'a str,
    name: &'a str,
    state: RunState,
    exit_code: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

impl<'a> RunLine<'a> {
    fn of(run: &'a Run) -> Self {
        Self {
            event: "run",
            device: &run.device,
            name: &run.name,
            state: run.state,
            exit_code: run.exit_code,
            signal: run.signal.as_deref(),
            reason: run.reason.as_deref(),
        }
    }
}

/// How a run ended, in words: `failed, exit code 3`.
pub fn outcome(run: &Run) -> String {
    let mut words = run.state.word().to_owned();
    if let Some(code) = run.exit_code {
        words.push_str(&format!(", exit code {code}"));
    }
    if let Some(signal) = &run.signal {
        words.push_str(&format!(", signal {signal}"));
    }
    if let Some(reason) = &run.reason {
        words.push_str(&format!(": {reason}"));
    }
    words
}

/// `98 ok, 1 failed, 1 offline`
pub fn summary(counts: &Counts) -> String {
    let words: Vec<String> = [RunState::Ok]
        .into_iter()
        .chain(RunState::ALL.into_iter().filter(|state| *state != RunState::Ok))
        .map(|state| (counts.get(state), state.word()))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if words.is_empty() { "no runs".to_owned() } else { words.join(", ") }
}

fn ended_word(state: JobState) -> &'static str {
    match state {
        JobState::Running => "is running",
        other => other.word(),
    }
}

#[cfg(test)]
mod tests;
