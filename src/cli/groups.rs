//! `groups`: a job's runs by how they ended, for a person and for `jq`.

use super::args::Groups as Verb;
use super::printer::summary;
use super::{CliError, Desk, Outcome, out, remarks, safe};
use crate::model::label;
use crate::model::state::RunState;
use crate::model::triage::{Group, Groups};

/// Facts named under a group, and how much more common they must be there than where it went well.
const NAMED: usize = 2;
const TELLING: f64 = 0.5;

pub async fn run(desk: &Desk<'_>, verb: &Verb) -> Result<Outcome, CliError> {
    let client = desk.engine().await?;
    let groups = client.groups_beside(verb.id, verb.exact, verb.base).await?;
    if desk.common.json {
        out::json_object(&groups)?;
        return Ok(Outcome::Done);
    }
    let job = client.job(verb.id).await?;
    let head = format!("job {} {}: {}\n", verb.id, job.summary.state.word(), summary(&job.summary.counts));
    out::print(&format!("{head}{}", text(&groups)))?;
    Ok(Outcome::Done)
}

pub(super) fn text(groups: &Groups) -> String {
    let count = groups.groups.len();
    let mut text =
        format!("{count} {}{}", if groups.exact { "exact group" } else { "group" }, if count == 1 { "" } else { "s" });
    match (groups.previous, groups.alone) {
        (Some(job), _) => text.push_str(&format!(", beside job {job}")),
        (None, Some(alone)) => text.push_str(&format!("; {}", alone.words())),
        (None, None) => {}
    }
    if groups.open > 0 {
        text.push_str(&format!("; {} not ended yet", groups.open));
    }
    text.push_str("\n\n");
    let table = out::table(
        &["", "SIGNATURE", "DEVICES", "STATE", "RC", "BEFORE", "WHAT IT SAYS"],
        groups.groups.iter().zip(label::labels(groups)).map(|(group, label)| {
            vec![
                label,
                group.signature.clone(),
                group.runs.len().to_string(),
                group.state.word().to_owned(),
                group.exit_code.map_or_else(|| "-".to_owned(), |code| code.to_string()),
                before(group),
                if group.said().is_empty() { "(said nothing)".to_owned() } else { group.said().to_owned() },
            ]
        }),
    );
    let elsewhere = groups.well_in.map_or_else(String::new, |well| format!(", in job {}", well.job));
    let mut lines = table.lines();
    text.extend(lines.next().map(|head| format!("{head}\n")));
    for (group, line) in groups.groups.iter().zip(lines) {
        text.push_str(&format!("{line}\n    {}\n", safe::text(&group.devices)));
        for line in remarks::lines(&group.remarks) {
            text.push_str(&format!("    {line}\n"));
        }
        // what one device alone has explains nothing
        let telling = group.shared.iter().filter(|shared| group.runs.len() > 1 && shared.lift() >= TELLING);
        for shared in telling.take(NAMED) {
            let mark = if shared.explains() { "!" } else { " " };
            text.push_str(&format!(
                "  {mark} {}: {} of {} here, {} of {} where it went well{elsewhere}\n",
                safe::text(&format!("{}={}", shared.field, shared.value)),
                shared.here,
                shared.of,
                shared.base,
                shared.base_of,
            ));
        }
    }
    for gone in &groups.gone {
        let fixed = if gone.is_fixed() { format!(", {} of them well now", gone.fixed) } else { String::new() };
        text.push_str(&format!(
            "gone since: {} ({} {}{fixed})  {}\n",
            gone.signature,
            gone.runs,
            gone.state.word(),
            safe::text(&gone.says)
        ));
    }
    text
}

fn before(group: &Group) -> String {
    match group.before {
        None => "-".to_owned(),
        Some(0) if group.is_new() && group.state != RunState::Ok => "new".to_owned(),
        Some(before) => before.to_string(),
    }
}
