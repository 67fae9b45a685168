//! The panel of parameters, beside the text: the form that the header makes, how its values reach the script, and what
//! the header says of exit codes and dry runs.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::console::app::App;
use crate::console::app::editor::Editor;
use crate::console::text;
use crate::console::theme::Role;
use crate::console::ui::cells::{self, left, line, nth, pane, row};
use crate::model::script::header::Header;
use crate::model::script::{ExitWord, Param, ParamKind};

const WIDTHS: [u16; 5] = [12, 8, 4, 9, 0];
/// Cells of what a note is about.
const LABEL: usize = 11;

pub fn draw(app: &App, editor: &Editor, area: Rect, buf: &mut Buffer) {
    let theme = &app.theme;
    let (muted, plain) = (theme.style(Role::TextMuted), theme.style(Role::Text));
    let foot = format!("{} edit", app.key_in("editor", "parameters"));
    let title = cells::title(theme, "", "Parameters", "(form shown at launch)");
    let inside = pane(app, buf, area, title, &foot, false);
    let header = &editor.header;
    let mut y = 0;
    if !header.describe.is_empty() {
        let room = Rect { height: 3.min(inside.height), ..inside };
        y += cells::paragraph(buf, room, &text::plain(&header.describe), plain) + 1;
    }
    let below = |y: u16| Rect { y: inside.y + y.min(inside.height), height: inside.height.saturating_sub(y), ..inside };
    if header.params.is_empty() {
        let of_a_system = app.scripts.iter().any(|script| script.name == editor.name && script.connection.is_some());
        let how: &[&str] = match of_a_system {
            true => &["Its system says what it takes, not this text: the form at launch shows it."],
            false => &[
                "Comments at the top declare them:",
                "# @arg version!",
                "# @option --window=08-18",
                "# @flag --dry-run",
            ],
        };
        cells::empty(theme, buf, below(y), "No parameters.", how);
        y += 6;
    } else {
        let heads = ["name", "type", "req", "default", "rule"].map(|name| left(name, muted));
        row(buf, nth(inside, y), &WIDTHS, &heads);
        for param in &header.params {
            y += 1;
            row(buf, nth(inside, y), &WIDTHS, &cells_of(app, param));
        }
        y += 2;
    }
    for note in notes(app, header, usize::from(inside.width)) {
        line(buf, nth(inside, y), &note);
        y += 1;
    }
}

fn cells_of<'a>(app: &App, param: &Param) -> [cells::Cell<'a>; 5] {
    let theme = &app.theme;
    let (muted, plain) = (theme.style(Role::TextMuted), theme.style(Role::Text));
    let rule = match (&param.choices[..], param.secret, param.multiple) {
        (_, true, _) => "not saved".to_owned(),
        ([], _, true) => "several".to_owned(),
        ([], _, false) => text::plain(&param.describe),
        (choices, ..) => text::plain(&choices.join("|")),
    };
    [
        left(text::plain(&param.name), theme.style(Role::TextStrong)),
        left(param.field().word(), muted),
        left(if param.required { "yes" } else { "no" }, plain),
        left(param.default.as_deref().map_or("-".into(), text::plain), plain),
        left(rule, muted),
    ]
}

/// What the header says besides.
fn notes(app: &App, header: &Header, width: usize) -> Vec<Line<'static>> {
    let theme = &app.theme;
    let (muted, plain) = (theme.style(Role::TextMuted), theme.style(Role::Text));
    let room = width.saturating_sub(LABEL);
    let mut notes = Vec::new();
    let mut say = |label: &'static str, what: &str| {
        for (n, row) in cells::fold(&text::plain(what), room).into_iter().enumerate() {
            let label = if n == 0 { label } else { "" };
            notes.push(Line::from(vec![Span::styled(text::pad(label, LABEL), muted), Span::styled(row, plain)]));
        }
    };
    if !header.params.is_empty() {
        say("passed as", &passed_as(&header.params));
    }
    if !header.meta.exits.is_empty() {
        say("exit codes", &exit_codes(&header.meta.exits));
    }
    if let Some(argument) = &header.meta.dry_run {
        say("dry run", argument);
    }
    if let Some(link) = &header.meta.runbook {
        say("runbook", link);
    }
    notes
}

/// `--window --dry-run, then $1 version; token on stdin`
fn passed_as(params: &[Param]) -> String {
    let given = || params.iter().filter(|param| !param.secret && !param.stdin);
    let options: Vec<String> = given().filter(|param| param.kind != ParamKind::Arg).map(Param::dashed).collect();
    let words = given().filter(|param| param.kind == ParamKind::Arg).zip(1..);
    let words: Vec<String> =
        words.map(|(param, n)| format!("${n} {}{}", param.name, if param.multiple { "…" } else { "" })).collect();
    let secrets: Vec<&str> = params.iter().filter(|param| param.secret).map(|param| param.name.as_str()).collect();
    let mut parts = Vec::new();
    match (options.is_empty(), words.is_empty()) {
        (false, false) => parts.push(format!("{}, then {}", options.join(" "), words.join(" "))),
        (false, true) => parts.push(options.join(" ")),
        (true, false) => parts.push(words.join(" ")),
        (true, true) => {}
    }
    match secrets.as_slice() {
        [] => {}
        [only] => parts.push(format!("{only} on stdin")),
        several => parts.push(format!("{} on stdin, a line each", several.join(", "))),
    }
    let then = if secrets.is_empty() { "" } else { "then " };
    let texts: Vec<&str> = params.iter().filter(|param| param.stdin).map(|param| param.name.as_str()).collect();
    if !texts.is_empty() {
        parts.push(format!("{then}{} on stdin", texts.join(", ")));
    }
    parts.join("; ")
}

/// `0 ok, 75 deferred (not bad), 70 no space`
fn exit_codes(exits: &[ExitWord]) -> String {
    let zero = exits.iter().all(|exit| exit.code != 0).then(|| "0 ok".to_owned());
    let said = exits.iter().map(|exit| {
        let bad = if exit.ok && exit.code != 0 { " (not bad)" } else { "" };
        format!("{} {}{bad}", exit.code, exit.word).replace("  ", " ")
    });
    zero.into_iter().chain(said).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::script::header::header;

    #[test]
    fn how_values_reach_the_script_is_said_in_their_order() {
        let passed = |text: &str| passed_as(&header(text).params);
        assert_eq!(passed("# @arg version!\n# @option --window\n# @flag -v\n"), "--window -v, then $1 version");
        assert_eq!(passed("# @arg a\n# @arg paths*\n# @option --token <secret>\n"), "$1 a $2 paths…; token on stdin");
        assert_eq!(
            passed("# @arg note\n# @option --key <secret>\n# @meta stdin note\n"),
            "key on stdin; then note on stdin"
        );
        assert_eq!(passed("# @option --a <secret>\n# @option --b <secret>\n"), "a, b on stdin, a line each");
    }

    #[test]
    fn exit_codes_that_are_not_bad_say_so() {
        let exits = |text: &str| exit_codes(&header(text).meta.exits);
        assert_eq!(
            exits("# @meta exit-ok 75 deferred\n# @meta exit 70 no space\n# @meta exit-ok 3\n"),
            "0 ok, 75 deferred (not bad), 70 no space, 3 (not bad)"
        );
        assert_eq!(exits("# @meta exit-ok 0 all done\n"), "0 all done");
    }
}
