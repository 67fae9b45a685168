//! What is known of a run's output while it arrives: its telling lines, and a digest of each stream.

use xxhash_rust::xxh3::Xxh3;

use super::telling::Telling;
use crate::model::output::Stream;

#[derive(Default)]
pub struct Heard {
    telling: Telling,
    /// Made with the first bytes: most runs have one stream, and many wait for their turn.
    digests: [Option<Box<Xxh3>>; 2],
}

impl Heard {
    pub fn push(&mut self, stream: Stream, bytes: &[u8]) {
        let digest = match stream {
            Stream::Out => &mut self.digests[0],
            Stream::Err => &mut self.digests[1],
            Stream::Meta => return,
        };
        digest.get_or_insert_default().update(bytes);
        self.telling.push(stream, bytes);
    }

    pub(super) fn lines(&self, failed: bool) -> Vec<String> {
        self.telling.lines(failed)
    }

    /// The same where both streams are, byte for byte, however they were interleaved.
    pub fn digest(&self) -> String {
        let [out, err] = &self.digests;
        let of = |digest: &Option<Box<Xxh3>>| digest.as_ref().map_or(0, |digest| digest.digest128());
        format!("{:032x}{:032x}", of(out), of(err))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(pieces: &[(Stream, &str)]) -> String {
        let mut heard = Heard::default();
        for (stream, text) in pieces {
            heard.push(*stream, text.as_bytes());
        }
        heard.digest()
    }

    #[test]
    fn equal_outputs_have_equal_digests_however_they_came() {
        use Stream::{Err, Meta, Out};
        let whole = digest(&[(Out, "one\ntwo\n"), (Err, "oops\n")]);
        assert_eq!(digest(&[(Out, "one\n"), (Err, "oo"), (Out, "two\n"), (Meta, "try 2\n"), (Err, "ps\n")]), whole);
        assert_ne!(digest(&[(Out, "one\ntwo\noops\n")]), whole);
        assert_ne!(digest(&[(Err, "one\ntwo\n"), (Out, "oops\n")]), whole);
        assert_eq!(digest(&[]), "0".repeat(64));
    }
}
