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
