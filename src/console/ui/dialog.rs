//! The small dialogs: stop, write mode, copy menu.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::cells::{self, line, nth, popup};
use super::chrome;
use crate::console::app::form::Need;
use crate::console::app::help::CopyMenu;
use crate::console::app::mode::AskWrite;
use crate::console::app::stop::{At, CHOICES, Stop};
use crate::console::app::{App, layout, templates};
use crate::console::text;
use crate::console::theme::Role;
use crate::model::wire::Stopping;

pub fn stop(app: &App, stop: &Stop, body: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let (plain, muted) = (theme.style(Role::Text), theme.style(Role::TextMuted));
    let name = format!("Stop {}", text::plain(&stop.about));
    let foot = chrome::keys(app, "dialog", &[("down", "choose"), ("next-field", "buttons"), ("cancel", "close")]);
    let inside = popup(app, buf, body, &name, &foot, layout::STOP);
    let count = |n: u32| text::count(u64::from(n));
    let meaning = |choice: Stopping| match choice {
        Stopping::Sending => format!(
            "{} queued will not start; {} sent and {} running go on",
            count(stop.queued),
            count(stop.waiting),
            count(stop.running + stop.endless)
        ),
        Stopping::Unstarted => {
            format!("also withdraws the {} that are sent and have not started", count(stop.waiting))
        }
        Stopping::All if let Some(why) = &stop.why => {
            let goes = if stop.endless == 1 { "goes" } else { "go" };
            let asked = if stop.running > 0 { format!("also ends {}; ", count(stop.running)) } else { String::new() };
            // (how it ends instead has no room here)
            let why = why.split(": ").next().unwrap_or(why);
            format!("{asked}{} running {goes} on: {}", count(stop.endless), text::plain(why))
        }
        Stopping::All => format!(
            "also asks the {} running to end; what they have already changed is not undone",
            count(stop.running)
        ),
    };
    let mut y = 0;
    for (n, choice) in CHOICES.into_iter().enumerate() {
        let word = ["stop sending", "cancel unsent", "stop running too"][n];
        let chosen = stop.choice == choice;
        let idle = stop.touches(choice) == 0;
        let sign = if chosen { "(o)" } else { "( )" };
        let style = match (chosen, idle) {
            (_, true) => muted,
            (true, _) => theme.style(Role::Cursor),
            _ => theme.style(Role::TextStrong),
        };
        let spans = vec![
            Span::styled(format!("{sign} {word}"), style),
            Span::styled(
                format!("  reaches {} device{}", count(stop.touches(choice)), plural(stop.touches(choice))),
                plain,
            ),
        ];
        line(buf, nth(inside, y), &Line::from(spans));
        let rest = nth(Rect { x: inside.x + 4, width: inside.width.saturating_sub(4), ..inside }, y + 1);
        // the hardest has the most to say: it has the room that is left above what arms it and the buttons
        let room = inside.height.saturating_sub(y + 1 + 2);
        if n + 1 == CHOICES.len() && room > 1 {
            y += 1 + cells::paragraph(buf, Rect { height: room, ..rest }, &meaning(choice), muted);
        } else {
            cells::words(buf, rest, &meaning(choice), muted);
            y += layout::CHOICE;
        }
    }
    let caret = if stop.at == At::Arm { "_" } else { "" };
    let left = stop.touches(stop.choice);
    let ask = match stop.arm.need {
        _ if left == 0 && stop.touches(Stopping::All) > 0 => "Nothing is left that this would stop.".to_owned(),
        _ if left == 0 => "Nothing is running or queued: there is nothing to stop.".to_owned(),
        Need::Yes => format!("Type y to arm [ Stop ]:  [{}{caret}]", stop.arm.typed),
        Need::Count(_) => format!("Type the number of devices to arm [ Stop ]:  [{}{caret}]", stop.arm.typed),
    };
    let state = match stop.arm.need {
        _ if stop.armed() => "  armed: enter stops".to_owned(),
        Need::Count(right) if left > 0 && !stop.arm.typed.is_empty() => format!("  it is {}", count(right as u32)),
        _ => "  not armed".to_owned(),
    };
    let spans = vec![Span::styled(ask, plain), Span::styled(state, theme.style(Role::KeyDanger))];
    line(buf, nth(inside, y), &Line::from(spans));
    let armed = if stop.armed() { Role::KeyDanger } else { Role::TextMuted };
    let both = [("Cancel", stop.at == At::Cancel, Role::Text), ("Stop", stop.at == At::Stop, armed)];
    cells::buttons(app, buf, layout::last_row(inside), both);
}

/// Over to write, where a connection is protected.
pub fn write(app: &App, ask: AskWrite, body: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let inside = popup(app, buf, body, "Write mode", "tab buttons   enter   esc", layout::WRITE);
    let names = app.tree.targets.connections.iter().filter(|connection| connection.protected);
    let names = names.map(|connection| text::plain(&connection.name)).collect::<Vec<_>>().join(", ");
    let said = format!("Protected here: {names}. In write mode scripts can be run and jobs be stopped there.");
    let used = cells::paragraph(buf, inside, &said, theme.style(Role::Text));
    let rest = Rect { y: inside.y + used + 1, height: inside.height.saturating_sub(used + 1), ..inside };
    cells::paragraph(buf, rest, "Every launch and stop still asks for itself.", theme.style(Role::TextMuted));
    cells::buttons(
        app,
        buf,
        layout::last_row(inside),
        [("Cancel", !ask.on_yes, Role::Text), ("Write", ask.on_yes, Role::KeyDanger)],
    );
}

/// A launch that is kept under a name is saved over, or forgotten.
pub fn template(app: &App, ask: &templates::Ask, body: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let (name, said) = match &ask.what {
        templates::What::Replace(template) => (
            format!("Template  {}", text::plain(&template.name)),
            "There is a template of this name already. What it holds would be lost.",
        ),
        templates::What::Forget(name) => (
            format!("Forget template  {}", text::plain(name)),
            "Its file is deleted. Jobs it launched stay as they are.",
        ),
    };
    let foot = super::files::buttons_foot(app);
    let inside = popup(app, buf, body, &name, &foot, layout::TEMPLATE);
    cells::paragraph(buf, inside, said, theme.style(Role::Text));
    let both = [("Cancel", !ask.on_yes, Role::Text), (ask.word(), ask.on_yes, Role::KeyDanger)];
    cells::buttons(app, buf, layout::last_row(inside), both);
}

const fn plural(n: u32) -> &'static str {
    if n == 1 { "" } else { "s" }
}

pub fn copy(app: &App, menu: &CopyMenu, body: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let inside = popup(
        app,
        buf,
        body,
        "Copy  through the terminal (OSC 52)",
        "enter or digit copies   esc",
        layout::copy(menu.items.len()),
    );
    for (n, at) in menu.cursor.window(menu.items.len(), usize::from(inside.height)).enumerate() {
        let (what, value) = &menu.items[at];
        let row = nth(inside, n as u16);
        let first = value.lines().next().unwrap_or_default();
        let more = value.lines().count().saturating_sub(1);
        let shown = if more > 0 { format!("{} lines: {first}", more + 1) } else { first.to_owned() };
        let digit = if at < 9 { (at + 1).to_string() } else { String::new() };
        let cells = [
            cells::left("", Style::default()),
            cells::left(digit, theme.style(Role::Key)),
            cells::left(*what, theme.style(Role::TextStrong)),
            cells::left(text::plain(&shown), theme.style(Role::TextMuted)),
        ];
        cells::row(buf, row, &[1, 1, 16, 0], &cells);
        if at == menu.cursor.at {
            cells::cursor(theme, buf, row, true);
        }
    }
}
