//! Flags of the verbs that list something, and the help that says which columns there are to filter, sort and choose by.

use clap::Args;
use jiff::Timestamp;

use crate::cli::targets::Groups;
use crate::model::filter::Rows;
use crate::model::rows::{Devices, Jobs, Runs, Scripts, device_columns};

/// Of the verbs that list something.
#[derive(Debug, Default, Args)]
pub struct Sift {
    /// Only rows that pass: web !db ~osp re:^w name:x bad:>0 took:>2m, "a b", a | b (as / in the console)
    #[arg(long, value_name = "FILTER", allow_hyphen_values = true)]
    pub filter: Option<String>,
    /// Sort by a column; -COLUMN the other way round
    #[arg(long, value_name = "COLUMN", allow_hyphen_values = true)]
    pub sort: Option<String>,
    /// Only these columns; with --json also keys of the objects
    #[arg(long, value_name = "A,B,C", value_delimiter = ',')]
    pub fields: Vec<String>,
}

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// The names as the rows have them: what is written by hand would be wrong one day.
fn names(rows: &impl Rows) -> String {
    rows.columns().iter().map(|column| column.name.as_ref()).collect::<Vec<_>>().join(", ")
}

fn help(json: &str, columns: &str) -> String {
    format!("Columns, for --filter, --sort and --fields: {columns}.\nJSON: {json}.")
}

pub(super) fn jobs() -> String {
    let json = "an array of {schema_version, id, script, state, counts, created_at, finished_at, target, by, version}";
    help(json, &names(&Jobs { all: &[], now: NOW }))
}

pub(super) fn runs() -> String {
    let json = "{schema_version, id, script, state, counts, runs: [{device, name, state, exit_code, signal, reason, started_at, \
                finished_at, bytes, lines, last_line}], ...}";
    help(json, &names(&Runs { all: &[], now: NOW }))
}

pub(super) fn scripts() -> String {
    let json = "{schema_version, folder, scripts: [{name, version, describe, language, params, ...}], warnings}";
    help(json, &names(&Scripts { all: &[], now: NOW, besides: None }))
}

pub(super) fn targets() -> String {
    let columns = device_columns(&[]);
    let devices = names(&Devices::new(&[], &columns, NOW));
    let columns = format!("{devices}, and every fact; with --groups: {}", names(&Groups(&[])));
    help("{schema_version, connections, groups, devices}", &columns)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::Cli;

    #[test]
    fn the_help_of_what_lists_says_its_columns() {
        for (line, columns) in [
            ("jobs ls", "id, script, by, age, dev, done, ok, bad, off, target, state, took, reason."),
            ("jobs show", "device, state, rc, took, last, bytes, lines, tries, signal, connection, ring."),
            ("scripts ls", "name, lang, version, last, ok, history, what, size, changed, connection, category."),
            ("targets ls", "device, connection, state, contact, group, error, and every fact; with --groups: name, "),
        ] {
            let words = format!("quarterdeck {line} --help");
            let help = Cli::try_parse_from(words.split(' ')).unwrap_err().to_string();
            let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(help.contains(&format!("--fields: {columns}")), "{help}");
        }
    }
}
