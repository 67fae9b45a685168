//! Where things are in the editor, as a function of the screen's size. Shared by motion (how far is a page?) and
//! drawing.

use ratatui::layout::Rect;

use super::{Bar, Editor};
use crate::console::app::layout;

/// Cells of the panels beside the text, and rows that each has at least where both are.
const SIDE: u16 = 48;
const VERSIONS: u16 = 9;

#[derive(Clone, Copy, Debug, Default)]
pub struct Panes {
    pub text: Rect,
    /// Cells of the line numbers and what stands before them.
    pub gutter: u16,
    pub lint: Option<Rect>,
    pub params: Option<Rect>,
    pub versions: Option<Rect>,
    /// The row of the replacement, above the status row.
    pub replace: Option<Rect>,
}

impl Panes {
    /// Cells and rows for the text itself.
    pub fn text_size(self) -> (usize, usize) {
        let inside = inside(self.text);
        (usize::from(inside.width.saturating_sub(self.gutter)).max(1), usize::from(inside.height).max(1))
    }
}

/// Within the border.
pub fn inside(pane: Rect) -> Rect {
    Rect::new(pane.x + 1, pane.y + 1, pane.width.saturating_sub(2), pane.height.saturating_sub(2))
}

pub fn panes(area: Rect, editor: &Editor) -> Panes {
    let mut body = layout::strips(area).body;
    let mut panes = Panes::default();
    if matches!(&editor.bar, Some(Bar::Find(find)) if find.replace.is_some()) && body.height > 3 {
        body.height -= 1;
        panes.replace = Some(Rect { y: body.bottom(), height: 1, ..body });
    }
    // A sign, the number, a blank.
    panes.gutter = editor.buffer.lines().len().to_string().len().max(3) as u16 + 2;
    if !layout::small(area) {
        // As high whatever is found, so that the text does not jump while it is typed.
        let lint = match area.height {
            36.. => 7,
            20.. => 4,
            _ => 0,
        };
        body.height -= lint;
        panes.lint = (lint > 0).then(|| Rect { y: body.bottom(), height: lint, ..body });
        if area.width >= layout::WIDE {
            body.width -= SIDE;
            let side = Rect { x: body.right(), width: SIDE, ..body };
            // The parameters come first; the versions have what is left, if it is worth a panel.
            let params = if side.height >= VERSIONS * 2 { (side.height * 2 / 5).max(VERSIONS) } else { side.height };
            panes.params = Some(Rect { height: params, ..side });
            let below = Rect { y: side.y + params, height: side.height - params, ..side };
            panes.versions = (below.height > 0).then_some(below);
        }
    }
    panes.text = body;
    panes
}
