//! How a group came by its template: what its device said beside what the rules and the masks made of it. Nothing is
//! hidden that was masked.

use super::view::lock;
use crate::engine::compare::find_group;
use crate::engine::{Engine, problem};
use crate::model::job::JobId;
use crate::model::ways::{Fine, Line, Masking};
use crate::model::wire::{Code, Problem};

impl Engine {
    pub async fn masking(&self, job: JobId, group: &str) -> Result<Masking, Problem> {
        let groups = self.groups(job, false).await?;
        let group = find_group(&groups, group)?;
        let runs = self.job(job).await?.runs;
        let sample = group.sample(&runs);
        let (script, view) = self.view(job, None).await?;
        let specimens = lock(&view).specimens(&group.signature);
        let ways = lock(&view).ways();
        // the one whose lines these are, where it is still in the group
        let at = group.runs.iter().position(|run| *run == sample).unwrap_or(0);
        let Some(end) = specimens.get(at).or(specimens.first()) else {
            return Err(problem(Code::NotFound, format!("job {job}: the groups have just changed: look again")));
        };
        let fine = ways.fineness(end);
        let masks = if fine == Fine::Words { Fine::Masks } else { fine };
        let masked = |raw: &String| ways.masked(std::slice::from_ref(raw), masks).pop().unwrap_or_default();
        let merged = self.ways(&script).await?.merged.into_iter().filter(|merged| merged.into == group.signature);
        Ok(Masking {
            signature: group.signature.clone(),
            device: runs.get(sample as usize).map(|run| run.device.clone()).unwrap_or_default(),
            lines: end.told.iter().map(|raw| Line { masked: masked(raw), raw: raw.clone() }).collect(),
            template: group.template.clone(),
            masked: group.masked.clone(),
            fine,
            merged: merged.collect(),
            rules: ways.book.rules.clone(),
            script,
        })
    }
}
