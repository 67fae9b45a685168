//! `regroup`: how the outputs of a script are put together, read and changed.

use super::args::Regroup as Verb;
use super::{CliError, Desk, Outcome, out, safe};
use crate::model::ways::{Regroup, Rule, Rules, Ways};

pub async fn run(desk: &Desk<'_>, verb: &Verb) -> Result<Outcome, CliError> {
    let client = desk.engine().await?;
    let ways = match verb {
        Verb::Show { script } => client.ways(script).await?,
        Verb::Merge { job, signatures, into } => {
            let what = Regroup::Merge { signatures: signatures.clone(), into: into.clone() };
            client.regroup(*job, &what).await?
        }
        Verb::Split { job, signature } => {
            client.regroup(*job, &Regroup::Split { signature: signature.clone() }).await?
        }
        Verb::Undo { job, signature } => client.regroup(*job, &Regroup::Undo { signature: signature.clone() }).await?,
        Verb::Mask { script, pattern, becomes } => {
            let rule = Rule { pattern: pattern.clone(), becomes: Some(becomes.clone()) };
            changed(&client, script, |rules| {
                rules.push(rule);
                Ok(())
            })
            .await?
        }
        Verb::Keep { script, pattern } => {
            let rule = Rule { pattern: pattern.clone(), becomes: None };
            changed(&client, script, |rules| {
                rules.push(rule);
                Ok(())
            })
            .await?
        }
        Verb::Forget { script, rule } => {
            changed(&client, script, |rules| {
                if !(1..=rules.len()).contains(rule) {
                    return Err(CliError::Usage(format!(
                        "{script} has {} rules of its own: no rule {rule} (`quarterdeck regroup show {script}`)",
                        rules.len()
                    )));
                }
                rules.remove(rule - 1);
                Ok(())
            })
            .await?
        }
    };
    if desk.common.json {
        out::json_object(&ways)?;
    } else {
        out::print(&text(&ways))?;
    }
    Ok(Outcome::Done)
}

async fn changed(
    client: &crate::client::Client,
    script: &str,
    change: impl FnOnce(&mut Vec<Rule>) -> Result<(), CliError>,
) -> Result<Ways, CliError> {
    let Ways { script, mut rules, .. } = client.ways(script).await?;
    change(&mut rules)?;
    Ok(client.set_rules(&Rules { script, rules }).await?)
}

fn text(ways: &Ways) -> String {
    let mut text = format!("{}\n", safe::text(&ways.script));
    let mut part = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            text.push_str(&format!("{title}\n"));
            lines.iter().for_each(|line| text.push_str(&format!("    {line}\n")));
        }
    };
    let rules = (1..).zip(&ways.rules).map(|(number, rule): (usize, _)| {
        let becomes = match &rule.becomes {
            Some(becomes) => format!("becomes {}", safe::text(becomes)),
            None => "stays as it is".to_owned(),
        };
        format!("{number}  {}  {becomes}", safe::text(&rule.pattern))
    });
    part("rules, before the masks:", rules.collect());
    let who = |by: &str, at| format!("({}, {})", safe::text(by), out::moment(Some(at)));
    let merged = ways.merged.iter().map(|merged| {
        format!(
            "{} into {}  {}  {}",
            merged.signature,
            merged.into,
            safe::text(&merged.says),
            who(&merged.by, merged.at)
        )
    });
    part("merged by hand:", merged.collect());
    let split = ways.split.iter().map(|split| {
        let by = split.by_what.words();
        format!("{} {by}  {}  {}", split.signature, safe::text(&split.says), who(&split.by, split.at))
    });
    part("split by hand:", split.collect());
    part("learnt of its outputs:", ways.learnt.iter().map(|line| safe::text(line)).collect());
    let tree = &ways.tree;
    text.push_str(&format!(
        "a word may be any where {} or more of the others stay, behind the first {}, from {} different words on\n\
         (two, where they look like names: a path, a figure, quotes)\n",
        format_args!("{:.0}%", tree.similarity * 100.0),
        tree.depth,
        tree.children + 1,
    ));
    text
}
