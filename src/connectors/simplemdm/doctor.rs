//! How an account is reached and whether it answers, step by step, for an operator.

use std::sync::Arc;

use super::account::Account;
use super::budget::Urgency;
use super::client::{Ask, Failure};
use super::{devices, wire};
use crate::model::device::Device;
use crate::model::wire::{Doctor, Step};

pub async fn doctor(account: &Arc<Account>, device: &Device) -> Doctor {
    let mut steps = vec![Step::new("address", true, &account.url)];
    let id = device.facts.get(devices::ID).map(String::as_str).unwrap_or_default();
    let path = format!("/devices/{}", super::form::encoded(id));
    match account.client.json::<super::client::One<wire::Device>>(Ask::get(path, Urgency::Now)).await {
        Ok(one) => {
            steps.extend(answers());
            let attributes = one.data.attributes;
            let status = if attributes.status.is_empty() { "unknown" } else { &attributes.status };
            steps.push(Step::new("device", status == "enrolled", format!("{status}, number {id}")));
            let seen = if attributes.last_seen_at.is_empty() { "never" } else { &attributes.last_seen_at };
            steps.push(Step::new("last seen", !attributes.last_seen_at.is_empty(), seen));
        }
        Err(Failure::Refused(404, _)) => {
            steps.extend(answers());
            steps.push(Step::new("device", false, "the account has it no longer: r reads the devices anew"));
        }
        Err(failure) => steps.extend(fails(&failure)),
    }
    steps.push(match &device.cannot {
        None => Step::new("scripts", true, "a Mac: it runs a script when it next talks to SimpleMDM"),
        Some(why) => Step::new("scripts", false, why),
    });
    steps.push(inventory(account));
    Doctor { device: device.id.clone(), way: "SimpleMDM".into(), why: "kind = \"simplemdm\"".into(), steps }
}

/// The account as a whole: a request or two, and what is known.
pub async fn examine(account: &Arc<Account>) -> Vec<Step> {
    let mut steps = vec![Step::new("address", true, &account.url)];
    let asked = Ask::get("/devices?limit=1", Urgency::Now).once();
    match account.client.json::<super::client::Page<wire::Device>>(asked).await {
        Ok(_) => {
            steps.extend(answers());
            steps.extend(attributes(account).await);
        }
        Err(failure) => steps.extend(fails(&failure)),
    }
    steps.push(inventory(account));
    steps
}

/// A key may be allowed to read devices, and not these.
async fn attributes(account: &Arc<Account>) -> Option<Step> {
    let asked = Ask::get("/custom_attributes?limit=1", Urgency::Now).once();
    match account.client.json::<super::client::Page<wire::Attribute>>(asked).await {
        Err(failure @ Failure::Refused(..)) => {
            let why = format!(
                "{}: names given as custom_attribute are neither completed nor checked before a launch",
                failure.says()
            );
            Some(Step::new("attributes", false, why))
        }
        _ => None,
    }
}

fn answers() -> [Step; 2] {
    [Step::new("answers", true, "SimpleMDM"), Step::new("API key", true, "accepted")]
}

fn fails(failure: &Failure) -> Vec<Step> {
    let why = failure.says();
    match failure {
        Failure::Unready(_) => vec![Step::new("API key", false, why)],
        Failure::Unreachable(_) | Failure::Unclear(_) | Failure::Strange(_) | Failure::TooLarge(_) => {
            vec![Step::new("answers", false, why)]
        }
        Failure::TooMany => vec![Step::new("answers", true, "SimpleMDM"), Step::new("requests", false, why)],
        Failure::Refused(..) => vec![Step::new("answers", true, "something does"), Step::new("API key", false, why)],
    }
}

/// What is known of its devices, and as of when.
fn inventory(account: &Arc<Account>) -> Step {
    let standing = account.standing();
    let known =
        format!("{} devices, {} of them run scripts, {} groups", standing.devices, standing.macs, standing.groups);
    match (standing.problem, standing.reading, standing.read_at) {
        (Some(why), ..) => Step::new("inventory", false, format!("{known}; {why}")),
        (None, Some(come), _) => Step::new("inventory", true, format!("{known}; being read, {come} so far")),
        (None, None, Some(at)) => {
            Step::new("inventory", true, format!("{known}, as of {}", at.strftime("%Y-%m-%d %H:%MZ")))
        }
        (None, None, None) => Step::new("inventory", false, "not read yet"),
    }
}
