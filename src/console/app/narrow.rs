//! A filter for the small lists that dialogs are: versions, what was deleted, what to compare with. `/` begins it, in
//! the language of every list; enter leaves it in force, esc takes it away. Owns the line and what it leaves; the rows
//! are the dialog's.

use crossterm::event::KeyEvent;
use jiff::Timestamp;

use super::commands::Do;
use super::form::Text;
use super::list::Cursor;
use crate::console::keymap::Chord;
use crate::model::amounts::{age, bytes};
use crate::model::filter::{self, Column, Filter, Kind, Rows, Wrong};
use crate::model::shelf::{Trashed, Version};

#[derive(Debug, Default)]
pub struct Narrow {
    pub text: Text,
    /// It is being written.
    pub typing: bool,
    /// The last that was understood, and what is wrong with the one that is written.
    pub filter: Filter,
    pub wrong: Option<Wrong>,
    /// Rows that pass, in their order.
    pub shown: Vec<usize>,
}

/// One row as the filter sees it: a value a column.
pub type Values = Vec<(String, Option<f64>)>;

struct Listed<'a>(&'a [Values]);

static COLUMNS: [Column; 7] = [
    Column::new("version", Kind::Text),
    Column::new("name", Kind::Text),
    Column::new("age", Kind::Seconds),
    Column::new("size", Kind::Bytes),
    Column::new("by", Kind::Text),
    Column::new("how", Kind::Text),
    Column::new("job", Kind::Number),
];

impl Rows for Listed<'_> {
    fn columns(&self) -> &[Column] {
        &COLUMNS
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn text<'a>(&'a self, row: usize, column: usize, _: &'a mut String) -> &'a str {
        &self.0[row][column].0
    }

    fn number(&self, row: usize, column: usize) -> Option<f64> {
        self.0[row][column].1
    }
}

fn since(now: Timestamp, at: Timestamp) -> (String, Option<f64>) {
    let seconds = now.as_second().saturating_sub(at.as_second()).max(0).unsigned_abs();
    (age(seconds), Some(seconds as f64))
}

fn plain(text: impl Into<String>) -> (String, Option<f64>) {
    (text.into(), None)
}

pub fn of_version(version: &Version, now: Timestamp) -> Values {
    vec![
        plain(format!("v{}", version.number)),
        plain(version.version.as_str()),
        since(now, version.at),
        (bytes(version.size), Some(version.size as f64)),
        plain(version.by.as_str()),
        plain(if version.current { format!("now {}", version.why.word()) } else { version.why.word().to_owned() }),
        version.job.map_or_else(|| plain(""), |job| (job.to_string(), Some(job as f64))),
    ]
}

pub fn of_trashed(trashed: &Trashed, now: Timestamp) -> Values {
    vec![
        plain(trashed.version.as_str()),
        plain(trashed.name.as_str()),
        since(now, trashed.deleted_at),
        (bytes(trashed.size), Some(trashed.size as f64)),
        plain(trashed.by.as_str()),
        plain(""),
        plain(""),
    ]
}

/// What has a name alone.
pub fn of_name(name: &str) -> Values {
    let mut values: Values = std::iter::repeat_with(|| plain("")).take(COLUMNS.len()).collect();
    values[1] = plain(name);
    values
}

impl Narrow {
    /// `true`: the key was text for the filter, or began it.
    pub fn key(&mut self, key: &KeyEvent) -> bool {
        if self.typing {
            return self.text.key(key);
        }
        self.typing = Chord::of(*key).and_then(Chord::text) == Some('/');
        if self.typing {
            self.text.choose();
        }
        self.typing
    }

    /// Enter ends the writing, esc the filter. `true`: that was it.
    pub fn leave(&mut self, verb: Do) -> bool {
        let out = matches!(verb, Do::Cancel | Do::Back);
        match verb {
            Do::Accept | Do::Open if self.typing => self.typing = false,
            _ if out && (self.typing || !self.text.is_empty()) => {
                (self.typing, self.text) = (false, Text::default());
            }
            _ => return false,
        }
        true
    }

    /// These are the rows now; the cursor stays on its row where that is still shown.
    pub fn find(&mut self, rows: &[Values], cursor: &mut Cursor) {
        let on = self.shown.get(cursor.at).copied();
        match filter::parse(self.text.text(), &COLUMNS) {
            Ok(filter) => (self.filter, self.wrong) = (filter, None),
            Err(wrong) => self.wrong = Some(wrong),
        }
        self.shown = filter::passing(&self.filter, &Listed(rows)).into_iter().map(|row| row as usize).collect();
        cursor.at = self.shown.iter().position(|at| Some(*at) == on).unwrap_or(0);
    }

    /// `/v1_  2 of 9`, for the title; empty: nothing is filtered.
    pub fn says(&self, of: usize) -> String {
        if !self.typing && self.text.is_empty() {
            return String::new();
        }
        let caret = if self.typing { "_" } else { "" };
        let found = match &self.wrong {
            Some(wrong) => wrong.message.clone(),
            None => format!("{} of {of}", self.shown.len()),
        };
        format!("   /{}{caret}  {found}", self.text.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::app::sample;
    use crate::console::keymap::macro_keys;
    use crate::model::shelf::Why;

    fn version(number: u32, by: &str, job: Option<u64>) -> Version {
        Version {
            number,
            version: format!("9f3c1e27aa{number:02}"),
            at: sample::at(-3600 * i64::from(number)),
            by: by.into(),
            size: 100 * u64::from(number),
            why: Why::Saved,
            current: false,
            job,
        }
    }

    #[test]
    fn a_list_of_versions_understands_what_every_list_does() {
        let rows: Vec<Values> = [version(3, "ito", None), version(2, "oz", Some(12)), version(1, "ito", Some(4))]
            .iter()
            .map(|version| of_version(version, sample::at(0)))
            .collect();
        let mut narrow = Narrow::default();
        let mut cursor = Cursor::default();
        for (filter, shown) in [
            ("", vec![0, 1, 2]),
            ("by:ito", vec![0, 2]),
            ("version:v2", vec![1]),
            ("job:>5", vec![1]),
            ("age:>90m !oz", vec![0]),
            ("size:<=200", vec![1, 2]),
        ] {
            narrow.text = Text::new(filter);
            narrow.find(&rows, &mut cursor);
            assert_eq!((narrow.shown.clone(), &narrow.wrong), (shown, &None), "{filter}");
        }
    }

    #[test]
    fn an_old_filter_gives_way_to_the_first_letter_as_in_every_list() {
        for (keys, text) in [("/db", "db"), ("/<left>b", "disbk"), ("/", "disk"), ("/<backspace>", "")] {
            let mut narrow = Narrow { text: Text::new("disk"), ..Narrow::default() };
            macro_keys(keys).iter().for_each(|key| assert!(narrow.key(key)));
            assert_eq!(narrow.text.text(), text, "{keys}");
        }
    }

    #[test]
    fn what_is_wrong_leaves_the_last_filter_in_force_and_esc_takes_it_away() {
        let rows: Vec<Values> = ["fix.sh", "disk.sh"].map(of_name).into();
        let (mut narrow, mut cursor) = (Narrow::default(), Cursor::default());
        for key in macro_keys("/fix") {
            assert!(narrow.key(&key));
        }
        narrow.find(&rows, &mut cursor);
        assert_eq!((narrow.shown.as_slice(), narrow.says(2).as_str()), (&[0][..], "   /fix_  1 of 2"));
        narrow.text = Text::new("re:(");
        narrow.find(&rows, &mut cursor);
        assert!(narrow.wrong.is_some() && narrow.shown == [0]);
        assert!(narrow.leave(Do::Cancel) && !narrow.leave(Do::Cancel));
        narrow.find(&rows, &mut cursor);
        assert_eq!(narrow.shown, [0, 1]);
    }
}
