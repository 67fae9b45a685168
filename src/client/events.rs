//! Server-sent events out of the byte chunks they arrive in (the HTML standard's event stream, its `id` and `data`
//! fields): bounded, and indifferent to where the chunks are cut.

use bytes::Bytes;

use crate::model::wire::Event;

/// One event of the engine is never longer.
const EVENT_LIMIT: usize = 16 << 20;

/// Takes chunks, gives numbered events.
#[derive(Debug, Default)]
pub struct Events {
    chunk: Bytes,
    /// A line of which only the beginning has arrived.
    line: Vec<u8>,
    data: Vec<u8>,
    id: u64,
    /// The last byte was `\r`: a `\n` now belongs to it.
    carriage: bool,
}

impl Events {
    /// The next chunk; call only when [`Events::next`] has given `None`.
    pub fn push(&mut self, chunk: Bytes) {
        self.chunk = chunk;
    }

    /// The next event with its number; `None`: more bytes are needed.
    ///
    /// # Errors
    /// In words: these are no events of an engine.
    #[allow(clippy::should_implement_trait)] // not an iterator: None is not the end
    pub fn next(&mut self) -> Result<Option<(u64, Event)>, String> {
        while let Some(end) = self.line_end() {
            let rest = self.chunk.split_to(end);
            self.line.extend_from_slice(&rest);
            let stop = self.chunk.split_to(1);
            self.carriage = stop[0] == b'\r';
            let line = std::mem::take(&mut self.line);
            if line.is_empty() {
                if let Some(event) = self.dispatch()? {
                    return Ok(Some(event));
                }
            } else {
                self.field(&line)?;
            }
            self.line = line;
            self.line.clear();
        }
        if self.line.len() + self.chunk.len() > EVENT_LIMIT {
            return Err("it sent a line without an end".to_owned());
        }
        self.line.extend_from_slice(&std::mem::take(&mut self.chunk));
        Ok(None)
    }

    /// Where the present line ends in the chunk.
    fn line_end(&mut self) -> Option<usize> {
        if self.carriage && self.chunk.first() == Some(&b'\n') {
            let _ = self.chunk.split_to(1);
        }
        if !self.chunk.is_empty() {
            self.carriage = false;
        }
        memchr::memchr2(b'\n', b'\r', &self.chunk)
    }

    fn field(&mut self, line: &[u8]) -> Result<(), String> {
        let colon = memchr::memchr(b':', line).unwrap_or(line.len());
        let value = line.get(colon + 1..).unwrap_or_default();
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match &line[..colon] {
            b"data" => {
                if self.data.len() + value.len() > EVENT_LIMIT {
                    return Err("it sent an event that is too long".to_owned());
                }
                if !self.data.is_empty() {
                    self.data.push(b'\n');
                }
                self.data.extend_from_slice(value);
            }
            b"id" => {
                if let Some(id) = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok()) {
                    self.id = id;
                }
            }
            _ => {} // a comment (keep-alive), or a field we have no use for
        }
        Ok(())
    }

    fn dispatch(&mut self) -> Result<Option<(u64, Event)>, String> {
        if self.data.is_empty() {
            return Ok(None);
        }
        let event = serde_json::from_slice(&self.data)
            .map_err(|error| format!("it sent an event that cannot be read: {error}"));
        self.data.clear();
        if self.data.capacity() > 1 << 20 {
            self.data.shrink_to(0);
        }
        event.map(|event| Some((self.id, event)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::cut;
    use super::*;

    fn read(chunks: impl IntoIterator<Item = Vec<u8>>) -> Result<Vec<(u64, Event)>, String> {
        let mut events = Events::default();
        let mut seen = Vec::new();
        for chunk in chunks {
            events.push(chunk.into());
            while let Some(event) = events.next()? {
                seen.push(event);
            }
        }
        Ok(seen)
    }

    fn notice(text: &str) -> Event {
        Event::Notice { text: text.to_owned() }
    }

    #[test]
    fn events_are_numbered_and_comments_are_nothing() {
        let wire = ": hello\n\nid: 7\ndata: {\"event\":\"library\"}\n\n:\n\ndata:{\"event\":\ndata:\"targets\"}\n\n";
        assert_eq!(read([wire.into()]), Ok(vec![(7, Event::Library), (7, Event::Targets)]));
    }

    #[test]
    fn every_kind_of_line_end_ends_a_line() {
        for end in ["\n", "\r\n", "\r"] {
            let wire = format!(
                "id: 1{end}data: {{\"event\":\"library\"}}{end}{end}id: 2{end}data: {{\"event\":\"reset\"}}{end}{end}"
            );
            assert_eq!(read([wire.clone().into()]), Ok(vec![(1, Event::Library), (2, Event::Reset)]), "{end:?}");
            assert_eq!(read(wire.bytes().map(|byte| vec![byte])), Ok(vec![(1, Event::Library), (2, Event::Reset)]));
        }
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        assert!(read(["data: {\"event\":\"dance\"}\n\n".into()]).unwrap_err().contains("cannot be read"));
        assert!(read(["data: \u{0}\n\n".into()]).is_err());
    }

    #[test]
    fn a_line_without_an_end_is_refused() {
        let chunk = vec![b'x'; 1 << 20];
        let endless = std::iter::repeat_n(chunk, 17);
        assert!(read(endless).unwrap_err().contains("without an end"));
        let line: Vec<u8> = [b"data: ".to_vec(), vec![b'x'; 1 << 20], b"\n".to_vec()].concat();
        assert!(read(std::iter::repeat_n(line, 17)).unwrap_err().contains("too long"));
    }

    proptest! {
        #[test]
        fn events_come_out_as_they_went_in_wherever_the_chunks_are_cut(
            texts in prop::collection::vec(".{0,40}", 0..8),
            cuts in prop::collection::vec(1_usize..30, 1..60),
        ) {
            let mut wire = Vec::new();
            for (number, text) in texts.iter().enumerate() {
                let json = serde_json::to_string(&notice(text)).unwrap();
                wire.extend_from_slice(format!("id: {number}\ndata: {json}\n\n").as_bytes());
            }
            let chunks = cut(&wire, &cuts);
            let expected = texts.iter().enumerate().map(|(n, text)| (n as u64, notice(text))).collect();
            prop_assert_eq!(read(chunks), Ok(expected));
        }

        #[test]
        fn any_bytes_end_in_events_or_in_a_reason(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..20)
        ) {
            let _ = read(chunks);
        }
    }
}
