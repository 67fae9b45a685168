//! One field of the form: label, value, note; and the list of a choice.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use crate::console::app::App;
use crate::console::app::columns::Col;
use crate::console::app::form::Input;
use crate::console::app::launch::{Field, Launch, Slot};
use crate::console::app::list::ListId;
use crate::console::app::planned::{DeviceList, Planned};
use crate::console::text;
use crate::console::theme::Role;
use crate::console::ui::cells::{self, nth, popup};
use crate::console::ui::reach;
use crate::console::ui::table::{self, Table};

pub(super) fn draw_field(
    app: &App,
    field: &Field,
    focused: bool,
    label: u16,
    area: Rect,
    buf: &mut Buffer,
    position: &mut Option<Position>,
) {
    if area.height == 0 || area.width < label + 4 {
        return;
    }
    let theme = &app.theme;
    let (plain, muted) = (theme.style(Role::Text), theme.style(Role::TextMuted));
    let star = if field.required && matches!(field.slot, Slot::Param(_)) { "*" } else { "" };
    let name = text::clip(&format!("{}{star}", text::plain(&field.label)), usize::from(label));
    buf.set_string(area.x, area.y, name, if focused { theme.style(Role::TextStrong) } else { muted });
    let x = area.x + label + 1;
    let room = area.right().saturating_sub(x);
    let style = if focused { theme.style(Role::Cursor) } else { plain };
    if let Input::Flag(on) = field.input {
        let sign = if on { theme.glyphs.mark() } else { theme.glyphs.unmarked() };
        buf.set_string(x, area.y, sign, style);
        note(app, field, Rect { x: x + 5, width: room.saturating_sub(5), ..area }, buf);
        return;
    }
    if let Input::Picks(picks) = &field.input {
        return super::params::picks(app, picks, focused, Rect { x, width: room, ..area }, buf);
    }
    // The expression and the script get all the room there is, other fields leave some to their note.
    let whole = matches!(field.slot, Slot::Target | Slot::Script) || room < 30;
    let width = if whole { room } else { (room * 3 / 5).clamp(12, 28) };
    let inner = usize::from(width.saturating_sub(2));
    let (shown, cursor) = match &field.input {
        Input::Text(text) => view(text.text(), text.cursor(), inner),
        Input::Hidden(hidden) => view(&"*".repeat(hidden.len()), hidden.len(), inner),
        Input::Choice { of, at, .. } => {
            let value = at.and_then(|at| of.get(at)).map_or(String::new(), |value| text::plain(value));
            (text::clip(&value, inner.saturating_sub(2)), 0)
        }
        Input::Path(path) => view(path.text.text(), path.text.cursor(), inner),
        Input::Known(known) => view(known.text.text(), known.text.cursor(), inner),
        Input::List(list) => super::params::list(list, focused, inner),
        Input::Lines(lines) => (super::params::summary(lines, inner), 0),
        Input::Flag(_) | Input::Picks(_) => (String::new(), 0),
    };
    buf.set_string(x, area.y, "[", muted);
    buf.set_string(x + 1, area.y, text::pad(&shown, inner), style);
    buf.set_string(x + 1 + inner as u16, area.y, "]", muted);
    if matches!(field.input, Input::Choice { .. }) {
        if inner >= 2 {
            buf.set_string(x + inner as u16, area.y, "v", style);
        }
        let hint = match field.slot {
            Slot::Script => "enter chooses",
            Slot::Template => "none",
            _ => "",
        };
        if shown.is_empty() && !hint.is_empty() {
            let hint = text::clip(hint, inner.saturating_sub(2));
            buf.set_string(x + 1, area.y, hint, style.add_modifier(Modifier::DIM));
        }
    } else if focused {
        *position = Some(Position::new(x + 1 + cursor as u16, area.y));
    }
    // (what the focused parameter is about stands beneath it)
    if !(whole || focused && matches!(field.slot, Slot::Param(_) | Slot::Option(_))) {
        note(app, field, Rect { x: x + width + 1, width: room.saturating_sub(width + 1), ..area }, buf);
    }
}

pub(super) fn note(app: &App, field: &Field, area: Rect, buf: &mut Buffer) {
    let text = match field.slot {
        Slot::AtOnce => match app.hello.as_ref().map(|hello| hello.at_once) {
            Some(0) | None => "no limit if empty; 0 = none".into(),
            Some(n) => format!("{n} if empty; 0 = no limit"),
        },
        _ => text::plain(&field.note),
    };
    cells::words(buf, area, &text, app.theme.style(Role::TextMuted));
}

/// The part of a text around its cursor that fits, and where the cursor then is, in cells.
pub(super) fn view(value: &str, cursor: usize, width: usize) -> (String, usize) {
    let before: String = value.chars().take(cursor).collect();
    let at = text::width(&before);
    let from = (at + 1).saturating_sub(width);
    let line = Line::from(Span::raw(value));
    let shown = text::slice(&line, from, width);
    (shown.spans.iter().map(|span| span.content.as_ref()).collect(), at - from)
}

/// Devices that are left out unless this is on: a sign and what it is about, on a row.
pub(super) fn include(app: &App, field: &Field, focused: bool, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let on = matches!(field.input, Input::Flag(true));
    let sign = if on { theme.glyphs.mark() } else { theme.glyphs.unmarked() };
    let style = theme.style(if focused { Role::Cursor } else { Role::Text });
    cells::words(buf, area, sign, style);
    let rest = Rect { x: area.x + 4, width: area.width.saturating_sub(4), ..area };
    let role = if on { Role::LevelWarn } else { Role::TextMuted };
    cells::words(buf, rest, &text::plain(&field.label), theme.style(role));
}

/// A question of the engine: its text on a row, the hidden answer below.
pub(super) fn answer(
    app: &App,
    field: &Field,
    focused: bool,
    area: Rect,
    buf: &mut Buffer,
    position: &mut Option<Position>,
) -> u16 {
    if area.height == 0 {
        return 0;
    }
    let theme = &app.theme;
    let text = format!("[!!] {} - {}", text::plain(&field.label), field.note);
    let used = cells::paragraph(buf, area, &text, theme.style(Role::LevelWarn));
    let row = Field { label: "answer".into(), note: String::new(), ..field.clone() };
    draw_field(app, &row, focused, 8, nth(area, used), buf, position);
    used + 1
}

/// Every device of the plan, and what was left out.
pub(super) fn devices(app: &App, launch: &Launch, open: &DeviceList, body: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let Some(plan) = &launch.plan else { return };
    let (list, look, len) = (ListId::Planned, &open.look, open.order.len());
    let mut name = text::number(plan.devices.len() as u64, "device");
    if !plan.excluded.is_empty() {
        name.push_str(&format!(", {} left out", text::count(plan.excluded.len() as u64)));
    }
    if look.narrowed() {
        name.push_str(&format!("   {}", text::plain(&look.says())));
    }
    let foot = table::foot(app, list, open.cursor.at, len, body.width);
    let inside = popup(app, buf, body, &name, &foot, (body.width, body.height));
    let (plain, muted) = (theme.style(Role::Text), theme.style(Role::TextMuted));
    if len == 0 {
        return cells::words(buf, nth(inside, 1), "no device passes the filter; esc clears it", muted);
    }
    let rows = Planned::new(plan, &app.tree);
    let key = |row: usize| rows.row(row).0.to_owned();
    let style = |row: usize, col: &Col, _: &str| match (col.name, rows.row(row).1, rows.device(row)) {
        ("device", ..) => (None, plain),
        ("state", Some(_), _) => (Some("left out".into()), theme.style(Role::LevelWarn)),
        ("state", None, device) => {
            let state = device.map(|device| device.state).unwrap_or_default();
            (None, theme.style(reach(state)))
        }
        (_, Some(why), _) => (Some(text::plain(why)), muted),
        (_, None, device) => {
            let facts = device.iter().flat_map(|device| device.telling());
            let facts: Vec<String> = facts.map(|(fact, value)| text::plain(&format!("{fact} {value}"))).collect();
            (Some(facts.join("  ")), muted)
        }
    };
    let (order, cursor, first) = (open.order.as_slice(), open.cursor, Some(30.min(inside.width / 2)));
    let (signs, heads) = (&table::no_signs, &[]);
    let table = Table {
        list,
        look,
        rows: &rows,
        order,
        cursor,
        focused: true,
        first,
        key: &key,
        signs,
        tree: None,
        heads,
        style,
    };
    table.draw(theme, inside, buf);
}
