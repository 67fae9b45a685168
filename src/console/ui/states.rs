//! What a pane says while it has nothing to show: what is so, and what to do next, by the keys in force. Owns these
//! words for every list, preview and view; whether there is nothing to show is decided where it would be shown.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{cells, waiting};
use crate::console::app::files::Fetched;
use crate::console::app::list::{ListId, Look};
use crate::console::app::tail::Tail;
use crate::console::app::tree::{Kind, Row, Saved};
use crate::console::app::triage::Triage;
use crate::console::app::triage::compare::{Side, State};
use crate::console::app::{App, Link, Load, Pane, Source};
use crate::console::text;
use crate::console::theme::Role;
use crate::model::job::{Job, Run};
use crate::model::output::Which;
use crate::model::script::ScriptInfo;
use crate::model::state::RunState;

/// What is so, and what to do next. Either may hold text from anywhere: it is made safe when it is drawn.
#[derive(Debug, PartialEq, Eq)]
pub struct Said {
    what: String,
    wrong: bool,
    next: String,
}

impl Said {
    pub fn so(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { what: what.into(), wrong: false, next: next.into() }
    }

    pub fn wrong(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { what: what.into(), wrong: true, next: next.into() }
    }

    /// What to do next is seen whole: a long account of what is so gives way to it.
    pub fn draw(&self, app: &App, area: Rect, buf: &mut Buffer) {
        let theme = &app.theme;
        let role = if self.wrong { Role::LevelError } else { Role::Text };
        let next = text::plain(&self.next);
        let below = cells::fold(&next, usize::from(area.width)).len() as u16;
        let above = Rect { height: area.height.saturating_sub(below).max(1).min(area.height), ..area };
        let used = cells::paragraph(buf, above, &text::plain(&self.what), theme.style(role));
        let rest = Rect { y: area.y + used, height: area.height.saturating_sub(used), ..area };
        cells::paragraph(buf, rest, &next, theme.style(Role::TextMuted));
    }
}

fn refresh(app: &App) -> String {
    app.key_of("global", "refresh")
}

fn log(app: &App) -> String {
    app.key_of("global", "go-log")
}

fn back(app: &App) -> String {
    app.key_of("global", "back")
}

/// How long the engine has been asked, where that is worth a word.
pub fn since(app: &App) -> String {
    app.waited().map_or_else(String::new, |seconds| format!(" {seconds} s"))
}

/// Nothing can come while nobody answers.
fn unanswered(app: &App) -> Option<Said> {
    match &app.link {
        Link::Attached => None,
        Link::Starting => Some(Said::so("starting the engine…", format!("{} shows the log if this lasts", log(app)))),
        Link::Lost { why, .. } => Some(Said::wrong(
            format!("no engine: {why}"),
            format!("it is looked for every few seconds; {} shows the log, `quarterdeck doctor` says more", log(app)),
        )),
    }
}

/// Something is on its way.
pub fn reading(app: &App, what: &str) -> Said {
    unanswered(app).unwrap_or_else(|| Said::so(format!("{what}{}", since(app)), format!("{} asks again", refresh(app))))
}

/// A list that is not there yet. `None`: it is.
pub fn absent(app: &App, what: &str, load: &Load) -> Option<Said> {
    match load {
        Load::Ready => None,
        Load::Waiting => Some(reading(app, &format!("reading the {what}…"))),
        Load::Failed(why) => Some(Said::wrong(
            format!("the {what} could not be read: {why}"),
            format!("{} tries again; {} shows the log", refresh(app), log(app)),
        )),
    }
}

pub fn no_scripts(app: &App) -> Said {
    let again = refresh(app);
    match app.library_says.first() {
        Some(why) => Said::wrong(
            why.clone(),
            format!(
                "mend the folder, or name another (path, in [library] of {}); {again} reads it again",
                app.place.config
            ),
        ),
        None => Said::so(
            "No scripts yet.",
            format!(
                "{} makes one from a template; what is put into {} is here at once",
                app.key_of("scripts", "new"),
                app.folder
            ),
        ),
    }
}

pub fn no_targets(app: &App) -> Said {
    Said::so(
        "No hosts yet.",
        format!(
            "Add hosts to ~/.ssh/config, or a [[connection]] to {}; {} reads them again",
            app.place.config,
            refresh(app)
        ),
    )
}

pub fn no_jobs(app: &App) -> Said {
    let (scripts, run) = (app.key_of("global", "pane-1"), app.key_of("scripts", "run"));
    Said::so("No jobs yet.", format!("{scripts} goes to the scripts, {run} runs the one under the cursor"))
}

/// A list of which all is hidden says by what, and the way back.
pub fn none_passes(app: &App, list: ListId, look: &Look) -> Said {
    let what = match list {
        ListId::Scripts => "No script",
        ListId::Targets => "No target",
        ListId::Jobs => "No job",
        ListId::Groups => "No group",
        ListId::Devices | ListId::Members | ListId::Planned | ListId::Changes => "No device",
        ListId::Found => "No run",
    };
    let next = if look.filter.is_empty() {
        format!("{} shows all {} again", app.key_of("list", "only-problems"), text::count(look.total as u64))
    } else {
        format!("{} clears the filter: {} are hidden", back(app), text::count(look.total as u64))
    };
    Said::so(format!("{what} passes: {}", look.says()), next)
}

/// The preview of a list whose cursor is on nothing.
pub fn nothing_chosen(app: &App) -> Said {
    let (load, list, what, of) = match app.overview.subject {
        Pane::Targets => {
            (&app.targets, ListId::Targets, "targets", "The target under the cursor would show its devices here.")
        }
        Pane::Jobs => (&app.history, ListId::Jobs, "jobs", "The job under the cursor would show its devices here."),
        Pane::Scripts | Pane::Preview => {
            (&app.library, ListId::Scripts, "scripts", "The script under the cursor would be shown here.")
        }
    };
    if let Some(said) = absent(app, what, load) {
        return said;
    }
    if let Some(look) = app.look(list).filter(|look| look.narrowed()) {
        return none_passes(app, list, look);
    }
    let next = match list {
        ListId::Targets => no_targets(app).next,
        ListId::Jobs => no_jobs(app).next,
        _ => no_scripts(app).next,
    };
    Said::so(of, next)
}

/// A script of which no text can be shown. `None`: it can.
pub fn no_source(app: &App, info: &ScriptInfo, source: Option<&Source>) -> Option<Said> {
    let Some(source) = source else { return Some(reading(app, "reading the script…")) };
    if let Some(problem) = &source.problem {
        return Some(Said::wrong(
            problem.clone(),
            format!(
                "{} reads the library again; what was deleted here is under {}",
                refresh(app),
                app.key_of("scripts", "deleted")
            ),
        ));
    }
    let why = info.refused.as_ref()?;
    let next = match info.size {
        0 => format!("{} writes it", app.key_of("scripts", "edit")),
        _ => format!(
            "{} opens it in $EDITOR; {} runs another",
            app.key_of("scripts", "edit-external"),
            app.key_of("scripts", "run")
        ),
    };
    Some(Said::wrong(format!("it cannot be launched: it {why}"), next))
}

/// A target without a list of devices. `None`: it has one.
pub fn no_members(app: &App, target: &Row) -> Option<Said> {
    if let Kind::Saved(at) = target.kind {
        let key = app.key_of("targets", "edit-expression");
        let change = match app.tree.saved.get(at) {
            Some(saved) if saved.named.is_some() => {
                format!("{key} changes what it stands for; :target forget {} forgets it", &saved.expr[1..])
            }
            Some(Saved { failed: Some(job), expr, .. }) => {
                format!("what job {job} left failed: {expr} in any expression; {key} builds on it")
            }
            _ => format!("{key} changes the expression; an empty one forgets it"),
        };
        return Some(match app.tree.saved.get(at).and_then(|saved| saved.answer.as_ref()) {
            Some(Err(why)) => Said::wrong(why.clone(), change),
            Some(Ok(tally)) => Said::so(
                format!(
                    "{} now; the launch dialog ({}) lists them",
                    text::number(tally.devices as u64, "device"),
                    app.key_of("targets", "run")
                ),
                change,
            ),
            None => reading(app, "resolving…"),
        });
    }
    if target.tally.devices > 0 {
        return None;
    }
    if let Kind::Connection(at) = target.kind
        && let Some(connection) = app.tree.targets.connections.get(at)
        && let Some(why) = connection.warnings.first()
    {
        let more = match connection.warnings.len() {
            1 => String::new(),
            n => format!("; {} shows all {n} problems", log(app)),
        };
        return Some(Said::wrong(why.clone(), format!("mend it, then {} reads it again{more}", refresh(app))));
    }
    Some(Said::so("No hosts here.", no_targets(app).next))
}

/// A list that is fetched when its dialog opens; `none`: what an empty one says. `None`: there are rows.
pub fn fetched<T>(app: &App, all: &Fetched<T>, none: Said) -> Option<Said> {
    let close = format!("{} closes", app.key_of("dialog", "cancel"));
    match all {
        None => Some(unanswered(app).unwrap_or_else(|| Said::so("reading…", close))),
        Some(Err(why)) => Some(Said::wrong(why.clone(), close)),
        Some(Ok(rows)) => rows.is_empty().then_some(none),
    }
}

/// A job that is not at hand.
pub fn no_job(app: &App, problem: Option<&str>) -> Said {
    match problem {
        Some(why) => Said::wrong(why.to_owned(), format!("{} asks again; {} leads back", refresh(app), back(app))),
        None => reading(app, "reading the job…"),
    }
}

/// The device list of a job, when it is empty.
pub fn no_devices(app: &App, job: &Job, look: &Look) -> Said {
    if job.runs.is_empty() {
        return Said::so("This job has no devices.", format!("{} leads back to the jobs", back(app)));
    }
    none_passes(app, ListId::Devices, look)
}

/// A job without groups to show. `None`: it has some.
pub fn no_groups(app: &App, triage: &Triage, job: &Job) -> Option<Said> {
    if let Some(why) = &triage.problem {
        let next = format!("{} asks again; {} leads back", refresh(app), back(app));
        return Some(Said::wrong(format!("the groups could not be read: {why}"), next));
    }
    if triage.groups.is_none() {
        return Some(reading(app, "grouping the outputs…"));
    }
    if job.runs.is_empty() {
        return Some(Said::so("This job has no devices.", format!("{} leads back", back(app))));
    }
    None
}

/// The members, when no group is under the cursor.
pub fn no_group_chosen(app: &App) -> Said {
    let groups = app.key_of("global", "pane-1");
    Said::so("The devices of the group under the cursor stand here.", format!("{groups} goes to the groups"))
}

/// Outputs that are not compared.
pub fn no_comparison(app: &App, triage: &Triage) -> Said {
    let base = app.key_of("groups", "base");
    if let State::Failed(why) = &triage.beside.state {
        return Said::wrong(why.clone(), format!("{} asks again; {base} compares with another", refresh(app)));
    }
    if triage.beside.waits() {
        return reading(app, "comparing…");
    }
    let Some(row) = triage.row() else {
        return Said::so("What sets the group under the cursor apart stands here.", String::new());
    };
    match (row.of, triage.base()) {
        (None, _) => Said::so(
            "They have printed their last line when they have ended.",
            format!("{} shows what they print now", app.key_of("groups", "open")),
        ),
        (Some(_), Some((_, label))) if triage.beside.base == Side::Base => Said::so(
            format!("{label} is what the others are compared with."),
            format!("{base} compares it with another group, with a device, or with its own last run"),
        ),
        (Some(_), None) => Said::so(
            "No device has ended well: nothing to compare with by itself.",
            format!("{base} chooses another group, a device, or the last run"),
        ),
        (Some(_), Some(_)) => Said::so("It is compared with itself.", format!("{base} chooses another")),
    }
}

pub const IDENTICAL: &str = "They are the same, byte for byte.";
pub const ALIKE: &str = "They say the same, but for numbers, times and names.";

/// Two outputs without a difference.
pub fn same_output(app: &App, masked: bool) -> Said {
    let key = app.key_of("groups", "exact");
    match masked {
        true => Said::so(ALIKE, format!("{key} compares them as they are")),
        false => Said::so(IDENTICAL, format!("{} leads back", back(app))),
    }
}

/// An output that could not be read, or a pattern that is none.
pub fn unread(app: &App, tail: &Tail, problem: &str) -> Said {
    let all = match tail.filter {
        Some(_) => format!("; {} shows all lines", back(app)),
        None => String::new(),
    };
    Said::wrong(problem, format!("{} asks again{all}", refresh(app)))
}

/// The tail, when it has no line to show.
pub fn no_output(app: &App, tail: &Tail, job: &Job, run: Option<&Run>) -> Said {
    let all = match job.runs.len() {
        0 | 1 => format!("{} leads back", back(app)),
        _ => format!("{} shows all devices", app.key_of("job", "one-or-all")),
    };
    if let Some(filter) = &tail.filter {
        let what = match filter.matching {
            Some(matching) if matching.done => format!("no line matches {}", filter.pattern.spelled()),
            Some(matching) => format!("searching, {}%", matching.searched * 100 / matching.total.max(1)),
            None => format!("searching…{}", since(app)),
        };
        return Said::so(what, format!("{} shows all lines", back(app)));
    }
    if !tail.loaded && run.is_none_or(|run| run.bytes > 0) {
        return reading(app, "reading the output…");
    }
    if tail.which != Which::All {
        let stream = if tail.which == Which::Out { "stdout" } else { "stderr" };
        return Said::so(
            format!("nothing on {stream}"),
            format!("{} shows the other stream", app.key_of("global", "next-tab")),
        );
    }
    let Some(run) = run else {
        let (run, poll) =
            (app.key_of("scripts", "run"), format!("{} shows one device", app.key_of("job", "one-or-all")));
        return match job.summary.state.ended() {
            true => Said::so("No device printed anything.", format!("{poll}; {run} in the scripts runs it again")),
            false => Said::so(format!("no output yet from {}", text::number(job.runs.len() as u64, "device")), poll),
        };
    };
    let stop = || format!("{all}; {} withdraws it", app.key_of("job", "stop"));
    match run.state {
        RunState::Queued if job.summary.state.ended() => Said::so("not started: the job ended before its turn", all),
        RunState::Queued => Said::so("waits for its turn", stop()),
        RunState::Sent if waiting::waits(app, run) => Said::so(waiting::account(app, run), stop()),
        RunState::Sent => Said::so("connecting; no output yet", stop()),
        RunState::Running => Said::so("sent, no output yet; a script that buffers shows its output when it ends", all),
        _ => Said::so("it printed nothing", all),
    }
}

#[cfg(test)]
#[path = "states_tests.rs"]
mod tests;
