//! A theme or a keymap was edited: from the files as they lie there to a console that is ready to draw with them,
//! against reading the same files alone in the same run. `cargo bench --bench looks`
//!
//! The moment for which an editor is given to finish writing (50 ms) comes before, and is no work.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use quarterdeck::console::app::looks::Reread;
use quarterdeck::console::app::{App, Event, Place, commands};
use quarterdeck::console::keymap::Keymap;
use quarterdeck::console::theme::{Depth, Role, Shelf, Theme};

const ROUNDS: usize = 400;
const THEMES: usize = 10;

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let (themes, keys) = (folder.path().join("themes"), folder.path().join("keymap.toml"));
    fs::create_dir(&themes).expect("a folder");
    for n in 0..THEMES {
        fs::write(themes.join(format!("mine{n}.toml")), theme(n)).expect("a theme");
    }
    let all = commands::TABLE.iter().map(|command| (command.context, command.name, command.doc));
    let every = Keymap::load("vi", None, &commands::known).0.file("vi", all);
    for depth in [Depth::True, Depth::Ansi256, Depth::Ansi16] {
        let mut app = console(&themes, depth);
        let mut ours = Vec::new();
        let mut alone = Vec::new();
        for round in 0..ROUNDS {
            // Each time something else, or nothing would have to be done.
            fs::write(themes.join("mine0.toml"), theme(round + 1)).expect("a theme");
            let help = if round % 2 == 0 { "help = [\"?\", \"F1\"]" } else { "help = [\"%\", \"F1\"]" };
            fs::write(&keys, every.replacen("help = [\"?\", \"F1\"]", help, 1)).expect("a keymap");
            let begun = Instant::now();
            let bytes: usize = files(&themes, &keys).iter().map(|path| fs::read(path).expect("there").len()).sum();
            alone.push(begun.elapsed());
            let (marked, key) = (app.theme.style(Role::Mark), app.keymap.keys_for("global", "help"));
            let begun = Instant::now();
            let text = fs::read_to_string(&keys).expect("there");
            let read = Reread { shelf: Shelf::read(&themes), keys: Some((keys.clone(), text)), problems: Vec::new() };
            app.update(Event::Reread(Box::new(read)));
            ours.push(begun.elapsed());
            assert!(bytes > 0 && app.dirty, "there is something to draw");
            // with few colours two themes may look alike
            let changed = (marked, key) != (app.theme.style(Role::Mark), app.keymap.keys_for("global", "help"));
            assert!(changed || depth != Depth::True);
        }
        let ((median, p99), (floor, floor_p99)) = (figures(&mut ours), figures(&mut alone));
        println!(
            "{THEMES} themes and a keymap of {} lines, {depth:?}: edited to ready to draw: median {median:.2?} (<= 10 ms), \
             p99 {p99:.2?}; reading the files alone {floor:.2?}, p99 {floor_p99:.2?}: ratio {:.1}",
            every.lines().count(),
            median.as_secs_f64() / floor.as_secs_f64(),
        );
    }
}

fn figures(samples: &mut [Duration]) -> (Duration, Duration) {
    samples.sort();
    (samples[samples.len() / 2], samples[(samples.len() - 1) * 99 / 100])
}

/// A theme that says something of every role.
fn theme(n: usize) -> String {
    let mut text = String::from("inherits = \"dark\"\n");
    for (at, role) in Role::ALL.iter().enumerate() {
        let [r, g, b] = [n, at, n + at].map(|part| 40 + part * 7 % 200);
        text.push_str(&format!("\"{}\" = {{ fg = \"#{r:02x}{g:02x}{b:02x}\", mods = [\"bold\"] }}\n", role.name()));
    }
    text
}

fn files(themes: &Path, keys: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(themes).expect("there").map(|entry| entry.expect("an entry").path());
    entries.chain([keys.to_owned()]).collect()
}

fn console(themes: &Path, depth: Depth) -> App {
    let (keymap, _) = Keymap::load("vi", None, &commands::known);
    let (theme, _) = Theme::load("mine0", Some(themes), depth, false);
    let mut app = App::new(theme, keymap, Place::default(), (140, 40), Timestamp::now());
    app.looks.shelf = Shelf::read(themes);
    app.looks.worn = "mine0".to_owned();
    app.looks.chosen = Some("mine0".to_owned());
    app
}
