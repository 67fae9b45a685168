//! The one-line prompt on the last row but one: target expression, list filter `/`, text search, command line `:`,
//! pipe command `|`. Owns the line being written, its completion, and the way through its history; refuses to know
//! what any of its lines means.
//!
//! How a room uses it:
//! * open: `app.open_prompt(Purpose::Command, "")` puts a [`Prompt`] above everything;
//! * while written: `App::prompt_edited` (in `entry`) is told of every change, `App::prompt_candidates` is asked what
//!   tab may offer: a [`Completion`] of the word before the cursor;
//! * [`Prompt::problem`] is the owner's word about the line: where it is wrong (in characters), and why;
//! * [`Prompt::aside`] is what the owner has to say at the right of the line (`31 of 412`);
//! * enter: `App::prompt_accepted` gets the text, which then is in the history (`history` says what never is);
//!   esc: `App::prompt_cancelled`.

use crossterm::event::KeyEvent;

use super::event::Effect;
use super::form::Text;
use super::history::History;
use super::list::ListId;
use crate::model::wire::{Problem, Resolved};

/// What a line is for. Each purpose has a history of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A target expression, resolved while it is written.
    Target,
    /// A filter of this list, in force while it is written.
    Filter(ListId),
    /// A word or pattern to find in a text.
    Search,
    Command,
    /// A command of the shell that gets the text shown.
    Pipe,
    /// Only lines that match are shown.
    Lines,
    /// A file for the text.
    Save,
    /// The name of a device.
    Device,
    /// The name under which a launch is kept.
    Template,
    /// What is to be said of a signature, and a link to what to read about it.
    Note,
    Runbook,
    /// A rule of the script for the lines that tell: what is masked, what stays.
    Mask,
    Keep,
}

impl Purpose {
    pub const COUNT: usize = 13;
    /// As history files are called.
    pub const NAMES: [&'static str; Self::COUNT] = [
        "target", "filter", "search", "command", "pipe", "lines", "save", "device", "template", "note", "runbook",
        "mask", "keep",
    ];

    pub const fn index(self) -> usize {
        match self {
            Purpose::Target => 0,
            Purpose::Filter(_) => 1,
            Purpose::Search => 2,
            Purpose::Command => 3,
            Purpose::Pipe => 4,
            Purpose::Lines => 5,
            Purpose::Save => 6,
            Purpose::Device => 7,
            Purpose::Template => 8,
            Purpose::Note => 9,
            Purpose::Runbook => 10,
            Purpose::Mask => 11,
            Purpose::Keep => 12,
        }
    }

    /// What stands before the line.
    pub const fn sign(self) -> &'static str {
        match self {
            Purpose::Target => "target: ",
            Purpose::Filter(_) | Purpose::Search => "/",
            Purpose::Command => ":",
            Purpose::Pipe => "|",
            Purpose::Lines => "&",
            Purpose::Save => "save to: ",
            Purpose::Device => "device: ",
            Purpose::Template => "save as template: ",
            Purpose::Note => "note: ",
            Purpose::Runbook => "runbook: ",
            Purpose::Mask => "mask: ",
            Purpose::Keep => "keep: ",
        }
    }
}

/// What tab offers for the word before the cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// Where that word begins, in characters.
    pub from: usize,
    /// What it may become, and a note on it.
    pub options: Vec<(String, String)>,
    /// The one that stands in the line; `None`: only what all have in common does.
    pub at: Option<usize>,
}

impl Completion {
    /// Those of `options` that begin with the word before the cursor (upper and lower case alike). `ends`: what ends a
    /// word besides blanks.
    pub fn of_word(before: &str, ends: &[char], options: impl IntoIterator<Item = (String, String)>) -> Self {
        let start = before.rfind(|c: char| c.is_whitespace() || ends.contains(&c));
        let start = start.map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
        let word = before[start..].to_lowercase();
        let fits = |text: &str| text.to_lowercase().starts_with(&word) && text.to_lowercase() != word;
        let options = options.into_iter().filter(|(text, _)| fits(text)).take(MOST_OPTIONS).collect();
        Self { from: before[..start].chars().count(), options, at: None }
    }
}

/// More are nothing to choose from.
const MOST_OPTIONS: usize = 500;

/// A way back through the history by what is typed (`^r`).
#[derive(Clone, Debug)]
pub struct Recall {
    pub query: Text,
    /// Which line was found.
    at: Option<usize>,
    /// What stood in the line before.
    before: String,
}

/// A target expression's answers.
#[derive(Debug, Default)]
pub struct Expression {
    /// The kept expression this was opened on: it is replaced, or forgotten when the text is empty.
    pub replaces: Option<String>,
    pub answer: Option<Result<(usize, String), Problem>>,
    asked: Option<String>,
    dirty: bool,
}

/// What a key was to the prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Used {
    No,
    Moved,
    Edited,
}

#[derive(Debug)]
pub struct Prompt {
    pub purpose: Purpose,
    pub text: Text,
    pub completion: Option<Completion>,
    pub recall: Option<Recall>,
    /// Where the line is wrong (in characters, where that is known), and why.
    pub problem: Option<(Option<usize>, String)>,
    pub aside: String,
    pub expression: Expression,
    /// The history line shown, and what was written before going there.
    older: Option<usize>,
    draft: String,
}

impl Prompt {
    pub fn new(purpose: Purpose, text: &str) -> Self {
        let draft = text.to_owned();
        let mut text = Text::new(text);
        if matches!(purpose, Purpose::Filter(_)) {
            text.choose();
        }
        Self {
            purpose,
            text,
            completion: None,
            recall: None,
            problem: None,
            aside: String::new(),
            expression: Expression { dirty: true, ..Expression::default() },
            older: None,
            draft,
        }
    }

    /// The line before the cursor.
    pub fn before_cursor(&self) -> &str {
        let text = self.text.text();
        let end = text.char_indices().nth(self.text.cursor()).map_or(text.len(), |(at, _)| at);
        &text[..end]
    }

    /// Text and editing, as readline has them.
    pub fn key(&mut self, key: &KeyEvent, history: &History) -> Used {
        if let Some(recall) = &mut self.recall {
            if recall.query.typed(key) {
                recall.at = None;
                self.search_older(history);
                return Used::Edited;
            }
            // Any other editing goes on with what was found.
            self.recall = None;
        }
        let (before, cursor) = (self.text.text().to_owned(), self.text.cursor());
        let whole = self.text.is_chosen();
        if !self.text.readline(key) {
            return Used::No;
        }
        if whole && self.text.text() == before {
            // (the look of the line is another)
            return Used::Edited;
        }
        self.completion = None;
        if self.text.text() != before {
            self.written();
            Used::Edited
        } else {
            if cursor == self.text.cursor() { Used::Edited } else { Used::Moved }
        }
    }

    pub fn paste(&mut self, text: &str) {
        (self.recall, self.completion) = (None, None);
        self.text.paste(text);
        self.written();
    }

    fn written(&mut self) {
        self.older = None;
        self.draft = self.text.text().to_owned();
        self.expression.dirty = true;
    }

    fn put(&mut self, text: &str) {
        self.text.put(text, text.chars().count());
        self.completion = None;
        self.expression.dirty = true;
    }

    /// One line back or forth in the history, among those that begin with what was written. `false`: there is none.
    pub fn step(&mut self, history: &History, back: bool) -> bool {
        self.recall = None;
        let fits = |at: &usize| history.lines[*at].starts_with(&self.draft) && history.lines[*at] != self.text.text();
        let next = match (self.older, back) {
            (at, true) => (0..at.unwrap_or(history.lines.len()).min(history.lines.len())).rev().find(fits),
            (None, false) => return false,
            (Some(at), false) => match (at + 1..history.lines.len()).find(fits) {
                Some(next) => Some(next),
                None => {
                    let draft = std::mem::take(&mut self.draft);
                    self.put(&draft);
                    (self.draft, self.older) = (draft, None);
                    return true;
                }
            },
        };
        let Some(next) = next else { return false };
        self.put(&history.lines[next]);
        self.older = Some(next);
        true
    }

    /// `^r`: begins to search the history; again: an older line that holds the same.
    pub fn search(&mut self, history: &History) {
        if self.recall.is_none() {
            let before = self.text.text().to_owned();
            self.recall = Some(Recall { query: Text::default(), at: None, before });
        } else {
            self.search_older(history);
        }
    }

    fn search_older(&mut self, history: &History) {
        let Some(recall) = &mut self.recall else { return };
        let query = recall.query.text().to_lowercase();
        let end = recall.at.unwrap_or(history.lines.len()).min(history.lines.len());
        let found = (0..end).rev().find(|at| !query.is_empty() && history.lines[*at].to_lowercase().contains(&query));
        if found.is_some() {
            recall.at = found;
        }
        let line = recall.at.map_or(&recall.before, |at| &history.lines[at]).clone();
        self.put(&line);
    }

    /// Out of the search through the history, with what stood there before. `false`: there was no search.
    pub fn end_search(&mut self) -> bool {
        let Some(recall) = self.recall.take() else { return false };
        self.put(&recall.before);
        true
    }

    /// `true`: what was offered before is still on offer, and tab takes the next.
    pub fn cycle(&mut self, forward: bool) -> bool {
        let Some(mut completion) = self.completion.take() else { return false };
        let len = completion.options.len();
        let at = match (completion.at, forward) {
            (None, true) => 0,
            (None, false) => len - 1,
            (Some(at), true) => (at + 1) % len,
            (Some(at), false) => (at + len - 1) % len,
        };
        completion.at = Some(at);
        let option = completion.options[at].0.clone();
        self.replace_word(completion.from, &option);
        self.completion = Some(completion);
        true
    }

    /// Takes what tab offers: the only one at once, else what all have in common; the rest is shown to choose from.
    /// `false`: nothing is offered.
    pub fn complete(&mut self, completion: Completion) -> bool {
        match completion.options.as_slice() {
            [] => false,
            [(only, _)] => {
                let only = only.clone();
                self.replace_word(completion.from, &only);
                true
            }
            [(first, _), rest @ ..] => {
                let mut common = first.as_str();
                for (option, _) in rest {
                    let alike = common.chars().zip(option.chars()).take_while(|(a, b)| a == b);
                    let length = alike.map(|(a, _)| a.len_utf8()).sum();
                    common = &common[..length];
                }
                let typed = self.before_cursor().chars().skip(completion.from).count();
                if common.chars().count() > typed {
                    let common = common.to_owned();
                    self.replace_word(completion.from, &common);
                }
                self.completion = Some(completion);
                true
            }
        }
    }

    /// The word from `from` to the cursor becomes this one.
    fn replace_word(&mut self, from: usize, word: &str) {
        let text = self.text.text();
        let head: String = text.chars().take(from).collect();
        let tail: String = text.chars().skip(self.text.cursor()).collect();
        let cursor = from + word.chars().count();
        self.text.put(&format!("{head}{word}{tail}"), cursor);
        let completion = self.completion.take();
        self.written();
        self.completion = completion;
    }

    /// Nothing is on its way any more.
    pub fn reset(&mut self) {
        (self.expression.asked, self.expression.dirty) = (None, true);
    }

    /// A target expression is resolved: one question at a time, the latest wins.
    pub fn settle(&mut self) -> Option<Effect> {
        let expression = &mut self.expression;
        if self.purpose != Purpose::Target || !expression.dirty || expression.asked.is_some() {
            return None;
        }
        expression.dirty = false;
        let expr = self.text.text().trim().to_owned();
        if expr.is_empty() {
            (expression.answer, self.problem) = (None, None);
            return None;
        }
        expression.asked = Some(expr.clone());
        Some(Effect::Resolve(expr))
    }

    /// `true`: it was this one's question.
    pub fn answered(&mut self, expr: &str, answer: &Result<Resolved, Problem>) -> bool {
        if self.purpose != Purpose::Target || self.expression.asked.as_deref() != Some(expr) {
            return false;
        }
        self.expression.asked = None;
        self.problem = answer.as_ref().err().map(|problem| (problem.column, problem.error.clone()));
        self.expression.answer =
            Some(answer.as_ref().map(|resolved| (resolved.count, resolved.folded.clone())).map_err(Problem::clone));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::keymap::macro_keys;

    fn history(lines: &[&str]) -> History {
        History { lines: lines.iter().map(|line| (*line).to_owned()).collect() }
    }

    fn typed(prompt: &mut Prompt, keys: &str) {
        for key in macro_keys(keys) {
            prompt.key(&key, &history(&["alpha one", "beta two", "alpha three"]));
        }
    }

    #[test]
    fn a_line_is_edited_as_readline_does() {
        let mut prompt = Prompt::new(Purpose::Command, "");
        for (keys, line, cursor) in [
            ("stop 4812 now", "stop 4812 now", 13),
            ("<C-a>", "stop 4812 now", 0),
            ("<A-f>", "stop 4812 now", 5),
            ("<C-k>", "stop ", 5),
            ("<C-a><C-y>", "4812 nowstop ", 8),
            ("<C-e><C-w>", "4812 ", 5),
            ("now<A-b>x", "4812 xnow", 6),
            ("<C-u>", "now", 0),
            ("<C-d><right><left><end><backspace>", "o", 1),
        ] {
            typed(&mut prompt, keys);
            assert_eq!((prompt.text.text(), prompt.text.cursor()), (line, cursor), "{keys}");
        }
    }

    #[test]
    fn an_old_filter_gives_way_to_the_first_letter_and_is_edited_by_any_other_key() {
        let list = Purpose::Filter(ListId::Jobs);
        for (keys, line) in
            [("db", "db"), ("<backspace>db", "db"), ("<end> db", "web db"), ("<left>x", "wexb"), ("<C-u>", "")]
        {
            let mut prompt = Prompt::new(list, "web");
            typed(&mut prompt, keys);
            assert_eq!((prompt.text.text(), prompt.text.is_chosen()), (line, false), "{keys}");
        }
        let mut prompt = Prompt::new(list, "web");
        prompt.paste("db");
        assert_eq!(prompt.text.text(), "db");
    }

    #[test]
    fn the_history_is_walked_among_lines_that_begin_alike() {
        let lines = history(&["alpha one", "beta two", "alpha three"]);
        let mut prompt = Prompt::new(Purpose::Command, "");
        typed(&mut prompt, "al");
        assert!(prompt.step(&lines, true));
        assert_eq!(prompt.text.text(), "alpha three");
        assert!(prompt.step(&lines, true));
        assert_eq!(prompt.text.text(), "alpha one");
        assert!(!prompt.step(&lines, true), "there is none older");
        assert!(prompt.step(&lines, false) && prompt.step(&lines, false));
        assert_eq!(prompt.text.text(), "al", "what was written comes back");
        assert!(!prompt.step(&lines, false));
    }

    #[test]
    fn the_history_is_searched_and_left_again() {
        let lines = history(&["alpha one", "beta two", "alpha three"]);
        let mut prompt = Prompt::new(Purpose::Command, "draft");
        prompt.search(&lines);
        typed(&mut prompt, "lph");
        assert_eq!(prompt.text.text(), "alpha three");
        prompt.search(&lines);
        assert_eq!(prompt.text.text(), "alpha one");
        prompt.search(&lines);
        assert_eq!(prompt.text.text(), "alpha one", "the oldest stays");
        assert!(prompt.end_search());
        assert_eq!(prompt.text.text(), "draft");
        prompt.search(&lines);
        typed(&mut prompt, "two<C-a>x");
        assert_eq!(prompt.text.text(), "xbeta two", "editing goes on with what was found");
        assert!(!prompt.end_search());
    }

    #[test]
    fn tab_takes_what_all_have_in_common_then_one_after_the_other() {
        let option = |text: &str| (text.to_owned(), String::new());
        let options = || [option("state:"), option("started:"), option("name:")];
        let mut prompt = Prompt::new(Purpose::Command, "web s");
        let offer = |prompt: &Prompt| Completion::of_word(prompt.before_cursor(), &['|'], options());
        assert!(prompt.complete(offer(&prompt)));
        assert_eq!(prompt.text.text(), "web sta");
        assert!(prompt.cycle(true));
        assert_eq!(prompt.text.text(), "web state:");
        assert!(prompt.cycle(true));
        assert_eq!(prompt.text.text(), "web started:");
        assert!(prompt.cycle(false));
        assert_eq!(prompt.text.text(), "web state:");
        typed(&mut prompt, "ok|NA");
        assert!(!prompt.cycle(true), "what is typed ends it");
        assert!(prompt.complete(offer(&prompt)));
        assert_eq!(prompt.text.text(), "web state:ok|name:", "the only one is taken at once");
        assert!(!prompt.complete(offer(&prompt)), "there is nothing more to say");
    }
}
