//! Which device is in which ring: what a [`How`] comes to for the devices of a plan. Pure. The order is made from a
//! seed and each device's id alone, so the same seed gives the same order again, and a device that comes or goes moves
//! no other.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::model::device::Device;
use crate::model::rollout::{How, Ring, Rollout};
use crate::model::{nearest, nodeset};

/// The rings of a plan. `canaries`: ids of the devices that come first.
///
/// # Errors
/// What cannot be done with these devices, in words.
pub fn roll_out(
    how: &How,
    devices: &[&Arc<Device>],
    canaries: &HashSet<&str>,
    seed: &str,
    at_once: u32,
    fine_codes: &[i32],
) -> Result<Rollout, String> {
    how.check()?;
    let total = u32::try_from(devices.len()).unwrap_or(u32::MAX);
    let stop_at = how.stop_at(total)?;
    let mut ends = how.ends(total)?;
    if ends.is_empty() && (how.canary.is_some() || !how.spread.is_empty() || how.seed.is_some()) {
        ends = vec![total];
    }
    for field in &how.spread {
        known(field, devices)?;
    }
    let order = if ends.is_empty() { Vec::new() } else { order(how, devices, canaries, seed) };
    let mut from = 0;
    let rings: Vec<Ring> = ends
        .iter()
        .map(|&end| {
            let runs = order[from as usize..end as usize].to_vec();
            let ring = Ring { devices: folded(devices, &runs), why: why(how, devices, canaries, &runs), runs };
            from = end;
            ring
        })
        .collect();
    let sizes: Vec<u32> =
        if rings.is_empty() { vec![total] } else { rings.iter().map(|ring| ring.runs.len() as u32).collect() };
    Ok(Rollout {
        how: how.clone(),
        seed: seed.to_owned(),
        overshoot: stop_at.map_or(0, |stop_at| overshoot(stop_at, &sizes, at_once)),
        rings,
        stop_at,
        fine_codes: fine_codes.to_vec(),
    })
}

/// Bad devices beyond the budget, at worst. A ring begins only while those already sent to cannot use the budget up, so
/// what goes beyond is of one ring, and of what is in flight when the last one that counts is heard of.
fn overshoot(stop_at: u32, sizes: &[u32], at_once: u32) -> u32 {
    let mut before: u32 = 0;
    let mut worst = 0;
    for size in sizes {
        let bad = (stop_at - 1).min(before).saturating_add(*size);
        let flying = if at_once == 0 { u32::MAX } else { stop_at.saturating_add(at_once) };
        worst = worst.max(bad.min(flying).saturating_sub(stop_at));
        before = before.saturating_add(*size);
    }
    worst
}

fn known(field: &str, devices: &[&Arc<Device>]) -> Result<(), String> {
    if devices.iter().any(|device| fact(device, field).is_some()) {
        return Ok(());
    }
    let fields: HashSet<&str> = devices.iter().flat_map(|device| device.facts.keys().map(String::as_str)).collect();
    let mut listed: Vec<&str> = fields.iter().copied().chain(["connection"]).collect();
    listed.sort_unstable();
    Err(format!(
        "no device of the plan has a fact '{field}' to be spread over{} (there are: {})",
        nearest::hint(field, listed.iter().copied()),
        listed.join(", ")
    ))
}

fn fact<'a>(device: &'a Device, field: &str) -> Option<&'a str> {
    match device.facts.get(field) {
        Some(value) => Some(value),
        None if field == "connection" => Some(&device.connection),
        None => None,
    }
}

/// Indexes of the devices in the order in which they are sent to.
fn order(how: &How, devices: &[&Arc<Device>], canaries: &HashSet<&str>, seed: &str) -> Vec<u32> {
    let mut drawn: Vec<([u8; 32], u32)> =
        (0..).zip(devices).map(|(index, device)| (lot(seed, &device.id), index)).collect();
    drawn.sort_unstable();
    let (first, rest): (Vec<u32>, Vec<u32>) = drawn
        .into_iter()
        .map(|(_, index)| index)
        .partition(|&index| canaries.contains(devices[index as usize].id.as_str()));
    let mut order = spread(&how.spread, devices, first);
    order.extend(spread(&how.spread, devices, rest));
    order
}

/// A device's lot: as good as drawn, and the same for the same seed.
fn lot(seed: &str, id: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update((seed.len() as u64).to_le_bytes());
    hash.update(seed.as_bytes());
    hash.update(id.as_bytes());
    hash.finalize().into()
}

/// One of every kind in turn, as long as there are any; kinds and devices in the order in which they were drawn.
fn spread(fields: &[String], devices: &[&Arc<Device>], drawn: Vec<u32>) -> Vec<u32> {
    if fields.is_empty() {
        return drawn;
    }
    let mut seats: BTreeMap<Vec<Option<&str>>, (usize, usize)> = BTreeMap::new();
    let mut placed: Vec<(usize, usize, u32)> = Vec::with_capacity(drawn.len());
    for index in drawn {
        let kind = fields.iter().map(|field| fact(devices[index as usize], field)).collect();
        let next = seats.len();
        let (met, number) = seats.entry(kind).or_insert((0, next));
        placed.push((*met, *number, index));
        *met += 1;
    }
    placed.sort_unstable();
    placed.into_iter().map(|(_, _, index)| index).collect()
}

fn folded(devices: &[&Arc<Device>], runs: &[u32]) -> String {
    let mut ids: Vec<&str> = runs.iter().map(|run| devices[*run as usize].id.as_str()).collect();
    ids.sort_unstable();
    nodeset::fold(ids)
}

/// How they came to be in their ring, for people.
fn why(how: &How, devices: &[&Arc<Device>], canaries: &HashSet<&str>, runs: &[u32]) -> String {
    let chosen = runs.iter().filter(|run| canaries.contains(devices[**run as usize].id.as_str())).count();
    let rest =
        if how.spread.is_empty() { "by lot".to_owned() } else { format!("spread over {}", how.spread.join(", ")) };
    match (chosen, runs.len() - chosen) {
        (0, _) => rest,
        (_, 0) => "canary".to_owned(),
        (chosen, others) => format!("{chosen} canary, {others} {rest}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::rollout::amounts;

    fn fleet(count: usize) -> Vec<Arc<Device>> {
        (0..count)
            .map(|n| {
                let mut device = Device::new("lab", &format!("web{n:03}"));
                device.facts.insert("site".into(), ["lon", "par", "ber"][n % 3].into());
                if n % 2 == 0 {
                    device.facts.insert("os".into(), "14".into());
                }
                Arc::new(device)
            })
            .collect()
    }

    fn rolled(how: &How, fleet: &[Arc<Device>], canaries: &[&str], seed: &str) -> Result<Rollout, String> {
        let devices: Vec<&Arc<Device>> = fleet.iter().collect();
        roll_out(how, &devices, &canaries.iter().copied().collect(), seed, 50, &[])
    }

    fn rings(text: &str) -> How {
        How { rings: amounts(text).unwrap(), ..How::default() }
    }

    fn sizes(rollout: &Rollout) -> Vec<usize> {
        rollout.rings.iter().map(|ring| ring.runs.len()).collect()
    }

    #[test]
    fn rings_are_as_large_as_they_were_asked_for() {
        let rollout = rolled(&rings("1,5%,25%,100%"), &fleet(219), &[], "7c41").unwrap();
        assert_eq!(sizes(&rollout), [1, 10, 44, 164]);
        assert!(rolled(&rings("1,5"), &fleet(9), &[], "x").unwrap_err().contains("100%"));
    }

    #[test]
    fn the_same_seed_gives_the_same_order_and_another_device_moves_no_other() {
        let (ten, eleven) = (fleet(10), fleet(11));
        let names =
            |rollout: &Rollout| -> Vec<u32> { rollout.rings.iter().flat_map(|ring| ring.runs.clone()).collect() };
        let a = names(&rolled(&rings("1,100%"), &ten, &[], "7c41").unwrap());
        assert_eq!(a, names(&rolled(&rings("1,100%"), &ten, &[], "7c41").unwrap()));
        assert_ne!(a, names(&rolled(&rings("1,100%"), &ten, &[], "7c42").unwrap()));
        let more = names(&rolled(&rings("1,100%"), &eleven, &[], "7c41").unwrap());
        assert_eq!(a, more.into_iter().filter(|run| *run != 10).collect::<Vec<_>>());
    }

    #[test]
    fn canaries_come_first_and_the_rest_is_spread() {
        let how = How { canary: Some("tag:canary".into()), spread: vec!["site".into()], ..rings("2,5,100%") };
        let rollout = rolled(&how, &fleet(30), &["lab:web007", "lab:web011"], "s").unwrap();
        assert_eq!((rollout.rings[0].devices.as_str(), rollout.rings[0].why.as_str()), ("lab:web[007,011]", "canary"));
        let sites: HashSet<u32> = rollout.rings[1].runs.iter().map(|run| run % 3).collect();
        assert_eq!(sites.len(), 3, "one of every site");
        assert_eq!(rollout.rings[1].why, "spread over site");
    }

    #[test]
    fn a_fact_that_nobody_has_is_refused_by_name() {
        let error = rolled(&How { spread: vec!["sit".into()], ..rings("1,100%") }, &fleet(4), &[], "s").unwrap_err();
        assert!(error.contains("'sit'") && error.contains("site"), "{error}");
    }

    #[test]
    fn the_plan_says_by_how_much_the_budget_may_be_passed() {
        let over = |stop_at, sizes: &[u32], at_once| overshoot(stop_at, sizes, at_once);
        assert_eq!(over(1, &[1], 0), 0, "one device cannot be passed by another");
        assert_eq!(over(5, &[100], 0), 95, "all at once without a limit");
        assert_eq!(over(5, &[100], 10), 10);
        assert_eq!(over(11, &[1, 10, 44, 164], 50), 50);
        assert_eq!(over(11, &[1, 10, 44], 50), 43, "ten bad before the last ring, then all of it");
        assert_eq!(over(100, &[100], 10), 0, "no more than there are");
    }

    proptest! {
        #[test]
        fn every_device_is_in_exactly_one_ring(count in 1usize..200, text in prop::sample::select(vec!["100%", "1,100%", "1,5%,25%,100%", "10,50%,100%"]), spread in any::<bool>(), seed in "[a-z]{0,4}") {
            let how = How { spread: if spread { vec!["site".into(), "connection".into()] } else { vec![] }, ..rings(text) };
            let rollout = rolled(&how, &fleet(count), &["lab:web000"], &seed).unwrap();
            let mut all: Vec<u32> = rollout.rings.iter().flat_map(|ring| ring.runs.clone()).collect();
            prop_assert_eq!(all[0], 0, "the canary is first");
            all.sort_unstable();
            prop_assert_eq!(all, (0..count as u32).collect::<Vec<_>>());
        }
    }
}
