//! `diff`: outputs of a job line by line, or a job beside another one, for a person and for `jq`.

use super::args::{ColorWhen, Diff as Verb};
use super::{CliError, Desk, Outcome, out, safe};
use crate::client::Client;
use crate::model::compare::{Against, Compared, Comparison, Pick, What};
use crate::model::diff::Row;

pub async fn run(desk: &Desk<'_>, verb: &Verb) -> Result<Outcome, CliError> {
    let client = desk.engine().await?;
    match sides(verb)? {
        Some((left, right)) => outputs(desk, &client, verb, &left, &right).await,
        None => jobs(desk, &client, verb).await,
    }
}

/// What is compared; `None`: the jobs themselves. Left is what was, or what is well.
fn sides(verb: &Verb) -> Result<Option<(Pick, Pick)>, CliError> {
    let device = |name: &String| What::Device(name.clone());
    let group = |name: &String| if name == "base" { What::Base } else { What::Group(name.clone()) };
    let of = |job: Option<u64>, what: What| Pick { job, what };
    Ok(Some(match (verb.device.as_slice(), verb.group.as_slice()) {
        ([], []) => return Ok(None),
        ([one], []) => match verb.other {
            Some(other) => (of(None, device(one)), of(Some(other), device(one))),
            None => (What::Before.into(), device(one).into()),
        },
        ([], [one]) => match verb.other {
            Some(other) => (of(None, group(one)), of(Some(other), group(one))),
            None => (What::Base.into(), group(one).into()),
        },
        ([one, other], []) => (of(None, device(one)), of(verb.other, device(other))),
        ([], [one, other]) => (of(None, group(one)), of(verb.other, group(other))),
        ([one], [base]) => (of(None, group(base)), of(verb.other, device(one))),
        _ => return Err(CliError::Usage("two sides can be compared: give --device and --group twice at most".into())),
    }))
}

async fn outputs(
    desk: &Desk<'_>,
    client: &Client,
    verb: &Verb,
    left: &Pick,
    right: &Pick,
) -> Result<Outcome, CliError> {
    let compared = client.diff(verb.id, left, right, !verb.raw).await?;
    if desk.common.json {
        let Comparison { left, right, masked, masks, diff } = &compared;
        out::json_object(&serde_json::json!({
            "left": left, "right": right, "masked": masked,
            "masks": masks,
            "added": diff.added, "removed": diff.removed, "notes": diff.notes,
            "diff": if diff.hunks.is_empty() { String::new() } else { diff.unified(&name(left), &name(right)) },
        }))?;
        return Ok(Outcome::Done);
    }
    for note in &compared.diff.notes {
        out::say(note);
    }
    out::print(&text(&compared, colours(desk)))?;
    Ok(Outcome::Done)
}

fn colours(desk: &Desk<'_>) -> bool {
    match desk.common.color {
        Some(ColorWhen::Always) => true,
        Some(ColorWhen::Never) => false,
        _ => out::on_terminal() && !desk.settings.ui.no_color,
    }
}

/// `job 12 lab:web001 (failed, 69)`
fn name(side: &Compared) -> String {
    let code = side.exit_code.map_or_else(String::new, |code| format!(", {code}"));
    let more = if side.stands_for > 1 { format!(", one of {} alike", side.stands_for) } else { String::new() };
    format!("job {} {} ({}{code}{more})", side.job, side.device, side.state.word())
}

fn text(compared: &Comparison, colours: bool) -> String {
    let paint = |code: &str, line: &str| {
        let line = safe::text(line);
        if colours { format!("\x1b[{code}m{line}\x1b[m\n") } else { format!("{line}\n") }
    };
    let diff = &compared.diff;
    let mut text = paint("1", &format!("--- {}", name(&compared.left)));
    text.push_str(&paint("1", &format!("+++ {}", name(&compared.right))));
    if diff.hunks.is_empty() {
        let how =
            if compared.masked { "the same (numbers, times and names of their own set aside)" } else { "the same" };
        text.push_str(&format!("{} lines, {how}\n", diff.left.len()));
    }
    for hunk in &diff.hunks {
        text.push_str(&paint("36", &hunk.head()));
        for row in &diff.rows[hunk.rows.clone()] {
            let of = |lines: &[String], at: u32| lines.get(at as usize).cloned().unwrap_or_default();
            match row {
                Row::Same(at, _) => text.push_str(&format!(" {}\n", safe::text(&of(&diff.left, *at)))),
                Row::Del(at) => text.push_str(&paint("31", &format!("-{}", of(&diff.left, *at)))),
                Row::Add(at) => text.push_str(&paint("32", &format!("+{}", of(&diff.right, *at)))),
            }
        }
    }
    text
}

async fn jobs(desk: &Desk<'_>, client: &Client, verb: &Verb) -> Result<Outcome, CliError> {
    // two are told in the order in which they are given, one beside what was before it
    let against = match verb.other {
        Some(other) => client.against(other, Some(verb.id)).await?,
        None => client.against(verb.id, None).await?,
    };
    if desk.common.json {
        out::json_object(&against)?;
    } else {
        out::print(&beside(&against))?;
    }
    Ok(Outcome::Done)
}

fn beside(against: &Against) -> String {
    let (left, right) = (format!("JOB {}", against.left), format!("JOB {}", against.right));
    let said = |says: &str| if says.is_empty() { "(said nothing)".to_owned() } else { says.to_owned() };
    let mut text = out::table(
        &["SIGNATURE", "STATE", "RC", &left, &right, "", "WHAT IT SAYS"],
        against.groups.iter().map(|group| {
            vec![
                group.signature.clone(),
                group.state.word().to_owned(),
                group.exit_code.map_or_else(|| "-".to_owned(), |code| code.to_string()),
                group.left.to_string(),
                group.right.to_string(),
                group.word().to_owned(),
                said(&group.says),
            ]
        }),
    );
    if !against.moved.is_empty() {
        text.push('\n');
        text.push_str(&out::table(
            &["DEVICES", "", "WAS", "IS", "WHAT IT SAYS", "WHICH"],
            against.moved.iter().map(|moved| {
                vec![
                    moved.count.to_string(),
                    moved.word().to_owned(),
                    moved.from.word().to_owned(),
                    moved.to.word().to_owned(),
                    said(&moved.says),
                    moved.devices.clone(),
                ]
            }),
        ));
    }
    for (job, devices) in [(against.left, &against.only_left), (against.right, &against.only_right)] {
        if !devices.is_empty() {
            text.push_str(&format!("\nonly in job {job}: {}\n", safe::text(devices)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(other: Option<u64>, devices: &[&str], groups: &[&str]) -> Option<(String, String)> {
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let verb = Verb { id: 12, other, device: own(devices), group: own(groups), raw: false };
        sides(&verb).unwrap().map(|(left, right)| (left.to_string(), right.to_string()))
    }

    fn pair(left: &str, right: &str) -> Option<(String, String)> {
        Some((left.to_owned(), right.to_owned()))
    }

    #[test]
    fn what_was_or_is_well_stands_on_the_left() {
        assert_eq!(asked(None, &[], &[]), None);
        assert_eq!(asked(None, &["web1"], &[]), pair("before", "device:web1"));
        assert_eq!(asked(Some(9), &["web1"], &[]), pair("device:web1", "9/device:web1"));
        assert_eq!(asked(None, &[], &["2c7e"]), pair("base", "group:2c7e"));
        assert_eq!(asked(Some(9), &[], &["2c7e"]), pair("group:2c7e", "9/group:2c7e"));
        assert_eq!(asked(None, &["a", "b"], &[]), pair("device:a", "device:b"));
        assert_eq!(asked(Some(9), &["a", "b"], &[]), pair("device:a", "9/device:b"));
        assert_eq!(asked(None, &["a"], &["base"]), pair("base", "device:a"));
    }
}
