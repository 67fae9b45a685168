//! `D`: a job as a file for others, or on the terminal's clipboard. Owns the dialog: which format, where to, raw or not,
//! how far it is and what went wrong; what is typed stays until it is done. Refuses to replace a file unasked, and to
//! leave half of one: the client writes it whole or not at all.

use crossterm::event::KeyEvent;

use super::commands::Do;
use super::form::Text;
use super::layers::Next;
use super::notices::Level;
use super::{App, Effect, Layer};
use crate::console::text;
use crate::model::job::{JobId, JobSummary};
use crate::model::report::{Format, Report};

/// Characters of a script's name in that of a file.
const NAME: usize = 40;

#[derive(Debug)]
pub struct Export {
    pub job: JobId,
    pub script: String,
    /// It still runs: what has ended by now is exported.
    pub running: bool,
    pub format: Format,
    pub to: To,
    pub path: Text,
    pub raw: bool,
    pub at: At,
    pub state: State,
    /// Which of this session's exports: another's word is not for this one.
    serial: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    File,
    Clipboard,
}

/// Where the focus is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    Format,
    To,
    Path,
    Raw,
    Cancel,
    Export,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    Asked,
    /// Devices so far, of how many, and bytes.
    Busy {
        devices: usize,
        of: usize,
        bytes: u64,
    },
    /// A file has this name: pressed once more, it is replaced.
    Exists,
    Failed(String),
}

/// What is to be exported, and where to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    pub serial: u64,
    pub job: JobId,
    pub report: Report,
    pub goal: Goal,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goal {
    File { path: String, replace: bool },
    Clipboard,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    File { path: String, devices: usize, bytes: u64 },
    Text(String),
    Exists,
    Failed(String),
}

impl Export {
    pub fn new(job: &JobSummary, format: Format, serial: u64) -> Self {
        Self {
            job: job.id,
            script: job.script.clone(),
            running: !job.state.ended(),
            format,
            to: To::File,
            path: Text::new(&proposed(job, format)),
            raw: false,
            at: At::Format,
            state: State::Asked,
            serial,
        }
    }

    pub const fn busy(&self) -> bool {
        matches!(self.state, State::Busy { .. })
    }

    /// The file has no folder in its name: it comes to lie where the console was begun.
    pub fn lies_here(&self) -> bool {
        self.to == To::File && !self.path.text().trim().starts_with(['/', '~'])
    }

    /// The button that does it.
    pub const fn word(&self) -> &'static str {
        match self.state {
            State::Exists => "Replace",
            _ => "Export",
        }
    }

    /// The fields that there are now, in their order, and the buttons.
    fn stops(&self) -> &'static [At] {
        match self.to {
            To::File => &[At::Format, At::To, At::Path, At::Raw, At::Cancel, At::Export],
            To::Clipboard => &[At::Format, At::To, At::Raw, At::Cancel, At::Export],
        }
    }

    pub fn next(&mut self, forward: bool) {
        let stops = self.stops();
        let at = stops.iter().position(|stop| *stop == self.at).unwrap_or(0);
        let step = if forward { 1 } else { stops.len() - 1 };
        self.at = stops[(at + step) % stops.len()];
    }

    /// Something else is wanted: what was said of the last wish does not hold.
    fn changed(&mut self) {
        self.state = State::Asked;
    }

    /// The next choice of the focused field.
    pub fn cycle(&mut self, forward: bool) {
        match self.at {
            At::Format => {
                let all = Format::ALL;
                let at = all.iter().position(|format| *format == self.format).unwrap_or(0);
                let step = if forward { 1 } else { all.len() - 1 };
                self.choose(all[(at + step) % all.len()]);
            }
            At::To => self.to = if self.to == To::File { To::Clipboard } else { To::File },
            At::Raw => self.raw = !self.raw,
            At::Path | At::Cancel | At::Export => {
                self.next(forward);
                return;
            }
        }
        self.changed();
    }

    /// Another format; a file's name that ended like the last one ends like this one.
    pub fn choose(&mut self, format: Format) {
        let old = format!(".{}", self.format.ending());
        if let Some(stem) = self.path.text().strip_suffix(&old) {
            self.path = Text::new(&format!("{stem}.{}", format.ending()));
        }
        self.format = format;
        self.changed();
    }

    /// Text for the file's name. `true`: used up.
    pub fn key(&mut self, key: &KeyEvent) -> bool {
        let used = self.at == At::Path && !self.busy() && self.path.key(key);
        if used {
            self.changed();
        }
        used
    }

    /// `false`: nothing here takes a text.
    pub fn paste(&mut self, text: &str) -> bool {
        if self.busy() || self.to == To::Clipboard {
            return false;
        }
        self.path.paste(text);
        self.at = At::Path;
        self.changed();
        true
    }

    /// The same in the shell.
    pub fn command_line(&self) -> String {
        let raw = if self.raw { " --raw" } else { "" };
        let file = match self.to {
            To::File => shlex::try_quote(self.path.text().trim())
                .map_or_else(|_| String::new(), |path| format!(" --output {path}")),
            To::Clipboard => String::new(),
        };
        format!("quarterdeck export {} --format {}{raw}{file}", self.job, self.format.word())
    }

    fn wish(&self) -> Option<Wish> {
        let report = Report::new(self.format, self.raw, &[]).ok()?;
        let path = self.path.text().trim();
        let goal = match self.to {
            To::File if path.is_empty() => return None,
            To::File => Goal::File { path: path.to_owned(), replace: self.state == State::Exists },
            To::Clipboard => Goal::Clipboard,
        };
        Some(Wish { serial: self.serial, job: self.job, report, goal })
    }
}

/// `job-12-disk-use.md`: of the script's name only what every file system and shell takes as it is.
fn proposed(job: &JobSummary, format: Format) -> String {
    let name = job.script.rsplit('/').next().unwrap_or_default();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '-' };
    let stem: String = stem.chars().map(plain).take(NAME).collect();
    let stem = stem.trim_matches('-');
    let dash = if stem.is_empty() { "" } else { "-" };
    format!("job-{}{dash}{stem}.{}", job.id, format.ending())
}

impl App {
    /// The dialog for the job that is looked at; the format is that of the last export.
    pub(super) fn open_export(&mut self) {
        self.exports.serial += 1;
        let (format, serial) = (self.exports.format, self.exports.serial);
        let Some(job) = self.job_here() else { return };
        let export = Export::new(job, format, serial);
        self.layers.push(Layer::Export(Box::new(export)));
    }

    pub(super) fn in_export(&mut self, export: &mut Export, verb: Do, effects: &mut Vec<Effect>) -> Next {
        let out = matches!(verb, Do::Cancel | Do::Back | Do::QuitOrBack);
        match verb {
            _ if out && export.busy() => {
                effects.push(Effect::StopExport(export.serial));
                self.hint = Some(format!("the export of job {} was given up: nothing is left of it", export.job));
                return Next::Close;
            }
            _ if out => return self.nothing_exported(),
            _ if export.busy() => {}
            Do::NextField | Do::Down => export.next(true),
            Do::PreviousField | Do::Up => export.next(false),
            Do::Toggle | Do::Expand | Do::Collapse => export.cycle(verb != Do::Collapse),
            Do::Accept | Do::Open => match export.at {
                At::Cancel => return self.nothing_exported(),
                At::Export => match export.wish() {
                    Some(wish) => {
                        self.exports.format = export.format;
                        export.state = State::Busy { devices: 0, of: 0, bytes: 0 };
                        effects.push(Effect::Export(Box::new(wish)));
                    }
                    None => {
                        export.at = At::Path;
                        export.state = State::Failed("give the file a name".into());
                    }
                },
                _ => export.at = At::Export,
            },
            _ => {}
        }
        Next::Stay
    }

    fn nothing_exported(&mut self) -> Next {
        self.hint = Some("nothing exported".into());
        Next::Close
    }

    fn export_of(&mut self, serial: u64) -> Option<&mut Export> {
        self.layers.iter_mut().find_map(|layer| match layer {
            Layer::Export(export) if export.serial == serial => Some(&mut **export),
            _ => None,
        })
    }

    pub(super) fn exporting(&mut self, serial: u64, (devices, of, bytes): (usize, usize, u64)) {
        if let Some(export) = self.export_of(serial).filter(|export| export.busy()) {
            export.state = State::Busy { devices, of, bytes };
        }
    }

    pub(super) fn exported(&mut self, serial: u64, done: Done, effects: &mut Vec<Effect>) {
        let Some(export) = self.export_of(serial).filter(|export| export.busy()) else { return };
        let (job, word) = (export.job, export.format.word());
        match done {
            Done::Exists => {
                export.state = State::Exists;
                export.at = At::Cancel;
                return;
            }
            Done::Failed(why) => {
                export.state = State::Failed(why);
                return;
            }
            Done::File { path, devices, bytes } => {
                let devices = text::number(devices as u64, "device");
                let said = format!("{}: job {job} as {word}, {devices}, {}", text::plain(&path), text::bytes(bytes));
                self.say(Level::Info, said);
            }
            Done::Text(report) => self.copy(&format!("{word} of job {job}"), report, effects),
        }
        self.layers.retain(|layer| !matches!(layer, Layer::Export(export) if export.serial == serial));
    }
}

/// What is remembered of exports for the next one.
#[derive(Debug)]
pub struct Exports {
    pub format: Format,
    pub serial: u64,
}

impl Default for Exports {
    /// What is handed on most is a page for the ticket.
    fn default() -> Self {
        Self { format: Format::Md, serial: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::app::Event;
    use crate::console::app::sample::Session;

    fn open(session: &Session) -> Option<&Export> {
        session.app.layers.iter().find_map(|layer| match layer {
            Layer::Export(export) => Some(&**export),
            _ => None,
        })
    }

    fn wishes(session: &mut Session) -> Vec<Wish> {
        let wish = |effect| match effect {
            Effect::Export(wish) => Some(*wish),
            _ => None,
        };
        std::mem::take(&mut session.sent).into_iter().filter_map(wish).collect()
    }

    #[test]
    fn from_jobs_live_and_groups_the_page_for_the_ticket_is_two_enters_away() {
        for keys in ["3D", "3<enter>D", "3uD"] {
            let mut session = Session::new((80, 24), true);
            session.keys(keys).keys("<enter><enter>");
            let wish = wishes(&mut session).pop().expect(keys);
            assert_eq!((wish.job, wish.report.format, wish.report.raw), (12, Format::Md, false), "{keys}");
            assert_eq!(wish.goal, Goal::File { path: "job-12-disk-use.md".into(), replace: false });
            session.tell(Event::Exporting { serial: wish.serial, devices: 40, of: 412, bytes: 3000 });
            assert!(session.screen().contains("40 of 412 devices"), "{}", session.screen());
            let done = Done::File { path: "/home/ops/job-12-disk-use.md".into(), devices: 412, bytes: 9000 };
            session.tell(Event::Exported { serial: wish.serial, done });
            assert!(open(&session).is_none());
            assert!(session.screen().contains("job 12 as md, 412 devices"), "{}", session.screen());
        }
    }

    #[test]
    fn another_format_is_remembered_and_the_name_s_ending_follows_it_but_not_one_that_was_typed() {
        let mut session = Session::new((80, 24), true);
        session.keys("3D<right><enter>");
        assert_eq!(open(&session).unwrap().path.text(), "job-12-disk-use.xml");
        assert_eq!(
            open(&session).unwrap().command_line(),
            "quarterdeck export 12 --format junit --output job-12-disk-use.xml"
        );
        session.keys("<enter><esc>D");
        assert_eq!(open(&session).unwrap().format, Format::Junit);
        session.keys("<tab><tab><C-u>/tmp/x.log<S-tab><S-tab> ");
        let export = open(&session).unwrap();
        assert_eq!((export.format, export.path.text()), (Format::Csv, "/tmp/x.log"));
    }

    #[test]
    fn a_file_that_is_there_is_replaced_only_when_asked_once_more_and_another_name_asks_anew() {
        let mut session = Session::new((80, 24), true);
        session.keys("3D<enter><enter>");
        let wish = wishes(&mut session).pop().unwrap();
        session.tell(Event::Exported { serial: wish.serial, done: Done::Exists });
        assert!(session.screen().contains("exists already") && session.screen().contains("[ Replace ]"));
        // Cancel has the focus: enter alone replaces nothing
        session.keys("<tab><enter>");
        let replace = |wish: Wish| matches!(wish.goal, Goal::File { replace: true, .. });
        assert!(wishes(&mut session).pop().is_some_and(replace));
        session.tell(Event::Exported { serial: wish.serial, done: Done::Exists });
        session.keys("<S-tab><S-tab>x<enter><enter>");
        assert!(wishes(&mut session).pop().is_some_and(|wish| !replace(wish)));
    }

    #[test]
    fn what_went_wrong_stands_in_the_dialog_and_what_was_typed_stays() {
        let mut session = Session::new((80, 24), true);
        session.keys("3D<enter><enter>");
        let serial = wishes(&mut session).pop().unwrap().serial;
        let why = "cannot write job-12-disk-use.md: No space left on device (os error 28); nothing was written";
        session.tell(Event::Exported { serial, done: Done::Failed(why.into()) });
        let screen = session.screen();
        assert!(screen.contains("No space left on device") && screen.contains("job-12-disk-use.md"), "{screen}");
        session.keys("<S-tab><S-tab><S-tab><C-u><tab><tab><tab><enter>");
        assert!(session.screen().contains("give the file a name"), "{}", session.screen());
    }

    #[test]
    fn esc_gives_an_export_up_and_its_late_word_is_nobody_s() {
        let mut session = Session::new((80, 24), true);
        session.keys("3D<enter><enter>");
        let serial = wishes(&mut session).pop().unwrap().serial;
        session.keys("<esc>");
        assert!(session.sent.contains(&Effect::StopExport(serial)) && open(&session).is_none());
        session.keys("D");
        session.tell(Event::Exported { serial, done: Done::Exists });
        assert_eq!(open(&session).unwrap().state, State::Asked);
    }

    #[test]
    fn to_the_clipboard_no_name_is_asked_and_the_text_is_copied() {
        let mut session = Session::new((80, 24), true);
        session.keys("3D<tab><right><tab><tab><tab><enter>");
        let wish = wishes(&mut session).pop().expect("format, to, raw, cancel, export");
        assert_eq!(wish.goal, Goal::Clipboard);
        session.tell(Event::Exported { serial: wish.serial, done: Done::Text("# Job 12".into()) });
        assert!(session.sent.contains(&Effect::Copy("# Job 12".into())) && open(&session).is_none());
    }

    #[test]
    fn the_proposed_name_holds_nothing_that_a_shell_would_take_apart() {
        let mut job = crate::console::app::sample::job(7, &[]).summary;
        for (script, name) in [
            ("web/fix it;rm -rf.sh", "job-7-fix-it-rm--rf.csv"),
            ("\u{1b}[31mx.py", "job-7-31mx.csv"),
            ("…", "job-7.csv"),
            ("plain", "job-7-plain.csv"),
        ] {
            job.script = script.into();
            assert_eq!(proposed(&job, Format::Csv), name, "{script:?}");
        }
    }
}
