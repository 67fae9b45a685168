//! Outputs read as what they are, at every size, with their styles.

use ratatui::buffer::Buffer;

use crate::console::app::sample::Session;
use crate::console::app::{Effect, Event};
use crate::console::ui;
use crate::model::content::document::Document;

const SIZES: [((u16, u16), bool); 5] =
    [((80, 24), true), ((80, 24), false), ((140, 40), true), ((140, 40), false), ((60, 15), true)];

const TABLE: &str = "host,free,note\nweb001,9,\"ok, so far\"\nweb002,1200,\u{1b}[31mnearly full\ndb1,,\n";
const PAGE: &str = "<h1>Disks</h1><p>One is <b>nearly</b> full &amp; hot.</p><ul><li>sda1<li>sdb1</ul><table><tr><th>host<th>free</tr><tr><td>web001<td>9</tr></table>";

/// The reader is open on an output.
fn reading(size: (u16, u16), ascii: bool, text: &str) -> Session {
    let mut session = Session::new(size, ascii);
    session.keys("3<enter>o");
    let serial = 1;
    let document = Document::of(text.as_bytes(), None, false);
    session.app.update(Event::Document { serial, answer: Box::new(Ok(document)) });
    session
}

#[test]
fn outputs_as_what_they_are_at_every_size_with_their_styles() {
    for (name, text, keys) in [
        ("tree", "{\"host\": \"web001\", \"disks\": [{\"name\": \"sda1\", \"used\": 41}], \"ok\": true}", "jj"),
        (
            "folded",
            "{\"host\": \"web001\", \"disks\": [{\"name\": \"sda1\", \"used\": 41}], \"ok\": true}",
            "jj<enter>",
        ),
        ("raw", "{\"host\": \"web001\"}", "o"),
        ("table", TABLE, "j"),
        ("page", PAGE, ""),
        ("text", "nothing in particular\n", ""),
    ] {
        let screens = SIZES.map(|(size, ascii)| {
            let mut session = reading(size, ascii, text);
            session.keys(keys);
            let mut buffer = Buffer::empty(session.app.area);
            ui::draw(&session.app, session.app.area, &mut buffer);
            format!("{buffer:?}\n")
        });
        insta::assert_snapshot!(format!("reader-{name}"), screens.concat());
    }
}

#[test]
fn what_cannot_be_read_says_why_and_esc_leads_back() {
    let mut session = Session::new((80, 24), true);
    session.keys("3<enter>o");
    session.app.update(Event::Document { serial: 1, answer: Box::new(Err("lost the engine".into())) });
    assert!(session.screen().contains("it could not be read: lost the engine"), "{}", session.screen());
    session.keys("<esc>");
    assert!(session.app.layers.is_empty());
    assert!(!session.sent.iter().any(|effect| matches!(effect, Effect::StopPipe(_))), "no command was stopped");
}

#[test]
fn a_search_in_a_tree_moves_the_cursor() {
    let mut session = reading((80, 24), true, "{\"a\": [1, 2], \"b\": \"needle\"}");
    session.keys("H/needle<enter>");
    let screen = session.screen();
    assert!(screen.contains("b: \"needle\""), "{screen}");
    session.keys("h");
    assert!(session.screen().contains("- {"), "{}", session.screen());
}
