//! Themes and keys while the console runs: edited files, the terminal's own word about its ground, choosing with a
//! preview, and what is still so in the next console. The real binary under a pseudo-terminal.

mod support;

use support::{Console, Home};
use vt100::Color;

const THEME: &str = "config/quarterdeck/themes/mine.toml";
const KEYS: &str = "config/quarterdeck/keymap.toml";

/// The ground of the screen, from a cell that every screen leaves empty.
fn ground(screen: &vt100::Screen) -> Color {
    screen.cell(0, 0).expect("on the screen").bgcolor()
}

#[track_caller]
fn stands_on(console: &mut Console, rgb: (u8, u8, u8)) {
    let colour = Color::Rgb(rgb.0, rgb.1, rgb.2);
    console.wait(&format!("a ground of {colour:?}"), |screen| ground(screen) == colour);
}

/// A wide terminal with all colours.
fn colourful(home: &Home) -> support::pty::Setup<'_> {
    Console::setup(home).size(140, 40).env("COLORTERM", "truecolor")
}

#[test]
fn an_edited_theme_is_on_the_screen_at_once_and_a_broken_one_changes_nothing_but_the_notices() {
    let home = Home::empty();
    home.write(THEME, "inherits = \"dark\"\nsurface = { bg = \"#010203\" }\n");
    let mut console = colourful(&home).arguments(&["--theme", "mine"]).start();
    stands_on(&mut console, (1, 2, 3));
    console.sees("1 dev");
    home.write(THEME, "inherits = \"dark\"\nsurface = { bg = \"#040506\" }\n");
    stands_on(&mut console, (4, 5, 6));
    home.write(THEME, "inherits = \"dark\"\nsurface = { bg = \"#04zz06\" }\n");
    console.sees("mine.toml:2: `surface.bg`");
    console.sees("a colour is a name, a number");
    assert_eq!(ground(console.screen()), Color::Rgb(4, 5, 6), "the old look stays");
    home.write(THEME, "inherits = \"nord\"\n");
    stands_on(&mut console, (0x2e, 0x34, 0x40));
    console.quit().is_restored();
}

#[test]
fn a_theme_may_come_while_the_console_runs() {
    let home = Home::empty();
    let mut console = colourful(&home).arguments(&["--theme", "mine"]).start();
    console.sees("no theme is called `mine`");
    home.write(THEME, "inherits = \"dark\"\nsurface = { bg = \"#070809\" }\n");
    stands_on(&mut console, (7, 8, 9));
    console.quit().is_restored();
}

#[test]
fn an_edited_keymap_works_at_once_and_a_broken_one_takes_no_key_away() {
    let home = Home::empty();
    let mut console = colourful(&home).size(220, 40).start();
    console.sees("1 dev");
    home.write(KEYS, "[global]\nhelp = [\"%\"]\n");
    console.sees("the keys as they were edited");
    console.text("%");
    console.sees("> Help");
    console.keys("<esc>");
    console.loses("> Help");
    home.write(KEYS, "[global]\nhelp = [\"#\"]\nquit = []\n");
    console.sees("keymap.toml:3: [global] `quit`: the way out needs a key");
    console.sees("(the keys stay as they were)");
    console.text("#");
    console.sees("# means nothing here");
    console.text("%");
    console.sees("> Help");
    console.keys("<esc>");
    console.loses("> Help");
    console.quit().is_restored();
}

#[test]
fn every_bad_keymap_opens_the_console_with_its_notice() {
    for (text, said) in [
        ("[list]\ndwon = [\"j\"]\n", "keymap.toml:2: [list] `dwon`: there is no such command; did you mean `down`?"),
        ("[list]\ndown = [\"v\"]\n", "keymap.toml:2: [list] `down` cannot have \"v\": `range` has it"),
        ("[list]\ndown = [\"g\"]\n", "keymap.toml:2: [list] `down` cannot have \"g\": `first` has \"g g\""),
        ("[global]\nquit = []\n", "keymap.toml:2: [global] `quit`: the way out needs a key; the default stays"),
        ("[list]\ndown = [\"pgdwn\"]\n", "keymap.toml:2: [list] `down`: \"pgdwn\" is no key; did you mean `pgdn`?"),
        ("preset = \"emcas\"\n", "keymap.toml:1: no keymap is called `emcas`"),
        ("[list\n", "keymap.toml:1: "),
    ] {
        let home = Home::empty();
        home.write(KEYS, text);
        let mut console = Console::setup(&home).size(200, 40).start();
        console.sees(said);
        console.quit().is_restored();
    }
}

// ---- what the terminal stands on -------------------------------------------------------------------------------

/// A console whose terminal says nothing by itself.
fn asked(home: &Home) -> Console {
    home.config("[ui]\ntheme = { dark = \"nord\", light = \"one-light\", fallback = \"dracula\" }\n");
    let mut console = colourful(home).mute().start();
    console.wait("it asks", |screen| support::pty::contents(screen).contains("Scripts"));
    stands_on(&mut console, (0x28, 0x2a, 0x36));
    support::eventually("it asks for the ground", || {
        console.listen(std::time::Duration::from_millis(10));
        memchr::memmem::find(&console.log, b"\x1b]11;?").is_some()
    });
    console
}

#[test]
fn the_terminal_s_answer_picks_the_theme_and_no_answer_the_fallback() {
    let home = Home::empty();
    let mut light = asked(&home);
    light.send(b"\x1b]11;rgb:ffff/ffff/f0f0\x1b\\\x1b[?62;22c");
    stands_on(&mut light, (0xfa, 0xfa, 0xfa));
    light.quit().is_restored();
    let mut dark = asked(&home);
    dark.send(b"\x1b]11;rgb:1010/1010/2020\x1b\\\x1b[?62;22c");
    stands_on(&mut dark, (0x2e, 0x34, 0x40));
    dark.quit().is_restored();
    let mut mute = asked(&home);
    mute.sees("1 dev");
    mute.helps();
    assert_eq!(ground(mute.screen()), Color::Rgb(0x28, 0x2a, 0x36), "nobody waits for an answer");
    mute.quit().is_restored();
    let mut told = colourful(&home).mute().env("COLORFGBG", "0;15").start();
    stands_on(&mut told, (0xfa, 0xfa, 0xfa));
    told.quit().is_restored();
}

#[test]
fn without_colour_not_one_is_sent_whatever_theme_is_chosen() {
    let home = Home::empty();
    let mut console = colourful(&home).env("NO_COLOR", "1").start();
    console.sees("1 dev");
    console.text(":theme dracula\r");
    console.sees("without colours it looks like mono");
    console.text("gc");
    console.sees("filter:");
    console.keys("<down><down>");
    console.keys("<esc>");
    console.loses("filter:");
    console.helps();
    let console = console.quit();
    console.is_restored();
    for code in ["38;5;", "38;2;", "48;5;", "48;2;"] {
        assert!(memchr::memmem::find(&console.log, code.as_bytes()).is_none(), "{code}");
    }
    let (rows, columns) = console.screen().size();
    let mut cells = (0..rows.get()).flat_map(|row| (0..columns.get()).map(move |column| (row, column)));
    assert!(cells.all(|(row, column)| console.cell(row, column).fgcolor() == Color::Default));
}

// ---- choosing, and keeping -------------------------------------------------------------------------------------

#[test]
fn a_theme_is_tried_while_choosing_put_back_by_esc_and_kept_by_enter() {
    let home = Home::empty();
    home.config("[ui]\ntheme = \"nord\"\n");
    let nord = (0x2e, 0x34, 0x40);
    let mut console = colourful(&home).start();
    stands_on(&mut console, nord);
    console.sees("1 dev");
    console.text("gc");
    console.sees("filter:");
    console.text("dracu");
    stands_on(&mut console, (0x28, 0x2a, 0x36));
    console.keys("<esc>");
    stands_on(&mut console, nord);
    console.text("gcone-li");
    stands_on(&mut console, (0xfa, 0xfa, 0xfa));
    console.keys("<enter>");
    console.sees("theme one-light, kept for the next time");
    console.quit().is_restored();

    let mut again = colourful(&home).start();
    stands_on(&mut again, (0xfa, 0xfa, 0xfa));
    again.quit().is_restored();
    let mut flag = colourful(&home).arguments(&["--theme", "dracula"]).start();
    stands_on(&mut flag, (0x28, 0x2a, 0x36));
    flag.quit().is_restored();
    home.config("[ui]\ntheme = \"gruvbox-dark\"\n");
    let mut edited = colourful(&home).start();
    stands_on(&mut edited, (0x28, 0x28, 0x28));
    edited.quit().is_restored();
}

#[test]
fn a_keymap_chosen_in_the_console_stands_over_the_file_until_that_says_something_else() {
    let home = Home::empty();
    home.script("a.sh", "#!/bin/sh\n");
    home.script("b.sh", "#!/bin/sh\n");
    home.write(KEYS, "preset = \"vi\"\n");
    let mut console = colourful(&home).start();
    console.sees("> a.sh");
    console.text(":keymap emacs\r");
    console.sees("the keys of emacs, kept for the next time; they stand over vi");
    console.keys("<C-n>");
    console.sees("> b.sh");
    home.write(KEYS, "preset = \"vi\"\n[global]\nhelp = [\"%\"]\n");
    console.sees("the keys as they were edited");
    console.keys("<C-p>");
    console.sees("> a.sh");
    console.quit().is_restored();

    let mut again = colourful(&home).start();
    again.sees("> a.sh");
    again.keys("<C-n>");
    again.sees("> b.sh");
    again.quit().is_restored();
    assert!(home.qd(["keys"]).ok().text().contains("^n, down"), "the verb tells the keys in force");
    let doctor = home.qd(["doctor", "--json"]).json();
    assert!(doctor.to_string().contains("emacs, chosen over vi"), "{doctor}");

    let mut flag = colourful(&home).arguments(&["--keymap", "arrows"]).start();
    flag.sees("> b.sh");
    flag.text("k");
    flag.sees("k means nothing here");
    flag.quit().is_restored();

    home.write(KEYS, "preset = \"arrows\"\n");
    let mut edited = colourful(&home).start();
    edited.sees("> b.sh");
    edited.keys("<C-n>");
    edited.sees("^n means nothing here");
    edited.quit().is_restored();
}
