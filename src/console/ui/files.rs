//! The dialogs about scripts as files: new, rename, delete, versions, what was deleted, diff with….

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::cells::{self, Cell, ago, left, line, nth, pane, place, popup, right, title, words};
use super::chrome;
use super::states::{self, Said};
use crate::console::app::files::{Button, Delete, Fetched, Files, Other, Read, Rename, Restore, Trash, Versions, With};
use crate::console::app::form::Text;
use crate::console::app::narrow::Narrow;
use crate::console::app::new::New;
use crate::console::app::{App, layout};
use crate::console::text;
use crate::console::theme::Role;
use crate::model::script::remote;
use crate::model::script::template::TEMPLATES;
use crate::model::shelf::Version;

pub fn draw(app: &App, files: &Files, body: Rect, buf: &mut Buffer) -> Option<Position> {
    match files {
        Files::New(new) => return Some(new_script(app, new, body, buf)),
        Files::Rename(ask) => return rename(app, ask, body, buf),
        Files::Delete(ask) => return Some(delete(app, ask, body, buf)),
        Files::Restore(ask) => restore(app, ask, body, buf),
        Files::Versions(list) => versions(app, list, body, buf),
        Files::Trash(list) => trash(app, list, body, buf),
        Files::With(with) => with_what(app, with, body, buf),
        Files::Read(read) => text_of(app, read, body, buf),
    }
    None
}

/// A field with its label; tells where the cursor stands.
pub fn field(app: &App, buf: &mut Buffer, row: Rect, label: &str, value: &Text) -> Position {
    let theme = &app.theme;
    words(buf, row, label, theme.style(Role::TextMuted));
    let shift = (text::width(label) as u16 + 1).min(row.width);
    let room = usize::from(row.width - shift).saturating_sub(1);
    let before: String = value.text().chars().take(value.cursor()).collect();
    let at = text::width(&text::plain(&before));
    let from = (at + 1).saturating_sub(room);
    let shown = Line::from(Span::styled(text::plain(value.text()), theme.style(Role::TextStrong)));
    let place = Rect { x: row.x + shift, width: row.width - shift, ..row };
    line(buf, place, &text::slice(&shown, from, room));
    Position::new((place.x + (at - from.min(at)) as u16).min(row.right().saturating_sub(1)), row.y)
}

/// What leads to the buttons and out.
pub fn buttons_foot(app: &App) -> String {
    chrome::keys(app, "dialog", &[("next-field", "buttons"), ("cancel", "close")])
}

fn rest(inside: Rect, y: u16, below: u16) -> Rect {
    Rect { y: inside.y + y.min(inside.height), height: inside.height.saturating_sub(y + below), ..inside }
}

fn new_script(app: &App, new: &New, body: Rect, buf: &mut Buffer) -> Position {
    let theme = &app.theme;
    let offered = new.offered();
    let foot = match new.places.is_empty() {
        true => "up down language   enter makes it   esc",
        false => "tab library   up down language   enter makes it   esc",
    };
    // (as high for every library)
    let inside = popup(app, buf, body, "New script", foot, (70, TEMPLATES.len() as u16 + 6));
    let cursor = field(app, buf, nth(inside, 0), "name", &new.name);
    if !new.places.is_empty() {
        let library = new.library(&app.folder);
        let spans = vec![
            Span::styled("in   ", theme.style(Role::TextMuted)),
            Span::styled(library, theme.style(Role::TextStrong)),
        ];
        line(buf, nth(inside, 1), &Line::from(spans));
    }
    let list = rest(inside, 2, 2);
    let first = (new.template + 1).saturating_sub(usize::from(list.height));
    for (n, template) in offered.iter().enumerate().skip(first).take(usize::from(list.height)) {
        let ending = if template.ending.is_empty() || new.shelf().is_some() {
            String::new()
        } else {
            format!(".{}", template.ending)
        };
        let cells = [
            left("", Style::default()),
            left(template.name, theme.style(Role::Text)),
            left(ending, theme.style(Role::TextMuted)),
        ];
        let row = nth(list, (n - first) as u16);
        cells::row(buf, row, &[1, 24, 0], &cells);
        if n == new.template {
            cells::cursor(theme, buf, row, true);
        }
    }
    let (what, role) = match (&new.problem, &new.sent) {
        (Some(problem), _) => (text::plain(problem), Role::LevelError),
        (None, Some(_)) => ("making it…".to_owned(), Role::TextMuted),
        (None, None) if new.full_name().is_empty() => (where_it_is_made(app, new), Role::TextMuted),
        (None, None) => (format!("enter makes {} and edits it", text::plain(&new.full_name())), Role::TextMuted),
    };
    let row = inside.height.saturating_sub(2);
    cells::paragraph(buf, rest(inside, row, 0), &what, theme.style(role));
    cursor
}

fn where_it_is_made(app: &App, new: &New) -> String {
    match (&new.elsewhere, new.shelf()) {
        (Some(why), None) => text::plain(why),
        (_, Some(shelf)) => format!("made at {}, for all who use it", text::plain(&shelf.connection)),
        (None, None) if new.places.is_empty() => format!("in {}; a / makes a folder", text::plain(&app.folder)),
        (None, None) => "a / makes a folder".to_owned(),
    }
}

fn rename(app: &App, ask: &Rename, body: Rect, buf: &mut Buffer) -> Option<Position> {
    let theme = &app.theme;
    let name = format!("Rename  {}", text::plain(&ask.from));
    let inside = popup(app, buf, body, &name, &buttons_foot(app), layout::RENAME);
    let cursor = field(app, buf, nth(inside, 0), "to", &ask.to);
    let (what, role) = match (&ask.problem, ask.sent) {
        (Some(problem), _) => (text::plain(problem), Role::LevelError),
        (None, true) => ("renaming…".to_owned(), Role::TextMuted),
        (None, false) => ("Its versions come along; jobs keep the name they ran under.".to_owned(), Role::TextMuted),
    };
    cells::paragraph(buf, rest(inside, 2, 1), &what, theme.style(role));
    let both = [("Cancel", ask.at == Button::Cancel, Role::Text), ("Rename", ask.at == Button::Do, Role::Text)];
    cells::buttons(app, buf, layout::last_row(inside), both);
    (ask.at == Button::Field && !ask.sent).then_some(cursor)
}

fn delete(app: &App, ask: &Delete, body: Rect, buf: &mut Buffer) -> Position {
    let theme = &app.theme;
    let name = match ask.names.as_slice() {
        [only] => text::plain(only),
        names => format!("{} scripts", names.len()),
    };
    let inside = popup(app, buf, body, &format!("Delete  {name}"), &buttons_foot(app), layout::DELETE);
    let (what, role) = match (&ask.problem, ask.sent) {
        (Some(problem), _) => (text::plain(problem), Role::LevelError),
        (None, true) => ("deleting…".to_owned(), Role::TextMuted),
        (None, false) if ask.of > 1 => {
            let names = ask.names.iter().map(|name| text::plain(name)).collect::<Vec<_>>().join("  ");
            let what = "They leave the library and can be brought back; versions, drafts and jobs stay:";
            (format!("{what} {names}"), Role::Text)
        }
        (None, false) => {
            let draft = if ask.names.iter().any(|name| app.shelf.edited(name)) { " Its draft is kept." } else { "" };
            let deleted = app.key_of("scripts", "deleted");
            let what = match ask.names.first().and_then(|name| remote::split(name)) {
                Some((server, _)) => {
                    format!(
                        "It is deleted at {}, for all who use it, and can be brought back from here",
                        text::plain(server)
                    )
                }
                None => "It leaves the library and can be brought back".to_owned(),
            };
            let what = format!("{what} ({deleted} lists what was deleted)");
            (format!("{what}; its versions and the jobs that ran it stay.{draft}"), Role::Text)
        }
    };
    let y = cells::paragraph(buf, rest(inside, 0, 4), &what, theme.style(role)) + 1;
    let y = y.min(inside.height.saturating_sub(3));
    let label = match ask.of {
        1 => format!("Type {} to arm [ Delete ]:", text::clip(&name, 30)),
        _ => "Type the number of scripts to arm [ Delete ]:".to_owned(),
    };
    let cursor = field(app, buf, nth(inside, y), &label, &ask.typed);
    if ask.armed() {
        words(buf, nth(inside, y + 1), "armed", theme.style(Role::KeyDanger));
    }
    let danger = if ask.armed() { Role::KeyDanger } else { Role::TextMuted };
    cells::buttons(
        app,
        buf,
        layout::last_row(inside),
        [("Cancel", !ask.on_delete, Role::Text), ("Delete", ask.on_delete, danger)],
    );
    cursor
}

fn restore(app: &App, ask: &Restore, body: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let name = text::plain(&ask.name);
    let inside = popup(app, buf, body, &format!("Go back  {name}"), &buttons_foot(app), layout::RESTORE);
    let what = if ask.sent {
        "going back…".to_owned()
    } else {
        let version = &ask.version;
        format!(
            "{name} becomes what v{} was ({}, {} ago). What it is now stays among its versions.",
            version.number,
            version.why.word(),
            ago(app.now, version.at)
        )
    };
    cells::paragraph(buf, rest(inside, 0, 2), &what, theme.style(Role::Text));
    let both = [("Cancel", !ask.on_restore, Role::Text), ("Go back", ask.on_restore, Role::KeyDanger)];
    cells::buttons(app, buf, layout::last_row(inside), both);
}

/// A list in a frame of its own, or what stands in its place.
fn listed<'a, T>(
    app: &App,
    (name, foot): (&str, &str),
    all: &'a Fetched<T>,
    none: Said,
    (narrow, at): (&Narrow, usize),
    body: Rect,
    buf: &mut Buffer,
) -> Option<(Rect, &'a [T])> {
    let len = all.as_ref().and_then(|all| all.as_ref().ok()).map_or(0, Vec::len);
    let foot = format!("{foot}   {}", place(at, narrow.shown.len()));
    let name = format!("{name}{}", text::plain(&narrow.says(len)));
    let inside = popup(app, buf, body, &name, &foot, layout::files(body, len));
    let said = states::fetched(app, all, none)
        .or_else(|| narrow.shown.is_empty().then(|| Said::so("No row passes the filter.", "esc takes it away")));
    match (said, all) {
        (Some(said), _) => said.draw(app, inside, buf),
        (None, Some(Ok(rows))) => return Some((inside, rows)),
        (None, _) => {}
    }
    None
}

fn versions(app: &App, list: &Versions, body: Rect, buf: &mut Buffer) {
    let name = format!("Versions  {}", text::plain(&list.name));
    let foot = chrome::keys(app, "versions", &[("open", "read"), ("diff", "diff"), ("restore", "go back")]);
    let foot = format!("{foot}   / filter   {}", chrome::keys(app, "dialog", &[("cancel", "close")]));
    let heads = (&*name, &*foot);
    let none = Said::so("No versions yet.", "one is kept whenever the script is saved here, or run");
    let on = (&list.narrow, list.cursor.at);
    let Some((inside, rows)) = listed(app, heads, &list.all, none, on, body, buf) else { return };
    let shown = &list.narrow.shown;
    for (n, at) in list.cursor.window(shown.len(), usize::from(inside.height)).enumerate() {
        let row = nth(inside, n as u16);
        version_row(app, buf, row, &rows[shown[at]]);
        if at == list.cursor.at {
            cells::cursor(&app.theme, buf, row, true);
        }
    }
}

fn version_row(app: &App, buf: &mut Buffer, row: Rect, version: &Version) {
    let theme = &app.theme;
    let (plain, muted) = (theme.style(Role::Text), theme.style(Role::TextMuted));
    let how = match version.job {
        Some(job) => format!("{}, ran in {job}", version.why.word()),
        None => version.why.word().to_owned(),
    };
    let now = if version.current { format!("now  {how}") } else { how };
    let mut cells: Vec<Cell<'_>> = vec![
        left("", plain),
        left(format!("v{}", version.number), theme.style(Role::TextStrong)),
        right(ago(app.now, version.at), muted),
        right(text::bytes(version.size), muted),
        left(text::plain(&version.by), plain),
        left(now, if version.current { theme.style(Role::TextStrong) } else { muted }),
    ];
    let mut widths = vec![1, 5, 4, 9, 12, 0];
    if row.width >= 70 {
        cells.insert(2, left(version.version.as_str(), muted));
        widths.insert(2, 12);
    }
    cells::row(buf, row, &widths, &cells);
}

fn trash(app: &App, list: &Trash, body: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let close = chrome::keys(app, "dialog", &[("cancel", "close")]);
    let foot = format!("{}   / filter   {close}", chrome::keys(app, "versions", &[("open", "brings it back")]));
    let next = format!("what {} deletes is kept here, and can be brought back", app.key_of("scripts", "delete"));
    let none = Said::so("Nothing was deleted.", next);
    let (shown, at) = (&list.narrow.shown, list.cursor.at);
    let Some((inside, rows)) = listed(app, ("Deleted scripts", &foot), &list.all, none, (&list.narrow, at), body, buf)
    else {
        return;
    };
    let muted = theme.style(Role::TextMuted);
    for (n, row) in list.cursor.window(shown.len(), usize::from(inside.height)).enumerate() {
        let trashed = &rows[shown[row]];
        let cells = [
            left("", muted),
            right(ago(app.now, trashed.deleted_at), muted),
            left(text::plain(&trashed.by), theme.style(Role::Text)),
            right(text::bytes(trashed.size), muted),
            left(text::plain(&trashed.name), theme.style(Role::TextStrong)),
        ];
        let place = nth(inside, n as u16);
        cells::row(buf, place, &[1, 4, 12, 9, 0], &cells);
        if row == at {
            cells::cursor(theme, buf, place, true);
        }
    }
}

fn with_what(app: &App, with: &With, body: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let shown = &with.narrow.shown;
    let said = text::plain(&with.narrow.says(with.rows.len()));
    let name = format!("Diff  {}  with{said}", text::plain(&with.name));
    let keys = chrome::keys(app, "versions", &[("open", "compares")]);
    let close = chrome::keys(app, "dialog", &[("cancel", "close")]);
    let foot = format!("{keys}   / filter   {close}   {}", place(with.cursor.at, shown.len()));
    let inside = popup(app, buf, body, &name, &foot, layout::files(body, with.rows.len()));
    let (plain, muted) = (theme.style(Role::Text), theme.style(Role::TextMuted));
    let none = Said::so(
        "There is nothing to compare it with.",
        "a version is kept whenever a script is saved here, or run; another script would do, too",
    );
    if with.rows.is_empty()
        && let Some(said) = states::fetched(app, &with.versions, none)
    {
        return said.draw(app, inside, buf);
    }
    if shown.is_empty() {
        return Said::so("No row passes the filter.", "esc takes it away").draw(app, inside, buf);
    }
    for (n, at) in with.cursor.window(shown.len(), usize::from(inside.height)).enumerate() {
        let row = nth(inside, n as u16);
        match &with.rows[shown[at]] {
            Other::Draft => {
                let cells =
                    [left("", plain), left("draft", theme.style(Role::TextStrong)), left("not saved yet", muted)];
                cells::row(buf, row, &[1, 16, 0], &cells);
            }
            Other::Version(version) => version_row(app, buf, row, version),
            Other::Script(other) => {
                cells::row(buf, row, &[1, 0], &[left("", plain), left(text::plain(other), plain)]);
            }
        }
        if at == with.cursor.at {
            cells::cursor(theme, buf, row, true);
        }
    }
}

fn text_of(app: &App, read: &Read, body: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    ratatui::widgets::Widget::render(ratatui::widgets::Clear, body, buf);
    let name = text::plain(&read.title);
    let inside = pane(app, buf, body, title(theme, "", &name, ""), &place(read.top, read.lines.len()), true);
    for (n, text_) in read.lines.iter().skip(read.top).take(usize::from(inside.height)).enumerate() {
        let row = nth(inside, n as u16);
        let number = format!("{:>5}  ", read.top + n + 1);
        let shown = Line::from(text::plain(&text_.replace('\u{1b}', "^[").replace('\r', "^M")));
        let mut spans = vec![Span::styled(number, theme.style(Role::TextMuted))];
        spans.extend(text::slice(&shown, read.left, usize::from(row.width.saturating_sub(7))).spans);
        line(buf, row, &Line::from(spans));
    }
}
