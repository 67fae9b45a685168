//! The panel of versions, beside the text: what was saved, when, by whom and how much of it changed, and below what
//! the text has that the saved one has not.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::console::app::App;
use crate::console::app::editor::Editor;
use crate::console::text;
use crate::console::theme::Role;
use crate::console::ui::cells::{self, ago, left, nth, pane, right, row, words};
use crate::model::diff::{Diff, Row};
use crate::model::shelf::Version;

/// A sign, which, how long ago, by whom, how much, and the job that ran it.
const WIDTHS: [u16; 6] = [1, 6, 4, 9, 8, 0];

pub fn draw(app: &App, editor: &Editor, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let (plain, muted) = (theme.style(Role::Text), theme.style(Role::TextMuted));
    let foot = format!("{} read, compare, go back", app.key_in("editor", "versions"));
    let inside = pane(app, buf, area, cells::title(theme, "", "Versions", ""), &foot, false);
    if editor.base.is_none() {
        let how = format!("{} makes the first.", app.key_in("editor", "save"));
        return cells::empty(theme, buf, inside, "No versions yet.", &[&how]);
    }
    let versions = match &editor.past.versions {
        Some(Ok(versions)) => versions,
        Some(Err(problem)) => return words(buf, inside, &text::plain(problem), theme.style(Role::LevelWarn)),
        None => return words(buf, inside, "asking…", muted),
    };
    let mut y = 0;
    if editor.dirty {
        let diff = editor.past.diff.as_ref();
        let me = app.place.who.split('@').next().unwrap_or_default();
        let cells = [
            left(">", theme.style(Role::TextStrong)),
            left("draft", theme.style(Role::TextStrong)),
            right("now", muted),
            left(text::plain(me), plain),
            left(diff.map_or_else(String::new, |diff| counts(diff.added, diff.removed)), plain),
            left(base(editor, versions).map_or_else(String::new, |base| format!("on v{}", base.number)), muted),
        ];
        row(buf, nth(inside, y), &WIDTHS, &cells);
        y += 1;
    }
    // What the draft changes has half of the panel.
    let room = if editor.dirty { inside.height / 2 } else { inside.height };
    for version in versions.iter().take(usize::from(room.saturating_sub(y))) {
        row(buf, nth(inside, y), &WIDTHS, &version_cells(app, editor, version));
        y += 1;
    }
    if let Some(diff) = editor.past.diff.as_ref().filter(|_| editor.dirty) {
        let below = Rect { y: inside.y + y + 1, height: inside.height.saturating_sub(y + 1), ..inside };
        changes(app, diff, below, buf);
    }
}

fn version_cells<'a>(app: &App, editor: &Editor, version: &'a Version) -> [cells::Cell<'a>; 6] {
    let theme = &app.theme;
    let (plain, muted) = (theme.style(Role::Text), theme.style(Role::TextMuted));
    let here = editor.base.as_deref() == Some(version.version.as_str());
    let how = match version.job {
        Some(job) => format!("ran in {job}"),
        None => version.why.word().to_owned(),
    };
    let changed = editor.past.counts.get(&version.number);
    [
        left(if here && !editor.dirty { ">" } else { "" }, theme.style(Role::TextStrong)),
        left(format!("v{}", version.number), if here { theme.style(Role::TextStrong) } else { plain }),
        right(ago(app.now, version.at), muted),
        left(text::plain(&version.by), plain),
        left(changed.map_or_else(String::new, |(added, removed)| counts(*added, *removed)), plain),
        left(how, muted),
    ]
}

fn counts(added: usize, removed: usize) -> String {
    format!("+{added} -{removed}")
}

/// The version that the edit began from.
fn base<'a>(editor: &Editor, versions: &'a [Version]) -> Option<&'a Version> {
    versions.iter().find(|version| Some(version.version.as_str()) == editor.base.as_deref())
}

/// The lines that are different, from the first on.
fn changes(app: &App, diff: &Diff, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let mut y = 0;
    let mut put = |sign: &str, line: &str, role: Role| {
        words(buf, nth(area, y), &format!("{sign}{}", text::plain(line)), theme.style(role));
        y += 1;
    };
    for note in &diff.notes {
        put("", note, Role::TextMuted);
    }
    for hunk in diff.hunks.iter().take(usize::from(area.height)) {
        put("", &hunk.head(), Role::DiffHunk);
        for row in diff.rows[hunk.rows.clone()].iter().take(usize::from(area.height)) {
            match row {
                Row::Same(..) => {}
                Row::Del(at) => put("- ", &diff.left[*at as usize], Role::DiffDel),
                Row::Add(at) => put("+ ", &diff.right[*at as usize], Role::DiffAdd),
            }
        }
    }
}
