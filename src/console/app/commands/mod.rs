//! The static command table: everything a key can mean. Keymap files, the hints row, help, the palette, the command
//! line and the `x` menu are computed from it, so that they cannot disagree. Owns names and words; refuses to do
//! anything: `App::perform` does. Whether a command is of use just now is [`super::App::why_not`]'s affair.
//!
//! A command goes into the table of its place: `places` (scripts, targets, versions, past jobs), `job` (jobs, live,
//! groups), `editor`, `dialogs`, `everywhere`; what it does is named in `verb`.

mod dialogs;
mod editor;
mod everywhere;
mod job;
mod places;
mod verb;

pub use verb::Do;

use super::editor::Verb;

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// The tables of all places, in the order in which hints and help show them.
const PLACES: [&[Command]; 21] = [
    places::SCRIPTS,
    places::VERSIONS,
    places::DIFF,
    places::TARGETS,
    job::JOBS,
    job::JOB,
    job::VIEW,
    job::GROUPS,
    job::RETRY,
    places::PAST,
    places::CHANGES,
    everywhere::TEXT,
    editor::EDITOR,
    editor::FIND,
    dialogs::LAUNCH,
    dialogs::DIALOG,
    dialogs::HELP,
    dialogs::PROMPT,
    everywhere::LIST,
    everywhere::MATCH,
    everywhere::GLOBAL,
];

const fn count(places: &[&[Command]]) -> usize {
    let (mut all, mut place) = (0, 0);
    while place < places.len() {
        all += places[place].len();
        place += 1;
    }
    all
}

const fn joined<const N: usize>(places: &[&[Command]]) -> [Command; N] {
    let mut all = [places[0][0]; N];
    let (mut at, mut place) = (0, 0);
    while place < places.len() {
        let mut row = 0;
        while row < places[place].len() {
            all[at] = places[place][row];
            (at, row) = (at + 1, row + 1);
        }
        place += 1;
    }
    all
}

/// All of them, one after the other.
pub static TABLE: &[Command] = &joined::<{ count(&PLACES) }>(&PLACES);

/// Every context that has commands, in the order in which help lists them.
pub const CONTEXTS: [&str; 21] = [
    "scripts", "targets", "jobs", "job", "view", "groups", "retry", "past", "changes", "versions", "diff", "text",
    "editor", "find", "launch", "dialog", "help", "prompt", "match", "list", "global",
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
        (Do::Retry(_), _) => {
            "quarterdeck rerun ID --failed|--unknown|--not-started|--offline|--timed-out|--cancelled|--ok|--group S"
        }
        (Do::Approve, _) => "quarterdeck jobs approve ID",
        (Do::Export, _) => "quarterdeck export ID --format md|csv|json|ndjson|junit",
        (Do::Groups | Do::GoGroups | Do::Exact, _) => "quarterdeck groups ID",
        (Do::Ack, _) => "quarterdeck ack SIGNATURE",
        (Do::Merge, _) => "quarterdeck regroup merge ID S3 S4 S1",
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
        (Do::Import, _) => "quarterdeck jobs import CONNECTION",
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
    ("global", "import"),
];

/// What a place stands in, besides the contexts that hold every place: its own keys may name these commands too.
const AROUND: [(&str, &[&str]); 5] = [
    ("find", &["editor"]),
    ("match", &["scripts", "targets", "jobs", "job"]),
    ("jobs", &["retry"]),
    ("job", &["retry"]),
    ("groups", &["retry"]),
];

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
        "retry" => "a job run again",
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
            [("find", "find-previous"), ("jobs", "retry-failed"), ("match", "run"), ("launch", "accept")]
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
