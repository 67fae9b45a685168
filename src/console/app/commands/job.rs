//! What can be done with a job, wherever it is looked at: a table a place, and one that they share.

use super::{Command, Do, fleet, row};
use crate::console::app::retry::Again;

pub(super) const JOBS: &[Command] = &[
    row("jobs", "open", Do::Open, "watch", "watch the job, or read its outputs"),
    fleet("jobs", "approve", Do::Approve, "next ring", "let the next ring go, where it waits for you"),
    row("jobs", "groups", Do::Groups, "groups", "groups of like output: what failed, and what it has in common"),
    row(
        "jobs",
        "export",
        Do::Export,
        "export",
        "export the job: a page for the ticket, csv, json, junit; to a file or the clipboard",
    ),
    row(
        "jobs",
        "compare",
        Do::CompareJobs,
        "",
        "compare with the marked job, else with the one of its script before it",
    ),
    row("jobs", "acknowledge", Do::Ack, "", "acknowledge the job, or no longer: seen, somebody takes care of it"),
    row("jobs", "note", Do::Note, "", "a note on the job"),
    row("jobs", "pause", Do::Pause, "", "send to nothing new; paused: go on (asks)"),
    fleet("jobs", "stop", Do::Stop, "stop", "stop, cancel: sending, what has not started, or what runs too"),
];

/// A job, live.
pub(super) const JOB: &[Command] = &[
    row("job", "open", Do::Open, "zoom", "the pane alone on the screen; on a cell: its device"),
    row("job", "groups", Do::Groups, "groups", "groups of like output: what failed, and what it has in common"),
    fleet("job", "approve", Do::Approve, "next ring", "let the next ring go, where it waits for you"),
    row("job", "pause", Do::Pause, "pause", "send to nothing new; paused: go on (asks)"),
    fleet("job", "stop", Do::Stop, "stop", "stop, cancel: sending, what has not started, or what runs too"),
    row("job", "follow", Do::Follow, "follow", "follow the end of the output, on or off"),
    row("job", "freeze", Do::Freeze, "freeze", "freeze the view; output goes on behind it"),
    row("job", "one-or-all", Do::OneOrAll, "one/all", "output of one device, or of all"),
    row("job", "only-problems", Do::OnlyProblems, "bad only", "only devices with problems"),
    row("job", "next-error", Do::NextError, "error", "next error line: stderr, or a word such as error, fatal, denied"),
    row("job", "previous-error", Do::PreviousError, "", "the error line before"),
    row("job", "grid-by", Do::GridBy, "", "group the cells of the grid: by group, connection, state, any fact"),
    row("job", "go-device", Do::GoDevice, "", "to a device, by typing its name"),
    fleet("job", "run", Do::Run, "again", "run the script again: on the marked devices, else on this one"),
    row(
        "job",
        "export",
        Do::Export,
        "export",
        "export the job: a page for the ticket, csv, json, junit; to a file or the clipboard",
    ),
    row(
        "job",
        "view",
        Do::ViewAs,
        "view",
        "the device's output as what it is: JSON as a tree, CSV as a table, HTML as text",
    ),
];

/// An output as what it is.
pub(super) const VIEW: &[Command] = &[
    row("view", "raw", Do::RawView, "raw", "as it was printed, and back to what it is"),
    row("view", "fold-all", Do::FoldAll, "fold all", "fold the whole tree"),
    row("view", "unfold-all", Do::UnfoldAll, "unfold all", "unfold the whole tree"),
];

/// A job's runs by how they ended.
pub(super) const GROUPS: &[Command] = &[
    row("groups", "open", Do::Open, "members", "the members of the group; the output of a member; the pane alone"),
    row("groups", "base", Do::Base, "base", "what to compare with: a group, a device, the same device the time before"),
    fleet("groups", "retry-group", Do::Retry(Again::Group), "retry", "rerun on the devices of the group"),
    row(
        "groups",
        "export",
        Do::Export,
        "export",
        "export the job: a page for the ticket, csv, json, junit; to a file or the clipboard",
    ),
    row(
        "groups",
        "acknowledge",
        Do::Ack,
        "ack",
        "acknowledge the signature, or no longer: seen, somebody takes care of it",
    ),
    row("groups", "note", Do::Note, "note", "a note on the signature: next week's same failure carries it"),
    row(
        "groups",
        "open-link",
        Do::OpenLink,
        "runbook",
        "its runbook: the link of the signature, of its note, else of the script",
    ),
    row("groups", "edit-runbook", Do::EditRunbook, "", "link the signature to a runbook"),
    row("groups", "exact", Do::Exact, "exact", "by equal texts, or by what they mean (numbers, times, names masked)"),
    row("groups", "merge", Do::Merge, "", "merge the marked groups, or this one into another: asks"),
    row("groups", "split", Do::Split, "", "split the group, or take back what was merged or split: asks"),
    row("groups", "save-group", Do::SaveGroup, "", "save the devices of the group as a target @NAME"),
    row("groups", "window", Do::Window, "", "what was masked in it, raw beside template; the script's own rules"),
    row("groups", "pause", Do::Pause, "", "send to nothing new; paused: go on (asks)"),
    fleet("groups", "approve", Do::Approve, "", "let the next ring go, where it waits for you"),
    fleet("groups", "stop", Do::Stop, "stop", "stop: withdraw what waits, or end what runs too"),
];

/// A job again, wherever one is looked at: in the jobs, live, among its groups.
pub(super) const RETRY: &[Command] = &[
    fleet("retry", "retry-failed", Do::Retry(Again::Failed), "retry failed", "rerun on those that failed"),
    fleet("retry", "retry-unknown", Do::Retry(Again::Unknown), "", "rerun on those whose outcome is unknown"),
    fleet(
        "retry",
        "retry-not-started",
        Do::Retry(Again::NotStarted),
        "not started",
        "rerun on those whose turn never came",
    ),
    fleet("retry", "retry-offline", Do::Retry(Again::Offline), "", "rerun on those that were not reached"),
    fleet("retry", "retry-timed-out", Do::Retry(Again::TimedOut), "", "rerun on those that took too long"),
    fleet("retry", "retry-cancelled", Do::Retry(Again::Cancelled), "", "rerun on those withdrawn or ended on request"),
    fleet("retry", "retry-ok", Do::Retry(Again::Ok), "", "rerun on those that ended well"),
    fleet("retry", "retry-marked", Do::Retry(Again::Marked), "", "rerun on the marked devices"),
];
