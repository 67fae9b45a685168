//! Plans: what a launch will do, resolved and previewed. Launching takes exactly a plan, by its id, and is
//! refused when the script or the devices have changed since.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use jiff::{SignedDuration, Timestamp};

use super::overlap::{Guards, Sifted};
use super::remarks::About;
use super::{Ready, foreign, rings};
use crate::connectors::{Handed, Payload};
use crate::engine::Engine;
use crate::engine::sets::Meant;
use crate::engine::store::launches::{Given, Launched};
use crate::model::device::{Device, Inventory, Reach};
use crate::model::job::{Job, JobSummary, Run};
use crate::model::nodeset;
use crate::model::options;
use crate::model::plan::{Caller, Exclusion, FileGiven, LeftOut, Plan, PlanRequest, PlannedFile, ScriptRef};
use crate::model::rollout::{Progress, Rollout};
use crate::model::script::{self, Argument, Finding, ScriptInfo, Supply, argv, remote, values};
use crate::model::secret::Secret;
use crate::model::state::{Counts, JobState};
use crate::model::wire::{Code, Problem};

/// How long a preview holds.
const GOOD_FOR: Duration = Duration::from_secs(600);

/// Plans kept; the oldest goes first.
const KEEP: usize = 64;

#[derive(Default)]
pub struct Plans {
    kept: Mutex<HashMap<String, Arc<Planned>>>,
}

/// A plan with what it needs to run.
pub struct Planned {
    pub plan: Plan,
    request: ScriptRef,
    include: Vec<LeftOut>,
    bytes: Vec<u8>,
    args: Vec<String>,
    arguments: Vec<Argument>,
    /// What the scripts read on stdin, secrets first.
    stdin: Vec<Secret>,
    /// Parameters whose values are held in memory alone.
    held: Vec<String>,
    /// Of its text, filled in for each device.
    variables: bool,
}

pub fn invalid(error: impl Into<String>) -> Problem {
    Problem { code: Code::Invalid, error: error.into(), column: None }
}

fn unknown(id: &str) -> Problem {
    let why = "it was launched, or made too long ago, or in an engine that has ended";
    refused(Code::Stale, format!("no plan {id} is known here ({why}): preview it again; nothing was sent"))
}

fn refused(code: Code, error: impl Into<String>) -> Problem {
    Problem { code, error: error.into(), column: None }
}

impl Plans {
    /// Resolves and previews.
    pub async fn make(&self, engine: &Engine, request: PlanRequest, caller: &Caller) -> Result<Plan, Problem> {
        let (info, bytes, findings) = fetch(engine, &request.script).await?;
        if let Some(why) = &info.refused {
            return Err(invalid(format!("{} cannot be launched: {why}", info.name)));
        }
        let Parameters { shown, files, mut args, arguments, stdin, held } = parameters(&info, &request)?;
        let variables = engine.has_variables(&request.script, &info).await?;
        let dry_run = if request.dry_run { Some(rehearse(&info, &mut args)?) } else { None };
        engine.settle().await;
        let inventory = engine.inventories.all();
        let meant = engine.meant(&inventory, &request.target).await?;
        nobody_lost(&meant, &inventory, &request.target)?;
        let given = Handed { args: &args, private: !held.is_empty() || !stdin.is_empty() };
        let (fitting, foreign) = foreign::part(engine, (&info, &bytes, &given), meant.devices.iter().collect());
        let Sifted { devices, mut excluded, mut exclusions, included } =
            Guards::now(engine, &inventory).sift(fitting, &request.include);
        for (device, exclusion) in foreign {
            excluded.extend(device.into_iter().map(|id| (id, exclusion.text.clone())));
            exclusions.push(exclusion);
        }
        for (ids, exclusion) in meant.left_out() {
            excluded.extend(ids.iter().map(|id| (id.clone(), exclusion.text.clone())));
            exclusions.push(exclusion);
        }
        // a plan of nobody, where somebody could be taken in, can be looked at and not be launched
        if !exclusions.iter().any(|out| out.why.can_be_included()) && devices.is_empty() {
            return Err(invalid(nobody(&request.target, exclusions)));
        }
        let protected =
            devices.iter().any(|device| engine.inventories.connection(&device.connection).is_some_and(|c| c.protected));
        let above = if protected { 1 } else { engine.settings.confirm_above as usize };
        let id = new_id();
        let queued = devices.iter().filter(|device| engine.capabilities(&device.connection).queues).count();
        let limits = Plan::keeps_limits_of(queued, devices.len());
        let at_once = request.at_once.unwrap_or(engine.settings.at_once) * u32::from(limits);
        let usual = engine.settings.timeout.map(|usual| u64::try_from(usual.as_millis()).unwrap_or(u64::MAX));
        let timeout_ms = request.timeout_ms.or(usual).filter(|_| limits);
        let before = match &request.script {
            ScriptRef::Job(id) => Some(engine.ended(*id).await?),
            _ => None,
        };
        let remarks = engine.remarks(&About {
            script: &info,
            given: &given,
            devices: &devices,
            limited: timeout_ms.is_some() || request.timeout_ms.is_some() || request.at_once.is_some(),
            params: &shown,
            before: before.as_ref(),
        });
        let fine: Vec<i32> = info.exits.iter().filter(|exit| exit.ok).map(|exit| exit.code).collect();
        let rollout = match devices.as_slice() {
            [] => Rollout::default(), // why there is nobody says more than that no ring fits
            devices => roll_out(engine, &request, &inventory, devices, (&id, at_once), &fine).await?,
        };
        let taken = engine.taken(&devices, &request.options).await;
        let options = match devices.as_slice() {
            [] => Vec::new(),
            _ => {
                options::settle(&request.options, &taken).map_err(|why| invalid(format!("{why}; nothing was sent")))?
            }
        };
        let plan = Plan {
            id,
            questions: engine.questions(&devices, caller).await,
            script: info,
            target: request.target,
            folded: nodeset::fold(devices.iter().map(|device| device.id.as_str())),
            offline: devices.iter().filter(|d| d.state == Reach::Offline).map(|d| d.id.clone()).collect(),
            confirm: devices.len() > above,
            devices: devices.iter().map(|device| device.id.clone()).collect(),
            warnings: inventory.lost(devices.iter().map(|device| &***device)),
            excluded,
            exclusions,
            included,
            dry_run,
            params: shown,
            files,
            options,
            taken,
            timeout_ms,
            at_once,
            rollout,
            queued,
            remarks,
            findings,
            expires_at: Timestamp::now() + SignedDuration::try_from(GOOD_FOR).unwrap_or_default(),
        };
        let planned = Planned {
            plan: plan.clone(),
            request: request.script,
            include: request.include,
            bytes,
            args,
            arguments,
            stdin,
            held,
            variables,
        };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Timestamp::now();
        // one that has just expired can still be named
        kept.retain(|_, old| old.plan.expires_at + SignedDuration::from_hours(1) > now);
        while kept.len() >= KEEP {
            let oldest = kept.iter().min_by_key(|(_, old)| old.plan.expires_at).map(|(id, _)| id.clone());
            let Some(oldest) = oldest else { break };
            kept.remove(&oldest);
        }
        kept.insert(plan.id.clone(), Arc::new(planned));
        Ok(plan)
    }

    /// A plan as it was made.
    pub fn get(&self, id: &str) -> Result<Plan, Problem> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(id).map(|planned| planned.plan.clone()).ok_or_else(|| unknown(id))
    }

    /// The plan as previewed, if it still holds.
    pub async fn take(
        &self,
        engine: &Engine,
        id: &str,
        confirm: Option<usize>,
        caller: Caller,
    ) -> Result<Ready, Problem> {
        let planned = {
            let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.get(id).cloned()
        };
        let planned = planned.ok_or_else(|| unknown(id))?;
        let plan = &planned.plan;
        if plan.expires_at <= Timestamp::now() {
            return Err(refused(
                Code::Stale,
                format!(
                    "plan {id} held until {}: preview it again; nothing was sent",
                    plan.expires_at.strftime("%H:%M:%SZ")
                ),
            ));
        }
        let count = plan.devices.len();
        if count == 0 {
            return Err(invalid(plan.nothing_left()));
        }
        match confirm {
            Some(typed) if typed != count => {
                return Err(refused(
                    Code::Unconfirmed,
                    format!("{typed} was confirmed, but {}: confirm {count}; nothing was sent", plan.holds()),
                ));
            }
            None if plan.confirm => {
                return Err(refused(
                    Code::Unconfirmed,
                    format!("{}: confirm {count} (--confirm {count}); nothing was sent", plan.holds()),
                ));
            }
            _ => {}
        }
        engine.settle().await;
        let inventory = engine.inventories.all();
        let devices = still_the_same(engine, &planned, &inventory).await?;
        let name = plan.script.name.clone();
        let kept = script::payload(&plan.script, &planned.bytes).into_owned();
        let path = keep(engine, &plan.script.version, &name, kept.clone()).await?;
        let variables = if planned.variables { Some(engine.variables(&devices).await?) } else { None };
        if matches!(planned.request, ScriptRef::Library(_)) && !plan.script.is_defined() {
            engine.launched(&plan.script, planned.bytes.clone()).await;
        }
        // the plan is used up: a second Enter launches nothing twice
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        let runs: Vec<Run> = (0..)
            .zip(&devices)
            .zip(plan.rollout.ring_of(devices.len()))
            .map(|((index, device), ring)| Run { ring, ..Run::queued(index, &device.id, &device.name) })
            .collect();
        let summary = JobSummary {
            id: 0,
            script: name.clone(),
            version: plan.script.version.clone(),
            state: JobState::Running,
            counts: Counts::of(runs.iter().map(|run| run.state)),
            created_at: Timestamp::now(),
            finished_at: None,
            target: plan.target.clone(),
            by: engine.user.clone(),
            reason: None,
            progress: Progress {
                rings: u32::try_from(plan.rollout.rings.len()).unwrap_or(u32::MAX),
                stop_at: plan.rollout.stop_at,
                ..Progress::default()
            },
            parent: match planned.request {
                ScriptRef::Job(id) => Some(id),
                _ => None,
            },
            origin: None,
        };
        Ok(Ready {
            launched: launched(&planned),
            included: plan.included.iter().map(|taken| format!("{} {}", taken.count, taken.text)).collect(),
            job: Job {
                summary,
                params: plan.params.clone(),
                timeout_ms: plan.timeout_ms,
                at_once: plan.at_once,
                options: plan.options.clone(),
                rollout: plan.rollout.clone(),
                runs,
            },
            devices,
            script: Arc::new(Payload {
                name,
                bytes: kept,
                path,
                interpreter: plan.script.interpreter.clone(),
                variables: planned.variables,
            }),
            variables,
            args: Arc::new(planned.args.clone()),
            arguments: Arc::new(planned.arguments.clone()),
            secrets: Arc::new(planned.stdin.clone()),
            caller: Arc::new(caller),
        })
    }
}

/// Why nobody is left, what keeps the most of them out first.
fn nobody(target: &str, mut exclusions: Vec<Exclusion>) -> String {
    exclusions.sort_by_key(|out| std::cmp::Reverse(out.count));
    let told = match exclusions.as_slice() {
        [] => return format!("`{target}` holds no device: nothing would run"),
        [one] => one.text.clone(),
        several => several.iter().map(|out| format!("{} {}", out.count, out.text)).collect::<Vec<_>>().join("; "),
    };
    format!("every device of `{target}` is excluded: {told}")
}

/// Refused: a target that leaves devices out, of inventories of which lines are lost. One of those that it keeps may be one
/// that it was to leave out.
fn nobody_lost(meant: &Meant, inventory: &Inventory, target: &str) -> Result<(), Problem> {
    match inventory.lost(meant.devices.iter().map(|device| &**device)).as_slice() {
        lost @ [_, ..] if meant.leaves_out => Err(invalid(format!(
            "`{target}` leaves devices out, and which ones is not known: {}: put that right, or name the devices; \
             nothing was sent",
            lost.join(", ")
        ))),
        _ => Ok(()),
    }
}

/// The rings of the plan, with the devices of the canary expression first.
async fn roll_out(
    engine: &Engine,
    request: &PlanRequest,
    inventory: &Arc<Inventory>,
    devices: &[&Arc<Device>],
    (id, at_once): (&str, u32),
    fine_codes: &[i32],
) -> Result<Rollout, Problem> {
    let how = &request.how;
    let mut canaries = HashSet::new();
    if let Some(expr) = &how.canary {
        let meant = engine.meant(inventory, expr).await;
        let meant = meant.map_err(|problem| invalid(format!("canary `{expr}`: {}", problem.error)))?.devices;
        let chosen: HashSet<&str> = meant.iter().map(|device| device.id.as_str()).collect();
        canaries.extend(devices.iter().map(|device| device.id.as_str()).filter(|id| chosen.contains(id)));
        if canaries.is_empty() {
            return Err(invalid(format!("no device of `{}` is a canary: `{expr}` holds none of them", request.target)));
        }
    }
    rings::roll_out(how, devices, &canaries, how.seed.as_deref().unwrap_or(id), at_once, fine_codes).map_err(invalid)
}

/// The devices of the plan, if script and devices are what they were.
async fn still_the_same(
    engine: &Engine,
    planned: &Planned,
    inventory: &Arc<Inventory>,
) -> Result<Vec<Arc<Device>>, Problem> {
    let plan = &planned.plan;
    if let ScriptRef::Library(name) = &planned.request {
        engine.read_anew(name).await?;
        let (now, _, _) = fetch(engine, &planned.request).await?;
        if now.version != plan.script.version {
            return Err(refused(
                Code::Stale,
                format!(
                    "{name} has changed since the preview (version {} then, {} now): preview it again; nothing was sent",
                    plan.script.version, now.version
                ),
            ));
        }
    }
    let excluded: Vec<&str> = plan.excluded.iter().map(|(id, _)| id.as_str()).collect();
    let meant = engine.meant(inventory, &plan.target).await?;
    nobody_lost(&meant, inventory, &plan.target)?;
    let now: BTreeMap<&str, &Arc<Device>> = meant
        .devices
        .iter()
        .filter(|device| !excluded.contains(&device.id.as_str()))
        .map(|device| (device.id.as_str(), device))
        .collect();
    let gone: Vec<&str> = plan.devices.iter().map(String::as_str).filter(|id| !now.contains_key(id)).collect();
    let came: Vec<&str> = now
        .keys()
        .copied()
        .filter(|id| plan.devices.binary_search_by(|known| known.as_str().cmp(id)).is_err())
        .collect();
    if !gone.is_empty() || !came.is_empty() {
        return Err(refused(
            Code::Stale,
            format!(
                "the devices of `{}` have changed since the preview (+{} {} -{} {}): preview it again; nothing was sent",
                plan.target,
                came.len(),
                nodeset::fold(came.iter().copied()),
                gone.len(),
                nodeset::fold(gone.iter().copied()),
            ),
        ));
    }
    let devices: Vec<&Arc<Device>> = plan.devices.iter().filter_map(|id| now.get(id.as_str()).copied()).collect();
    let sifted = Guards::now(engine, inventory).sift(devices, &planned.include);
    if !sifted.excluded.is_empty() {
        let since: Vec<String> =
            sifted.exclusions.iter().map(|out| format!("-{} {} ({})", out.count, out.folded, out.text)).collect();
        return Err(refused(
            Code::Stale,
            format!(
                "devices of `{}` are to be left alone since the preview ({}): preview it again; nothing was sent",
                plan.target,
                since.join(", ")
            ),
        ));
    }
    Ok(sifted.devices.into_iter().cloned().collect())
}

/// What another engine would need; with what may not be kept it cannot go on, and needs none of it.
fn launched(planned: &Planned) -> Launched {
    let Planned { plan, request, args, arguments, stdin, held, variables, .. } = planned;
    let (id, held, variables) = (plan.id.clone(), held.clone(), *variables);
    let library = matches!(request, ScriptRef::Library(_)) && plan.script.connection.is_none();
    let all = Launched { plan: id, held, variables, library, ..Launched::default() };
    if !all.held.is_empty() {
        return all;
    }
    let arguments = arguments.iter().filter_map(Given::of).collect();
    Launched { args: args.clone(), arguments, interpreter: plan.script.interpreter.clone(), lines: stdin.len(), ..all }
}

async fn keep(engine: &Engine, version: &str, name: &str, bytes: Vec<u8>) -> Result<PathBuf, Problem> {
    let (store, version, base) = (Arc::clone(&engine.jobs.store), version.to_owned(), name.to_owned());
    tokio::task::spawn_blocking(move || store.keep_version(&version, &base, &bytes))
        .await
        .map_err(|error| refused(Code::Internal, error.to_string()))?
        .map_err(|error| {
            refused(Code::Internal, format!("cannot keep the script in the state folder: {error}; nothing was sent"))
        })
}

/// The script, its text, and what lint says of it.
pub async fn fetch(engine: &Engine, wanted: &ScriptRef) -> Result<(ScriptInfo, Vec<u8>, Vec<Finding>), Problem> {
    let (info, bytes, findings) = fetch_text(engine, wanted).await?;
    let findings = engine.as_it_lies(&info.name, findings);
    Ok((info, bytes, findings))
}

async fn fetch_text(engine: &Engine, wanted: &ScriptRef) -> Result<(ScriptInfo, Vec<u8>, Vec<Finding>), Problem> {
    match wanted {
        ScriptRef::Library(name) => {
            let (info, bytes) = engine.bytes(name).await?;
            // what stands for the text of a system's own script is no script
            let findings = match engine.library.linted(&info) {
                _ if info.is_defined() => Vec::new(),
                Some(findings) => findings,
                None => script::lint_builtin(&info.name, &bytes),
            };
            Ok((info, bytes, findings))
        }
        ScriptRef::Text { name, base64 } => {
            let bytes = base64::engine::general_purpose::STANDARD
                .decode(base64)
                .map_err(|error| invalid(format!("the text of {name} is not base64: {error}")))?;
            let (info, findings) = script::examine(name, &bytes);
            Ok((info, bytes, findings))
        }
        ScriptRef::Job(id) => {
            let job = engine.ended(*id).await?.summary;
            let (store, version, name) = (Arc::clone(&engine.jobs.store), job.version.clone(), job.script.clone());
            let bytes = tokio::task::spawn_blocking(move || store.kept(&version, &name))
                .await
                .map_err(|error| refused(Code::Internal, error.to_string()))?
                .map_err(|error| {
                    let why = format!("the text of {} that job {id} ran is not kept any more: {error}", job.script);
                    refused(Code::NotFound, why)
                })?;
            let own = remote::read(&bytes).filter(|info| info.name == job.script);
            let (info, findings) = own.map_or_else(|| script::examine(&job.script, &bytes), |info| (info, Vec::new()));
            // a text is kept as it went out, its name is that of what was saved
            let connection = info.connection.clone().or_else(|| engine.texted(&job.script).map(str::to_owned));
            Ok((ScriptInfo { version: job.version, connection, ..info }, bytes, findings))
        }
    }
}

/// Adds the argument with which a script only says what it would do; which one that is.
fn rehearse(info: &ScriptInfo, args: &mut Vec<String>) -> Result<String, Problem> {
    let flag = info.dry_run.clone().ok_or_else(|| {
        invalid(format!(
            "{} declares no dry run in its header (`@meta dry-run --dry-run`): it cannot be asked to change nothing",
            info.name
        ))
    })?;
    if !args.contains(&flag) {
        args.insert(0, flag.clone()); // before any `--`
    }
    Ok(flag)
}

/// Parameters as shown, and as the script gets them.
struct Parameters {
    shown: Vec<(String, String)>,
    files: Vec<PlannedFile>,
    args: Vec<String>,
    arguments: Vec<Argument>,
    stdin: Vec<Secret>,
    /// Of those whose values are kept nowhere: secrets, what files hold, what travels on stdin.
    held: Vec<String>,
}

fn parameters(info: &ScriptInfo, request: &PlanRequest) -> Result<Parameters, Problem> {
    let wrong = |error| invalid(format!("{}: {error}", info.name));
    let files = request.files.iter().map(FileGiven::contents).collect::<Result<Vec<_>, _>>().map_err(wrong)?;
    let by_name = info.is_defined();
    let supply = Supply { params: &request.params, secrets: &request.secrets, files: &files, by_name };
    let arguments = values::settle(&info.params, &supply).map_err(wrong)?;
    let (shown, files) = (values::shown(&arguments), files.iter().map(PlannedFile::of).collect());
    let held = arguments.iter().filter(|argument| argument.is_held()).map(|argument| argument.name.clone()).collect();
    if info.is_defined() {
        // its system makes words of them
        return Ok(Parameters { shown, files, args: Vec::new(), arguments, stdin: Vec::new(), held });
    }
    let args = argv::argv(&info.params, &arguments).map_err(wrong)?;
    let stdin = argv::stdin(&arguments).map_err(wrong)?;
    Ok(Parameters { shown, files, args, arguments: Vec::new(), stdin, held })
}

fn new_id() -> String {
    let mut bytes = [0; 4];
    if getrandom::fill(&mut bytes).is_err() {
        bytes = fastrand::u32(..).to_le_bytes();
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
