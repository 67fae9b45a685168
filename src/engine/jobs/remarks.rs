//! What a plan says beside its numbers: a sentence each, for whoever is about to launch it.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::connectors::Handed;
use crate::engine::Engine;
use crate::model::device::Device;
use crate::model::job::Job;
use crate::model::nodeset;
use crate::model::plan::differing;
use crate::model::script::ScriptInfo;

/// What the sentences are about.
pub struct About<'a> {
    pub script: &'a ScriptInfo,
    pub given: &'a Handed<'a>,
    pub devices: &'a [&'a Arc<Device>],
    /// A time limit, or so many at once, was asked for.
    pub limited: bool,
    /// Parameters as shown, and the job that this is a retry of.
    pub params: &'a [(String, String)],
    pub before: Option<&'a Job>,
}

impl Engine {
    pub(super) fn remarks(&self, about: &About<'_>) -> Vec<String> {
        let connections: BTreeSet<&str> = about.devices.iter().map(|device| device.connection.as_str()).collect();
        let own = connections.iter().filter_map(|name| self.connectors.get(*name)?.remark(about.script, about.given));
        let keeps = connections.iter().filter(|name| about.limited && self.capabilities(name).queues);
        let keeps = keeps.map(|name| {
            format!(
                "{name} keeps a script until its device fetches it: no time limit and no at-once limit counts there"
            )
        });
        self.astray(about).into_iter().chain(own).chain(keeps).chain(otherwise(about)).collect()
    }

    /// A script of a system's own library, on devices of another kind: it was written with those of its own in mind.
    fn astray(&self, about: &About<'_>) -> Option<String> {
        let of = about.script.connection.as_deref().filter(|_| !about.script.is_defined())?;
        let kind = |name: &str| self.inventories.connection(name).map(|connection| connection.kind.word());
        let others = about.devices.iter().filter(|device| kind(&device.connection) != kind(of));
        let others = nodeset::fold(others.map(|device| device.id.as_str()));
        let name = &about.script.name;
        (!others.is_empty())
            .then(|| format!("{name} was written for the devices of {of}, and these are none: {others}"))
    }
}

/// By name alone: a value may be nobody's business.
fn otherwise(about: &About<'_>) -> Option<String> {
    let job = about.before?;
    let names = differing(&job.params, about.params);
    (!names.is_empty()).then(|| format!("not as in job {}: {}", job.summary.id, names.join(", ")))
}
