//! The last bytes of something that may never end: what came before them is forgotten, whatever arrives.

/// At least the last `KEEP` bytes, at most twice as many.
#[derive(Debug, Default)]
pub struct Ending<const KEEP: usize> {
    bytes: Vec<u8>,
}

impl<const KEEP: usize> Ending<KEEP> {
    pub fn push(&mut self, bytes: &[u8]) {
        if bytes.len() >= KEEP {
            self.bytes.clear();
            self.bytes.extend_from_slice(&bytes[bytes.len() - KEEP..]);
            return;
        }
        if self.bytes.len() + bytes.len() > KEEP * 2 {
            self.bytes.drain(..self.bytes.len().saturating_sub(KEEP));
        }
        self.bytes.extend_from_slice(bytes);
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
