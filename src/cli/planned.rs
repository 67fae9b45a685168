//! `plan`, `run --plan`, `run --dry-run`: a plan on its own, printed, kept in a file, and launched exactly as it was.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::run::{Asked, read_files, referred, say_warnings};
use super::{CliError, Desk, Outcome, args, out, say};
use crate::client::Client;
use crate::model::plan::{Exclusion, Plan, PlanRequest};
use crate::model::plan_file::{PlanFile, difference};
use crate::model::secret::Secret;
use crate::settings::units::show_duration;

/// A larger file is no plan.
const FILE_LIMIT: u64 = 64 << 20;

/// A plan in a file holds no longer.
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

pub async fn run(desk: &Desk<'_>, verb: &args::Plan) -> Result<Outcome, CliError> {
    if verb.good_for > WEEK {
        return Err(CliError::Usage("--good-for: a plan holds for a week at most".to_owned()));
    }
    let secrets = verb.what.secrets.iter().map(|text| referred(text)).collect::<Result<Vec<_>, _>>()?;
    let asked = Asked { script: &verb.script, target: verb.target.as_deref(), what: &verb.what, dry_run: verb.dry_run };
    let local = super::run::read_script(asked.script)?;
    let client = desk.engine().await?;
    desk.notices(&client);
    let (request, plan) = asked.plan(desk, &client, local, secrets).await?;
    say_warnings(&plan);
    // in this engine it holds as long as every plan; a file is launched by a plan made anew
    let holds = SignedDuration::try_from(verb.good_for).unwrap_or_default();
    let good_until = if verb.output.is_some() { Timestamp::now() + holds } else { plan.expires_at };
    let mut request = PlanRequest { secrets: Vec::new(), files: Vec::new(), ..request };
    if !plan.rollout.rings.is_empty() {
        // planned again, the devices are drawn in the same order
        request.how.seed = Some(plan.rollout.seed.clone());
    }
    let file = PlanFile { plan, request, good_until };
    match &verb.output {
        None => out::json_object(&file.to_json())?,
        Some(path) => {
            write(path, &file)?;
            if desk.common.json {
                out::json_object(&serde_json::json!({ "path": path, "plan": file.plan.id, "good_until": good_until }))?;
            } else {
                out::print(&summary(&file.plan))?;
                let until = out::moment(Some(good_until));
                say(format!("quarterdeck: nothing was sent; until {until}: quarterdeck run --plan {}", path.display()));
            }
        }
    }
    Ok(Outcome::Done)
}

/// Whole or not at all, and this user's alone: a script is in it.
fn write(path: &Path, file: &PlanFile) -> Result<(), CliError> {
    let failed =
        |error: std::io::Error| CliError::Tool(format!("cannot write the plan to {}: {error}", path.display()));
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let unfinished = path.with_file_name(name);
    let mut document = file.to_json();
    document["schema_version"] = out::SCHEMA_VERSION.into();
    let text = serde_json::to_string_pretty(&document).map_err(|error| failed(error.into()))?;
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&unfinished)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.write_all(b"\n")))
        .and_then(|()| fs::rename(&unfinished, path));
    written.map_err(|error| {
        let _ = fs::remove_file(&unfinished);
        failed(error)
    })
}

/// The plan behind `--plan`: one that the engine knows by its id, or one made anew that is what the file says.
pub async fn again(client: &Client, given: &str, secrets: Vec<(String, Secret)>) -> Result<Plan, CliError> {
    let path = Path::new(given);
    let id = given.len() <= 16 && given.bytes().all(|byte| byte.is_ascii_hexdigit());
    if id && !path.exists() {
        if !secrets.is_empty() {
            return Err(CliError::Usage(
                "the engine holds the secrets of a plan that it knows: leave --secret out".into(),
            ));
        }
        return Ok(client.planned(given).await?);
    }
    let file = read(path)?;
    if file.good_until <= Timestamp::now() {
        let until = out::moment(Some(file.good_until));
        return Err(CliError::Tool(format!("the plan in {given} held until {until}: make it anew; nothing was sent")));
    }
    let mut request = PlanRequest { secrets, ..file.request };
    read_files(&file.plan.script.params, &mut request)?;
    let plan = client.plan(&request).await?;
    let told = difference(&file.plan, &plan);
    if told.is_empty() {
        return Ok(plan);
    }
    let told: Vec<String> = told.iter().map(|line| format!("\n    {line}")).collect();
    Err(CliError::Tool(format!(
        "what the plan in {given} fixed has changed since {}:{}\nmake it anew; nothing was sent",
        out::moment(Some(file.plan.expires_at)),
        told.concat()
    )))
}

fn read(path: &Path) -> Result<PlanFile, CliError> {
    let wrong =
        |why: String| CliError::Usage(format!("cannot launch the plan in {}: {why}; nothing was sent", path.display()));
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(FILE_LIMIT + 1).read_to_string(&mut text));
    read.map_err(|error| wrong(error.to_string()))?;
    if text.len() as u64 > FILE_LIMIT {
        return Err(wrong(format!("it is larger than {} MiB", FILE_LIMIT >> 20)));
    }
    PlanFile::read(&text).map_err(wrong)
}

/// `--dry-run`: the plan, and nothing else.
pub fn show(desk: &Desk<'_>, plan: &Plan) -> Result<Outcome, CliError> {
    if desk.common.json {
        out::json_object(&serde_json::json!({ "plan": plan }))?;
    } else {
        out::print(&summary(plan))?;
    }
    let confirm = if plan.confirm { format!(" --confirm {}", plan.devices.len()) } else { String::new() };
    say(format!(
        "quarterdeck: a dry run: nothing was sent; this launches it: quarterdeck run --plan {}{confirm}",
        plan.id
    ));
    Ok(Outcome::Done)
}

fn summary(plan: &Plan) -> String {
    let mut rows = Vec::new();
    let mut row = |label: &str, text: String| rows.push(vec![label.to_owned(), text]);
    row("plan", format!("{}, holds until {}", plan.id, out::moment(Some(plan.expires_at))));
    row("script", format!("{} {}", plan.script.name, plan.script.version));
    if !plan.params.is_empty() {
        let params: Vec<String> = plan.params.iter().map(|(name, value)| format!("{name}={value}")).collect();
        row("with", params.join(", "));
    }
    if let Some(flag) = &plan.dry_run {
        row("dry run", format!("of the script, with {flag}"));
    }
    row("target", plan.target.clone());
    row("devices", format!("{}: {}", plan.devices.len(), plan.folded));
    if !plan.offline.is_empty() {
        row("offline", format!("{} of them, when last tried", plan.offline.len()));
    }
    for out in &plan.exclusions {
        row("left out", told(out));
    }
    for taken in &plan.included {
        row("included", told(taken));
    }
    let timeout = plan.timeout_ms.map_or_else(|| "no limit".to_owned(), |ms| show_duration(Duration::from_millis(ms)));
    if plan.keeps_limits() {
        row("at once", if plan.at_once == 0 { "all".to_owned() } else { plan.at_once.to_string() });
        row("timeout", timeout);
    }
    for (number, ring) in (1..).zip(&plan.rollout.rings) {
        row(&format!("ring {number}"), format!("{}: {} ({})", ring.runs.len(), ring.devices, ring.why));
    }
    if !plan.rollout.rings.is_empty() {
        row("between", format!("{}; order by lot, seed {}", plan.rollout.how.between.word(), plan.rollout.seed));
    }
    if let Some(stops) = plan.rollout.stops(plan.devices.len()) {
        row("budget", stops);
    }
    for remark in &plan.remarks {
        row("note", remark.clone());
    }
    if plan.confirm {
        row("confirm", format!("--confirm {}", plan.devices.len()));
    }
    out::table(&["", ""], rows).trim_start_matches('\n').to_owned()
}

/// `13 busy in job 4810: lab:web[01-13]`
pub fn told(out: &Exclusion) -> String {
    format!("{} {}: {}", out.count, out.text, out.folded)
}
