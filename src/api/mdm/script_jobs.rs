//! Script jobs: `/script_jobs`. All jobs of the engine, whoever launched them.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::envelope::{self, Answer, Cursor, Fault};
use super::{Ask, object};
use crate::engine::door::{ATTRIBUTE, Asked, Filter, Fleet, Kind, Named, Order, REGEX, Targets, cleaner};
use crate::model::job::JobId;
use crate::model::moment;
use crate::model::nearest::shown;
use crate::model::plan::LeftOut;
use crate::model::wire::Stopping;

/// The four names, and what others call them.
const STATUS: [(&str, &str); 7] = [
    ("pending", "pending"),
    ("completed", "completed"),
    ("completed-with-errors", "completed-with-errors"),
    ("cancelled", "cancelled"),
    ("canceled", "cancelled"),
    ("failed", "completed-with-errors"),
    ("running", "pending"),
];

pub(super) async fn all(ask: Ask) -> Answer {
    match ask.method {
        Method::GET => list(&ask).await,
        Method::POST => create(&ask).await,
        _ => Err(ask.cannot("GET lists, POST creates")),
    }
}

pub(super) async fn one(ask: Ask) -> Answer {
    let id = ask.id("id")?;
    match ask.method {
        Method::GET => told(&ask, id).await,
        Method::DELETE => cancel(&ask, id).await,
        _ => Err(ask.cannot("GET reads, DELETE cancels")),
    }
}

async fn told(ask: &Ask, id: JobId) -> Answer {
    let (job, row) = ask.engine.whole_job(id, &ask.reach).await?;
    let fleet = ask.engine.fleet().await?;
    let ids = ask.engine.device_numbers(&fleet, &object::devices(&job)).await?;
    let logs = ask.engine.logs_of(id).await?;
    Ok(object::job(Arc::clone(&ask.engine), object::Whole { job, row, ids, logs }).await)
}

async fn cancel(ask: &Ask, id: JobId) -> Answer {
    let (job, _) = ask.engine.whole_job(id, &ask.reach).await?;
    if job.summary.state.ended() {
        let state = crate::engine::door::status(&job.summary);
        return Err(Fault::invalid(format!("the job has ended already ({state}): nothing is left to cancel")));
    }
    let stop = match ask.bag.word("stop")?.as_deref() {
        None | Some("all") => Stopping::All,
        Some("unstarted") => Stopping::Unstarted,
        Some("sending") => Stopping::Sending,
        Some(_) => return Err(Fault::invalid("stop: all, unstarted or sending is expected")),
    };
    ask.engine.cancel_job(id, stop, &ask.caller).await?;
    Ok(envelope::done())
}

async fn list(ask: &Ask) -> Answer {
    let cursor = Cursor::of(&ask.bag)?;
    let Some(filter) = filter(ask, &cursor).await? else { return Ok(envelope::page(Vec::new(), false)) };
    let page = ask.engine.job_page(filter, ask.reach.clone()).await?;
    let fleet = ask.engine.fleet().await?;
    let mut names = Vec::new();
    for row in &page.rows {
        names.extend(row.runs.iter().map(|(device, _)| device.as_str()));
    }
    let ids = ask.engine.device_numbers(&fleet, &names).await?;
    Ok(envelope::page(page.rows.iter().map(|row| object::line(row, &ids)).collect(), page.more))
}

/// `None`: nothing can fit.
async fn filter(ask: &Ask, cursor: &Cursor) -> Result<Option<Filter>, Fault> {
    let bag = &ask.bag;
    let both = |name: &str| -> Result<Vec<u64>, Fault> {
        let mut ids = bag.ids(name)?;
        ids.extend(bag.ids(&format!("{name}s"))?);
        Ok(ids)
    };
    let (mut devices, mut groups) = (both("device_id")?, both("group_id")?);
    groups.extend(both("assignment_group_id")?);
    groups.extend(both("device_group_id")?);
    let targets = both("target_id")?;
    let kinds = kinds(bag.words("target_type")?.into_iter().chain(bag.words("target_types")?))?;
    if targets.is_empty() {
        // (nothing is asked of them)
    } else if kinds.iter().all(|kind| kind == "device") {
        devices.extend(&targets);
    } else {
        groups.extend(&targets);
    }
    let mut status = Vec::new();
    for word in bag.words("status")? {
        let wanted = word.to_ascii_lowercase().replace('_', "-");
        let known = STATUS.iter().find(|(known, _)| *known == wanted).map(|(_, name)| (*name).to_owned());
        status.push(known.ok_or_else(|| {
            Fault::invalid("status: pending, completed, completed-with-errors or cancelled is expected")
        })?);
    }
    let moment = |name: &str| -> Result<Option<Timestamp>, Fault> {
        let Some(word) = bag.word(name)? else { return Ok(None) };
        let read = moment::read(&word, Timestamp::now(), &TimeZone::UTC);
        read.map(Some).map_err(|why| Fault::invalid(format!("{name}: {why}, not '{}'", shown(&word))))
    };
    let wanted = devices.len();
    let known = ask.engine.names_of(Kind::Device, devices).await?;
    let devices: Vec<String> = known.into_iter().flatten().filter(|device| ask.reaches(device)).collect();
    if wanted > 0 && devices.is_empty() {
        return Ok(None);
    }
    let mut expressions = Vec::new();
    if !groups.is_empty() {
        let fleet = ask.engine.fleet().await?;
        let sets = ask.engine.groups_of(&fleet, true).await?;
        for set in sets.iter().filter(|set| groups.contains(&set.id)) {
            // as people write them too
            expressions.extend([set.expr.clone(), set.name.clone()]);
        }
    }
    Ok(Some(Filter {
        after: cursor.number()?,
        descending: cursor.descending,
        limit: cursor.limit,
        script_name: bag.word("script_name")?,
        script: bag.ids("script_id")?.first().copied(),
        devices,
        groups,
        expressions,
        kinds,
        status,
        created: (moment("created_after")?, moment("created_before")?),
        updated: (moment("updated_after")?, moment("updated_before")?),
    }))
}

fn kinds(words: impl Iterator<Item = String>) -> Result<Vec<String>, Fault> {
    let mut kinds = Vec::new();
    for word in words {
        let word = word.to_ascii_lowercase();
        kinds.push(match word.as_str() {
            "device" | "devices" => "device".to_owned(),
            "device_group" | "device_groups" | "group" | "groups" => "device_group".to_owned(),
            "assignment_group" | "assignment_groups" => "assignment_group".to_owned(),
            _ => return Err(Fault::invalid("target_type: device, device_group or assignment_group is expected")),
        });
    }
    Ok(kinds)
}

async fn create(ask: &Ask) -> Answer {
    let bag = &ask.bag;
    let mut targets = Targets {
        devices: bag.ids("device_ids")?,
        groups: bag.ids("group_ids")?,
        assignment_groups: bag.ids("assignment_group_ids")?,
    };
    let (script, mut order) = script(ask).await?;
    let fleet = ask.engine.fleet().await?;
    if targets == Targets::default() {
        return Err(Fault::invalid("device_ids, group_ids or assignment_group_ids: at least one of them is needed"));
    }
    let named = devices(ask, &fleet, &targets.devices)?;
    let expressions = if targets.groups.is_empty() && targets.assignment_groups.is_empty() {
        Vec::new()
    } else {
        groups(ask, &fleet, &targets).await?
    };
    order.regex = regex(ask)?;
    let mut options = bag.pairs("options")?;
    match attribute(ask, &fleet).await? {
        Some(named) if named.own => order.attribute = Some(named.attribute.name),
        // its system keeps it, and takes it from the launch
        Some(named) => {
            options.push((ATTRIBUTE.to_owned(), named.attribute.name));
            let regex = order.regex.as_ref().map(|regex| regex.replace('\n', "\\n").replace('\t', "\\t"));
            options.extend(regex.map(|regex| (REGEX.to_owned(), regex)));
        }
        None => {}
    }
    std::mem::swap(&mut order.targets, &mut targets);
    let asked = Asked {
        script,
        named,
        expressions,
        params: bag.pairs("params")?,
        options,
        include: include(ask)?,
        confirm: match bag.word("confirm")? {
            None => None,
            Some(word) => Some(word.parse().map_err(|_| Fault::invalid("confirm: a number of devices is expected"))?),
        },
        order,
    };
    let id = ask.engine.create_job(asked, &ask.reach, ask.caller.clone()).await.map_err(|why| {
        // what is unknown in here is no address
        let fault = Fault::from(why);
        if fault.status == StatusCode::NOT_FOUND { fault.into_invalid() } else { fault }
    })?;
    let mut answer = told(ask, id).await?;
    *answer.status_mut() = StatusCode::CREATED;
    Ok(answer)
}

/// The script by its id, or (which is ours) by its name.
async fn script(ask: &Ask) -> Result<(String, Order), Fault> {
    let order = Order { made_by: ask.made_by.clone(), ..Order::default() };
    let listed = match (ask.bag.ids("script_id")?.first(), ask.bag.word("script_name")?) {
        (Some(id), _) => {
            let found = ask.engine.numbered_script(*id).await.map_err(Fault::from);
            found
                .map_err(|fault| match fault.status {
                    StatusCode::NOT_FOUND => {
                        Fault { title: format!("object not found: no script has the id {id}"), ..fault }
                    }
                    _ => fault,
                })?
                .0
        }
        (None, Some(name)) => match ask.engine.script_named(&name).await {
            Ok(listed) => listed,
            // one of a system's own library
            Err(why) => match ask.engine.script(&name).await {
                Ok(script) if script.info.connection.is_some() => {
                    return Ok((script.info.name.clone(), Order { title: Some(script.info.name), ..order }));
                }
                _ => return Err(why.into()),
            },
        },
        (None, None) => return Err(Fault::invalid("script_id can't be blank (script_name does as well)")),
    };
    let order = Order { script: Some(listed.id), title: Some(listed.name), variables: listed.variables, ..order };
    Ok((listed.info.name, order))
}

fn devices(ask: &Ask, fleet: &Fleet, ids: &[u64]) -> Result<Vec<String>, Fault> {
    let mut found = Vec::with_capacity(ids.len());
    let mut unknown = Vec::new();
    for id in ids {
        match ask.engine.device(fleet, *id) {
            Ok(device) if ask.reaches(&device.id) => found.push(device.id.clone()),
            _ => unknown.push(*id),
        }
    }
    if unknown.is_empty() { Ok(found) } else { Err(nobody("device_ids", "device", &unknown)) }
}

async fn groups(ask: &Ask, fleet: &Fleet, targets: &Targets) -> Result<Vec<String>, Fault> {
    let sets = ask.engine.groups_of(fleet, true).await?;
    let mut expressions = Vec::new();
    for (name, ids) in [("group_ids", &targets.groups), ("assignment_group_ids", &targets.assignment_groups)] {
        let mut unknown = Vec::new();
        for id in ids {
            let set = sets.iter().find(|set| set.id == *id);
            match set.filter(|set| super::groups::reached(ask, fleet, set)) {
                Some(set) if set.devices.is_empty() => {
                    return Err(Fault::invalid(format!(
                        "{name}: the group {} ({id}) holds no device",
                        shown(&set.name)
                    )));
                }
                Some(set) if expressions.contains(&set.expr) => {}
                Some(set) => expressions.push(set.expr.clone()),
                None => unknown.push(*id),
            }
        }
        if !unknown.is_empty() {
            return Err(nobody(name, "group", &unknown));
        }
    }
    Ok(expressions)
}

fn nobody(param: &str, what: &str, ids: &[u64]) -> Fault {
    const SHOWN: usize = 10;
    let mut told: Vec<String> = ids.iter().take(SHOWN).map(u64::to_string).collect();
    if ids.len() > SHOWN {
        told.push(format!("and {} more", ids.len() - SHOWN));
    }
    Fault::invalid(format!("{param}: no {what} has the id {}", told.join(", ")))
}

async fn attribute(ask: &Ask, fleet: &Fleet) -> Result<Option<Named>, Fault> {
    let Some(name) = ask.bag.word("custom_attribute")? else { return Ok(None) };
    ask.engine.attribute(fleet, &name).await.map(Some).map_err(|why| {
        let title = format!("custom_attribute: {}", why.error.trim_start_matches("object not found: "));
        Fault { title, ..Fault::from(why) }.into_invalid()
    })
}

fn regex(ask: &Ask) -> Result<Option<String>, Fault> {
    let Some(regex) = ask.bag.text("custom_attribute_regex")?.filter(|regex| !regex.is_empty()) else {
        return Ok(None);
    };
    cleaner(&regex).map_err(|why| Fault::invalid(format!("custom_attribute_regex: {why}")))?;
    Ok(Some(regex))
}

/// Devices that are left out for these reasons are taken in, on purpose.
fn include(ask: &Ask) -> Result<Vec<LeftOut>, Fault> {
    let mut include = Vec::new();
    for word in ask.bag.words("include")? {
        let known = LeftOut::INCLUDABLE.into_iter().find(|why| why.word() == word);
        include.push(known.ok_or_else(|| Fault::invalid("include: busy, maintenance or freeze is expected"))?);
    }
    Ok(include)
}
