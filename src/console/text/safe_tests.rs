//! What may and may not cross from a device to the terminal.

use super::*;
use crate::console::theme::Depth;

fn shown(text: &str) -> String {
    safe(text, Style::default(), &Theme::default()).to_string()
}

/// Text and style of each span.
fn spans(text: &str) -> Vec<(String, Style)> {
    let line = safe(text, Style::default(), &Theme::load("terminal", None, Depth::True, false).0);
    line.spans.iter().map(|span| (span.content.to_string(), span.style)).collect()
}

#[test]
fn plain_text_stays_as_it_is() {
    assert_eq!(shown("Downloading macOS 14.6"), "Downloading macOS 14.6");
    assert_eq!(shown("Gerät 日本 ✓"), "Gerät 日本 ✓");
    assert_eq!(shown("line\r\n"), "line");
    assert_eq!(shown(""), "");
}

#[test]
fn colours_survive_and_end_where_they_end() {
    assert_eq!(
        spans("a\x1b[1;31mred\x1b[0mb"),
        [
            ("a".into(), Style::default()),
            ("red".into(), Style::default().fg(Color::Red).add_modifier(Modifier::BOLD)),
            ("b".into(), Style::default())
        ]
    );
    for sequence in ["\x1b[38;2;1;2;3m", "\x1b[38:2::1:2:3m", "\x1b[38:2:1:2:3m"] {
        assert_eq!(spans(&format!("{sequence}x"))[0].1.fg, Some(Color::Rgb(1, 2, 3)), "{sequence:?}");
    }
    assert_eq!(spans("\x1b[48;5;200mx")[0].1.bg, Some(Color::Indexed(200)));
    assert_eq!(spans("\x1b[1;4mx\x1b[22my")[1].1, Style::default().add_modifier(Modifier::UNDERLINED));
    assert_eq!(spans("\x1b[38;5m\x1b[38;2;1mx")[0].1, Style::default());
}

#[test]
fn colours_come_down_to_the_terminal_and_go_with_no_color() {
    let theme = Theme::load("terminal", None, Depth::None, false).0;
    let line = safe("\x1b[31;1mx", Style::default(), &theme);
    assert_eq!(line.spans[0].style, Style::default().add_modifier(Modifier::BOLD));
}

#[test]
fn text_cannot_hide_in_its_own_background() {
    assert_eq!(spans("\x1b[30;40mx")[0].1, Style::default());
    assert_eq!(spans("\x1b[8mx")[0].1, Style::default());
}

#[test]
fn every_other_sequence_is_shown_and_not_executed() {
    for (sent, seen) in [
        ("a\x1b[2Jb", "a^[[2Jb"),
        ("a\x1b[10;10Hb", "a^[[10;10Hb"),
        ("a\x1b[?1049hb", "a^[[?1049hb"),
        ("a\x1b]0;title\x07b", "a^[]0;titleb"),
        ("a\x1b]0;title\x1b\\b", "a^[]0;titleb"),
        ("a\x1b]52;c;ZXZpbGV2aWxldmlsZXZpbGV2aWw=\x07b", "a^[]52;c;ZXZpbGV2aWxldmlsZ…b"),
        ("a\x1bP1$r0m\x1b\\b", "a^[P1$r0mb"),
        ("a\x1b_apc\x1b\\b", "a^[_apcb"),
        ("a\x1bcb", "a^[cb"),
        ("a\x1b(0qqq", "a^[(0qqq"),
        ("a\x07b\x08c\0d\x7fe", "a^Gb^Hc^@d^?e"),
        ("a\u{9b}31mb\u{85}c", "a<9b>31mb<85>c"),
        ("a\x1b[>4;2mb", "a^[[>4;2mb"),
        ("x\ny", "x^Jy"),
        ("a\x0eb\x0fc", "a^Nb^Oc"),
    ] {
        assert_eq!(shown(sent), seen, "{sent:?}");
    }
}

#[test]
fn an_unfinished_sequence_hides_nothing_after_it() {
    assert_eq!(
        shown("a\x1b]0;rm -rf / and much more than one would want to lose"),
        "a^[]0;rm -rf / and much more than one would want to lose"
    );
    assert_eq!(shown("a\x1b[31"), "a^[[31");
    assert_eq!(shown("a\x1b[3\x1b[1mb"), "a^[[3b");
    assert_eq!(shown("a\x1b"), "a^[");
    assert_eq!(shown("a\x1b\x1b\x1b[0mb"), "a^[^[b");
}

#[test]
fn the_text_of_a_link_stays() {
    assert_eq!(shown("see \x1b]8;;http://x/\x1b\\the page\x1b]8;;\x1b\\ now"), "see ^[]8;;http://x/the page^[]8;; now");
}

#[test]
fn erasing_what_is_not_there_leaves_no_trace() {
    assert_eq!(shown("\x1b[01;31m\x1b[Kerror\x1b[m\x1b[K: no\x1b(B\x1b[m"), "error: no");
}

#[test]
fn a_return_starts_the_line_again() {
    assert_eq!(shown("10%\r20%\r30%"), "30%");
    assert_eq!(shown("10%\r20%\r"), "20%");
    assert_eq!(shown("\x1b[32m10%\r20%"), "20%");
}

#[test]
fn tabs_stop_every_eight_cells() {
    assert_eq!(shown("a\tb"), "a       b");
    assert_eq!(shown("日本\tb"), "日本    b");
    assert_eq!(shown("12345678\tb"), "12345678        b");
    assert_eq!(shown("x\r\tb"), "        b");
}

#[test]
fn what_cannot_be_seen_is_marked() {
    assert_eq!(shown("a\u{202e}b\u{200b}c\u{feff}"), "a<U+202E>b<U+200B>c<U+FEFF>");
    assert_eq!(shown("✔\u{fe0f} ok"), "✔ ok");
    assert_eq!(shown("e\u{301}"), "e\u{301}");
    assert_eq!(shown("\u{301}"), "<U+0301>");
    assert_eq!(shown(&format!("z{}", "\u{301}".repeat(500))).chars().count(), 5);
}

#[test]
fn marks_are_muted() {
    let theme = Theme::default();
    let muted = theme.style(Role::TextMuted);
    assert_eq!(safe("a\x07", Style::default(), &theme).spans[1].style, Style::default().patch(muted));
}

#[test]
fn an_endless_line_ends() {
    let line = shown(&"x".repeat(1_000_000));
    assert!(line.len() < MAX_LINE + 64 && line.ends_with("kB more"), "{}", &line[line.len() - 30..]);
    assert_eq!(shown(&format!("{}\rdone", "x\r".repeat(100_000))), "done");
    assert!(plain(&"é".repeat(100_000)).ends_with("more"));
}

#[test]
fn without_a_theme_the_same_without_colours() {
    assert_eq!(plain("a\x1b[31mred\x1b[0m\x1b]0;t\x07\tb"), "ared^[]0;t      b");
}

proptest::proptest! {
    #[test]
    fn nothing_a_device_sends_reaches_the_terminal_as_control(text in "([\\x00-\\x20\\x1b\\[\\]PX^_;:0-9mKHJ\\\\a\\x07\u{80}-\u{9f}]|\\PC|\\p{Cf}|\\p{M}){0,60}") {
        for line in [shown(&text), plain(&text)] {
            proptest::prop_assert!(!line.chars().any(|c| c.is_control() || super::super::walk::hidden(c)), "{:?}", line);
        }
    }

    #[test]
    fn no_letter_is_lost(text in "[a-z]{0,8}(\x1b[\\[\\]P_(]?[0-9;]{0,3})?[A-Z ]{0,8}") {
        // Whatever an ESC in the middle makes of it, letters that a terminal would print are there,
        // and those that an unfinished sequence would swallow are too.
        let line = shown(&text);
        let kept = |text: &str| text.chars().filter(char::is_ascii_lowercase).count();
        proptest::prop_assert_eq!(kept(&line), kept(&text));
    }
}
