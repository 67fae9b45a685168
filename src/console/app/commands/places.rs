//! What the places of the library, the targets and past jobs can do: a table each.

use super::{Command, Do, fleet, row};
use crate::console::app::editor::Verb;

pub(super) const SCRIPTS: &[Command] = &[
    row("scripts", "open", Do::Open, "open", "show the whole script"),
    fleet("scripts", "run", Do::Run, "run", "run this script: opens the launch dialog"),
    row("scripts", "edit", Do::Edit, "edit", "edit the script here"),
    row("scripts", "edit-external", Do::EditOutside, "", "open the script in $VISUAL or $EDITOR"),
    row("scripts", "new", Do::NewScript, "new", "a new script from a template"),
    row("scripts", "diff", Do::DiffWith, "", "compare with a version, the draft, or another script"),
    row("scripts", "versions", Do::Versions, "", "its versions: read, compare, go back to one"),
    row("scripts", "open-link", Do::OpenLink, "", "its runbook: the link that its header names"),
    row("scripts", "where-used", Do::WhereUsed, "", "where it was used: its jobs, the newest first"),
    row("scripts", "favourite", Do::Favourite, "", "a favourite, or no longer: signed *, and sorted by"),
    row("scripts", "rename", Do::RenameScript, "", "give it another name: asks"),
    row("scripts", "delete", Do::DeleteScript, "", "delete it: asks for its name; it can be brought back"),
    row("scripts", "deleted", Do::Deleted, "", "scripts that were deleted, to be brought back"),
];

/// Versions, what was deleted, what to compare with.
pub(super) const VERSIONS: &[Command] = &[
    row("versions", "open", Do::Open, "open", "read this version; bring back what was deleted; compare"),
    row("versions", "diff", Do::Diff, "diff", "compare this version with what the file holds now"),
    row("versions", "restore", Do::Restore, "restore", "go back to this version: asks; bring back what was deleted"),
];

/// Two texts compared.
pub(super) const DIFF: &[Command] = &[
    row("diff", "next-change", Do::NextChange, "next change", "to the next change"),
    row("diff", "previous-change", Do::PreviousChange, "previous", "to the change before"),
    row("diff", "layout", Do::Layout, "layout", "side by side, or one below the other"),
    row("diff", "save", Do::Editor(Verb::Save), "", "save the editor's text, where that is what is compared"),
];

pub(super) const TARGETS: &[Command] = &[
    row("targets", "open", Do::Open, "open", "open or close a group"),
    fleet("targets", "run", Do::Run, "run", "run a script here: opens the launch dialog"),
    row("targets", "edit-expression", Do::EditExpression, "expression", "write a target expression and keep it"),
    row("targets", "where-used", Do::WhereUsed, "", "where it was used: the jobs that touched it, or the marked ones"),
];

/// What a search over past jobs found.
pub(super) const PAST: &[Command] = &[
    row("past", "open", Do::Open, "open", "the run in its job; where a text was sought, at the line that has it"),
    row("past", "edit-search", Do::EditSearch, "edit", "search for something else, beginning with these words"),
    row("past", "where-used", Do::WhereUsed, "where used", "all jobs that touched this device"),
];

/// A job beside another one.
pub(super) const CHANGES: &[Command] = &[
    row("changes", "open", Do::Open, "diff", "what differs in the outputs of this device"),
    row("changes", "where-used", Do::WhereUsed, "where used", "all jobs that touched this device"),
];
