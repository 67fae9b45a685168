//! How an account is reached and whether it answers, step by step, for an operator.

use std::sync::Arc;

use super::account::Account;
use super::budget::Urgency;
use super::client::{Ask, Failure};
use super::{devices, wire};
use crate::model::device::Device;
use crate::model::wire::{Doctor, Step};

fn step(label: &str, fine: bool, text: impl Into<String>) -> Step {
    Step { label: label.to_owned(), text: text.into(), fine }
}

pub async fn doctor(account: &Arc<Account>, device: &Device) -> Doctor {
    let mut steps = vec![step("address", true, &account.url)];
    let id = device.facts.get(devices::ID).map(String::as_str).unwrap_or_default();
    let path = format!("/devices/{}", super::form::encoded(id));
    match account.client.json::<super::client::One<wire::Device>>(Ask::get(path, Urgency::Now)).await {
        Ok(one) => {
            steps.extend(answers());
            let attributes = one.data.attributes;
            let status = if attributes.status.is_empty() { "unknown" } else { &attributes.status };
            steps.push(step("device", status == "enrolled", format!("{status}, number {id}")));
            let seen = if attributes.last_seen_at.is_empty() { "never" } else { &attributes.last_seen_at };
            steps.push(step("last seen", !attributes.last_seen_at.is_empty(), seen));
        }
        Err(Failure::Refused(404, _)) => {
            steps.extend(answers());
            steps.push(step("device", false, "the account has it no longer: r reads the devices anew"));
        }
        Err(failure) => steps.extend(fails(&failure)),
    }
    steps.push(match &device.cannot {
        None => step("scripts", true, "a Mac: it runs a script when it next talks to SimpleMDM"),
        Some(why) => step("scripts", false, why),
    });
    steps.push(inventory(account));
    Doctor { device: device.id.clone(), way: "SimpleMDM".into(), why: "kind = \"simplemdm\"".into(), steps }
}

/// The account as a whole: one request, and what is known.
pub async fn examine(account: &Arc<Account>) -> Vec<Step> {
    let mut steps = vec![step("address", true, &account.url)];
    let asked = Ask::get("/devices?limit=1", Urgency::Now);
    match account.client.json::<super::client::Page<wire::Device>>(asked).await {
        Ok(_) => steps.extend(answers()),
        Err(failure) => steps.extend(fails(&failure)),
    }
    steps.push(inventory(account));
    steps
}

fn answers() -> [Step; 2] {
    [step("answers", true, "SimpleMDM"), step("API key", true, "accepted")]
}

fn fails(failure: &Failure) -> Vec<Step> {
    let why = failure.says();
    match failure {
        Failure::Unready(_) => vec![step("API key", false, why)],
        Failure::Unreachable(_) | Failure::Unclear(_) | Failure::Strange(_) | Failure::TooLarge(_) => {
            vec![step("answers", false, why)]
        }
        Failure::TooMany => vec![step("answers", true, "SimpleMDM"), step("requests", false, why)],
        Failure::Refused(..) => vec![step("answers", true, "something does"), step("API key", false, why)],
    }
}

/// What is known of its devices, and as of when.
fn inventory(account: &Arc<Account>) -> Step {
    let standing = account.standing();
    let known =
        format!("{} devices, {} of them run scripts, {} groups", standing.devices, standing.macs, standing.groups);
    match (standing.problem, standing.reading, standing.read_at) {
        (Some(why), ..) => step("inventory", false, format!("{known}; {why}")),
        (None, Some(come), _) => step("inventory", true, format!("{known}; being read, {come} so far")),
        (None, None, Some(at)) => step("inventory", true, format!("{known}, as of {}", at.strftime("%Y-%m-%d %H:%MZ"))),
        (None, None, None) => step("inventory", false, "not read yet"),
    }
}
