//! `rerun`: the script of a job once more, in the version that ran then and with its parameters, on the devices that
//! the job left in some way. A plan like any other: previewed, confirmed, launched.

use super::args::{DryRun, Rerun as Verb};
use super::follow::{Follow, Interrupt, follow};
use super::printer::{Style, Wanted};
use super::run::{Prepared, answer, ask_secrets, confirmed, read_files, referred, say_warnings};
use super::{CliError, Desk, Outcome, ask, out, planned, say};
use crate::model::plan::{PlanRequest, ScriptRef};
use crate::model::target::{JobSet, Left};
use crate::model::wire::Launch;

pub async fn run(desk: &Desk<'_>, verb: &Verb) -> Result<Outcome, CliError> {
    let mut interrupt = Interrupt::listen()?;
    let (client, launch) = tokio::select! {
        biased;
        () = interrupt.pressed() => {
            say("\nquarterdeck: interrupted; nothing was sent");
            return Ok(Outcome::Interrupted);
        }
        ready = prepare(desk, verb) => match ready? {
            Prepared::Launch(client, launch) => (client, launch),
            Prepared::Shown(outcome) => return Ok(outcome),
        },
    };
    let job = client.launch(&launch).await?;
    if verb.wait {
        let style = if desk.common.json { Style::Json } else { Style::Text { safe: true, labels: true } };
        return follow(Follow { client: &client, id: job.id, style, wanted: Wanted::ALL }, &mut interrupt).await;
    }
    if desk.common.json {
        out::json_object(&serde_json::json!({ "id": job.id, "parent": verb.id }))?;
    } else {
        out::print(&format!("{}\n", job.id))?;
    }
    Ok(Outcome::Done)
}

/// The union of the sets, as an expression: `@failed:12 | @offline:12`.
fn expression(verb: &Verb) -> String {
    let flags = [
        (verb.failed, Left::Failed),
        (verb.unknown, Left::Unknown),
        (verb.not_started, Left::NotStarted),
        (verb.offline, Left::Offline),
        (verb.timed_out, Left::Timeout),
        (verb.cancelled, Left::Cancelled),
        (verb.ok, Left::Ok),
    ];
    let chosen = flags.into_iter().filter(|(wanted, _)| *wanted).map(|(_, left)| left);
    let groups = verb.group.iter().map(|signature| Left::Group(signature.clone()));
    let sets: Vec<String> = chosen.chain(groups).map(|left| JobSet { job: verb.id, left }.to_string()).collect();
    sets.join(" | ")
}

/// The job's, but for those that are given: parameters, and options.
fn instead(before: Vec<(String, String)>, given: &[(String, String)]) -> Vec<(String, String)> {
    let stays = |(name, _): &(String, String)| given.iter().all(|(other, _)| other != name);
    before.into_iter().filter(stays).chain(given.iter().cloned()).collect()
}

async fn prepare(desk: &Desk<'_>, verb: &Verb) -> Result<Prepared, CliError> {
    let mut secrets = verb.secrets.iter().map(|text| referred(text)).collect::<Result<Vec<_>, _>>()?;
    let asking = ask::may_ask(desk.common.no_input);
    let client = desk.engine().await?;
    desk.notices(&client);
    let job = client.job(verb.id).await?;
    let script = ScriptRef::Job(verb.id);
    // a retry of a job that still runs is refused here, before anybody is asked for anything
    let info = client.lint(&script).await?.info;
    if asking {
        ask_secrets(&info, &mut secrets).await?;
    }
    let secret = |name: &String| info.params.iter().any(|param| param.secret && param.name == *name);
    let target = expression(verb);
    let mut request = PlanRequest {
        script,
        target: target.clone(),
        params: instead(job.params.into_iter().filter(|(name, _)| !secret(name)).collect(), &verb.params),
        secrets,
        files: Vec::new(),
        include: verb.include.iter().map(|reason| reason.left_out()).collect(),
        dry_run: verb.dry_run == Some(DryRun::Script),
        options: instead(job.options, &verb.options),
        timeout_ms: job.timeout_ms,
        at_once: verb.at_once.or(Some(job.at_once)),
        how: verb.rollout.how()?,
    };
    read_files(&info.params, &mut request)?;
    let plan = client.plan(&request).await.map_err(|error| super::targets::pointed(error, &target))?;
    say_warnings(&plan);
    if plan.devices.is_empty() {
        return Err(CliError::Usage(format!("`{target}` holds no device that may be run on: nothing was sent")));
    }
    if verb.dry_run == Some(DryRun::Plan) {
        return planned::show(desk, &plan).map(Prepared::Shown);
    }
    let confirm = confirmed(&plan, verb.confirm, asking).await?;
    answer(&client, &plan.questions, asking).await?;
    Ok(Prepared::Launch(client, Launch { plan: plan.id, confirm }))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::args;
    use crate::model::rollout::Between;

    fn asked(line: &str) -> String {
        let line = format!("quarterdeck rerun 12 {line}");
        match args::Cli::try_parse_from(line.split_whitespace()).map(|cli| cli.verb) {
            Ok(Some(args::Verb::Rerun(verb))) => expression(&verb),
            Ok(_) => panic!("another verb"),
            Err(error) => error.kind().to_string(),
        }
    }

    #[test]
    fn sets_are_put_together_and_one_must_be_named() {
        assert_eq!(asked("--failed"), "@failed:12");
        assert_eq!(asked("--failed --unknown"), "@failed:12 | @unknown:12");
        assert_eq!(asked("--offline --not-started --timed-out"), "@not-started:12 | @offline:12 | @timeout:12");
        assert_eq!(
            asked("--group v1:2c --group ff --ok --cancelled"),
            "@cancelled:12 | @ok:12 | @group:12/v1:2c | @group:12/ff"
        );
        assert!(asked("").contains("required"), "{}", asked(""));
    }

    #[test]
    fn an_option_that_is_given_takes_the_place_of_the_jobs_own() {
        let all = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let before = all(&[("custom_attribute", "site"), ("custom_attribute_regex", "x")]);
        let line = "quarterdeck rerun 12 --failed --option custom_attribute=cache --option custom_attribute_regex=";
        let Ok(Some(args::Verb::Rerun(verb))) = args::Cli::try_parse_from(line.split_whitespace()).map(|cli| cli.verb)
        else {
            panic!("another verb");
        };
        let expected = all(&[("custom_attribute", "cache"), ("custom_attribute_regex", "")]);
        assert_eq!(instead(before.clone(), &verb.options), expected, "what is empty is not given");
        assert_eq!(instead(before.clone(), &[]), before);
    }

    #[test]
    fn it_is_rolled_out_as_run_is() {
        let line = "quarterdeck rerun 12 --not-started --rings 1,100% --between ask --max-fail 5% --at-once 9";
        let Ok(Some(args::Verb::Rerun(verb))) = args::Cli::try_parse_from(line.split_whitespace()).map(|cli| cli.verb)
        else {
            panic!("another verb");
        };
        let how = verb.rollout.how().unwrap();
        assert_eq!((how.rings.len(), how.between, how.max_fail.len()), (2, Between::Ask, 1));
        assert_eq!(verb.at_once, Some(9));
    }
}
