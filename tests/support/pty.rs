//! The console as a person meets it: the real binary in a pseudo-terminal, its screen read through a
//! terminal emulator. Waiting means waiting for output, never for time.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use rustix::process::Signal;
use vt100::{Cell, Screen};

use super::home::Home;
use super::verb::BINARY;
use super::{PATIENCE, processes};

/// A terminal with a program in it.
pub struct Console {
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    arriving: Receiver<Vec<u8>>,
    /// What has arrived and is not on the screen yet: frames behind the one that is looked at.
    ahead: Vec<u8>,
    parser: vt100::Parser,
    /// Every byte the program wrote, as far as it is on the screen.
    pub log: Vec<u8>,
    /// Where in the log the last answer was typed.
    answered: usize,
    /// Within a synchronized update: a terminal shows nothing of it before its end.
    drawing: bool,
    /// What it says when a program asks it something.
    answers: Answers,
    asked: usize,
    /// Nothing is taken from the program while this is set.
    stalled: Arc<AtomicBool>,
    status: Option<ExitStatus>,
}

/// What to start, and in what kind of terminal.
pub struct Setup<'a> {
    home: &'a Home,
    rows: u16,
    columns: u16,
    program: Vec<String>,
    environment: Vec<(String, String)>,
    answers: Answers,
}

/// What a kind of terminal is asked, and says. What is not here it does not answer.
pub type Answers = &'static [(&'static [u8], &'static [u8])];

/// How a synchronized update begins and ends, but for the last letter; and its end, when it is shown.
const SYNCHRONIZED: &[u8] = b"\x1b[?2026";
const SHOWN: &[u8] = b"\x1b[?2026l";

/// As xterm does.
const XTERM: Answers = &[
    (b"\x1b[c", b"\x1b[?62;22c"),
    (b"\x1b[0c", b"\x1b[?62;22c"),
    (b"\x1b[?2026$p", b"\x1b[?2026;2$y"),
    (b"\x1b]11;?\x07", b"\x1b]11;rgb:0000/0000/0000\x07"),
    (b"\x1b]11;?\x1b\\", b"\x1b]11;rgb:0000/0000/0000\x1b\\"),
    (b"\x1b[6n", b"\x1b[1;1R"),
];

impl<'a> Setup<'a> {
    pub fn new(home: &'a Home) -> Self {
        Self { home, rows: 24, columns: 80, program: vec![BINARY.to_owned()], environment: Vec::new(), answers: XTERM }
    }

    #[must_use]
    pub fn size(mut self, columns: u16, rows: u16) -> Self {
        (self.columns, self.rows) = (columns, rows);
        self
    }

    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    #[must_use]
    pub fn arguments(mut self, arguments: &[&str]) -> Self {
        self.program.extend(arguments.iter().map(|&word| word.to_owned()));
        self
    }

    /// A terminal that answers no question at all.
    #[must_use]
    pub fn mute(self) -> Self {
        self.answering(&[])
    }

    /// Another kind of terminal.
    #[must_use]
    pub fn answering(mut self, answers: Answers) -> Self {
        self.answers = answers;
        self
    }

    /// Another program than the console.
    #[must_use]
    pub fn program(mut self, program: &str) -> Self {
        self.program = vec![program.to_owned()];
        self
    }

    /// An interactive shell with job control, at its prompt `$ `.
    #[must_use]
    pub fn shell(mut self) -> Self {
        self.program = ["bash", "--norc", "--noprofile", "-i"].map(str::to_owned).to_vec();
        self.env("PS1", "$ ").env("HISTFILE", "/dev/null")
    }

    pub fn start(self) -> Console {
        let pair = native_pty_system().openpty(size(self.columns, self.rows)).expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(&self.program[0]);
        command.args(&self.program[1..]);
        command.env_clear();
        for (name, value) in self.home.environment() {
            command.env(name, value);
        }
        for (name, value) in &self.environment {
            command.env(name, value);
        }
        command.cwd(self.home.work());
        let child = pair.slave.spawn_command(command).expect("the program starts");
        drop(pair.slave); // the last holder of the other end must be the program
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let writer = pair.master.take_writer().expect("a writer");
        let (send, arriving) = mpsc::channel();
        let stalled = Arc::new(AtomicBool::new(false));
        let stall = Arc::clone(&stalled);
        thread::spawn(move || {
            let mut buffer = [0; 64 * 1024];
            let wait = || {
                while stall.load(Ordering::SeqCst) {
                    thread::sleep(Duration::from_millis(1));
                }
            };
            while let Ok(read) = reader.read(&mut buffer) {
                if read == 0 || send.send(buffer[..read].to_vec()).is_err() {
                    return;
                }
                wait();
            }
        });
        Console {
            master: pair.master,
            writer,
            child,
            arriving,
            ahead: Vec::new(),
            parser: vt100::Parser::new(whole(self.rows), whole(self.columns), 0),
            log: Vec::new(),
            answered: 0,
            drawing: false,
            answers: self.answers,
            asked: 0,
            stalled,
            status: None,
        }
    }
}

impl Console {
    /// The console in a terminal of 80x24.
    pub fn start(home: &Home) -> Self {
        Setup::new(home).start()
    }

    pub fn setup(home: &Home) -> Setup<'_> {
        Setup::new(home)
    }

    /// Types, in the notation of the keymap: `gj<enter>`, `<C-p>`, `<A-a>`, `<esc>`.
    pub fn keys(&mut self, keys: &str) {
        let bytes = bytes_of(keys);
        self.send(&bytes);
    }

    /// Types text as it stands.
    pub fn text(&mut self, text: &str) {
        self.send(text.as_bytes());
    }

    /// Pastes, in brackets where the program asked for them.
    pub fn paste(&mut self, text: &str) {
        let bracketed = self.parser.screen().bracketed_paste();
        let bytes = if bracketed { format!("\x1b[200~{text}\x1b[201~") } else { text.to_owned() };
        self.send(bytes.as_bytes());
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.writer.write_all(bytes).expect("the terminal takes input");
        self.writer.flush().expect("the terminal takes input");
    }

    /// A line that takes nothing any more, or takes again.
    pub fn stall(&self, on: bool) {
        self.stalled.store(on, Ordering::SeqCst);
    }

    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.parser.set_size(whole(rows), whole(columns));
        self.master.resize(size(columns, rows)).expect("resize");
    }

    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.process_id().expect("started")).expect("a pid")
    }

    pub fn signal(&self, signal: Signal) {
        processes::signal(self.pid(), signal);
    }

    /// Reads until the screen is so. Every frame is looked at, however late this test is: what was on the screen for a
    /// moment is seen.
    #[track_caller]
    pub fn wait(&mut self, what: &str, so: impl Fn(&Screen) -> bool) {
        let end = Instant::now() + PATIENCE;
        loop {
            if !self.drawing && so(self.parser.screen()) {
                return;
            }
            match self.read(end) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout) => {
                    panic!("not on screen after {PATIENCE:?}: {what}\n{}", self.picture())
                }
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("the program ended before: {what}\n{}\n{}", self.picture(), self.tail())
                }
            }
        }
    }

    /// In a console of lines: waits until it is asked this, since the last answer, and answers. (What is typed before a
    /// question that counts does not answer it.)
    #[track_caller]
    pub fn asks(&mut self, question: &str, answer: &str) {
        self.prints(question);
        self.answered = self.log.len();
        self.text(&format!("{answer}\r"));
    }

    /// In a console of lines: waits until this was printed since the last answer.
    #[track_caller]
    pub fn prints(&mut self, text: &str) {
        let end = Instant::now() + PATIENCE;
        while memchr::memmem::find(&self.log[self.answered..], text.as_bytes()).is_none() {
            let read = self.read(end);
            assert!(read.is_ok(), "not printed since the last answer: {text:?}\n{}", self.picture());
        }
    }

    /// Reads until the text is on the screen.
    #[track_caller]
    pub fn sees(&mut self, text: &str) {
        self.wait(&format!("{text:?}"), |screen| contents(screen).contains(text));
    }

    /// Reads until the text is no longer on the screen.
    #[track_caller]
    pub fn loses(&mut self, text: &str) {
        self.wait(&format!("no {text:?}"), |screen| !contents(screen).contains(text));
    }

    /// Reads what comes within `time`: for what must *not* come.
    pub fn listen(&mut self, time: Duration) -> usize {
        let before = self.log.len();
        let end = Instant::now() + time;
        while Instant::now() < end && self.read(end).is_ok() {}
        self.log.len() - before
    }

    /// Reads until nothing has come for so long: whatever was under way is on the screen.
    #[track_caller]
    pub fn rests(&mut self, time: Duration) {
        let end = Instant::now() + PATIENCE;
        while self.listen(time) > 0 {
            assert!(Instant::now() < end, "it never rests\n{}", self.picture());
        }
    }

    /// The next frame, or what there is of it.
    fn read(&mut self, end: Instant) -> Result<(), RecvTimeoutError> {
        if self.ahead.is_empty() {
            self.ahead = self.arriving.recv_timeout(end.saturating_duration_since(Instant::now()))?;
        }
        // the mark of a frame's end may be cut by the end of a read
        let kept = self.log.len().min(SYNCHRONIZED.len());
        let joined = [&self.log[self.log.len() - kept..], &self.ahead].concat();
        let frame = memchr::memmem::find(&joined, SHOWN).map(|at| at + SHOWN.len() - kept);
        let rest = self.ahead.split_off(frame.unwrap_or(self.ahead.len()));
        let bytes = std::mem::replace(&mut self.ahead, rest);
        self.take(&bytes);
        Ok(())
    }

    fn take(&mut self, bytes: &[u8]) {
        let from = self.log.len().saturating_sub(SYNCHRONIZED.len());
        self.log.extend_from_slice(bytes);
        let last = |mark: &[u8]| memchr::memmem::rfind(&self.log[from..], mark);
        let (begun, ended) = (last(b"\x1b[?2026h"), last(SHOWN));
        self.drawing = if begun.is_some() || ended.is_some() { begun > ended } else { self.drawing };
        self.parser.process(bytes);
        self.answer();
    }

    /// Answers the questions in what has arrived since the last look.
    fn answer(&mut self) {
        // a question may be cut by the end of a read: look a little back, never twice at one place
        let mut at = self.asked;
        while let Some(offset) = self.log[at..].iter().position(|&byte| byte == 0x1b) {
            let rest = &self.log[at + offset..];
            if rest.len() < 12 && self.answers.iter().any(|(asked, _)| asked.starts_with(rest) && *asked != rest) {
                at += offset;
                self.asked = at;
                return;
            }
            if let Some((_, answer)) = self.answers.iter().find(|(asked, _)| rest.starts_with(asked)) {
                let _ = self.writer.write_all(answer);
            }
            at += offset + 1;
        }
        self.asked = self.log.len();
    }

    pub fn screen(&self) -> &Screen {
        self.parser.screen()
    }

    /// The screen as text, a line a row.
    pub fn contents(&self) -> String {
        contents(self.screen())
    }

    pub fn row(&self, row: u16) -> String {
        self.screen().rows(0, self.columns()).nth(usize::from(row)).unwrap_or_default()
    }

    pub fn last_row(&self) -> String {
        self.row(self.screen().size().0.get() - 1)
    }

    fn columns(&self) -> u16 {
        self.screen().size().1.get()
    }

    /// Row and column of the first occurrence.
    pub fn find(&self, text: &str) -> Option<(u16, u16)> {
        self.screen().rows(0, self.columns()).enumerate().find_map(|(row, line)| {
            let byte = line.find(text)?;
            let column = line[..byte].chars().count(); // enough for the narrow text that tests look for
            Some((u16::try_from(row).ok()?, u16::try_from(column).ok()?))
        })
    }

    pub fn cell(&self, row: u16, column: u16) -> &Cell {
        self.screen().cell(row, column).expect("on the screen")
    }

    /// Waits for the end, and reads to the end of the terminal, which comes when nobody holds it any more.
    #[track_caller]
    pub fn exit(&mut self) -> ExitStatus {
        let end = Instant::now() + PATIENCE;
        while self.read(end).is_ok() {}
        processes::eventually("the program in the terminal has ended", || {
            self.status = self.child.try_wait().expect("our own child");
            self.status.is_some()
        });
        self.status.clone().expect("just seen")
    }

    /// Down the list on the left by `j`, until its cursor is on this.
    #[track_caller]
    pub fn goes_down_to(&mut self, name: &str) {
        let marked = |screen: &Screen| {
            let rows = contents(screen);
            let at_the_left = |row: &str| {
                let from = row.char_indices().nth(2)?.0;
                row[from..].strip_prefix("> ")?.split("  ").next().map(str::to_owned)
            };
            rows.lines().skip(1).find_map(at_the_left)
        };
        let mut been = Vec::new();
        loop {
            let on = marked(self.screen());
            if on.as_ref().is_some_and(|on| on.starts_with(name)) {
                return;
            }
            assert!(!been.contains(&on), "{name} is not below: {been:?}\n{}", self.picture());
            self.keys("j");
            // the cursor itself: much else on a screen changes by itself
            self.wait("the cursor moved", |screen| marked(screen) != on);
            been.push(on);
        }
    }

    /// In the launch dialog: arms it by what it asks for once its plan is there, and launches.
    #[track_caller]
    pub fn arms_and_launches(&mut self, typed: &str) {
        self.sees("not armed");
        self.text(typed);
        self.sees("  armed");
        // where the plan was asked for once more meanwhile, enter leads to the button first
        if !focused(self.screen(), "[ Launch ]") {
            self.keys("<enter>");
            self.wait("Launch has the focus", |screen| focused(screen, "[ Launch ]"));
        }
        self.keys("<enter>");
    }

    /// From the overview into the newest job, once it is listed there.
    #[track_caller]
    pub fn opens_job(&mut self, id: u64, script: &str) {
        self.sees(&format!("{id} {script}"));
        self.keys("3<enter>");
        self.sees("Jobs >");
    }

    /// Help opens over whatever is there, and esc closes it before the next key comes.
    #[track_caller]
    pub fn helps(&mut self) {
        self.keys("?");
        self.sees("> Help");
        self.keys("<esc>");
        self.loses("> Help");
    }

    /// Quits by key, and expects a good end.
    #[track_caller]
    pub fn quit(mut self) -> Self {
        self.keys("Q");
        let status = self.exit();
        assert!(status.success(), "{status:?}\n{}", self.tail());
        self
    }

    /// The terminal is as it was found: main screen, cursor shown, no paste brackets, no mouse.
    #[track_caller]
    pub fn is_restored(&self) {
        let screen = self.screen();
        assert!(!screen.alternate_screen(), "still in the alternate screen: {}", self.tail());
        assert!(!screen.hide_cursor(), "the cursor is still hidden: {}", self.tail());
        assert!(!screen.bracketed_paste(), "paste brackets are still on: {}", self.tail());
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None, "the mouse is still on");
    }

    /// Canonical mode with echo, as a shell leaves it to its programs.
    pub fn is_cooked(&self) -> bool {
        self.master.get_termios().is_some_and(|modes| {
            let text = format!("{:?}", modes.local_flags);
            text.contains("ICANON") && text.contains("ECHO")
        })
    }

    fn picture(&self) -> String {
        let (rows, columns) = self.screen().size();
        let line = "-".repeat(usize::from(columns.get()));
        format!("{columns}x{rows}\n{line}\n{}\n{line}", self.contents())
    }

    /// The end of what was written, readable.
    fn tail(&self) -> String {
        let from = self.log.len().saturating_sub(600);
        String::from_utf8_lossy(&self.log[from..]).escape_debug().to_string()
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        if self.status.is_none() && matches!(self.child.try_wait(), Ok(None)) {
            self.signal(Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

/// The screen as text, a line a row.
pub fn contents(screen: &Screen) -> String {
    let columns = screen.size().1.get();
    screen.rows(0, columns).map(|row| row.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// The button is drawn with the cursor's look.
pub fn focused(screen: &Screen, button: &str) -> bool {
    let text = contents(screen);
    // the last one: a sentence above the buttons may name it as well
    let Some((row, line)) = text.lines().enumerate().filter(|(_, line)| line.contains(button)).last() else {
        return false;
    };
    let column = line[..line.rfind(button).expect("just seen")].chars().count() + 2;
    let place = (u16::try_from(row).expect("a row"), u16::try_from(column).expect("a column"));
    screen.cell(place.0, place.1).is_some_and(Cell::inverse)
}

/// Does a file below this folder hold the text?
pub fn any_file_holds(folder: &Path, needle: &[u8]) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    entries.flatten().any(|entry| {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => any_file_holds(&path, needle),
            Ok(kind) if kind.is_file() => {
                std::fs::read(&path).is_ok_and(|bytes| memchr::memmem::find(&bytes, needle).is_some())
            }
            _ => false,
        }
    })
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

fn whole(cells: u16) -> NonZeroU16 {
    NonZeroU16::new(cells).expect("a terminal has cells")
}

/// `<enter>` and the like to what a terminal sends.
fn bytes_of(keys: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = keys;
    while let Some(first) = rest.chars().next() {
        let named = rest.strip_prefix('<').and_then(|inner| inner.split_once('>')).filter(|(name, _)| name.len() > 1);
        match named {
            Some((name, after)) => {
                bytes.extend(named_key(name));
                rest = after;
            }
            None => {
                bytes.extend(first.to_string().bytes());
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    bytes
}

fn named_key(name: &str) -> Vec<u8> {
    let sequence: &[u8] = match name {
        "enter" => b"\r",
        "esc" => b"\x1b",
        "tab" => b"\t",
        "s-tab" => b"\x1b[Z",
        "space" => b" ",
        "bs" => b"\x7f",
        "up" => b"\x1b[A",
        "down" => b"\x1b[B",
        "right" => b"\x1b[C",
        "left" => b"\x1b[D",
        "home" => b"\x1b[H",
        "end" => b"\x1b[F",
        "pgup" => b"\x1b[5~",
        "pgdn" => b"\x1b[6~",
        "del" => b"\x1b[3~",
        "f1" => b"\x1bOP",
        "f2" => b"\x1bOQ",
        "f9" => b"\x1b[20~",
        "lt" => b"<",
        _ => match name.split_once('-') {
            Some(("C", key)) if key.len() == 1 => return vec![key.as_bytes()[0] & 0x1f],
            Some(("A", key)) if key.len() == 1 => return vec![0x1b, key.as_bytes()[0]],
            _ => panic!("a key of that name is not known here: <{name}>"),
        },
    };
    sequence.to_vec()
}
