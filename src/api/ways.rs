//! Every way into the engine that is its own: what a key needs for it, and what stands of it in the OpenAPI document.
//! What is not listed here (or by the rooms that speak SimpleMDM's tongue) cannot be reached over the network.

use crate::model::token::Scope::{self, Admin, Edit, Read, Run};

pub struct Way {
    pub method: &'static str,
    /// Below `/api/v1`.
    pub path: &'static str,
    /// `None`: anybody may.
    pub scope: Option<Scope>,
    pub says: &'static str,
    /// The name of a schema; empty: nothing.
    pub takes: &'static str,
    /// What comes back when it is done: see `openapi::answers`. Empty: it never is.
    pub gives: &'static str,
}

const fn way(
    method: &'static str,
    path: &'static str,
    scope: Scope,
    says: &'static str,
    takes: &'static str,
    gives: &'static str,
) -> Way {
    Way { method, path, scope: Some(scope), says, takes, gives }
}

pub const OWN: &[Way] = &[
    Way { method: "GET", path: "/openapi.json", scope: None, says: "This document", takes: "", gives: "OpenApi" },
    way("GET", "/hello", Read, "What this engine is, and how it is set", "", "Hello"),
    way("POST", "/shutdown", Admin, "End the engine; its jobs end", "", "202"),
    way("GET", "/targets", Read, "Connections, groups and devices", "", "Targets"),
    way("POST", "/targets/refresh", Run, "Read the inventories again", "", "204"),
    way("POST", "/targets/resolve", Read, "The devices that an expression means", "Resolve", "Resolved"),
    way("POST", "/targets/saved", Edit, "Keep a target under a name", "SaveTarget", "null"),
    way("POST", "/targets/saved/forget", Edit, "Forget a target's name", "Named", "null"),
    way("GET", "/library", Read, "The scripts there are", "", "Library"),
    way("GET", "/library/script", Read, "A script with its text and what lint says", "", "Script"),
    way("POST", "/library/lint", Read, "What lint says of a text", "ScriptRef", "Script"),
    way("GET", "/library/text", Read, "A version's text", "", "ScriptText"),
    way("POST", "/library/save", Edit, "Save a script", "SaveScript", "SavedScript"),
    way("GET", "/library/versions", Read, "The versions of a script", "", "[ScriptVersion]"),
    way("POST", "/library/rename", Edit, "Give a script another name", "RenameScript", "RenameScript"),
    way("POST", "/library/delete", Edit, "Put a script into the trash", "DeleteScript", "TrashedScript"),
    way("GET", "/library/trash", Read, "What lies in the trash", "", "[TrashedScript]"),
    way("POST", "/library/restore", Edit, "Take a script back out of the trash", "RestoreScript", "TrashedScript"),
    way(
        "POST",
        "/library/switch",
        Edit,
        "Turn a yes or no of a system's script on or off",
        "SwitchScript",
        "SwitchScript",
    ),
    way("GET", "/imports", Read, "Past jobs of other systems that are being brought in", "", "Import"),
    way("POST", "/imports", Run, "Bring in the past jobs of a system", "BeginImport", "Import"),
    way("POST", "/plans", Run, "Resolve what a launch would do", "PlanRequest", "Plan"),
    way("GET", "/plans/{id}", Read, "A plan that was made here", "", "Plan"),
    way("POST", "/answers", Run, "Answer a plan's question (a passphrase)", "QuestionAnswer", "204"),
    way("GET", "/jobs", Read, "Jobs, newest first", "", "[JobSummary]"),
    way("POST", "/jobs", Run, "Launch exactly the plan that was made", "Launch", "201 JobSummary"),
    way("GET", "/jobs/{id}", Read, "A job with all its runs", "", "Job"),
    way("POST", "/jobs/{id}/cancel", Run, "Stop a job or some of its runs", "Cancel", "Cancelled"),
    way("POST", "/jobs/{id}/pause", Run, "Start nothing more for now", "", "Turned"),
    way("POST", "/jobs/{id}/resume", Run, "Go on", "", "Turned"),
    way("POST", "/jobs/{id}/approve", Run, "Let the ring go that waits", "Approve", "Turned"),
    way("GET", "/jobs/{id}/window", Read, "Lines of output around a place", "", "OutputWindow"),
    way("GET", "/jobs/{id}/search", Read, "Lines of output that match", "", "Found"),
    way("GET", "/jobs/{id}/stream", Read, "Output as it arrives", "", "application/vnd.quarterdeck.frames"),
    way("GET", "/jobs/{id}/runs/{run}/output", Read, "The bytes of a run", "", "application/octet-stream"),
    way("GET", "/jobs/{id}/diff", Read, "Two outputs compared", "", "Comparison"),
    way("GET", "/jobs/{id}/against", Read, "A job beside another one", "", "Against"),
    way("GET", "/jobs/{id}/groups", Read, "Runs by how they ended", "", "Groups"),
    way("GET", "/jobs/remarks", Read, "What was said of jobs", "", "[About]"),
    way("GET", "/jobs/{id}/remarks", Read, "What was said of a job", "", "About"),
    way("POST", "/jobs/{id}/remarks", Edit, "Say something of a job", "Remark", "About"),
    way("GET", "/jobs/{id}/masking", Read, "How a group of a job came by its template", "", "Masking"),
    way("POST", "/jobs/{id}/regroup", Edit, "Put groups together or apart", "Regroup", "Ways"),
    way("POST", "/jobs/{id}/regroup/preview", Read, "What regrouping would do", "Regroup", "Foreseen"),
    way("GET", "/ways", Read, "The rules by which a script's outputs are grouped", "", "Ways"),
    way("POST", "/ways", Edit, "Change those rules", "Rules", "Ways"),
    way("GET", "/signatures/{name}/remarks", Read, "What was said of a signature", "", "About"),
    way("POST", "/signatures/{name}/remarks", Edit, "Say something of a signature", "Remark", "About"),
    way("GET", "/events", Read, "What happens, as server-sent events", "", "text/event-stream"),
    way("GET", "/doctor", Run, "How a device is reached", "", "Doctor"),
    way("GET", "/doctor/connections", Run, "How each connection stands", "", "[Doctor]"),
    way("GET", "/templates", Read, "Launches kept under a name", "", "Templates"),
    way("POST", "/templates", Edit, "Keep a launch under a name", "KeepTemplate", "null"),
    way("POST", "/templates/forget", Edit, "Forget it", "Named", "null"),
    way(
        "POST",
        "/search",
        Read,
        "Past runs and jobs, one a line as it is found",
        "Past",
        "application/x-ndjson SearchTold",
    ),
    way("GET", "/audit", Admin, "Who did what", "", "AuditPage"),
    way("GET", "/audit/verify", Admin, "Whether the audit log is unbroken", "", "Verified"),
    // (or no key, and a signature: see the gate)
    way("POST", "/webhooks/{name}", Run, "Tell what has happened, in SimpleMDM's shape", "Happened", "202 Heard"),
    way("GET", "/tokens", Admin, "Keys there are and were", "", "[Token]"),
    way("POST", "/tokens", Admin, "Make a key", "NewToken", "201 MadeToken"),
    way("POST", "/tokens/revoke", Admin, "Let a key open nothing any more", "Named", "null"),
];
