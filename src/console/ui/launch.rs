//! Screen 3: what will run, where, how, what to expect; and last the arm line.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::cells::{self, line, nth, pane, place, popup, title};
use crate::console::app::form::{Input, Need};
use crate::console::app::launch::{At, Field, Launch, Slot};
use crate::console::app::{App, layout};
use crate::console::text;
use crate::console::theme::Role;
use crate::model::script::Level;

const NAMES: [&str; 4] = ["What", "Where", "How", "Check  (what will happen)"];
const LETTERS: [&str; 4] = ["a", "b", "c", "d"];

pub fn draw(app: &App, launch: &Launch, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let body = layout::strips(area).body;
    // The status row belongs to the dialog: arm line and buttons.
    let body = Rect { height: body.height + 1, ..body };
    let boxed = area.height >= 30 && !layout::small(area);
    let arm_rows = if boxed { 7 } else { 3 };
    let blocks = Rect { height: body.height.saturating_sub(arm_rows), ..body };
    let mut position = None;
    if layout::small(area) {
        let block = match launch.at {
            At::Field(at) => launch.fields.get(at).map_or(0, |field| field.block),
            _ => 3,
        };
        block_at(app, launch, block, blocks, buf, &mut position);
    } else {
        let half = blocks.width / 2;
        // a and b hold the most; c and d get the rest.
        let wanted = launch.fields.iter().filter(|field| field.block == 0).count() as u16 + 6;
        let top = wanted.clamp(blocks.height * 11 / 20, blocks.height * 13 / 20);
        let (left, right) =
            (Rect { width: half, ..blocks }, Rect { x: blocks.x + half, width: blocks.width - half, ..blocks });
        let upper = |side: Rect| Rect { height: top, ..side };
        let lower = |side: Rect| Rect { y: side.y + top, height: side.height - top, ..side };
        for (block, area) in [(0, upper(left)), (1, upper(right)), (2, lower(left)), (3, lower(right))] {
            block_at(app, launch, block, area, buf, &mut position);
        }
    }
    let rest = Rect { y: blocks.bottom(), height: arm_rows, ..body };
    arm(app, launch, rest, boxed, buf);
    if let Some(picker) = &launch.picker {
        return Some(choices(app, launch, picker, body, buf));
    }
    if let Some(cursor) = launch.devices {
        devices(app, launch, cursor, body, buf);
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
    let focused = at.and_then(|at| launch.fields.get(at)).is_some_and(|field| field.block == block);
    let name = title(theme, LETTERS[usize::from(block)], NAMES[usize::from(block)], "");
    let foot = if block == 1 && launch.plan.is_some() { "alt-t devices" } else { "" };
    let inside = pane(app, buf, area, name, foot, focused);
    let fields: Vec<(usize, &Field)> =
        launch.fields.iter().enumerate().filter(|(_, field)| field.block == block).collect();
    // A form longer than the block shows the part around the focus.
    let rows = usize::from(inside.height);
    let place = fields.iter().position(|(n, _)| Some(*n) == at).unwrap_or(0);
    let reserve = if block == 0 { 2.min(rows / 3) } else { 0 };
    let from = (place + 1).saturating_sub(rows - reserve);
    let label = fields.iter().map(|(_, field)| text::width(&field.label) + 1).max().unwrap_or(8).clamp(8, 16) as u16;
    let mut y = 0;
    for (n, field) in fields.iter().skip(from).take(rows - reserve) {
        if matches!(field.slot, Slot::Answer(_)) {
            y += answer(app, field, Some(*n) == at, below(inside, y), buf, position);
        } else {
            draw_field(app, field, Some(*n) == at, label, nth(inside, y), buf, position);
            y += 1;
        }
        if field.slot == Slot::Target {
            y += pointer(app, launch, label, below(inside, y), buf);
        }
    }
    let rest = below(inside, y);
    match block {
        0 => what(app, launch, rest, buf),
        1 => whereto(app, launch, rest, buf),
        2 => how(app, launch, rest, buf),
        _ => check(app, launch, rest, buf),
    }
}

fn below(area: Rect, y: u16) -> Rect {
    let y = y.min(area.height);
    Rect { y: area.y + y, height: area.height - y, ..area }
}

fn draw_field(
    app: &App,
    field: &Field,
    focused: bool,
    label: u16,
    area: Rect,
    buf: &mut Buffer,
    position: &mut Option<Position>,
) {
    if area.height == 0 || area.width < label + 6 {
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
        Input::Flag(_) => (String::new(), 0),
    };
    buf.set_string(x, area.y, "[", muted);
    buf.set_string(x + 1, area.y, text::pad(&shown, inner), style);
    buf.set_string(x + 1 + inner as u16, area.y, "]", muted);
    if matches!(field.input, Input::Choice { .. }) {
        if inner >= 2 {
            buf.set_string(x + inner as u16, area.y, "v", style);
        }
        if shown.is_empty() && matches!(field.slot, Slot::Script) {
            let hint = text::clip("enter chooses", inner.saturating_sub(2));
            buf.set_string(x + 1, area.y, hint, style.add_modifier(Modifier::DIM));
        }
    } else if focused {
        *position = Some(Position::new(x + 1 + cursor as u16, area.y));
    }
    if !whole {
        note(app, field, Rect { x: x + width + 1, width: room.saturating_sub(width + 1), ..area }, buf);
    }
}

fn note(app: &App, field: &Field, area: Rect, buf: &mut Buffer) {
    let text = match field.slot {
        Slot::AtOnce => match app.hello.as_ref().map(|hello| hello.at_once) {
            Some(0) | None => "no limit if empty; 0 = none".into(),
            Some(n) => format!("{n} if empty; 0 = no limit"),
        },
        Slot::Timeout => "30s 10m 2h, per device".into(),
        _ => text::plain(&field.note),
    };
    cells::words(buf, area, &text, app.theme.style(Role::TextMuted));
}

/// The part of a text around its cursor that fits, and where the cursor then is, in cells.
fn view(value: &str, cursor: usize, width: usize) -> (String, usize) {
    let before: String = value.chars().take(cursor).collect();
    let at = text::width(&before);
    let from = (at + 1).saturating_sub(width);
    let line = Line::from(Span::raw(value));
    let shown = text::slice(&line, from, width);
    (shown.spans.iter().map(|span| span.content.as_ref()).collect(), at - from)
}

/// A question of the engine: its text on a row, the hidden answer below.
fn answer(
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

/// A caret below the column of the expression that is at fault, and why.
fn pointer(app: &App, launch: &Launch, label: u16, area: Rect, buf: &mut Buffer) -> u16 {
    // What is wrong elsewhere is said in block d.
    let Some(problem) = launch.problem.as_ref().filter(|problem| problem.column.is_some()) else { return 0 };
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

fn what(app: &App, launch: &Launch, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let (plain, muted) = (theme.style(Role::Text), theme.style(Role::TextMuted));
    let Some(info) = &launch.info else { return };
    let mut rows: Vec<Line<'_>> = Vec::new();
    if info.params.is_empty() {
        rows.push(Line::styled("takes no parameters", muted));
    }
    rows.push(Line::from(vec![
        Span::styled("version  ", muted),
        Span::styled(info.version.as_str(), plain),
        Span::styled(format!("  {}  {}", text::plain(&info.language), text::bytes(info.size)), muted),
    ]));
    if !info.describe.is_empty() {
        rows.push(Line::styled(text::plain(&info.describe), plain));
    }
    if let Some(run) = &info.last_run {
        rows.push(Line::from(vec![
            Span::styled("runs     ", muted),
            Span::styled(run.history.as_str(), theme.style(Role::Spark)),
            Span::styled(format!("  {}% ok, last job {}", run.ok_percent, run.job), muted),
        ]));
    }
    if let Some(plan) = &launch.plan {
        let errors = plan.findings.iter().filter(|f| f.level == Level::Error).count();
        let warnings = plan.findings.iter().filter(|f| f.level == Level::Warn).count();
        let (word, role) = match (errors, warnings) {
            (0, 0) => ("ok".to_owned(), Role::StateOk),
            (0, n) => (format!("{n} warnings"), Role::LevelWarn),
            (n, m) => (format!("{n} errors, {m} warnings"), Role::LevelError),
        };
        rows.push(Line::from(vec![Span::styled("lint     ", muted), Span::styled(word, theme.style(role))]));
        for finding in plan.findings.iter().filter(|f| f.level >= Level::Warn) {
            rows.push(Line::styled(format!("  l.{} {}", finding.line, text::plain(&finding.text)), muted));
        }
    }
    // A blank row between form and facts, where there is room.
    let gap = u16::from(usize::from(area.height) > rows.len());
    for (n, row) in rows.iter().enumerate() {
        line(buf, nth(area, n as u16 + gap), row);
    }
}

fn whereto(app: &App, launch: &Launch, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let (plain, muted) = (theme.style(Role::Text), theme.style(Role::TextMuted));
    let Some(plan) = &launch.plan else {
        if launch.waiting() {
            cells::words(buf, nth(area, 0), "resolving…", muted);
        }
        return;
    };
    let mut rows: Vec<Line<'_>> = Vec::new();
    let count = plan.devices.len();
    let total = text::count(app.tree.total.devices as u64);
    let stale = if launch.current() { "" } else { "   resolving…" };
    rows.push(Line::from(vec![
        Span::styled("resolved  ", muted),
        Span::styled(text::count(count as u64), theme.style(Role::TextStrong)),
        Span::styled(format!(" of {total} devices{stale}"), plain),
    ]));
    let tally = app.tree.tally_of(plan.devices.iter().map(String::as_str));
    let amount = |label: &'static str, n: usize, what: &'static str, role: Role| {
        Line::from(vec![
            Span::styled(format!("  {label:<8}"), muted),
            Span::styled(format!("{:>6}", text::count(n as u64)), theme.style(role)),
            Span::styled(format!("  {what}"), muted),
        ])
    };
    rows.push(amount("online", tally.online, "answered last time", Role::StateOk));
    if !plan.offline.is_empty() {
        rows.push(amount("offline", plan.offline.len(), "tried again; no answer = offline", Role::StateOffline));
    }
    let unknown = count.saturating_sub(tally.online + plan.offline.len());
    if unknown > 0 {
        rows.push(amount("unknown", unknown, "never tried", Role::Text));
    }
    if !plan.excluded.is_empty() {
        let mut spans = vec![
            Span::styled("excluded  ", muted),
            Span::styled(text::count(plan.excluded.len() as u64), theme.style(Role::LevelWarn)),
        ];
        if let Some((id, why)) = plan.excluded.first() {
            spans.push(Span::styled(format!("  {}: {}", text::plain(id), text::plain(why)), muted));
        }
        rows.push(Line::from(spans));
    }
    rows.push(Line::styled(text::plain(&plan.folded), plain));
    for (fact, values) in &launch.spread {
        let mut spans = vec![Span::styled(text::pad(&text::plain(fact), 10), muted)];
        for (value, n) in values {
            spans.push(Span::styled(format!("{} ", text::plain(value)), plain));
            spans.push(Span::styled(format!("{}  ", text::count(*n as u64)), theme.style(Role::TextStrong)));
        }
        rows.push(Line::from(spans));
    }
    if let Some((came, went)) = launch.changed {
        let text = format!("changed since preview  +{came} -{went}  (disarmed)");
        rows.insert(1, Line::styled(text, theme.style(Role::LevelWarn)));
    }
    for (n, row) in rows.iter().enumerate() {
        line(buf, nth(area, n as u16), row);
    }
}

fn how(app: &App, launch: &Launch, area: Rect, buf: &mut Buffer) {
    let muted = app.theme.style(Role::TextMuted);
    let timeout = launch.plan.as_ref().and_then(|plan| plan.timeout_ms);
    let text = match timeout {
        Some(ms) => format!("A device that takes longer than {} is stopped and counts as timeout.", text::took(ms)),
        None => "No timeout: a script that hangs runs until it is stopped.".into(),
    };
    cells::paragraph(buf, below(area, 1), &text, muted);
}

fn check(app: &App, launch: &Launch, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let Some(plan) = &launch.plan else {
        if launch.waiting() && launch.problem.is_none() {
            return cells::words(buf, nth(area, 0), "planning…", theme.style(Role::TextMuted));
        }
        cells::words(buf, nth(area, 0), "Nothing can be launched yet:", theme.style(Role::TextMuted));
        if let Some(problem) = &launch.problem {
            cells::paragraph(buf, below(area, 1), &text::plain(&problem.error), theme.style(Role::LevelWarn));
        }
        return;
    };
    let count = plan.devices.len();
    let mut rows: Vec<(&str, Role, String)> = Vec::new();
    let s = if count == 1 { "" } else { "s" };
    let at_once = match plan.at_once {
        0 => "all at once".to_owned(),
        n if n as usize >= count => "all at once".to_owned(),
        n => format!("{n} at once"),
    };
    rows.push((
        "[ok]",
        Role::StateOk,
        format!("{} on {} device{s}, {at_once}", text::plain(&plan.script.name), text::count(count as u64)),
    ));
    rows.push(("[ok]", Role::StateOk, format!("script and device list fixed to plan {}", short(&plan.id))));
    if !plan.offline.is_empty() {
        let n = text::count(plan.offline.len() as u64);
        rows.push(("[!!]", Role::LevelWarn, format!("{n} did not answer last time")));
    }
    if !plan.excluded.is_empty() {
        let n = text::count(plan.excluded.len() as u64);
        rows.push(("[!!]", Role::LevelWarn, format!("{n} left out (alt-t lists them)")));
    }
    let errors = plan.findings.iter().filter(|finding| finding.level == Level::Error).count();
    if errors > 0 {
        rows.push(("[!!]", Role::LevelError, format!("lint found {errors} errors")));
    }
    if plan.questions.is_empty() {
        rows.push(("[ok]", Role::StateOk, "no passphrase or secret is missing".into()));
    }
    rows.push(("[--]", Role::TextMuted, "what a device has begun cannot be recalled".into()));
    for (n, (sign, role, text)) in rows.iter().enumerate() {
        let spans = vec![
            Span::styled(format!("{sign} "), theme.style(*role)),
            Span::styled(text.as_str(), theme.style(Role::Text)),
        ];
        line(buf, nth(area, n as u16), &Line::from(spans));
    }
}

fn short(id: &str) -> String {
    text::clip(&text::plain(id), 12)
}

/// Last of all: the typed confirmation, the buttons, the same thing as a command.
fn arm(app: &App, launch: &Launch, area: Rect, boxed: bool, buf: &mut Buffer) {
    let theme = &app.theme;
    let (plain, muted) = (theme.style(Role::Text), theme.style(Role::TextMuted));
    let (rows, command) = if boxed {
        let frame = Rect { height: area.height - 1, ..area };
        let focused = !matches!(launch.at, At::Field(_));
        let inside = pane(app, buf, frame, title(theme, "", "Arm", ""), "", focused);
        let words = match launch.plan.as_ref().filter(|_| launch.problem.is_none()) {
            Some(plan) => {
                let n = plan.devices.len();
                let s = if n == 1 { "" } else { "s" };
                let name = text::plain(&plan.script.name);
                format!("You are about to run {name} on {} device{s}.", text::count(n as u64))
            }
            None => "Nothing can be launched yet.".into(),
        };
        cells::words(buf, nth(inside, 0), &words, plain);
        (below(inside, 1), Some(nth(area, area.height - 1)))
    } else {
        (Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area }, None)
    };
    let armed = launch.armed();
    let typed = Span::styled(
        format!("[{}]", text::pad(&format!("{}_", launch.arm.typed), if launch.arm.need == Need::Yes { 2 } else { 6 })),
        theme.style(if armed { Role::KeyDanger } else { Role::TextStrong }),
    );
    let state = match (launch.sent, armed) {
        (true, _) => Span::styled("  launching…", theme.style(Role::StateRunning)),
        (_, true) => Span::styled("  armed", theme.style(Role::KeyDanger)),
        _ if launch.problem.is_some() => Span::styled("  not possible yet", muted),
        _ if launch.waiting() => Span::styled("  planning…", muted),
        _ => Span::styled("  not armed", muted),
    };
    let ask = match launch.arm.need {
        Need::Yes => "Type y to arm [ Launch ]:  ",
        Need::Count(_) => "Type the number of devices to arm [ Launch ]:  ",
    };
    line(buf, nth(rows, 0), &Line::from(vec![Span::styled(ask, plain), typed, state]));
    let button = |word: &str, focused: bool, style: Style| {
        let style = if focused { theme.style(Role::Cursor) } else { style };
        Span::styled(format!("[ {word} ]"), style)
    };
    let launch_style = if armed { theme.style(Role::KeyDanger) } else { muted };
    let buttons = Line::from(vec![
        button("Cancel", launch.at == At::Cancel, plain),
        Span::raw("     "),
        button("Launch", launch.at == At::Launch, launch_style),
    ]);
    let width = text::line_width(&buttons) as u16;
    let row = nth(rows, if boxed { 2 } else { 1 });
    let indent = row.width.saturating_sub(width) / 2;
    line(buf, Rect { x: row.x + indent, width: row.width - indent, ..row }, &buttons);
    // A word about the last key, or the command line.
    let last = command.unwrap_or_else(|| nth(area, 2));
    let last = Rect { x: last.x + 1, width: last.width.saturating_sub(2), ..last };
    match (&app.hint, app.notices.newest()) {
        (Some(hint), _) => cells::words(buf, last, hint, theme.style(Role::LevelInfo)),
        (None, Some(notice)) => cells::words(buf, last, &text::plain(&notice.text), theme.style(Role::LevelWarn)),
        (None, None) => {
            let spans =
                vec![Span::styled("same as:  ", muted), Span::styled(text::plain(&launch.command_line()), plain)];
            line(buf, last, &Line::from(spans));
        }
    }
}

/// The list of a choice field, narrowed by what is typed.
fn choices(
    app: &App,
    launch: &Launch,
    picker: &crate::console::app::launch::Picker,
    body: Rect,
    buf: &mut Buffer,
) -> Position {
    let theme = &app.theme;
    let of: &[String] = match launch.fields.get(picker.field).map(|field| &field.input) {
        Some(Input::Choice { of, .. }) => of,
        _ => &[],
    };
    let name = launch.fields.get(picker.field).map_or("", |field| field.label.as_str());
    let len = picker.found.len();
    let height = (of.len() as u16 + 3).clamp(5, body.height.saturating_sub(2).min(16));
    let foot = place(picker.cursor.at, len);
    let inside = popup(app, buf, body, &format!("{name}  type to filter"), &foot, (body.width.min(60), height));
    let (shown, cursor) =
        view(picker.filter.text(), picker.filter.cursor(), usize::from(inside.width.saturating_sub(3)));
    let spans = vec![Span::styled("> ", theme.style(Role::Key)), Span::styled(shown, theme.style(Role::Text))];
    line(buf, nth(inside, 0), &Line::from(spans));
    let list = below(inside, 1);
    if len == 0 {
        cells::words(buf, nth(list, 0), "nothing of that name", theme.style(Role::TextMuted));
    }
    for (n, at) in picker.cursor.window(len, usize::from(list.height)).enumerate() {
        let row = nth(list, n as u16);
        let choice = picker.found.get(at).and_then(|at| of.get(*at)).map_or("", String::as_str);
        cells::row(
            buf,
            row,
            &[1, 0],
            &[cells::left("", Style::default()), cells::left(text::plain(choice), theme.style(Role::Text))],
        );
        if at == picker.cursor.at {
            cells::cursor(theme, buf, row, true);
        }
    }
    Position::new(inside.x + 2 + cursor as u16, inside.y)
}

/// Every device of the plan, and what was left out.
fn devices(app: &App, launch: &Launch, cursor: crate::console::app::list::Cursor, body: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let Some(plan) = &launch.plan else { return };
    let len = plan.devices.len() + plan.excluded.len();
    let name = format!("{} devices", text::count(plan.devices.len() as u64));
    let inside = popup(app, buf, body, &name, &place(cursor.at, len), (body.width, body.height));
    let (plain, muted) = (theme.style(Role::Text), theme.style(Role::TextMuted));
    for (n, at) in cursor.window(len, usize::from(inside.height)).enumerate() {
        let row = nth(inside, n as u16);
        let (id, word, style, more) = match plan.devices.get(at) {
            Some(id) => {
                let device = app.tree.device(id);
                let state = device.map(|device| device.state).unwrap_or_default();
                let facts: Vec<String> =
                    device.iter().flat_map(|d| &d.facts).map(|(fact, value)| format!("{fact} {value}")).collect();
                (id.as_str(), state.word(), theme.style(super::reach(state)), facts.join("  "))
            }
            None => match plan.excluded.get(at - plan.devices.len()) {
                Some((id, why)) => (id.as_str(), "left out", theme.style(Role::LevelWarn), why.clone()),
                None => continue,
            },
        };
        let cells = [
            cells::left("", plain),
            cells::left(text::plain(id), plain),
            cells::left(word, style),
            cells::left(text::plain(&more), muted),
        ];
        cells::row(buf, row, &[1, 30.min(inside.width / 2), 8, 0], &cells);
        if at == cursor.at {
            cells::cursor(theme, buf, row, true);
        }
    }
}
