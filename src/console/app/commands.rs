//! The static command table: everything a key can mean. Keymap files, the hints row, help, the palette, the command
//! line and the `x` menu are computed from it, so that they cannot disagree. Owns names and words; refuses to do
//! anything: `App::perform` does. Whether a command is of use just now is [`super::App::why_not`]'s affair.

use super::editor::{Motion, Verb};
use super::retry::Again;

/// What a command does, for `App::perform`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Do {
    Help,
    /// Of help: the key and what it does; what the program and its terminal are, as a file.
    CopyLine,
    Report,
    Palette,
    CommandLine,
    Themes,
    Keymaps,

    Actions,
    Mode,
    Back,
    QuitOrBack,
    Quit,
    Interrupt,
    Suspend,
    Redraw,
    Refresh,
    NextPane,
    PreviousPane,
    Pane(u8),
    NextTab,
    PreviousTab,
    LastView,
    Mouse,
    GoScripts,
    GoTargets,
    GoJobs,
    GoHistory,
    GoLog,
    Audit,
    /// Past jobs searched.
    GoSearch,
    EditSearch,
    /// The jobs of a device, a target, a script: in the place itself, and from anywhere.
    WhereUsed,
    GoWhere,
    /// A job beside another one.
    CompareJobs,
    ZoomPane,
    Copy,
    Down,
    Up,
    First,
    Last,
    HalfDown,
    HalfUp,
    PageDown,
    PageUp,
    Collapse,
    Expand,
    Open,
    Mark,
    Range,
    MarkAll,
    UnmarkAll,
    InvertMarks,
    OnlyProblems,
    Filter,
    NextMatch,
    PreviousMatch,
    Sort,
    SortReverse,
    Columns,
    Narrow,
    Widen,
    Run,
    Edit,
    EditOutside,
    EditExpression,
    Stop,
    /// From a job to its groups.
    Groups,
    GoGroups,
    /// By equal texts, or by what they mean.
    Exact,
    /// What an output is compared with.
    Base,
    /// Side by side, or one below the other.
    Layout,
    /// Groups put together, one taken apart, how one came by its template.
    Merge,
    Split,
    Window,
    /// The line that saves the devices of a group under a name.
    SaveGroup,
    Ack,
    Note,
    EditRunbook,
    Follow,
    Freeze,
    OneOrAll,
    Wrap,
    Timestamps,
    SearchText,
    OnlyMatching,
    NextError,
    PreviousError,
    Pipe,
    Pager,
    /// An output as what it is: a table, a tree, a page.
    ViewAs,
    /// As it was printed, and back.
    RawView,
    FoldAll,
    UnfoldAll,
    Save,
    GridBy,
    GoDevice,
    Block(u8),
    DeviceList,
    CopyCommand,
    DryRun,
    Pause,
    Approve,
    /// A job as a file for others.
    Export,
    Retry(Again),
    SaveTemplate,
    ForgetTemplate,
    NextField,
    PreviousField,
    Accept,
    Cancel,
    Toggle,
    Older,
    Newer,
    SearchHistory,
    NewScript,
    RenameScript,
    OpenLink,
    DeleteScript,
    /// To be found again among many, or no longer.
    Favourite,
    Versions,
    DiffWith,
    Deleted,
    Diff,
    Restore,
    NextChange,
    PreviousChange,
    Complete,
    CompleteBack,
    /// In the editor.
    Editor(Verb),
}

/// One row of the table.
#[derive(Debug, PartialEq, Eq)]
pub struct Command {
    pub verb: Do,
    /// As keymap files spell it.
    pub name: &'static str,
    /// Where it exists.
    pub context: &'static str,
    /// The word in the hints row; empty: not shown there.
    pub hint: &'static str,
    /// One line for help.
    pub doc: &'static str,
    /// Changes the fleet: opens a dialog, is written with `..`, and its key has a colour of its own.
    pub fleet: bool,
}

const fn row(context: &'static str, name: &'static str, verb: Do, hint: &'static str, doc: &'static str) -> Command {
    Command { verb, name, context, hint, doc, fleet: false }
}

const fn fleet(context: &'static str, name: &'static str, verb: Do, hint: &'static str, doc: &'static str) -> Command {
    Command { verb, name, context, hint, doc, fleet: true }
}

/// In the order in which hints and help show them.
pub static TABLE: &[Command] = &[
    // scripts
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
    // versions, what was deleted, what to compare with
    row("versions", "open", Do::Open, "open", "read this version; bring back what was deleted; compare"),
    row("versions", "diff", Do::Diff, "diff", "compare this version with what the file holds now"),
    row("versions", "restore", Do::Restore, "restore", "go back to this version: asks; bring back what was deleted"),
    // two texts compared
    row("diff", "next-change", Do::NextChange, "next change", "to the next change"),
    row("diff", "previous-change", Do::PreviousChange, "previous", "to the change before"),
    row("diff", "layout", Do::Layout, "layout", "side by side, or one below the other"),
    row("diff", "save", Do::Editor(Verb::Save), "", "save the editor's text, where that is what is compared"),
    // targets
    row("targets", "open", Do::Open, "open", "open or close a group"),
    fleet("targets", "run", Do::Run, "run", "run a script here: opens the launch dialog"),
    row("targets", "edit-expression", Do::EditExpression, "expression", "write a target expression and keep it"),
    row("targets", "where-used", Do::WhereUsed, "", "where it was used: the jobs that touched it, or the marked ones"),
    // jobs
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
    fleet("jobs", "stop", Do::Stop, "stop", "stop: sending, what has not started, or what runs too"),
    fleet("jobs", "retry-failed", Do::Retry(Again::Failed), "", "rerun on those that failed"),
    fleet("jobs", "retry-not-started", Do::Retry(Again::NotStarted), "", "rerun on those whose turn never came"),
    fleet("jobs", "retry-offline", Do::Retry(Again::Offline), "", "rerun on those that were not reached"),
    fleet("jobs", "retry-timed-out", Do::Retry(Again::TimedOut), "", "rerun on those that took too long"),
    fleet("jobs", "retry-ok", Do::Retry(Again::Ok), "", "rerun on those that ended well"),
    // a job, live
    row("job", "open", Do::Open, "zoom", "the pane alone on the screen; on a cell: its device"),
    row("job", "groups", Do::Groups, "groups", "groups of like output: what failed, and what it has in common"),
    row("job", "follow", Do::Follow, "follow", "follow the end of the output, on or off"),
    fleet("job", "approve", Do::Approve, "next ring", "let the next ring go, where it waits for you"),
    row("job", "freeze", Do::Freeze, "freeze", "freeze the view; output goes on behind it"),
    row("job", "one-or-all", Do::OneOrAll, "one/all", "output of one device, or of all"),
    row("job", "only-problems", Do::OnlyProblems, "bad only", "only devices with problems"),
    row("job", "next-error", Do::NextError, "error", "next error line: stderr, or a word such as error, fatal, denied"),
    row("job", "previous-error", Do::PreviousError, "", "the error line before"),
    row("job", "grid-by", Do::GridBy, "", "group the cells of the grid: by group, connection, state, any fact"),
    row("job", "go-device", Do::GoDevice, "", "to a device, by typing its name"),
    fleet("job", "run", Do::Run, "again", "run the script again: on the marked devices, else on this one"),
    row("job", "pause", Do::Pause, "pause", "send to nothing new; paused: go on (asks)"),
    fleet("job", "stop", Do::Stop, "stop", "stop: sending, what has not started, or what runs too"),
    fleet("job", "retry-failed", Do::Retry(Again::Failed), "", "rerun on those that failed"),
    fleet("job", "retry-not-started", Do::Retry(Again::NotStarted), "", "rerun on those whose turn never came"),
    fleet("job", "retry-offline", Do::Retry(Again::Offline), "", "rerun on those that were not reached"),
    fleet("job", "retry-timed-out", Do::Retry(Again::TimedOut), "", "rerun on those that took too long"),
    fleet("job", "retry-ok", Do::Retry(Again::Ok), "", "rerun on those that ended well"),
    fleet("job", "retry-marked", Do::Retry(Again::Marked), "", "rerun on the marked devices"),
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
    // an output as what it is
    row("view", "raw", Do::RawView, "raw", "as it was printed, and back to what it is"),
    row("view", "fold-all", Do::FoldAll, "fold all", "fold the whole tree"),
    row("view", "unfold-all", Do::UnfoldAll, "unfold all", "unfold the whole tree"),
    // a job's runs by how they ended
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
    fleet("groups", "retry-failed", Do::Retry(Again::Failed), "", "rerun on those that failed"),
    fleet("groups", "retry-not-started", Do::Retry(Again::NotStarted), "", "rerun on those whose turn never came"),
    fleet("groups", "retry-offline", Do::Retry(Again::Offline), "", "rerun on those that were not reached"),
    fleet("groups", "retry-timed-out", Do::Retry(Again::TimedOut), "", "rerun on those that took too long"),
    fleet("groups", "retry-ok", Do::Retry(Again::Ok), "", "rerun on those that ended well"),
    fleet("groups", "retry-marked", Do::Retry(Again::Marked), "", "rerun on the marked devices"),
    // what a search over past jobs found; a job beside another one
    row("past", "open", Do::Open, "open", "the run in its job; where a text was sought, at the line that has it"),
    row("past", "edit-search", Do::EditSearch, "edit", "search for something else, beginning with these words"),
    row("past", "where-used", Do::WhereUsed, "where used", "all jobs that touched this device"),
    row("changes", "open", Do::Open, "diff", "what differs in the outputs of this device"),
    row("changes", "where-used", Do::WhereUsed, "where used", "all jobs that touched this device"),
    // text
    row("text", "search", Do::SearchText, "search", "search the text, as far back as it is kept"),
    row("text", "next-match", Do::NextMatch, "", "next match"),
    row("text", "previous-match", Do::PreviousMatch, "", "the match before"),
    row("text", "only-matching", Do::OnlyMatching, "only", "show only lines that match"),
    row("text", "pipe", Do::Pipe, "pipe", "give the text to a command of your shell, here"),
    row("text", "pager", Do::Pager, "pager", "read the text in $PAGER"),
    row("text", "save", Do::Save, "", "save the text to a file"),
    row("text", "wrap", Do::Wrap, "wrap", "wrap long lines, on or off"),
    row("text", "timestamps", Do::Timestamps, "times", "when each line arrived, on or off"),
    // the editor
    row("editor", "save", Do::Editor(Verb::Save), "save", "save: the file is written, a version is kept"),
    row(
        "editor",
        "difference",
        Do::Editor(Verb::Difference),
        "diff",
        "what has changed since the saved version, then save or not",
    ),
    fleet("editor", "run", Do::Run, "run", "save, then run this script: opens the launch dialog"),
    row("editor", "find", Do::Editor(Verb::Find), "find", "find in the text; again: the next match"),
    row("editor", "undo", Do::Editor(Verb::Undo), "undo", "undo"),
    row("editor", "edit-external", Do::Editor(Verb::External), "$EDITOR", "open the script in $VISUAL or $EDITOR"),
    row("editor", "vi-keys", Do::Editor(Verb::ViKeys), "vi", "vi keys, on or off"),
    row("editor", "redo", Do::Editor(Verb::Redo), "redo", "redo"),
    row("editor", "goto-line", Do::Editor(Verb::GotoLine), "goto", "go to a line: 120, 120:7, +10, 50%"),
    row("editor", "cut", Do::Editor(Verb::Cut), "cut", "cut what is selected, else the line; again: the next line too"),
    row("editor", "paste", Do::Editor(Verb::Paste), "", "insert what was cut or copied"),
    row("editor", "copy-text", Do::Editor(Verb::Copy), "", "copy what is selected, else the line (OSC 52)"),
    row("editor", "replace", Do::Editor(Verb::Replace), "", "find and replace, one or all; in selected lines only"),
    row("editor", "find-next", Do::Editor(Verb::FindNext), "", "next match"),
    row("editor", "find-previous", Do::Editor(Verb::FindPrevious), "", "previous match"),
    row("editor", "match-bracket", Do::Editor(Verb::Bracket), "", "to the other half of the bracket"),
    row("editor", "next-finding", Do::Editor(Verb::NextFinding), "", "next line that lint has something to say about"),
    row(
        "editor",
        "previous-finding",
        Do::Editor(Verb::PreviousFinding),
        "",
        "previous line that lint has something to say about",
    ),
    row("editor", "why", Do::Editor(Verb::Why), "", "what lint says here, in full"),
    row("editor", "fix", Do::Editor(Verb::Fix), "", "do what lint proposes here"),
    row("editor", "parameters", Do::Editor(Verb::Parameters), "", "to the lines that declare the parameters"),
    row("editor", "versions", Do::Editor(Verb::Versions), "", "its versions: read, compare, go back to one"),
    row("editor", "indent", Do::Editor(Verb::Indent), "", "to the next stop; selected lines: one step to the right"),
    row("editor", "unindent", Do::Editor(Verb::Unindent), "", "lines one step to the left"),
    row("editor", "toggle-comment", Do::Editor(Verb::Comment), "", "comment lines out, or in again"),
    row("editor", "duplicate-line", Do::Editor(Verb::DuplicateLine), "", "the line, or the selected ones, once more"),
    row("editor", "delete-line", Do::Editor(Verb::DeleteLine), "", "delete the line, or the selected ones"),
    row("editor", "move-line-up", Do::Editor(Verb::MoveLineUp), "", "change places with the line above"),
    row("editor", "move-line-down", Do::Editor(Verb::MoveLineDown), "", "change places with the line below"),
    row("editor", "mark-text", Do::Editor(Verb::Mark), "", "begin or end to select where the cursor is"),
    row("editor", "select-all", Do::Editor(Verb::SelectAll), "", "select all"),
    row("editor", "line-ends", Do::Editor(Verb::LineEnds), "", "line ends: to LF, or from LF to Windows' CRLF"),
    row("editor", "discard-draft", Do::Editor(Verb::Discard), "", "back to the saved text: asks first"),
    row("editor", "newline", Do::Editor(Verb::Newline), "", "a new line, indented like this one"),
    row("editor", "erase", Do::Editor(Verb::Backspace), "", "erase the character before the cursor"),
    row("editor", "erase-next", Do::Editor(Verb::Delete), "", "erase the character under the cursor"),
    row("editor", "erase-word", Do::Editor(Verb::DeleteWordLeft), "", "erase the word before the cursor"),
    row("editor", "erase-next-word", Do::Editor(Verb::DeleteWordRight), "", "erase to the next word"),
    row("editor", "cursor-left", Do::Editor(Verb::Move(Motion::Left)), "", "left"),
    row("editor", "cursor-right", Do::Editor(Verb::Move(Motion::Right)), "", "right"),
    row("editor", "cursor-up", Do::Editor(Verb::Move(Motion::Up)), "", "up"),
    row("editor", "cursor-down", Do::Editor(Verb::Move(Motion::Down)), "", "down"),
    row("editor", "cursor-word-left", Do::Editor(Verb::Move(Motion::WordLeft)), "", "a word to the left"),
    row("editor", "cursor-word-right", Do::Editor(Verb::Move(Motion::WordRight)), "", "a word to the right"),
    row(
        "editor",
        "cursor-line-start",
        Do::Editor(Verb::Move(Motion::LineStart)),
        "",
        "to the start of the line's text, then of the line",
    ),
    row("editor", "cursor-line-end", Do::Editor(Verb::Move(Motion::LineEnd)), "", "to the end of the line"),
    row("editor", "cursor-page-up", Do::Editor(Verb::Move(Motion::PageUp)), "", "a page up"),
    row("editor", "cursor-page-down", Do::Editor(Verb::Move(Motion::PageDown)), "", "a page down"),
    row("editor", "cursor-top", Do::Editor(Verb::Move(Motion::Top)), "", "to the top of the text"),
    row("editor", "cursor-bottom", Do::Editor(Verb::Move(Motion::Bottom)), "", "to the end of the text"),
    row("editor", "select-left", Do::Editor(Verb::Select(Motion::Left)), "", "select: left"),
    row("editor", "select-right", Do::Editor(Verb::Select(Motion::Right)), "", "select: right"),
    row("editor", "select-up", Do::Editor(Verb::Select(Motion::Up)), "", "select: up"),
    row("editor", "select-down", Do::Editor(Verb::Select(Motion::Down)), "", "select: down"),
    row("editor", "select-word-left", Do::Editor(Verb::Select(Motion::WordLeft)), "", "select: a word to the left"),
    row("editor", "select-word-right", Do::Editor(Verb::Select(Motion::WordRight)), "", "select: a word to the right"),
    row(
        "editor",
        "select-line-start",
        Do::Editor(Verb::Select(Motion::LineStart)),
        "",
        "select: to the start of the line's text, then of the line",
    ),
    row("editor", "select-line-end", Do::Editor(Verb::Select(Motion::LineEnd)), "", "select: to the end of the line"),
    row("editor", "select-page-up", Do::Editor(Verb::Select(Motion::PageUp)), "", "select: a page up"),
    row("editor", "select-page-down", Do::Editor(Verb::Select(Motion::PageDown)), "", "select: a page down"),
    row("editor", "select-top", Do::Editor(Verb::Select(Motion::Top)), "", "select: to the top of the text"),
    row("editor", "select-bottom", Do::Editor(Verb::Select(Motion::Bottom)), "", "select: to the end of the text"),
    // the bar in which the editor searches
    row("find", "accept-find", Do::Editor(Verb::Accept), "next", "next match, replace this one, or go there"),
    row(
        "find",
        "next-field",
        Do::Editor(Verb::NextField),
        "field",
        "from what is sought to what replaces it, and back",
    ),
    row("find", "replace-all", Do::Editor(Verb::ReplaceAll), "all", "replace all matches"),
    row("find", "find-regex", Do::Editor(Verb::FindRegex), "regex", "what is sought is an expression, or plain text"),
    row("find", "find-case", Do::Editor(Verb::FindCase), "case", "capitals count, or only if there are some"),
    row("find", "close-find", Do::Editor(Verb::CloseBar), "close", "back to the text"),
    // the launch dialog
    row("launch", "block-a", Do::Block(0), "", "to block a, What; again: it alone, whole"),
    row("launch", "block-b", Do::Block(1), "where", "to block b, Where; again: it alone, whole"),
    row("launch", "block-c", Do::Block(2), "how", "to block c, How: rings, what stops it, what is tried again"),
    row("launch", "block-d", Do::Block(3), "", "to block d, Check, and the buttons; again: it alone, whole"),
    row("launch", "device-list", Do::DeviceList, "devices", "the devices it will run on, one by one"),
    row("launch", "copy-command", Do::CopyCommand, "copy command", "copy the same launch as a command line"),
    row("launch", "dry-run", Do::DryRun, "", "have the script change nothing, by its own argument; again: for real"),
    row("launch", "save-template", Do::SaveTemplate, "save", "keep this launch under a name, to be filled in again"),
    row("launch", "forget-template", Do::ForgetTemplate, "", "forget the template that is chosen: asks"),
    // dialogs
    row("dialog", "next-field", Do::NextField, "next", "next field or button"),
    row("dialog", "previous-field", Do::PreviousField, "", "previous field or button"),
    row("dialog", "accept", Do::Accept, "pick", "pick, open the list, or press the focused button"),
    row("dialog", "toggle", Do::Toggle, "", "switch a flag, next choice"),
    row("dialog", "cancel", Do::Cancel, "close", "close; nothing is sent"),
    // help
    row("help", "copy-line", Do::CopyLine, "copy line", "copy the key and what it does"),
    row(
        "help",
        "report",
        Do::Report,
        "report",
        "report a problem: writes a file to read and to give on, sends nothing",
    ),
    // the one-line prompt
    row("prompt", "complete", Do::Complete, "complete", "complete the word, or take the next that would"),
    row("prompt", "complete-back", Do::CompleteBack, "", "take the one before"),
    row("prompt", "older", Do::Older, "history", "an older line that begins like this"),
    row("prompt", "newer", Do::Newer, "", "a newer line, and back to what was written"),
    row("prompt", "search-history", Do::SearchHistory, "search", "search the history; again: an older line"),
    row("prompt", "accept", Do::Accept, "done", "the line is done"),
    row("prompt", "cancel", Do::Cancel, "cancel", "leave the search, or the line"),
    // lists
    row("list", "down", Do::Down, "", "down"),
    row("list", "up", Do::Up, "", "up"),
    row("list", "first", Do::First, "", "first row"),
    row("list", "last", Do::Last, "", "last row"),
    row("list", "half-down", Do::HalfDown, "", "half a page down"),
    row("list", "half-up", Do::HalfUp, "", "half a page up"),
    row("list", "page-down", Do::PageDown, "", "a page down"),
    row("list", "page-up", Do::PageUp, "", "a page up"),
    row("list", "collapse", Do::Collapse, "", "close the group, or scroll left"),
    row("list", "expand", Do::Expand, "", "open the group, or scroll right"),
    row("list", "open", Do::Open, "", "open"),
    row("list", "only-problems", Do::OnlyProblems, "", "only problems"),
    row("list", "filter", Do::Filter, "filter", "show only rows that pass a filter; esc clears it"),
    row("list", "next-match", Do::NextMatch, "", "next row that passes the filter"),
    row("list", "previous-match", Do::PreviousMatch, "", "the one before"),
    row("list", "mark", Do::Mark, "mark", "mark for the next verb, move down"),
    row("list", "range", Do::Range, "range", "mark from here to where you move; again: done"),
    row("list", "mark-all", Do::MarkAll, "", "mark all shown"),
    row("list", "unmark-all", Do::UnmarkAll, "", "unmark all"),
    row("list", "invert-marks", Do::InvertMarks, "", "invert the marks of what is shown"),
    row("list", "sort", Do::Sort, "sort", "choose the column to sort by"),
    row("list", "sort-reverse", Do::SortReverse, "", "turn the order round"),
    row("list", "columns", Do::Columns, "", "choose the columns, and their order"),
    row("match", "next-match", Do::NextMatch, "next", "next row that passes the filter"),
    row("match", "previous-match", Do::PreviousMatch, "", "the one before"),
    // everywhere
    row("global", "zoom-pane", Do::ZoomPane, "full", "the pane full screen, and back"),
    row("global", "copy", Do::Copy, "copy", "copy menu: name, id, line, node set (OSC 52)"),
    row("global", "next-pane", Do::NextPane, "panes", "next pane"),
    row("global", "previous-pane", Do::PreviousPane, "", "previous pane"),
    row("global", "narrow", Do::Narrow, "", "the pane narrower, or lower"),
    row("global", "widen", Do::Widen, "", "the pane wider, or higher"),
    row("global", "pane-0", Do::Pane(0), "", "the large pane"),
    row("global", "pane-1", Do::Pane(1), "", "pane 1"),
    row("global", "pane-2", Do::Pane(2), "", "pane 2"),
    row("global", "pane-3", Do::Pane(3), "", "pane 3"),
    row("global", "pane-4", Do::Pane(4), "", "pane 4"),
    row("global", "pane-5", Do::Pane(5), "", "pane 5, where there is one"),
    row("global", "pane-6", Do::Pane(6), "", "pane 6, where there is one"),
    row("global", "pane-7", Do::Pane(7), "", "pane 7, where there is one"),
    row("global", "pane-8", Do::Pane(8), "", "pane 8, where there is one"),
    row("global", "pane-9", Do::Pane(9), "", "pane 9, where there is one"),
    row("global", "next-tab", Do::NextTab, "", "next tab in the pane: stdout, stderr, both"),
    row("global", "previous-tab", Do::PreviousTab, "", "previous tab in the pane"),
    row("global", "go-scripts", Do::GoScripts, "", "go to the scripts"),
    row("global", "go-targets", Do::GoTargets, "", "go to the targets"),
    row("global", "go-jobs", Do::GoJobs, "", "go to the jobs"),
    row("global", "go-history", Do::GoHistory, "", "go to the history: all jobs, the newest first"),
    row("global", "go-groups", Do::GoGroups, "", "go to the groups of the job that is looked at, else of the newest"),
    row("global", "go-search", Do::GoSearch, "", "search past jobs: a text, a device, an exit code, a signature"),
    row(
        "global",
        "go-where",
        Do::GoWhere,
        "",
        "where the device, target or script under the cursor was used: its jobs",
    ),
    row("global", "go-log", Do::GoLog, "", "go to the log: every notice of this session"),
    row("global", "audit", Do::Audit, "", "who did what: launches, stops, notes, regrouping, scripts saved"),
    row("global", "last-view", Do::LastView, "", "the view before this one"),
    row("global", "refresh", Do::Refresh, "", "ask the engine for everything again"),
    row("global", "mouse", Do::Mouse, "", "the mouse on or off: click selects, again opens; the wheel scrolls"),
    row("global", "redraw", Do::Redraw, "", "draw the screen again"),
    row("global", "suspend", Do::Suspend, "", "suspend the console; jobs go on"),
    row("global", "interrupt", Do::Interrupt, "", "cancel input; twice within 2 s: quit. Never touches a job"),
    row("global", "back", Do::Back, "", "one level back: close, unmark, leave the view"),
    row("global", "quit-or-back", Do::QuitOrBack, "", "back; at the top: quit. Jobs go on"),
    row("global", "quit", Do::Quit, "", "quit now. Jobs go on"),
    row("global", "mode", Do::Mode, "", "read or write: [READ] refuses what changes the fleet"),
    row("global", "actions", Do::Actions, "more", "what can be done with the selected thing"),
    row("global", "command-line", Do::CommandLine, "cmd", "a command by its name, with tab completion"),
    row("global", "theme", Do::Themes, "", "choose a theme; moving tries it at once"),
    row("global", "keymap", Do::Keymaps, "", "choose a keymap: vi, arrows, emacs"),
    row("global", "palette", Do::Palette, "palette", "find anything: commands, scripts, devices, jobs, themes"),
    row("global", "help", Do::Help, "help", "keys of this place; twice: all keys"),
];

/// Every context that has commands, in the order in which help lists them.
pub const CONTEXTS: [&str; 20] = [
    "scripts", "targets", "jobs", "job", "view", "groups", "past", "changes", "versions", "diff", "text", "editor",
    "find", "launch", "dialog", "help", "prompt", "match", "list", "global",
];

/// The command that `name` means in the innermost of these contexts that has it.
pub fn find(contexts: &[&str], name: &str) -> Option<&'static Command> {
    contexts.iter().find_map(|context| TABLE.iter().find(|command| command.context == *context && command.name == name))
}

/// What a binding of `name` in `context` means to a reader of the keymap. A keymap may bind a name in an outer context
/// (marks, in `list`) for commands that only inner ones have: the first of those speaks for them all.
pub fn bound(context: &str, name: &str) -> Option<&'static Command> {
    find(&[context], name).or_else(|| TABLE.iter().find(|command| command.name == name))
}

/// Moves about and nothing else: no menu lists it.
pub const fn motion(verb: Do) -> bool {
    matches!(
        verb,
        Do::Down
            | Do::Up
            | Do::First
            | Do::Last
            | Do::HalfDown
            | Do::HalfUp
            | Do::PageDown
            | Do::PageUp
            | Do::Collapse
            | Do::Expand
            | Do::Editor(Verb::Move(_) | Verb::Select(_))
    )
}

/// The verb of the shell that does the same.
pub fn shell(command: &Command) -> Option<&'static str> {
    Some(match (command.verb, command.context) {
        (Do::Run, _) => "quarterdeck run SCRIPT --target EXPR",
        (Do::Stop, _) => "quarterdeck jobs stop ID",
        (Do::Pause, _) => "quarterdeck jobs pause ID, jobs resume ID",
        (Do::Retry(_), _) => "quarterdeck rerun ID --failed|--not-started|--offline|--timed-out|--ok|--group S",
        (Do::Approve, _) => "quarterdeck jobs approve ID",
        (Do::Export, _) => "quarterdeck export ID --format md|csv|json|ndjson|junit",
        (Do::Groups | Do::GoGroups | Do::Exact, _) => "quarterdeck groups ID",
        (Do::Ack, _) => "quarterdeck ack SIGNATURE",
        (Do::Merge, _) => "quarterdeck regroup merge ID S1 S2",
        (Do::Split, _) => "quarterdeck regroup split ID S1, regroup undo ID S1",
        (Do::SaveGroup, _) => "quarterdeck targets save NAME EXPR",
        (Do::Window, _) => "quarterdeck regroup show SCRIPT, regroup mask|keep|forget",
        (Do::Note | Do::EditRunbook, _) => "quarterdeck note SIGNATURE TEXT",
        (Do::Open, "jobs") => "quarterdeck jobs attach ID",
        (Do::Open, "scripts") => "quarterdeck scripts show NAME",
        (Do::Edit | Do::EditOutside, _) => "quarterdeck scripts edit NAME",
        (Do::NewScript, _) => "quarterdeck scripts new NAME",
        (Do::RenameScript, _) => "quarterdeck scripts rename FROM TO",
        (Do::DeleteScript, _) => "quarterdeck scripts delete NAME --yes",
        (Do::Versions, _) => "quarterdeck scripts versions NAME",
        (Do::Deleted, _) => "quarterdeck scripts ls --deleted",
        (Do::DiffWith, _) => "quarterdeck scripts diff A [B]",
        (Do::EditExpression, _) => "quarterdeck targets resolve EXPR",
        (Do::WhereUsed, "scripts") => "quarterdeck scripts where NAME",
        (Do::WhereUsed | Do::GoWhere, _) => "quarterdeck targets where EXPR",
        (Do::GoSearch | Do::EditSearch, _) => "quarterdeck search [TEXT] [--device EXPR] [--exit-code N] …",
        (Do::CompareJobs, _) => "quarterdeck diff JOB [JOB]",
        (Do::SearchText, "text") => "quarterdeck search JOB TEXT",
        (Do::Audit, _) => "quarterdeck audit",
        (Do::Help, _) => "quarterdeck keys",
        (Do::Report, _) => "quarterdeck doctor",
        _ => return None,
    })
}

/// Contexts that hold others: a name bound there speaks for the commands of every place within.
const WIDE: [&str; 4] = ["text", "list", "dialog", "global"];

/// Commands that have no key in any keymap, on purpose: the palette and the `x` menu have them.
pub const KEYLESS: &[(&str, &str)] = &[
    ("scripts", "versions"),
    ("scripts", "rename"),
    ("scripts", "delete"),
    ("scripts", "deleted"),
    ("launch", "forget-template"),
    ("groups", "save-group"),
    ("global", "keymap"),
    ("global", "audit"),
];

/// What a place stands in, besides the contexts that hold every place: its own keys may name these commands too.
const AROUND: [(&str, &[&str]); 2] = [("find", &["editor"]), ("match", &["scripts", "targets", "jobs", "job"])];

fn around(context: &str) -> &'static [&'static str] {
    AROUND.iter().find(|(inner, _)| *inner == context).map_or(&[], |(_, outer)| outer)
}

/// Does any context have a command of this name?
pub fn exists(name: &str) -> bool {
    TABLE.iter().any(|command| command.name == name)
}

/// May a keymap bind this name in this context? `Err`: why not, and what may have been meant.
pub fn known(context: &str, name: &str) -> Result<(), String> {
    let mut places = TABLE.iter().filter(|command| command.name == name).map(|command| command.context).peekable();
    if places.peek().is_none() {
        let near = crate::console::keymap::hint(name, TABLE.iter().map(|command| command.name));
        return Err(format!("there is no such command{near}"));
    }
    let mut places: Vec<&str> = places.collect();
    let reaches = |place: &&str| *place == context || WIDE.contains(place) || around(context).contains(place);
    if WIDE.contains(&context) || places.iter().any(reaches) {
        return Ok(());
    }
    places.dedup();
    Err(format!("the command is one of [{}], not of this place", places.join("], [")))
}

/// What the context is called in help.
pub fn title(context: &str) -> &'static str {
    match context {
        "scripts" => "scripts",
        "targets" => "targets",
        "jobs" => "jobs",
        "job" => "live job",
        "view" => "an output as what it is",
        "groups" => "groups of a job",
        "past" => "what was found in past jobs",
        "changes" => "a job beside another",
        "versions" => "versions of a script",
        "diff" => "comparison",
        "text" => "text",
        "editor" => "editor",
        "find" => "find and replace",
        "launch" => "launch dialog",
        "dialog" => "dialogs",
        "help" => "help",
        "prompt" => "the prompt",
        "match" => "a list with a filter",
        "list" => "lists",
        _ => "everywhere",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_means_one_thing_in_a_context() {
        for (at, command) in TABLE.iter().enumerate() {
            let twin = TABLE[at + 1..].iter().find(|c| c.context == command.context && c.name == command.name);
            assert!(twin.is_none(), "{} {} is there twice", command.context, command.name);
        }
    }

    #[test]
    fn what_changes_the_fleet_says_so() {
        for command in TABLE {
            assert_eq!(
                command.fleet,
                matches!(command.verb, Do::Run | Do::Stop | Do::Approve | Do::Retry(_)),
                "{}",
                command.name
            );
        }
    }

    #[test]
    fn every_context_is_listed_and_has_a_title_of_its_own() {
        for command in TABLE {
            assert!(CONTEXTS.contains(&command.context), "{} {}", command.context, command.name);
        }
        let titles: std::collections::BTreeSet<&str> = CONTEXTS.iter().map(|context| title(context)).collect();
        assert_eq!(titles.len(), CONTEXTS.len());
    }

    #[test]
    fn every_binding_of_the_keymap_is_explained() {
        let (keymap, _) = crate::console::keymap::Keymap::load("vi", None, &known);
        for (context, keys, name) in keymap.rows() {
            assert!(bound(&context, &name).is_some_and(|command| !command.doc.is_empty()), "{context} {keys} {name}");
        }
    }

    #[test]
    fn an_inner_place_may_name_what_is_around_it_and_nothing_else() {
        for (context, name) in
            [("find", "find-previous"), ("find", "goto-line"), ("match", "run"), ("launch", "accept")]
        {
            assert_eq!(known(context, name), Ok(()), "{context} {name}");
        }
        for (context, name) in [("editor", "replace-all"), ("find", "freeze"), ("scripts", "follow")] {
            assert!(known(context, name).is_err_and(|why| why.contains("not of this place")), "{context} {name}");
        }
    }

    #[test]
    fn the_innermost_context_wins() {
        assert_eq!(find(&["jobs", "list", "global"], "open").unwrap().hint, "watch");
        assert_eq!(find(&["list", "global"], "open").unwrap().context, "list");
        assert!(find(&["global"], "run").is_none());
    }
}
