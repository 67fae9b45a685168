//! What dialogs, help and the one-line prompt can do.

use super::{Command, Do, row};

pub(super) const LAUNCH: &[Command] = &[
    row("launch", "block-a", Do::Block(0), "", "to block a, What; again: it alone, whole"),
    row("launch", "block-b", Do::Block(1), "where", "to block b, Where; again: it alone, whole"),
    row("launch", "block-c", Do::Block(2), "how", "to block c, How: rings, what stops it, what is tried again"),
    row("launch", "block-d", Do::Block(3), "", "to block d, Check, and the buttons; again: it alone, whole"),
    row("launch", "device-list", Do::DeviceList, "devices", "the devices it will run on, one by one"),
    row("launch", "copy-command", Do::CopyCommand, "copy command", "copy the same launch as a command line"),
    row("launch", "dry-run", Do::DryRun, "", "have the script change nothing, by its own argument; again: for real"),
    row("launch", "save-template", Do::SaveTemplate, "save", "keep this launch under a name, to be filled in again"),
    row("launch", "forget-template", Do::ForgetTemplate, "", "forget the template that is chosen: asks"),
];

pub(super) const DIALOG: &[Command] = &[
    row("dialog", "next-field", Do::NextField, "next", "next field or button"),
    row("dialog", "previous-field", Do::PreviousField, "", "previous field or button"),
    row("dialog", "accept", Do::Accept, "pick", "take the field as it is, open its list, or press the focused button"),
    row("dialog", "toggle", Do::Toggle, "", "switch a flag, next choice"),
    row("dialog", "cancel", Do::Cancel, "close", "close; nothing is sent"),
];

pub(super) const HELP: &[Command] = &[
    row("help", "copy-line", Do::CopyLine, "copy line", "copy the key and what it does"),
    row(
        "help",
        "report",
        Do::Report,
        "report",
        "report a problem: writes a file to read and to give on, sends nothing",
    ),
];

/// The one-line prompt.
pub(super) const PROMPT: &[Command] = &[
    row("prompt", "complete", Do::Complete, "complete", "complete the word, or take the next that would"),
    row("prompt", "complete-back", Do::CompleteBack, "", "take the one before"),
    row("prompt", "older", Do::Older, "history", "an older line that begins like this"),
    row("prompt", "newer", Do::Newer, "", "a newer line, and back to what was written"),
    row("prompt", "search-history", Do::SearchHistory, "search", "search the history; again: an older line"),
    row("prompt", "accept", Do::Accept, "done", "the line is done"),
    row("prompt", "cancel", Do::Cancel, "cancel", "leave the search, or the line"),
];
