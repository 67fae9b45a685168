//! What a terminal sends, read by read, and what becomes of it.

use proptest::prelude::*;

use super::*;
use crate::console::keymap::Chord;

/// Reads with the pause in milliseconds before each; what came of them, in a keymap's words.
fn told(reads: &[(u64, &[u8])]) -> String {
    let mut decoder = Decoder::default();
    let mut inputs = Vec::new();
    let mut now = Instant::now();
    for (pause, bytes) in reads {
        let next = now + Duration::from_millis(*pause);
        while let Some(due) = decoder.deadline().filter(|due| *due <= next) {
            decoder.expire(due, &mut inputs);
        }
        now = next;
        decoder.feed(bytes, now, &mut inputs);
    }
    while let Some(due) = decoder.deadline() {
        decoder.expire(due, &mut inputs);
    }
    inputs.iter().map(word).collect::<Vec<_>>().join(" ")
}

fn word(input: &Input) -> String {
    match input {
        Input::Key(key) => Chord::of(*key).map_or_else(|| "released".into(), |chord| chord.to_string()),
        Input::Mouse(mouse) => format!("{:?}@{},{}", mouse.kind, mouse.column, mouse.row),
        Input::Paste(text) => format!("paste{text:?}"),
        Input::Unpasted(length) => format!("unpasted({length})"),
        Input::Focus(on) => format!("focus({on})"),
        Input::Reply(reply) => format!("{reply:?}"),
    }
}

fn once(bytes: &[u8]) -> String {
    told(&[(0, bytes)])
}

#[test]
fn keys_are_known_whatever_the_terminal() {
    for (bytes, keys) in [
        (&b"aG\xc3\xa9\xe6\xbc\xa2"[..], "a G é 漢"),
        (b"\r\t\x7f\x08\x00\x1f", "enter tab backspace ^h ctrl-space ^7"),
        (b"\x1b[A\x1b[B\x1b[C\x1b[D\x1b[H\x1b[F", "up down right left home end"),
        (b"\x1bOA\x1bOP\x1bOS\x1bOj", "up F1 F4 *"),
        (b"\x1b[1~\x1b[4~\x1b[5~\x1b[6~\x1b[2~\x1b[3~", "home end pgup pgdn ins del"),
        (b"\x1b[11~\x1b[15~\x1b[17~\x1b[24~\x1b[[A\x1b[[E", "F1 F5 F6 F12 F1 F5"),
        (b"\x1b[1;5C\x1b[1;3A\x1b[3;5~\x1b[Z", "ctrl-right alt-up ctrl-del shift-tab"),
        (b"\x1ba\x1bA\x1b\x01", "alt-a alt-A alt-^a"),
        (b"\x1b[97;5u\x1b[27u\x1b[13u\x1b[9;2u\x1b[97:65;2u\x1b[57421u", "^a esc enter shift-tab A pgup"),
        (b"\x1b[97;1:3u\x1b[57441;2u", "released"),
    ] {
        assert_eq!(once(bytes), keys, "{}", bytes.escape_ascii());
    }
}

#[test]
fn a_lone_esc_is_one_after_a_moment_and_with_a_letter_it_is_alt() {
    assert_eq!(told(&[(0, b"\x1b")]), "esc");
    assert_eq!(told(&[(0, b"\x1b"), (20, b"u")]), "alt-u");
    assert_eq!(told(&[(0, b"\x1b"), (60, b"u")]), "esc u");
    assert_eq!(told(&[(0, b"\x1b\x1b")]), "esc esc");
    assert_eq!(told(&[(0, b"\x1b"), (10, b"\x1b"), (10, b"\x1b")]), "esc esc esc");
}

#[test]
fn a_key_cut_in_two_by_a_slow_line_is_still_that_key() {
    for pause in [0, 10, 49, 51, 400, 900] {
        assert!(told(&[(0, b"\x1b["), (pause, b"A")]) == "up", "{pause} ms behind the bracket");
        assert_eq!(told(&[(0, b"\x1b[1;"), (pause, b"5C")]), "ctrl-right", "{pause} ms");
        assert_eq!(told(&[(0, b"\x1bO"), (pause, b"P")]), "F1", "{pause} ms");
    }
    assert_eq!(told(&[(0, b"\x1b"), (49, b"[A")]), "up");
    // The Esc has been told already; at least no letter is.
    assert_eq!(told(&[(0, b"\x1b"), (200, b"[A")]), "esc up");
    assert_eq!(told(&[(0, b"\x1b"), (200, b"[15;2"), (100, b"~")]), "esc shift-F5");
    assert_eq!(told(&[(0, b"\xe6"), (10, b"\xbc"), (10, b"\xa2")]), "漢");
}

#[test]
fn what_is_typed_after_esc_is_what_was_typed() {
    assert_eq!(told(&[(0, b"\x1b"), (200, b"["), (200, b"A")]), "esc [ A");
    assert_eq!(told(&[(0, b"\x1b"), (200, b"OA")]), "esc O A");
    assert_eq!(told(&[(0, b"\x1b"), (2000, b"[A")]), "esc [ A");
    assert_eq!(told(&[(0, b"\x1b]"), (2000, b"11")]), "alt-] 1 1");
}

#[test]
fn an_answer_never_becomes_keys() {
    for (bytes, reply) in [
        (&b"\x1b[?62;22c"[..], "Attributes"),
        (b"\x1b[?0u", "Keyboard"),
        (b"\x1b[?2026;2$y", "Mode { mode: 2026, known: true }"),
        (b"\x1b[?2026;0$y", "Mode { mode: 2026, known: false }"),
        (b"\x1b]11;rgb:1e1e/2020/ffff\x1b\\", "Background { red: 30, green: 32, blue: 255 }"),
        (b"\x1b]11;rgb:f/8/0\x07", "Background { red: 255, green: 136, blue: 0 }"),
        (b"\x1b[?997;2n", "Dark(false)"),
        (b"\x1bP>|XTerm(390)\x1b\\", "Name(\"XTerm(390)\")"),
        // nothing we ask for, or nothing anybody knows
        (b"\x1b[12;40R", ""),
        (b"\x1b[0n\x1b[8;24;80t\x1b[>41;390;0c", ""),
        (b"\x1b]10;rgb:zz/\x07\x1b]52;c;cm0gLXJm\x07\x1b]4;\x1b\\", ""),
        (b"\x1b_Gi=1;OK\x1b\\\x1bP1+r544e=7870\x1b\\\x1b^x\x07", ""),
        (b"\x1b[M !!\x1b[123;456;789z\x1b[?1;2;3;4S", ""),
    ] {
        assert_eq!(once(bytes), reply, "{}", bytes.escape_ascii());
        // however the line cuts it
        for cut in 2..bytes.len() {
            let (head, tail) = bytes.split_at(cut);
            assert_eq!(told(&[(0, head), (30, tail)]), reply, "{} | {}", head.escape_ascii(), tail.escape_ascii());
        }
    }
    let late: &[u8] = b"]11;rgb:1e1e/2020/3030\x1b\\";
    assert_eq!(told(&[(0, b"\x1b"), (300, late)]), "esc Background { red: 30, green: 32, blue: 48 }");
}

#[test]
fn what_lost_its_end_swallows_no_key_for_long() {
    assert_eq!(once(b"\x1b]11;rgb:1e1e\rq"), "enter q");
    assert_eq!(once(b"\x1b[12;\x03q"), "^c q");
    assert_eq!(told(&[(0, b"\x1b]11;rgb:"), (7000, b"q")]), "q");
    assert_eq!(told(&[(0, b"\xe6"), (60, b"q")]), "q");
    assert_eq!(once(b"\xffq\x9b"), "q");
}

#[test]
fn a_paste_is_one_text_however_it_is_cut() {
    let bytes = b"j\x1b[200~one\r\ntwo\x1b[Athree\r\x1b[201~k";
    let expected = "j paste\"one\\ntwo\\u{1b}[Athree\\n\" k";
    assert_eq!(once(bytes), expected);
    for cut in 1..bytes.len() {
        let (head, tail) = bytes.split_at(cut);
        assert_eq!(told(&[(0, head), (40, tail)]), expected, "{}", head.escape_ascii());
    }
}

#[test]
fn a_paste_is_bounded_and_one_without_an_end_is_given_up() {
    let long = [b"\x1b[200~".as_slice(), &vec![b'x'; PASTE + 1], b"\x1b[201~q"].concat();
    assert_eq!(once(&long), format!("unpasted({}) q", PASTE + 1));
    assert_eq!(told(&[(0, b"\x1b[200~abc"), (3000, b"\x03"), (10, b"q")]), "unpasted(3) q");
    let inside = told(&[(0, b"\x1b[200~abc"), (100, b"\x03"), (10, b"q\x1b[201~")]);
    assert_eq!(inside, "paste\"abc\\u{3}q\"", "within a running paste it is text");
}

#[test]
fn a_paste_without_brackets_is_no_keys_either() {
    let text = "r\rlocal\ry\r".repeat(20);
    let (head, tail) = text.as_bytes().split_at(150);
    assert_eq!(told(&[(0, head), (20, tail), (200, b"q")]), format!("paste{:?} q", text.replace('\r', "\n")));
    let held_down = [b'j'; 300];
    assert_eq!(once(&held_down).matches('j').count(), 300);
    assert!(once(&held_down).starts_with("j j"), "a key held down stays a key");
}

#[test]
fn the_mouse_says_what_and_where() {
    assert_eq!(once(b"\x1b[<0;1;1M\x1b[<0;1;1m"), "Down(Left)@0,0 Up(Left)@0,0");
    assert_eq!(once(b"\x1b[<64;10;5M\x1b[<65;300;5M"), "ScrollUp@9,4 ScrollDown@299,4");
    assert_eq!(once(b"\x1b[<32;2;2M\x1b[<2;2;2M\x1b[<0;0;0M"), "Drag(Left)@1,1 Down(Right)@1,1");
    assert_eq!(once(b"\x1b[I\x1b[O"), "focus(true) focus(false)");
}

proptest! {
    /// Whatever comes, however it is cut: it ends, and what is kept is small.
    #[test]
    fn no_bytes_hold_it_up(reads in prop::collection::vec((0_u64..200, prop::collection::vec(any::<u8>(), 0..200)), 0..20)) {
        let mut decoder = Decoder::default();
        let mut inputs = Vec::new();
        let mut now = Instant::now();
        for (pause, bytes) in &reads {
            now += Duration::from_millis(*pause);
            decoder.expire(now, &mut inputs);
            decoder.feed(bytes, now, &mut inputs);
            prop_assert!(decoder.held.len() <= SEQUENCE);
        }
        // `q` gets through at last, whatever was begun: after the time-outs, or by ^c out of a paste
        now += Duration::from_secs(10);
        decoder.expire(now, &mut inputs);
        decoder.feed(b"\x03", now, &mut inputs);
        now += Duration::from_secs(10);
        decoder.expire(now, &mut inputs);
        inputs.clear();
        decoder.feed(b"q", now, &mut inputs);
        let q = Input::Key(KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE));
        prop_assert_eq!(inputs, vec![q]);
    }
}
