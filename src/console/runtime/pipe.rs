//! Outputs handed to the operator's own programs: a shell command whose output is read here, the pager, a file. Bytes
//! stream, nothing is gathered; a program that does not read holds the stream up and nobody else. What only a
//! terminal would show is made safe first; what a program reads is as it was.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::StreamExt;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::sync::mpsc::Sender;
use tokio_util::sync::CancellationToken;

use super::engine::Told;
use crate::client::{Asked, Client, ClientError};
use crate::console::app::Event;
use crate::console::app::event::Feed;
use crate::console::text;
use crate::model::job::JobId;
use crate::model::output::{Line, Place, Seek, Which};
use crate::model::search::Pattern;

/// Lines asked for at a time.
const PAGE: usize = 2_000;

/// Entries of the audit log that are shown.
const ENTRIES: usize = 5_000;

/// A piece of a command's output on its way to the screen.
const PIECE: usize = 64 * 1024;

/// Between two pieces, so that a flood costs no more frames than a trickle.
const PAUSE: Duration = Duration::from_millis(30);

/// Between two words about how far a file is.
const PROGRESS: Duration = Duration::from_millis(500);

/// Why a feed ended early.
enum Broken {
    Engine(ClientError),
    /// Whoever read it went away; not every program reads to the end.
    Reader(io::Error),
}

impl From<ClientError> for Broken {
    fn from(error: ClientError) -> Self {
        Self::Engine(error)
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Reader(error)
    }
}

/// The text, to its end; `safe`: nothing in it drives a terminal. Tells how many lines were cut.
async fn pour(
    client: Option<&Client>,
    feed: &Feed,
    safe: bool,
    to: &mut (impl AsyncWrite + Unpin),
) -> Result<u64, Broken> {
    let mut cut = 0;
    let there = || {
        let (doing, why) = ("reading output".to_owned(), "no engine answers".to_owned());
        client.ok_or(Broken::Engine(ClientError::Lost { doing, why }))
    };
    match feed {
        Feed::Text(text) => to.write_all(text.as_bytes()).await?,
        Feed::Outputs { job, runs, which, pattern } => {
            let client = there()?;
            let names: Vec<String> = client.job(*job).await?.runs.into_iter().map(|run| run.name).collect();
            for run in runs {
                let asked = asked(*job, Some(*run), *which, pattern.as_ref());
                cut += pages(client, asked, &names, safe, to).await?;
            }
        }
        Feed::Output { job, run, which, pattern } => {
            let client = there()?;
            if let (Some(run), None) = (run, pattern) {
                let mut bytes = client.output(*job, *run, *which, false).await?;
                let mut lines = SafeLines::default();
                while let Some(chunk) = bytes.next().await {
                    let chunk = chunk?;
                    if safe {
                        to.write_all(lines.push(&chunk).as_bytes()).await?;
                    } else {
                        to.write_all(&chunk).await?;
                    }
                }
                to.write_all(lines.end().as_bytes()).await?;
            } else {
                let names: Vec<String> = match run {
                    Some(_) => Vec::new(),
                    None => client.job(*job).await?.runs.into_iter().map(|run| run.name).collect(),
                };
                cut += pages(client, asked(*job, *run, *which, pattern.as_ref()), &names, safe, to).await?;
            }
        }
    }
    to.flush().await?;
    Ok(cut)
}

fn asked(job: JobId, run: Option<u32>, which: Which, pattern: Option<&Pattern>) -> Asked<'_> {
    Asked { job, run, which, seek: Seek::Start, before: 0, count: PAGE, pattern }
}

/// Page by page from the start; with names, each line begins with its device's. Tells how many lines were cut.
async fn pages(
    client: &Client,
    mut asked: Asked<'_>,
    names: &[String],
    safe: bool,
    to: &mut (impl AsyncWrite + Unpin),
) -> Result<u64, Broken> {
    let mut cut = 0;
    loop {
        let window = client.window(&asked).await?;
        if window.matching.is_some_and(|matching| !matching.done) {
            continue; // every question takes the search a step further
        }
        let mut page = String::new();
        for line in &window.lines {
            cut += u64::from(line.cut > 0);
            write(line, names, safe, &mut page);
        }
        to.write_all(page.as_bytes()).await?;
        match window.lines.last() {
            Some(last) if !window.ends => {
                asked.seek = Seek::Around(Place { line: last.number + 1, ..last.place() });
            }
            _ => return Ok(cut),
        }
    }
}

fn write(line: &Line, names: &[String], safe: bool, page: &mut String) {
    if let Some(name) = names.get(line.run as usize) {
        page.push_str(&text::plain(name));
        page.push_str(": ");
    }
    if safe {
        page.push_str(&text::plain(&line.text));
    } else {
        page.push_str(&line.text);
    }
    if line.cut > 0 {
        page.push_str(&format!(" [{} more]", text::bytes(line.cut)));
    }
    page.push('\n');
}

/// Lines made safe, whatever pieces they come in.
#[derive(Default)]
struct SafeLines(Vec<u8>);

impl SafeLines {
    /// A longer line is shown in pieces.
    const LONG: usize = 60 * 1024;

    fn push(&mut self, bytes: &[u8]) -> String {
        let mut shown = String::new();
        self.0.extend_from_slice(bytes);
        let mut from = 0;
        while let Some(at) = memchr::memchr(b'\n', &self.0[from..]) {
            for piece in self.0[from..from + at].chunks(Self::LONG) {
                shown.push_str(&text::plain(&String::from_utf8_lossy(piece)));
            }
            shown.push('\n');
            from += at + 1;
        }
        self.0.drain(..from);
        if self.0.len() > Self::LONG {
            shown.push_str(&text::plain(&String::from_utf8_lossy(&std::mem::take(&mut self.0))));
        }
        shown
    }

    fn end(&mut self) -> String {
        if self.0.is_empty() {
            return String::new();
        }
        text::plain(&String::from_utf8_lossy(&std::mem::take(&mut self.0))) + "\n"
    }
}

/// The last entries of the audit log, the newest first; and how many there are.
pub async fn audit(client: Option<Client>) -> (String, String) {
    let Some(client) = client else { return (String::new(), "no engine answers".to_owned()) };
    let (mut from, mut last, mut count) = (Some(0), VecDeque::new(), 0_u64);
    while let Some(offset) = from {
        let page = match client.audit(offset, None).await {
            Ok(page) => page,
            Err(error) => return (String::new(), error.to_string()),
        };
        from = page.next;
        count += page.entries.len() as u64;
        for entry in page.entries {
            last.push_front(text::plain(&entry.words()));
            last.truncate(ENTRIES);
        }
    }
    let text = last.into_iter().map(|line| line + "\n").collect();
    (text, format!("{} entries, the newest first", text::count(count)))
}

/// A child with everything it started: gone when this is dropped.
struct Group(Child);

impl Group {
    fn kill(&self) {
        let pid = self.0.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid {
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Runs a shell command on the text; what it prints comes piece by piece, its end last.
pub async fn command(
    client: Option<Client>,
    serial: u64,
    command: String,
    feed: Feed,
    stop: CancellationToken,
    results: Sender<Told>,
) {
    let tell = async |text: String, ended: Option<String>| {
        let _ = results.send(Told::Event(Box::new(Event::Piped { serial, text, ended }))).await;
    };
    let child = Command::new("/bin/sh")
        .arg("-c")
        .arg(&command)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn();
    let mut group = match child {
        Ok(child) => Group(child),
        Err(error) => return tell(String::new(), Some(format!("the shell could not be started: {error}"))).await,
    };
    let (Some(mut stdin), Some(mut out), Some(mut err)) =
        (group.0.stdin.take(), group.0.stdout.take(), group.0.stderr.take())
    else {
        return;
    };
    let feeding = async {
        let poured = pour(client.as_ref(), &feed, false, &mut stdin).await;
        drop(stdin); // the end of the text is the end of its input
        poured
    };
    let reading = async {
        let (mut out_piece, mut err_piece) = (vec![0; PIECE], vec![0; PIECE]);
        let (mut out_open, mut err_open) = (true, true);
        let mut held = [Vec::new(), Vec::new()];
        while out_open || err_open {
            let text = tokio::select! {
                got = read(&mut out, &mut out_piece), if out_open => take(got, &out_piece, &mut out_open, &mut held[0]),
                got = read(&mut err, &mut err_piece), if err_open => take(got, &err_piece, &mut err_open, &mut held[1]),
            };
            if !text.is_empty() {
                tell(text, None).await;
                tokio::time::sleep(PAUSE).await;
            }
        }
    };
    let both = async { tokio::join!(feeding, reading).0 };
    let poured = tokio::select! {
        poured = both => poured,
        () = stop.cancelled() => {
            group.kill();
            let _ = group.0.wait().await;
            return tell(String::new(), Some("stopped".to_owned())).await;
        }
    };
    let mut how = match group.0.wait().await {
        Ok(status) => match status.code() {
            Some(code) => format!("exit {code}"),
            None => "ended by a signal".to_owned(),
        },
        Err(error) => format!("its end is not known: {error}"),
    };
    match poured {
        Ok(0) => {}
        Ok(cut) => how.push_str(&format!("; {cut} long lines were cut")),
        Err(Broken::Engine(error)) => how.push_str(&format!("; it did not get everything: {error}")),
        Err(Broken::Reader(_)) => how.push_str("; it did not read everything"),
    }
    tell(String::new(), Some(how)).await;
}

async fn read(from: &mut (impl AsyncRead + Unpin), piece: &mut [u8]) -> io::Result<usize> {
    from.read(piece).await
}

/// The text of a piece; the beginning of a character waits for the rest of it.
fn take(got: io::Result<usize>, piece: &[u8], open: &mut bool, held: &mut Vec<u8>) -> String {
    let got = got.unwrap_or(0);
    *open = got > 0;
    held.extend_from_slice(&piece[..got]);
    let whole = match std::str::from_utf8(held) {
        Err(error) if *open && error.error_len().is_none() => error.valid_up_to(),
        _ => held.len(),
    };
    let rest = held.split_off(whole);
    String::from_utf8_lossy(&std::mem::replace(held, rest)).into_owned()
}

/// Shows the text in the pager, which has the terminal meanwhile. Tells what went wrong.
pub async fn pager(client: Option<Client>, command: Option<&str>, feed: Feed) -> Option<String> {
    let command = command.filter(|command| !command.trim().is_empty()).unwrap_or("less -R");
    let Some(words) = shlex::split(command) else {
        return Some(format!("the pager `{command}` has a quote that is not closed; set PAGER"));
    };
    let (program, arguments) = words.split_first()?;
    let child = Command::new(program).args(arguments).stdin(Stdio::piped()).spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => return Some(format!("`{program}` could not be started: {error}; set PAGER")),
    };
    let mut stdin = child.stdin.take()?;
    let pouring = async {
        let poured = pour(client.as_ref(), &feed, true, &mut stdin).await;
        drop(stdin);
        match poured {
            Err(Broken::Engine(error)) => Some(error.to_string()),
            // left before the end, as one does
            Err(Broken::Reader(_)) | Ok(_) => None,
        }
    };
    // a pager that ends does not wait for the rest of the text
    let (mut problem, mut ended) = (None, None);
    {
        tokio::pin!(pouring);
        tokio::select! {
            broken = &mut pouring => problem = broken,
            status = child.wait() => ended = Some(status),
        }
    }
    let status = match ended {
        Some(status) => status,
        None => child.wait().await,
    };
    match status {
        Ok(status) if status.success() => problem,
        Ok(status) => Some(format!("`{program}` ended with {status}")),
        Err(error) => Some(format!("`{program}`: {error}")),
    }
}

/// Bytes on their way somewhere, counted.
struct Counted<W> {
    to: W,
    so_far: Arc<AtomicU64>,
}

impl<W: AsyncWrite + Unpin> AsyncWrite for Counted<W> {
    fn poll_write(mut self: Pin<&mut Self>, with: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.to).poll_write(with, bytes);
        if let Poll::Ready(Ok(n)) = &written {
            self.so_far.fetch_add(*n as u64, Ordering::Relaxed);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, with: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.to).poll_flush(with)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, with: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.to).poll_shutdown(with)
    }
}

/// Writes the text to a new file; says how far it is while that takes a while, and at last how it went. Belongs to no
/// engine: one that is lost on the way is part of what is said.
pub async fn save_and_say(client: Option<Client>, path: PathBuf, feed: Feed, results: Sender<Told>) {
    let so_far = Arc::new(AtomicU64::new(0));
    let saving = save(client, path.clone(), feed, Arc::clone(&so_far));
    tokio::pin!(saving);
    let done = loop {
        tokio::select! {
            done = &mut saving => break done,
            () = tokio::time::sleep(PROGRESS) => {
                let said = Event::Saving { path: path.display().to_string(), bytes: so_far.load(Ordering::Relaxed) };
                let _ = results.send(Told::Event(Box::new(said))).await;
            }
        }
    };
    let _ = results.send(Told::Event(Box::new(Event::Handed(done)))).await;
}

async fn save(client: Option<Client>, path: PathBuf, feed: Feed, so_far: Arc<AtomicU64>) -> Result<String, String> {
    let shown = path.display().to_string();
    let file = tokio::fs::OpenOptions::new().write(true).create_new(true).open(&path).await;
    let file = file.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => format!("{shown} exists already: choose another name; nothing was written"),
        _ => format!("{shown} could not be written: {error}"),
    })?;
    let mut sink = Counted { to: tokio::io::BufWriter::new(file), so_far: Arc::clone(&so_far) };
    let poured = pour(client.as_ref(), &feed, false, &mut sink).await;
    let size = text::bytes(so_far.load(Ordering::Relaxed));
    match poured {
        Ok(0) => Ok(format!("saved to {shown}, {size}")),
        Ok(cut) => Ok(format!("saved to {shown}, {size}; {cut} long lines were cut")),
        Err(Broken::Engine(error)) => Err(format!("{shown} is not whole: {error}")),
        Err(Broken::Reader(error)) => Err(format!("{shown} is not whole: {error}")),
    }
}

/// The text itself, if it is no longer than this.
pub async fn gather(client: Option<Client>, feed: Feed, most: usize) -> Result<String, String> {
    let (mut to, mut from) = tokio::io::duplex(PIECE);
    let pouring = async {
        let poured = pour(client.as_ref(), &feed, true, &mut to).await;
        drop(to);
        poured
    };
    let mut bytes = Vec::new();
    let reading = async {
        let mut limited = (&mut from).take(most as u64 + 1);
        limited.read_to_end(&mut bytes).await
    };
    tokio::select! {
        biased;
        read = reading => {
            read.map_err(|error| error.to_string())?;
        }
        Err(Broken::Engine(error)) = pouring => return Err(error.to_string()),
    }
    if bytes.len() > most {
        let most = text::bytes(most as u64);
        return Err(format!("this output is longer than the {most} that a terminal takes; save it to a file instead"));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_saved_is_whole_and_replaces_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.txt");
        let feed = Feed::Text("one\ntwo\n".into());
        let (results, mut told) = tokio::sync::mpsc::channel(8);
        save_and_say(None, path.clone(), feed.clone(), results.clone()).await;
        save_and_say(None, path.clone(), feed, results).await;
        let mut said = || match told.try_recv() {
            Ok(Told::Event(event)) => *event,
            _ => panic!("nothing was said"),
        };
        assert!(matches!(said(), Event::Handed(Ok(how)) if how.contains("8 B")));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\ntwo\n");
        assert!(matches!(said(), Event::Handed(Err(why)) if why.contains("exists already")));
    }

    #[tokio::test]
    async fn what_is_too_long_to_copy_is_refused() {
        let feed = Feed::Text("x".repeat(1000));
        assert_eq!(gather(None, feed.clone(), 1000).await.unwrap().len(), 1000);
        assert!(gather(None, feed, 999).await.is_err());
    }

    #[tokio::test]
    async fn a_command_reads_the_text_and_its_output_comes_back() {
        let (results, mut told) = tokio::sync::mpsc::channel(8);
        let text = "line\n".repeat(100_000);
        tokio::spawn(command(
            None,
            7,
            "wc -l; echo late >&2".into(),
            Feed::Text(text),
            CancellationToken::new(),
            results,
        ));
        let (mut shown, mut end) = (String::new(), None);
        while let Some(Told::Event(event)) = told.recv().await {
            if let Event::Piped { serial: 7, text, ended } = *event {
                shown.push_str(&text);
                end = ended;
            }
        }
        assert!(shown.contains("100000") && shown.contains("late"), "{shown}");
        assert_eq!(end.as_deref(), Some("exit 0"));
    }

    #[tokio::test]
    async fn a_command_that_never_ends_is_stopped() {
        let (results, mut told) = tokio::sync::mpsc::channel(8);
        let stop = CancellationToken::new();
        tokio::spawn(command(
            None,
            7,
            "echo here; sleep 1000 & wait".into(),
            Feed::Text(String::new()),
            stop.clone(),
            results,
        ));
        let mut end = None;
        while let Some(Told::Event(event)) = told.recv().await {
            stop.cancel();
            if let Event::Piped { ended, .. } = *event {
                end = ended;
            }
        }
        assert_eq!(end.as_deref(), Some("stopped"));
    }

    #[test]
    fn lines_for_the_pager_are_safe_however_they_were_cut() {
        let mut lines = SafeLines::default();
        let shown = lines.push(b"a\x1b]0;x") + &lines.push(b"\x07b\nc") + &lines.end();
        assert!(!shown.contains(|c: char| c.is_control() && c != '\n'), "{shown:?}");
        assert!(shown.ends_with("c\n"));
    }
}
