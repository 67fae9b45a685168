//! `targets`: what a script can run on, and what an expression means.

use std::sync::Arc;

use unicode_width::UnicodeWidthStr;

use super::args::Targets as Verb;
use super::{CliError, Desk, Outcome, out, past, planned, safe, say};
use crate::client::ClientError;
use crate::model::amounts::number;
use crate::model::device::{Device, Group};
use crate::model::filter::{Column, Kind, Rows};
use crate::model::rows::{Devices, device_columns};
use crate::model::saved::SavedTarget;
use crate::model::wire::{Code, Resolved};

pub async fn run(desk: &Desk<'_>, verb: &Verb) -> Result<Outcome, CliError> {
    let client = desk.engine().await?;
    match verb {
        Verb::Where(verb) => {
            let asked = past::with_here(|here| verb.sought("device", here))?;
            return past::run(desk, &asked).await;
        }
        Verb::Ls { groups, sift } => {
            let targets = client.targets().await?;
            for connection in &targets.connections {
                for warning in &connection.warnings {
                    say(format!("quarterdeck: {}: {warning}", connection.name));
                }
            }
            let columns = device_columns(&targets.devices);
            let devices = Devices::new(&targets.devices, &columns, jiff::Timestamp::now());
            let all = Groups(&targets.groups);
            if desk.common.json {
                // With --groups the groups are what is listed; the rest stays beside them.
                let mut whole = serde_json::to_value(&targets).map_err(|error| CliError::Tool(error.to_string()))?;
                whole[if *groups { "groups" } else { "devices" }] = if *groups {
                    sift.objects(&targets.groups, &all, &sift.rows(&all)?)?.into()
                } else {
                    sift.objects(&targets.devices, &devices, &sift.rows(&devices)?)?.into()
                };
                out::json_object(&whole)?;
            } else if *groups {
                let order = sift.rows(&all)?;
                let own = || group_table(order.iter().map(|at| &*targets.groups[*at]));
                out::print(&sift.table(&all, &order)?.unwrap_or_else(own))?;
            } else {
                let order = sift.rows(&devices)?;
                let own = || device_table(order.iter().map(|at| &*targets.devices[*at]));
                out::print(&sift.table(&devices, &order)?.unwrap_or_else(own))?;
            }
            Ok(Outcome::Done)
        }
        Verb::Resolve { expr } => {
            desk.notices(&client);
            let resolved = client.resolve(expr).await.map_err(|error| pointed(error, expr))?;
            resolve(desk, expr, &resolved)
        }
        Verb::Save { name, expr, replace } => {
            let target = SavedTarget { name: name.trim_start_matches('@').to_owned(), expr: expr.clone() };
            let name = target.name.clone();
            client.save_target(target, *replace).await.map_err(|error| match error {
                ClientError::Refused(problem) if problem.code == Code::Unconfirmed => {
                    CliError::Usage(format!("@{name} is saved already: --replace puts this in its place"))
                }
                error => pointed(error, expr),
            })?;
            say(format!("quarterdeck: saved as @{name}"));
            Ok(Outcome::Done)
        }
        Verb::Saved => {
            let targets = client.targets().await?;
            if let Some(why) = &targets.saved_problem {
                return Err(CliError::Tool(why.clone()));
            }
            if desk.common.json {
                out::json_object(&serde_json::json!({ "saved": targets.saved }))?;
            } else {
                let rows = targets.saved.iter().map(|saved| vec![format!("@{}", saved.name), saved.expr.clone()]);
                out::print(&out::table(&["TARGET", "MEANS"], rows))?;
            }
            Ok(Outcome::Done)
        }
        Verb::Forget { name } => {
            let name = name.trim_start_matches('@');
            client.forget_target(name).await?;
            say(format!("quarterdeck: @{name} is forgotten"));
            Ok(Outcome::Done)
        }
    }
}

fn resolve(desk: &Desk<'_>, expr: &str, resolved: &Resolved) -> Result<Outcome, CliError> {
    if desk.common.json {
        out::json_object(resolved)?;
    } else {
        let ids: String = resolved.devices.iter().map(|device| safe::text(&device.id) + "\n").collect();
        out::print(&ids)?;
        say(format!("quarterdeck: {}: {}", number(resolved.count as u64, "device"), resolved.folded));
    }
    for out in &resolved.exclusions {
        say(format!("quarterdeck: left out: {}", planned::told(out)));
    }
    if resolved.devices.is_empty() {
        return Err(CliError::Usage(format!("`{expr}` holds no device")));
    }
    Ok(Outcome::Done)
}

fn device_table<'a>(devices: impl Iterator<Item = &'a Device>) -> String {
    out::table(
        &["DEVICE", "STATE", "LAST CONTACT", "GROUPS", "WHAT IS WRONG"],
        devices.map(|device| {
            vec![
                device.id.clone(),
                device.standing().to_owned(),
                out::moment(device.last_contact),
                if device.groups.is_empty() { "-".to_owned() } else { device.groups.join(",") },
                device.cannot.clone().or_else(|| device.last_error.clone()).unwrap_or_default(),
            ]
        }),
    )
}

fn group_table<'a>(groups: impl Iterator<Item = &'a Group>) -> String {
    let rows = groups.map(|group| {
        vec![format!("{}:{}", group.connection, group.name), group.devices.len().to_string(), group.children.join(",")]
    });
    out::table(&["GROUP", "DEVICES", "CHILDREN"], rows)
}

/// Groups as rows.
pub(super) struct Groups<'a>(pub(super) &'a [Arc<Group>]);

static GROUPS: [Column; 4] = [
    Column::new("name", Kind::Text),
    Column::new("connection", Kind::Text),
    Column::down("devices", Kind::Number),
    Column::new("children", Kind::Text),
];

impl Rows for Groups<'_> {
    fn columns(&self) -> &[Column] {
        &GROUPS
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn text<'a>(&'a self, row: usize, column: usize, room: &'a mut String) -> &'a str {
        let group = &self.0[row];
        match column {
            0 => return &group.name,
            1 => return &group.connection,
            2 => *room = group.devices.len().to_string(),
            _ => *room = group.children.join(" "),
        }
        room
    }

    fn number(&self, row: usize, column: usize) -> Option<f64> {
        (column == 2).then(|| self.0[row].devices.len() as f64)
    }
}

/// A refused expression as a usage error with a caret below the place.
pub fn pointed(error: ClientError, expr: &str) -> CliError {
    match error {
        ClientError::Refused(problem) if problem.column.is_some() && !expr.trim().is_empty() => {
            CliError::Usage(format!("{}\n{}", problem.error, caret(expr, problem.column.unwrap_or(0))))
        }
        error => error.into(),
    }
}

/// Two lines: the expression, and a caret. Of a long one, the neighbourhood.
pub fn caret(expr: &str, column: usize) -> String {
    const AROUND: usize = 35;
    let from = column.saturating_sub(AROUND);
    let before: String = expr.chars().skip(from).take(column - from).collect();
    let behind: String = expr.chars().skip(column).take(AROUND).collect();
    let (before, behind) = (safe::text(&before), safe::text(&behind));
    let cut = if from > 0 { "..." } else { "" };
    format!("    {cut}{before}{behind}\n    {}^", " ".repeat(cut.len() + before.width()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_below_the_place() {
        assert_eq!(caret("db|wbe", 3), "    db|wbe\n       ^");
        assert_eq!(caret("漢|x", 2), "    漢|x\n       ^");
        assert_eq!(caret("", 0), "    \n    ^");
        assert_eq!(caret("a\u{1b}b", 2), "    a^[b\n       ^");
        assert_eq!(caret("abc", 99), "    ...\n       ^");
        let long = format!("{}!", "x".repeat(100));
        assert_eq!(caret(&long, 100), format!("    ...{}!\n    {}^", "x".repeat(35), " ".repeat(38)));
    }
}
