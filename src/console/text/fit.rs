//! Making text fit: widths in cells, not in bytes or characters, as the buffer counts them.

use std::ops::Range;

use ratatui::buffer::CellWidth;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation;

/// Cells of one grapheme. Control characters have none: the buffer leaves them out.
fn cells(grapheme: &str) -> usize {
    if grapheme.chars().any(char::is_control) { 0 } else { usize::from(grapheme.cell_width()) }
}

/// Cells a text takes.
pub fn width(text: &str) -> usize {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.len();
    }
    text.graphemes(true).map(cells).sum()
}

/// Cells a line takes.
pub fn line_width(line: &Line<'_>) -> usize {
    line.spans.iter().map(|span| width(&span.content)).sum()
}

/// At most `width` cells of a text; a cut is shown by an ellipsis. (An ASCII screen shows `~` for it.)
pub fn clip(text: &str, width: usize) -> String {
    clip_with(text, width, '…')
}

/// The same with another sign for the cut.
pub fn clip_with(text: &str, most: usize, sign: char) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    if most == 0 {
        return String::new();
    }
    let mut clipped = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        let next = used + cells(grapheme);
        if next > most - 1 {
            break;
        }
        clipped.push_str(grapheme);
        used = next;
    }
    clipped.push(sign);
    clipped
}

/// Rows of at most `width` cells, broken between words where there are any.
pub fn fold(words: &str, most: usize) -> Vec<String> {
    let mut rows = vec![String::new()];
    for word in words.split_whitespace() {
        let mut word = word;
        loop {
            let row = rows.last_mut().map_or_else(String::new, std::mem::take);
            let used = width(&row);
            let gap = usize::from(used > 0);
            let (filled, more) = if used + gap + width(word) <= most {
                (format!("{row}{}{word}", if gap > 0 { " " } else { "" }), None)
            } else if used > 0 {
                (row, Some(word))
            } else {
                // One word that is wider than the row.
                let cut =
                    word.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|at| width(&word[..*at]) <= most);
                let at = cut.last().unwrap_or(word.len());
                (word[..at].to_owned(), (at < word.len()).then(|| &word[at..]))
            };
            if let Some(last) = rows.last_mut() {
                *last = filled;
            }
            match more {
                Some(rest) => {
                    rows.push(String::new());
                    word = rest;
                }
                None => break,
            }
        }
    }
    rows
}

/// Cut in the middle, so that both ends stay: names of machines often differ in their last letters alone.
pub fn clip_middle(text: &str, most: usize) -> String {
    let whole = width(text);
    if whole <= most || most < 5 {
        return clip(text, most);
    }
    let head = clip_with(text, most.div_ceil(2), '…');
    let room = most - width(&head);
    let mut left = whole;
    let mut graphemes = text.graphemes(true);
    while left > room {
        left -= graphemes.next().map_or(left, cells);
    }
    format!("{head}{}", graphemes.as_str())
}

/// Clipped before the number at its end by which things of one name are told apart (`twice #4`). `None`: it has none, or
/// need not be clipped.
pub fn clip_numbered(text: &str, most: usize) -> Option<String> {
    let (_, number) = text.rsplit_once(" #")?;
    let numbered = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    if !numbered || width(text) <= most || most <= number.len() + 3 {
        return None;
    }
    let tail = number.len() + 1;
    // (the blank between them goes first)
    let head = clip(text[..text.len() - tail].trim_end(), most - tail);
    Some(format!("{head}#{number}"))
}

/// Exactly `width` cells, filled up at the end.
pub fn pad(text: &str, to: usize) -> String {
    let mut text = clip(text, to);
    let gap = to - width(&text);
    text.extend(std::iter::repeat_n(' ', gap));
    text
}

/// Exactly `width` cells, filled up at the start: numbers.
pub fn pad_start(text: &str, to: usize) -> String {
    let text = clip(text, to);
    let mut padded = " ".repeat(to - width(&text));
    padded.push_str(&text);
    padded
}

/// Cells `from..from + width` of a line. A wide character cut in two leaves a blank.
pub fn slice(line: &Line<'_>, from: usize, width: usize) -> Line<'static> {
    let end = from.saturating_add(width);
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut at = 0;
    for span in &line.spans {
        if at >= end {
            break;
        }
        let mut text = String::new();
        for grapheme in span.content.graphemes(true) {
            let next = at + cells(grapheme);
            if next == at {
                continue;
            }
            if at >= from && next <= end {
                text.push_str(grapheme);
            } else {
                text.extend(std::iter::repeat_n(' ', next.min(end).saturating_sub(at.max(from))));
            }
            at = next;
            if at >= end {
                break;
            }
        }
        if !text.is_empty() {
            spans.push(Span::styled(text, span.style));
        }
    }
    Line { style: line.style, alignment: line.alignment, spans }
}

/// The line with this style on top of these bytes of its text.
pub fn mark(line: &Line<'_>, ranges: &[Range<usize>], style: Style) -> Line<'static> {
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut at = 0;
    for span in &line.spans {
        let end = at + span.content.len();
        let mut from = at;
        for range in ranges.iter().filter(|range| range.start < end && range.end > at) {
            let (start, stop) = (range.start.max(from), range.end.min(end));
            let piece = |from: usize, to: usize| span.content.get(from - at..to - at).unwrap_or_default().to_owned();
            if start > from {
                spans.push(Span::styled(piece(from, start), span.style));
            }
            if stop > start {
                spans.push(Span::styled(piece(start, stop), span.style.patch(style)));
            }
            from = stop.max(from);
        }
        spans.push(Span::styled(span.content.get(from - at..).unwrap_or_default().to_owned(), span.style));
        at = end;
    }
    Line { style: line.style, alignment: line.alignment, spans }
}

/// The line on rows of `width` cells; never no row at all. Output is cut where the row ends, not between words, so
/// that columns and positions stay what they are.
pub fn wrap(line: &Line<'_>, width: usize) -> Vec<Line<'static>> {
    let mut rows = vec![Line { style: line.style, alignment: line.alignment, spans: Vec::new() }];
    let mut used = 0;
    for span in &line.spans {
        let mut text = String::new();
        for grapheme in span.content.graphemes(true) {
            let cells = cells(grapheme);
            if width > 0 && used > 0 && used + cells > width {
                close(&mut rows, &mut text, span);
                rows.push(Line { style: line.style, alignment: line.alignment, spans: Vec::new() });
                used = 0;
            }
            text.push_str(grapheme);
            used += cells;
        }
        close(&mut rows, &mut text, span);
    }
    rows
}

fn close(rows: &mut [Line<'static>], text: &mut String, span: &Span<'_>) {
    if let (Some(row), false) = (rows.last_mut(), text.is_empty()) {
        row.spans.push(Span::styled(std::mem::take(text), span.style));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::Stylize;

    #[test]
    fn a_number_that_tells_names_apart_stays() {
        assert_eq!(clip_numbered("macs:twice #4", 12).as_deref(), Some("macs:twice#4"));
        assert_eq!(clip_numbered("macs:twice #4", 10).as_deref(), Some("macs:tw…#4"));
        assert_eq!(clip_numbered("macs:twice #105", 10).as_deref(), Some("macs:…#105"));
        for (text, most) in [("macs:twice #4", 13), ("macs:twice #4", 4), ("macs:twice #x", 5), ("disk-use.sh", 8)] {
            assert_eq!(clip_numbered(text, most), None, "{text} in {most}");
        }
    }

    #[test]
    fn both_ends_of_a_name_stay() {
        for (most, shown) in [(30, "web-frontend-eu-0012"), (11, "web-f…-0012"), (8, "web…0012"), (4, "web…"), (0, "")]
        {
            assert_eq!(clip_middle("web-frontend-eu-0012", most), shown);
            assert!(width(&clip_middle("漢字漢字漢字-0012", most)) <= most);
        }
    }

    #[test]
    fn width_is_in_cells() {
        assert_eq!([width("abc"), width("日本"), width("e\u{301}"), width("")], [3, 4, 1, 0]);
        assert_eq!(width("a\x07b"), 2);
    }

    #[test]
    fn a_clipped_text_fits_and_says_so() {
        assert_eq!(clip("os-patch", 8), "os-patch");
        assert_eq!(clip("os-patch", 5), "os-p…");
        assert_eq!(clip_with("os-patch", 5, '~'), "os-p~");
        assert_eq!(clip("日本語", 4), "日…");
        assert_eq!([clip("ab", 1), clip("ab", 0)], ["…", ""]);
    }

    #[test]
    fn a_padded_text_has_exactly_the_width() {
        for text in ["", "a", "日本語", "a long text"] {
            for to in 0..8 {
                assert_eq!(width(&pad(text, to)), to);
                assert_eq!(width(&pad_start(text, to)), to);
            }
        }
        assert_eq!(pad_start("412", 5), "  412");
    }

    #[test]
    fn a_slice_keeps_styles_and_never_half_a_character() {
        let line = Line::from(vec!["ab".red(), "日本".blue(), "cd".green()]);
        assert_eq!(slice(&line, 1, 2), Line::from(vec!["b".red(), " ".blue()]));
        assert_eq!(slice(&line, 3, 3), Line::from(vec![" 本".blue()]));
        assert_eq!(slice(&line, 6, 50), Line::from(vec!["cd".green()]));
        assert_eq!(slice(&line, 60, 5), Line::from(Vec::<Span>::new()));
        assert_eq!(slice(&line, 0, usize::MAX).to_string(), "ab日本cd");
    }

    #[test]
    fn marks_go_across_spans_and_lose_no_text() {
        let line = Line::from(vec!["ab".red(), "cde".blue()]);
        let marked = mark(&line, &[1..3, 4..5], Style::new().bold());
        assert_eq!(marked.to_string(), "abcde");
        let bold: Vec<&str> = marked
            .spans
            .iter()
            .filter(|span| span.style.add_modifier.contains(ratatui::style::Modifier::BOLD))
            .map(|span| &*span.content)
            .collect();
        assert_eq!(bold, ["b", "c", "e"]);
    }

    #[test]
    fn wrapping_loses_nothing_and_fits() {
        let line = Line::from(vec!["abc".red(), "日本語".blue(), "d".into()]);
        let rows = wrap(&line, 4);
        assert_eq!(rows.iter().map(ToString::to_string).collect::<Vec<_>>(), ["abc", "日本", "語d"]);
        assert_eq!(rows[1].spans[0].style, "".blue().style);
        assert_eq!(wrap(&Line::default(), 4).len(), 1);
        assert_eq!(wrap(&line, 0).len(), 1);
        assert_eq!(wrap(&line, 1).len(), 7);
    }

    proptest::proptest! {
        #[test]
        fn any_text_fits_any_width(text in "\\PC{0,20}", from in 0usize..12, to in 0usize..12) {
            proptest::prop_assert!(width(&clip(&text, to)) <= to);
            proptest::prop_assert!(line_width(&slice(&Line::from(text.clone()), from, to)) <= to);
            let rows = wrap(&Line::from(text.clone()), to.max(2));
            proptest::prop_assert_eq!(rows.iter().map(ToString::to_string).collect::<String>(), text);
        }
    }
}
