//! What was found, as rows: what filter and order know of it.

use std::fmt::Write;

use jiff::Timestamp;

use crate::model::amounts::age;
use crate::model::filter::{Column, Kind, Rows};
use crate::model::past::Hit;
use crate::model::state::RunState;

pub struct Found<'a> {
    pub all: &'a [Hit],
    pub now: Timestamp,
}

static FOUND: [Column; 11] = [
    Column::down("job", Kind::Number),
    Column::new("script", Kind::Text),
    Column::new("age", Kind::Seconds),
    Column::new("device", Kind::Text).also("name"),
    Column::new("state", Kind::Text),
    Column::new("rc", Kind::Number),
    Column::new("says", Kind::Text).also("line"),
    Column::down("lines", Kind::Number),
    Column::new("signature", Kind::Text),
    Column::new("by", Kind::Text),
    Column::new("connection", Kind::Text),
];

impl Found<'_> {
    pub fn known() -> &'static [Column] {
        &FOUND
    }

    /// Of a job with several: how many.
    pub fn devices(&self, row: usize) -> Option<u32> {
        self.all[row].counts.map(|counts| counts.total()).filter(|total| *total > 1)
    }
}

impl Rows for Found<'_> {
    fn columns(&self) -> &[Column] {
        &FOUND
    }

    fn len(&self) -> usize {
        self.all.len()
    }

    fn text<'a>(&'a self, row: usize, column: usize, room: &'a mut String) -> &'a str {
        let hit = &self.all[row];
        match column {
            1 => return &hit.script,
            3 if self.devices(row).is_none() => return &hit.name,
            4 => return hit.state.word(),
            6 => return &hit.says,
            8 => return hit.signature.as_deref().unwrap_or(""),
            9 => return &hit.by,
            10 => return hit.device.split_once(':').map_or("", |(connection, _)| connection),
            _ => {}
        }
        room.clear();
        match (column, self.devices(row), self.number(row, column)) {
            (3, Some(devices), _) => drop(write!(room, "{devices} devices")),
            (2, _, Some(seconds)) => room.push_str(&age(seconds as u64)),
            (_, _, Some(number)) => drop(write!(room, "{number}")),
            _ => {}
        }
        room
    }

    fn number(&self, row: usize, column: usize) -> Option<f64> {
        let hit = &self.all[row];
        match column {
            0 => Some(hit.job as f64),
            2 => Some((self.now.as_second() - hit.at.as_second()).max(0) as f64),
            5 => hit.exit_code.map(f64::from),
            7 => (hit.lines > 0).then_some(hit.lines as f64),
            _ => None,
        }
    }

    fn order(&self, row: usize, column: usize) -> Option<f64> {
        if column == 4 { Some(f64::from(self.all[row].state.rank())) } else { self.number(row, column) }
    }

    fn troubled(&self, row: usize) -> bool {
        let state = self.all[row].state;
        state.bad() || state == RunState::Offline
    }
}
