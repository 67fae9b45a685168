//! A device's line as spans that are safe to draw.

use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthChar;

use super::walk::{Piece, walk};
use crate::console::theme::colour::{down_style, indexed};
use crate::console::theme::{Role, Theme};

/// More of one line than this is not read at once; who wants all of it has the pager and the bytes.
const MAX_LINE: usize = 64 * 1024;

const TAB: usize = 8;

/// One line of a device's output. Text and colours (SGR) survive; `\r` starts the line again, so that a progress line
/// shows its last state; every other control sequence is shown as muted text and never executed; what is invisible or
/// turns the direction of text is shown as a mark. Invalid UTF-8 has been replaced before. Bounded: an endless line
/// ends with how much more there is.
pub fn safe(text: &str, base: Style, theme: &Theme) -> Line<'static> {
    if text.len() <= MAX_LINE && text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Line::from(Span::styled(text.to_owned(), base));
    }
    let (text, more) = bounded(text);
    let mark = base.patch(theme.style(Role::TextMuted));
    let mut spans = Spans::default();
    let mut sgr = Style::default();
    let mut style = base;
    walk(text, &mut |piece| match piece {
        Piece::Char(c) => spans.put(c, style),
        Piece::Tab => spans.tab(style),
        Piece::Return => spans.returned = true,
        Piece::Mark(text) => text.chars().for_each(|c| spans.put(c, mark)),
        Piece::Colours(params) => {
            sgr = colours(sgr, params);
            let mut seen = sgr;
            if seen.fg.is_some() && seen.fg == seen.bg {
                // Text in the colour of its background hides itself.
                (seen.fg, seen.bg) = (None, None);
            }
            style = base.patch(down_style(seen, theme.depth));
        }
    });
    if let Some(more) = more {
        format!(" … {} more", super::bytes(more as u64)).chars().for_each(|c| spans.put(c, mark));
    }
    Line::from(spans.done())
}

/// The same without colours, for places that have no theme (verbs, names, messages).
pub fn plain(text: &str) -> String {
    if text.len() <= MAX_LINE && text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    let (text, more) = bounded(text);
    let mut spans = Spans::default();
    let style = Style::default();
    walk(text, &mut |piece| match piece {
        Piece::Char(c) => spans.put(c, style),
        Piece::Tab => spans.tab(style),
        Piece::Return => spans.returned = true,
        Piece::Mark(text) => text.chars().for_each(|c| spans.put(c, style)),
        Piece::Colours(_) => {}
    });
    if let Some(more) = more {
        format!(" … {} more", super::bytes(more as u64)).chars().for_each(|c| spans.put(c, style));
    }
    spans.done().into_iter().map(|span| span.content).collect()
}

/// The line without its end, cut to what is read, and how many bytes were left out.
fn bounded(text: &str) -> (&str, Option<usize>) {
    let text = text.strip_suffix('\n').unwrap_or(text).trim_end_matches('\r');
    if text.len() <= MAX_LINE {
        return (text, None);
    }
    // A long progress line: only what stands after the last return would be seen anyway.
    let text = text.rfind('\r').map_or(text, |at| &text[at..]);
    if text.len() <= MAX_LINE {
        return (text, None);
    }
    let mut end = MAX_LINE;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    (&text[..end], Some(text.len() - end))
}

/// Spans under construction.
#[derive(Default)]
struct Spans {
    spans: Vec<Span<'static>>,
    text: String,
    style: Style,
    column: usize,
    returned: bool,
}

impl Spans {
    fn put(&mut self, c: char, style: Style) {
        if self.returned {
            self.returned = false;
            self.spans.clear();
            self.text.clear();
            self.column = 0;
        }
        if style != self.style {
            self.close();
            self.style = style;
        }
        self.text.push(c);
        self.column += c.width().unwrap_or(0);
    }

    fn tab(&mut self, style: Style) {
        self.put(' ', style);
        while !self.column.is_multiple_of(TAB) {
            self.put(' ', style);
        }
    }

    fn close(&mut self) {
        if !self.text.is_empty() {
            self.spans.push(Span::styled(std::mem::take(&mut self.text), self.style));
        }
    }

    fn done(mut self) -> Vec<Span<'static>> {
        self.close();
        self.spans
    }
}

/// SGR on top of what the line had so far. Blinking and hidden text are not taken over.
fn colours(mut style: Style, params: &[Vec<u16>]) -> Style {
    let mut rest = params.iter();
    while let Some(param) = rest.next() {
        let set = match param.first().copied().unwrap_or(0) {
            0 => {
                style = Style::default();
                continue;
            }
            1 => Modifier::BOLD,
            2 => Modifier::DIM,
            3 => Modifier::ITALIC,
            4 if param.get(1) == Some(&0) => {
                style.add_modifier -= Modifier::UNDERLINED;
                continue;
            }
            4 | 21 => Modifier::UNDERLINED,
            7 => Modifier::REVERSED,
            9 => Modifier::CROSSED_OUT,
            code => {
                match code {
                    22 => style.add_modifier -= Modifier::BOLD | Modifier::DIM,
                    23 => style.add_modifier -= Modifier::ITALIC,
                    24 => style.add_modifier -= Modifier::UNDERLINED,
                    27 => style.add_modifier -= Modifier::REVERSED,
                    29 => style.add_modifier -= Modifier::CROSSED_OUT,
                    30..=37 => style.fg = Some(indexed(code as u8 - 30)),
                    40..=47 => style.bg = Some(indexed(code as u8 - 40)),
                    90..=97 => style.fg = Some(indexed(code as u8 - 82)),
                    100..=107 => style.bg = Some(indexed(code as u8 - 92)),
                    39 => style.fg = None,
                    49 => style.bg = None,
                    38 => style.fg = wide_colour(param, &mut rest).or(style.fg),
                    48 => style.bg = wide_colour(param, &mut rest).or(style.bg),
                    58 => drop(wide_colour(param, &mut rest)),
                    _ => {}
                }
                continue;
            }
        };
        style.add_modifier |= set;
    }
    style
}

/// `38;5;n`, `38;2;r;g;b`, `38:5:n`, `38:2:r:g:b` and `38:2::r:g:b`.
fn wide_colour<'a>(param: &[u16], rest: &mut impl Iterator<Item = &'a Vec<u16>>) -> Option<Color> {
    let byte = |value: Option<u16>| value.and_then(|value| u8::try_from(value).ok());
    if param.len() > 1 {
        let of = |at: usize| byte(param.get(at).copied());
        return match param[1] {
            5 => of(2).map(indexed),
            2 if param.len() >= 6 => Some(Color::Rgb(of(3)?, of(4)?, of(5)?)),
            2 => Some(Color::Rgb(of(2)?, of(3)?, of(4)?)),
            _ => None,
        };
    }
    let mut next = || rest.next().and_then(|param| param.first().copied());
    match next()? {
        5 => byte(next()).map(indexed),
        2 => {
            let (r, g, b) = (byte(next()), byte(next()), byte(next()));
            Some(Color::Rgb(r?, g?, b?))
        }
        _ => None,
    }
}

#[cfg(test)]
#[path = "safe_tests.rs"]
mod tests;
