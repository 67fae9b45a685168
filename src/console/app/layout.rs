//! Where things are, as a function of the screen's size. Shared by `update` (how far is a page?) and `draw`,
//! so that both mean the same rows.

use ratatui::layout::Rect;

use super::{LivePane, Pane};

/// Below this, one pane and the hints.
pub const SMALL: (u16, u16) = (60, 15);
/// Below this, one line.
pub const TINY: (u16, u16) = (40, 10);
/// From here on lists show more columns and the preview has a neighbour.
pub const WIDE: u16 = 120;

pub fn tiny(area: Rect) -> bool {
    area.width < TINY.0 || area.height < TINY.1
}

pub fn small(area: Rect) -> bool {
    area.width < SMALL.0 || area.height < SMALL.1
}

/// The fixed strips of every screen.
#[derive(Clone, Copy, Debug)]
pub struct Strips {
    pub crumbs: Rect,
    pub body: Rect,
    pub status: Rect,
    pub hints: Rect,
}

pub fn strips(area: Rect) -> Strips {
    let row = |y: u16| Rect::new(area.x, area.y + y, area.width, 1);
    let last = area.height.saturating_sub(1);
    Strips {
        crumbs: row(0),
        body: Rect::new(area.x, area.y + 1, area.width, area.height.saturating_sub(3)),
        status: row(last.saturating_sub(1)),
        hints: row(last),
    }
}

/// What the operator has made wider (or narrower), in hundredths of the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Sizes {
    pub scripts: i16,
    pub targets: i16,
    pub preview: i16,
    pub devices: i16,
    pub tail: i16,
}

/// As many cells as fit, none below `least`.
fn sized(usual: u16, change: i16, of: u16, least: u16, most: u16) -> u16 {
    let change = i32::from(of) * i32::from(change) / 100;
    let wished = (i32::from(usual) + change).clamp(0, i32::from(u16::MAX));
    u16::try_from(wished).unwrap_or(usual).min(most).max(least)
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Overview {
    pub scripts: Option<Rect>,
    pub targets: Option<Rect>,
    pub jobs: Option<Rect>,
    pub preview: Option<Rect>,
    /// Beside the preview: recent runs, members.
    pub side: Option<Rect>,
}

pub fn overview(area: Rect, focus: Pane, full: bool, sizes: Sizes) -> Overview {
    let body = strips(area).body;
    let mut panes = Overview::default();
    if full || small(area) {
        let slot = match focus {
            Pane::Scripts => &mut panes.scripts,
            Pane::Targets => &mut panes.targets,
            Pane::Jobs => &mut panes.jobs,
            Pane::Preview => &mut panes.preview,
        };
        *slot = Some(body);
        return panes;
    }
    // The preview hides first; when the operator is in it, it stays.
    let with_preview = area.height >= 20 || focus == Pane::Preview;
    let top = (body.height * 3).div_ceil(5);
    let top = sized(top, -sizes.preview, body.height, 5, body.height.saturating_sub(5));
    let top = if with_preview { top } else { body.height };
    let (first, second) = if area.width >= WIDE {
        (area.width * 33 / 100, area.width * 28 / 100)
    } else {
        (area.width * 36 / 100, area.width * 29 / 100)
    };
    let least = area.width / 7;
    let first = sized(first, sizes.scripts, area.width, least, area.width - 2 * least);
    let second = sized(second, sizes.targets, area.width, least, area.width - first - least);
    let third = area.width - first - second;
    panes.scripts = Some(Rect::new(body.x, body.y, first, top));
    panes.targets = Some(Rect::new(body.x + first, body.y, second, top));
    panes.jobs = Some(Rect::new(body.x + first + second, body.y, third, top));
    if with_preview {
        let y = body.y + top;
        let height = body.height - top;
        let side = if area.width >= WIDE { area.width * 39 / 100 } else { 0 };
        panes.preview = Some(Rect::new(body.x, y, area.width - side, height));
        panes.side = (side > 0).then(|| Rect::new(body.x + area.width - side, y, side, height));
    }
    panes
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Live {
    /// Counts and gauge.
    pub head: Rect,
    pub grid: Option<Rect>,
    pub devices: Option<Rect>,
    pub tail: Option<Rect>,
}

pub fn live(area: Rect, runs: usize, focus: LivePane, zoom: bool, sizes: Sizes) -> Live {
    let body = strips(area).body;
    let head = Rect { height: 2.min(body.height), ..body };
    let rest = Rect { y: body.y + head.height, height: body.height - head.height, ..body };
    let mut panes = Live { head, ..Live::default() };
    if zoom || small(area) {
        let slot = match focus {
            LivePane::Grid => &mut panes.grid,
            LivePane::Devices => &mut panes.devices,
            LivePane::Tail => &mut panes.tail,
        };
        *slot = Some(rest);
        return panes;
    }
    // Few devices need few rows: the output gets the rest. The tail is as wide as the screen, so that the
    // terminal itself can scroll it.
    let most = (rest.height * 29).div_ceil(50);
    let needed = u16::try_from(runs).unwrap_or(u16::MAX).saturating_add(3);
    let top = if runs <= 1 { needed.min(most) } else { needed.max(7).min(most) };
    let top = sized(top, -sizes.tail, rest.height, 4.min(rest.height), rest.height.saturating_sub(4));
    let grid = sized(body.width / 2, -sizes.devices, body.width, body.width / 6, body.width - body.width / 6);
    let grid = if runs <= 1 { 0 } else { grid };
    panes.grid = (grid > 0).then(|| Rect::new(rest.x, rest.y, grid, top));
    panes.devices = Some(Rect::new(rest.x + grid, rest.y, rest.width - grid, top));
    panes.tail = Some(Rect::new(rest.x, rest.y + top, rest.width, rest.height - top));
    panes
}

/// The palette's size, and how many rows of it are found things.
pub fn palette(area: Rect) -> ((u16, u16), usize) {
    let body = strips(area).body;
    let (width, height) = if area.width >= WIDE { (96, 28) } else { (74, 19) };
    let size = (width.min(body.width), height.min(body.height));
    // Border, the line that is typed into, the rule below it, and what the chosen one does.
    (size, usize::from(size.1.saturating_sub(4 + palette_foot(size.1))).max(1))
}

/// The chooser of themes and keymaps: its size, and rows of the list.
pub fn chooser(area: Rect, len: usize) -> ((u16, u16), usize) {
    let body = strips(area).body;
    let wanted = u16::try_from(len).unwrap_or(u16::MAX).saturating_add(5);
    let height = wanted.min(body.height);
    // Border, what is typed, and where the chosen one comes from.
    ((48.min(body.width), height), usize::from(height.saturating_sub(5)).max(1))
}

/// Rows below the list that say more about the chosen one.
pub const fn palette_foot(height: u16) -> u16 {
    match height {
        0..12 => 0,
        12..24 => 2,
        _ => 4,
    }
}

/// Rows inside a pane's border.
pub fn inside(pane: Rect) -> usize {
    usize::from(pane.height.saturating_sub(2))
}

/// Rows of a list that has a header row.
pub fn rows(pane: Option<Rect>) -> usize {
    pane.map_or(1, |pane| inside(pane).saturating_sub(1)).max(1)
}

/// Cells of the grid: how many across, how many rows. The last rows are the legend and the chosen device.
pub fn grid_cells(pane: Rect) -> (usize, usize) {
    let legend = if inside(pane) > 4 { 2 } else { 0 };
    (usize::from(pane.width.saturating_sub(4)).max(1), inside(pane).saturating_sub(legend).max(1))
}
