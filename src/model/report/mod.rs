//! A job as others read it: rows for a spreadsheet, everything for a program, a page for the ticket, test cases for a
//! build server. Piece by piece, so that ten thousand outputs cost no more memory than one piece of one of them. What
//! devices said is hostile: made plain unless asked for raw, and escaped as each format wants it either way.

mod csv;
mod json;
mod junit;
mod markdown;
mod plain;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use self::plain::Plain;
use super::job::{Job, Run};
use super::nearest::hint;
use super::output::{Line, Stream};
use super::triage::{Group, Groups};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A row a device.
    Csv,
    /// Everything, one object.
    Json,
    /// Everything, an object a line.
    Ndjson,
    /// Groups with a sample of each, for people.
    Md,
    /// A device is a test case.
    Junit,
}

impl Format {
    pub const ALL: [Format; 5] = [Format::Csv, Format::Json, Format::Ndjson, Format::Md, Format::Junit];

    pub const fn word(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Json => "json",
            Format::Ndjson => "ndjson",
            Format::Md => "md",
            Format::Junit => "junit",
        }
    }

    /// How a file of it ends.
    pub const fn ending(self) -> &'static str {
        match self {
            Format::Junit => "xml",
            other => other.word(),
        }
    }

    pub const fn says(self) -> &'static str {
        match self {
            Format::Csv => "a row a device, for a spreadsheet",
            Format::Json => "everything with all outputs, one object",
            Format::Ndjson => "the same, an object a line",
            Format::Md => "for the ticket: groups, what they share, a sample of each",
            Format::Junit => "for a build server: a device is a test case",
        }
    }
}

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub format: Format,
    /// Texts as they came, as far as the format can hold them.
    pub raw: bool,
    /// Only these of a device; empty: all.
    pub fields: Vec<String>,
}

impl Report {
    /// # Errors
    /// A field that there is not, in one sentence.
    pub fn new(format: Format, raw: bool, fields: &[String]) -> Result<Self, String> {
        let known: &[&str] = match format {
            Format::Csv => &csv::COLUMNS,
            Format::Json | Format::Ndjson => &json::FIELDS,
            Format::Md | Format::Junit if !fields.is_empty() => {
                return Err(format!("{} has no fields to choose from: csv, json and ndjson have", format.word()));
            }
            Format::Md | Format::Junit => &[],
        };
        for field in fields {
            if !known.contains(&field.as_str()) {
                let hint = hint(field, known.iter().copied());
                return Err(format!("{} has no field `{field}`{hint}: {}", format.word(), known.join(", ")));
            }
        }
        Ok(Self { format, raw, fields: fields.to_vec() })
    }

    fn takes(&self, field: &str) -> bool {
        self.fields.is_empty() || self.fields.iter().any(|wanted| wanted == field)
    }

    /// A name or sentence on one line.
    fn line(&self, text: &str) -> String {
        if self.raw { text.to_owned() } else { plain::line(text) }
    }
}

/// Lines of a sample on a page.
pub const SAMPLE: usize = 40;

/// Writes a report; what is ready is taken away with [`Writer::take`].
pub struct Writer<'a> {
    report: &'a Report,
    job: &'a Job,
    groups: &'a Groups,
    out: String,
    plain: Plain,
    /// Something of a list has been written.
    begun: bool,
}

impl<'a> Writer<'a> {
    pub fn new(report: &'a Report, job: &'a Job, groups: &'a Groups) -> Self {
        Self { report, job, groups, out: String::new(), plain: Plain::new(report.raw), begun: false }
    }

    pub fn take(&mut self) -> String {
        std::mem::take(&mut self.out)
    }

    /// Of the pieces so far: what is worth handing on.
    pub fn held(&self) -> usize {
        self.out.len()
    }

    pub fn head(&mut self) {
        match self.report.format {
            Format::Csv => csv::head(self.report, &mut self.out),
            Format::Json => json::head(self.report, self.job, self.groups, &mut self.out),
            Format::Ndjson => json::head_line(self.report, self.job, self.groups, &mut self.out),
            Format::Md => markdown::head(self.report, self.job, self.groups, &mut self.out),
            Format::Junit => junit::head(self.job, &mut self.out),
        }
    }

    /// The groups of which a sample is wanted.
    pub fn samples(&self) -> &'a [Group] {
        let most = if self.report.format == Format::Md { markdown::GROUPS } else { 0 };
        &self.groups.groups[..self.groups.groups.len().min(most)]
    }

    /// A group, and the last lines of the run that stands for it.
    pub fn group(&mut self, group: &Group, run: Option<&Run>, lines: &[Line]) {
        markdown::group(self.report, group, run, lines, &mut self.out);
    }

    /// The streams of a run that are wanted, if it said anything.
    pub fn streams(&self, run: &Run) -> &'static [Stream] {
        const BOTH: [Stream; 2] = [Stream::Out, Stream::Err];
        match self.report.format {
            Format::Csv | Format::Md => &[],
            Format::Junit if !junit::tells(run) => &[],
            Format::Junit => &BOTH,
            Format::Json | Format::Ndjson => match (self.report.takes("stdout"), self.report.takes("stderr")) {
                (true, true) => &BOTH,
                (true, false) => &BOTH[..1],
                (false, true) => &BOTH[1..],
                (false, false) => &[],
            },
        }
    }

    pub fn open(&mut self, run: &Run) {
        match self.report.format {
            Format::Csv => csv::row(self.report, self.job, run, &mut self.out),
            Format::Json | Format::Ndjson => {
                if self.report.format == Format::Json && self.begun {
                    self.out.push_str(",\n");
                }
                json::open(self.report, run, &mut self.out);
            }
            Format::Md => {}
            Format::Junit => junit::open(self.job, run, &mut self.out),
        }
        self.begun = true;
    }

    pub fn begin(&mut self, stream: Stream) {
        match self.report.format {
            Format::Json | Format::Ndjson => {
                let _ = write!(self.out, ",\"std{}\":\"", stream.word());
            }
            Format::Junit => {
                let _ = write!(self.out, "\n      <system-{}>", stream.word());
            }
            Format::Csv | Format::Md => {}
        }
    }

    /// Bytes of the stream, cut anywhere.
    pub fn said(&mut self, bytes: &[u8]) {
        let mut text = String::with_capacity(bytes.len());
        self.plain.push(bytes, &mut text);
        self.escaped(&text);
    }

    pub fn end(&mut self, stream: Stream) {
        let mut text = String::new();
        self.plain.finish(&mut text);
        self.escaped(&text);
        match self.report.format {
            Format::Json | Format::Ndjson => self.out.push('"'),
            Format::Junit => {
                let _ = write!(self.out, "</system-{}>", stream.word());
            }
            Format::Csv | Format::Md => {}
        }
    }

    fn escaped(&mut self, text: &str) {
        match self.report.format {
            Format::Json | Format::Ndjson => json::escape(text, &mut self.out),
            Format::Junit => junit::escape(text, false, &mut self.out),
            Format::Csv | Format::Md => {}
        }
    }

    pub fn close(&mut self, run: &Run) {
        match self.report.format {
            Format::Json => self.out.push('}'),
            Format::Ndjson => self.out.push_str("}\n"),
            Format::Junit => junit::close(run, &mut self.out),
            Format::Csv | Format::Md => {}
        }
    }

    pub fn foot(&mut self) {
        match self.report.format {
            Format::Json => self.out.push_str("\n]}\n"),
            Format::Junit => self.out.push_str("  </testsuite>\n</testsuites>\n"),
            Format::Md => markdown::foot(self.groups, &mut self.out),
            Format::Csv | Format::Ndjson => {}
        }
    }
}

/// How long a run took, in seconds with milliseconds.
fn took(run: &Run) -> Option<String> {
    let (from, to) = run.took(run.finished_at?)?;
    Some(seconds(from, to))
}

fn seconds(from: jiff::Timestamp, to: jiff::Timestamp) -> String {
    let ms = (to.as_millisecond() - from.as_millisecond()).max(0);
    format!("{}.{:03}", ms / 1000, ms % 1000)
}
