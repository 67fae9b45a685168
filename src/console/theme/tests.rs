//! What a theme promises.

use super::*;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(dir.path().join(format!("{name}.toml")), text).unwrap();
    }
    dir
}

fn load(dir: &tempfile::TempDir, name: &str) -> (Theme, Vec<String>) {
    Theme::load(name, Some(dir.path()), Depth::True, false)
}

#[test]
fn every_theme_of_ours_is_without_fault_and_looks_at_every_role() {
    for name in Theme::names() {
        let (theme, problems) = Theme::load(name, None, Depth::True, false);
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(theme.name, name);
        let sheets = Shelf::default().chain(name).0;
        for role in Role::ALL {
            assert!(
                sheets.iter().any(|sheet| sheet.entries.contains_key(role.name())),
                "{name} says nothing about {}",
                role.name()
            );
        }
    }
}

#[test]
fn states_that_matter_never_look_alike() {
    for name in Theme::names() {
        let theme = Theme::builtin(name).unwrap();
        assert_ne!(theme.state(RunState::Ok), theme.state(RunState::Failed), "{name}");
        assert_ne!(theme.style(Role::BadgeRead), theme.style(Role::BadgeWrite), "{name}");
        assert_ne!(theme.style(Role::Cursor), theme.style(Role::CursorUnfocused), "{name}");
    }
}

#[test]
fn the_default_theme_leaves_the_background_to_the_terminal_and_uses_its_sixteen_colours() {
    let theme = Theme::default();
    assert_eq!(theme.base().bg.unwrap_or(Color::Reset), Color::Reset);
    for role in Role::ALL {
        for colour in [theme.style(*role).fg, theme.style(*role).bg].into_iter().flatten() {
            assert!(colour == Color::Reset || colour::index_of(colour).is_some_and(|index| index < 16), "{role:?}");
        }
    }
}

#[test]
fn no_color_leaves_modifiers_only() {
    for name in Theme::names() {
        let (theme, problems) = Theme::load(name, None, Depth::None, false);
        assert!(problems.is_empty());
        for role in Role::ALL {
            assert_eq!((theme.style(*role).fg, theme.style(*role).bg), (None, None));
        }
        assert!(theme.style(Role::Cursor).add_modifier.contains(Modifier::REVERSED));
        assert!(theme.style(Role::TextMuted).add_modifier.contains(Modifier::DIM));
    }
}

#[test]
fn every_theme_comes_down_to_the_depth_of_the_terminal() {
    for name in Theme::names() {
        let theme = Theme::load(name, None, Depth::Ansi256, false).0;
        for role in Role::ALL {
            assert!(!matches!(theme.style(*role).fg, Some(Color::Rgb(..))), "{name} {role:?}");
        }
    }
}

#[test]
fn a_theme_of_the_operator_changes_what_it_names_and_inherits_the_rest() {
    let dir = folder(&[("mine", "inherits = \"dark\"\nmark = \"sea\"\n[palette]\nsea = \"#00ffcc\"\n")]);
    let (theme, problems) = load(&dir, "mine");
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(theme.style(Role::Mark).fg, Some(Color::Rgb(0, 255, 204)));
    assert_eq!(theme.style(Role::Border), Theme::builtin("dark").unwrap().style(Role::Border));
}

#[test]
fn a_palette_name_may_be_redefined_for_the_parent_too() {
    let dir = folder(&[
        ("a", "[palette]\nsea = 4\n[state]\nok = \"sea\"\n"),
        ("b", "inherits = \"a\"\n[palette]\nsea = 6\n"),
    ]);
    assert_eq!(load(&dir, "b").0.state(RunState::Ok).fg, Some(Color::Cyan));
}

#[test]
fn a_role_that_nobody_names_looks_like_its_family() {
    let sheets = [Arc::new(Sheet::read("t", "state = \"red\"\n\"state.ok\" = \"green\"\n").0)];
    let styles = resolve(&sheets, Depth::True, &mut Vec::new());
    assert_eq!(styles[Role::StateOk as usize].fg, Some(Color::Green));
    assert_eq!(styles[Role::StateTimeout as usize].fg, Some(Color::Red));
}

#[test]
fn a_theme_may_build_on_ours_of_the_same_name() {
    let dir = folder(&[("dark", "inherits = \"dark\"\nmark = 9\n")]);
    let (theme, problems) = load(&dir, "dark");
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(theme.style(Role::Mark).fg, Some(Color::LightRed));
    assert_eq!(theme.style(Role::Key), Theme::builtin("dark").unwrap().style(Role::Key));
}

#[test]
fn a_circle_of_themes_is_named_and_ends() {
    let dir = folder(&[("a", "inherits = \"b\"\nmark = 9\n"), ("b", "\ninherits = \"a\"\nkey = 10\n")]);
    let (theme, problems) = load(&dir, "a");
    assert_eq!(problems.len(), 1);
    assert!(problems[0].contains("b.toml:2: `inherits`") && problems[0].contains("circle"), "{problems:?}");
    assert_eq!(theme.style(Role::Mark).fg, Some(Color::LightRed));
    assert_eq!(theme.style(Role::Key).fg, Some(Color::LightGreen));
}

#[test]
fn a_missing_theme_is_named_and_the_default_used() {
    for name in ["nosuch", "", "../../etc/passwd", "a\0b"] {
        let dir = folder(&[]);
        let (theme, problems) = load(&dir, name);
        assert_eq!(theme.name, "terminal");
        assert_eq!(problems.len(), 1, "{problems:?}");
    }
    let dir = folder(&[("mine", "\n\ninherits = \"nosuch\"\n")]);
    let (_, problems) = load(&dir, "mine");
    assert!(problems[0].contains("mine.toml:3: `inherits`") && problems[0].contains("nosuch"), "{problems:?}");
}

#[test]
fn an_unknown_colour_name_costs_only_its_key() {
    let dir = folder(&[("mine", "inherits = \"dark\"\nborder = \"blu\"\nmark = 9\n")]);
    let (theme, problems) = load(&dir, "mine");
    assert_eq!(problems.len(), 1);
    assert!(problems[0].contains("mine.toml:2: `border`") && problems[0].contains("blu"), "{problems:?}");
    assert_eq!(theme.style(Role::Border), Theme::builtin("dark").unwrap().style(Role::Border));
    assert_eq!(theme.style(Role::Mark).fg, Some(Color::LightRed));
}

#[test]
fn a_file_that_cannot_be_a_theme_is_said_so() {
    let dir = folder(&[("mine", "text = [")]);
    std::fs::write(dir.path().join("bin.toml"), b"mark = 9\n\xff\xfe").unwrap();
    let (theme, problems) = load(&dir, "bin");
    assert!(problems[0].contains("bin.toml:2: not UTF-8"), "{problems:?}");
    assert_eq!(theme.name, "terminal");
    assert!(load(&dir, "mine").1[0].contains("mine.toml:1"));
}
