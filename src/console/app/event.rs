//! What comes into the console (`Event`) and what it wants done in the world (`Effect`). Owns no channel,
//! no clock and no connection: `runtime` turns effects into tasks and their results into events.

use std::ops::Range;

use crossterm::event::{KeyEvent, MouseEvent};
use jiff::Timestamp;

use super::diff::Side;
use super::export::{Done, Wish};
use super::hold::Turn;
use super::kept::Kept;
use super::looks::Reread;
use super::reader::Output;
use super::saving::Saving;
use super::shelf::{Draft, Opened, SaveProblem, SavedScript};
use super::triage::compare::Question;
use crate::console::theme::Role;
use crate::model::compare::{Against, Comparison};
use crate::model::content::document::Document;
use crate::model::diff::Diff;
use crate::model::import::Import;
use crate::model::job::{Job, JobId, JobSummary};
use crate::model::output::{Seek, Which, Window};
use crate::model::past::{Past, Told};
use crate::model::plan::{Plan, PlanRequest};
use crate::model::saved::SavedTarget;
use crate::model::script::{Finding, Param, Script};
use crate::model::search::Pattern;
use crate::model::secret::Secret;
use crate::model::shelf::{Renamed, Trashed, Version};
use crate::model::template::{Template, Templates};
use crate::model::triage::{About, Groups, Remark, Subject};
use crate::model::ways::{Foreseen, Masking, Regroup, Rules, Ways};
use crate::model::wire::{self, Cancelled, Hello, Library, Problem, Resolved, Stopping, Targets, Turned};

/// Colours of one script's text: for each line, byte ranges and what they are.
pub type Coloured = Vec<Vec<(Range<usize>, Role)>>;

/// One thing that happened.
#[derive(Debug)]
pub enum Event {
    /// The time, told before every batch of other events and when [`super::App::wake`] asked for it.
    Tick(Timestamp),
    Key(KeyEvent),
    Paste(String),
    Resize(u16, u16),
    Focus(bool),
    Mouse(MouseEvent),
    /// The terminal said whether it is dark: once when asked, and when it changes.
    Ground {
        dark: bool,
    },

    /// The engine answers.
    Attached(Box<Hello>),
    /// The engine does not answer, or stopped doing so; `retry` tells when it is tried again.
    Lost {
        why: String,
        retry: bool,
    },
    Targets(Result<Targets, Problem>),
    Library(Result<Library, Problem>),
    Jobs(Result<Vec<JobSummary>, Problem>),
    Job(JobId, Box<Result<Job, Problem>>),
    Groups {
        job: JobId,
        exact: bool,
        base: Option<JobId>,
        answer: Box<Result<Groups, Problem>>,
    },
    /// Two outputs, line by line.
    OutputsCompared {
        question: Question,
        answer: Box<Result<Comparison, Problem>>,
    },
    /// A job beside another one.
    JobsCompared {
        job: JobId,
        other: Option<JobId>,
        answer: Box<Result<Against, Problem>>,
    },
    /// Some of what a search over past jobs finds.
    Found {
        serial: u64,
        answer: Result<Vec<Told>, Problem>,
    },
    /// What regrouping would come to.
    Foreseen {
        job: JobId,
        what: Regroup,
        answer: Result<Foreseen, Problem>,
    },
    Regrouped {
        job: JobId,
        answer: Result<Ways, Problem>,
    },
    MaskingRead {
        job: JobId,
        signature: String,
        answer: Result<Masking, Problem>,
    },
    /// A script was given other rules, or not.
    Ruled(Result<Ways, Problem>),
    /// A target was saved under a name, replaced or forgotten.
    TargetSaved {
        name: String,
        answer: Result<Saving, Problem>,
    },
    /// Something was said of a signature or a job, or taken back.
    Remarked(Result<About, Problem>),
    /// The jobs of which something was said.
    JobsRemarked(Result<Vec<About>, Problem>),
    Script(String, Box<Result<Script, Problem>>),
    Coloured {
        version: String,
        lines: Coloured,
    },
    Engine(wire::Event),
    Lines {
        ask: Ask,
        window: Result<Window, Problem>,
    },
    Resolved {
        expr: String,
        answer: Result<Resolved, Problem>,
    },
    Planned {
        serial: u64,
        answer: Box<Result<Plan, Problem>>,
    },
    /// A file that a launch is to take along: its size, or why it cannot be given; and paths that begin so.
    LookedAt {
        path: String,
        size: Result<u64, String>,
        near: Vec<String>,
    },
    Answered {
        question: String,
        answer: Result<(), Problem>,
    },
    Launched {
        answer: Box<Result<JobSummary, Problem>>,
    },
    Cancelled {
        job: JobId,
        answer: Result<Cancelled, Problem>,
    },
    /// Target expressions kept from earlier sessions.
    Expressions(Vec<String>),
    /// Lines written into prompts in earlier sessions, oldest first, by the purpose's name.
    Histories(Vec<(&'static str, Vec<String>)>),
    /// A script's bytes, to be edited.
    Opened {
        name: String,
        answer: Box<Result<Opened, Problem>>,
    },
    Saved {
        name: String,
        answer: Result<SavedScript, SaveProblem>,
    },
    /// All drafts that are kept.
    Drafts(Vec<Draft>),
    DraftSaved {
        name: String,
        answer: Result<Draft, String>,
    },
    DraftDropped(String),
    Renamed {
        from: String,
        answer: Result<Renamed, Problem>,
    },
    Deleted {
        name: String,
        answer: Result<Trashed, Problem>,
    },
    /// Out of the trash again.
    Undeleted(Result<Trashed, Problem>),
    Trash(Result<Vec<Trashed>, Problem>),
    Versions {
        name: String,
        answer: Result<Vec<Version>, Problem>,
    },
    /// A version's text, under the title it was asked for with.
    Version {
        title: String,
        answer: Box<Result<Opened, Problem>>,
    },
    /// An older version was saved as the newest.
    Restored {
        name: String,
        answer: Result<SavedScript, SaveProblem>,
    },
    /// A job was paused, goes on, or lets a ring go; or not.
    Turned {
        job: JobId,
        answer: Box<Result<Turned, Problem>>,
    },
    Templates(Result<Templates, Problem>),
    /// A launch was kept under a name, or not.
    TemplateKept {
        template: Template,
        answer: Result<(), Problem>,
    },
    TemplateForgotten {
        name: String,
        answer: Result<(), Problem>,
    },
    Compared {
        serial: u64,
        answer: Box<Result<Diff, Problem>>,
    },
    /// What lint says of a text that is being written.
    Linted {
        serial: u64,
        answer: Result<Vec<Finding>, Problem>,
    },
    /// The external editor has ended; `Some`: what went wrong.
    Edited {
        path: String,
        problem: Option<String>,
    },
    /// A theme or the keymap was edited.
    Reread(Box<Reread>),
    /// Something the console keeps between sessions could not be written.
    Unkept {
        what: &'static str,
        why: String,
    },
    /// An output as what it is.
    Document {
        serial: u64,
        answer: Box<Result<Document, String>>,
    },
    /// What a shell command printed, and how it ended.
    Piped {
        serial: u64,
        text: String,
        ended: Option<String>,
    },
    /// A text to be copied, whole.
    Gathered(String),
    /// A file is being written, and so far.
    Saving {
        path: String,
        bytes: u64,
    },
    /// How far the bringing-in of a system's past jobs is.
    Imported {
        connection: String,
        answer: Result<Import, Problem>,
    },
    /// How far an export is.
    Exporting {
        serial: u64,
        devices: usize,
        of: usize,
        bytes: u64,
    },
    Exported {
        serial: u64,
        done: Done,
    },
    /// Something was written or copied, or not.
    Handed(Result<String, String>),
    /// Something the operator should read.
    Notice(String),
}

/// Something to be done in the world. Each is answered by at most one event, except [`Effect::Attach`],
/// which starts the engine's event stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    Attach,
    LoadTargets,
    LoadLibrary,
    LoadJobs,
    LoadJob(JobId),
    LoadGroups {
        job: JobId,
        /// By equal texts, not by what they mean.
        exact: bool,
        /// The job to compare with; `None`: the fair one.
        base: Option<JobId>,
    },
    CompareOutputs(Question),
    CompareJobs {
        job: JobId,
        /// None: the one of the same script before it.
        other: Option<JobId>,
    },
    /// Search past jobs; answered by [`Event::Found`] until it has ended. One at a time: another one ends it.
    Search {
        serial: u64,
        asked: Box<Past>,
    },
    StopSearch(u64),
    /// Bring in the past jobs of a system; `begun`: how far that is, after a while.
    Import {
        connection: String,
        begun: bool,
    },
    /// What would that come to?
    Foresee {
        job: JobId,
        what: Regroup,
    },
    /// Groups are put together, or one is taken apart.
    Regroup {
        job: JobId,
        what: Regroup,
    },
    LoadMasking {
        job: JobId,
        signature: String,
    },
    SetRules(Rules),
    SaveTarget {
        target: SavedTarget,
        replace: bool,
    },
    ForgetTarget(String),
    Remark {
        subject: Subject,
        remark: Remark,
    },
    LoadRemarks,
    LoadScript(String),
    Colour {
        name: String,
        version: String,
        language: String,
        text: String,
    },
    Lines(Ask),
    Resolve(String),
    Plan {
        serial: u64,
        request: Box<PlanRequest>,
        /// Parameters whose files are to be read first.
        files: Vec<Param>,
    },
    LookAt(String),
    Answer {
        question: String,
        value: Secret,
    },
    Launch {
        plan: String,
        confirm: Option<usize>,
    },
    Cancel {
        job: JobId,
        /// Ids; none: the whole job.
        devices: Vec<String>,
        stop: Stopping,
    },
    SaveExpressions(Vec<String>),
    /// How the screen is looked at, for the next session.
    Keep(Box<Kept>),
    /// For the next console.
    KeepTheme(String),
    /// For the next console, as long as settings and file ask for what they do now.
    KeepKeymap {
        name: String,
        asked: String,
    },
    /// A line joins a history (by the purpose's name).
    SaveHistory {
        name: &'static str,
        line: String,
    },
    /// Something happened to a job, in one sentence: the terminal rings, or tells the desktop, as it was configured.
    Ring(String),
    OpenScript(String),
    SaveScript {
        name: String,
        /// The version that the edit began from; `None`: a new script, whose name must be free.
        base: Option<String>,
        bytes: Vec<u8>,
        /// Whatever is there now.
        force: bool,
    },
    LoadDrafts,
    /// Kept on this machine until it is saved or dropped; it survives a crash.
    SaveDraft {
        name: String,
        base: Option<String>,
        bytes: Vec<u8>,
    },
    DropDraft(String),
    RenameScript {
        from: String,
        to: String,
    },
    /// Into the trash.
    DeleteScript {
        name: String,
        /// The name as the operator typed it.
        confirm: String,
    },
    Undelete(String),
    LoadTrash,
    LoadVersions(String),
    LoadVersion {
        title: String,
        name: String,
        version: String,
    },
    RestoreVersion {
        name: String,
        version: String,
        /// What it is saved over.
        base: String,
    },
    /// Nothing new is sent, or it goes on.
    Turn {
        job: JobId,
        turn: Turn,
    },
    LoadTemplates,
    KeepTemplate {
        template: Template,
        /// Whatever has the name.
        replace: bool,
    },
    ForgetTemplate(String),
    Compare {
        serial: u64,
        left: Side,
        right: Side,
    },
    LintText {
        serial: u64,
        name: String,
        bytes: Vec<u8>,
    },
    OpenEditor(String),
    Copy(String),
    /// Gather the text, and copy it.
    CopyText(Feed),
    /// Give the text to a shell command here; answered by [`Event::Piped`] until it has ended.
    Pipe {
        serial: u64,
        command: String,
        feed: Feed,
    },
    StopPipe(u64),
    /// Who did what, as the pages of a text; answered like a command.
    ReadAudit {
        serial: u64,
    },
    /// Read the beginning of an output and take it apart.
    ReadOutput {
        serial: u64,
        output: Output,
    },
    /// Show the text in the operator's pager.
    Pager(Feed),
    /// Write the text to a new file.
    Save {
        path: String,
        feed: Feed,
    },
    /// A job into a file or to the clipboard: told of until it is done.
    Export(Box<Wish>),
    StopExport(u64),
    Suspend,
    /// The terminal reports the mouse, or no longer.
    Mouse(bool),
    /// Paint every cell again.
    Redraw,
    Quit,
}

/// A text to be handed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Feed {
    Text(String),
    /// Of a run, or of all runs; with a pattern, the lines that match.
    Output {
        job: JobId,
        run: Option<u32>,
        which: Which,
        pattern: Option<Pattern>,
    },
    /// Of some runs, one after the other, each line with its device's name.
    Outputs {
        job: JobId,
        runs: Vec<u32>,
        which: Which,
        pattern: Option<Pattern>,
    },
}

/// A wish for lines of output: only ever what a view shows, or where it goes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    pub whose: Whose,
    pub job: JobId,
    /// `None`: all runs of the job, in order of arrival.
    pub run: Option<u32>,
    pub which: Which,
    pub seek: Seek,
    /// Lines before the place, and from there on.
    pub before: usize,
    pub count: usize,
    /// Only lines that match.
    pub pattern: Option<Pattern>,
}

/// Whose wish it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    Window,
    Search,
    Errors,
}
