//! A theme at a glance, for those who make one: every role, the states, the signs.
//!
//! `cargo run --example swatch -- [THEME] [FOLDER OF THEMES]` writes `target/swatch-THEME.svg` and `.png`.

mod png;

use std::path::Path;

use quarterdeck::console::shot::svg;
use quarterdeck::console::text::pad;
use quarterdeck::console::theme::palette::Palette;
use quarterdeck::console::theme::{Depth, Role, Theme};
use quarterdeck::model::state::RunState;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Widget};

fn pane(buffer: &mut Buffer, theme: &Theme, area: Rect, title: &str, focus: bool) {
    let style = theme.style(if focus { Role::BorderFocus } else { Role::Border });
    Block::bordered()
        .border_set(theme.glyphs.borders(focus))
        .border_style(style)
        .title(Span::styled(format!(" {title} "), theme.style(Role::TextStrong)))
        .render(area, buffer);
}

fn roles(buffer: &mut Buffer, theme: &Theme, area: Rect) {
    pane(buffer, theme, area, "1 Roles", true);
    let rows = usize::from(area.height - 2);
    for (n, role) in Role::ALL.iter().enumerate() {
        let (x, y) = (area.x + 2 + (n / rows * 22) as u16, area.y + 1 + (n % rows) as u16);
        buffer.set_string(x, y, pad(role.name(), 20), theme.base().patch(theme.style(*role)));
    }
}

fn states(buffer: &mut Buffer, theme: &Theme, area: Rect) {
    pane(buffer, theme, area, "2 Devices  bad first", false);
    let words =
        ["CDN 503", "no space: 9 GiB, need 12", "62% downloaded", "sent, no output yet", "rc=0 from=14.5 to=14.6"];
    for (n, state) in RunState::ALL.iter().enumerate() {
        let style = theme.state(*state);
        let line = Line::from(vec![
            Span::raw(if n == 4 { "> " } else { "  " }),
            Span::styled(format!("mbp-{:04}  ", 192 + n * 37), theme.device(n)),
            Span::styled(format!("{} {:<10}", theme.glyphs.state(*state), state.word()), style),
            Span::styled("3m02  ", theme.style(Role::TextMuted)),
            Span::raw(words[n % words.len()]),
        ]);
        let y = area.y + 1 + n as u16;
        buffer.set_line(area.x + 2, y, &line, area.width - 4);
        if n == 4 {
            buffer.set_style(Rect::new(area.x + 1, y, area.width - 2, 1), theme.style(Role::Cursor));
        }
    }
    let y = area.y + 11;
    let (fill, rest) = theme.glyphs.gauge(61, 100, area.width - 10);
    buffer.set_line(
        area.x + 2,
        y,
        &Line::from(vec![
            Span::styled(fill, theme.style(Role::GaugeFill)),
            Span::styled(rest, theme.style(Role::GaugeRest)),
            Span::raw(" 61%"),
        ]),
        area.width,
    );
    let spark = theme.glyphs.sparkline(&[0, 1, 2, 3, 4, 5, 6, 7, 6, 3, 1, 0, 2, 5, 7, 4]);
    buffer.set_string(area.x + 2, y + 1, spark, theme.style(Role::Spark));
    let grid = "..>>~~~~+++++++++++++++++++++++++++x-+++T++c".chars();
    for (n, sign) in grid.enumerate() {
        let state = RunState::ALL.into_iter().find(|state| sign == theme_ascii(*state)).unwrap_or(RunState::Skipped);
        let x = area.x + 20 + n as u16;
        buffer.set_string(x, y + 1, theme.glyphs.state(state).to_string(), theme.state(state));
    }
}

fn theme_ascii(state: RunState) -> char {
    quarterdeck::console::theme::Glyphs::new(true).state(state)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let name = args.next().unwrap_or_else(|| "terminal".to_owned());
    let folder = args.next();
    let (theme, problems) = Theme::load(&name, folder.as_deref().map(Path::new), Depth::True, false);
    problems.iter().for_each(|problem| eprintln!("{problem}"));
    let area = Rect::new(0, 0, 140, 25);
    let mut buffer = Buffer::empty(area);
    buffer.set_style(area, theme.base());
    let key = |key: &str, role, verb: &str| {
        [Span::styled(key.to_owned(), theme.style(role)), Span::raw(format!(" {verb}  "))]
    };
    let head = Line::from(vec![
        Span::styled(" quarterdeck ", theme.style(Role::TextStrong)),
        Span::raw(" acme-prod > Jobs > 4812 os-patch   "),
        Span::styled(" WRITE ", theme.style(Role::BadgeWrite)),
        Span::raw("  "),
        Span::styled(" READ ", theme.style(Role::BadgeRead)),
        Span::styled("   1,204 devices  48 silent   10:42:07Z", theme.style(Role::TextMuted)),
    ]);
    buffer.set_line(0, 0, &head, area.width);
    roles(&mut buffer, &theme, Rect::new(0, 1, 70, 23));
    states(&mut buffer, &theme, Rect::new(70, 1, 70, 16));
    pane(&mut buffer, &theme, Rect::new(70, 17, 70, 7), "3 Tail  日本-0311", false);
    let tail = "\x1b[32mok\x1b[0m unpack \x1b[1mlibssl3\x1b[0m  \x1b]0;owned\x07 tab\there  \x1b[38;5;208morange\x1b[0m \u{202e}x";
    let line = quarterdeck::console::text::safe(tail, Style::default(), &theme);
    buffer.set_line(72, 18, &line, 66);
    let hints: Vec<Span> = [
        key("enter", Role::Key, "open"),
        key("r", Role::KeyDanger, "run.."),
        key("/", Role::Key, "filter"),
        key("?", Role::Key, "help"),
    ]
    .concat();
    buffer.set_line(1, 24, &Line::from(hints), 138);
    let palette = if name.contains("light") { Palette::LIGHT } else { Palette::DARK };
    let picture = svg(&buffer, &palette);
    std::fs::write(format!("target/swatch-{name}.svg"), &picture)?;
    std::fs::write(format!("target/swatch-{name}.png"), png::of(&picture)?)?;
    println!("target/swatch-{name}.svg");
    Ok(())
}
