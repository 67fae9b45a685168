//! Frames of a job's stream out of the byte chunks they arrive in. Chunks may be cut anywhere; what is not a frame
//! ends the stream with a reason, and no more is kept than the frame that is being received.

use bytes::{Buf, Bytes, BytesMut};

use super::Frame;
use crate::model::wire::{FRAME_HEAD, FRAME_MAX, FrameHead, Note};

/// Takes chunks, gives frames.
#[derive(Debug, Default)]
pub struct Frames {
    /// What arrived last and is not used up: frames are cut from it without copying.
    chunk: Bytes,
    /// A frame of which only the beginning has arrived.
    torn: BytesMut,
}

impl Frames {
    /// The next chunk; call only when [`Frames::next`] has given `None`.
    pub fn push(&mut self, chunk: Bytes) {
        debug_assert!(self.chunk.is_empty(), "a chunk was pushed over another");
        self.chunk = chunk;
    }

    /// Bytes of an unfinished frame are held.
    #[cfg(test)]
    pub fn torn(&self) -> bool {
        !self.torn.is_empty() || !self.chunk.is_empty()
    }

    /// The next whole frame; `None`: more bytes are needed.
    ///
    /// # Errors
    /// In words: these bytes are no frame. Nothing sensible can follow.
    #[allow(clippy::should_implement_trait)] // not an iterator: None is not the end
    pub fn next(&mut self) -> Result<Option<Frame>, String> {
        if !self.torn.is_empty() || self.chunk.len() < FRAME_HEAD {
            self.mend(FRAME_HEAD);
            if self.torn.len() < FRAME_HEAD {
                return Ok(None);
            }
            let head = head(&self.torn)?;
            let whole = FRAME_HEAD + head.len as usize;
            self.torn.reserve(whole.saturating_sub(self.torn.len()).min(FRAME_MAX));
            self.mend(whole);
            if self.torn.len() < whole {
                return Ok(None);
            }
            let mut bytes = std::mem::take(&mut self.torn).freeze();
            bytes.advance(FRAME_HEAD);
            return frame(head, bytes).map(Some);
        }
        let head = head(&self.chunk)?;
        let whole = FRAME_HEAD + head.len as usize;
        if self.chunk.len() < whole {
            self.torn.reserve(whole.min(FRAME_MAX));
            self.mend(whole);
            return Ok(None);
        }
        self.chunk.advance(FRAME_HEAD);
        frame(head, self.chunk.split_to(head.len as usize)).map(Some)
    }

    /// Moves bytes of the chunk behind the torn frame until that is so long.
    fn mend(&mut self, length: usize) {
        let missing = length.saturating_sub(self.torn.len()).min(self.chunk.len());
        self.torn.extend_from_slice(&self.chunk.split_to(missing));
    }
}

fn head(bytes: &[u8]) -> Result<FrameHead, String> {
    bytes
        .first_chunk::<FRAME_HEAD>()
        .and_then(FrameHead::decode)
        .ok_or_else(|| "it sent bytes that are no frame".to_owned())
}

fn frame(head: FrameHead, bytes: Bytes) -> Result<Frame, String> {
    if head.stream.is_some() {
        return Ok(Frame::Output { head, bytes });
    }
    serde_json::from_slice::<Note>(&bytes)
        .map(|note| Frame::Note(Box::new(note)))
        .map_err(|error| format!("it sent a note that cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::cut;
    use super::*;
    use crate::model::output::Stream;

    fn wire(outputs: &[(u32, Vec<u8>)]) -> Vec<u8> {
        let mut wire = Vec::new();
        for (run, bytes) in outputs {
            let len = u32::try_from(bytes.len()).unwrap();
            let head = FrameHead { stream: Some(Stream::Out), run: *run, offset: 0, at_ms: 0, len };
            wire.extend_from_slice(&head.encode());
            wire.extend_from_slice(bytes);
        }
        wire
    }

    /// Outputs by run, and whether a torn frame is left.
    type Seen = (Vec<(u32, Vec<u8>)>, bool);

    fn read(chunks: impl IntoIterator<Item = Vec<u8>>) -> Result<Seen, String> {
        let mut frames = Frames::default();
        let mut seen = Vec::new();
        for chunk in chunks {
            frames.push(chunk.into());
            while let Some(frame) = frames.next()? {
                let Frame::Output { head, bytes } = frame else { continue };
                seen.push((head.run, bytes.to_vec()));
            }
        }
        Ok((seen, frames.torn()))
    }

    proptest! {
        #[test]
        fn frames_come_out_as_they_went_in_wherever_the_chunks_are_cut(
            outputs in prop::collection::vec((any::<u32>(), prop::collection::vec(any::<u8>(), 0..200)), 0..12),
            cuts in prop::collection::vec(1_usize..90, 1..80),
        ) {
            let wire = wire(&outputs);
            let chunks = cut(&wire, &cuts);
            prop_assert_eq!(read(chunks), Ok((outputs, false)));
        }

        #[test]
        fn any_bytes_end_in_frames_or_in_a_reason(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..100), 0..20)
        ) {
            let _ = read(chunks);
        }
    }

    #[test]
    fn a_frame_cut_off_at_the_end_is_known_as_torn() {
        let wire = wire(&[(1, b"hello".to_vec())]);
        assert_eq!(read([wire[..wire.len() - 1].to_vec()]), Ok((vec![], true)));
        assert_eq!(read([wire[..5].to_vec()]), Ok((vec![], true)));
    }

    #[test]
    fn a_note_that_is_no_note_is_refused() {
        let head = FrameHead { stream: None, run: 0, offset: 0, at_ms: 0, len: 2 };
        let mut wire = head.encode().to_vec();
        wire.extend_from_slice(b"{}");
        assert!(read([wire]).unwrap_err().contains("cannot be read"));
    }
}
