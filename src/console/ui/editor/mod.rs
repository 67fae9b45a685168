//! The editor's screen: the text, what lint says below it, the parameters beside it, the bar in which is searched,
//! and its questions.

mod params;
mod past;
mod text;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::cells::{self, left, line, nth, pane, row, words};
use crate::console::app::editor::panes;
use crate::console::app::editor::search::Find;
use crate::console::app::editor::{Ask, Bar, Editor};
use crate::console::app::form::Text;
use crate::console::app::{App, layout};
use crate::console::text as shown;
use crate::console::theme::Role;
use crate::model::script::{Finding, Level};

/// Draws it all; tells where the cursor belongs.
pub fn draw(app: &App, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let editor = app.editing.open.as_deref()?;
    let panes = panes::panes(area, editor);
    let cursor = text::draw(app, editor, panes, buf);
    if let Some(area) = panes.lint {
        lint(app, editor, area, buf);
    }
    if let Some(area) = panes.params {
        params::draw(app, editor, area, buf);
    }
    if let Some(area) = panes.versions {
        past::draw(app, editor, area, buf);
    }
    let strips = layout::strips(area);
    match &editor.bar {
        Some(bar) => self::bar(app, editor, bar, strips.status, panes.replace, buf).or(cursor),
        None => cursor,
    }
}

/// The editor has the status row.
pub fn has_bar(app: &App) -> bool {
    app.editing.open.as_ref().is_some_and(|editor| editor.bar.is_some())
}

/// What the title row says at its right, the most important first.
pub fn facts(app: &App) -> Vec<Vec<Span<'static>>> {
    let Some(editor) = app.editing.open.as_deref() else { return Vec::new() };
    let theme = &app.theme;
    let (strong, muted, warn) =
        (theme.style(Role::TextStrong), theme.style(Role::TextMuted), theme.style(Role::LevelWarn));
    let at = editor.buffer.cursor();
    let mut parts = Vec::new();
    if let Some(vi) = &editor.vi {
        parts.push(vec![Span::styled(format!("{} {}", vi.word(), vi.typed()).trim_end().to_owned(), strong)]);
    }
    parts.push(vec![Span::styled(format!("Ln {} Col {}", at.row + 1, at.col + 1), strong)]);
    parts.push(vec![Span::styled(editor.language().to_owned(), muted)]);
    let ends = if editor.shape.ends == crate::console::editor::document::Ends::Lf { muted } else { warn };
    parts.push(vec![Span::styled(editor.shape.ends.word(), ends)]);
    let bom = if editor.shape.bom { warn } else { muted };
    parts.push(vec![Span::styled(editor.shape.encoding(), bom)]);
    parts.push(vec![Span::styled(editor.shape.indent.word(), muted)]);
    if editor.vi.is_none() {
        parts.push(vec![Span::styled("vi: off", muted)]);
    }
    parts
}

/// What the status row says while nothing else is to be said.
pub fn status(app: &App) -> String {
    let Some(editor) = app.editing.open.as_deref() else { return String::new() };
    if editor.saving.is_some() {
        return "saving…".into();
    }
    let row = editor.buffer.cursor().row;
    if let Some(finding) = editor.lint.on(row).max_by_key(|finding| finding.level) {
        return format!("{} {}  {}", sign(finding.level).0, shown::plain(&finding.code), shown::plain(&finding.text));
    }
    let save = app.key_in("editor", "save");
    match (editor.dirty, editor.draft.at) {
        (true, Some(at)) => {
            let at = at.to_zoned(app.place.zone.clone()).strftime("%H:%M:%S");
            format!("draft kept {at}, until it is saved ({save}) or discarded")
        }
        (true, None) => format!("edited; {save} saves"),
        (false, _) => String::new(),
    }
}

/// The sign in front of a finding, and its role.
pub fn sign(level: Level) -> (&'static str, Role) {
    match level {
        Level::Error => ("E", Role::LevelError),
        Level::Warn => ("!", Role::LevelWarn),
        Level::Info => ("i", Role::LevelInfo),
    }
}

fn lint(app: &App, editor: &Editor, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let (muted, plain) = (theme.style(Role::TextMuted), theme.style(Role::Text));
    let lint = &editor.lint;
    let mut tools: Vec<&str> = lint.findings.iter().map(|f| f.tool.as_str()).filter(|tool| !tool.is_empty()).collect();
    tools.dedup();
    tools.sort_unstable();
    tools.dedup();
    let mut spans = vec![Span::raw(" "), Span::styled("Lint", theme.style(Role::TextStrong))];
    if !tools.is_empty() {
        spans.push(Span::styled(format!("  {}", shown::plain(&tools.join(" "))), muted));
    }
    for (level, word) in [(Level::Error, "err"), (Level::Warn, "warn"), (Level::Info, "info")] {
        let count = lint.count(level);
        if count > 0 {
            spans.push(Span::styled(format!("  {count} {word}"), theme.style(sign(level).1)));
        }
    }
    spans.push(Span::raw("  "));
    for (name, word) in [("next-finding", "next"), ("previous-finding", "prev"), ("why", "why"), ("fix", "fix it")] {
        if !lint.findings.is_empty() {
            spans.push(Span::styled(format!(" {}", app.key_in("editor", name)), theme.style(Role::Key)));
            spans.push(Span::styled(format!(" {word} "), muted));
        }
    }
    let inside = pane(app, buf, area, Line::from(spans), "", false);
    let mut height = usize::from(inside.height);
    if height > 3 {
        height -= 1;
        let size = shown::bytes(editor.buffer.bytes() as u64);
        let lines = shown::count(editor.length() as u64);
        let about = format!("also  runs with {}   {size}   {lines} lines", shown::plain(&editor.interpreter));
        words(buf, nth(inside, inside.height - 1), &about, muted);
    }
    if lint.findings.is_empty() {
        let said = match (&lint.problem, lint.asked) {
            (Some(problem), _) => shown::plain(problem),
            (None, false) => "asking…".to_owned(),
            (None, true) => "nothing to say".to_owned(),
        };
        return words(buf, nth(inside, 0), &said, muted);
    }
    let here = editor.finding_under();
    let first = here
        .saturating_sub(height.saturating_sub(1))
        .max(here.min(lint.findings.len().saturating_sub(height)).min(here));
    let first = first.min(lint.findings.len().saturating_sub(height));
    for (n, finding) in lint.findings.iter().skip(first).take(height).enumerate() {
        let area = nth(inside, n as u16);
        let (mark, role) = sign(finding.level);
        let style = if first + n == here { theme.style(Role::TextStrong) } else { plain };
        let fix = if finding.fix.is_empty() { "" } else { "fix available" };
        let cells = [
            left(mark, theme.style(role)),
            left(place(finding), muted),
            left(shown::plain(&finding.code), muted),
            left(shown::plain(&finding.text), style),
            left(fix, theme.style(Role::Key)),
        ];
        let wide = if fix.is_empty() || inside.width < 60 { 0 } else { 13 };
        let text = inside.width.saturating_sub(1 + 8 + 8 + wide + 4);
        row(buf, area, &[1, 8, 8, text, wide], &cells);
    }
}

fn place(finding: &Finding) -> String {
    match (finding.line, finding.column) {
        (0, _) => "-".into(),
        (line, 0) => line.to_string(),
        (line, column) => format!("{line}:{column}"),
    }
}

/// The row at the foot; tells where its cursor belongs.
fn bar(app: &App, editor: &Editor, bar: &Bar, area: Rect, above: Option<Rect>, buf: &mut Buffer) -> Option<Position> {
    let theme = &app.theme;
    let area = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    match bar {
        Bar::Goto(typed) => field(app, ("Go to line", true), typed, "120  120:7  +10  -10  50%  $", area, buf),
        Bar::Ex(typed) => field(app, (":", true), typed, "", area, buf),
        Bar::Find(find) => {
            let search = &editor.search;
            let said = match (&search.problem, &search.said, search.total) {
                (Some(problem), ..) => shown::plain(problem),
                (_, Some(said), _) => said.clone(),
                (.., Some(0)) if search.pattern.is_empty() => String::new(),
                (.., Some(0)) => "not here".into(),
                (.., Some(total)) => {
                    format!("{} of {}", shown::count(search.current as u64), shown::count(total as u64))
                }
                _ => String::new(),
            };
            let on = |name: &str, word: &str, on: bool| {
                format!("{} {word}{}", app.key_in("find", name), if on { ": on" } else { "" })
            };
            let turns =
                format!("{}  {}", on("find-regex", "regex", search.regex), on("find-case", "case", search.exact));
            match (&find.replace, above) {
                (Some(replace), Some(above)) => {
                    let above = Rect { x: above.x + 1, width: above.width.saturating_sub(2), ..above };
                    buf.set_style(above, theme.base());
                    let scope = within(find);
                    let keys = format!("enter one, {} all{scope}", app.key_in("find", "replace-all"));
                    let first =
                        field(app, ("Find   ", !find.second), &find.find, &format!("{said}  {turns}"), above, buf);
                    let second = field(app, ("Replace", find.second), replace, &keys, area, buf);
                    if find.second { second } else { first }
                }
                _ => field(app, ("Find", true), &find.find, &format!("{said}  {turns}"), area, buf),
            }
        }
    }
}

fn within(find: &Find) -> String {
    find.within.map_or_else(String::new, |(first, last)| format!(" in lines {}-{}", first + 1, last + 1))
}

fn field(
    app: &App,
    (name, focused): (&str, bool),
    typed: &Text,
    more: &str,
    area: Rect,
    buf: &mut Buffer,
) -> Option<Position> {
    let theme = &app.theme;
    let start = shown::width(name) as u16 + 1;
    let beside = shown::width(more) as u16;
    // The help beside it gives way to the text.
    let most = area.width.saturating_sub(start);
    let room = if beside > 0 && most > beside + 14 { most - beside - 2 } else { most.min(most.max(8)) };
    words(buf, area, name, theme.style(if focused { Role::TextStrong } else { Role::TextMuted }));
    let value = typed.text();
    let before: String = value.chars().take(typed.cursor()).collect();
    let at = shown::width(&before);
    let cells = usize::from(room.saturating_sub(1)).max(1);
    let from = (at + 1).saturating_sub(cells);
    let text = shown::slice(&Line::from(Span::styled(shown::plain(value), theme.style(Role::Text))), from, cells);
    let place = Rect { x: area.x + start, width: room, ..area };
    line(buf, place, &text);
    if room < most {
        let right = Rect { x: area.right().saturating_sub(beside), width: beside, ..area };
        words(buf, right, more, theme.style(Role::TextMuted));
    }
    Some(Position::new((place.x + (at - from) as u16).min(area.right().saturating_sub(1)), area.y))
}

/// A question and its answers.
pub fn ask(app: &App, ask: &Ask, body: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let width = 76.min(body.width);
    let room = usize::from(width.saturating_sub(4));
    let rows: Vec<String> = ask.text.iter().flat_map(|text| cells::fold(text, room)).collect();
    let height = (rows.len() + ask.picks.len() + 3) as u16;
    let inside = cells::popup(app, buf, body, &ask.title, "enter picks  esc closes", (width, height));
    let text = usize::from(inside.height).saturating_sub(ask.picks.len() + 1);
    for (n, words_) in rows.iter().take(text).enumerate() {
        words(buf, nth(inside, n as u16), words_, theme.style(Role::Text));
    }
    let names = ask.picks.iter().map(|(_, name, _)| shown::width(name)).max().unwrap_or(0) as u16;
    let top = inside.height.saturating_sub(ask.picks.len() as u16);
    for (n, (_, name, doc)) in ask.picks.iter().enumerate() {
        let area = nth(inside, top + n as u16);
        let chosen = n == ask.cursor.at;
        let cells = [
            left("", theme.style(Role::Text)),
            left(*name, theme.style(if chosen { Role::TextStrong } else { Role::Text })),
            left(doc.as_str(), theme.style(Role::TextMuted)),
        ];
        row(buf, area, &[1, names + 1, 0], &cells);
        if chosen {
            cells::cursor(theme, buf, area, true);
        }
    }
}
