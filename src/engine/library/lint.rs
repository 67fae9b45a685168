//! Asking lint tools about a script. A tool that is not installed is only mentioned; one that hangs is
//! ended; whatever it writes is bounded. Scripts reach the tools on stdin: nothing is written to disk.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

use crate::model::nearest::shown;
use crate::model::script::inspect::examine;
use crate::model::script::{Finding, Level, payload};

const TIME: Duration = Duration::from_secs(10);
/// Larger scripts take the tools minutes and gigabytes.
const SIZE: usize = 1 << 20;
const OUTPUT: u64 = 4 << 20;
const FINDINGS: usize = 500;
const KEPT: usize = 256;
/// Code of what we say about the tools themselves.
const NOTE: &str = "lint";

/// Compiles without running or writing anything.
const COMPILE: &str = "\
import sys
try:
    compile(sys.stdin.buffer.read(), 'script', 'exec', dont_inherit=True)
except SyntaxError as error:
    print(error.lineno or 0, error.msg, sep='\\t')
except ValueError as error:
    print(0, error, sep='\\t')
";

/// Findings by script name and version: a script is linted once.
#[derive(Default)]
pub(super) struct Kept(Mutex<HashMap<(String, String), Vec<Finding>>>);

impl Kept {
    pub(super) async fn lint(&self, folder: &Path, name: &str, bytes: Vec<u8>) -> Vec<Finding> {
        let (info, mut findings) = examine(name, &bytes);
        if info.refused.is_some() {
            return findings;
        }
        let key = (info.name.clone(), info.version.clone());
        if let Some(known) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return known.clone();
        }
        let text = payload(&info, &bytes);
        for tool in tools(&info.language, name) {
            if text.len() > SIZE {
                findings.push(note(format!("{} is not asked: the script is larger than 1 MiB", tool.program)));
                continue;
            }
            match tool.run(folder, &text).await {
                Ok(output) => findings.extend((tool.read)(&output)),
                Err(why) => findings.push(note(why)),
            }
        }
        findings.truncate(FINDINGS);
        findings.sort_by_key(|finding| finding.line);
        // a tool that is missing today may be installed tomorrow
        if findings.iter().any(|finding| finding.code == NOTE) {
            return findings;
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(key, findings.clone());
        findings
    }
}

struct Tool {
    program: &'static str,
    args: Vec<String>,
    read: fn(&[u8]) -> Vec<Finding>,
}

fn tools(language: &str, name: &str) -> Vec<Tool> {
    let tool =
        |program, args: &[&str], read| Tool { program, args: args.iter().map(|arg| (*arg).to_owned()).collect(), read };
    let dialect = match language {
        "sh" | "bash" | "dash" | "ksh" => language,
        "ash" => "dash",
        "ksh93" | "mksh" => "ksh",
        _ if language.starts_with("python") && !language.starts_with("python2") => {
            let name = format!("--stdin-filename={}", name.rsplit('/').next().unwrap_or(name));
            return vec![
                tool("python3", &["-I", "-S", "-c", COMPILE], compiled),
                tool("ruff", &["check", "--quiet", "--no-cache", "--output-format=json", &name, "-"], ruff),
            ];
        }
        _ => return Vec::new(),
    };
    vec![tool("shellcheck", &["--format=json", "--shell", dialect, "-"], shellcheck)]
}

impl Tool {
    async fn run(&self, folder: &Path, text: &[u8]) -> Result<Vec<u8>, String> {
        let program = self.program;
        match tokio::time::timeout(TIME, self.ask(folder, text)).await {
            Ok(Ok(output)) => Ok(output),
            Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => {
                Err(format!("{program} is not installed here: its checks were not made"))
            }
            Ok(Err(error)) => Err(format!("{program} could not be asked: {error}")),
            // dropping the future ended the child
            Err(_) => Err(format!("{program} was ended: it took longer than {} s", TIME.as_secs())),
        }
    }

    async fn ask(&self, folder: &Path, text: &[u8]) -> io::Result<Vec<u8>> {
        let folder = if folder.is_dir() { folder } else { Path::new("/") };
        let mut child = Command::new(self.program)
            .args(&self.args)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let write = async {
            if let Some(mut stdin) = stdin {
                // a tool may stop reading early: what it says still counts
                let _ = stdin.write_all(text).await;
            }
        };
        let read = async {
            let mut output = Vec::new();
            if let Some(stdout) = stdout {
                stdout.take(OUTPUT).read_to_end(&mut output).await?;
            }
            io::Result::Ok(output)
        };
        let ((), output) = tokio::join!(write, read);
        let output = output?;
        if output.len() as u64 == OUTPUT {
            child.kill().await?;
        }
        child.wait().await?;
        Ok(output)
    }
}

fn note(text: String) -> Finding {
    Finding { level: Level::Info, line: 0, code: NOTE.into(), text }
}

fn finding(level: Level, line: &Value, code: String, text: &Value) -> Option<Finding> {
    let line = line.as_u64().and_then(|line| u32::try_from(line).ok()).unwrap_or(0);
    Some(Finding { level, line, code: shown(&code), text: text.as_str().map(message)? })
}

/// A tool's words, on one line.
fn message(text: &str) -> String {
    text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(500).collect()
}

fn items(output: &[u8]) -> Vec<Value> {
    serde_json::from_slice(output).unwrap_or_default()
}

fn shellcheck(output: &[u8]) -> Vec<Finding> {
    let read = |item: &Value| {
        let level = match item["level"].as_str() {
            Some("error") => Level::Error,
            Some("warning") => Level::Warn,
            _ => Level::Info,
        };
        finding(level, &item["line"], format!("SC{}", item["code"]), &item["message"])
    };
    items(output).iter().filter_map(read).collect()
}

fn ruff(output: &[u8]) -> Vec<Finding> {
    let read = |item: &Value| {
        // syntax errors have no rule of their own, and are told by python3 already
        let code = item["code"].as_str().filter(|code| *code != "invalid-syntax")?;
        finding(Level::Warn, &item["location"]["row"], code.to_owned(), &item["message"])
    };
    items(output).iter().filter_map(read).collect()
}

fn compiled(output: &[u8]) -> Vec<Finding> {
    let output = String::from_utf8_lossy(output);
    let Some((line, text)) = output.trim_end().split_once('\t') else { return Vec::new() };
    let line = line.parse().unwrap_or(0);
    vec![Finding { level: Level::Error, line, code: "syntax".into(), text: message(text) }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_tools_say_is_understood() {
        let said = shellcheck(
            br#"[{"file":"-","line":3,"endLine":3,"column":1,"level":"warning","code":2155,"message":"Declare\nand"}]"#,
        );
        assert_eq!(
            (said[0].level, said[0].line, said[0].code.as_str(), said[0].text.as_str()),
            (Level::Warn, 3, "SC2155", "Declare and")
        );
        let said = ruff(
            br#"[{"code":"F401","location":{"row":2,"column":8},"message":"unused"},{"code":null,"message":"x"}]"#,
        );
        assert_eq!((said.len(), said[0].code.as_str(), said[0].line), (1, "F401", 2));
        assert_eq!(compiled(b"7\tinvalid syntax\n")[0].line, 7);
    }

    #[test]
    fn nonsense_from_a_tool_is_nothing() {
        for output in [&b""[..], b"{", b"[1, {}]", b"\xff\t\xff"] {
            let _ = (shellcheck(output), ruff(output), compiled(output));
        }
        assert!(shellcheck(b"[{}]").is_empty());
    }
}
