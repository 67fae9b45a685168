//! The text of a filter to its terms. Every error names the column it is at.

use regex::RegexBuilder;

use super::fuzzy::Fuzzy;
use super::needle::Needle;
use super::terms::{Clause, Op, Strange, Test};
use super::{Column, Filter, Kind, Wrong, amount};
use crate::model::nearest::{nearest, shown};
use crate::model::target::version;

/// Longer is no filter, but a paste gone wrong.
const LENGTH: usize = 2000;
const TERMS: usize = 64;
/// Bytes that a compiled pattern may take.
const PATTERN: usize = 1 << 20;

/// One character of the text; what is quoted means itself.
#[derive(Clone, Copy)]
struct Letter {
    c: char,
    quoted: bool,
    /// The quotation mark it is, if it is one: no part of the text.
    mark: bool,
}

pub(super) fn parse(text: &str, columns: &[Column]) -> Result<Filter, Wrong> {
    let letters = letters(text)?;
    let mut any = Vec::new();
    let mut all: Vec<Clause> = Vec::new();
    let (mut at, mut terms, mut bar) = (0, 0, None);
    loop {
        while letters.get(at).is_some_and(|letter| !letter.quoted && letter.c.is_whitespace()) {
            at += 1;
        }
        match letters.get(at) {
            None if all.is_empty() => {
                return match bar {
                    Some(bar) => Err(Wrong::at(bar, "something must follow `|`")),
                    None => Ok(Filter::default()),
                };
            }
            None => {
                any.push(all);
                return Ok(Filter { any });
            }
            Some(letter) if is(*letter, '|') => {
                if all.is_empty() {
                    return Err(Wrong::at(at, "something must stand before `|`"));
                }
                any.push(std::mem::take(&mut all));
                bar = Some(at);
                at += 1;
            }
            Some(_) => {
                terms += 1;
                if terms > TERMS {
                    return Err(Wrong::at(at, format!("more than {TERMS} terms are no filter")));
                }
                all.push(term(&letters, &mut at, columns)?);
            }
        }
    }
}

fn letters(text: &str) -> Result<Vec<Letter>, Wrong> {
    let mut letters = Vec::new();
    let mut open = None;
    let mut escaped = false;
    for (at, c) in text.chars().enumerate() {
        if at >= LENGTH {
            return Err(Wrong::at(at, format!("a filter has at most {LENGTH} characters")));
        }
        let mark = c == '"' && !escaped;
        if open.is_some() && c == '\\' && !escaped {
            escaped = true;
            letters.push(Letter { c, quoted: true, mark: true });
            continue;
        }
        if escaped && !matches!(c, '"' | '\\') {
            // a backslash before anything else is a backslash
            if let Some(last) = letters.last_mut() {
                last.mark = false;
            }
        }
        escaped = false;
        if mark {
            open = if open.is_some() { None } else { Some(at) };
        }
        letters.push(Letter { c, quoted: open.is_some() || mark, mark });
    }
    match open {
        Some(at) => Err(Wrong::at(at, "this quotation mark is not closed")),
        None => Ok(letters),
    }
}

fn is(letter: Letter, c: char) -> bool {
    letter.c == c && !letter.quoted
}

/// The characters of a stretch, without quotation marks.
fn plain(letters: &[Letter]) -> String {
    letters.iter().filter(|letter| !letter.mark).map(|letter| letter.c).collect()
}

fn needle(letters: &[Letter]) -> Needle {
    let mut parts = vec![String::new()];
    for letter in letters.iter().filter(|letter| !letter.mark) {
        if is(*letter, '*') {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(letter.c);
        }
    }
    Needle::new(plain(letters), parts)
}

fn starts(letters: &[Letter], with: &str) -> bool {
    let mut letters = letters.iter();
    with.chars().all(|c| letters.next().is_some_and(|letter| is(*letter, c)))
}

/// Up to the next blank or `|`; a pattern up to the next blank.
fn word(letters: &[Letter], from: usize) -> usize {
    let mut at = from;
    let mut pattern = false;
    while let Some(letter) = letters.get(at) {
        pattern |= starts(&letters[at..], "re:") && (at == from || is(letters[at - 1], ':'));
        if !letter.quoted && (letter.c.is_whitespace() || (letter.c == '|' && !pattern)) {
            break;
        }
        at += 1;
    }
    at
}

fn term(letters: &[Letter], at: &mut usize, columns: &[Column]) -> Result<Clause, Wrong> {
    let mut not = false;
    while letters.get(*at).is_some_and(|letter| is(*letter, '!')) {
        not = !not;
        *at += 1;
    }
    let start = *at;
    let end = word(letters, start);
    *at = end;
    let stretch = &letters[start..end];
    if stretch.is_empty() {
        return Err(Wrong::at(start.saturating_sub(1), "something must follow `!`"));
    }
    match field(stretch, start, columns)? {
        Named::Column(column, from) => {
            let about = &columns[column];
            let test = value(&stretch[from..], start + from, about)?;
            Ok(Clause { not, column: Some(column), name: about.name.to_string(), test, strange: None })
        }
        Named::Strange(name) => {
            let strange = Some(Strange::new(name, start));
            Ok(Clause { not, column: None, name: String::new(), test: words(stretch, start)?, strange })
        }
        Named::Nothing => {
            Ok(Clause { not, column: None, name: String::new(), test: words(stretch, start)?, strange: None })
        }
    }
}

/// `~word`, `re:pattern`, or a word.
fn words(stretch: &[Letter], start: usize) -> Result<Test, Wrong> {
    if starts(stretch, "~") {
        let text = plain(&stretch[1..]);
        return if text.is_empty() {
            Err(Wrong::at(start, "something must follow `~`"))
        } else {
            Ok(Test::Fuzzy(Fuzzy::new(&text)))
        };
    }
    if starts(stretch, "re:") {
        return pattern(&plain(&stretch[3..]), start + 3);
    }
    Ok(Test::Holds(needle(stretch)))
}

fn pattern(text: &str, at: usize) -> Result<Test, Wrong> {
    if text.is_empty() {
        return Err(Wrong::at(at.saturating_sub(1), "a pattern must follow `re:`"));
    }
    let mut escaped = false;
    let capital = text.chars().any(|c| {
        let counts = !escaped && c.is_uppercase();
        escaped = c == '\\' && !escaped;
        counts
    });
    let written = if capital { text.to_owned() } else { format!("(?i){text}") };
    let built = RegexBuilder::new(&written).size_limit(PATTERN).dfa_size_limit(PATTERN).nest_limit(64).build();
    built.map(Test::Regex).map_err(|error| {
        let why = match error {
            regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
            error => {
                let said = error.to_string();
                said.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
            }
        };
        Wrong::at(at, format!("this pattern cannot be read: {why}"))
    })
}

/// What a term begins with.
enum Named {
    /// A column, and where its value begins.
    Column(usize, usize),
    /// What might be one, before a colon.
    Strange(String),
    Nothing,
}

fn field(stretch: &[Letter], start: usize, columns: &[Column]) -> Result<Named, Wrong> {
    if starts(stretch, "~") || starts(stretch, "re:") {
        return Ok(Named::Nothing);
    }
    let Some(end) = stretch.iter().position(|letter| !letter.quoted && matches!(letter.c, ':' | '<' | '>' | '='))
    else {
        return Ok(Named::Nothing);
    };
    if end == 0 || stretch[..end].iter().any(|letter| letter.quoted) {
        return Ok(Named::Nothing);
    }
    let name = plain(&stretch[..end]);
    let colon = stretch[end].c == ':';
    if let Some(column) = columns.iter().position(|column| column.is_called(&name)) {
        return Ok(Named::Column(column, if colon { end + 1 } else { end }));
    }
    if !colon {
        return Ok(Named::Nothing);
    }
    let known = columns.iter().flat_map(|column| [column.name.as_ref(), column.also]);
    match nearest(&name, known.filter(|known| !known.is_empty())) {
        Some(near) => Err(Wrong::at(
            start,
            format!("there is no column `{}`; did you mean `{near}`? As a text: \"{0}:...\"", shown(&name)),
        )),
        // a time, an address and a path begin otherwise than a column does
        None if name.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c))
            && name.chars().any(char::is_alphabetic) =>
        {
            Ok(Named::Strange(name))
        }
        None => Ok(Named::Nothing),
    }
}

/// What follows a column's name.
fn value(stretch: &[Letter], start: usize, about: &Column) -> Result<Test, Wrong> {
    let ops = [("<=", Op::LessOrSame), (">=", Op::MoreOrSame), ("<", Op::Less), (">", Op::More), ("=", Op::Same)];
    let missing = |what: &str| Wrong::at(start.saturating_sub(1), format!("what should `{}` be? {what}", about.name));
    if about.kind == Kind::Flag {
        return flag(stretch, start, about);
    }
    let Some((sign, op)) = ops.into_iter().find(|(sign, _)| starts(stretch, sign)) else {
        if stretch.is_empty() {
            return Err(missing("Write it behind the colon"));
        }
        // A bare number is one, where there are numbers.
        let text = plain(stretch);
        if about.kind == Kind::Number
            && let Ok(amount) = amount::read(&text, about.kind)
        {
            return Ok(Test::Compare { op: Op::Same, kind: about.kind, amount, operand: text });
        }
        return words(stretch, start);
    };
    let stretch = &stretch[sign.len()..];
    let operand = plain(stretch);
    if op == Op::Same && about.kind == Kind::Text {
        return Ok(Test::Is(needle(stretch)));
    }
    if stretch.is_empty() {
        return Err(missing(&format!("Write it behind `{sign}`")));
    }
    let wrong = |what: &str| {
        let operand = shown(&operand);
        Wrong::at(start + sign.len(), format!("`{}` is compared with {what}; `{operand}` is none", about.name))
    };
    if about.kind == Kind::Text {
        if !version::is_version(&operand) {
            return Err(wrong("a number or version"));
        }
        return Ok(Test::Compare { op, kind: about.kind, amount: 0.0, operand });
    }
    let amount = amount::read(&operand, about.kind).map_err(wrong)?;
    Ok(Test::Compare { op, kind: about.kind, amount, operand })
}

/// `yes` or `no`, as far as it is written.
fn flag(stretch: &[Letter], start: usize, about: &Column) -> Result<Test, Wrong> {
    let from = usize::from(starts(stretch, "="));
    let word = plain(&stretch[from..]).to_lowercase();
    let begins = |whole: &str| !word.is_empty() && whole.starts_with(&word);
    match (begins("yes") || word == "true", begins("no") || word == "false") {
        (true, _) => Ok(Test::Set(true)),
        (_, true) => Ok(Test::Set(false)),
        _ => Err(Wrong::at(start + from, format!("`{}` is yes or no", about.name))),
    }
}
