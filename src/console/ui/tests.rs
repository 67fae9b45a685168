//! Every screen at the sizes it is designed for. `LOOK=1 cargo test --lib look -- --nocapture` prints them.

use crate::console::app::sample::Session;

const SIZES: [(u16, u16); 4] = [(80, 24), (140, 40), (60, 15), (40, 10)];

/// Name, and the keys that lead there.
const SCREENS: [(&str, &str); 9] = [
    ("overview", ""),
    ("targets", "2jjl jl"),
    ("job-preview", "3j"),
    ("launch", "2jjjr"),
    ("live", "3<enter>"),
    ("live-one", "3G<enter>"),
    ("help", "?"),
    ("stop", "3<enter>Kjj"),
    ("expression", "2ex & "),
];

#[test]
fn look() {
    for (name, keys) in SCREENS {
        for (size, ascii) in [(SIZES[0], true), (SIZES[1], false)] {
            let mut session = Session::new(size, ascii);
            session.keys(keys);
            println!("--- {name} {size:?}\n{}", session.screen());
        }
    }
}

fn shown(name: &str, size: (u16, u16), ascii: bool, keys: &str) {
    let mut session = Session::new(size, ascii);
    session.keys(keys);
    let signs = if ascii { "ascii" } else { "utf8" };
    insta::assert_snapshot!(format!("{name}-{}x{}-{signs}", size.0, size.1), session.screen());
}

#[test]
fn every_screen_at_every_size() {
    for (name, keys) in SCREENS {
        for (n, size) in SIZES.into_iter().enumerate() {
            shown(name, size, n % 2 == 0, keys);
        }
    }
    shown("overview", (80, 24), false, "");
    shown("live", (80, 24), false, "3<enter>");
}
