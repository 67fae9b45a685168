//! The form of a script with a parameter of every kind, at every size, with its styles.

use ratatui::buffer::Buffer;

use crate::console::app::sample_forms;
use crate::console::ui;

const SIZES: [((u16, u16), bool); 5] =
    [((80, 24), true), ((80, 24), false), ((140, 40), true), ((140, 40), false), ((60, 15), true)];

/// Name, and the keys that lead there from the dialog.
const FORMS: [(&str, &str); 6] = [
    ("untouched", ""),
    ("wrong", "14.6<tab><C-u>many"),
    ("list", "14.6<tab><tab><tab><tab>one<enter>two<enter>"),
    ("choices", "14.6<tab><tab><tab><tab><tab><space><right>"),
    ("file", "14.6<tab><tab><tab><tab><tab><tab>/etc/app.conf"),
    ("lines", "14.6<tab><tab><tab><tab><tab><tab><tab>seen in ring 1<enter>again"),
];

#[test]
fn forms_at_every_size_with_their_styles() {
    for (name, keys) in FORMS {
        let screens = SIZES.map(|(size, ascii)| {
            let mut session = sample_forms::session(size, ascii);
            session.keys("r").keys(keys);
            let mut buffer = Buffer::empty(session.app.area);
            ui::draw(&session.app, session.app.area, &mut buffer);
            format!("{buffer:?}\n")
        });
        insta::assert_snapshot!(format!("form-{name}"), screens.concat());
    }
}

#[test]
fn what_is_folded_is_shown_beneath_its_row() {
    let screens = SIZES.map(|(size, ascii)| {
        let mut session = sample_forms::session(size, ascii);
        session.keys("r14.6").keys(&"<tab>".repeat(9)).keys("<space><tab>http://proxy");
        format!("{}x{}\n{}\n", size.0, size.1, session.screen())
    });
    insta::assert_snapshot!("form-advanced", screens.concat());
}
