//! A job's report, put together from what the engine answers: output after output, never more than a piece at a time.

use futures::StreamExt;

use super::{Asked, Client, ClientError};
use crate::model::job::JobId;
use crate::model::output::{Seek, Stream, Which};
use crate::model::report::{Report, SAMPLE, Writer};

/// Text is handed on from here on.
const PIECE: usize = 64 << 10;

/// A piece of a report, and how far it is with it.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    pub text: &'a str,
    /// Devices that are in what was handed on.
    pub devices: usize,
    /// All there are.
    pub of: usize,
}

impl Client {
    /// Hands the report on, piece by piece. Gives how many devices it has.
    pub async fn report<E: From<ClientError>>(
        &self,
        id: JobId,
        report: &Report,
        mut to: impl AsyncFnMut(Piece<'_>) -> Result<(), E>,
    ) -> Result<usize, E> {
        let job = self.job(id).await?;
        let of = job.runs.len();
        let mut to = async |text: String, devices| to(Piece { text: &text, devices, of }).await;
        let groups = self.groups(id, false).await?;
        let mut writer = Writer::new(report, &job, &groups);
        writer.head();
        for group in writer.samples() {
            let run = group.sample(&job.runs);
            let (seek, before) = (Seek::End, SAMPLE);
            let asked = Asked { job: id, run: Some(run), which: Which::All, seek, before, count: 0, pattern: None };
            let mut lines = self.window(&asked).await?.lines;
            lines.retain(|line| line.stream != Stream::Meta);
            writer.group(group, job.runs.get(run as usize), &lines);
            to(writer.take(), 0).await?;
        }
        for (done, run) in job.runs.iter().enumerate() {
            writer.open(run);
            for stream in writer.streams(run) {
                writer.begin(*stream);
                if run.bytes > 0 {
                    let which = if *stream == Stream::Out { Which::Out } else { Which::Err };
                    let mut bytes = self.output(id, run.index, which, false).await?;
                    while let Some(chunk) = bytes.next().await {
                        writer.said(&chunk?);
                        if writer.held() >= PIECE {
                            to(writer.take(), done).await?;
                        }
                    }
                }
                writer.end(*stream);
            }
            writer.close(run);
            if writer.held() >= PIECE {
                to(writer.take(), done + 1).await?;
            }
        }
        writer.foot();
        to(writer.take(), of).await?;
        Ok(of)
    }
}
