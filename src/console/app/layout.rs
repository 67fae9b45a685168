//! Where things are, as a function of the screen's size. Shared by `update` (how far is a page?) and `draw`,
//! so that both mean the same rows.

use ratatui::layout::{Margin, Rect};

use super::chooser::{Chooser, What};
use super::triage::TriagePane;
use super::{LivePane, Pane};
use crate::model::job::Job;

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
    pub groups: i16,
    pub members: i16,
}

/// Rows below what a search found, for the chosen one whole: a blank one among them.
pub fn found_below(area: Rect) -> u16 {
    match area.height {
        0..18 => 0,
        18..30 => 4,
        _ => 6,
    }
}

pub fn found_rows(area: Rect) -> usize {
    inside(strips(area).body).saturating_sub(1 + usize::from(found_below(area)))
}

/// Rows below the devices of two compared jobs, for their groups: a blank one and a heading among them.
pub fn changes_below(area: Rect, groups: usize) -> u16 {
    let most: u16 = match area.height {
        0..20 => 0,
        20..30 => 7,
        _ => 14,
    };
    most.min(u16::try_from(groups).unwrap_or(u16::MAX).saturating_add(2))
}

pub fn changes_rows(area: Rect, groups: usize) -> usize {
    inside(strips(area).body).saturating_sub(2 + usize::from(changes_below(area, groups)))
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

/// What of a job decides where things are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shape {
    pub runs: usize,
    /// It has rings or a failure budget, which are told in a row of their own where there is room.
    pub strip: bool,
}

impl Shape {
    pub fn of(job: Option<&Job>) -> Self {
        let progress = job.map(|job| &job.summary.progress);
        let strip = progress.is_some_and(|progress| progress.rings > 1 || progress.stop_at.is_some());
        Self { runs: job.map_or(0, |job| job.runs.len()), strip }
    }
}

pub fn live(area: Rect, shape: Shape, focus: LivePane, zoom: bool, sizes: Sizes) -> Live {
    let runs = shape.runs;
    let body = strips(area).body;
    let head = if shape.strip && area.width >= WIDE && area.height >= 30 { 3 } else { 2 };
    let head = Rect { height: head.min(body.height), ..body };
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
    // A few cells need little: the devices, with their last lines, get the rest.
    let least = if body.width >= WIDE { 44 } else { 32 };
    let grid = u16::try_from(runs).unwrap_or(u16::MAX).saturating_add(4).max(least).min(body.width / 2);
    let grid = sized(grid, -sizes.devices, body.width, body.width / 6, body.width - body.width / 6);
    let grid = if runs <= 1 { 0 } else { grid };
    panes.grid = (grid > 0).then(|| Rect::new(rest.x, rest.y, grid, top));
    panes.devices = Some(Rect::new(rest.x + grid, rest.y, rest.width - grid, top));
    panes.tail = Some(Rect::new(rest.x, rest.y + top, rest.width, rest.height - top));
    panes
}

/// The groups screen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Groups {
    pub groups: Option<Rect>,
    /// Rows below the list of groups: what is worth a look, and the strip of the time where there is room.
    pub remarks: u16,
    pub members: Option<Rect>,
    /// Rows below the list of members: what they share.
    pub facts: u16,
    pub diff: Option<Rect>,
}

impl Groups {
    pub fn group_rows(&self) -> usize {
        rows(self.groups).saturating_sub(usize::from(self.remarks)).max(1)
    }

    pub fn member_rows(&self) -> usize {
        rows(self.members).saturating_sub(usize::from(self.facts)).max(1)
    }
}

/// There is room for a row that names the sets of a job: between the status and the hints.
pub const fn with_sets(area: Rect) -> bool {
    area.width >= WIDE && area.height >= 30
}

/// `groups`, `remarks`, `facts`: how many there are of each.
pub fn groups(
    area: Rect,
    (groups, remarks, facts): (usize, usize, usize),
    focus: TriagePane,
    zoom: bool,
    sizes: Sizes,
) -> Groups {
    let body = strips(area).body;
    let body = Rect { height: body.height - u16::from(with_sets(area)), ..body };
    let few = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
    // a blank row before what stands below a list
    let below = |n: usize| if n == 0 { 0 } else { few(n).saturating_add(1) };
    let facts_in = |pane: Rect| below(facts).min(pane.height.saturating_sub(7));
    let remarks_in = |pane: Rect| {
        let left = pane.height.saturating_sub(3).saturating_sub(few(groups));
        if left < 2 { 0 } else { below(remarks).min(left) }
    };
    if zoom || small(area) {
        return match focus {
            TriagePane::Groups => Groups { groups: Some(body), remarks: remarks_in(body), ..Groups::default() },
            TriagePane::Members => Groups { members: Some(body), facts: facts_in(body), ..Groups::default() },
            TriagePane::Diff => Groups { diff: Some(body), ..Groups::default() },
        };
    }
    let wished = few(groups).saturating_add(3).saturating_add(below(remarks));
    let top = wished.clamp(6, (body.height * 12 / 25).max(6)).min(body.height);
    let top = sized(top, sizes.groups, body.height, 5.min(body.height), body.height.saturating_sub(5));
    let left = sized(body.width * 31 / 100, sizes.members, body.width, body.width / 5, body.width * 4 / 5);
    let upper = Rect { height: top, ..body };
    let lower = Rect { y: body.y + top, height: body.height - top, ..body };
    let members = Rect { width: left, ..lower };
    Groups {
        groups: Some(upper),
        remarks: remarks_in(upper),
        members: Some(members),
        facts: facts_in(members),
        diff: Some(Rect { x: lower.x + left, width: lower.width - left, ..lower }),
    }
}

/// Rows above and below the lines of the comparison, where there is room for words about it.
pub fn around_diff(pane: Rect) -> (u16, u16) {
    if pane.width >= 80 && pane.height >= 16 { (1, 4) } else { (0, 0) }
}

/// The palette's size, and how many rows of it are found things.
pub fn palette(area: Rect) -> ((u16, u16), usize) {
    let body = strips(area).body;
    let (width, height) = if area.width >= WIDE { (96, 28) } else { (74, 19) };
    let size = (width.min(body.width), height.min(body.height));
    // Border, the line that is typed into, the rule below it, and what the chosen one does.
    (size, usize::from(size.1.saturating_sub(4 + palette_foot(size.1))).max(1))
}

/// A popup of this size in the middle of the body.
pub fn middle(body: Rect, size: (u16, u16)) -> Rect {
    let (width, height) = (size.0.min(body.width), size.1.min(body.height));
    Rect::new(body.x + (body.width - width) / 2, body.y + (body.height - height) / 2, width, height)
}

/// What a border leaves of a pane: a blank column between border and text, where there is room for one.
pub fn inner(pane: Rect) -> Rect {
    let inside = pane.inner(Margin { horizontal: 1, vertical: 1 });
    if inside.width > 20 { Rect { x: inside.x + 1, width: inside.width - 1, ..inside } } else { inside }
}

/// The rows of a list below its header.
pub fn list_rows(inside: Rect) -> Rect {
    Rect { y: inside.y + 1.min(inside.height), height: inside.height.saturating_sub(1), ..inside }
}

/// The notices of the log: below what is typed, above the file and the chosen one in full.
pub fn log_rows(inside: Rect, filtered: bool) -> Rect {
    let above = u16::from(filtered);
    let height = inside.height.saturating_sub(1 + above);
    let below = if height >= 9 { 4 } else { 0 };
    Rect { y: inside.y + above, height: height - below, ..inside }
}

pub fn last_row(inside: Rect) -> Rect {
    Rect { y: inside.y + inside.height.saturating_sub(1), height: 1.min(inside.height), ..inside }
}

/// Buttons in the middle of a row: `[ Cancel ]     [ Stop ]`. On a narrow one they stand closer.
pub fn buttons<const N: usize>(row: Rect, words: [&str; N]) -> [Rect; N] {
    let widths = words.map(|word| word.len() as u16 + 4);
    let (all, gaps) = (widths.iter().sum::<u16>(), (N as u16).saturating_sub(1).max(1));
    let between = (row.width.saturating_sub(all) / gaps).clamp(1, 5);
    let mut x = row.width.saturating_sub(all + between * (N as u16).saturating_sub(1)) / 2;
    widths.map(|width| {
        let button = Rect { x: row.x + x.min(row.width), width: width.min(row.width.saturating_sub(x)), ..row };
        x += width + between;
        button
    })
}

/// Sizes of the dialogs that have buttons.
pub const STOP: (u16, u16) = (76, 12);
/// Rows of a choice of the stop dialog.
pub const CHOICE: u16 = 2;
pub const WRITE: (u16, u16) = (64, 9);
pub const TEMPLATE: (u16, u16) = (64, 8);
/// Its width; it is as high as what it says.
pub const HOLD: u16 = 72;
pub const EXPORT: (u16, u16) = (76, 12);
pub const REGROUP: (u16, u16) = (76, 15);
pub const RENAME: (u16, u16) = (70, 9);
pub const DELETE: (u16, u16) = (74, 11);
pub const RESTORE: (u16, u16) = (70, 8);

/// The `x` menu and the copy menu.
pub fn menu(rows: usize) -> (u16, u16) {
    (78, u16::try_from(rows).unwrap_or(u16::MAX).saturating_add(2))
}

pub fn copy(rows: usize) -> (u16, u16) {
    (66, u16::try_from(rows).unwrap_or(u16::MAX).saturating_add(2))
}

/// A list about scripts as files: versions, what was deleted, what to compare with.
pub fn files(body: Rect, rows: usize) -> (u16, u16) {
    (body.width.min(100), u16::try_from(rows.max(3)).unwrap_or(u16::MAX).saturating_add(3).max(8))
}

/// The launch dialog: its blocks, the arm line below them, and the row of the buttons.
pub struct Launch {
    /// Where they are shown: on a small screen only the focused one is, in all the room.
    pub blocks: [Option<Rect>; 4],
    pub room: Rect,
    pub arm: Rect,
    /// With a frame of its own.
    pub boxed: bool,
    /// With a row that says what is about to be done.
    pub says: bool,
    pub buttons: Rect,
}

pub fn launch(area: Rect, fields: usize) -> Launch {
    let body = strips(area).body;
    // The status row belongs to the dialog: arm line and buttons.
    let body = Rect { height: body.height + 1, ..body };
    let boxed = area.height >= 30 && !small(area);
    let says = area.height >= 24;
    let arm_rows = if boxed { 7 } else { 3 + u16::from(says) };
    let room = Rect { height: body.height.saturating_sub(arm_rows), ..body };
    let arm = Rect { y: room.bottom(), height: arm_rows, ..body };
    let buttons = if boxed {
        let inside = inner(Rect { height: arm.height - 1, ..arm });
        Rect { y: inside.y + 3, height: 1, ..inside }
    } else {
        Rect { x: arm.x + 1, y: arm.y + arm_rows - 2, width: arm.width.saturating_sub(2), height: 1 }
    };
    let half = room.width / 2;
    // a and b hold the most; c and d get the rest.
    let wanted = u16::try_from(fields).unwrap_or(u16::MAX).saturating_add(6);
    let top = wanted.clamp(room.height * 11 / 20, room.height * 13 / 20);
    let (left, right) = (Rect { width: half, ..room }, Rect { x: room.x + half, width: room.width - half, ..room });
    let upper = |side: Rect| Rect { height: top, ..side };
    let lower = |side: Rect| Rect { y: side.y + top, height: side.height - top, ..side };
    let blocks = [upper(left), upper(right), lower(left), lower(right)];
    Launch { blocks: blocks.map(|block| (!small(area)).then_some(block)), room, arm, boxed, says, buttons }
}

/// A chooser: that of themes and keymaps stands at the right, so that the screen beside it shows what is tried.
pub fn chooser(area: Rect, chooser: &Chooser) -> Rect {
    let body = strips(area).body;
    let len = u16::try_from(chooser.all.len()).unwrap_or(u16::MAX);
    match chooser.what {
        What::Theme | What::Keymap => {
            let (width, height) = (48.min(body.width), len.saturating_add(5).min(body.height));
            Rect::new(body.right() - width, body.y, width, height)
        }
        What::Sort(_) | What::Columns(_) => middle(body, (52, len.saturating_add(3))),
        What::Field | What::Beside => middle(body, (60, len.saturating_add(3).clamp(5, 16))),
    }
}

/// Its rows: below what is typed, above where the chosen one comes from.
pub fn chooser_rows(area: Rect, of: &Chooser) -> Rect {
    let inside = inner(chooser(area, of));
    let foot = if matches!(of.what, What::Theme | What::Keymap) { 2 } else { 0 };
    Rect { y: inside.y + 1, height: inside.height.saturating_sub(1 + foot).max(1), ..inside }
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
