//! Every pane without anything to show: what is so and what to do next, by the keys in force.

use crate::console::app::sample::{self, Session};
use crate::console::app::{Event, commands};
use crate::console::keymap::Keymap;
use crate::model::script::Script;
use crate::model::state::RunState;
use crate::model::wire::{Code, Library, Problem, Targets};

fn problem(error: &str) -> Problem {
    Problem { code: Code::Internal, error: error.into(), column: None }
}

/// What a pane says, with nobody's line breaks: one pane fills the screen.
fn said(session: &Session) -> String {
    let screen = session.screen();
    let body: Vec<&str> = screen.lines().skip(1).collect();
    let text: String = body.join(" ").chars().map(|c| if "|+=".contains(c) { ' ' } else { c }).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Before anything is answered.
fn silent() -> Session {
    let mut session = Session::starting((80, 24), true);
    session.app.update(Event::Attached(Box::new(sample::hello())));
    session
}

fn lost(session: &mut Session) {
    session.app.update(Event::Lost { why: "engine 0.2.0 runs here: replace it".into(), retry: true });
}

type Case = (&'static str, fn() -> Session, &'static [&'static str]);

#[track_caller]
fn say(cases: &[Case]) {
    for (name, made, words) in cases {
        let said = said(&made());
        for word in *words {
            assert!(said.contains(word), "{name}: no {word:?} in: {said}");
        }
    }
}

fn with(keys: &str, change: impl FnOnce(&mut Session)) -> Session {
    let mut session = Session::starting((80, 24), true);
    change(&mut session);
    session.attach();
    session.keys(keys);
    session
}

fn opened(session: &mut Session, keys: &str) {
    // the engine does not answer what these keys ask
    for key in crate::console::keymap::macro_keys(keys) {
        session.app.update(Event::Key(key));
    }
}

#[test]
fn a_list_that_is_not_there_says_why_and_what_to_do() {
    say(&[
        (
            "starting",
            || {
                let mut session = Session::starting((80, 24), true);
                session.keys("f");
                session
            },
            &["starting the engine", "g l shows the log"],
        ),
        (
            "reading",
            || {
                let mut session = silent();
                session.keys("f");
                session
            },
            &["reading the scripts", "^r asks again"],
        ),
        (
            "reading for long",
            || {
                let mut session = silent();
                session.app.update(Event::Tick(sample::at(107)));
                session.keys("2f");
                session
            },
            &["reading the targets", "7 s"],
        ),
        (
            "lost before anything came",
            || {
                let mut session = silent();
                lost(&mut session);
                session.keys("3f");
                session
            },
            &["no engine: engine 0.2.0 runs here: replace it", "looked for every few seconds", "quarterdeck doctor"],
        ),
        (
            "failed",
            || {
                let mut session = silent();
                session.app.update(Event::Jobs(Err(problem("the store is locked"))));
                session.keys("3f");
                session
            },
            &["the jobs could not be read: the store is locked", "^r tries again"],
        ),
        (
            "filtered",
            || with("3f/zzz<enter>", |_| {}),
            &["No job passes", "zzz", "esc clears the filter: 3 are hidden"],
        ),
        (
            "only problems",
            || with("f!", |session| session.scripts.scripts.truncate(1)),
            &["No script passes: only problems", "! shows all 1 again"],
        ),
    ]);
}

#[test]
fn an_empty_list_says_how_it_is_filled() {
    say(&[
        (
            "no scripts",
            || with("f", |session| session.scripts.scripts.clear()),
            &["No scripts yet", "n makes one from a template", "library is here at once"],
        ),
        (
            "no library folder",
            || {
                with("f", |session| {
                    let says = "cannot read the script library /mnt/ops/lib: No such file or directory";
                    session.scripts = Library {
                        folder: "/mnt/ops/lib".into(),
                        scripts: vec![],
                        warnings: vec![says.into()],
                        ..Library::default()
                    };
                })
            },
            &[
                "cannot read the script library /mnt/ops/lib",
                "mend the folder, or name another",
                "[library]",
                "^r reads it again",
            ],
        ),
        (
            "no hosts",
            || with("2f", |session| session.targets = Targets::default()),
            &["No hosts yet", "~/.ssh/config", "config.toml", "^r"],
        ),
        ("no jobs", || with("3f", |session| session.jobs.clear()), &["No jobs yet", "1 goes to the scripts, r runs"]),
    ]);
}

#[test]
fn a_preview_without_a_text_says_why() {
    say(&[
        (
            "nothing chosen",
            || with("4f", |session| session.scripts.scripts.clear()),
            &["would be shown here", "n makes one"],
        ),
        ("all hidden", || with("/zzz<enter>4f", |_| {}), &["No script passes"]),
        (
            "binary",
            || {
                with("4f", |session| {
                    session.scripts.scripts[0].refused = Some("holds NUL bytes: is it a binary?".into());
                })
            },
            &["cannot be launched: it holds NUL bytes", "E opens it in $EDITOR"],
        ),
        (
            "gone",
            || {
                let mut session = with("", |_| {});
                opened(&mut session, "j");
                session.app.update(Event::Script(
                    "failed-units.sh".into(),
                    Box::new(Err(problem("no script 'failed-units.sh'"))),
                ));
                session.keys("4f");
                session
            },
            &["no script 'failed-units.sh'", "^r reads the library again", ":deleted"],
        ),
        (
            "reading",
            || {
                let mut session = with("", |_| {});
                opened(&mut session, "j4f");
                session
            },
            &["reading the script", "^r asks again"],
        ),
        (
            "broken inventory",
            || {
                with("2", |session| {
                    session.targets.connections[1].warnings =
                        vec!["hosts.ini, line 12: no such group `web`".into(), "two".into()];
                    session.targets.devices.truncate(1);
                    session.targets.groups.clear();
                })
            },
            &["lab !"],
        ),
        (
            "broken inventory in full",
            || {
                let mut session = with("2", |session| {
                    session.targets.connections[1].warnings =
                        vec!["hosts.ini, line 12: no such group `web`".into(), "two".into()];
                    session.targets.devices.retain(|device| device.connection == "local");
                    session.targets.groups.clear();
                });
                session.keys("G4f");
                session
            },
            &["hosts.ini, line 12", "mend it, then ^r reads it again", "g l shows all 2 problems"],
        ),
        (
            "a job on its way",
            || {
                let mut session = with("3", |_| {});
                opened(&mut session, "j4f");
                session
            },
            &["reading the job"],
        ),
    ]);
    // a kept expression that means nothing any more
    let mut session = with("", |_| {});
    session.tell(Event::Expressions(vec!["prod & !nosuch".into()]));
    session.keys("2G4f");
    let said = said(&session);
    assert!(said.contains("nosuch") && said.contains("e changes the expression"), "{said}");
}

/// The newest job, with runs in these states and no output.
fn watching(states: &[RunState], keys: &str, change: impl FnOnce(&mut Session)) -> Session {
    with(&format!("3<enter>{keys}"), |session| {
        session.lines = 0;
        session.jobs = vec![sample::job(12, states)];
        for run in &mut session.jobs[0].runs {
            run.last_line.clear();
        }
        change(session);
    })
}

#[test]
fn a_watched_job_says_why_there_is_no_output_yet() {
    say(&[
        (
            "on its way",
            || {
                let mut session = with("3", |_| {});
                opened(&mut session, "j<enter>");
                session
            },
            &["reading the job", "^r asks again"],
        ),
        (
            "gone",
            || {
                let mut session = with("3", |_| {});
                opened(&mut session, "j<enter>");
                session.app.update(Event::Job(11, Box::new(Err(problem("no job 11: it was forgotten after 90 days")))));
                session
            },
            &["no job 11: it was forgotten", "esc leads back"],
        ),
        (
            "queued",
            || watching(&[RunState::Queued, RunState::Queued], "3f", |_| {}),
            &["waits for its turn", "t shows all devices", "K withdraws"],
        ),
        ("sent", || watching(&[RunState::Sent], "3f", |_| {}), &["connecting; no output yet", "K withdraws"]),
        ("running", || watching(&[RunState::Running], "3f", |_| {}), &["no output yet; a script that buffers"]),
        (
            "running, all",
            || watching(&[RunState::Running, RunState::Sent], "t3f", |_| {}),
            &["no output yet from 2 devices", "t shows one device"],
        ),
        ("silent, all", || watching(&[RunState::Ok, RunState::Ok], "t3f", |_| {}), &["No device printed anything"]),
        (
            "not started",
            || {
                watching(&[RunState::Queued], "3f", |session| {
                    session.jobs[0].summary.state = crate::model::state::JobState::Cancelled;
                })
            },
            &["not started: the job ended before its turn"],
        ),
        (
            "nothing on stderr",
            || watching(&[RunState::Running], "3f]]", |_| {}),
            &["nothing on stderr", "] shows the other stream"],
        ),
        ("no such line", || with("3G<enter>3f&zzz<enter>", |_| {}), &["no line matches zzz", "esc shows all lines"]),
        (
            "filtered devices",
            || with("3<enter>f/zzz<enter>", |_| {}),
            &["No device passes", "esc clears the filter: 412"],
        ),
        (
            "the engine went",
            || {
                let mut session = with("3", |_| {});
                lost(&mut session);
                opened(&mut session, "j<enter>");
                session
            },
            &["no engine", "looked for every few seconds"],
        ),
    ]);
}

#[test]
fn what_is_missing_after_a_crash_is_said_where_the_output_is_read() {
    let crashed = |reason: &str| {
        let mut session = with("", |_| {});
        session.jobs = vec![sample::job(12, &[RunState::Failed, RunState::Ok])];
        session.jobs[0].runs[0].reason = Some(reason.into());
        session.attach();
        session.keys("3<enter>3f");
        session
    };
    let reason =
        "interrupted: the engine ended while this ran; how it ended is not known; 99 bytes were received and kept";
    let mut session = crashed(reason);
    let text = said(&session);
    assert!(text.contains("its end is missing") && text.contains("bytes were received and kept"), "{text}");
    session.keys("t");
    assert!(said(&session).contains("the end of 1 is missing"));
    let full = said(&crashed(
        "output could not be kept (No space left on device): 99 bytes are here, what came after is missing",
    ));
    assert!(full.contains("its end is missing"), "{full}");
    assert!(said(&crashed("the engine was ended while this ran")).contains("its end is missing"));
    assert!(
        said(&crashed("no such interpreter")).contains("0 dropped"),
        "what has nothing to do with it does not say so"
    );
}

#[test]
fn the_dialogs_without_rows_say_so() {
    say(&[
        (
            "no versions yet",
            || {
                let mut session = with("", |_| {});
                opened(&mut session, ":versions<enter>");
                session
            },
            &["reading", "esc closes"],
        ),
        (
            "versions failed",
            || {
                let mut session = with("", |_| {});
                opened(&mut session, ":versions<enter>");
                session.app.update(Event::Versions {
                    name: "disk-use.sh".into(),
                    answer: Err(problem("the store is locked")),
                });
                session
            },
            &["the store is locked", "esc closes"],
        ),
        (
            "nothing deleted",
            || {
                let mut session = with("", |_| {});
                opened(&mut session, ":deleted<enter>");
                session.app.update(Event::Trash(Ok(vec![])));
                session
            },
            &["Nothing was deleted", ":delete"],
        ),
        (
            "comparing",
            || {
                let mut session = with("", |_| {});
                session.keys("d");
                opened(&mut session, "<enter>");
                session
            },
            &["comparing", "esc leads back"],
        ),
        ("nothing to report", || with("gl", |_| {}), &["Nothing to report", "esc leads back"]),
        (
            "no notice says that",
            || {
                with("gl/zzz", |session| {
                    session.app.say(crate::console::app::notices::Level::Warn, "the disk is full");
                })
            },
            &["No notice says that", "esc clears the filter"],
        ),
        ("the palette", || with("<C-p>zzzzzz", |_| {}), &["nothing here is called that; esc closes"]),
        ("nothing resolved", || with("r<tab><C-u>web & !web<enter>", |_| {}), &["Launch"]),
    ]);
}

#[test]
fn the_keys_named_are_those_in_force() {
    let mut session = silent();
    session.app.update(Event::Jobs(Err(problem("busy"))));
    let own = "[global]\nrefresh = [\"F12\"]\ngo-log = []\n";
    let (keymap, problems) = Keymap::load("vi", Some((std::path::Path::new("keymap.toml"), own)), &commands::known);
    assert_eq!(problems, Vec::<String>::new());
    session.app.keymap = keymap;
    session.keys("3f");
    let said = said(&session);
    assert!(said.contains("F12 tries again; :go-log shows the log"), "{said}");
}

#[test]
fn what_to_do_next_is_seen_however_long_the_reason_is() {
    let mut session = Session::starting((60, 15), true);
    session.attach();
    session.app.update(Event::Library(Ok(Library {
        folder: "/lib".into(),
        scripts: vec![],
        warnings: vec!["a reason that goes on and on ".repeat(40)],
        ..Library::default()
    })));
    let screen = session.screen();
    assert!(screen.contains("reads it"), "{screen}");
}

/// The same states as pictures: both glyph sets, three sizes.
#[test]
fn the_states_drawn() {
    let sizes = [((80, 24), true), ((140, 40), false), ((60, 15), true)];
    let shown = |change: fn(&mut Session)| -> String {
        let one = |(size, ascii): ((u16, u16), bool)| {
            let mut session = Session::starting(size, ascii);
            change(&mut session);
            format!("{}x{}{}\n{}\n", size.0, size.1, if ascii { " ascii" } else { "" }, session.screen())
        };
        sizes.into_iter().map(one).collect()
    };
    insta::assert_snapshot!("state-starting", shown(|_| {}));
    insta::assert_snapshot!("state-lost", shown(lost));
    insta::assert_snapshot!(
        "state-empty",
        shown(|session| {
            session.scripts.scripts.clear();
            session.jobs.clear();
            session.targets = Targets::default();
            session.attach();
        })
    );
    insta::assert_snapshot!(
        "state-failed",
        shown(|session| {
            session.app.update(Event::Attached(Box::new(sample::hello())));
            session.app.update(Event::Library(Err(problem("the library is on a disk that does not answer"))));
            session.app.update(Event::Targets(Err(problem("the targets could not be resolved"))));
            session.app.update(Event::Jobs(Err(problem("the store is locked by another engine"))));
        })
    );
    insta::assert_snapshot!(
        "state-narrowed",
        shown(|session| {
            session.attach();
            session.keys("/zzz<enter>2/yyy<enter>3/xxx<enter>");
        })
    );
    insta::assert_snapshot!(
        "state-waits",
        shown(|session| {
            session.lines = 0;
            session.jobs = vec![sample::job(12, &[RunState::Queued, RunState::Sent, RunState::Running])];
            session.attach();
            session.keys("3<enter>");
        })
    );
    let mut session = Session::starting((80, 24), false);
    lost(&mut session);
    let area = session.app.area;
    let mut buffer = ratatui::buffer::Buffer::empty(area);
    crate::console::ui::draw(&session.app, area, &mut buffer);
    insta::assert_snapshot!("state-lost-styled", format!("{buffer:?}"));
}

/// A script without its text is no reason to forget which one it is.
#[test]
fn a_text_that_came_is_shown_again_after_the_engine_was_lost() {
    let mut session = with("", |_| {});
    lost(&mut session);
    assert!(session.screen().contains("#!/bin/bash"), "what was read stays");
    let info = session.scripts.scripts[0].clone();
    let script = Script { info, text: "#!/bin/sh\necho new\n".into(), findings: vec![] };
    session.tell(Event::Script("disk-use.sh".into(), Box::new(Ok(script))));
    assert!(session.screen().contains("echo new"));
}
