//! The command line `:`. Every command of the table by its name, and a few words of its own that take an argument.
//! Owns what a line means, what is wrong with it and what tab may make of it; the prompt itself is
//! [`super::prompt`]'s, and what changes the fleet opens its dialog, here as everywhere.

use super::act::Act;
use super::commands::{self, Command, TABLE};
use super::list::{ListId, Sort};
use super::prompt::Completion;
use super::tree::quoted;
use super::{App, View};
use crate::console::keymap::{self, Keymap};
use crate::model::job::JobId;
use crate::model::{filter, nearest};

/// A word that takes an argument. Without one it is the command of that name, where the table has it.
struct Word {
    name: &'static str,
    takes: &'static str,
    doc: &'static str,
}

const WORDS: [Word; 17] = [
    Word { name: "filter", takes: "[EXPRESSION]", doc: "show only rows that pass, in the list below" },
    Word { name: "sort", takes: "[COLUMN [asc|desc]]", doc: "sort the list below by a column" },
    Word { name: "run", takes: "SCRIPT [EXPRESSION]", doc: "open the launch dialog with both filled in" },
    Word { name: "script", takes: "NAME", doc: "go to the script" },
    Word { name: "device", takes: "NAME", doc: "go to the device" },
    Word {
        name: "group",
        takes: "NAME | save NAME",
        doc: "go to the group; or save the devices of this one as a target @NAME",
    },
    Word {
        name: "target",
        takes: "EXPRESSION | save NAME [EXPRESSION] | forget NAME",
        doc: "keep a target expression; or save one as @NAME",
    },
    Word {
        name: "base",
        takes: "[JOB|auto]",
        doc: "the job that the groups are compared with; without one: the output",
    },
    Word { name: "job", takes: "NUMBER", doc: "watch the job" },
    Word {
        name: "search",
        takes: "[TEXT] [--device EXPR] [--script NAME] [--exit-code N] …",
        doc: "past jobs: where a text was, what touched a device, what ended so",
    },
    Word {
        name: "import",
        takes: "[CONNECTION]",
        doc: "bring in the jobs that a system such as SimpleMDM ran without us",
    },
    Word { name: "go", takes: "PLACE", doc: "go to scripts, targets, jobs, history, groups or log" },
    Word { name: "mode", takes: "[read|write]", doc: "refuse or allow what changes the fleet" },
    Word { name: "theme", takes: "[NAME]", doc: "other colours; without a name: choose" },
    Word { name: "keymap", takes: "[NAME]", doc: "other keys; without a name: choose" },
    Word { name: "help", takes: "[WORDS]", doc: "keys of this place, or those that say the words" },
    Word { name: "q", takes: "", doc: "leave the console; jobs go on" },
];

const PLACES: [&str; 6] = ["scripts", "targets", "jobs", "history", "groups", "log"];

/// The first word, and what follows it.
fn split(line: &str) -> (&str, &str) {
    let line = line.trim();
    line.split_once(char::is_whitespace).map_or((line, ""), |(word, rest)| (word, rest.trim()))
}

impl App {
    /// What the line comes to, or what is wrong with it.
    pub(super) fn understand(&self, line: &str) -> Result<Act, String> {
        let (word, rest) = split(line);
        if word.bytes().all(|byte| byte.is_ascii_digit()) {
            return job(word);
        }
        match (word, rest) {
            ("q", "") => self.named("quit"),
            ("run", rest) if !rest.is_empty() => {
                let (script, target) = split(rest);
                let script = self.script_called(script)?;
                Ok(Act::Run { script, target: target.to_owned() })
            }
            ("script" | "device" | "group" | "target" | "job" | "go", "") => {
                let takes = WORDS.iter().find(|known| known.name == word).map_or("", |known| known.takes);
                Err(format!("{word} what? write {word} {takes}"))
            }
            ("script", name) => Ok(Act::Script(self.script_called(name)?)),
            ("device", name) => self.device_called(name),
            ("group" | "target", rest) if self.saves(word, rest) => self.saving_line(word, rest),
            ("group", name) => {
                let found =
                    self.tree.targets.groups.iter().find(|group| group.name == name || quoted(&group.name) == name);
                let names = self.tree.targets.groups.iter().map(|group| group.name.as_str());
                let found = found.ok_or_else(|| format!("no group is called {name}{}", nearest::hint(name, names)))?;
                Ok(Act::Group(found.connection.clone(), found.name.clone()))
            }
            ("target", expr) => Ok(Act::Keep(expr.to_owned())),
            ("search", words) if !words.is_empty() => Ok(Act::Search(words.to_owned(), Box::new(self.past_of(words)?))),
            ("import", name) if !name.is_empty() => Ok(Act::Import(self.keeps_jobs(name)?)),
            ("base", "auto") => self.base_of_groups(None),
            ("base", number) if !number.is_empty() => match job(number.trim_start_matches('#'))? {
                Act::Job(id) => self.base_of_groups(Some(id)),
                act => Ok(act),
            },
            ("job", number) => job(number.trim_start_matches('#')),
            ("go", place) if PLACES.contains(&place) => self.named(&format!("go-{place}")),
            ("go", place) => Err(format!("there is no place called {place} (known: {})", PLACES.join(", "))),
            ("filter", text) if !text.is_empty() => self.filter_line(text),
            ("sort", order) if !order.is_empty() => self.sort_line(order),
            ("theme", name) if !name.is_empty() => match self.looks.shelf.has(name) {
                true => Ok(Act::Theme(name.to_owned())),
                false => Err(self.looks.shelf.unknown(name)),
            },
            ("keymap", name) if !name.is_empty() => match Keymap::presets().any(|known| known == name) {
                true => Ok(Act::Keymap(name.to_owned())),
                false => Err(keymap::unknown_preset(name)),
            },
            ("mode", "read" | "write") => {
                let read = rest == "read";
                match read == self.reads_only() {
                    true => Err(format!("the mode is {rest} already")),
                    false => self.named("mode"),
                }
            }
            ("help", words) if !words.is_empty() => Ok(Act::Help(words.to_owned())),
            (_, "") => self.named(word),
            (name, _) if commands::exists(name) => Err(format!("{name} takes nothing behind it")),
            _ => Err(unknown(word)),
        }
    }

    /// The list that a line is about: the focused one, or that of which the preview shows something.
    fn list_of_line(&self) -> Result<ListId, String> {
        let list = self.list_here().or_else(|| self.list_meant());
        list.ok_or_else(|| "there is no list here to filter or sort".into())
    }

    fn filter_line(&self, text: &str) -> Result<Act, String> {
        let list = self.list_of_line()?;
        let filter = filter::parse(text, &self.columns_of(list)).map_err(|wrong| wrong.message)?;
        self.check_filter(list, &filter).map_err(|wrong| wrong.message)?;
        Ok(Act::Filter(list, text.to_owned()))
    }

    fn sort_line(&self, order: &str) -> Result<Act, String> {
        let list = self.list_of_line()?;
        let (name, way) = split(order);
        let names = self.sort_columns(list);
        let column = names.iter().position(|known| known.eq_ignore_ascii_case(name)).ok_or_else(|| {
            let near = nearest::hint(name, names.iter().map(String::as_str));
            format!("the {} have no column {name}{near} (known: {})", list.word(), names.join(" "))
        })?;
        // Some columns begin with their largest by themselves.
        let down = match list {
            ListId::Targets => column > 0,
            list => self.columns_of(list).get(column).is_some_and(|column| column.down),
        };
        match way {
            "" => Ok(Act::Sort(list, Sort { column, reverse: false })),
            "asc" => Ok(Act::Sort(list, Sort { column, reverse: down })),
            "desc" => Ok(Act::Sort(list, Sort { column, reverse: !down })),
            other => Err(format!("{other} is no order: write asc or desc, or nothing")),
        }
    }

    /// The command of this name: of the place the line was opened in, before any other's.
    fn named(&self, name: &str) -> Result<Act, String> {
        let here = commands::find(self.place_contexts(), name);
        let any = || TABLE.iter().find(|command| command.name == name);
        here.or_else(any).map(Act::Command).ok_or_else(|| unknown(name))
    }

    /// The groups that are looked at, compared with another job.
    fn base_of_groups(&self, base: Option<JobId>) -> Result<Act, String> {
        match self.triage.as_ref().filter(|_| self.view == View::Groups) {
            None => Err("only among the groups of a job".into()),
            Some(triage) if base == Some(triage.job) => {
                Err(format!("job {} is compared with itself: name another", triage.job))
            }
            Some(_) => Ok(Act::Against(base)),
        }
    }

    /// By its name, or by the only one that begins so.
    fn script_called(&self, name: &str) -> Result<String, String> {
        if self.scripts.iter().any(|script| script.name == name) {
            return Ok(name.to_owned());
        }
        let mut begins = self.scripts.iter().filter(|script| script.name.starts_with(name));
        match (begins.next(), begins.next()) {
            (Some(only), None) => Ok(only.name.clone()),
            (Some(_), Some(_)) => Err(format!("several scripts begin with {name}; tab shows them")),
            (None, _) => {
                let names = self.scripts.iter().map(|script| script.name.as_str());
                Err(format!("no script is called {name}{}", nearest::hint(name, names)))
            }
        }
    }

    fn device_called(&self, name: &str) -> Result<Act, String> {
        let devices = &self.tree.targets.devices;
        if let Some(at) = self.tree.by_id.get(name) {
            return Ok(Act::Device(devices[*at].id.clone()));
        }
        let mut found = devices.iter().filter(|device| device.name == name);
        match (found.next(), found.next()) {
            (Some(only), None) => Ok(Act::Device(only.id.clone())),
            (Some(one), Some(other)) => {
                Err(format!("{name} is in {} and {}: write {}", one.connection, other.connection, one.id))
            }
            (None, _) => {
                let names = devices.iter().map(|device| device.name.as_str());
                Err(format!("no device is called {name}{}", nearest::hint(name, names)))
            }
        }
    }

    /// Said beside the line while it is written: what its command does, or why it cannot be done now.
    pub(super) fn aside_of(&self, line: &str) -> String {
        let (word, rest) = split(line);
        if word.is_empty() {
            return "tab completes; ^r searches the history".into();
        }
        if word == "search" && line.trim_start().len() > word.len() {
            return self.seek_aside(rest);
        }
        if let Ok(Act::Command(command)) = self.understand(line) {
            return self.why_not(command).unwrap_or_else(|| command.doc.to_owned());
        }
        let words = WORDS.iter().find(|known| known.name == word);
        words.map_or_else(String::new, |known| match rest.is_empty() {
            true => format!("{} {}: {}", known.name, known.takes, known.doc),
            false => known.doc.to_owned(),
        })
    }

    /// What tab may make of the word before the cursor.
    pub(super) fn command_candidates(&self, before: &str) -> Completion {
        let option = |text: &str, note: &str| (text.to_owned(), note.to_owned());
        let Some((word, rest)) = before.trim_start().split_once(char::is_whitespace) else {
            return Completion::of_word(before, &[], self.first_words());
        };
        let further = rest.trim_start().contains(char::is_whitespace);
        match word {
            "run" if further => self.target_candidates(before),
            "target" => self.target_candidates(before),
            "search" => self.seek_candidates(before),
            "run" | "script" => {
                let scripts = self.scripts.iter().map(|script| option(&script.name, &script.describe));
                Completion::of_word(before, &[], scripts)
            }
            "device" => {
                let devices = self.tree.targets.devices.iter();
                Completion::of_word(
                    before,
                    &[],
                    devices.flat_map(|d| [option(&d.name, &d.connection), option(&d.id, "")]),
                )
            }
            "group" => {
                let groups = self.tree.targets.groups.iter();
                Completion::of_word(before, &[], groups.map(|group| option(&group.name, &group.connection)))
            }
            "job" | "base" => {
                let jobs = self.jobs.iter();
                Completion::of_word(before, &[], jobs.map(|job| (job.id.to_string(), job.script.clone())))
            }
            "filter" => {
                self.list_of_line().map_or_else(|_| Completion::default(), |list| self.filter_candidates(list, before))
            }
            "sort" if further => Completion::of_word(before, &[], ["asc", "desc"].iter().map(|way| option(way, ""))),
            "sort" => {
                let names = self.list_of_line().map(|list| self.sort_columns(list)).unwrap_or_default();
                Completion::of_word(before, &[], names.into_iter().map(|name| (name, "column".to_owned())))
            }
            "import" => Completion::of_word(before, &[], self.keeping().map(|name| option(name, "connection"))),
            "go" => Completion::of_word(before, &[], PLACES.iter().map(|place| option(place, ""))),
            "mode" => Completion::of_word(before, &[], ["read", "write"].iter().map(|mode| option(mode, ""))),
            "theme" => {
                Completion::of_word(before, &[], self.looks.shelf.names().into_iter().map(|name| option(name, "")))
            }
            "keymap" => Completion::of_word(before, &[], Keymap::presets().map(|name| option(name, ""))),
            _ => Completion::default(),
        }
    }

    /// Words that may begin a line: those with arguments, then commands, those of this place first.
    fn first_words(&self) -> Vec<(String, String)> {
        // A blank behind a word that takes something, so that the next tab is for that.
        let open = |word: &Word| if word.takes.is_empty() { word.name.to_owned() } else { format!("{} ", word.name) };
        let mut found: Vec<(String, String)> = WORDS.iter().map(|word| (open(word), word.doc.to_owned())).collect();
        let here = self.place_contexts();
        let near = |command: &&Command| here.contains(&command.context);
        let commands = TABLE.iter().filter(near).chain(TABLE.iter().filter(|command| !near(command)));
        for command in commands.filter(|command| !matches!(command.context, "dialog" | "prompt")) {
            if !commands::motion(command.verb) && !found.iter().any(|(name, _)| name.trim_end() == command.name) {
                found.push((command.name.to_owned(), command.doc.to_owned()));
            }
        }
        found
    }
}

fn job(number: &str) -> Result<Act, String> {
    number.parse().map(Act::Job).map_err(|_| format!("{number} is no job: a number is expected"))
}

fn unknown(word: &str) -> String {
    let names = TABLE.iter().map(|command| command.name).chain(WORDS.iter().map(|word| word.name));
    format!("no command is called {word}{}", nearest::hint(word, names))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::app::sample::Session;

    fn app() -> App {
        Session::new((80, 24), true).app
    }

    fn names(app: &App, before: &str) -> Vec<String> {
        app.command_candidates(before).options.into_iter().map(|(text, _)| text).collect()
    }

    #[test]
    fn every_command_is_understood_by_its_name() {
        let app = app();
        for command in TABLE {
            let act = app.understand(command.name);
            assert!(matches!(act, Ok(Act::Command(found)) if found.name == command.name), "{}: {act:?}", command.name);
        }
    }

    #[test]
    fn arguments_are_read_and_mistakes_are_named() {
        let app = app();
        let says = |line: &str| app.understand(line).unwrap_err();
        assert_eq!(
            app.understand(" run os-patch  web & !state:offline "),
            Ok(Act::Run { script: "os-patch.sh".into(), target: "web & !state:offline".into() })
        );
        assert_eq!(app.understand("job 12"), Ok(Act::Job(12)));
        assert_eq!(app.understand("12"), Ok(Act::Job(12)));
        assert_eq!(app.understand("device web003"), Ok(Act::Device("lab:web003".into())));
        assert_eq!(app.understand("theme dark"), Ok(Act::Theme("dark".into())));
        assert_eq!(says("jbo 12"), "no command is called jbo; did you mean 'job'?");
        assert_eq!(says("job twelve"), "twelve is no job: a number is expected");
        assert_eq!(says("script disk-use.hs"), "no script is called disk-use.hs; did you mean 'disk-use.sh'?");
        assert_eq!(says("job"), "job what? write job NUMBER");
        assert_eq!(says("redraw now"), "redraw takes nothing behind it");
        assert!(says("keymap dvorak").contains("known: vi"));
        assert_eq!(app.understand("filter ~dsk lang:bash"), Ok(Act::Filter(ListId::Scripts, "~dsk lang:bash".into())));
        assert_eq!(app.understand("sort size"), Ok(Act::Sort(ListId::Scripts, Sort { column: 7, reverse: false })));
        assert_eq!(app.understand("sort size desc"), app.understand("sort size"), "its largest come first anyway");
        assert_eq!(app.understand("sort name desc"), Ok(Act::Sort(ListId::Scripts, Sort { column: 0, reverse: true })));
        assert!(says("filter nme:x").contains("did you mean `name`"));
        assert!(says("filter zzz:x").contains("there is no column `zzz`"));
        assert!(says("sort szie").starts_with("the scripts have no column szie; did you mean 'size'?"));
        assert_eq!(says("sort size down"), "down is no order: write asc or desc, or nothing");
        assert_eq!(says("mode write"), "the mode is write already");
    }

    #[test]
    fn tab_knows_names_and_arguments() {
        let app = app();
        assert_eq!(names(&app, "the"), ["theme "]);
        assert!(names(&app, "theme dr").contains(&"dracula".to_owned()));
        assert!(names(&app, "go-").contains(&"go-jobs".to_owned()));
        assert_eq!(names(&app, "run disk"), ["disk-use.sh"]);
        assert_eq!(names(&app, "run disk-use.sh pr"), ["prod"]);
        assert_eq!(names(&app, "filter la"), ["lang:", "last:"]);
        assert_eq!(names(&app, "filter web lang:py"), ["python3"]);
        assert_eq!(names(&app, "sort si"), ["size"]);
        assert_eq!(names(&app, "sort size d"), ["desc"]);
        assert_eq!(names(&app, "go l"), ["log"]);
        assert_eq!(names(&app, "job 1"), ["12", "11", "10"]);
        assert!(names(&app, "redraw ").is_empty());
    }
}
