//! Following a job to its end: from the engine's stream to the printer, at the pace of whoever reads stdout.

use std::io::ErrorKind;

use futures::{FutureExt, StreamExt};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::printer::{Printer, Style, Wanted};
use super::{CliError, Outcome, out};
use crate::client::{Client, Frame};
use crate::model::job::{JobId, JobSummary};
use crate::model::rollout::StopWhy;
use crate::model::wire::Note;

/// Frames taken without a look at the rest of the world (^C, the connection).
const TURN: u32 = 64;

/// `^C`, from the moment this exists on.
pub struct Interrupt(Signal);

impl Interrupt {
    pub fn listen() -> Result<Self, CliError> {
        signal(SignalKind::interrupt()).map(Self).map_err(|error| CliError::tool("cannot listen for ^C", &error))
    }

    pub async fn pressed(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await; // no more signals will come
        }
    }
}

/// A job that is followed, and what of it is shown how.
pub struct Follow<'a> {
    pub client: &'a Client,
    pub id: JobId,
    pub style: Style,
    pub wanted: Wanted,
}

/// Prints everything of a job, from its beginning until it has ended.
pub async fn follow(job: Follow<'_>, interrupt: &mut Interrupt) -> Result<Outcome, CliError> {
    let account = job.wanted.account;
    match print(job, interrupt).await {
        // Nobody reads any more, and how the job will end is not known: an exit code of 0 would claim that it went well.
        Err(CliError::Stdout(error)) if account && error.kind() == ErrorKind::BrokenPipe => Ok(Outcome::Interrupted),
        done => done,
    }
}

async fn print(job: Follow<'_>, interrupt: &mut Interrupt) -> Result<Outcome, CliError> {
    let Follow { client, id, style, wanted } = job;
    let account = wanted.account;
    let mut printer = Printer::new(style, wanted, id)?;
    let mut stream = client.stream(id, true).await?;
    let mut turn = 0;
    let mut told = String::new();
    let mut trouble = None;
    loop {
        turn += 1;
        if turn % TURN == 0 {
            tokio::task::yield_now().await;
            if interrupt.pressed().now_or_never().is_some() {
                return interrupted(&mut printer);
            }
        }
        let frame = match stream.next().now_or_never() {
            Some(frame) => frame,
            None => {
                // Whoever fills the stream gets a turn; only when nothing is there then, what is buffered goes out.
                tokio::task::yield_now().await;
                match stream.next().now_or_never() {
                    Some(frame) => frame,
                    None => {
                        printer.flush()?;
                        tokio::select! {
                            biased;
                            () = interrupt.pressed() => return interrupted(&mut printer),
                            frame = stream.next() => frame,
                        }
                    }
                }
            }
        };
        match frame {
            Some(Ok(Frame::Output { head, bytes })) => {
                if let Some(stream) = head.stream {
                    printer.output(head.run, stream, &bytes)?;
                }
            }
            Some(Ok(Frame::Note(note))) => match *note {
                Note::Start { job } => {
                    printer.job(&job.summary)?;
                    if account {
                        held(&job.summary, &mut told);
                    }
                    printer.start(*job);
                }
                Note::Run { run } => printer.run(run)?,
                Note::Job { job } if account => held(&job, &mut told),
                Note::Job { .. } => {}
                Note::Trouble { text } => {
                    printer.flush()?;
                    // (each try that fails says it)
                    if trouble.as_ref() != Some(&text) {
                        out::say(format!("quarterdeck: {text}"));
                    }
                    trouble = Some(text);
                }
                Note::End { job, counts } => {
                    printer.end(&job, &counts)?;
                    let stopped = matches!(job.progress.stopped, Some(StopWhy::Budget | StopWhy::NewSignature));
                    return Ok(match account {
                        true if stopped => Outcome::Stopped,
                        true => Outcome::Runs(counts),
                        false => Outcome::Done,
                    });
                }
            },
            Some(Err(error)) => {
                printer.flush()?;
                return Err(CliError::Tool(format!(
                    "{error}; `quarterdeck jobs show {id}` tells what became of the job"
                )));
            }
            None => return Err(CliError::Tool(format!("the stream of job {id} ended without an end"))),
        }
    }
}

/// Why nothing new is sent, said once, and what lets it go on.
fn held(job: &JobSummary, told: &mut String) {
    let id = job.id;
    let says = match (&job.progress.paused, &job.progress.asks) {
        (Some(paused), _) => {
            format!("job {id} is paused {}; `quarterdeck jobs resume {id}` lets it go on", paused.says())
        }
        (None, Some(asks)) => format!(
            "job {id}: {}; ring {} ({} devices) waits for `quarterdeck jobs approve {id} --ring {1}`",
            asks.why, asks.ring, asks.devices
        ),
        (None, None) => String::new(),
    };
    if says != *told && !says.is_empty() {
        out::say(format!("quarterdeck: {says}"));
    }
    *told = says;
}

fn interrupted(printer: &mut Printer) -> Result<Outcome, CliError> {
    printer.flush()?;
    let id = printer.id();
    out::say(format!(
        "\nquarterdeck: interrupted; job {id} keeps running: `quarterdeck jobs attach {id}` shows all of it"
    ));
    Ok(Outcome::Interrupted)
}
