//! Real child processes.

use std::sync::{Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use super::*;
use crate::connectors::{Gate, Payload};
use crate::model::secret::Secret;

#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Told>>);

#[derive(Default)]
struct Told {
    out: Vec<u8>,
    err: Vec<u8>,
    /// Both, in the order in which they were passed on.
    all: Vec<u8>,
    full_after: Option<usize>,
    started: Option<tokio::sync::oneshot::Sender<()>>,
}

impl RunSink for Seen {
    fn started(&mut self) {}

    fn output(&mut self, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let into = if stream == Stream::Out { &mut told.out } else { &mut told.err };
        into.extend_from_slice(bytes);
        told.all.extend_from_slice(bytes);
        let total = told.out.len();
        if told.full_after.is_some_and(|limit| total > limit) {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        if let Some(started) = told.started.take() {
            let _ = started.send(());
        }
        Ok(())
    }

    fn attempt(&mut self, _why: &str) {}
}

struct Case {
    _folder: tempfile::TempDir,
    order: Order,
    seen: Seen,
}

fn case(script: &str, args: &[&str]) -> Case {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("script");
    std::fs::write(&path, script).unwrap();
    let interpreter = vec!["/bin/sh".to_owned()];
    let order = Order {
        device: Arc::new(Device::new("local", "local")),
        job: Some(7),
        script: Arc::new(Payload { name: "script".into(), bytes: Vec::new(), path, interpreter, variables: false }),
        args: Arc::new(args.iter().map(|arg| (*arg).to_owned()).collect()),
        arguments: Arc::default(),
        secrets: Arc::default(),
        options: Arc::default(),
        caller: Arc::default(),
        timeout: None,
        cancel: CancellationToken::new(),
        gate: Gate::default(),
    };
    Case { _folder: folder, order, seen: Seen::default() }
}

impl Case {
    async fn run(&self) -> Outcome {
        let local = Local::new("local", Path::new("/"), &Arc::new(Guard::none()));
        local.launch(self.order.clone(), Box::new(self.seen.clone())).await
    }

    fn out(&self) -> String {
        String::from_utf8_lossy(&self.seen.0.lock().unwrap().out).into_owned()
    }

    fn err(&self) -> String {
        String::from_utf8_lossy(&self.seen.0.lock().unwrap().err).into_owned()
    }

    /// Resolves when the script has printed something.
    fn spoken(&self) -> tokio::sync::oneshot::Receiver<()> {
        let (tell, told) = tokio::sync::oneshot::channel();
        self.seen.0.lock().unwrap().started = Some(tell);
        told
    }
}

/// Whether it lives on. A killed process is a moment in dying: that long it is looked at again.
fn alive(pid: &str) -> bool {
    let until = std::time::Instant::now() + Duration::from_secs(10);
    while breathing(pid) {
        if std::time::Instant::now() > until {
            return true;
        }
        std::thread::yield_now();
    }
    false
}

fn breathing(pid: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or_default().trim_start().starts_with('Z'))
}

#[tokio::test]
async fn stdout_and_stderr_come_apart_and_the_exit_code_is_told() {
    let case = case("echo out; echo err >&2; exit 7", &[]);
    let outcome = case.run().await;
    assert_eq!((outcome.state, outcome.exit_code), (RunState::Failed, Some(7)));
    assert_eq!((case.out().as_str(), case.err().as_str()), ("out\n", "err\n"));
}

#[tokio::test]
async fn what_was_printed_first_comes_first_and_no_line_is_cut() {
    // written in blocks, so most looks at it end within a line
    let case = case("seq -f 'step %.0f is done' 1 20000; echo now stderr >&2", &[]);
    assert_eq!(case.run().await.state, RunState::Ok);
    let all = String::from_utf8(case.seen.0.lock().unwrap().all.clone()).unwrap();
    assert!(all.ends_with("step 20000 is done\nnow stderr\n"), "{}", &all[all.len() - 200..]);
}

#[tokio::test]
async fn arguments_reach_the_script_untouched_by_any_shell() {
    let case = case("printf '%s|' \"$@\"", &["a b", "$(id)", "'", "*", ""]);
    assert_eq!(case.run().await.state, RunState::Ok);
    assert_eq!(case.out(), "a b|$(id)|'|*||");
}

#[tokio::test]
async fn secrets_arrive_on_stdin_and_are_not_in_argv() {
    let mut case = case("read -r one; read -r two; echo \"$one+$two\"; tr '\\0' ' ' < /proc/$$/cmdline", &[]);
    case.order.secrets = Arc::new(vec![Secret::new("first"), Secret::new("second")]);
    assert_eq!(case.run().await.state, RunState::Ok);
    assert!(case.out().starts_with("first+second\n"));
    assert_eq!(case.out().matches("first").count(), 1);
}

#[tokio::test]
async fn a_timeout_ends_the_whole_group() {
    let mut case = case("sleep 1000 & echo $!; wait", &[]);
    case.order.timeout = Some(Duration::from_millis(300));
    assert_eq!(case.run().await.state, RunState::Timeout);
    assert!(!alive(&case.out()), "the script's child outlived it");
}

#[tokio::test]
async fn cancelling_ends_the_whole_group() {
    let case = case("sleep 1000 & echo $!; wait", &[]);
    let spoken = case.spoken();
    let (outcome, ()) = tokio::join!(case.run(), async {
        spoken.await.unwrap();
        case.order.cancel.cancel();
    });
    assert_eq!(outcome.state, RunState::Cancelled);
    assert!(!alive(&case.out()));
}

#[tokio::test]
async fn a_process_that_closed_its_output_is_still_waited_for() {
    let case = case("exec >&- 2>&-; exit 3", &[]);
    assert_eq!(case.run().await.exit_code, Some(3));
}

#[tokio::test]
async fn a_signal_is_told_by_name() {
    let outcome = case("kill -SEGV $$", &[]).run().await;
    assert_eq!((outcome.state, outcome.signal.as_deref()), (RunState::Failed, Some("SEGV")));
}

#[tokio::test]
async fn a_missing_interpreter_is_named() {
    let mut case = case("", &[]);
    let script = Payload {
        name: "x".into(),
        bytes: Vec::new(),
        path: case.order.script.path.clone(),
        interpreter: vec!["/no/such/interpreter".into()],
        variables: false,
    };
    case.order.script = Arc::new(script);
    let outcome = case.run().await;
    assert!(outcome.reason.unwrap().contains("/no/such/interpreter"));
}

#[tokio::test]
async fn a_full_disk_ends_the_run() {
    let case = case("while :; do echo xxxxxxxxxxxxxxxxxxxxxxxx; done", &[]);
    case.seen.0.lock().unwrap().full_after = Some(100_000);
    assert_eq!(case.run().await.state, RunState::Failed);
}

#[tokio::test]
async fn cancelled_while_waiting_for_its_turn() {
    let mut case = case("echo never", &[]);
    case.order.gate = Gate(Some(Arc::new(tokio::sync::Semaphore::new(0))), None);
    case.order.cancel.cancel();
    assert_eq!(case.run().await.state, RunState::Cancelled);
    assert_eq!(case.out(), "");
}

#[tokio::test]
async fn a_script_knows_its_device_and_its_job() {
    let case = case("echo \"$QUARTERDECK_DEVICE $QUARTERDECK_JOB\"", &[]);
    assert_eq!(case.run().await.state, RunState::Ok);
    assert_eq!(case.out(), "local 7\n");
}
