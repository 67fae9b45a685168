//! Webhooks that come in: what config.toml says is launched when another system tells that something has happened. It
//! goes the way of every launch: plan, freeze, read-only, audit. The same event launches once.

use std::sync::Arc;
use std::sync::Mutex;

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::store::hooked;
use super::{Engine, problem};
use crate::connectors::reference;
use crate::model::audit::{Act, Deed};
use crate::model::device::Device;
use crate::model::hook::{Happened, Heard, Hook, Launched};
use crate::model::nodeset;
use crate::model::plan::{Caller, PlanRequest, ScriptRef};
use crate::model::token::Key;
use crate::model::wire::{Code, Event, Launch, Problem};
use crate::settings::variable;

/// Launches in a minute, all hooks together.
const A_MINUTE: u32 = 300;

/// A signature that is older, or of the future, is not taken: what was overheard cannot be played back later.
const SKEW_SECONDS: i64 = 300;

/// Launches of this minute.
#[derive(Default)]
pub struct Pace(Mutex<(i64, u32)>);

impl Pace {
    fn take(&self, now: Timestamp) -> bool {
        let mut pace = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let minute = now.as_second().div_euclid(60);
        if pace.0 != minute {
            *pace = (minute, 0);
        }
        pace.1 += 1;
        pace.1 <= A_MINUTE
    }
}

/// Who says so.
pub enum Says<'a> {
    /// This user, over the socket.
    Own,
    Key(&'a Key),
    /// `HMAC-SHA256(timestamp.body)` in hex, as our own webhooks are signed.
    Signed {
        at: &'a str,
        signature: &'a str,
    },
    Nobody,
}

impl Engine {
    /// Whether a hook listens to whoever says so. Who has no key does not learn which hooks there are.
    pub async fn listens(&self, name: &str, body: &[u8], says: &Says<'_>) -> bool {
        match says {
            Says::Own | Says::Key(_) => true,
            Says::Signed { at, signature } => match self.hook(name) {
                Ok(hook) => signed(hook, at, signature, body).await,
                Err(_) => false,
            },
            Says::Nobody => false,
        }
    }

    fn hook(&self, name: &str) -> Result<&Hook, Problem> {
        self.settings.hooks.iter().find(|hook| hook.name == name).ok_or_else(|| {
            problem(Code::NotFound, format!("no [[hook]] is named {name}: config.toml says which there are"))
        })
    }

    /// Acts on what has happened. `limit`: the only devices that may be reached, as a target expression.
    pub async fn happened(
        &self,
        name: &str,
        body: &[u8],
        limit: Option<&str>,
        caller: &Caller,
    ) -> Result<Heard, Problem> {
        let hook = self.hook(name)?;
        let happened: Happened = serde_json::from_slice(body)
            .map_err(|error| problem(Code::Invalid, format!("expected {{\"type\", \"at\", \"data\"}}: {error}")))?;
        if happened.kind != hook.on {
            return Ok(Heard::default()); // a system that tells everything is told that this was heard
        }
        let now = Timestamp::now();
        let mark = marked(hook, &happened);
        let kept = mark.clone();
        if !self.jobs.store.db.call(move |db| hooked::note(db, &kept, now)).await? {
            return Ok(Heard { repeated: true, ..Heard::default() });
        }
        let caller = Caller { from: format!("webhook {}, {}", hook.name, caller.from), ..Caller::default() };
        let paced = self.hooked.take(now);
        let done = if paced {
            self.act_on(hook, &happened, limit, &caller).await
        } else {
            let why = format!("webhooks launched {A_MINUTE} jobs within this minute: send it again later");
            Err(problem(Code::Refused, why))
        };
        match done {
            Ok(job) => Ok(Heard { launched: vec![Launched { hook: hook.name.clone(), job }], repeated: false }),
            Err(problem) => {
                tracing::warn!(hook = hook.name, why = problem.error, "a webhook launched nothing");
                let text = format!("the webhook {} launched nothing: {}", hook.name, problem.error);
                self.events.publish(&Event::Notice { text });
                self.jobs.store.db.call(move |db| hooked::forget(db, &mark)).await?;
                // (whoever floods it does not fill the log for good)
                if paced {
                    let (script, target) = (Some(hook.script.clone()), hook.target.clone());
                    let note = Some(format!("launched nothing: {}", problem.error));
                    self.audit(Deed { script, target, note, ..Deed::of(Act::Webhook, &self.user, &caller) }).await?;
                }
                Err(problem)
            }
        }
    }

    async fn act_on(
        &self,
        hook: &Hook,
        happened: &Happened,
        limit: Option<&str>,
        caller: &Caller,
    ) -> Result<crate::model::job::JobId, Problem> {
        let target = match &hook.target {
            Some(expr) => expr.clone(),
            None => self.device_of(happened).await?,
        };
        let meant = self.resolve(&target).await?;
        if meant.count > hook.max_devices {
            let why = format!(
                "`{target}` holds {} devices, and [[hook]] {} launches on {} at most: raise its `max_devices` if that \
                 is meant",
                meant.count, hook.name, hook.max_devices
            );
            return Err(problem(Code::Refused, why));
        }
        if let Some(groups) = limit {
            let within = self.resolve(groups).await?;
            let beyond = |device: &&Arc<Device>| !within.devices.iter().any(|known| known.id == device.id);
            if let Some(device) = meant.devices.iter().find(beyond) {
                let why = format!("the key is limited to {groups}, and {} is not among them", device.id);
                return Err(problem(Code::Refused, why));
            }
        }
        let request: PlanRequest = serde_json::from_value(serde_json::json!({
            "script": ScriptRef::Library(hook.script.clone()), "target": target, "params": hook.params,
        }))
        .map_err(|error| problem(Code::Internal, error.to_string()))?;
        let plan = self.plan(request, caller).await?;
        let launch = Launch { plan: plan.id, confirm: Some(plan.devices.len()) };
        Ok(self.launch(&launch, caller.clone()).await?.id)
    }

    /// As an expression. A device that has only just come is looked for once more in the inventories.
    async fn device_of(&self, happened: &Happened) -> Result<String, Problem> {
        for again in [false, true] {
            if again {
                self.refresh().await;
            }
            let inventory = self.inventories.all();
            let ids: Vec<&str> = inventory
                .devices
                .iter()
                .filter(|device| happened.is_about(device))
                .map(|device| device.id.as_str())
                .collect();
            if !ids.is_empty() {
                return Ok(nodeset::fold(ids));
            }
        }
        let why = format!(
            "no device here is {}, by udid, serial number or id: it is not in any inventory yet",
            happened.device()
        );
        Err(problem(Code::NotFound, why))
    }
}

fn marked(hook: &Hook, happened: &Happened) -> String {
    let mut hash = Sha256::new();
    hash.update(&hook.name);
    hash.update("\n");
    hash.update(happened.mark());
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn signed(hook: &Hook, at: &str, signature: &str, body: &[u8]) -> bool {
    let fresh = at
        .parse::<i64>()
        .is_ok_and(|at| (Timestamp::now().as_second() - at).unsigned_abs() <= SKEW_SECONDS.unsigned_abs());
    let Some(from) = hook.secret.as_ref().filter(|_| fresh) else { return false };
    match reference::read(from, variable).await {
        Ok(secret) => right(&secret, at, signature, body),
        Err(why) => {
            tracing::warn!(hook = hook.name, why, "the secret of a webhook: {from}");
            false
        }
    }
}

fn right(secret: &[u8], at: &str, signature: &str, body: &[u8]) -> bool {
    let Some(told) = signature.strip_prefix("sha256=").and_then(bytes) else { return false };
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return false };
    for part in [at.as_bytes(), b".", body] {
        mac.update(part);
    }
    mac.verify_slice(&told).is_ok() // in a time that tells nothing
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let pairs = hex.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_of_this_body_at_this_time_with_this_secret() {
        let mut mac = Hmac::<Sha256>::new_from_slice(b"hunter2").unwrap();
        mac.update(b"1795000000.{}");
        let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let told = format!("sha256={hex}");
        assert!(right(b"hunter2", "1795000000", &told, b"{}"));
        assert!(!right(b"hunter3", "1795000000", &told, b"{}"));
        assert!(!right(b"hunter2", "1795000001", &told, b"{}"));
        assert!(!right(b"hunter2", "1795000000", &told, b"{ }"));
        for wrong in ["", "sha256=", &hex, &told[..told.len() - 1], "sha256=zz", "sha256=é"] {
            assert!(!right(b"hunter2", "1795000000", wrong, b"{}"), "{wrong}");
        }
    }

    #[test]
    fn launches_have_a_pace() {
        let pace = Pace::default();
        let at = |second: i64| Timestamp::from_second(1_795_000_020 + second).unwrap();
        assert!((0..A_MINUTE).all(|_| pace.take(at(0))));
        assert!(!pace.take(at(1)));
        assert!(pace.take(at(60)));
    }
}
