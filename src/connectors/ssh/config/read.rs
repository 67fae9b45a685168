//! Reads the files of a configuration, `Include`s in their places, into one flat list of blocks. What is
//! wrong becomes a warning naming file, line and keyword; the rest of the file still counts.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use super::keywords::{self, Criterion, Line, Setting};
use super::words;

/// `Include`s inside each other, as in OpenSSH.
const DEPTH: usize = 16;
/// Files read in all: a file that includes itself twice doubles at every level.
const FILES: usize = 2_000;
/// Bytes of one file.
const FILE_BYTES: u64 = 16 << 20;
/// Warnings kept: a binary file taken for a configuration is wrong on every line.
const WARNINGS: usize = 100;

/// Lines under one condition.
#[derive(Debug)]
pub(super) struct Block {
    /// The block whose condition must hold too: the one an `Include` stands in.
    pub parent: Option<usize>,
    pub condition: Condition,
    pub settings: Vec<(Setting, Place)>,
    pub place: Place,
}

#[derive(Debug)]
pub(super) enum Condition {
    Always,
    /// A condition that could not be read.
    Never,
    Host(Vec<String>),
    Match(Vec<Criterion>),
}

/// Where a line stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub file: usize,
    pub line: usize,
}

/// Everything that was read.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub blocks: Vec<Block>,
    /// Blocks to look at for every host, in order.
    pub general: Vec<usize>,
    /// Blocks whose condition is a list of plain names: looked at for these names alone, so that 10,000 hosts
    /// do not cost 10,000 comparisons each.
    pub named: HashMap<String, Vec<usize>>,
    pub paths: Vec<PathBuf>,
    pub system: Vec<bool>,
    pub watched: Vec<PathBuf>,
    pub warnings: Vec<String>,
    /// A `Match final` was seen: the files are gone through twice.
    pub twice: bool,
}

struct Reader<'a> {
    files: Files,
    home: &'a Path,
    ignored: Vec<String>,
}

pub(super) fn read(paths: &[PathBuf], home: &Path) -> Files {
    let mut reader = Reader { files: Files::default(), home, ignored: Vec::new() };
    for path in paths {
        let system = path.starts_with("/etc/ssh");
        // OpenSSH refuses to trust the operator's own file when others may write it; a file named on purpose it takes.
        let trusted = *path != home.join(".ssh/config");
        if !path.exists() {
            reader.watch(path);
            continue;
        }
        reader.file(path, None, system, trusted, 0);
    }
    let mut files = reader.files;
    for (index, block) in files.blocks.iter().enumerate() {
        match &block.condition {
            Condition::Never => {}
            Condition::Host(patterns) if !patterns.iter().any(|pattern| words::is_pattern(pattern)) => {
                for name in patterns {
                    let blocks = files.named.entry(name.clone()).or_default();
                    if blocks.last() != Some(&index) {
                        blocks.push(index);
                    }
                }
            }
            _ => files.general.push(index),
        }
    }
    files
}

impl Reader<'_> {
    fn watch(&mut self, path: &Path) {
        if !self.files.watched.iter().any(|known| known == path) {
            self.files.watched.push(path.to_owned());
        }
    }

    fn warn(&mut self, warning: String) {
        match self.files.warnings.len() {
            n if n < WARNINGS => self.files.warnings.push(warning),
            WARNINGS => self.files.warnings.push("ssh configuration: more of the same is not shown".to_owned()),
            _ => {}
        }
    }

    /// One file, its first lines under the condition of `parent`.
    fn file(&mut self, path: &Path, parent: Option<usize>, system: bool, trusted: bool, depth: usize) {
        self.watch(path);
        let shown = path.display();
        if self.files.paths.len() >= FILES {
            self.warn(format!("{shown}: not read, more than {FILES} files are included"));
            return;
        }
        let text = match contents(path, trusted) {
            Ok(text) => text,
            Err(why) => {
                self.warn(format!("{shown}: {why}"));
                return;
            }
        };
        let file = self.files.paths.len();
        self.files.paths.push(path.to_owned());
        self.files.system.push(system);
        let mut block = self.open(parent, Condition::Always, Place { file, line: 0 });
        for (index, line) in text.split('\n').enumerate() {
            let place = Place { file, line: index + 1 };
            let Some((key, rest)) = words::keyword(line) else {
                if line.trim_start().starts_with('"') {
                    self.warn(format!("{shown}:{}: a quote is not closed", place.line));
                }
                continue;
            };
            match keywords::read(&key, rest, &self.ignored) {
                Ok(Line::Host(patterns)) => block = self.open(parent, Condition::Host(patterns), place),
                Ok(Line::Match(criteria)) => {
                    self.files.twice |= criteria.iter().any(|criterion| criterion.test == keywords::Test::Final);
                    block = self.open(parent, Condition::Match(criteria), place);
                }
                Ok(Line::Include(targets)) => {
                    for target in targets {
                        self.include(&target, block, system, depth, place);
                    }
                    block = self.open(Some(block), Condition::Always, place);
                }
                Ok(Line::IgnoreUnknown(list)) => self.ignored.push(list),
                Ok(Line::Set(setting)) => {
                    if let Some(block) = self.files.blocks.get_mut(block) {
                        block.settings.push((setting, place));
                    }
                }
                Ok(Line::Other) => {}
                Err(why) => {
                    let key = printable(&key);
                    self.warn(format!("{shown}:{}: {key}: {}", place.line, printable(&why)));
                    if key == "host" || key == "match" {
                        block = self.open(parent, Condition::Never, place);
                    }
                }
            }
        }
    }

    fn open(&mut self, parent: Option<usize>, condition: Condition, place: Place) -> usize {
        self.files.blocks.push(Block { parent, condition, settings: Vec::new(), place });
        self.files.blocks.len() - 1
    }

    fn include(&mut self, target: &str, block: usize, system: bool, depth: usize, place: Place) {
        let shown = self.files.paths.get(place.file).map(|path| path.display().to_string()).unwrap_or_default();
        if depth + 1 > DEPTH {
            self.warn(format!("{shown}:{}: include: more than {DEPTH} files inside each other", place.line));
            return;
        }
        let pattern = match target.strip_prefix('~') {
            Some(_) if system => {
                self.warn(format!("{shown}:{}: include: `{target}` has no meaning for all users", place.line));
                return;
            }
            Some(rest) if rest.is_empty() || rest.starts_with('/') => self.home.join(rest.trim_start_matches('/')),
            Some(_) => {
                self.warn(format!("{shown}:{}: include: another user's home is not looked up", place.line));
                return;
            }
            None if system => Path::new("/etc/ssh").join(target),
            None => self.home.join(".ssh").join(target),
        };
        let (found, folders) = glob(&pattern);
        for folder in folders {
            self.watch(&folder);
        }
        for path in found {
            self.file(&path, Some(block), system, false, depth + 1);
        }
    }
}

fn contents(path: &Path, trusted: bool) -> Result<String, String> {
    let file = File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    let meta = file.metadata().map_err(|error| format!("cannot be read: {error}"))?;
    if !meta.is_file() {
        return Err("is not a plain file".to_owned());
    }
    let own = meta.uid() == 0 || meta.uid() == rustix::process::getuid().as_raw();
    if !trusted && (!own || meta.mode() & 0o022 != 0) {
        return Err("not read: others may write it (ssh: Bad owner or permissions); chmod go-w makes it usable".into());
    }
    let mut bytes = Vec::new();
    file.take(FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() as u64 > FILE_BYTES {
        return Err(format!("not read: larger than {} MiB", FILE_BYTES >> 20));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A bad line may hold anything: it is quoted short and without control characters.
fn printable(text: &str) -> String {
    text.chars().take(120).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Files a pattern with `*`, `?` and `[…]` names, sorted, and the folders to watch for new ones.
fn glob(pattern: &Path) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let mut found = vec![PathBuf::new()];
    let mut folders = Vec::new();
    for part in pattern.components() {
        let Component::Normal(name) = part else {
            found.iter_mut().for_each(|path| path.push(part));
            continue;
        };
        let name = name.to_string_lossy();
        if !name.contains(['*', '?', '[']) {
            found.iter_mut().for_each(|path| path.push(name.as_ref()));
            continue;
        }
        let mut next = Vec::new();
        for folder in found {
            let mut names: Vec<String> = fs::read_dir(&folder)
                .into_iter()
                .flatten()
                .flatten()
                .filter_map(|entry| entry.file_name().into_string().ok())
                .filter(|entry| entry.starts_with('.') == name.starts_with('.') && fits(entry, &name))
                .take(FILES)
                .collect();
            names.sort();
            next.extend(names.into_iter().map(|name| folder.join(name)));
            folders.push(folder);
        }
        found = next;
    }
    found.retain(|path| path.exists());
    (found, folders)
}

/// Shell glob of one name: sets `[a-z]`, `[!x]` are turned into each of their characters in turn.
fn fits(text: &str, pattern: &str) -> bool {
    let Some((before, set, after)) = pattern.split_once('[').and_then(|(before, rest)| {
        let close = rest.char_indices().skip(1).find(|(_, c)| *c == ']')?.0;
        Some((before, &rest[..close], &rest[close + 1..]))
    }) else {
        return words::matches(text, pattern);
    };
    let (wanted, set) = set.strip_prefix(['!', '^']).map_or((true, set), |set| (false, set));
    let set: Vec<char> = set.chars().collect();
    let holds = |c: char| {
        let mut at = 0;
        while at < set.len() {
            if set.len() > at + 2 && set[at + 1] == '-' {
                if (set[at]..=set[at + 2]).contains(&c) {
                    return true;
                }
                at += 3;
            } else {
                if set[at] == c {
                    return true;
                }
                at += 1;
            }
        }
        false
    };
    text.char_indices().any(|(at, c)| {
        holds(c) == wanted && words::matches(&text[..at], before) && fits(&text[at + c.len_utf8()..], after)
    })
}
