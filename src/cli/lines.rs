//! Whole lines out of the pieces in which the output of many runs arrives: per run and stream, in order, bounded.

/// A longer line is given in pieces.
pub const PIECE: usize = 1 << 20;

/// What all runs together may hold of unfinished lines; beyond it, the line that grows is given in pieces.
const HELD: usize = 32 << 20;

/// A line, or a piece of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole<'a> {
    /// Without its newline.
    pub text: &'a [u8],
    /// The line goes on in the next piece.
    pub more: bool,
}

/// Unfinished lines, by run and stream.
#[derive(Debug, Default)]
pub struct Lines {
    open: Vec<Vec<u8>>,
    held: usize,
}

/// stdout and stderr.
const STREAMS: usize = 2;

impl Lines {
    /// Output of a run arrived: every line it completes goes to `each`, without being copied where it lies whole in
    /// `bytes`.
    pub fn push<E>(
        &mut self,
        run: u32,
        err: bool,
        bytes: &[u8],
        mut each: impl FnMut(Whole<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let slot = run as usize * STREAMS + usize::from(err);
        if self.open.len() <= slot {
            self.open.resize_with(slot + 1, Vec::new);
        }
        let open = &mut self.open[slot];
        let mut rest = bytes;
        if !open.is_empty() {
            let Some(newline) = memchr::memchr(b'\n', rest) else {
                return Self::hold(open, &mut self.held, rest, &mut each);
            };
            Self::hold(open, &mut self.held, &rest[..newline], &mut each)?;
            each(Whole { text: open, more: false })?;
            self.held -= open.len();
            open.clear();
            if open.capacity() > 64 << 10 {
                *open = Vec::new(); // a long line of one run must not stay for the rest of the job
            }
            rest = &rest[newline + 1..];
        }
        let mut from = 0;
        for newline in memchr::memchr_iter(b'\n', rest) {
            let mut text = &rest[from..newline];
            while text.len() > PIECE {
                each(Whole { text: &text[..PIECE], more: true })?;
                text = &text[PIECE..];
            }
            each(Whole { text, more: false })?;
            from = newline + 1;
        }
        Self::hold(open, &mut self.held, &rest[from..], &mut each)
    }

    fn hold<E>(
        open: &mut Vec<u8>,
        held: &mut usize,
        mut bytes: &[u8],
        each: &mut impl FnMut(Whole<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        while !bytes.is_empty() {
            let limit = if *held > HELD { (4 << 10).max(open.len()) } else { PIECE };
            if open.len() >= limit {
                each(Whole { text: open, more: true })?;
                *held -= open.len();
                open.clear();
                continue;
            }
            let (now, later) = bytes.split_at(bytes.len().min(limit - open.len()));
            open.extend_from_slice(now);
            *held += now.len();
            bytes = later;
        }
        Ok(())
    }

    /// A run has ended: its lines without a newline are whole now. `each` is told whether it was stderr.
    pub fn end<E>(&mut self, run: u32, mut each: impl FnMut(bool, Whole<'_>) -> Result<(), E>) -> Result<(), E> {
        for err in [false, true] {
            let Some(open) = self.open.get_mut(run as usize * STREAMS + usize::from(err)) else { continue };
            let text = std::mem::take(open);
            self.held -= text.len();
            if !text.is_empty() {
                each(err, Whole { text: &text, more: false })?;
            }
        }
        Ok(())
    }

    /// Runs that may hold something.
    pub fn runs(&self) -> u32 {
        u32::try_from(self.open.len().div_ceil(STREAMS)).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    type Seen = Vec<(u32, bool, Vec<u8>, bool)>;

    fn push(lines: &mut Lines, seen: &mut Seen, run: u32, err: bool, bytes: &[u8]) {
        let Ok(()) = lines.push(run, err, bytes, |whole| {
            seen.push((run, err, whole.text.to_vec(), whole.more));
            Ok::<_, Infallible>(())
        });
    }

    fn end(lines: &mut Lines, seen: &mut Seen, run: u32) {
        let Ok(()) = lines.end(run, |err, whole| {
            seen.push((run, err, whole.text.to_vec(), whole.more));
            Ok::<_, Infallible>(())
        });
    }

    #[test]
    fn a_last_line_without_newline_comes_when_the_run_ends() {
        let (mut lines, mut seen) = (Lines::default(), Seen::new());
        push(&mut lines, &mut seen, 3, false, b"one\ntw");
        push(&mut lines, &mut seen, 3, true, b"oops");
        push(&mut lines, &mut seen, 3, false, b"o");
        assert_eq!(seen, [(3, false, b"one".to_vec(), false)]);
        end(&mut lines, &mut seen, 3);
        assert_eq!(seen[1..], [(3, false, b"two".to_vec(), false), (3, true, b"oops".to_vec(), false)]);
        end(&mut lines, &mut seen, 3);
        end(&mut lines, &mut seen, 99);
        assert_eq!((seen.len(), lines.held), (3, 0));
    }

    #[test]
    fn an_endless_line_comes_in_pieces_and_stays_bounded() {
        let (mut lines, mut seen) = (Lines::default(), Seen::new());
        for _ in 0..300 {
            push(&mut lines, &mut seen, 0, false, &[b'x'; 10_000]);
            assert!(lines.held <= PIECE);
        }
        push(&mut lines, &mut seen, 0, false, b"\n");
        assert_eq!(seen.iter().map(|(.., text, _)| text.len()).sum::<usize>(), 3_000_000);
        assert_eq!(seen.iter().map(|(.., more)| *more).collect::<Vec<_>>(), [true, true, false]);
        seen.clear();
        let long = [vec![b'y'; 3 * PIECE], b"\n".to_vec()].concat();
        push(&mut lines, &mut seen, 1, false, &long);
        assert!(seen.iter().all(|(.., text, _)| text.len() <= PIECE) && seen.len() == 3);
    }

    #[test]
    fn many_unfinished_lines_together_stay_bounded() {
        let (mut lines, mut seen) = (Lines::default(), Seen::new());
        for _ in 0..20 {
            for run in 0..1000 {
                push(&mut lines, &mut seen, run, false, &[b'x'; 10_000]);
            }
        }
        let most = HELD + 1000 * 10_000;
        assert!(lines.held <= most, "{} of {most}", lines.held);
        for run in 0..lines.runs() {
            end(&mut lines, &mut seen, run);
        }
        assert_eq!(lines.held, 0);
        assert_eq!(seen.iter().map(|(.., text, _)| text.len()).sum::<usize>(), 200_000_000);
    }

    proptest! {
        #[test]
        fn lines_come_whole_and_in_order_whatever_the_chunks(
            texts in prop::collection::vec((0_u32..3, any::<bool>(), "[a-z\n]{0,30}"), 0..40),
        ) {
            let (mut lines, mut seen) = (Lines::default(), Seen::new());
            for (run, err, text) in &texts {
                push(&mut lines, &mut seen, *run, *err, text.as_bytes());
            }
            for run in 0..3 {
                end(&mut lines, &mut seen, run);
            }
            for run in 0..3 {
                for err in [false, true] {
                    let whole: String = texts.iter().filter(|t| (t.0, t.1) == (run, err)).map(|t| t.2.as_str()).collect();
                    let expected: Vec<_> = whole.lines().map(|line| line.as_bytes().to_vec()).collect();
                    let got: Vec<_> =
                        seen.iter().filter(|s| (s.0, s.1) == (run, err)).map(|s| s.2.clone()).collect();
                    prop_assert_eq!(got, expected);
                }
            }
            prop_assert_eq!(lines.held, 0);
        }
    }
}
