//! Themes and keymap from the disk and back: read at the start, watched off the loop and read again when edited; the
//! theme and the keymap that were chosen are kept. Refuses to judge what it read: that is the shelf's and the keymap's affair.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, SystemTime};

use notify::{RecursiveMode, Watcher};

use super::files;
use crate::console::app::commands;
use crate::console::app::looks::{Looks, Reread};
use crate::console::keymap::Keymap;
use crate::console::theme::{Depth, Ground, Shelf};
use crate::settings::{Paths, Settings, ThemeWish};

/// Editors write in several steps: one answer for all of them.
const SETTLE: Duration = Duration::from_millis(50);
/// A keymap is a page of text; more is a mistake.
const MAX_KEYS: u64 = 256 * 1024;

fn themes(paths: &Paths) -> PathBuf {
    paths.config.with_file_name("themes")
}

/// Everything of the configuration's folder that is not config.toml.
pub fn read(paths: &Paths) -> Reread {
    let file = paths.config.with_file_name("keymap.toml");
    let mut problems = Vec::new();
    let text = match std::fs::metadata(&file) {
        Ok(meta) if !meta.is_file() => Err(io::Error::other("it is not a file")),
        Ok(meta) if meta.len() > MAX_KEYS => Err(io::Error::other("it is larger than a keymap can be")),
        Ok(_) => std::fs::read_to_string(&file),
        Err(error) => Err(error),
    };
    let keys = match text {
        Ok(text) => Some((file, text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            problems.push(format!("{}: cannot be read: {error}", file.display()));
            None
        }
    };
    Reread { shelf: Shelf::read(&themes(paths)), keys, problems }
}

/// What the settings, the files and earlier choices say, before the terminal has said anything.
pub fn at_start(settings: &Settings, ground: Option<Ground>) -> (Looks, Vec<String>) {
    let read = read(&settings.paths);
    let mut looks = Looks {
        shelf: read.shelf,
        choice: (&settings.ui.theme).into(),
        ground,
        preset: settings.ui.keymap.clone(),
        keys: read.keys,
        ..Looks::default()
    };
    let paths = &settings.paths;
    if !settings.ui.theme_pinned {
        looks.chosen = kept(paths, THEME, &settings.ui.theme.to_string()).filter(|name| looks.shelf.has(name));
    }
    looks.switched = match settings.ui.keymap_pinned {
        true => Some(settings.ui.keymap.clone()),
        false => kept(paths, KEYMAP, &looks.asked_keys()).filter(|name| Keymap::presets().any(|known| known == name)),
    };
    looks.worn = looks.wanted().to_owned();
    (looks, read.problems)
}

/// The keys that a console would have now, or those of another preset, and what is wrong with the operator's file.
pub fn keymap(settings: &Settings, preset: Option<&str>) -> (Keymap, Vec<String>) {
    let (mut looks, mut problems) = at_start(settings, None);
    if let Some(preset) = preset {
        looks.switched = Some(preset.to_owned());
    }
    let (keymap, wrong) = looks.keymap();
    problems.extend(wrong);
    (keymap, problems)
}

/// What is wrong with the looks that settings and files ask for: the themes and the keymap that are named, every theme
/// of the operator's own, the keymap file.
pub fn check(settings: &Settings) -> Vec<String> {
    let read = read(&settings.paths);
    let ui = &settings.ui;
    let named = match &ui.theme {
        ThemeWish::Named(name) => vec![name.as_str()],
        ThemeWish::ByGround { dark, light, fallback } => vec![dark.as_str(), light, fallback],
    };
    let own = read.shelf.names().into_iter().filter(|name| read.shelf.is_own(name));
    let mut problems = read.problems;
    for name in named.into_iter().chain(own) {
        problems.extend(read.shelf.theme(name, Depth::True, false).1);
    }
    let user = read.keys.as_ref().map(|(path, text)| (path.as_path(), text.as_str()));
    let (_, wrong) = match ui.keymap_pinned {
        true => Keymap::switched(&ui.keymap, user, &commands::known),
        false => Keymap::load(&ui.keymap, user, &commands::known),
    };
    problems.extend(wrong);
    let mut said = std::collections::BTreeSet::new();
    problems.retain(|problem| said.insert(problem.clone()));
    // What is wrong with a name stands where it was said.
    let placed = |problem: String| match (problem.strip_prefix("theme: "), problem.strip_prefix("keymap: ")) {
        (Some(why), _) => format!("{}: {why}", settings.place_of("ui", "theme", ui.theme_pinned)),
        (_, Some(why)) => format!("{}: {why}", settings.place_of("ui", "keymap", ui.keymap_pinned)),
        _ => problem,
    };
    problems.into_iter().map(placed).collect()
}

/// Where a choice is kept: its name, and below it what settings and files said at that time. When they say something
/// else now, they are the newer word.
const THEME: &str = "theme";
const KEYMAP: &str = "keymap";

fn kept(paths: &Paths, what: &str, said: &str) -> Option<String> {
    let mut lines = files::read_lines(&paths.state.join(what)).into_iter();
    let (name, then) = (lines.next()?, lines.next()?);
    (then == said).then_some(name)
}

fn keep(paths: &Paths, what: &str, name: &str, said: &str) -> io::Result<()> {
    std::fs::create_dir_all(&paths.state)?;
    files::write_lines(&paths.state.join(what), &[name.to_owned(), said.to_owned()])
}

/// Keeps a theme that was chosen.
///
/// # Errors
/// The state folder cannot be written.
pub fn keep_theme(settings: &Settings, name: &str) -> io::Result<()> {
    keep(&settings.paths, THEME, name, &settings.ui.theme.to_string())
}

/// Keeps a keymap that was chosen, and over what.
///
/// # Errors
/// The state folder cannot be written.
pub fn keep_keymap(paths: &Paths, name: &str, asked: &str) -> io::Result<()> {
    keep(paths, KEYMAP, name, asked)
}

/// What is in the folder, and when it was written.
pub type Stamp = Vec<(PathBuf, Option<SystemTime>)>;

/// To be taken before anything is read.
pub fn stamp(paths: &Paths) -> Stamp {
    let folder = std::fs::read_dir(themes(paths)).into_iter().flatten();
    let themes = folder.filter_map(|entry| Some(entry.ok()?.path()));
    let mut files: Vec<PathBuf> = themes.chain([paths.config.with_file_name("keymap.toml")]).collect();
    files.sort();
    let written = |file: &PathBuf| std::fs::metadata(file).and_then(|meta| meta.modified()).ok();
    files.into_iter().map(|file| (file.clone(), written(&file))).collect()
}

/// Calls `changed` with what the folder holds a moment after something in it was edited, until that says `false`. A
/// folder that is not there yet is waited for in the one above it. Without a watcher nothing is told: the console
/// lives well without.
pub fn watch(paths: &Paths, seen: Stamp, changed: impl Fn(Reread) -> bool + Send + 'static) {
    let Some(config) = paths.config.parent().map(Path::to_owned) else { return };
    let themes = themes(paths);
    let (bell, rung) = mpsc::sync_channel::<()>(1);
    let watched = (paths.config.clone(), themes.clone());
    let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| matters(&event, &watched.0, &watched.1)) {
            let _ = bell.try_send(());
        }
    });
    let Ok(mut watcher) = watcher else { return };
    let paths = paths.clone();
    let watching = move || {
        follow(&mut watcher, &config, &themes);
        // what was edited after it was read and before it was watched
        if stamp(&paths) != seen && !changed(read(&paths)) {
            return;
        }
        while rung.recv().is_ok() {
            std::thread::sleep(SETTLE);
            while rung.try_recv().is_ok() {}
            // Folders come and go; watching one twice is once.
            follow(&mut watcher, &config, &themes);
            if !changed(read(&paths)) {
                return;
            }
        }
    };
    let _ = std::thread::Builder::new().name("looks".into()).spawn(watching);
}

fn follow(watcher: &mut notify::RecommendedWatcher, config: &Path, themes: &Path) {
    let there = config.ancestors().find(|folder| folder.is_dir());
    for folder in there.into_iter().chain([themes]) {
        let _ = watcher.watch(folder, RecursiveMode::NonRecursive);
    }
}

/// Not every write below somebody's home: the configuration, a theme, the keymap, or a folder on the way to them.
fn matters(event: &notify::Event, config: &Path, themes: &Path) -> bool {
    let keymap = config.with_file_name("keymap.toml");
    if matches!(event.kind, notify::EventKind::Access(_)) {
        return false;
    }
    event
        .paths
        .iter()
        .any(|path| path == config || *path == keymap || path.parent() == Some(themes) || themes.starts_with(path))
}
