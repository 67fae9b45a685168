//! What changing the looks promises: trying costs nothing, keeping is said, a broken edit changes nothing.

use std::path::PathBuf;

use super::looks::Reread;
use super::sample::Session;
use super::{Effect, Event, Layer};
use crate::console::theme::choice::Choice;
use crate::console::theme::{Role, Shelf};
use crate::settings::ThemeWish;

fn session() -> Session {
    Session::new((80, 24), true)
}

fn shelf(files: &[(&str, &str)]) -> Shelf {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(format!("{name}.toml")), text).unwrap();
    }
    Shelf::read(folder.path())
}

fn reread(shelf: Shelf, keys: Option<&str>) -> Event {
    let keys = keys.map(|text| (PathBuf::from("keymap.toml"), text.to_owned()));
    Event::Reread(Box::new(Reread { shelf, keys, problems: vec![] }))
}

fn notices(session: &Session) -> String {
    session.screen()
}

#[test]
fn moving_tries_a_theme_on_and_esc_takes_it_off() {
    let mut session = session();
    let before = session.app.theme.clone();
    session.keys("gcdracu");
    assert_eq!(session.app.theme.name, "dracula");
    assert_ne!(session.app.theme, before);
    session.keys("<esc>");
    assert!(session.app.layers.is_empty());
    assert_eq!(session.app.theme, before);
    session.keys("gcnord<C-c>");
    assert_eq!(session.app.theme, before, "however it is left");
    assert!(!session.sent.iter().any(|effect| matches!(effect, Effect::KeepTheme(_))));
}

#[test]
fn enter_keeps_the_theme_for_the_next_console() {
    let mut session = session();
    session.keys("gcgruvbox dark<enter>");
    assert!(session.app.layers.is_empty());
    assert_eq!(session.app.theme.name, "gruvbox-dark");
    assert!(session.sent.contains(&Effect::KeepTheme("gruvbox-dark".into())));
    session.keys("gc");
    let Some(Layer::Chooser(chooser)) = session.app.layers.last() else { panic!("no chooser") };
    assert_eq!(chooser.chosen().unwrap().name, "gruvbox-dark", "it opens on the theme in use");
}

#[test]
fn the_list_tells_ground_and_contrast_and_can_be_asked_for_them() {
    let mut session = session();
    session.keys("gclight");
    let Some(Layer::Chooser(chooser)) = session.app.layers.last() else { panic!("no chooser") };
    let rows: Vec<_> = chooser.shown.iter().map(|at| &chooser.all[*at]).collect();
    assert!(rows.iter().any(|row| row.name == "solarized-light"));
    assert!(rows.iter().any(|row| row.name == "rose-pine-dawn"), "light, though its name does not say so");
    let dawn = rows.iter().find(|row| row.name == "rose-pine-dawn").unwrap();
    assert!((6.0..8.0).contains(&dawn.contrast.unwrap()), "{:?}", dawn.contrast);
}

#[test]
fn the_terminal_turning_light_changes_what_depends_on_it() {
    let mut session = session();
    let dark = session.app.theme.style(Role::Mark);
    session.tell(Event::Ground { dark: false });
    assert_eq!(session.app.theme.name, "terminal-light");
    assert_ne!(session.app.theme.style(Role::Mark), dark);
    session.tell(Event::Ground { dark: true });
    assert_eq!(session.app.theme.name, "terminal");

    let wish = ThemeWish::ByGround { dark: "nord".into(), light: "one-light".into(), fallback: "mono".into() };
    session.app.looks.choice = Choice::from(&wish);
    session.tell(Event::Ground { dark: false });
    assert_eq!(session.app.theme.name, "one-light");
    session.app.looks.choice = Choice::named("dracula");
    session.tell(Event::Ground { dark: true });
    assert_eq!(session.app.theme.name, "dracula", "a name is a name on every ground");
}

#[test]
fn a_light_answer_does_not_disturb_who_is_choosing() {
    let mut session = session();
    session.keys("gcnord");
    session.tell(Event::Ground { dark: false });
    assert_eq!(session.app.theme.name, "nord");
    session.keys("<enter>");
    session.tell(Event::Ground { dark: true });
    assert_eq!(session.app.theme.name, "nord", "what was chosen stays");
}

#[test]
fn an_edited_theme_is_on_the_screen_and_a_broken_one_is_not() {
    let mut session = session();
    session.app.looks.shelf = shelf(&[("mine", "inherits = \"dark\"\nmark = 9\n")]);
    session.keys("gcmine<enter>");
    let marked = session.app.theme.style(Role::Mark);
    session.tell(reread(shelf(&[("mine", "inherits = \"dark\"\nmark = 12\n")]), None));
    let edited = session.app.theme.style(Role::Mark);
    assert_ne!(edited, marked);
    session.tell(reread(shelf(&[("mine", "inherits = \"dark\"\nmark = \"bleu\"\n")]), None));
    assert_eq!(session.app.theme.style(Role::Mark), edited, "the old look stays");
    let said = session.app.notices.all.back().unwrap().text.clone();
    assert!(said.contains("mine.toml:2: `mark`") && said.contains("bleu"), "{said}");
    assert_eq!(session.app.hint, None, "and what was said of the good one does not hide it");
}

#[test]
fn an_edited_keymap_works_and_a_broken_one_changes_no_key() {
    let mut session = session();
    session.tell(reread(Shelf::default(), Some("[global]\nhelp = [\"%\"]\n")));
    session.keys("%");
    assert!(matches!(session.app.layers.last(), Some(Layer::Help(_))));
    session.keys("<esc>");
    session.tell(reread(Shelf::default(), Some("[global]\nhelp = [\"#\"]\nquit = []\n")));
    let said = session.app.notices.all.back().unwrap().text.clone();
    assert!(said.starts_with("keymap.toml:3: [global] `quit`") && said.contains("stay as they were"), "{said}");
    session.keys("#");
    assert!(session.app.layers.is_empty(), "{}", notices(&session));
    session.keys("%");
    assert!(matches!(session.app.layers.last(), Some(Layer::Help(_))));
    session.keys("<esc>");
    session.tell(reread(Shelf::default(), None));
    session.keys("?");
    assert!(matches!(session.app.layers.last(), Some(Layer::Help(_))), "without the file the preset's key is back");
}

#[test]
fn a_keymap_chosen_in_the_console_stands_over_the_file_with_the_operator_s_keys_on_top() {
    let mut session = session();
    session.tell(reread(Shelf::default(), Some("preset = \"vi\"\n[global]\nhelp = [\"%\"]\n")));
    session.app.open_keymaps();
    session.keys("emacs<enter>");
    assert!(session.app.layers.is_empty());
    assert_eq!(session.app.keymap.keys_for("list", "down"), ["^n", "down"]);
    assert_eq!(session.app.keymap.keys_for("global", "help"), ["%"]);
    let said = session.app.hint.clone().unwrap();
    assert!(said.contains("kept for the next time") && said.contains("stand over vi"), "{said}");
    assert!(session.sent.contains(&Effect::KeepKeymap { name: "emacs".into(), asked: "vi".into() }));
    session.tell(reread(Shelf::default(), Some("preset = \"arrows\"\n")));
    assert_eq!(session.app.keymap.keys_for("list", "down"), ["^n", "down"], "an edit of the file does not undo it");
    let said = session.app.hint.clone().unwrap();
    assert!(said.contains("emacs, chosen here, stays"), "{said}");
    assert_eq!(session.app.looks.keys_said(), "emacs, chosen over arrows");
}

#[test]
fn what_file_and_settings_ask_for_is_said_where_keymaps_are_chosen() {
    let mut session = session();
    session.tell(reread(Shelf::default(), Some("preset = \"arrows\"\n")));
    assert_eq!(session.app.looks.keys_said(), "arrows");
    session.keys(":keymap vi<enter>");
    session.app.open_keymaps();
    let Some(Layer::Chooser(chooser)) = session.app.layers.last() else { panic!("no chooser") };
    assert_eq!(chooser.chosen().unwrap().name, "vi", "it opens on the keymap in force");
    let sources: Vec<&str> = chooser.all.iter().map(|row| row.source.as_str()).collect();
    assert!(sources[0].contains("in use, chosen in the console"), "{sources:?}");
    assert!(sources[1].contains("settings and keymap.toml ask for"), "{sources:?}");
}
