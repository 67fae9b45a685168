//! What the screen promises: the terminal shows exactly the buffer, for as few bytes as possible.

use proptest::prelude::*;
use ratatui::style::Style;
use ratatui::widgets::{Block, Widget};
use ratatui::{Terminal, TerminalOptions, Viewport};

use super::*;

/// A screen and a terminal that reads what it writes.
struct Rig {
    screen: Screen<Vec<u8>>,
    terminal: vt100::Parser,
    read: usize,
}

impl Rig {
    fn new(width: u16, height: u16) -> Self {
        let size = |n| std::num::NonZero::new(n).unwrap();
        Self {
            screen: Screen::new(Vec::new(), Rect::new(0, 0, width, height), Depth::True),
            terminal: vt100::Parser::new(size(height), size(width), 0),
            read: 0,
        }
    }

    fn draw(&mut self, draw: impl FnOnce(Rect, &mut Buffer) -> Option<Position>) -> usize {
        let sent = self.screen.draw(draw).unwrap();
        let out = &self.screen.out[self.read..];
        assert_eq!(out.len(), sent);
        self.terminal.process(out);
        self.read = self.screen.out.len();
        sent
    }

    fn show(&mut self, buffer: &Buffer) -> usize {
        self.draw(|_, next| {
            next.content.clone_from(&buffer.content);
            None
        })
    }

    fn last(&self, sent: usize) -> &[u8] {
        &self.screen.out[self.screen.out.len() - sent..]
    }

    /// The terminal shows what the screen believes.
    fn check(&self) {
        let area = self.screen.area();
        for y in 0..area.height {
            for x in 0..area.width {
                let want = &self.screen.shown()[(x, y)];
                let is = self.terminal.screen().cell(y, x).unwrap();
                let at = format!("{x},{y}: {want:?} {is:?}");
                match want.symbol() {
                    "" => assert!(is.is_wide_continuation(), "{at}"),
                    " " => assert!(matches!(is.contents(), "" | " ") && !is.is_wide_continuation(), "{at}"),
                    symbol => assert_eq!(is.contents(), symbol, "{at}"),
                }
                if want.symbol().is_empty() {
                    continue;
                }
                assert_eq!(colour(is.bgcolor()), want.bg, "{at}");
                if want.symbol() == " " && want.modifier.is_empty() {
                    assert!(!is.underline() && !is.inverse(), "{at}");
                    continue; // no letter, no colour of a letter
                }
                // this terminal knows one weight at a time
                let weight = Modifier::BOLD | Modifier::DIM;
                assert_eq!(is.bold() || is.dim(), want.modifier.intersects(weight), "{at}");
                if !want.modifier.contains(weight) {
                    assert_eq!(
                        (is.bold(), is.dim()),
                        (want.modifier.contains(Modifier::BOLD), want.modifier.contains(Modifier::DIM)),
                        "{at}"
                    );
                }
                let mods = [
                    (is.italic(), Modifier::ITALIC),
                    (is.underline(), Modifier::UNDERLINED),
                    (is.inverse(), Modifier::REVERSED),
                ];
                assert_eq!(colour(is.fgcolor()), want.fg, "{at}");
                for (on, modifier) in mods {
                    assert_eq!(on, want.modifier.contains(modifier), "{modifier:?} {at}");
                }
            }
        }
    }
}

fn colour(colour: vt100::Color) -> Color {
    match colour {
        vt100::Color::Default => Color::Reset,
        vt100::Color::Idx(index) => crate::console::theme::colour::indexed(index),
        vt100::Color::Rgb(r, g, b) => Color::Rgb(r, g, b),
    }
}

fn line(buffer: &mut Buffer, y: u16, text: &str) {
    buffer.set_string(0, y, text, Style::default());
}

#[test]
fn a_frame_without_change_writes_nothing() {
    let mut rig = Rig::new(40, 5);
    let frame = |_: Rect, buffer: &mut Buffer| {
        line(buffer, 1, "hello 日本");
        None
    };
    assert!(rig.draw(frame) > 0);
    rig.check();
    assert_eq!(rig.draw(frame), 0);
}

#[test]
fn a_frame_is_one_synchronized_update_that_leaves_the_style_plain() {
    let mut rig = Rig::new(40, 5);
    let sent = rig.draw(|_, buffer| {
        buffer.set_string(0, 0, "red", Style::new().fg(Color::Red));
        None
    });
    let bytes = rig.last(sent);
    assert!(bytes.starts_with(BEGIN.as_bytes()) && bytes.ends_with(END.as_bytes()));
    assert_eq!(rig.terminal.screen().fgcolor(), vt100::Color::Default);
}

#[test]
fn a_changed_word_costs_a_word() {
    let mut rig = Rig::new(80, 24);
    rig.draw(|_, buffer| {
        (0..24).for_each(|y| line(buffer, y, &"x".repeat(80)));
        None
    });
    let sent = rig.draw(|_, buffer| {
        (0..24).for_each(|y| line(buffer, y, &"x".repeat(80)));
        buffer.set_string(10, 3, "word", Style::default());
        None
    });
    assert!(sent <= BEGIN.len() + END.len() + "\x1b[4;11Hword".len(), "{sent}");
    rig.check();
}

#[test]
fn the_cursor_is_where_it_is_asked_for_and_hidden_otherwise() {
    let mut rig = Rig::new(20, 4);
    rig.draw(|_, _| Some(Position::new(3, 2)));
    assert_eq!((rig.terminal.screen().cursor_position(), rig.terminal.screen().hide_cursor()), ((2, 3), false));
    assert_eq!(rig.draw(|_, _| Some(Position::new(3, 2))), 0);
    rig.draw(|_, buffer| {
        line(buffer, 0, "typed");
        Some(Position::new(3, 2))
    });
    assert_eq!(rig.terminal.screen().cursor_position(), (2, 3));
    rig.draw(|_, _| None);
    assert!(rig.terminal.screen().hide_cursor());
    rig.draw(|_, _| Some(Position::new(99, 99)));
    assert!(rig.terminal.screen().hide_cursor());
}

#[test]
fn redraw_and_resize_draw_everything() {
    let mut rig = Rig::new(20, 4);
    let frame = |_: Rect, buffer: &mut Buffer| {
        line(buffer, 0, "hello");
        None
    };
    rig.draw(frame);
    rig.terminal.process(b"\x1b[3;3Hgarbage\x1b[31m\x1b[2;3r");
    rig.screen.redraw();
    rig.draw(frame);
    rig.check();
    rig.terminal.screen_mut().set_size(6.try_into().unwrap(), 30.try_into().unwrap());
    rig.screen.resize(Rect::new(0, 0, 30, 6));
    rig.draw(frame);
    rig.check();
}

#[test]
fn no_control_character_reaches_the_terminal() {
    let mut rig = Rig::new(20, 2);
    rig.draw(|_, buffer| {
        for (x, symbol) in ["\x1b", "\x07", "\u{9b}", "\u{200b}", "a\x1b", "", "\u{301}"].iter().enumerate() {
            buffer[(x as u16, 0)].set_symbol(symbol);
        }
        None
    });
    assert!(rig.terminal.screen().contents().trim().is_empty());
    rig.check();
}

#[test]
fn half_a_wide_character_is_never_sent() {
    let mut rig = Rig::new(6, 2);
    rig.draw(|_, buffer| {
        buffer.set_string(0, 0, "日本", Style::default());
        buffer[(1, 0)].set_symbol("|");
        buffer[(5, 1)].set_symbol("語");
        None
    });
    rig.check();
    assert_eq!(rig.terminal.screen().contents().trim_end(), " |本");
}

#[test]
fn an_ascii_terminal_gets_twins_and_question_marks() {
    let mut screen = Screen::new(Vec::new(), Rect::new(0, 0, 12, 3), Depth::None).ascii(true);
    screen
        .draw(|area, buffer| {
            Block::bordered().render(area, buffer);
            buffer.set_string(1, 1, "✓ 日é…", Style::new().fg(Color::Red));
            None
        })
        .unwrap();
    assert!(screen.get_ref().is_ascii());
    assert_eq!(screen.shown()[(1, 1)].symbol(), "+");
    assert_eq!(screen.shown()[(3, 1)].symbol(), "?");
    assert_eq!(screen.shown()[(6, 1)].symbol(), "~");
    assert_eq!(screen.shown()[(1, 1)].fg, Color::Reset);
}

#[test]
fn what_could_not_be_written_is_drawn_whole_the_next_time() {
    struct Broken(bool);
    impl Write for Broken {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0 { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(bytes.len()) }
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut screen = Screen::new(Broken(false), Rect::new(0, 0, 20, 3), Depth::True);
    let frame = |text: &'static str| {
        move |_: Rect, buffer: &mut Buffer| {
            line(buffer, 0, text);
            None
        }
    };
    let first = screen.draw(frame("one")).unwrap();
    screen.out.0 = true;
    assert!(screen.draw(frame("two")).is_err());
    screen.out.0 = false;
    assert_eq!(screen.draw(frame("two")).unwrap(), first);
}

/// The n-th line of a log, about a hundred bytes, no two alike in many columns.
fn log_line(n: usize) -> String {
    const WORDS: [&str; 11] = [
        "unpacking",
        "curl:",
        "/var/lib/dpkg/info",
        "retry",
        "of",
        "checksum",
        "matches",
        "libssl3",
        "from",
        "mirror-7",
        "ok",
    ];
    let mut text = format!("[{n}]");
    let mut seed = n * 2_654_435_761 + 12_345;
    while text.len() < 98 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push(' ');
        text.push_str(WORDS[(seed >> 33) % WORDS.len()]);
    }
    text
}

/// A live job at 200 by 50: counters above, a bordered tail of the full width, hints below.
fn tail(frame: usize, base: Style, area: Rect, buffer: &mut Buffer) {
    buffer.set_style(area, base);
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let muted = Style::new().fg(Color::DarkGray);
    buffer.set_string(0, 0, format!(" qdeck  acme-prod > Jobs > 4812 os-patch   LIVE  {frame:>6} lines"), bold);
    for y in 1..12 {
        buffer.set_string(
            0,
            y,
            format!("| lon  122  +++++++++++x-+++++x{} ", "+".repeat(60)),
            Style::new().fg(Color::Green),
        );
    }
    let pane = Rect::new(0, 12, area.width, area.height - 13);
    Block::bordered().title(" 3 Tail  mbp-0311 ").border_style(muted).render(pane, buffer);
    for row in 0..pane.height - 2 {
        let n = frame + usize::from(row);
        let y = pane.y + 1 + row;
        buffer.set_string(2, y, format!("10:{:02}:{:02}", n / 60 % 60, n % 60), muted);
        let text = format!("o  {}", log_line(n));
        buffer.set_string(12, y, text, Style::default());
    }
    buffer.set_string(
        0,
        area.bottom() - 1,
        " enter zoom  u groups  ! bad only  F tail  p pause  R retry..",
        Style::default(),
    );
}

#[test]
fn a_new_line_of_a_tail_costs_a_tenth_of_a_plain_diff_at_most() {
    bytes_a_line(Style::default(), 260);
}

#[test]
fn so_it_does_on_a_background_of_its_own() {
    bytes_a_line(Style::new().bg(Color::Rgb(16, 21, 29)).fg(Color::Rgb(211, 218, 230)), 520);
}

fn bytes_a_line(base: Style, most: usize) {
    const LINES: usize = 40;
    let mut rig = Rig::new(200, 50);
    let area = rig.screen.area();
    let mut ours = 0;
    for n in 0..=LINES {
        let sent = rig.draw(|area, buffer| {
            tail(n, base, area, buffer);
            None
        });
        ours += if n == 0 { 0 } else { sent };
    }
    rig.check();

    struct Counter(std::rc::Rc<std::cell::Cell<usize>>);
    impl Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.set(self.0.get() + bytes.len());
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let count = std::rc::Rc::new(std::cell::Cell::new(0));
    let backend = ratatui::backend::CrosstermBackend::new(Counter(count.clone()));
    let mut plain = Terminal::with_options(backend, TerminalOptions { viewport: Viewport::Fixed(area) }).unwrap();
    for n in 0..=LINES {
        plain.draw(|frame| tail(n, base, area, frame.buffer_mut())).unwrap();
        if n == 0 {
            count.set(0);
        }
    }
    let (ours, plain) = (ours / LINES, count.get() / LINES);
    println!("bytes a line: {ours} here, {plain} by plain diff");
    assert!(ours * 10 <= plain, "{ours} bytes a line, plain {plain}");
    assert!(ours <= most, "{ours} bytes a line");
}

#[test]
fn a_tail_that_jumps_or_runs_back_is_moved_too() {
    let mut rig = Rig::new(200, 50);
    let frame = |rig: &mut Rig, n| {
        let sent = rig.draw(|area, buffer| {
            tail(n, Style::default(), area, buffer);
            None
        });
        rig.check();
        sent
    };
    let whole = frame(&mut rig, 100);
    for n in [103, 101, 111, 110] {
        assert!(frame(&mut rig, n) * 2 < whole);
    }
}

#[derive(Clone, Debug)]
enum Step {
    Write {
        x: u16,
        y: u16,
        text: String,
        style: Style,
    },
    /// The rows between two go up or down, as those of a pane.
    Shift {
        top: u16,
        bottom: u16,
        by: i16,
        text: String,
    },
    Wash {
        y: u16,
        style: Style,
    },
    Clear,
    Redraw,
}

fn style() -> impl Strategy<Value = Style> {
    let colour = prop_oneof![
        3 => Just(Color::Reset),
        1 => Just(Color::Red),
        1 => Just(Color::LightBlue),
        1 => Just(Color::Indexed(200)),
        1 => Just(Color::Rgb(1, 2, 3)),
    ];
    let mods = prop_oneof![
        4 => Just(Modifier::empty()),
        1 => Just(Modifier::BOLD),
        1 => Just(Modifier::DIM),
        1 => Just(Modifier::UNDERLINED | Modifier::ITALIC),
        1 => Just(Modifier::REVERSED | Modifier::BOLD),
    ];
    (colour.clone(), colour, mods).prop_map(|(fg, bg, mods)| Style::new().fg(fg).bg(bg).add_modifier(mods))
}

fn step() -> impl Strategy<Value = Step> {
    let text = "[a-e é✓日本]{0,24}";
    prop_oneof![
        6 => (0..24u16, 0..12u16, text, style()).prop_map(|(x, y, text, style)| Step::Write { x, y, text, style }),
        4 => (0..12u16, 0..12u16, -3..4i16, text).prop_map(|(top, bottom, by, text)| Step::Shift { top, bottom, by, text }),
        2 => (0..12u16, style()).prop_map(|(y, style)| Step::Wash { y, style }),
        1 => Just(Step::Clear),
        1 => Just(Step::Redraw),
    ]
}

fn take(step: &Step, buffer: &mut Buffer, screen: &mut Screen<Vec<u8>>) {
    let width = buffer.area.width;
    match step {
        Step::Write { x, y, text, style } => {
            buffer.set_string(*x, *y, text, *style);
        }
        Step::Shift { top, bottom, by, text } => {
            for _ in 0..by.unsigned_abs() {
                let rows: Vec<u16> = (*top..=*bottom).collect();
                let rows: Vec<u16> = if *by > 0 { rows } else { rows.into_iter().rev().collect() };
                for pair in rows.windows(2) {
                    for x in 0..width {
                        buffer[(x, pair[0])] = buffer[(x, pair[1])].clone();
                    }
                }
                if let Some(fresh) = rows.last() {
                    (0..width).for_each(|x| buffer[(x, *fresh)].reset());
                    buffer.set_string(0, *fresh, text, Style::default());
                }
            }
        }
        Step::Wash { y, style } => buffer.set_style(Rect::new(0, *y, width, 1), *style),
        Step::Clear => buffer.reset(),
        Step::Redraw => screen.redraw(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, ..ProptestConfig::default() })]

    #[test]
    fn the_terminal_shows_exactly_the_buffer(bce: bool, frames in prop::collection::vec(prop::collection::vec(step(), 0..6), 1..12)) {
        let mut rig = Rig::new(24, 12);
        rig.screen.bce = bce;
        let mut buffer = Buffer::empty(rig.screen.area());
        for steps in &frames {
            for step in steps {
                take(step, &mut buffer, &mut rig.screen);
            }
            rig.show(&buffer);
            rig.check();
            // and what the screen believes is what was drawn, but for halves of wide characters
            for (cell, drawn) in rig.screen.shown().content.iter().zip(&buffer.content) {
                if drawn.symbol().len() == 1 && drawn.symbol() != " " {
                    prop_assert_eq!(cell, drawn);
                }
            }
        }
    }
}
