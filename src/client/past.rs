//! The search over past jobs, asked of the engine: an answer that comes line by line.

use bytes::{Bytes, BytesMut};
use futures::stream::BoxStream;

use super::http::Cut;
use super::{Client, ClientError};
use crate::model::past::{Past, Told};

/// No line is longer.
const LONGEST: usize = 1 << 20;

impl Client {
    /// What fits, the newest first; ends with [`Told::End`], or with an error. Dropped, it ends the search.
    pub async fn past(&self, asked: &Past) -> Result<BoxStream<'static, Result<Told, ClientError>>, ClientError> {
        self.0.door.posted::<Lines>("searching past jobs", "search", asked).await
    }
}

/// JSON objects, one a line.
#[derive(Default)]
struct Lines(BytesMut);

impl Cut for Lines {
    type Item = Told;

    fn push(&mut self, chunk: Bytes) {
        self.0.extend_from_slice(&chunk);
    }

    fn next(&mut self) -> Result<Option<Told>, String> {
        let Some(at) = memchr::memchr(b'\n', &self.0) else {
            return if self.0.len() > LONGEST { Err("a line of its answer has no end".to_owned()) } else { Ok(None) };
        };
        let line = self.0.split_to(at + 1);
        serde_json::from_slice(&line).map(Some).map_err(|error| format!("its answer cannot be read: {error}"))
    }

    fn last(item: &Told) -> bool {
        matches!(item, Told::End(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::past::{End, Progress};

    #[test]
    fn answers_come_whole_however_they_are_cut() {
        let items = [Told::Progress(Progress { runs: 7, ..Progress::default() }), Told::End(End::default())];
        let text: String = items.iter().map(|item| serde_json::to_string(item).unwrap() + "\n").collect();
        let (mut lines, mut got) = (Lines::default(), Vec::new());
        for byte in text.bytes() {
            lines.push(Bytes::from(vec![byte]));
            got.extend(lines.next().unwrap());
        }
        assert_eq!(got, items);
        assert!(Lines::last(&got[1]) && !Lines::last(&got[0]));
        lines.push(Bytes::from_static(b"{}\n"));
        assert!(lines.next().is_err());
    }
}
