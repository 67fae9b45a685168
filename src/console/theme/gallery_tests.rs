//! What every theme of the program promises to the eyes that read it: enough contrast, states that stay apart with
//! fewer colours, with other eyes, and with no colour at all. Computed, not looked at.

use std::collections::BTreeSet;

use super::palette::{Palette, Rgb};
use super::sight::{Lab, contrast, light};
use super::*;

/// What red, green and blue become for eyes without the middle, the long or the short cones: Machado, Oliveira and
/// Fernandes 2009, severity 1.
const DEUTERANOPIA: [[f32; 3]; 3] =
    [[0.367_322, 0.860_646, -0.227_968], [0.280_085, 0.672_501, 0.047_413], [-0.011_820, 0.042_940, 0.968_881]];
const PROTANOPIA: [[f32; 3]; 3] =
    [[0.152_286, 1.052_583, -0.204_868], [0.114_503, 0.786_281, 0.099_216], [-0.003_882, -0.048_116, 1.051_998]];
const TRITANOPIA: [[f32; 3]; 3] =
    [[1.255_528, -0.076_749, -0.178_779], [-0.078_411, 0.930_809, 0.147_602], [0.004_733, 0.691_367, 0.303_900]];

fn through(eyes: [[f32; 3]; 3], colour: Rgb) -> Lab {
    let [r, g, b] = light(colour);
    Lab::of_light(eyes.map(|row| (row[0] * r + row[1] * g + row[2] * b).clamp(0.0, 1.0)))
}

/// A theme on the terminals it is meant for: those that leave the ground to the terminal stand on ours.
fn grounds(name: &str) -> Vec<Palette> {
    match name {
        "terminal" => vec![Palette::DARK],
        "terminal-light" => vec![Palette::LIGHT],
        _ => vec![Palette::DARK, Palette::LIGHT],
    }
}

/// Letters and ground of a role, reversal and dimming worked out.
fn inks(theme: &Theme, palette: &Palette, below: Style, role: Role) -> (Rgb, Rgb) {
    let style = below.patch(theme.style(role));
    let fg = style.fg.and_then(|colour| palette.rgb(colour)).unwrap_or(palette.text);
    let bg = style.bg.and_then(|colour| palette.rgb(colour)).unwrap_or(palette.ground);
    let (fg, bg) = if style.add_modifier.contains(Modifier::REVERSED) { (bg, fg) } else { (fg, bg) };
    let dim = style.add_modifier.contains(Modifier::DIM);
    // As much as terminals take away.
    let mix = |a: u8, b: u8| ((u16::from(a) * 3 + u16::from(b) * 2) / 5) as u8;
    (if dim { (mix(fg.0, bg.0), mix(fg.1, bg.1), mix(fg.2, bg.2)) } else { fg }, bg)
}

const STATES: [Role; 9] = [
    Role::StateQueued,
    Role::StateSent,
    Role::StateRunning,
    Role::StateOk,
    Role::StateFailed,
    Role::StateTimeout,
    Role::StateOffline,
    Role::StateCancelled,
    Role::StateSkipped,
];

/// Lines and fillings say nothing by themselves.
const DECORATION: [Role; 6] =
    [Role::Border, Role::BorderProtected, Role::GaugeRest, Role::Surface, Role::SurfacePopup, Role::CursorUnfocused];

fn wanted(name: &str, role: Role) -> f32 {
    let text = matches!(role, Role::Text | Role::TextStrong | Role::Cursor | Role::StreamOut);
    let told = matches!(role, Role::StateOk | Role::StateFailed);
    match role {
        _ if DECORATION.contains(&role) => 1.0,
        _ if name.starts_with("high-contrast") => 7.0,
        _ if text => 4.5,
        // The two words an operator looks for.
        _ if told => 3.7,
        Role::TextMuted => 3.4,
        _ => 3.0,
    }
}

#[test]
fn everything_that_is_read_stands_out() {
    let mut faint = Vec::new();
    for name in Theme::names() {
        let theme = Theme::builtin(name).unwrap();
        for palette in grounds(name) {
            for (place, below) in [("surface", theme.base()), ("popup", theme.popup())] {
                for &role in Role::ALL {
                    let (fg, bg) = inks(&theme, &palette, below, role);
                    let found = contrast(fg, bg);
                    if found < wanted(name, role) {
                        faint.push(format!("{name}: {} on {place} {found:.2}", role.name()));
                    }
                }
            }
        }
    }
    assert!(faint.is_empty(), "{}", faint.join("\n"));
}

#[test]
fn panes_and_cursors_are_seen() {
    let mut faint = Vec::new();
    for name in Theme::names() {
        let theme = Theme::builtin(name).unwrap();
        for palette in grounds(name) {
            let (_, ground) = inks(&theme, &palette, theme.base(), Role::Text);
            let border = contrast(inks(&theme, &palette, theme.base(), Role::Border).0, ground);
            let focus = contrast(inks(&theme, &palette, theme.base(), Role::BorderFocus).0, ground);
            // On a ground of its own, or reversed or underlined.
            let stands = |role: Role| {
                let mods = theme.style(role).add_modifier;
                let far = Lab::of(inks(&theme, &palette, theme.base(), role).1).distance(Lab::of(ground));
                far + if mods.contains(Modifier::UNDERLINED) { 1.0 } else { 0.0 }
            };
            let (cursor, other) = (stands(Role::Cursor), stands(Role::CursorUnfocused));
            for (what, found, wanted) in [
                ("border", border, 1.6),
                ("border.focus", focus, 3.0),
                ("cursor", cursor, 0.05),
                ("cursor.unfocused", other, 0.04),
            ] {
                if found < wanted {
                    faint.push(format!("{name}: {what} {found:.3}"));
                }
            }
        }
    }
    assert!(faint.is_empty(), "{}", faint.join("\n"));
}

#[test]
fn what_is_read_is_not_bright_black_where_that_may_be_the_ground() {
    let theme = Theme::load("terminal", None, Depth::Ansi16, false).0;
    for &role in Role::ALL.iter().filter(|role| !DECORATION.contains(role)) {
        assert_ne!(theme.style(role).fg, Some(Color::DarkGray), "{}", role.name());
    }
}

#[test]
fn a_row_of_the_other_pane_s_cursor_can_still_be_read() {
    for name in Theme::names() {
        let theme = Theme::builtin(name).unwrap();
        for palette in grounds(name) {
            let below = theme.base().patch(theme.style(Role::CursorUnfocused));
            for role in [Role::Text, Role::TextStrong].into_iter().chain(STATES) {
                let (fg, bg) = inks(&theme, &palette, below, role);
                let least = if matches!(role, Role::Text | Role::TextStrong) { 3.8 } else { 2.2 };
                assert!(contrast(fg, bg) >= least, "{name}: {} {:.2}", role.name(), contrast(fg, bg));
            }
        }
    }
}

#[test]
fn ok_failed_running_and_offline_stay_apart_for_eyes_without_a_cone() {
    for (name, eyes) in [
        ("deuteranopia-dark", DEUTERANOPIA),
        ("deuteranopia-light", DEUTERANOPIA),
        ("deuteranopia-dark", PROTANOPIA),
        ("deuteranopia-light", PROTANOPIA),
        ("tritanopia-dark", TRITANOPIA),
        ("tritanopia-light", TRITANOPIA),
    ] {
        let theme = Theme::builtin(name).unwrap();
        let seen: Vec<(Role, Lab)> = TOLD_APART
            .iter()
            .map(|role| (*role, through(eyes, inks(&theme, &Palette::DARK, theme.base(), *role).0)))
            .collect();
        for (n, (a, seen_a)) in seen.iter().enumerate() {
            for (b, seen_b) in &seen[n + 1..] {
                let far = seen_a.distance(*seen_b);
                assert!(far >= 0.1, "{name}: {} and {} look alike ({far:.3})", a.name(), b.name());
            }
        }
    }
}

#[test]
fn the_usual_red_and_green_would_not_pass_that() {
    // Else the test above says nothing.
    let theme = Theme::builtin("monokai").unwrap();
    let of = |role| inks(&theme, &Palette::DARK, theme.base(), role).0;
    let sure = Lab::of(of(Role::StateOk)).distance(Lab::of(of(Role::StateOffline)));
    let seen = through(DEUTERANOPIA, of(Role::StateOk)).distance(through(DEUTERANOPIA, of(Role::StateOffline)));
    assert!(seen < sure && seen < 0.1, "{sure} {seen}");
}

#[test]
fn with_fewer_colours_ok_failed_running_and_offline_never_become_one() {
    for name in Theme::names() {
        for depth in [Depth::Ansi256, Depth::Ansi16] {
            let theme = Theme::load(name, None, depth, false).0;
            let looks: BTreeSet<String> =
                TOLD_APART.iter().map(|role| format!("{:?}", told(theme.style(*role)))).collect();
            if name != "mono" {
                assert_eq!(looks.len(), TOLD_APART.len(), "{name} at {depth:?}: {looks:?}");
            }
        }
    }
}

#[test]
fn with_sixteen_colours_nothing_is_written_in_its_own_ground() {
    for name in Theme::names() {
        let theme = Theme::load(name, None, Depth::Ansi16, false).0;
        for &role in Role::ALL.iter().filter(|role| !DECORATION.contains(role)) {
            let style = theme.base().patch(theme.style(role));
            assert!(
                style.fg.is_none() || style.fg == Some(Color::Reset) || style.fg != style.bg,
                "{name}: {} is {:?} on itself",
                role.name(),
                style.fg
            );
        }
    }
}

#[test]
fn without_colour_every_state_and_every_mark_differs_by_sign_or_weight() {
    for ascii in [true, false] {
        let theme = Theme::load("dracula", None, Depth::None, ascii).0;
        assert_eq!(theme.name, "mono", "a theme that speaks in colours gives way");
        let states: BTreeSet<String> = RunState::ALL
            .iter()
            .map(|state| format!("{} {:?}", theme.glyphs.state(*state), theme.state(*state).add_modifier))
            .collect();
        assert_eq!(states.len(), RunState::ALL.len());
        for (a, b) in [
            (Role::Cursor, Role::CursorUnfocused),
            (Role::Cursor, Role::Text),
            (Role::CursorUnfocused, Role::Text),
            (Role::Match, Role::MatchCurrent),
            (Role::Match, Role::Text),
            (Role::GroupNew, Role::GroupAcked),
            (Role::BadgeRead, Role::BadgeWrite),
            (Role::DiffAdd, Role::DiffDel),
            (Role::StreamOut, Role::StreamErr),
            (Role::Border, Role::BorderFocus),
            (Role::Key, Role::Text),
            (Role::BudgetNear, Role::BudgetOver),
        ] {
            assert_ne!(theme.style(a), theme.style(b), "{} {}", a.name(), b.name());
        }
    }
}

#[test]
fn a_theme_says_where_its_colours_come_from() {
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/themes")).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        let name = name.strip_suffix(".toml").expect("only themes here").to_owned();
        assert!(Theme::names().any(|known| known == name), "{name} is in the folder and not in the program");
        let text = std::fs::read_to_string(entry.path()).unwrap();
        assert!(text.starts_with("# "), "{name} opens with a line about itself");
        if text.contains("Palette values:") {
            assert!(text.contains("(MIT)") || text.contains("(Apache-2.0)"), "{name} names the licence");
        }
    }
}
