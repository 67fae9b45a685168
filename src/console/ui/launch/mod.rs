//! Screen 3: what will run, where, how, what to expect; and last the arm line.

mod blocks;
mod fields;
mod params;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use self::blocks::{check, how, what, whereto};
use self::fields::{answer, devices, draw_field, include, note};
use super::cells::{self, line, nth, pane, title};
use super::chooser;
use crate::console::app::form::Need;
use crate::console::app::launch::{ALL, At, BUTTONS, FEW, Launch, Slot};
use crate::console::app::{App, layout};
use crate::console::text;
use crate::console::theme::Role;

const NAMES: [&str; 4] = ["What", "Where", "How", "Check  (what will happen)"];
const LETTERS: [&str; 4] = ["a", "b", "c", "d"];
/// The commands that lead to a block, and from within it give it all the room.
const JUMPS: [&str; 4] = ["block-a", "block-b", "block-c", "block-d"];

pub fn draw(app: &App, launch: &Launch, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let form = layout::launch(area, launch.fields.iter().filter(|field| field.block == 0).count());
    let mut position = None;
    if layout::small(area) || launch.alone {
        block_at(app, launch, launch.block(), form.room, buf, &mut position);
    } else {
        for (block, area) in form.blocks.into_iter().enumerate() {
            if let Some(area) = area {
                block_at(app, launch, block as u8, area, buf, &mut position);
            }
        }
    }
    arm(app, launch, &form, buf);
    if let Some((_, picker)) = &launch.picker {
        return chooser::draw(app, picker, buf);
    }
    let body = layout::strips(area).body;
    if let Some((label, lines)) = params::open_lines(launch) {
        return Some(params::lines(app, label, lines, body, buf));
    }
    if let Some(list) = &launch.devices {
        devices(app, launch, list, body, buf);
        return None;
    }
    position
}

fn block_at(app: &App, launch: &Launch, block: u8, area: Rect, buf: &mut Buffer, position: &mut Option<Position>) {
    let theme = &app.theme;
    let at = match launch.at {
        At::Field(at) => Some(at),
        _ => None,
    };
    let focused = launch.alone || at.and_then(|at| launch.fields.get(at)).is_some_and(|field| field.block == block);
    let name = title(theme, LETTERS[usize::from(block)], NAMES[usize::from(block)], "");
    let inside = pane(app, buf, area, name, "", focused);
    let hidden = match block {
        2 => how_block(app, launch, at, inside, buf, position),
        _ => form_block(app, launch, (block, at), inside, buf, position),
    };
    let mut foot = Vec::new();
    if hidden > 0 {
        let key = app.key_in("launch", JUMPS[usize::from(block)]);
        foot.push(if launch.alone { format!("{hidden} more") } else { format!("{hidden} more: {key} {key}") });
    }
    if block == 1 && launch.plan.is_some() {
        foot.push(format!("{} devices", app.key_in("launch", "device-list")));
    }
    cells::foot(theme, buf, area, &foot.join("   "));
}

/// The fields of a block, and below them what is so. Tells how many rows did not fit.
fn form_block(
    app: &App,
    launch: &Launch,
    (block, at): (u8, Option<usize>),
    inside: Rect,
    buf: &mut Buffer,
    position: &mut Option<Position>,
) -> usize {
    let labels = launch.fields.iter().filter(|field| field.block == block && !matches!(field.slot, Slot::Include(_)));
    let label = labels.map(|field| text::width(&field.label) + 1).max().unwrap_or(8).clamp(8, 16) as u16;
    let of = launch.fields.iter().filter(|field| field.block == block).count();
    if block == 0 {
        let shown = launch.what_shown(usize::from(inside.height), inside.width).len();
        let y = params::draw(app, launch, at, label, inside, buf, position);
        return of - shown.min(of) + what(app, launch, below(inside, y), buf);
    }
    let mut hidden = of - launch.fields_shown(block, usize::from(inside.height)).count();
    let mut y = 0;
    for (n, field) in launch.fields_shown(block, usize::from(inside.height)) {
        if matches!(field.slot, Slot::Include(_)) {
            include(app, field, Some(n) == at, nth(inside, y), buf);
            y += 1;
        } else if matches!(field.slot, Slot::Answer(_)) {
            y += answer(app, field, Some(n) == at, below(inside, y), buf, position);
        } else {
            draw_field(app, field, Some(n) == at, label, nth(inside, y), buf, position);
            y += 1;
        }
        if field.slot == Slot::Target {
            y += pointer(app, launch, label, below(inside, y), buf);
        }
    }
    let rest = below(inside, y);
    hidden += match block {
        1 => whereto(app, launch, rest, buf),
        _ => check(app, launch, rest, buf),
    };
    hidden
}

/// The fields of block How, several to a row; what of it is in force stands below, where there is room. Tells how many
/// rows of fields did not fit.
fn how_block(
    app: &App,
    launch: &Launch,
    at: Option<usize>,
    inside: Rect,
    buf: &mut Buffer,
    position: &mut Option<Position>,
) -> usize {
    let muted = app.theme.style(Role::TextMuted);
    let rows = launch.places(inside.width).last().map_or(0, |place| place.row + 1);
    let wrong = launch.wrong_how();
    let (places, from) = launch.how_shown(usize::from(inside.height), inside.width);
    for place in &places {
        let Some(field) = launch.fields.get(place.field) else { continue };
        let row = nth(inside, (place.row - from) as u16);
        let area = Rect { x: row.x + place.x, width: place.width.min(row.width.saturating_sub(place.x)), ..row };
        draw_field(app, field, Some(place.field) == at, place.label, area, buf, position);
        let suffix = Rect { x: area.right() + 1, width: row.right().saturating_sub(area.right() + 1), ..row };
        cells::words(buf, suffix, place.suffix, muted);
    }
    let used = places.last().map_or(0, |place| (place.row - from + 1) as u16);
    let mut rest = below(inside, used + u16::from(wrong.is_none()));
    // What is wrong with a field, else what belongs in the one that is being written.
    if let Some(wrong) = &wrong {
        rest = below(rest, cells::paragraph(buf, rest, &text::plain(wrong), app.theme.style(Role::LevelError)));
    } else if let Some(field) = at.and_then(|at| launch.fields.get(at)).filter(|field| field.block == 2) {
        note(app, field, nth(rest, 0), buf);
        rest = below(rest, 1);
    }
    how(app, launch, rest, buf);
    rows.saturating_sub(usize::from(inside.height))
}

fn below(area: Rect, y: u16) -> Rect {
    let y = y.min(area.height);
    Rect { y: area.y + y, height: area.height - y, ..area }
}

/// A caret below the column of the expression that is at fault, and why.
fn pointer(app: &App, launch: &Launch, label: u16, area: Rect, buf: &mut Buffer) -> u16 {
    // What is wrong elsewhere is said in block d.
    let meant = launch.meant().and_then(|meant| meant.as_ref().err());
    let Some(problem) = launch.problem.iter().chain(meant).find(|problem| problem.column.is_some()) else { return 0 };
    let style = app.theme.style(Role::LevelError);
    let mut y = 0;
    if let Some(column) = problem.column {
        let target = launch.target();
        let before: String = target.chars().take(column).collect();
        let x = label + 2 + text::width(&before) as u16;
        if x < area.width && area.height > 0 {
            buf.set_string(area.x + x, area.y, "^", style);
            y += 1;
        }
    }
    y + cells::paragraph(buf, below(area, y), &text::plain(&problem.error), style)
}

/// Last of all: the typed confirmation, the buttons, the same thing as a command.
fn arm(app: &App, launch: &Launch, form: &layout::Launch, buf: &mut Buffer) {
    let (area, boxed) = (form.arm, form.boxed);
    let theme = &app.theme;
    let (plain, muted) = (theme.style(Role::Text), theme.style(Role::TextMuted));
    let words = match launch.plan.as_ref().filter(|_| launch.problem.is_none()) {
        Some(plan) => {
            let devices = text::number(plan.devices.len() as u64, "device");
            let name = text::plain(&plan.script.name);
            format!("You are about to run {name} on {devices}.")
        }
        None => "Nothing can be launched yet.".into(),
    };
    let inside = if boxed {
        let frame = Rect { height: area.height - 1, ..area };
        let focused = !matches!(launch.at, At::Field(_));
        pane(app, buf, frame, title(theme, "", "Arm", ""), "", focused)
    } else {
        Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area }
    };
    let rows = if form.says {
        cells::words(buf, nth(inside, 0), &words, plain);
        below(inside, 1)
    } else {
        inside
    };
    let armed = launch.armed();
    // where a key goes: behind what is typed, or to a button
    let caret = if launch.at == At::Arm { "_" } else { "" };
    let typed = Span::styled(
        format!(
            "[{}]",
            text::pad(&format!("{}{caret}", launch.arm.typed), if launch.arm.need == Need::Yes { 2 } else { 6 })
        ),
        theme.style(if armed { Role::KeyDanger } else { Role::TextStrong }),
    );
    let state = match (launch.sent, armed) {
        (true, _) => Span::styled("  launching…", theme.style(Role::StateRunning)),
        (_, true) => Span::styled("  armed", theme.style(Role::KeyDanger)),
        _ if launch.problem.is_some() => Span::styled("  not possible yet", muted),
        _ if launch.waiting() => Span::styled("  planning…", muted),
        _ => match launch.arm.need {
            Need::Count(count) if !launch.arm.typed.is_empty() => {
                Span::styled(format!("  not armed: it is {}", text::count(count as u64)), muted)
            }
            _ => Span::styled("  not armed", muted),
        },
    };
    let ask = match launch.arm.need {
        Need::Yes if rows.width < 60 => "y arms:  ",
        Need::Count(_) if rows.width < 60 => "the device count arms:  ",
        Need::Yes => "Type y to arm [ Launch ]:  ",
        Need::Count(_) => "Type the number of devices to arm [ Launch ]:  ",
    };
    line(buf, nth(rows, 0), &Line::from(vec![Span::styled(ask, plain), typed, state]));
    let ready = if armed { Role::KeyDanger } else { Role::TextMuted };
    let look = |at: At| if at == At::Launch { ready } else { Role::Text };
    let button = |(word, at): (&'static str, At)| (word, launch.at == at, look(at));
    match form.buttons.width {
        ALL.. => cells::buttons(app, buf, form.buttons, BUTTONS.map(button)),
        _ => cells::buttons(app, buf, form.buttons, FEW.map(button)),
    }
    // A word about the last key, or the command line.
    let last = nth(area, area.height.saturating_sub(1));
    let last = Rect { x: last.x + 1, width: last.width.saturating_sub(2), ..last };
    match (&app.hint, app.notices.shown()) {
        (Some(hint), _) => cells::words(buf, last, hint, theme.style(Role::LevelInfo)),
        (None, Some(notice)) => cells::words(buf, last, &text::plain(&notice.text), theme.style(Role::LevelWarn)),
        (None, None) => {
            let said = text::plain(&launch.command_line());
            let lead = "same as:  ";
            // What does not fit is not lost: it can be copied whole.
            let more = match text::width(&said) + lead.len() > usize::from(last.width) {
                true => format!("  {} copies all", app.key_in("launch", "copy-command")),
                false => String::new(),
            };
            let room = usize::from(last.width).saturating_sub(lead.len() + text::width(&more));
            let spans = vec![
                Span::styled(lead, muted),
                Span::styled(text::clip(&said, room), plain),
                Span::styled(more, muted),
            ];
            line(buf, last, &Line::from(spans));
        }
    }
}
