//! A script with a parameter of every kind, in the library of the sample fleet; and the disk that its files are on.

use super::sample::{Session, script};
use super::{Effect, Event};
use crate::model::script::header::header;

const HEADER: &str = "\
# @arg version!                       the version to reach
# @option --retries=3 <NUMBER>        how often it is tried
# @flag --dry-run                     only say what would be done
# @option --channel[=stable|beta|dev] where it comes from
# @option --tag*                      words that the report carries
# @option --report                    the report's form
# @option --config                    what replaces the configuration
# @option --note                      why, for the log
# @option --token <SECRET>            of the mirror
# @option --proxy                     on the way to the mirror
# @option --limit=10 <NUMBER>         MB/s
# @meta file config
# @meta stdin config note
# @meta example version 14.6
# @meta advanced proxy limit
";

/// A console whose cursor is on that script.
pub fn session(size: (u16, u16), ascii: bool) -> Session {
    let mut session = Session::starting(size, ascii);
    let mut all = script("all-kinds.sh", "bash", "a parameter of every kind");
    all.params = header(HEADER).params;
    if let Some(report) = all.params.iter_mut().find(|param| param.name == "report") {
        report.multiple = true;
        report.choices = ["csv", "json", "markdown"].map(str::to_owned).into();
    }
    session.scripts.scripts.insert(0, all);
    session.attach();
    session
}

/// The disk: one file, and a folder.
pub fn look_at(effect: &Effect) -> Option<Event> {
    let Effect::LookAt(path) = effect else { return None };
    let there = ["/etc/app.conf", "/etc/apt/"];
    let near = there.iter().filter(|known| known.starts_with(path.as_str())).map(|known| (*known).to_owned());
    let size = match path.as_str() {
        "/etc/app.conf" => Ok(1234),
        "/etc/apt/" | "/etc/" | "/etc" => Err("a folder, not a file".to_owned()),
        _ => Err("no such file".to_owned()),
    };
    Some(Event::LookedAt { path: path.clone(), size, near: near.collect() })
}
