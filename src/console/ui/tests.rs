//! Every screen at the sizes it is designed for, as pictures in text beside this file.

use crate::console::app::sample::Session;

const SIZES: [(u16, u16); 4] = [(80, 24), (140, 40), (60, 15), (40, 10)];

/// Name, and the keys that lead there.
pub(super) const SCREENS: [(&str, &str); 33] = [
    ("overview", ""),
    ("targets", "2jjl jl"),
    ("job-preview", "3j"),
    ("launch", "2jjjr"),
    ("live", "3<enter>"),
    ("live-one", "3G<enter>"),
    ("held", "3j<enter>"),
    ("held-approve", "3j<enter>P"),
    ("held-go-on", "3<enter>p"),
    ("launch-rings", "rweb<A-c>1, 30%, 100%<tab><right><tab>25"),
    ("groups", "3uj"),
    ("groups-members", "3uj<enter>j<space>f"),
    ("help", "?"),
    ("stop", "3<enter>Kjj"),
    ("expression", "2e<C-u>prod & "),
    ("armed", "rprod<enter><enter><enter>12"),
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
    ("editor", "e<pgdn><up><up>"),
    ("editor-replace", "ex<C-f>rc<esc><C-r>rc<tab>code"),
    ("editor-vi", "e<F4>:set"),
    ("editor-selected", "e<down><S-down><S-down><S-end>"),
    ("command-line", ":job <tab>"),
    ("command-wrong", ":run disk-use.hs web & !state:offline<enter>"),
    ("copy-live", "3G<enter>y"),
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

/// A window that is made small and large again shows what it showed; on the way nothing leaves its rows and columns.
#[test]
fn down_to_ten_by_three_and_back_in_every_view() {
    use crate::console::app::Event;
    let sizes: Vec<(u16, u16)> = (0..=37).map(|n| (140 - n * 130 / 37, 40 - n)).collect();
    for (name, keys) in SCREENS {
        let mut session = Session::new((140, 40), false);
        session.keys(keys);
        let before = session.screen();
        for (width, height) in sizes.iter().chain(sizes.iter().rev()) {
            session.tell(Event::Resize(*width, *height));
            let screen = session.screen();
            assert_eq!(screen.lines().count(), usize::from(*height), "{name} at {width}x{height}");
            let wide = screen.lines().map(crate::console::text::width).max();
            assert!(wide <= Some(usize::from(*width)), "{name} at {width}x{height}:\n{screen}");
        }
        assert_eq!(session.screen(), before, "{name}");
    }
}

/// Scripts as files: the dialogs, and two texts compared.
pub(super) const FILES: [(&str, &str); 9] = [
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

#[test]
fn the_dialogs_about_files_and_the_diff() {
    for (name, keys) in FILES {
        let sizes = [(80, 24), (140, 40), (60, 15)].into_iter().enumerate();
        let screens: String = sizes.map(|(n, size)| screen(size, n % 2 == 0, keys)).collect();
        let safe = |c: char| !c.is_control() || c == '\n';
        assert!(screens.chars().all(safe) && !screens.contains('\u{202e}'), "{name}");
        insta::assert_snapshot!(format!("files-{name}"), screens);
    }
}

/// A roll-out that waits, and one that is written down: words, colours and signs, at the sizes they are designed for.
#[test]
fn a_roll_out_in_style_at_every_size() {
    for (name, keys) in [("held-styled", "3j<enter>"), ("launch-rings-styled", "rweb<A-c>1, 30%, 100%<tab><right>")] {
        let mut pictures = String::new();
        for (size, ascii) in [((80, 24), true), ((140, 40), false), ((60, 15), true), ((80, 24), false)] {
            let mut session = Session::new(size, ascii);
            session.keys(keys);
            let area = session.app.area;
            let mut buffer = ratatui::buffer::Buffer::empty(area);
            crate::console::ui::draw(&session.app, area, &mut buffer);
            pictures += &format!("{buffer:?}\n");
        }
        insta::assert_snapshot!(name, pictures);
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
fn the_log_has_levels_voices_and_repeats_at_every_size() {
    use crate::console::app::notices::{Level, Voice};
    let shown = |keys: &str| -> String {
        let sizes = SIZES.into_iter().enumerate();
        sizes
            .map(|(n, size)| {
                let mut session = Session::new(size, n % 2 == 0);
                session.app.say(Level::Warn, "config.toml, line 3: unknown key `colour`; did you mean `color`?");
                let now = session.app.now;
                for _ in 0..3 {
                    session.app.notices.hear(
                        now,
                        Level::Warn,
                        Voice::Engine,
                        "hosts.ini, line 12: no such group `web`",
                    );
                }
                session.app.say(Level::Error, "the jobs could not be read again: no engine answers; ^r tries again");
                session.app.say(Level::Info, "job 12 was launched on 412 devices");
                session.keys(keys);
                format!("{}x{}\n{}\n", size.0, size.1, session.screen())
            })
            .collect()
    };
    insta::assert_snapshot!("log", shown("gl"));
    insta::assert_snapshot!("log-problems", shown("gl!"));
    insta::assert_snapshot!("notice", shown(""));
}

/// At the width with no column for them, a job that ran nowhere is told from one that went well; and a job that has
/// ended says how.
#[test]
fn what_became_of_a_job_is_told_at_every_width() {
    use crate::console::app::sample::job;
    use crate::model::state::RunState::{Failed, Offline, Ok, Timeout};
    let cases: [(&[_], &str, &str); 5] = [
        (&[Offline], "100%  -1", "1 OFFLINE"),
        (&[Ok, Ok, Ok], "100%   0", "ALL OK"),
        (&[Ok, Failed, Offline, Timeout], "100%   2", "2 FAILED"),
        (&[Ok, Timeout], "100%   1", "1 TIMED OUT"),
        (&[Ok, Offline, Offline], "100%  -2", "2 OFFLINE"),
    ];
    for (states, row, head) in cases {
        let mut session = Session::starting((80, 24), false);
        session.jobs = vec![job(7, states)];
        session.attach();
        session.keys("3");
        assert!(session.screen().contains(row), "{row}: {}", session.screen());
        session.keys("<enter>");
        assert!(session.screen().contains(head), "{head}: {}", session.screen());
    }
}

#[test]
fn why_a_run_ended_stands_beside_what_it_said_last() {
    let mut run = crate::console::app::sample::job(1, &[crate::model::state::RunState::Running]).runs.remove(0);
    run.last_line = "45% done".into();
    run.reason = Some("cancelled while it ran".into());
    assert_eq!(super::live::last_words(&run), "45% done  (cancelled while it ran)");
    run.last_line.clear();
    assert_eq!(super::live::last_words(&run), "cancelled while it ran");
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

#[test]
fn the_editor_s_colours_signs_and_questions() {
    use crate::console::app::Event;
    use crate::model::script::{Finding, Level, Replacement};
    let mut session = Session::new((80, 24), false);
    session.keys("e<down><down><end>");
    let at = |line, column, level, code: &str, text: &str, fix: &[(u32, &str)]| Finding {
        column,
        tool: "shellcheck".into(),
        fix: fix
            .iter()
            .map(|(column, text)| Replacement {
                line,
                column: *column,
                end_line: line,
                end_column: *column,
                text: (*text).into(),
            })
            .collect(),
        ..Finding::new(level, line, code, text.into())
    };
    let findings = vec![
        at(19, 3, Level::Error, "SC2164", "use cd \"$STAGE\" || exit in case cd fails", &[(14, " || exit")]),
        at(20, 9, Level::Warn, "SC2155", "declare and assign separately to avoid masking return values", &[]),
        at(23, 10, Level::Info, "SC2086", "double quote to prevent globbing and word splitting", &[(10, "\"")]),
    ];
    session.tell(Event::Tick(session.app.now + jiff::SignedDuration::from_secs(2)));
    session.tell(Event::Linted { serial: 1, answer: Ok(findings) });
    session.keys("<F8>x");
    insta::assert_snapshot!("editor-lint-80x24", session.screen());
    let area = session.app.area;
    let mut buffer = ratatui::buffer::Buffer::empty(area);
    crate::console::ui::draw(&session.app, area, &mut buffer);
    insta::assert_snapshot!("editor-styled", format!("{buffer:?}"));
    session.keys("<A-l>");
    insta::assert_snapshot!("editor-why-80x24", session.screen());
    session.keys("<esc>x<F5>");
    insta::assert_snapshot!("editor-save-80x24", session.screen());
}

/// The editor with what lint says, while something is sought, over a file that somebody else has changed, and with a
/// draft beside its versions: words, colours and signs, at the sizes it is designed for.
#[test]
fn the_editor_in_style_at_every_size() {
    use crate::console::app::Event;
    use crate::console::app::shelf::SaveProblem;
    use crate::model::script::{Finding, Level};
    let later = |session: &mut Session, seconds| {
        session.tell(Event::Tick(session.app.now + jiff::SignedDuration::from_secs(seconds)));
    };
    let drawn = |session: &Session| {
        let area = session.app.area;
        let mut buffer = ratatui::buffer::Buffer::empty(area);
        crate::console::ui::draw(&session.app, area, &mut buffer);
        format!("{buffer:?}\n")
    };
    let mut pictures = [const { String::new() }; 4];
    for (size, ascii) in [((80, 24), true), ((140, 40), false), ((60, 15), true), ((80, 24), false)] {
        let mut session = Session::new(size, ascii);
        session.keys("e<down><down><end>");
        later(&mut session, 2);
        let found = vec![
            Finding::new(Level::Error, 3, "SC2164", "use cd || exit in case cd fails".into()),
            Finding::new(Level::Warn, 5, "secret", "looks like a secret, for all to read".into()),
            Finding::new(Level::Info, 0, "lint", "shellcheck is not installed here".into()),
        ];
        session.tell(Event::Linted { serial: 1, answer: Ok(found) });
        pictures[0] += &drawn(&session);
        session.keys("<C-f>echo");
        pictures[1] += &drawn(&session);
        session.keys("<esc><C-home><end> draft");
        later(&mut session, 2);
        pictures[2] += &drawn(&session);
        session.keys("<F3>");
        let answer = Err(SaveProblem::Changed { version: "77aa00b1c2d3".into(), bytes: b"theirs\n".to_vec() });
        session.tell(Event::Saved { name: "disk-use.sh".into(), answer });
        pictures[3] += &drawn(&session);
    }
    let names = ["editor-style-lint", "editor-style-find", "editor-style-versions", "editor-style-changed"];
    for (name, picture) in names.into_iter().zip(pictures) {
        insta::assert_snapshot!(name, picture);
    }
}
