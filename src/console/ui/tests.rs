//! Every screen at the sizes it is designed for, as pictures in text beside this file.

use crate::console::app::sample::Session;

const SIZES: [(u16, u16); 4] = [(80, 24), (140, 40), (60, 15), (40, 10)];

/// Name, and the keys that lead there.
const SCREENS: [(&str, &str); 20] = [
    ("overview", ""),
    ("targets", "2jjl jl"),
    ("job-preview", "3j"),
    ("launch", "2jjjr"),
    ("live", "3<enter>"),
    ("live-one", "3G<enter>"),
    ("help", "?"),
    ("stop", "3<enter>Kjj"),
    ("expression", "2e<C-u>prod & "),
    ("armed", "rprod<tab><tab><tab>12"),
    ("picker", "2jjjr<enter>"),
    ("which-key", "g"),
    ("copy", "2y"),
    ("all-tails", "3<enter>tww3f"),
    ("palette", "<C-p>"),
    ("palette-found", "<C-p>run"),
    ("palette-devices", "<C-p>@db"),
    ("actions", "x"),
    ("actions-ended", "3G<enter>x"),
    ("help-filtered", "?fleet"),
];

fn screen(size: (u16, u16), ascii: bool, keys: &str) -> String {
    let mut session = Session::new(size, ascii);
    session.keys(keys);
    format!("{}x{}{}\n{}\n", size.0, size.1, if ascii { " ascii" } else { "" }, session.screen())
}

#[test]
fn every_screen_at_every_size() {
    for (name, keys) in SCREENS {
        let sizes = SIZES.into_iter().enumerate().map(|(n, size)| screen(size, n % 2 == 0, keys));
        insta::assert_snapshot!(name, sizes.collect::<String>());
    }
    insta::assert_snapshot!("overview-drawn", screen((80, 24), false, ""));
    insta::assert_snapshot!("live-drawn", screen((80, 24), false, "3<enter>"));
}

/// Scripts as files: the dialogs, and two texts compared.
#[test]
fn the_dialogs_about_files_and_the_diff() {
    const FILES: [(&str, &str); 9] = [
        ("new", "nweb/check"),
        ("rename", ":rename<enter>"),
        ("delete", ":delete<enter>disk-use.sh"),
        ("versions", ":versions<enter>j"),
        ("version-text", ":versions<enter>j<enter>"),
        ("go-back", ":versions<enter>jR"),
        ("deleted", ":deleted<enter>"),
        ("diff-with", "d"),
        ("diff", "d<enter>"),
    ];
    for (name, keys) in FILES {
        let sizes = [(80, 24), (140, 40), (60, 15)].into_iter().enumerate();
        let screens: String = sizes.map(|(n, size)| screen(size, n % 2 == 0, keys)).collect();
        let safe = |c: char| !c.is_control() || c == '\n';
        assert!(screens.chars().all(safe) && !screens.contains('\u{202e}'), "{name}");
        insta::assert_snapshot!(format!("files-{name}"), screens);
    }
}

#[test]
fn what_is_missing_is_said_with_what_to_do() {
    let mut session = Session::starting((80, 24), false);
    insta::assert_snapshot!("starting-80x24", session.screen());
    session.scripts.scripts.clear();
    session.jobs.clear();
    session.targets = crate::model::wire::Targets::default();
    session.attach();
    insta::assert_snapshot!("empty-80x24", session.screen());
    for text in ["config.toml, line 3: unknown key `colour`", "hosts.ini, line 12: no such group `web`"] {
        session.app.say(crate::console::app::notices::Level::Warn, text);
    }
    session.keys("gl");
    insta::assert_snapshot!("notices-80x24", session.screen());
}

#[test]
fn a_script_in_full_and_lists_in_full() {
    insta::assert_snapshot!("source", screen((140, 40), false, "<enter>"));
    insta::assert_snapshot!("jobs-full", screen((140, 40), false, "3f"));
    insta::assert_snapshot!("targets-full", screen((80, 24), false, "2jjjlf"));
}

#[test]
fn hostile_names_and_output_stay_inside_their_cells() {
    let mut session = Session::new((80, 24), false);
    let mut job = session.jobs[2].clone();
    job.runs[0].name = "web\u{1b}[2J\u{9b}31m\n\rroot".into();
    job.runs[0].last_line = "\u{1b}]0;owned\u{7}\u{202e}evil".into();
    job.summary.script = "\u{1b}[?1049l.sh".into();
    session.jobs = vec![job];
    session.attach();
    session.keys("3<enter>");
    let screen = session.screen();
    assert!(!screen.contains(|c: char| (c.is_control() && c != '\n') || c == '\u{202e}'), "{screen}");
    let widths: Vec<usize> = screen.lines().map(crate::console::text::width).collect();
    assert!(widths.iter().all(|width| *width <= 80), "{widths:?}");
}
