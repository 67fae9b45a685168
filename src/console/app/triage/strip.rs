//! When the runs of a job ended, and how: a strip of the time from its first end, the worst of each stretch shown. Pure,
//! from what is there; refuses to know how wide a screen is, it is told.

use jiff::Timestamp;

use super::Triage;
use crate::console::text;
use crate::model::job::Job;
use crate::model::state::RunState;

/// A strip of fewer stretches tells nothing.
const LEAST: usize = 8;

#[derive(Debug, PartialEq, Eq)]
pub struct Strip {
    pub from: Timestamp,
    /// When the last run ended; `None`: it goes on.
    pub to: Option<Timestamp>,
    /// Columns of each stretch.
    pub each: usize,
    pub stretches: Vec<Option<Stretch>>,
}

/// What ended within a stretch of time, by its worst.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The group's, where it is to be named: whatever went wrong, and what went well where it was met first.
    pub label: Option<String>,
    pub state: RunState,
}

impl Triage {
    /// In so many columns. `None`: nothing has ended, or there is no room.
    pub fn strip(&self, job: &Job, now: Timestamp, columns: usize) -> Option<Strip> {
        let groups = self.groups.as_ref()?;
        let from = groups.groups.iter().filter_map(|group| group.first_ended).min()?;
        let running = !job.summary.state.ended();
        let last = job.runs.iter().filter_map(|run| run.finished_at).max()?;
        let to = if running { now.max(last) } else { last };
        let rows: Vec<_> = self.rows.iter().filter_map(|row| Some((row, groups.groups.get(row.of?)?))).collect();
        let named = rows.iter().filter(|(_, group)| group.state != RunState::Offline);
        let each = named.map(|(row, _)| text::width(&row.label)).max().unwrap_or(2).max(2);
        let count = columns / each;
        if count < LEAST {
            return None;
        }
        let span = (to.as_millisecond() - from.as_millisecond()).max(1);
        let place = |at: Timestamp| {
            let ms = (at.as_millisecond() - from.as_millisecond()).clamp(0, span - 1);
            usize::try_from(ms * count as i64 / span).unwrap_or(0).min(count - 1)
        };
        let mut stretches: Vec<Option<(usize, Stretch)>> = vec![None; count];
        // what went wrong stands before what went well, and that before what never ran; else as the rows do
        let weight = |state: RunState| if state.bad() { 0 } else { 1 + u8::from(state != RunState::Ok) };
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|at| (weight(rows[*at].1.state), *at));
        for at in order {
            let (row, group) = &rows[at];
            let well = group.state == RunState::Ok;
            let mut met = false;
            let mut ends: Vec<Timestamp> =
                group.runs.iter().filter_map(|run| job.runs.get(*run as usize)?.finished_at).collect();
            ends.sort_unstable();
            for end in ends {
                let first = !std::mem::replace(&mut met, true);
                let slot = &mut stretches[place(end)];
                if slot.as_ref().is_some_and(|(other, _)| *other != at) {
                    continue;
                }
                let named = (first || !well) && group.state != RunState::Offline;
                let was = slot.as_ref().and_then(|(_, stretch)| stretch.label.clone());
                let label = was.or_else(|| named.then(|| row.label.clone()));
                *slot = Some((at, Stretch { label, state: group.state }));
            }
        }
        let stretches = stretches.into_iter().map(|slot| slot.map(|(_, stretch)| stretch)).collect();
        Some(Strip { from, to: (!running).then_some(to), each, stretches })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::app::sample::Session;

    fn words(strip: &Strip) -> Vec<String> {
        let word = |stretch: &Option<Stretch>| match stretch {
            Some(Stretch { label: Some(label), .. }) => label.clone(),
            Some(stretch) => stretch.state.word().to_owned(),
            None => String::new(),
        };
        strip.stretches.iter().map(word).collect()
    }

    #[test]
    fn what_went_wrong_is_named_wherever_it_ended_and_what_went_well_where_it_began() {
        let mut session = Session::new((140, 40), true);
        session.keys("3u");
        let (triage, job) = session.app.sorted().unwrap();
        let strip = triage.strip(job, session.app.now, 40).unwrap();
        assert_eq!((strip.stretches.len(), strip.each, strip.to), (20, 2, None), "the job goes on");
        let words = words(&strip);
        assert_eq!(words.iter().filter(|word| *word == "S0").count(), 1, "{words:?}");
        assert!(words.iter().any(|word| word == "S1") && words.contains(&"ok".to_owned()), "{words:?}");
        assert!(words.last().is_some_and(String::is_empty), "nothing ended lately: {words:?}");
    }

    #[test]
    fn without_an_end_or_without_room_there_is_none() {
        let mut session = Session::new((140, 40), true);
        session.keys("3u");
        let (triage, job) = session.app.sorted().unwrap();
        assert_eq!(triage.strip(job, session.app.now, 10), None);
        let none = crate::console::app::triage::Triage::new(12);
        assert_eq!(none.strip(job, session.app.now, 100), None);
    }
}
