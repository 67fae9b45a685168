//! `note` and `ack`: what people say of a signature or a job, said and read.

use super::args::{Ack, Note};
use super::{CliError, Desk, Outcome, out, safe};
use crate::model::triage::{About, Remark, Subject};

pub async fn note(desk: &Desk<'_>, verb: &Note) -> Result<Outcome, CliError> {
    let client = desk.engine().await?;
    let mut about = None;
    if let Some(link) = &verb.runbook {
        about = Some(client.remark(&verb.subject, &Remark::Runbook(link.clone())).await?);
    }
    let text = match (verb.remove, verb.text.is_empty()) {
        (true, _) => Some(String::new()),
        (false, true) => None,
        (false, false) => Some(verb.text.join(" ")),
    };
    if let Some(text) = text {
        about = Some(client.remark(&verb.subject, &Remark::Note(text)).await?);
    }
    let about = match about {
        Some(about) => about,
        None => client.about(&verb.subject).await?,
    };
    told(desk, &about)
}

pub async fn ack(desk: &Desk<'_>, verb: &Ack) -> Result<Outcome, CliError> {
    let client = desk.engine().await?;
    told(desk, &client.remark(&verb.subject, &Remark::Ack(!verb.undo)).await?)
}

fn told(desk: &Desk<'_>, about: &About) -> Result<Outcome, CliError> {
    if desk.common.json {
        out::json_object(about)?;
    } else {
        out::print(&text(about))?;
    }
    Ok(Outcome::Done)
}

fn text(about: &About) -> String {
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
