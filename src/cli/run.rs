//! `run`: plan, preview, confirm, launch, and, if asked to, wait.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use base64::Engine as _;
use zeroize::Zeroizing;

use super::args::{self, SecretFrom};
use super::follow::{Follow, Interrupt, follow};
use super::printer::{Style, Wanted};
use super::{CliError, Desk, Outcome, ask, out, planned, safe, say};
use crate::client::given::{self, Unread};
use crate::client::{Client, ClientError};
use crate::model::plan::{Plan, PlanRequest, Question, ScriptRef};
use crate::model::script::{self, Level, Param, ScriptInfo, remote};
use crate::model::secret::Secret;
use crate::model::wire::{Code, Launch};
use crate::settings::variable;

/// More is not read: the engine refuses far smaller scripts, with its own reason.
const SCRIPT_LIMIT: u64 = 16 << 20;

const SECRET_LIMIT: u64 = 64 << 10;

/// Wrong passphrases before giving up.
const TRIES: u32 = 3;

/// What is to be planned, of `run` and `plan` alike.
pub struct Asked<'a> {
    pub script: &'a str,
    /// `None`: the server whose own script it is.
    pub target: Option<&'a str>,
    pub what: &'a args::What,
    pub dry_run: Option<args::DryRun>,
}

impl Asked<'_> {
    /// The plan, and what was asked for it.
    pub async fn plan(
        &self,
        desk: &Desk<'_>,
        client: &Client,
        local: Local,
        mut secrets: Vec<(String, Secret)>,
    ) -> Result<(PlanRequest, Plan), CliError> {
        let script = found(client, local, self.script).await?;
        let what = self.what;
        let asking = ask::may_ask(desk.common.no_input);
        let needed = asking || !what.params.is_empty() || self.target.is_none();
        let info = if needed { declared(client, &script).await } else { None };
        let target = match self.target {
            Some(target) => target.to_owned(),
            None => at_home(client, info.as_ref(), self.script).await?,
        };
        if let Some(info) = info.as_ref().filter(|_| asking) {
            ask_secrets(info, &mut secrets).await?;
        }
        let mut request = PlanRequest {
            script,
            target: target.clone(),
            params: what.params.clone(),
            secrets,
            files: Vec::new(),
            include: what.include.iter().map(|reason| reason.left_out()).collect(),
            dry_run: self.dry_run == Some(args::DryRun::Script),
            options: what.options.clone(),
            timeout_ms: what.timeout.map(|timeout| u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX)),
            at_once: what.at_once,
            how: what.rollout.how()?,
        };
        if let Some(info) = &info {
            read_files(&info.params, &mut request)?;
        }
        let plan = client.plan(&request).await.map_err(|error| super::targets::pointed(error, &target))?;
        if plan.devices.is_empty() {
            return Err(CliError::Usage(plan.nothing_left()));
        }
        Ok((request, plan))
    }
}

/// The server whose own script it is, as a target.
async fn at_home(client: &Client, info: Option<&ScriptInfo>, script: &str) -> Result<String, CliError> {
    match info {
        Some(info @ ScriptInfo { connection: Some(connection), .. }) if info.is_defined() => {
            Ok(format!("{connection}:{connection}"))
        }
        Some(_) => Err(nowhere()),
        // why it is not known is said better by asking for it
        None => match client.script(script).await?.info.connection {
            Some(connection) => Ok(format!("{connection}:{connection}")),
            None => Err(nowhere()),
        },
    }
}

fn nowhere() -> CliError {
    CliError::Usage(
        "say on which devices: --target EXPR; only a server's own script (CONNECTION:NAME) needs none".into(),
    )
}

/// Everything up to the launch.
pub enum Prepared {
    Launch(Client, Launch),
    /// A dry run: it was shown.
    Shown(Outcome),
}

pub async fn run(desk: &Desk<'_>, verb: &args::Run) -> Result<Outcome, CliError> {
    let secrets = verb.what.secrets.iter().map(|text| referred(text)).collect::<Result<Vec<_>, _>>()?;
    let local = verb.script.as_deref().map_or(Ok(None), read_script)?;
    if verb.plan.is_none() && verb.target.is_none() && verb.script.as_deref().and_then(remote::split).is_none() {
        return Err(nowhere());
    }
    // From here on ^C is ours: before the launch nothing was sent, after it a job is left behind that must be named.
    let mut interrupt = Interrupt::listen()?;
    let prepared = tokio::select! {
        biased;
        () = interrupt.pressed() => {
            say("\nquarterdeck: interrupted; nothing was sent");
            return Ok(Outcome::Interrupted);
        }
        ready = prepare(desk, verb, local, secrets) => ready?,
    };
    let (client, launch) = match prepared {
        Prepared::Launch(client, launch) => (client, launch),
        Prepared::Shown(outcome) => return Ok(outcome),
    };
    let job = client.launch(&launch).await?;
    if verb.wait {
        let style = if desk.common.json { Style::Json } else { Style::Text { safe: true, labels: true } };
        return follow(Follow { client: &client, id: job.id, style, wanted: Wanted::ALL }, &mut interrupt).await;
    }
    if desk.common.json {
        out::json_object(&serde_json::json!({ "id": job.id }))?;
    } else {
        out::print(&format!("{}\n", job.id))?;
    }
    Ok(Outcome::Done)
}

/// Everything up to the launch: planned, previewed, confirmed, and every question answered.
async fn prepare(
    desk: &Desk<'_>,
    verb: &args::Run,
    local: Local,
    secrets: Vec<(String, Secret)>,
) -> Result<Prepared, CliError> {
    let asking = ask::may_ask(desk.common.no_input);
    let client = desk.engine().await?;
    desk.notices(&client);
    let plan = match (&verb.plan, &verb.script, &verb.target) {
        (Some(_), _, _) if verb.dry_run == Some(args::DryRun::Script) => {
            let how = "plan the dry run itself: `quarterdeck plan … --dry-run=script`";
            return Err(CliError::Usage(format!("a plan is launched as it is: {how}; nothing was sent")));
        }
        (Some(given), _, _) => planned::again(&client, given, secrets).await?,
        (None, Some(script), target) => {
            let asked = Asked { script, target: target.as_deref(), what: &verb.what, dry_run: verb.dry_run };
            asked.plan(desk, &client, local, secrets).await?.1
        }
        (None, None, _) => return Err(CliError::Usage("say what to run: SCRIPT and --target, or --plan".to_owned())),
    };
    say_warnings(&plan);
    if verb.dry_run == Some(args::DryRun::Plan) {
        return planned::show(desk, &plan).map(Prepared::Shown);
    }
    let confirm = confirmed(&plan, verb.confirm, asking).await?;
    answer(&client, &plan.questions, asking).await?;
    Ok(Prepared::Launch(client, Launch { plan: plan.id, confirm }))
}

/// A script read here: its name and bytes.
pub type Local = Option<(String, Vec<u8>)>;

/// The script's bytes if SCRIPT is `-` or a file.
pub fn read_script(given: &str) -> Result<Local, CliError> {
    if given == "-" {
        return bounded(io::stdin().lock(), "stdin").map(|bytes| Some(("stdin".to_owned(), bytes)));
    }
    let path = Path::new(given);
    // `linux/disk.sh` may be a name in the library as well: there it is asked for if no such file is here.
    let explicit = given.starts_with('/') || given.starts_with("./") || given.starts_with("../");
    match File::open(path) {
        Ok(file) if !file.metadata().is_ok_and(|meta| meta.is_dir()) => {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            bounded(file, given).map(|bytes| Some((name, bytes)))
        }
        Ok(_) if explicit => Err(CliError::Usage(folder(path))),
        Err(error) if explicit => Err(CliError::Usage(format!("cannot read the script {given}: {error}"))),
        Ok(_) | Err(_) => Ok(None),
    }
}

/// What is said where a script was meant; with its files, where they are few.
fn folder(path: &Path) -> String {
    const FEW: usize = 8;
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    let hidden = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let mut files: Vec<_> = entries.filter(|path| path.is_file() && !hidden(path)).collect();
    files.sort();
    let files: Vec<String> = files.iter().map(|path| path.display().to_string()).collect();
    let held = if (1..=FEW).contains(&files.len()) { format!("; in it: {}", files.join(", ")) } else { String::new() };
    format!("{} is a folder, not a script{held}", path.display())
}

fn bounded(source: impl Read, shown: &str) -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    source
        .take(SCRIPT_LIMIT + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| CliError::Usage(format!("cannot read the script {shown}: {error}")))?;
    if bytes.len() as u64 > SCRIPT_LIMIT {
        let limit = SCRIPT_LIMIT >> 20;
        return Err(CliError::Usage(format!("the script {shown} is larger than {limit} MiB: nothing was sent")));
    }
    Ok(bytes)
}

/// A bare name is the library's if the library has it, even where a file of that name lies in the folder.
pub async fn found(client: &Client, local: Local, given: &str) -> Result<ScriptRef, CliError> {
    let Some((name, bytes)) = local else {
        let path = Path::new(given);
        if path.is_dir()
            && let Err(ClientError::Refused(problem)) = client.script(given).await
            && problem.code == Code::NotFound
        {
            return Err(CliError::Usage(format!("{}; {}", problem.error, folder(path))));
        }
        return Ok(ScriptRef::Library(given.to_owned()));
    };
    if given != "-" && !given.contains('/') {
        match client.script(given).await {
            Ok(_) => return Ok(ScriptRef::Library(given.to_owned())),
            Err(ClientError::Refused(problem)) if problem.code == Code::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(ScriptRef::text(&name, &bytes))
}

/// The value behind `NAME=@FILE` or `NAME=env:VARIABLE`.
pub fn referred(text: &str) -> Result<(String, Secret), CliError> {
    let (name, from) = args::secret(text).map_err(|wrong| CliError::Usage(wrong.to_owned()))?;
    let value = match from {
        SecretFrom::Variable(variable_name) => Zeroizing::new(variable(&variable_name).ok_or_else(|| {
            CliError::Usage(format!("secret {name}: the variable {variable_name} is not set, or not UTF-8"))
        })?),
        SecretFrom::File(path) => {
            let wrong = |why: String| CliError::Usage(format!("secret {name}: cannot read {}: {why}", path.display()));
            let mut text = Zeroizing::new(String::new());
            File::open(&path)
                .and_then(|file| file.take(SECRET_LIMIT + 1).read_to_string(&mut text))
                .map_err(|error| wrong(error.to_string()))?;
            if text.len() as u64 > SECRET_LIMIT {
                return Err(wrong(format!("it is larger than {} KiB", SECRET_LIMIT >> 10)));
            }
            text
        }
    };
    // A file ends with a newline that nobody meant.
    let value = value.strip_suffix('\n').map_or(value.as_str(), |text| text.strip_suffix('\r').unwrap_or(text));
    Ok((name, Secret::new(value)))
}

/// What the script declares; `None`: planning says better why that is not known.
async fn declared(client: &Client, script: &ScriptRef) -> Option<ScriptInfo> {
    match script {
        ScriptRef::Library(name) => {
            let listed = client.library().await.ok()?.scripts.into_iter().find(|script| script.name == *name);
            match listed {
                Some(info) => Some(info),
                // a short name, or a version
                None => client.script(name).await.ok().map(|script| script.info),
            }
        }
        ScriptRef::Text { name, base64 } => {
            let bytes = base64::engine::general_purpose::STANDARD.decode(base64).unwrap_or_default();
            Some(script::inspect(name, &bytes))
        }
        ScriptRef::Job(_) => client.lint(script).await.ok().map(|script| script.info),
    }
}

/// What the files hold whose paths were given as parameters.
pub fn read_files(params: &[Param], request: &mut PlanRequest) -> Result<(), CliError> {
    let unread = |Unread { param, why }| CliError::Usage(format!("--param {param}: {why}; nothing was sent"));
    given::read(params, request, true).map_err(unread)
}

/// Asks for the secrets that the script requires and that were not given.
pub async fn ask_secrets(info: &ScriptInfo, given: &mut Vec<(String, Secret)>) -> Result<(), CliError> {
    for param in info.params.iter().filter(|param| param.secret && param.required) {
        if given.iter().any(|(name, _)| *name == param.name) {
            continue;
        }
        let value = ask::hidden(format!("{} (hidden): ", safe::text(&param.name))).await?;
        given.push((param.name.clone(), Secret::new(value.as_str())));
    }
    Ok(())
}

/// What the preview holds that the operator should know.
pub fn say_warnings(plan: &Plan) {
    for finding in plan.findings.iter().filter(|finding| finding.level >= Level::Warn) {
        let place = if finding.line > 0 { format!(":{}", finding.line) } else { String::new() };
        say(format!("quarterdeck: {}{place}: {} [{}]", plan.script.name, finding.text, finding.code));
    }
    for remark in &plan.remarks {
        say(format!("quarterdeck: {remark}"));
    }
    plan.warnings.iter().for_each(|why| say(format!("quarterdeck: {why}")));
    for out in &plan.exclusions {
        say(format!("quarterdeck: left out: {}", planned::told(out)));
    }
    for taken in &plan.included {
        say(format!("quarterdeck: taken in on purpose: {}", planned::told(taken)));
    }
}

/// The count to launch with, as given or typed.
pub async fn confirmed(plan: &Plan, given: Option<usize>, asking: bool) -> Result<Option<usize>, CliError> {
    let count = plan.devices.len();
    match given {
        Some(given) if given != count => Err(CliError::Usage(format!(
            "--confirm {given}, but {}: --confirm {count} is right; nothing was sent",
            plan.holds()
        ))),
        Some(given) => Ok(Some(given)),
        None if !plan.confirm => Ok(None),
        None if !asking => {
            Err(CliError::Usage(format!("{}: confirm with --confirm {count}; nothing was sent", plan.holds())))
        }
        None => {
            say(format!("{} on {}: {}", plan.script.name, many(count), plan.folded));
            if !plan.offline.is_empty() {
                say(format!("{} of them were offline when last tried", plan.offline.len()));
            }
            let typed = ask::line("Type the number of devices to launch: ").await?;
            if typed.trim().parse() == Ok(count) {
                Ok(Some(count))
            } else {
                Err(CliError::Usage(format!("not confirmed: it is {}; nothing was sent", many(count))))
            }
        }
    }
}

fn many(count: usize) -> String {
    format!("{count} device{}", if count == 1 { "" } else { "s" })
}

/// Passphrases that the planned devices need. Without a terminal the launch goes on: those devices' runs say what
/// they lacked, the others need not suffer.
pub async fn answer(client: &Client, questions: &[Question], asking: bool) -> Result<(), CliError> {
    for question in questions {
        if !asking {
            say(format!(
                "quarterdeck: not asked for: {} (for {}; ssh-add it, or run on a terminal)",
                question.text,
                many(question.devices)
            ));
            continue;
        }
        let mut tries = 0;
        loop {
            let value = ask::hidden(format!("{} ({}): ", safe::text(&question.text), many(question.devices))).await?;
            if value.is_empty() {
                say("quarterdeck: left out");
                break;
            }
            tries += 1;
            match client.answer(&question.id, &Secret::new(value.as_str())).await {
                Ok(()) => break,
                Err(ClientError::Refused(problem)) if tries < TRIES => say(format!("quarterdeck: {}", problem.error)),
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::plan::{Exclusion, LeftOut};

    fn plan(devices: usize, confirm: bool) -> Plan {
        let script = script::inspect("x.sh", b"#!/bin/sh\n");
        Plan {
            id: "p".into(),
            script,
            target: "@all".into(),
            devices: (0..devices).map(|n| format!("lab:{n}")).collect(),
            folded: String::new(),
            offline: vec![],
            warnings: vec![],
            excluded: vec![],
            exclusions: vec![],
            included: vec![],
            dry_run: None,
            params: vec![],
            files: vec![],
            options: vec![],
            taken: vec![],
            timeout_ms: None,
            at_once: 0,
            rollout: Default::default(),
            confirm,
            queued: 0,
            remarks: vec![],
            findings: vec![],
            questions: vec![],
            expires_at: jiff::Timestamp::UNIX_EPOCH,
        }
    }

    #[tokio::test]
    async fn many_devices_need_their_number() {
        assert_eq!(confirmed(&plan(3, false), None, false).await.unwrap(), None);
        assert_eq!(confirmed(&plan(20, true), Some(20), false).await.unwrap(), Some(20));
        let error = confirmed(&plan(20, true), None, false).await.unwrap_err().to_string();
        assert!(error.contains("--confirm 20") && error.contains("nothing was sent"), "{error}");
    }

    #[tokio::test]
    async fn a_wrong_number_is_refused_even_where_none_is_needed_and_the_right_one_said() {
        for needed in [true, false] {
            let error = confirmed(&plan(12, needed), Some(10), false).await.unwrap_err();
            assert_eq!(error.fault(), super::super::Fault::Usage);
            assert!(error.to_string().contains("12 devices"), "{error}");
        }
    }

    #[tokio::test]
    async fn where_some_are_left_out_both_numbers_are_said_and_the_one_to_confirm() {
        let exclusion =
            Exclusion { why: LeftOut::Busy, text: "busy in job 4810".into(), count: 2, folded: "lab:[12-13]".into() };
        let excluded = ["lab:12", "lab:13"].map(|id| (id.to_owned(), exclusion.text.clone()));
        let part = Plan { excluded: excluded.into(), exclusions: vec![exclusion], ..plan(12, true) };
        let holds = "`@all` holds 14 devices, of which 12 would be sent to (left out: 2 busy in job 4810): ";
        for (given, next) in [(Some(14), "--confirm 12 is right"), (None, "confirm with --confirm 12")] {
            let error = confirmed(&part, given, false).await.unwrap_err().to_string();
            assert!(error.contains(&format!("{holds}{next}; nothing was sent")), "{error}");
        }
    }

    #[test]
    fn a_secret_is_read_from_where_it_lies_without_the_files_newline() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "hunter2\r\n").unwrap();
        let (name, value) = referred(&format!("t=@{}", file.path().display())).unwrap();
        assert_eq!((name.as_str(), value.expose()), ("t", "hunter2"));
        let error = referred("t=env:QUARTERDECK_TEST_THIS_IS_NOT_SET").unwrap_err().to_string();
        assert!(error.contains("is not set"), "{error}");
        assert!(referred("t=@/nonexistent/secret").unwrap_err().to_string().contains("/nonexistent/secret"));
    }

    #[test]
    fn a_script_is_a_file_where_a_path_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.sh");
        std::fs::write(&path, "echo").unwrap();
        let read = read_script(path.to_str().unwrap()).unwrap();
        assert_eq!(read, Some(("x.sh".to_owned(), b"echo".to_vec())));
        assert_eq!(read_script("no-such-file-here").unwrap(), None);
        assert_eq!(read_script("no-such-folder/disk.sh").unwrap(), None);
        assert!(read_script("./no-such-file-here").unwrap_err().to_string().contains("cannot read the script"));
        let shown = folder.path().display();
        let refused = read_script(&format!("{shown}/")).unwrap_err().to_string();
        assert_eq!(refused, format!("{shown}/ is a folder, not a script; in it: {shown}/x.sh"));
        std::fs::remove_file(&path).unwrap();
        let refused = read_script(&format!("{shown}")).unwrap_err().to_string();
        assert_eq!(refused, format!("{shown} is a folder, not a script"));
    }
}
