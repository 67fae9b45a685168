//! The text itself: signs of lint, line numbers, coloured cells, what is selected or found. Leaves out what cannot be
//! seen; control characters have cells here.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::sign;
use crate::console::app::App;
use crate::console::app::editor::panes::{Panes, inside};
use crate::console::app::editor::vi::Mode;
use crate::console::app::editor::{Bar, Editor};
use crate::console::editor::buffer::{Pos, pos};
use crate::console::editor::cells::{self, Shown, glyphs};
use crate::console::text;
use crate::console::theme::Role;

pub fn draw(app: &App, editor: &Editor, panes: Panes, buf: &mut Buffer) -> Option<Position> {
    let theme = &app.theme;
    let area = inside(panes.text);
    let rows = usize::from(area.height);
    let length = editor.length().max(1);
    let last = (editor.top + rows).min(length);
    let foot = format!("{}-{}/{}", (editor.top + 1).min(last), last, text::count(length as u64));
    super::pane(app, buf, panes.text, title(app, editor), &foot, app.layers.is_empty());
    let digits = usize::from(panes.gutter) - 2;
    let at = editor.buffer.cursor();
    let selection = selected(editor);
    for n in 0..rows {
        let row = editor.top + n;
        let y = area.y + n as u16;
        let Some(line) = editor.buffer.lines().get(row) else { break };
        let (mark, role) = editor.lint.level(row).map_or((" ", Role::TextMuted), sign);
        buf.set_string(area.x, y, mark, theme.style(role));
        let number = format!("{:>digits$}", row + 1);
        let style = theme.style(if row == at.row { Role::TextStrong } else { Role::TextMuted });
        buf.set_stringn(area.x + 1, y, number, digits, style);
        let place = Rect { x: area.x + panes.gutter, y, width: area.width.saturating_sub(panes.gutter), height: 1 };
        text_line(app, editor, row, line, selection, place, buf);
    }
    let (x, y) = (cells::x_of(editor.buffer.line(at.row), at.col), at.row);
    let x = u16::try_from(x.checked_sub(editor.left)?).ok()?;
    let y = u16::try_from(y.checked_sub(editor.top)?).ok()?;
    let shown = x + panes.gutter < area.width && y < area.height;
    shown.then(|| Position::new(area.x + panes.gutter + x, area.y + y))
}

fn title(app: &App, editor: &Editor) -> Line<'static> {
    let theme = &app.theme;
    let muted = theme.style(Role::TextMuted);
    let base = editor.base.as_deref().map(|base| app.version_word(&editor.name, base));
    let (state, style) = match (base, editor.dirty, editor.behind) {
        (_, _, true) => ("changed by somebody else meanwhile".to_owned(), theme.style(Role::LevelWarn)),
        (None, ..) => ("new, not saved yet".to_owned(), muted),
        (Some(base), true, _) => (format!("draft on {base} (the library has not changed)"), muted),
        (Some(base), false, _) => (format!("version {base}"), muted),
    };
    let spans = vec![
        Span::raw(" "),
        Span::styled(text::plain(&editor.name), theme.style(Role::TextStrong)),
        Span::styled(format!("  {state} "), style),
    ];
    Line::from(spans)
}

/// What is selected, with whole lines and the sign under the cursor where vi means them.
fn selected(editor: &Editor) -> Option<(Pos, Pos)> {
    let mode = editor.vi.as_ref().map(|vi| vi.mode);
    let at = editor.buffer.cursor();
    let (from, to) = match (editor.buffer.selection(), mode) {
        (None, Some(Mode::Visual { .. })) => (at, at),
        (selection, _) => selection?,
    };
    Some(match mode {
        Some(Mode::Visual { lines: true }) => (pos(from.row, 0), pos(to.row, usize::MAX)),
        Some(Mode::Visual { lines: false }) => (from, pos(to.row, to.col + 1)),
        _ => (from, to),
    })
}

fn text_line(
    app: &App,
    editor: &Editor,
    row: usize,
    line: &str,
    selection: Option<(Pos, Pos)>,
    area: Rect,
    buf: &mut Buffer,
) {
    let theme = &app.theme;
    let base = theme.style(Role::Text);
    let muted = base.patch(theme.style(Role::TextMuted));
    let finding = matches!(editor.bar, Some(Bar::Find(_)));
    let searched = finding || editor.vi.is_some();
    let found: Vec<_> = if searched { editor.search.matches(line).collect() } else { Vec::new() };
    let pair = editor.bracket.filter(|_| selection.is_none());
    let chosen = |column: usize| selection.is_some_and(|(from, to)| (from..to).contains(&pos(row, column)));
    let right = editor.left + usize::from(area.width);
    let mut spans = editor.colours.spans(row).iter().peekable();
    let mut found = found.into_iter().peekable();
    let (mut end, mut column) = (0, 0);
    for glyph in glyphs(line) {
        end = glyph.x + glyph.width;
        column = glyph.column + 1;
        if glyph.x >= right {
            break;
        }
        while spans.peek().is_some_and(|(range, _)| range.end <= glyph.bytes.start) {
            spans.next();
        }
        while found.peek().is_some_and(|range| range.end <= glyph.bytes.start) {
            found.next();
        }
        let mut style = match &glyph.shown {
            Shown::Text(_) => match spans.peek().filter(|(range, _)| range.start <= glyph.bytes.start) {
                Some((_, role)) => base.patch(theme.style(*role)),
                None => base,
            },
            Shown::Tab | Shown::Mark(_) => muted,
        };
        if found.peek().is_some_and(|range| range.start <= glyph.bytes.start) {
            style = style.patch(theme.style(Role::Match));
        }
        if pair.is_some_and(|(one, other)| [one, other].contains(&pos(row, glyph.column))) {
            style = style.patch(theme.style(Role::MatchCurrent));
        }
        if chosen(glyph.column) {
            style = style.patch(theme.style(if finding { Role::MatchCurrent } else { Role::Cursor }));
        }
        let tab: String;
        let sign: &str = match &glyph.shown {
            Shown::Text(sign) => sign,
            Shown::Mark(mark) => mark,
            Shown::Tab => {
                let arrow = if theme.glyphs.ascii { '>' } else { '»' };
                tab = format!("{arrow}{}", " ".repeat(glyph.width - 1));
                &tab
            }
        };
        put(buf, area, glyph.x, editor.left, sign, glyph.width, style);
    }
    // The line's end is selected too: a blank shows it.
    if selection.is_some_and(|(from, to)| from.row <= row && row < to.row && from <= pos(row, column)) && end < right {
        put(buf, area, end, editor.left, " ", 1, theme.style(Role::Cursor));
    }
    if end > right && area.width > 1 {
        buf.set_string(area.right() - 1, area.y, theme.glyphs.ellipsis().to_string(), muted);
    }
    if editor.left > 0 && end > 0 {
        buf.set_string(area.x, area.y, theme.glyphs.ellipsis().to_string(), muted);
    }
}

/// One sign at cell `x` of its line; what of it is out of sight becomes blanks.
fn put(buf: &mut Buffer, area: Rect, x: usize, left: usize, sign: &str, width: usize, style: Style) {
    let end = x + width;
    if end <= left || width == 0 {
        return;
    }
    let (from, to) = (x.max(left) - left, (end - left).min(usize::from(area.width)));
    if from >= to {
        return;
    }
    let place = area.x + from as u16;
    let room = to - from;
    if room == width {
        buf.set_stringn(place, area.y, sign, room, style);
    } else if sign.is_ascii() {
        let cut = if x < left { &sign[left - x..] } else { sign };
        buf.set_stringn(place, area.y, cut, room, style);
    } else {
        buf.set_stringn(place, area.y, " ".repeat(room), room, style);
    }
}
