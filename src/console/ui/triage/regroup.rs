//! The dialogs in which groups are put together and taken apart, and the window of a group.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::console::app::triage::masking::{Window, written};
use crate::console::app::triage::regroup::{At, Regrouping, What, does};
use crate::console::app::{App, layout};
use crate::console::text;
use crate::console::theme::Role;
use crate::console::ui::cells::{self, line, nth, popup, words};
use crate::console::ui::{chrome, states};
use crate::model::ways::Masking;

/// Rows of a list of groups at most.
const ROWS: usize = 4;

pub fn dialog(app: &App, dialog: &Regrouping, body: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let (plain, muted) = (theme.style(Role::Text), theme.style(Role::TextMuted));
    let foot = chrome::keys(app, "dialog", &[("down", "choose"), ("next-field", "buttons"), ("cancel", "close")]);
    let inside = popup(app, buf, body, &dialog.title(), &foot, layout::REGROUP);
    let (head, rows, chosen) = match &dialog.what {
        What::Merge { into, chosen, .. } => {
            let row = |entry: &crate::console::app::triage::regroup::Entry| {
                format!("{}  {}  {}", entry.label, text::count(entry.devices as u64), entry.says)
            };
            ("become", into.iter().map(row).collect::<Vec<_>>(), *chosen)
        }
        What::Split { seen, chosen, .. } => {
            let row = |(word, seen): (&str, &Option<Result<_, String>>)| match seen {
                Some(Ok(foreseen)) => format!("{word}: {}", does(foreseen)),
                Some(Err(_)) => format!("{word}: not possible"),
                None => word.to_owned(),
            };
            ("how", ["finer", "take back"].into_iter().zip(seen.iter()).map(row).collect(), *chosen)
        }
    };
    words(buf, nth(inside, 0), head, muted);
    let first = (chosen + 1).saturating_sub(ROWS);
    let mut y = 0;
    for (at, row) in rows.iter().enumerate().skip(first).take(ROWS) {
        let (sign, role) = match (at == chosen, dialog.at == At::List) {
            (true, true) => ("(o)", Role::Cursor),
            (true, false) => ("(o)", Role::TextStrong),
            (false, _) => ("( )", Role::Text),
        };
        let place = nth(inside, y);
        let place = Rect { x: place.x + 8.min(place.width), width: place.width.saturating_sub(8), ..place };
        let shown = text::clip(&format!("{sign} {row}"), usize::from(place.width));
        line(buf, place, &Line::from(Span::styled(shown, theme.style(role))));
        y += 1;
    }
    if rows.len() > ROWS {
        words(buf, nth(inside, y), &format!("        {} of {}", chosen + 1, rows.len()), muted);
        y += 1;
    }
    y += 1;
    let said = match &dialog.problem {
        Some(why) => vec![(text::plain(why), Role::LevelError)],
        None => dialog.says().into_iter().map(|says| (says, Role::Text)).collect(),
    };
    for (says, role) in said {
        let rest = Rect { y: inside.y + y.min(inside.height), height: inside.height.saturating_sub(y + 1), ..inside };
        let style = if role == Role::Text { plain } else { theme.style(role) };
        y += cells::paragraph(buf, rest, &says, style);
    }
    let ready = if dialog.wish().is_none() || dialog.sent { Role::TextMuted } else { Role::Text };
    let both = [("Cancel", dialog.at == At::Cancel, Role::Text), (dialog.word(), dialog.at == At::Do, ready)];
    cells::buttons(app, buf, layout::last_row(inside), both);
}

pub fn window(app: &App, window: &Window, body: Rect, buf: &mut Buffer) {
    let name = format!("{}  {}  job {}", window.label, text::plain(&window.signature), window.job);
    let foot = chrome::keys(app, "dialog", &[("accept", "write the rule"), ("down", "move"), ("cancel", "close")]);
    let inside = popup(app, buf, body, &name, &foot, (body.width.min(120), body.height));
    let masking = match &window.state {
        None => return states::reading(app, "reading…").draw(app, inside, buf),
        Some(Err(why)) => return states::Said::wrong(text::plain(why), "esc leads back").draw(app, inside, buf),
        Some(Ok(masking)) => masking,
    };
    let width = usize::from(inside.width);
    let lines = about(masking, width);
    // the rules stay in sight, whatever there is to say above
    let choices = window.choices();
    let below = (choices + 2).min(usize::from(inside.height) / 2 + 1);
    let room = usize::from(inside.height).saturating_sub(below);
    let theme = &app.theme;
    let mut y = 0;
    for (role, says) in lines.iter().take(room) {
        words(buf, nth(inside, y), says, theme.style(*role));
        y += 1;
    }
    if lines.len() > room && room > 0 {
        let more = format!("... {} lines more", lines.len() + 1 - room);
        y -= 1;
        words(buf, nth(inside, y), &text::pad(&more, width), theme.style(Role::TextMuted));
        y += 1;
    }
    y += 1;
    let head =
        format!("rules of {}, tried before the masks; they count for every job of it", text::plain(&masking.script));
    words(buf, nth(inside, y), &text::clip(&head, width), theme.style(Role::TextMuted));
    y += 1;
    let rows = usize::from(inside.height.saturating_sub(y));
    for at in window.cursor.window(choices, rows) {
        let row = nth(inside, y);
        let says = match masking.rules.get(at) {
            Some(rule) if rule.becomes.is_some() => format!("  {}  mask  {}", at + 1, written(rule)),
            Some(rule) => format!("  {}  keep  {}", at + 1, written(rule)),
            None if at == masking.rules.len() => "  +  mask: what an expression finds becomes a word".to_owned(),
            None => "  +  keep: what an expression finds stays as it is".to_owned(),
        };
        words(buf, row, &text::clip(&text::plain(&says), width), theme.style(Role::Text));
        if at == window.cursor.at {
            cells::cursor(theme, buf, row, true);
        }
        y += 1;
    }
}

/// What is known of the group, a row each.
fn about(masking: &Masking, width: usize) -> Vec<(Role, String)> {
    let mut lines = Vec::new();
    let mut say = |role: Role, indent: &str, says: &str| {
        let room = width.saturating_sub(indent.len()).max(8);
        lines.extend(cells::fold(&text::plain(says), room).into_iter().map(|row| (role, format!("{indent}{row}"))));
    };
    say(Role::TextMuted, "", &format!("as {} said it, and what is left of it masked", masking.device));
    for told in &masking.lines {
        say(Role::Text, "  ", &told.raw);
        if told.masked == told.raw {
            say(Role::TextMuted, "  = ", "the same");
        } else {
            say(Role::TextStrong, "  = ", &told.masked);
        }
    }
    if masking.lines.is_empty() {
        say(Role::Text, "  ", "(it said nothing)");
    }
    let masked: Vec<&String> = masking.lines.iter().map(|told| &told.masked).collect();
    if masking.template.iter().collect::<Vec<_>>() != masked {
        say(Role::TextMuted, "", "the template of the group");
        masking.template.iter().for_each(|row| say(Role::TextStrong, "  ", row));
    }
    let marks: Vec<String> = masking.masked.iter().map(|masked| format!("{} x{}", masked.mark, masked.count)).collect();
    let marks = if marks.is_empty() { "nothing".to_owned() } else { marks.join("  ") };
    say(Role::TextMuted, "", &format!("masked in it  {marks}      told apart {}", masking.fine.words()));
    for merged in &masking.merged {
        say(Role::Text, "", &format!("merged into it by {}: {} {}", merged.by, merged.signature, merged.says));
    }
    lines
}
