//! Where the rows of help stand: in sections, in as many columns as fit, on pages that turn with the cursor. Shared by
//! what is drawn and by what is clicked. Refuses to know how a row looks.

use ratatui::layout::{Position, Rect};

use super::help::{Help, Row};
use super::layout;

/// Cells of the keys, with the cursor's before them.
pub const KEYS: u16 = 12;

/// What the chosen key does, in full, where there is room: rows with their border.
const WORDS: u16 = 8;

/// What a row of the columns is.
pub enum Item<'a> {
    Heading(&'static str),
    /// Below this the keys change the fleet.
    Danger,
    Command(usize, &'a Row),
    /// What did not fit beside the key of that row.
    More(usize, String),
    Blank,
}

/// The parts of the screen.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    pub pane: Rect,
    /// The chosen key in words.
    pub below: Option<Rect>,
    /// Where what is typed stands.
    pub prompt: Rect,
    pub listed: Rect,
    pub columns: u16,
    /// What a filter and a sign mean, unless every key is asked for.
    pub beside: Option<Rect>,
    /// Rows of notes at the foot of the pane.
    pub notes: u16,
}

impl Page {
    /// `None`: there is no room for a list.
    pub fn of(body: Rect, all: bool) -> Option<Self> {
        let wide = body.width >= 112 && body.height >= 30;
        let pane = if wide { Rect { height: body.height - WORDS, ..body } } else { body };
        let below = wide.then_some(Rect { y: pane.bottom(), height: WORDS, ..body });
        let inside = layout::inner(pane);
        if inside.height < 3 {
            return None;
        }
        let notes = if !wide && inside.height >= 12 { 3 } else { 0 };
        let area = Rect { y: inside.y + 1, height: inside.height - 1 - notes, ..inside };
        let columns: u16 = match area.width {
            0..70 => 1,
            70..110 => 2,
            _ => 3,
        };
        let width = area.width / columns;
        let beside = (wide && !all).then(|| Rect {
            x: area.x + 2 * width,
            width: area.width - 2 * width,
            y: inside.y,
            height: inside.height,
        });
        let listed = if beside.is_some() { Rect { width: width * 2, ..area } } else { area };
        let columns = listed.width / width.max(1);
        Some(Self { pane, below, prompt: Rect { height: 1, ..inside }, listed, columns, beside, notes })
    }
}

impl Help {
    /// The items of the page that the cursor is on, each with its place.
    pub fn placed(&self, page: &Page) -> Vec<(Rect, Item<'_>)> {
        let (area, columns) = (page.listed, page.columns.max(1));
        let width = area.width / columns;
        let items = self.items(usize::from(width.saturating_sub(KEYS + 2)));
        let per = usize::from(area.height).max(1);
        let many = per * usize::from(columns);
        let at = items.iter().position(|item| matches!(item, Item::Command(n, _) if *n == self.cursor.at)).unwrap_or(0);
        let placed = items.into_iter().skip(at / many * many).take(many).enumerate().map(|(n, item)| {
            let (column, y) = ((n / per) as u16, (n % per) as u16);
            let place = Rect { x: area.x + column * width, y: area.y + y, width: width.saturating_sub(2), height: 1 };
            (place, item)
        });
        placed.collect()
    }

    /// The row that stands there, by its key or by its words.
    pub fn row_at(&self, body: Rect, at: Position) -> Option<usize> {
        let placed = self.placed(&Page::of(body, self.all)?);
        placed.into_iter().find(|(place, _)| place.contains(at)).and_then(|(_, item)| match item {
            Item::Command(row, _) | Item::More(row, _) => Some(row),
            Item::Heading(_) | Item::Danger | Item::Blank => None,
        })
    }

    /// The rows in sections; a text too long for its column goes on below.
    fn items(&self, width: usize) -> Vec<Item<'_>> {
        let mut items = Vec::new();
        for (n, row) in self.rows.iter().enumerate() {
            let before = n.checked_sub(1).map(|n| &self.rows[n]);
            if before.is_none_or(|before| before.section() != row.section()) {
                if before.is_some() {
                    items.push(Item::Blank);
                }
                items.push(Item::Heading(row.section()));
            }
            if row.command.fleet && before.is_none_or(|b| !b.command.fleet || b.section() != row.section()) {
                items.push(Item::Danger);
            }
            items.push(Item::Command(n, row));
            let more = row.folded(width).into_iter().skip(1);
            items.extend(more.map(|words| Item::More(n, words)));
        }
        items
    }
}
