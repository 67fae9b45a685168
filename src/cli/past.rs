//! `search` over past jobs, and `targets where` and `scripts where`, which ask the same: rows as they are found.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use futures::StreamExt;
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::follow::Interrupt;
use super::out::{self, SCHEMA_VERSION, Sink};
use super::{CliError, Desk, Outcome, safe};
use crate::model::amounts;
use crate::model::past::{End, Here, Hit, Mention, Past, Progress, Told};
use crate::model::state::{Counts, RunState};

/// Nothing found for so long: a word on how far it is, again and again.
const PATIENCE: Duration = Duration::from_secs(3);

/// As text: what stands above each column, and how wide it is at least. The last one takes what is left.
const COLUMNS: [(&str, usize); 7] =
    [("JOB", 5), ("WHEN", 19), ("SCRIPT", 16), ("DEVICE", 20), ("STATE", 9), ("RC", 3), ("LINE", 0)];

#[derive(Serialize)]
struct Object<'a> {
    schema_version: u32,
    #[serde(flatten)]
    told: &'a Told,
}

/// Now, in the operator's own zone.
pub fn with_here<T>(read: impl FnOnce(Here<'_>) -> Result<T, String>) -> Result<T, CliError> {
    let zone = jiff::tz::TimeZone::system();
    read(Here { now: jiff::Timestamp::now(), zone: &zone }).map_err(CliError::Usage)
}

pub async fn run(desk: &Desk<'_>, asked: &Past) -> Result<Outcome, CliError> {
    let mut interrupt = Interrupt::listen()?;
    tokio::select! {
        done = search(desk, asked) => done,
        () = interrupt.pressed() => Ok(Outcome::Interrupted),
    }
}

async fn search(desk: &Desk<'_>, asked: &Past) -> Result<Outcome, CliError> {
    let client = desk.engine().await?;
    let mut found = client.past(asked).await?;
    let mut sink = out::stdout()?;
    let mut waits = Instant::now();
    let mut rows = 0_u64;
    while let Some(told) = found.next().await {
        let told = told?;
        match &told {
            Told::Hit(hit) => {
                waits = Instant::now();
                match desk.common.json {
                    true => object(&mut sink, &told)?,
                    false => {
                        if rows == 0 {
                            row(&mut sink, &COLUMNS.map(|(head, _)| head.to_owned()))?;
                        }
                        row(&mut sink, &cells(hit))?;
                    }
                }
                rows += 1;
                sink.flush()?; // who waits for the rest has this already
            }
            Told::Mention(Mention { what, name, says }) => match desk.common.json {
                true => object(&mut sink, &told)?,
                false => writeln!(sink, "{} {}: {}", safe::text(what), safe::text(name), safe::text(says))?,
            },
            Told::Progress(progress) => {
                if std::io::stderr().is_terminal() && waits.elapsed() >= PATIENCE {
                    waits = Instant::now();
                    out::say(format!("quarterdeck: searching: {}", so_far(progress)));
                }
            }
            Told::End(end) => {
                if desk.common.json {
                    object(&mut sink, &told)?;
                }
                sink.flush()?;
                return ended(end, asked);
            }
        }
    }
    Err(CliError::Tool("the engine ended before the search did".to_owned()))
}

fn ended(end: &End, asked: &Past) -> Result<Outcome, CliError> {
    if let Some(problem) = &end.problem {
        return Err(CliError::Tool(format!("the search ended early: {problem}")));
    }
    if end.unread > 0 {
        out::say(format!("quarterdeck: the outputs of {} runs could not be read", end.unread));
    }
    if end.more {
        out::say(format!("quarterdeck: there is more than these {}: --limit N, --since or --until", asked.limit));
    }
    if end.late {
        let why =
            format!("it took too long and was given up ({}); narrow it: --since, --script", so_far(&end.progress));
        return Err(CliError::Tool(why));
    }
    Ok(if end.progress.found > 0 { Outcome::Done } else { Outcome::Nothing })
}

/// `3,120 runs, 41 MB, back to 2026-11-02`
fn so_far(progress: &Progress) -> String {
    let mut said = format!("{} runs", progress.runs);
    if progress.bytes > 0 {
        said.push_str(&format!(", {}", amounts::bytes(progress.bytes)));
    }
    if let Some(at) = progress.back_to {
        let day = out::moment(Some(at));
        said.push_str(&format!(", back to {}", day.split(' ').next().unwrap_or_default()));
    }
    said
}

fn object(sink: &mut Sink, told: &Told) -> Result<(), CliError> {
    out::json_to(sink, &Object { schema_version: SCHEMA_VERSION, told }).map_err(std::io::Error::from)?;
    Ok(sink.write_all(b"\n")?)
}

fn cells(hit: &Hit) -> [String; 7] {
    let several = hit.counts.filter(|counts| counts.total() > 1);
    [
        hit.job.to_string(),
        out::moment(Some(hit.at)),
        hit.script.clone(),
        several.map_or_else(|| hit.device.clone(), |counts| format!("{} devices", counts.total())),
        several.map_or_else(|| hit.state.word().to_owned(), |counts| states(&counts)),
        hit.exit_code.map_or_else(|| "-".to_owned(), |code| code.to_string()),
        hit.says.clone(),
    ]
}

/// `10 ok, 2 failed`
pub fn states(counts: &Counts) -> String {
    let mut states = RunState::ALL;
    states.sort_by_key(|state| state.rank());
    let some = states.into_iter().map(|state| (counts.get(state), state)).filter(|(count, _)| *count > 0);
    some.map(|(count, state)| format!("{count} {}", state.word())).collect::<Vec<_>>().join(", ")
}

fn row(sink: &mut Sink, cells: &[String; 7]) -> Result<(), CliError> {
    let mut line = String::new();
    for (cell, (_, width)) in cells.iter().zip(COLUMNS) {
        let cell = safe::text(cell);
        line.push_str(&cell);
        line.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.width()) + 2));
    }
    Ok(writeln!(sink, "{}", line.trim_end())?)
}
