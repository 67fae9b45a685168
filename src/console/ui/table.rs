//! Any list of `model::rows` as a table: columns that fit, marks, the cursor, and where what was looked for stands.
//! What a list hides and how it is sorted is said in its border, so that a part is never taken for the whole.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::cells::{Cell, cursor, nth, place, row, title};
use crate::console::app::App;
use crate::console::app::columns::{self, Col};
use crate::console::app::list::{Cursor, ListId, Look};
use crate::console::text;
use crate::console::theme::{Role, Theme};
use crate::model::filter::{Filter, Rows};

/// What is drawn.
pub struct Table<'a, R, F> {
    pub list: ListId,
    pub look: &'a Look,
    pub rows: &'a R,
    /// Rows shown, in order.
    pub order: &'a [u32],
    pub cursor: Cursor,
    pub focused: bool,
    /// How wide the first column would like to be.
    pub first: Option<u16>,
    /// The key that a row is marked by.
    pub key: &'a dyn Fn(usize) -> String,
    /// Signs at the end of a row's first cell; the rest of the cell gives way to them.
    pub signs: &'a dyn Fn(usize) -> String,
    /// Rows of a tree; `None`: they are a list.
    pub tree: Option<&'a dyn Tree>,
    /// What a column is called instead; nothing: it is left out.
    pub heads: &'a [(&'static str, &'a str)],
    /// Row, column, its text: what to show instead, and how. `None` as text: as it is.
    pub style: F,
}

/// Where the rows of a list hang: by their place among those shown.
pub trait Tree {
    /// A branch, which has the line for itself. `None`: a row of the list.
    fn branch(&self, at: usize) -> Option<Line<'static>>;
    /// What stands before the first cell of a row.
    fn lead(&self, at: usize) -> String;
}

/// For lists whose rows have none.
pub fn no_signs(_: usize) -> String {
    String::new()
}

impl<R: Rows, F: Fn(usize, &Col, &str) -> (Option<String>, Style)> Table<'_, R, F> {
    pub fn draw(&self, theme: &Theme, inside: Rect, buf: &mut Buffer) {
        let gutter = gutter(self.look, inside.width);
        let width = inside.width.saturating_sub(gutter + 1);
        let named = |col: &Col| self.heads.iter().find(|(name, _)| *name == col.name).map(|(_, head)| *head);
        let mut shown = columns::shown(self.list, self.look, width);
        shown.retain(|col| named(col) != Some(""));
        let mut widths = vec![gutter];
        widths.extend(columns::widths(self.list, &shown, width, self.first));
        let fixed: u16 = widths.iter().sum::<u16>() + (widths.len() as u16).saturating_sub(1);
        let first =
            widths.get(1).map_or(0, |width| if *width == 0 { inside.width.saturating_sub(fixed) } else { *width });
        let muted = theme.style(Role::TextMuted);
        let cell = |text: Cow<'static, str>, style, right| Cell { text, style, right };
        let mut heads = vec![cell("".into(), muted, false)];
        let wide = columns::wide(self.list, width);
        heads.extend(shown.iter().map(|col| {
            let head = if wide && col.head == "st" { "state" } else { col.head };
            cell(named(col).map_or(Cow::Borrowed(head), |head| text::plain(head).into()), muted, col.right)
        }));
        row(buf, nth(inside, 0), &widths, &heads);
        let indexes: Vec<Option<usize>> =
            shown.iter().map(|col| self.rows.columns().iter().position(|column| column.name == col.name)).collect();
        let list = Rect { y: inside.y + 1, height: inside.height.saturating_sub(1), ..inside };
        let window = self.cursor.window(self.order.len(), usize::from(list.height));
        let anchor = self
            .look
            .anchor
            .as_ref()
            .and_then(|anchor| self.order.iter().position(|row| (self.key)(*row as usize) == *anchor));
        let range = anchor.map_or(0..0, |from| from.min(self.cursor.at)..from.max(self.cursor.at) + 1);
        let marks = !self.look.marks.is_empty();
        let mut room = String::new();
        for (n, at) in window.enumerate() {
            let index = self.order[at] as usize;
            let line = nth(list, n as u16);
            if let Some(branch) = self.tree.and_then(|tree| tree.branch(at)) {
                let indent = (gutter + 1).min(line.width);
                let room = Rect { x: line.x + indent, width: line.width - indent, ..line };
                buf.set_line(room.x, room.y, &branch, room.width);
                if at == self.cursor.at {
                    cursor(theme, buf, line, self.focused);
                }
                continue;
            }
            let lead = self.tree.map_or_else(String::new, |tree| tree.lead(at));
            let led = text::width(&lead);
            let marked = range.contains(&at) || (marks && self.look.marks.contains(&(self.key)(index)));
            let mut cells = vec![cell(sign(theme, marked, inside.width).into(), theme.style(Role::Mark), false)];
            let mut found = Vec::new();
            for (col, column) in shown.iter().zip(&indexes) {
                let said = column.map_or("", |column| self.rows.text(index, column, &mut room));
                let (other, style) = (self.style)(index, col, said);
                let mut text = other.unwrap_or_else(|| text::plain(said));
                let first = if cells.len() == 1 { first.saturating_sub(led as u16) } else { first };
                let signs = if cells.len() == 1 { (self.signs)(index) } else { String::new() };
                if !signs.is_empty() {
                    let room = usize::from(first).saturating_sub(signs.len() + 1);
                    text = format!("{} {signs}", text::pad(&text::clip(&text, room), room));
                } else if cells.len() == 1
                    && matches!(self.list, ListId::Devices | ListId::Members | ListId::Planned | ListId::Changes)
                {
                    // What tells names apart is often at their end.
                    text = text::clip_middle(&text, usize::from(first));
                } else if col.name == "script" || (cells.len() == 1 && self.list == ListId::Scripts) {
                    let width = match (cells.len(), widths.get(cells.len())) {
                        (1, _) => first,
                        (_, Some(0) | None) => inside.width.saturating_sub(fixed),
                        (_, Some(width)) => *width,
                    };
                    text = text::clip_numbered(&text, usize::from(width)).unwrap_or(text);
                }
                let style = if marked && cells.len() == 1 { theme.style(Role::Mark) } else { style };
                let mut hits = column.map_or_else(Vec::new, |column| self.look.filter.hits(column, &text));
                if cells.len() == 1 && !lead.is_empty() {
                    text.insert_str(0, &lead);
                    hits.iter_mut().for_each(|hit| *hit = hit.start + lead.len()..hit.end + lead.len());
                }
                found.push(hits);
                cells.push(cell(text.into(), style, col.right));
            }
            row(buf, line, &widths, &cells);
            if led > 0 {
                let x = line.x + gutter + 1;
                let guides = Rect { x, width: (led as u16).min(line.right().saturating_sub(x)), ..line };
                buf.set_style(guides, theme.style(Role::Border));
            }
            let on = at == self.cursor.at;
            if on {
                cursor(theme, buf, line, self.focused);
            }
            highlight(theme, buf, line, &widths, &cells, &found, on && self.focused);
        }
    }
}

/// How wide the column before a row is: the cursor's sign, and where there are marks, theirs.
pub fn gutter(look: &Look, width: u16) -> u16 {
    match look.marks.is_empty() && look.anchor.is_none() {
        true => 1,
        false if width < NARROW => 2,
        false => 4,
    }
}

/// What stands there on a marked row; the cursor's sign has the first cell for itself.
pub fn sign(theme: &Theme, marked: bool, width: u16) -> String {
    match marked {
        true if width < NARROW => " x".to_owned(),
        true => format!(" {}", theme.glyphs.mark()),
        false => String::new(),
    }
}

/// A pane of which the names need every cell.
pub const NARROW: u16 = 30;

/// Shows where in each cell what was looked for stands.
fn highlight(
    theme: &Theme,
    buf: &mut Buffer,
    line: Rect,
    widths: &[u16],
    cells: &[Cell<'_>],
    found: &[Vec<std::ops::Range<usize>>],
    current: bool,
) {
    let fixed: u16 = widths.iter().sum::<u16>() + (widths.len() as u16).saturating_sub(1);
    let rest = line.width.saturating_sub(fixed);
    let mut x = line.x;
    for (at, (width, cell)) in widths.iter().zip(cells).enumerate() {
        let width = if *width == 0 { rest } else { *width };
        let room = width.min(line.right().saturating_sub(x));
        let hits = at.checked_sub(1).and_then(|at| found.get(at)).map_or(&[][..], Vec::as_slice);
        let gap = if cell.right { usize::from(room).saturating_sub(text::width(&cell.text)) as u16 } else { 0 };
        mark_hits(
            theme,
            buf,
            Rect { x: x + gap, width: room.saturating_sub(gap), height: 1, ..line },
            &cell.text,
            hits,
            current,
        );
        x += width + 1;
    }
}

/// Puts the look of what was found on these stretches (in bytes) of a text that stands in `area`.
pub fn mark_hits(
    theme: &Theme,
    buf: &mut Buffer,
    area: Rect,
    text: &str,
    hits: &[std::ops::Range<usize>],
    current: bool,
) {
    let style = theme.style(if current { Role::MatchCurrent } else { Role::Match });
    for hit in hits {
        let (Some(before), Some(inside)) = (text.get(..hit.start), text.get(hit.clone())) else { continue };
        let from = text::width(before) as u16;
        let width = (text::width(inside) as u16).min(area.width.saturating_sub(from));
        if from < area.width && area.height > 0 {
            let hit = Rect { x: area.x + from, width, height: 1, ..area };
            // The cursor's own look stays where the match has none that differs.
            let style = if current { style.add_modifier(Modifier::UNDERLINED) } else { style };
            buf.set_style(hit, style);
        }
    }
}

/// Whether a list looks focused: also while its filter is written, or its menu is open.
pub fn focused(app: &App, list: ListId) -> bool {
    app.list_here() == Some(list)
}

/// The title: what is listed, and under a filter what it is narrowed to. What does not fit whole gives way: the count,
/// then the filter's words, of which the foot still says what they hide.
pub fn head<'a>(app: &App, list: ListId, key: &str, name: &str, more: &str, width: u16) -> Line<'a> {
    let theme = &app.theme;
    let narrowed = app.look(list).filter(|look| look.narrowed()).map(|look| text::plain(&look.says()));
    let with = |more: &str, says: Option<&str>| {
        let mut line = title(theme, key, name, more);
        if let Some(says) = says {
            line.spans.push(Span::raw(" "));
            line.spans.push(Span::styled(says.to_owned(), theme.style(Role::Match)));
            line.spans.push(Span::raw(" "));
        }
        line
    };
    let room = usize::from(width.saturating_sub(2));
    let ways = match narrowed.as_deref() {
        Some(says) => vec![("", Some(says)), ("", Some("filtered")), ("", None)],
        None => vec![(more, None), ("", None)],
    };
    let mut lines = ways.into_iter().map(|(more, says)| with(more, says));
    lines.find(|line| text::line_width(line) <= room).unwrap_or_else(|| with("", None))
}

/// The foot: what is hidden, marked, how it is sorted, where the cursor is. What does not fit gives way, the least
/// telling first, and nothing is cut.
pub fn foot(app: &App, list: ListId, at: usize, len: usize, width: u16) -> String {
    let Some(look) = app.look(list) else { return place(at, len) };
    let hiding = look.hiding(app.shown_of(list));
    let passed = hiding.split(", ").next().unwrap_or_default().to_owned();
    let marked = look.marked();
    let few = match look.marks.len() {
        0 => String::new(),
        n if look.unseen > 0 => format!("{n} marked ({} hidden)", look.unseen),
        n => format!("{n} marked"),
    };
    let count = if few.is_empty() { String::new() } else { format!("{} marked", look.marks.len()) };
    let sort = if look.sort.column != list.usual_sort() || look.sort.reverse {
        format!("sort {}", app.sorted_by(list))
    } else {
        String::new()
    };
    // (that nothing is shown is said by what is hidden)
    let place = if len == 0 && !hiding.is_empty() { String::new() } else { place(at, len) };
    let room = usize::from(width.saturating_sub(4));
    let ways: [&[&str]; 9] = [
        &[&hiding, &marked, &sort, &place],
        &[&hiding, &few, &sort, &place],
        &[&hiding, &few, &sort],
        &[&hiding, &few],
        &[&passed, &few],
        &[&passed, &count],
        &[if few.is_empty() { &passed } else { &few }],
        &[&count],
        &[&place],
    ];
    let joined = |parts: &[&str]| parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join("  ");
    let fits = |foot: &String| !foot.is_empty() && text::width(foot) + 2 <= room;
    ways.iter().map(|way| joined(way)).find(fits).unwrap_or_default()
}

/// Hits of words that ask no column, or this one by name.
pub fn hits(filter: &Filter, rows: &impl Rows, name: &str, text: &str) -> Vec<std::ops::Range<usize>> {
    let column = rows.columns().iter().position(|column| column.name == name);
    filter.hits(column.unwrap_or(usize::MAX), text)
}
