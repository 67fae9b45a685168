//! `note` and `ack`: what people say of a signature or a job, said and read.

use super::args::{About as Meant, Ack, Note};
use super::{CliError, Desk, Outcome, out, safe};
use crate::client::Client;
use crate::model::triage::{About, Remark, Subject};

pub async fn note(desk: &Desk<'_>, verb: &Note) -> Result<Outcome, CliError> {
    let client = desk.engine().await?;
    let subject = subject(&client, &verb.subject).await?;
    let mut about = None;
    if let Some(link) = &verb.runbook {
        about = Some(client.remark(&subject, &Remark::Runbook(link.clone())).await?);
    }
    let text = match (verb.remove, verb.text.is_empty()) {
        (true, _) => Some(String::new()),
        (false, true) => None,
        (false, false) => Some(verb.text.join(" ")),
    };
    if let Some(text) = text {
        about = Some(client.remark(&subject, &Remark::Note(text)).await?);
    }
    let about = match about {
        Some(about) => about,
        None => client.about(&subject).await?,
    };
    told(desk, &about)
}

pub async fn ack(desk: &Desk<'_>, verb: &Ack) -> Result<Outcome, CliError> {
    let client = desk.engine().await?;
    let subject = subject(&client, &verb.subject).await?;
    told(desk, &client.remark(&subject, &Remark::Ack(!verb.undo)).await?)
}

/// A group of a job goes by its signature: that is what is remarked on.
async fn subject(client: &Client, meant: &Meant) -> Result<Subject, CliError> {
    let (job, name) = match meant {
        Meant::Subject(subject) => return Ok(subject.clone()),
        Meant::Group(job, name) => (*job, name),
    };
    let groups = client.groups(job, false).await?;
    let group = groups.named(name).map_err(CliError::Usage)?;
    Ok(Subject::Signature(group.signature.clone()))
}

fn told(desk: &Desk<'_>, about: &About) -> Result<Outcome, CliError> {
    if desk.common.json {
        out::json_object(about)?;
    } else {
        out::print(&text(about))?;
    }
    Ok(Outcome::Done)
}

pub(super) fn text(about: &About) -> String {
    let subject = match about.subject.parse() {
        Ok(Subject::Job(id)) => format!("job {id}"),
        _ => about.subject.clone(),
    };
    let mut text = format!("{}  {}\n", safe::text(&subject), safe::text(&about.says));
    let remarks = lines(&about.remarks);
    if remarks.is_empty() {
        text.push_str("    nothing is noted\n");
    }
    remarks.iter().for_each(|line| text.push_str(&format!("    {line}\n")));
    text
}

/// What was said, a line each.
pub fn lines(remarks: &crate::model::triage::Remarks) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(note) = &remarks.note {
        lines.push(format!(
            "note: {} ({}, {})",
            safe::text(&note.text),
            safe::text(&note.by),
            out::moment(Some(note.at))
        ));
    }
    if let Some(acked) = &remarks.acked {
        lines.push(format!("acknowledged by {}, {}", safe::text(&acked.by), out::moment(Some(acked.at))));
    }
    if let Some(link) = &remarks.runbook {
        lines.push(format!("runbook: {}", safe::text(link)));
    }
    lines
}
