//! Screen 5: the groups of a job, the members of the one under the cursor, and what sets its output apart.

mod diff;
mod groups;
mod members;
pub mod regroup;
pub mod strip;

use ratatui::buffer::Buffer;

use super::cells::{pane, title};
use super::states;
use crate::console::app::{App, layout};

pub fn draw(app: &App, buf: &mut Buffer) {
    let Some(triage) = &app.triage else { return };
    let Some((triage, job)) = app.sorted() else {
        let body = layout::strips(app.area).body;
        let problem = app.held.as_ref().filter(|held| held.id == triage.job).and_then(|held| held.problem.as_deref());
        let inside = pane(app, buf, body, title(&app.theme, "", "Job", &triage.job.to_string()), "", true);
        return states::no_job(app, problem).draw(app, inside, buf);
    };
    let panes = app.triage_panes();
    if let Some(area) = panes.groups {
        groups::draw(app, triage, job, (area, panes.remarks), buf);
    }
    if let Some(area) = panes.members {
        members::draw(app, triage, (area, panes.facts), buf);
    }
    if let Some(area) = panes.diff {
        diff::draw(app, triage, job, area, buf);
    }
}
