//! Custom attributes: what is kept of devices under names of the operator's own, and the outputs that a job puts there;
//! beside them those that systems tell of their own devices, which are changed at their systems alone.
//! A job's outputs are taken from the log of ended runs, and how far that was done is written down: an engine that goes
//! on after another one goes on here too.

use std::sync::Arc;

use regex::{Regex, RegexBuilder};

use super::Fleet;
use super::jobs::ATTRIBUTE;
use crate::engine::store::door::{self as store, Attribute};
use crate::engine::{Engine, problem};
use crate::model::device::Inventory;
use crate::model::job::JobId;
use crate::model::nearest::shown;
use crate::model::output::Which;
use crate::model::wire::{Code, Problem};

/// Characters of a name, bytes of a value.
const NAME_MAX: usize = 200;
pub const VALUE_MAX: usize = 64 * 1024;

/// A compiled expression's size.
const REGEX_MAX: usize = 1 << 20;

fn invalid(error: impl Into<String>) -> Problem {
    problem(Code::Invalid, error)
}

/// What is taken out of an output before it is kept. As in the dialect of those who wrote it, `^` and `$` mean lines.
///
/// # Errors
/// It is no expression.
pub fn cleaner(regex: &str) -> Result<Regex, String> {
    let made = RegexBuilder::new(regex).multi_line(true).size_limit(REGEX_MAX).build();
    made.map_err(|error| {
        let why = error.to_string();
        let last = why.lines().last().unwrap_or("not a regular expression").trim();
        last.trim_start_matches("error: ").to_owned()
    })
}

fn check_name(name: &str) -> Result<(), Problem> {
    let fits =
        !name.is_empty() && name.len() <= NAME_MAX && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if fits { Ok(()) } else { Err(invalid("name: letters, digits and underscores, and at least one of them")) }
}

fn check_value(value: &str) -> Result<(), Problem> {
    if value.len() <= VALUE_MAX { Ok(()) } else { Err(invalid(format!("value: at most {} KiB", VALUE_MAX >> 10))) }
}

fn unknown(name: &str) -> Problem {
    problem(Code::NotFound, format!("object not found: no custom attribute '{}'", shown(name)))
}

/// A custom attribute: one of the engine's own, one that systems tell of their devices, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Of one that only systems have, the default is theirs, and not known.
    pub attribute: Attribute,
    pub own: bool,
    /// Connections whose devices have it.
    pub connections: Vec<String>,
}

impl Named {
    /// Case aside.
    ///
    /// # Errors
    /// None is called so.
    pub fn find<'a>(all: &'a [Named], name: &str) -> Result<&'a Named, Problem> {
        all.iter().find(|named| named.attribute.name.eq_ignore_ascii_case(name)).ok_or_else(|| unknown(name))
    }
}

/// What the systems of these devices have.
pub(super) fn of_systems(inventory: &Inventory) -> Vec<Named> {
    let mut all = Vec::new();
    for device in &inventory.devices {
        for (name, _) in device.attributes() {
            add(&mut all, name, &device.connection);
        }
    }
    all
}

/// One that a system has: under the spelling that came first, for case does not count.
fn add(all: &mut Vec<Named>, name: &str, connection: &str) {
    let at = all.iter().position(|named| named.attribute.name.eq_ignore_ascii_case(name)).unwrap_or_else(|| {
        let attribute = Attribute { name: name.to_owned(), default_value: String::new() };
        all.push(Named { attribute, own: false, connections: Vec::new() });
        all.len() - 1
    });
    if !all[at].connections.iter().any(|known| known == connection) {
        all[at].connections.push(connection.to_owned());
    }
}

impl Engine {
    /// Attributes that systems keep outputs in, by connection: also those that no device has a value of.
    fn defined(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for connection in self.connectors.keys() {
            let taken = self.launch_options(connection).into_iter().find(|option| option.name == ATTRIBUTE);
            let names = taken.and_then(|option| option.known).unwrap_or_default();
            all.extend(names.into_iter().map(|name| (connection.clone(), name)));
        }
        all.sort_unstable();
        all
    }

    /// All of them, in the order of their names, case aside.
    pub async fn attributes(self: &Arc<Self>, fleet: &Fleet) -> Result<Vec<Named>, Problem> {
        let own = self.read(|_, db| store::attributes(db)).await?;
        let mut all = fleet.attributes.clone();
        for (connection, name) in self.defined() {
            add(&mut all, &name, &connection);
        }
        for attribute in own {
            match all.iter_mut().find(|named| named.attribute.name.eq_ignore_ascii_case(&attribute.name)) {
                Some(named) => (named.attribute, named.own) = (attribute, true),
                None => all.push(Named { attribute, own: true, connections: Vec::new() }),
            }
        }
        all.sort_by_cached_key(|named| named.attribute.name.to_lowercase());
        Ok(all)
    }

    pub async fn attribute(self: &Arc<Self>, fleet: &Fleet, name: &str) -> Result<Named, Problem> {
        Named::find(&self.attributes(fleet).await?, name).cloned()
    }

    pub async fn create_attribute(&self, name: &str, default_value: &str) -> Result<Attribute, Problem> {
        check_name(name)?;
        check_value(default_value)?;
        let attribute = Attribute { name: name.to_owned(), default_value: default_value.to_owned() };
        let made = attribute.clone();
        if self.jobs.store.db.call(move |db| store::put_attribute(db, &made)).await? {
            Ok(attribute)
        } else {
            Err(invalid(format!("name '{name}' has already been taken")))
        }
    }

    pub async fn set_default(&self, name: &str, value: &str) -> Result<(), Problem> {
        check_value(value)?;
        let (wanted, value) = (name.to_owned(), value.to_owned());
        let done = self.jobs.store.db.call(move |db| store::set_default(db, &wanted, &value)).await?;
        if done { Ok(()) } else { Err(unknown(name)) }
    }

    pub async fn delete_attribute(&self, name: &str) -> Result<(), Problem> {
        let wanted = name.to_owned();
        let done = self.jobs.store.db.call(move |db| store::delete_attribute(db, &wanted)).await?;
        if done { Ok(()) } else { Err(unknown(name)) }
    }

    /// What a device has of every attribute.
    pub async fn values(self: &Arc<Self>, device: &str) -> Result<Vec<(Attribute, Option<String>)>, Problem> {
        let device = device.to_owned();
        self.read(move |_, db| store::values(db, &device)).await
    }

    /// The same of several devices, in their order.
    pub async fn values_of(
        self: &Arc<Self>,
        devices: Vec<String>,
    ) -> Result<Vec<Vec<(Attribute, Option<String>)>>, Problem> {
        self.read(move |_, db| devices.iter().map(|device| store::values(db, device)).collect()).await
    }

    /// Values as (device, name, value): all of them or none.
    pub async fn set_values(&self, values: Vec<(String, String, String)>) -> Result<(), Problem> {
        values.iter().try_for_each(|(_, _, value)| check_value(value))?;
        let done = self.jobs.store.db.call(move |db| store::set_values(db, &values)).await?;
        done.map_err(|name| unknown(&name))
    }

    /// From now on the outputs of this job's runs become values as the runs end.
    pub(super) fn keep_values(self: &Arc<Self>, id: JobId) {
        let engine = Arc::clone(self);
        tokio::spawn(async move {
            let live = engine.jobs.live(id);
            let follower = live.map(|live| live.follow().0);
            loop {
                let mut over = follower.is_none();
                if let Some(follower) = &follower {
                    follower.bell.notified().await;
                    let news = follower.take();
                    over = news.end.is_some();
                    if !over && !news.runs.iter().any(|run| run.state.ended()) {
                        continue;
                    }
                }
                if let Err(why) = engine.keep_ended(id, over).await {
                    tracing::warn!(job = id, error = why.error, "outputs are not kept as a custom attribute");
                }
                if over {
                    return;
                }
            }
        });
    }

    /// Goes on with what an engine before this one had begun.
    pub(in crate::engine) async fn keep_left_values(self: &Arc<Self>) {
        match self.jobs.store.db.call(|db| store::unkept(db)).await {
            Ok(left) => left.into_iter().for_each(|id| self.keep_values(id)),
            Err(error) => tracing::warn!(%error, "custom attributes"),
        }
    }

    async fn keep_ended(self: &Arc<Self>, id: JobId, over: bool) -> Result<(), Problem> {
        let kept = self
            .read(move |engine, db| {
                let Some(order) = store::order(db, id)? else { return Ok(None) };
                let Some(attribute) = order.attribute.clone() else { return Ok(None) };
                let cleaner = order.regex.as_deref().filter(|regex| !regex.is_empty()).and_then(|r| cleaner(r).ok());
                let mut upto = None;
                let mut values = Vec::new();
                for (log, run, device, by_itself) in store::ended_since_kept(db, id)? {
                    upto = Some(log);
                    // what could not be started says nothing of the device
                    if !by_itself {
                        continue;
                    }
                    let Ok(said) = engine.output_now(id, run, Which::Out, VALUE_MAX) else { continue };
                    let text = String::from_utf8_lossy(&said.bytes);
                    let text = cleaner.as_ref().map_or_else(|| text.clone(), |regex| regex.replace_all(&text, ""));
                    values.push((device, attribute.clone(), text.into_owned()));
                }
                Ok(Some((values, upto)))
            })
            .await?;
        let Some((values, upto)) = kept else { return Ok(()) };
        self.jobs
            .store
            .db
            .call(move |db| {
                // an attribute that was deleted meanwhile is nobody's wish any more
                let _ = store::set_values(db, &values)?;
                match (over, upto) {
                    (true, _) => store::set_kept(db, id, None),
                    (false, Some(upto)) => store::set_kept(db, id, Some(upto)),
                    (false, None) => Ok(()),
                }
            })
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matches_is_taken_out() {
        let clean = |regex: &str, text: &str| cleaner(regex).unwrap().replace_all(text, "").into_owned();
        assert_eq!(clean("\\n", "on\n"), "on");
        assert_eq!(clean("\n", "a\nb\n"), "ab");
        assert_eq!(clean("^state: |\\s+$", "state: on\n"), "on");
        assert_eq!(cleaner("(").unwrap_err(), "unclosed group");
    }

    #[test]
    fn a_name_is_a_word() {
        for good in ["cache_state", "A1", "_"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for wrong in ["", "a b", "a-b", "é", "a/b", &"x".repeat(201)] {
            assert!(check_name(wrong).is_err(), "{wrong}");
        }
    }
}
