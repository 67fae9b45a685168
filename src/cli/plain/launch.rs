//! A launch, question by question: script, target, parameters, how; then the preview, and the confirmation that
//! alone sends it. Every "back" on the way sends nothing.

use clap::{CommandFactory as _, Parser};
use zeroize::Zeroizing;

use super::talk::{Answer, Talk};
use crate::cli::args::Reason;
use crate::cli::follow::{Follow, follow};
use crate::cli::printer::{Style, Wanted};
use crate::cli::rollout::Rollout;
use crate::cli::run::read_files;
use crate::cli::{CliError, targets};
use crate::client::{Client, ClientError, given};
use crate::model::plan::{Plan, PlanRequest, Question, ScriptRef};
use crate::model::rollout::How;
use crate::model::script::values::check;
use crate::model::script::{Param, ParamKind, ScriptInfo, Takes};
use crate::model::secret::Secret;
use crate::model::wire::Launch;
use crate::settings::units;

/// Wrong passphrases before the question is left.
const TRIES: usize = 3;

/// A text, or the way out of the dialog.
macro_rules! text {
    ($talk:expr, $answer:expr) => {
        match $answer {
            Answer::Given(line) if line.trim() == "b" => return nothing_sent($talk).map(|()| None),
            Answer::Given(line) => line,
            _ => return nothing_sent($talk).map(|()| None),
        }
    };
}

pub async fn run(talk: &mut Talk, client: &Client) -> Result<(), CliError> {
    let Some(info) = pick_script(talk, client).await? else { return nothing_sent(talk) };
    if let Some(why) = &info.refused {
        return talk.say(&format!("{} cannot be launched: {why}", info.name));
    }
    let Some(mut request) = asked(talk, client, &info).await? else { return Ok(()) };
    if options(talk, client, &mut request).await?.is_none() {
        return Ok(());
    }
    send(talk, client, request).await
}

/// What the systems of the devices take beside the script. `None`: left on the way.
async fn options(talk: &mut Talk, client: &Client, request: &mut PlanRequest) -> Result<Option<()>, CliError> {
    // (what is wrong with the launch is said by its preview)
    let Ok(plan) = client.plan(request).await else { return Ok(Some(())) };
    for option in &plan.taken {
        let given = |name: &String| request.options.iter().any(|(other, _)| other == name);
        if option.needs.as_ref().is_some_and(|needs| !given(needs)) {
            continue;
        }
        let prompt = format!("{}: {} (empty: none)", option.name, option.describe);
        loop {
            let value = text!(talk, talk.line(&prompt).await?).trim().to_owned();
            match option.check(&value) {
                Err(why) => talk.say(&why)?,
                Ok(()) if value.is_empty() => break,
                Ok(()) => {
                    request.options.push((option.name.clone(), value));
                    break;
                }
            }
        }
    }
    Ok(Some(()))
}

/// What was typed at the last question.
enum Word {
    Launch,
    Nothing,
    /// The roll-out is to be another one.
    How,
}

/// Preview, confirmation, and the job itself.
pub async fn send(talk: &mut Talk, client: &Client, mut request: PlanRequest) -> Result<(), CliError> {
    let plan = loop {
        let plan = client.plan(&request).await.map_err(|error| targets::pointed(error, &request.target))?;
        if plan.devices.is_empty() {
            talk.say(&plan.nothing_left())?;
            return nothing_sent(talk);
        }
        preview(talk, &plan)?;
        if answers(talk, client, &plan.questions).await?.is_none() {
            return Ok(());
        }
        match confirmed(talk, &plan).await? {
            Word::Launch => break plan,
            Word::Nothing => return nothing_sent(talk),
            Word::How => how(talk, &mut request).await?,
        }
    };
    let confirm = plan.confirm.then_some(plan.devices.len());
    let job = client.launch(&Launch { plan: plan.id, confirm }).await?;
    talk.say(&format!("job {} is launched; ^c returns to the menu, and the job goes on", job.id))?;
    let style = Style::Text { safe: true, labels: true };
    follow(Follow { client, id: job.id, style, wanted: Wanted::STATES }, &mut talk.interrupt).await.map(drop)
}

/// How a job is rolled out, in the flags of `run`.
#[derive(Parser)]
#[command(no_binary_name = true, disable_help_flag = true)]
struct Flags {
    #[command(flatten)]
    rollout: Rollout,
    /// Take in devices that would be left out: busy (in another job), in maintenance, in a change freeze
    #[arg(long, value_enum, value_delimiter = ',', value_name = "REASON")]
    include: Vec<Reason>,
    /// Scripts running at once; 0: no limit
    #[arg(long, value_name = "N")]
    at_once: Option<u32>,
}

/// Asks until it can be meant, or is left as it was.
async fn how(talk: &mut Talk, request: &mut PlanRequest) -> Result<(), CliError> {
    const ASKED: &str =
        "as `run` takes it, such as --rings 1,10%,100% --max-fail 5% (empty: to all at once, ? lists all)";
    loop {
        let line = match talk.line(ASKED).await? {
            Answer::Given(line) if line.trim() == "?" => {
                talk.say(&Flags::command().render_help().to_string())?;
                continue;
            }
            Answer::Given(line) if line.trim() != "b" => line,
            _ => return talk.say("It is left as it was."),
        };
        let read = shlex::split(&line).ok_or_else(|| "a quote is not closed".to_owned()).and_then(|words| {
            let flags = Flags::try_parse_from(words).map_err(|error| error.to_string())?;
            Ok((flags.rollout.how().map_err(|error| error.to_string())?, flags))
        });
        match read {
            Ok((how, flags)) => {
                request.how = how;
                request.include = flags.include.iter().map(|reason| reason.left_out()).collect();
                request.at_once = flags.at_once.or(request.at_once);
                return Ok(());
            }
            Err(why) => talk.say(why.lines().next().unwrap_or_default())?,
        }
    }
}

/// The secrets of a script, and nothing else of it. `None`: left on the way.
pub async fn secrets(talk: &mut Talk, info: &ScriptInfo) -> Result<Option<Vec<(String, Secret)>>, CliError> {
    let mut secrets = Vec::new();
    for param in info.params.iter().filter(|param| param.secret) {
        loop {
            let Some(value) = secret(talk.hidden(&describe(param)).await?) else {
                return nothing_sent(talk).map(|()| None);
            };
            match judged(param, &value) {
                Err(why) => talk.say(&why)?,
                Ok(given) => {
                    secrets.extend(given.map(|_| (param.name.clone(), Secret::new(value.as_str()))));
                    break;
                }
            }
        }
    }
    Ok(Some(secrets))
}

fn nothing_sent(talk: &mut Talk) -> Result<(), CliError> {
    talk.say("Nothing was sent.")
}

pub async fn pick_script(talk: &mut Talk, client: &Client) -> Result<Option<ScriptInfo>, CliError> {
    let library = client.library().await?;
    for warning in &library.warnings {
        talk.say(&format!("notice: {warning}"))?;
    }
    if library.scripts.is_empty() {
        talk.say(&format!("No scripts yet: put one into {}.", library.folder))?;
        return Ok(None);
    }
    let items: Vec<String> = library
        .scripts
        .iter()
        .map(|script| match script.describe.as_str() {
            "" => script.name.clone(),
            describe => format!("{}: {describe}", script.name),
        })
        .collect();
    Ok(match talk.choose("Which script?", &items).await? {
        Answer::Given(at) => Some(library.scripts[at].clone()),
        _ => None,
    })
}

/// The whole form. `None`: left on the way.
async fn asked(talk: &mut Talk, client: &Client, info: &ScriptInfo) -> Result<Option<PlanRequest>, CliError> {
    talk.say(&format!("{} version {}", info.name, info.version))?;
    let target = loop {
        let line = text!(talk, talk.line("target expression (? lists what there is, b goes back)").await?);
        match line.trim() {
            "" => talk.say("A target is needed: a device, a group, an expression, @all.")?,
            "?" => super::list_targets(talk, &client.targets().await?)?,
            expr => match client.resolve(expr).await {
                Ok(resolved) if resolved.count > 0 => {
                    talk.say(&format!("{} devices: {}", resolved.count, resolved.folded))?;
                    break expr.to_owned();
                }
                Ok(_) => talk.say("That holds no device.")?,
                Err(error @ ClientError::Refused(_)) => talk.say(&targets::pointed(error, expr).to_string())?,
                Err(error) => return Err(error.into()),
            },
        }
    };
    let (mut params, mut secrets) = (Vec::new(), Vec::new());
    for param in &info.params {
        let prompt = describe(param);
        loop {
            let answer = if param.secret { talk.hidden(&prompt).await? } else { talk.line(&prompt).await? };
            let value = if param.secret { secret(answer) } else { Some(text!(talk, answer)) };
            let Some(value) = value else { return nothing_sent(talk).map(|()| None) };
            match judged(param, &value) {
                Err(why) => talk.say(&why)?,
                Ok(Some(_)) if param.secret => {
                    secrets.push((param.name.clone(), Secret::new(value.as_str())));
                    break;
                }
                Ok(values) => {
                    params.extend(values.into_iter().flatten().map(|value| (param.name.clone(), value)));
                    break;
                }
            }
        }
    }
    let timeout = loop {
        let line = text!(talk, talk.line("time limit of each run, such as 30s or 10m (empty: as configured)").await?);
        match line.trim() {
            "" => break None,
            given => match units::duration(given) {
                Some(limit) => break Some(limit),
                None => talk.say(&format!("\"{given}\" is no time: write 30s, 10m, 2h."))?,
            },
        }
    };
    let mut request = PlanRequest {
        script: ScriptRef::Library(info.name.clone()),
        target,
        params,
        secrets,
        files: Vec::new(),
        include: Vec::new(),
        dry_run: false,
        options: Vec::new(),
        timeout_ms: timeout.map(|limit| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX)),
        at_once: None,
        how: How::default(),
    };
    read_files(&info.params, &mut request)?;
    Ok(Some(request))
}

/// A secret is taken as it stands: it may be a `b`.
fn secret(answer: Answer<Zeroizing<String>>) -> Option<Zeroizing<String>> {
    match answer {
        Answer::Given(line) => Some(line),
        _ => None,
    }
}

/// `version: which one (required; one of 13, 14)`
fn describe(param: &Param) -> String {
    let mut notes = Vec::new();
    if param.kind == ParamKind::Flag {
        notes.push("yes or no".to_owned());
    }
    if !param.choices.is_empty() {
        notes.push(format!("one of {}", param.choices.join(", ")));
    }
    if param.multiple {
        notes.push("several, as in a shell".to_owned());
    }
    match param.takes {
        Takes::Text => {}
        Takes::Number => notes.push("a number".to_owned()),
        Takes::File => notes.push("the path of a file of yours".to_owned()),
    }
    notes.extend(param.example.as_ref().map(|example| format!("such as {example}")));
    match &param.default {
        Some(default) => notes.push(format!("empty: {default}")),
        None if param.required => notes.push("required".to_owned()),
        None => notes.push("empty: none".to_owned()),
    }
    let what = if param.describe.is_empty() { String::new() } else { format!(": {}", param.describe) };
    format!("{}{what} ({})", param.name, notes.join("; "))
}

/// The values a line gives; `None`: nothing given.
fn judged(param: &Param, line: &str) -> Result<Option<Vec<String>>, String> {
    if line.is_empty() {
        return match param.required && param.default.is_none() {
            true => Err(format!("{} is required.", param.name)),
            false => Ok(None),
        };
    }
    if param.secret {
        return Ok(Some(Vec::new()));
    }
    if param.kind == ParamKind::Flag {
        return match line.trim().to_lowercase().as_str() {
            "y" | "yes" | "true" => Ok(Some(vec!["true".to_owned()])),
            "n" | "no" | "false" => Ok(None),
            _ => Err("yes or no.".to_owned()),
        };
    }
    let values = match param.multiple {
        true => shlex::split(line).ok_or("A quote is not closed.")?,
        false => vec![line.to_owned()],
    };
    for value in &values {
        check(param, value)?;
        if param.takes == Takes::File {
            given::size(value).map_err(|why| format!("{value}: {why}."))?;
        }
    }
    Ok(Some(values))
}

fn preview(talk: &mut Talk, plan: &Plan) -> Result<(), CliError> {
    let count = plan.devices.len();
    talk.say(&format!("preview: {} on {count} device{}: {}", plan.script.name, plural(count), plan.folded))?;
    if !plan.offline.is_empty() {
        talk.say(&format!("{} of them were offline when last tried", plan.offline.len()))?;
    }
    plan.warnings.iter().try_for_each(|why| talk.say(&format!("warning: {why}")))?;
    for (name, value) in &plan.options {
        talk.say(&format!("with {name}={value}"))?;
    }
    for remark in &plan.remarks {
        talk.say(remark)?;
    }
    for (device, why) in &plan.excluded {
        talk.say(&format!("left out: {device}: {why}"))?;
    }
    let rollout = &plan.rollout;
    for (number, ring) in (1..).zip(&rollout.rings) {
        let devices = ring.runs.len();
        let s = plural(devices);
        talk.say(&format!("ring {number}: {devices} device{s}: {} ({})", ring.devices, ring.why))?;
    }
    if let Some(stops) = rollout.stops(count) {
        talk.say(&stops)?;
    }
    for finding in &plan.findings {
        talk.say(&format!("lint: line {}: {} ({})", finding.line, finding.text, finding.code))?;
    }
    Ok(())
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// Passphrases that the planned devices need.
pub async fn answers(talk: &mut Talk, client: &Client, questions: &[Question]) -> Result<Option<()>, CliError> {
    for question in questions {
        for _ in 0..TRIES {
            let prompt = format!("{}, for {} device{}", question.text, question.devices, plural(question.devices));
            let Some(value) = secret(talk.hidden(&prompt).await?) else { return nothing_sent(talk).map(|()| None) };
            if value.is_empty() {
                talk.say("Left out: those devices will say what they lacked.")?;
                break;
            }
            match client.answer(&question.id, &Secret::new(value.as_str())).await {
                Ok(()) => break,
                Err(ClientError::Refused(problem)) => talk.say(&problem.error)?,
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(Some(()))
}

async fn confirmed(talk: &mut Talk, plan: &Plan) -> Result<Word, CliError> {
    let count = plan.devices.len();
    let (prompt, wanted) = if plan.confirm {
        (
            "Type the number of devices to launch, how for rings and limits, anything else sends nothing".to_owned(),
            count.to_string(),
        )
    } else {
        let s = plural(count);
        let prompt =
            format!("Type yes to launch on {count} device{s}, how for rings and limits, anything else sends nothing");
        (prompt, "yes".to_owned())
    };
    Ok(match talk.confirm(&prompt).await? {
        Answer::Given(line) if line.trim() == wanted => Word::Launch,
        Answer::Given(line) if line.trim() == "how" => Word::How,
        _ => Word::Nothing,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn param(kind: ParamKind) -> Param {
        Param { describe: "what it is".into(), ..Param::new("p", kind) }
    }

    #[test]
    fn a_question_says_what_may_be_answered() {
        let choices = vec!["a".to_owned(), "b".to_owned()];
        let of = Param { choices, required: true, ..param(ParamKind::Option) };
        assert_eq!(describe(&of), "p: what it is (one of a, b; required)");
        assert_eq!(judged(&of, "c").unwrap_err(), "'p' is one of a, b, not 'c'");
        assert_eq!(judged(&of, "").unwrap_err(), "p is required.");
        assert_eq!(judged(&of, "b"), Ok(Some(vec!["b".to_owned()])));
    }

    #[test]
    fn flags_and_several_values_are_read_as_meant() {
        assert_eq!(judged(&param(ParamKind::Flag), "Yes"), Ok(Some(vec!["true".to_owned()])));
        assert_eq!(judged(&param(ParamKind::Flag), "no"), Ok(None));
        assert!(judged(&param(ParamKind::Flag), "perhaps").is_err());
        let several = Param { multiple: true, ..param(ParamKind::Arg) };
        assert_eq!(judged(&several, "a 'b c'"), Ok(Some(vec!["a".to_owned(), "b c".to_owned()])));
        assert!(judged(&several, "'open").is_err());
    }
}
