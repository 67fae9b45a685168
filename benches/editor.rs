//! The editor, key by key, against the uncoloured text area in the same run. `cargo bench --bench editor`
//!
//! * keystroke to frame in a 5,000-line bash script, at three places, through our own screen encoder, with the bytes
//!   that each frame sends;
//! * opening a 20,000-line script to its first coloured screen.

use std::io;
use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::{SignedDuration, Timestamp};
use quarterdeck::console::app::shelf::Opened;
use quarterdeck::console::app::{App, Effect, Event, Place, View, commands};
use quarterdeck::console::keymap::Keymap;
use quarterdeck::console::term::Screen;
use quarterdeck::console::theme::{Depth, Theme};
use quarterdeck::console::ui;
use quarterdeck::model::script::inspect;
use quarterdeck::model::wire::Library;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;
use tui_textarea::{CursorMove, TextArea};

const SIZE: (u16, u16) = (160, 50);
const KEYS: usize = 300;
const NAME: &str = "big.sh";

fn main() {
    let text = script(5_000);
    println!("keystroke to frame, 5,000 lines of bash ({} kB), {}x{}:", text.len() / 1000, SIZE.0, SIZE.1);
    for row in [10, 2_500, 4_990] {
        let mut plain = typed_plain(&text, row);
        let mut ours = typed(&text, row);
        let (median, p99, bytes) = figures(&mut ours);
        let (floor, floor_p99, floor_bytes) = figures(&mut plain);
        println!(
            "  row {row:>5}: median {median:.2?} (<= 2 ms), p99 {p99:.2?} (<= 5 ms), {bytes} bytes (<= 600); \
             text area alone {floor:.2?}, p99 {floor_p99:.2?}, {floor_bytes} bytes: ratio {:.2} (<= 2)",
            median.as_secs_f64() / floor.as_secs_f64(),
        );
    }
    let long = script(20_000);
    let mut opened: Vec<(Duration, usize)> = (0..7).map(|_| (opening(&long), 0)).collect();
    println!("opening 20,000 lines to the first coloured screen: {:.2?} (<= 50 ms)", figures(&mut opened).0);
}

/// Median and 99th percentile of the times, median of the bytes.
fn figures(samples: &mut [(Duration, usize)]) -> (Duration, Duration, usize) {
    samples.sort();
    let (median, p99) = (samples[samples.len() / 2].0, samples[(samples.len() - 1) * 99 / 100].0);
    let mut bytes: Vec<usize> = samples.iter().map(|(_, bytes)| *bytes).collect();
    bytes.sort_unstable();
    (median, p99, bytes[bytes.len() / 2])
}

/// Bash as it is written: functions, strings, here-documents, comments.
fn script(lines: usize) -> String {
    let block = "do_step() {\n  local name=\"$1\" value=${2:-none}\n  # what comes of it is said once\n  \
                 if [[ \"$name\" == *.conf ]]; then\n    echo \"step $name: $value\" >&2\n    \
                 sed -i 's/^old=.*/new=1/' \"/etc/$name\" || return 1\n  fi\n  cat <<EOF\nname $name at $(date)\nEOF\n}\n\n";
    let mut text = String::from("#!/bin/bash\nset -euo pipefail\n");
    while text.lines().count() + 12 <= lines {
        text.push_str(block);
    }
    while text.lines().count() < lines {
        text.push_str("echo done # the end\n");
    }
    text
}

fn console(text: &str) -> App {
    let (theme, _) = Theme::load("dark", None, Depth::True, false);
    let (keymap, _) = Keymap::load("vi", None, &commands::known);
    let mut app = App::new(theme, keymap, Place::default(), SIZE, Timestamp::now());
    let mut info = inspect(NAME, text.as_bytes());
    info.path = Some("/tmp/big.sh".into());
    let library = Library { folder: "/tmp".into(), scripts: vec![info], ..Library::default() };
    app.update(Event::Library(Ok(library)));
    app
}

fn open(app: &mut App, text: &str) {
    let asked = app.update(Event::Key(KeyEvent::new(KeyCode::Char('e'), KeyModifiers::NONE)));
    assert!(asked.contains(&Effect::OpenScript(NAME.into())));
    let info = inspect(NAME, text.as_bytes());
    let opened = Opened { bytes: text.into(), version: info.version.clone(), path: None, info };
    app.update(Event::Opened { name: NAME.into(), answer: Box::new(Ok(opened)) });
    assert_eq!(app.view, View::Editor);
}

fn screen() -> Screen<io::Sink> {
    Screen::new(io::sink(), Rect::new(0, 0, SIZE.0, SIZE.1), Depth::True)
}

/// What is typed: words, with a string opened and closed now and then.
fn keys() -> impl Iterator<Item = char> {
    "echo \"step $name of 12\" | tr a-z A-Z; ".chars().cycle().take(KEYS)
}

fn typed(text: &str, row: usize) -> Vec<(Duration, usize)> {
    let mut app = console(text);
    open(&mut app, text);
    let mut screen = screen();
    for key in format!("\u{7}{row}\n").chars() {
        let key = match key {
            '\u{7}' => KeyEvent::new(KeyCode::Char('g'), KeyModifiers::CONTROL),
            '\n' => KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE),
            key => KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE),
        };
        app.update(Event::Key(key));
    }
    // Idle slices, until all of it is coloured.
    while app.editing.open.as_ref().is_some_and(|editor| !editor.colours.complete()) {
        app.update(Event::Tick(Timestamp::now()));
    }
    let mut draw = |app: &App| screen.draw(|area, buf| ui::draw(app, area, buf)).expect("a sink takes all");
    draw(&app);
    let press = |app: &mut App, key: KeyEvent| drop(app.update(Event::Key(key)));
    let mut samples = Vec::new();
    let start = Timestamp::now();
    for (n, c) in keys().enumerate() {
        if n % 60 == 59 {
            press(&mut app, KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE));
            draw(&app);
        }
        // Slow fingers: every key comes just when an idle slice has begun.
        let now = start + SignedDuration::from_millis(200 * n as i64);
        let begun = Instant::now();
        app.update(Event::Tick(now));
        press(&mut app, KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE));
        let bytes = draw(&app);
        samples.push((begun.elapsed(), bytes));
    }
    samples
}

fn typed_plain(text: &str, row: usize) -> Vec<(Duration, usize)> {
    let mut area: TextArea<'_> = text.lines().collect();
    area.set_line_number_style(Style::default());
    area.move_cursor(CursorMove::Jump(u16::try_from(row).expect("a row"), 0));
    let mut screen = screen();
    let mut draw = |area: &TextArea<'_>| {
        let drawn = screen.draw(|place, buf| {
            area.render(place, buf);
            None
        });
        drawn.expect("a sink takes all")
    };
    draw(&area);
    let mut samples = Vec::new();
    for (n, c) in keys().enumerate() {
        if n % 60 == 59 {
            area.insert_newline();
            draw(&area);
        }
        let begun = Instant::now();
        area.input(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE));
        let bytes = draw(&area);
        samples.push((begun.elapsed(), bytes));
    }
    samples
}

fn opening(text: &str) -> Duration {
    let mut app = console(text);
    let mut screen = screen();
    let begun = Instant::now();
    open(&mut app, text);
    screen.draw(|area, buf| ui::draw(&app, area, buf)).expect("a sink takes all");
    begun.elapsed()
}
