//! `--filter`, `--sort` and `--fields` of the verbs that list something: the same language and the same columns as the
//! console's lists. A wrong one is a usage error that names the place.

use serde::Serialize;
use serde_json::Value;

use super::args::Sift;
use super::targets::caret;
use super::{CliError, out};
use crate::model::filter::{self, Kind, Rows};
use crate::model::nearest::hint;

impl Sift {
    /// The rows asked for, in the order asked for.
    pub fn rows(&self, rows: &impl Rows) -> Result<Vec<usize>, CliError> {
        let text = self.filter.as_deref().unwrap_or_default();
        let pointed = |wrong: filter::Wrong| CliError::Usage(format!("{wrong}\n{}", caret(text, wrong.column)));
        let filter = filter::parse(text, rows.columns()).map_err(pointed)?;
        filter.check(rows).map_err(pointed)?;
        let mut order = filter::passing(&filter, rows);
        if let Some(sort) = &self.sort {
            let (name, reverse) = sort.strip_prefix('-').map_or((sort.as_str(), false), |name| (name, true));
            filter::sort(rows, &mut order, self.column(rows, name)?, reverse);
        }
        Ok(order.into_iter().map(|row| row as usize).collect())
    }

    fn column(&self, rows: &impl Rows, name: &str) -> Result<usize, CliError> {
        let known = || rows.columns().iter().map(|column| column.name.as_ref());
        rows.columns().iter().position(|column| column.is_called(name)).ok_or_else(|| {
            let names: Vec<&str> = known().collect();
            CliError::Usage(format!(
                "there is no column `{name}`{}; there are: {}",
                hint(name, known()),
                names.join(", ")
            ))
        })
    }

    /// The fields asked for as a table; `None`: none were, the verb's own table is meant.
    pub fn table(&self, rows: &impl Rows, order: &[usize]) -> Result<Option<String>, CliError> {
        if self.fields.is_empty() {
            return Ok(None);
        }
        let columns = self.fields.iter().map(|name| self.column(rows, name)).collect::<Result<Vec<_>, _>>()?;
        let heads: Vec<String> = self.fields.iter().map(|name| name.to_uppercase()).collect();
        let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
        let mut room = String::new();
        let lines = order.iter().map(|row| {
            let cells = columns.iter().map(|column| rows.text(*row, *column, &mut room).to_owned());
            cells.map(|cell| if cell.is_empty() { "-".to_owned() } else { cell }).collect()
        });
        Ok(Some(out::table(&heads, lines.collect::<Vec<_>>())))
    }

    /// The rows as JSON objects: whole, or the fields asked for. A field is a key of the object, else a column.
    pub fn objects<T: Serialize>(
        &self,
        items: &[T],
        rows: &impl Rows,
        order: &[usize],
    ) -> Result<Vec<Value>, CliError> {
        let mut room = String::new();
        let mut objects = Vec::with_capacity(order.len());
        for row in order {
            let whole = serde_json::to_value(&items[*row]).map_err(|error| CliError::Tool(error.to_string()))?;
            if self.fields.is_empty() {
                objects.push(whole);
                continue;
            }
            let mut picked = serde_json::Map::new();
            for name in &self.fields {
                let value = match whole.get(name) {
                    Some(value) => value.clone(),
                    None => {
                        let column = self.column(rows, name)?;
                        match (rows.columns()[column].kind, rows.number(*row, column)) {
                            (Kind::Text, _) => rows.text(*row, column, &mut room).into(),
                            (_, number) => number.map_or(Value::Null, Value::from),
                        }
                    }
                };
                picked.insert(name.clone(), value);
            }
            objects.push(Value::Object(picked));
        }
        Ok(objects)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::job::JobSummary;
    use crate::model::rows::Jobs;
    use crate::model::state::{Counts, JobState};

    fn jobs() -> Vec<JobSummary> {
        [(1, "patch.sh", 0), (2, "disk.sh", 3), (3, "patch.sh", 7)]
            .map(|(id, script, failed)| {
                let counts = Counts { failed, ok: 5, ..Counts::default() };
                JobSummary { script: script.into(), ..JobSummary::sample(id, JobState::Done, counts) }
            })
            .into()
    }

    fn sift(filter: &str, sort: &str, fields: &[&str]) -> Sift {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Sift { filter: given(filter), sort: given(sort), fields: fields.iter().map(|f| (*f).to_owned()).collect() }
    }

    #[test]
    fn rows_are_chosen_sorted_and_cut_down_to_fields() {
        let all = jobs();
        let rows = Jobs { all: &all, now: jiff::Timestamp::UNIX_EPOCH };
        let wanted = sift("patch", "bad", &["id", "bad"]);
        let order = wanted.rows(&rows).unwrap();
        assert_eq!(order, [2, 0], "the worst first");
        assert_eq!(sift("", "-bad", &[]).rows(&rows).unwrap(), [0, 1, 2]);
        assert_eq!(wanted.table(&rows, &order).unwrap().unwrap(), "ID  BAD\n3   7\n1   0\n");
        let objects = wanted.objects(&all, &rows, &order).unwrap();
        assert_eq!(objects[0], serde_json::json!({"id": 3, "bad": 7.0}));
        assert_eq!(sift("", "", &[]).objects(&all, &rows, &[0]).unwrap()[0]["counts"]["ok"], 5);
    }

    #[test]
    fn what_is_wrong_is_a_usage_error_with_its_place() {
        let all = jobs();
        let rows = Jobs { all: &all, now: jiff::Timestamp::UNIX_EPOCH };
        let said = |result: Result<Vec<usize>, CliError>| match result {
            Err(CliError::Usage(said)) => said,
            other => panic!("{other:?}"),
        };
        assert!(said(sift("x scrpt:patch", "", &[]).rows(&rows)).ends_with("x scrpt:patch\n      ^"));
        assert!(said(sift("", "bda", &[]).rows(&rows)).contains("did you mean 'bad'"));
        assert!(sift("", "", &["nothing"]).table(&rows, &[]).is_err());
        assert!(sift("", "", &["nothing"]).objects(&all, &rows, &[0]).is_err());
    }
}
