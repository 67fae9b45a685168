//! Asking lint tools about a script. A tool that is not installed is only mentioned; one that hangs is
//! ended; whatever it writes is bounded. Scripts reach the tools on stdin: nothing is written to disk. No tool is
//! asked that would run any of the script, however it is written: which are, is in [`tools`].

mod tools;

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

use self::tools::{Stream, Tool, note, tools};
use crate::model::script::inspect::examine;
use crate::model::script::leaks::leaks;
use crate::model::script::{Finding, Level, ScriptInfo, payload};

const TIME: Duration = Duration::from_secs(10);
/// Larger scripts take the tools minutes and gigabytes.
const SIZE: usize = 1 << 20;
const OUTPUT: u64 = 4 << 20;
const FINDINGS: usize = 500;
const KEPT: usize = 256;
/// Code of what we say about the tools themselves.
const NOTE: &str = "lint";

/// Findings by script name and version: a script is linted once.
#[derive(Default)]
pub(super) struct Kept(Mutex<HashMap<(String, String), Vec<Finding>>>);

/// How many of them are errors.
pub(super) fn errors(findings: &[Finding]) -> u32 {
    let errors = findings.iter().filter(|finding| finding.level == Level::Error).count();
    u32::try_from(errors).unwrap_or(u32::MAX)
}

impl Kept {
    /// In this version of a script. `None`: nobody has asked yet.
    pub(super) fn errors(&self, script: &ScriptInfo) -> Option<u32> {
        self.known(script, |findings| errors(findings))
    }

    /// What was found when this version was asked about.
    pub(super) fn known<T>(&self, script: &ScriptInfo, take: impl FnOnce(&Vec<Finding>) -> T) -> Option<T> {
        let key = (script.name.clone(), script.version.clone());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).map(take)
    }

    pub(super) async fn lint(&self, folder: &Path, name: &str, bytes: Vec<u8>) -> Vec<Finding> {
        let (info, mut findings) = examine(name, &bytes);
        if info.refused.is_some() {
            return findings;
        }
        let key = (info.name.clone(), info.version.clone());
        if let Some(known) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return known.clone();
        }
        findings.extend(leaks(&String::from_utf8_lossy(&bytes)));
        let text = payload(&info, &bytes);
        match tools(&info.language, name, &text) {
            Ok(tools) => {
                for tool in tools {
                    findings.extend(tool.says(folder, &text).await);
                }
            }
            Err(why) => findings.push(note(why)),
        }
        findings.truncate(FINDINGS);
        findings.sort_by_key(|finding| (finding.line, finding.column));
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

impl Tool {
    /// Its findings; where it is not installed, those of the one that is asked instead.
    async fn says(&self, folder: &Path, text: &[u8]) -> Vec<Finding> {
        if text.len() > SIZE {
            return vec![note(format!("{} is not asked: the script is larger than 1 MiB", self.name))];
        }
        let mut findings = match self.run(folder, text).await {
            Ok(output) => return self.findings(&output),
            Err(why) => vec![note(why)],
        };
        if let Some(other) = &self.instead
            && let Ok(output) = other.run(folder, text).await
        {
            findings.extend(other.findings(&output));
        }
        findings
    }

    async fn run(&self, folder: &Path, text: &[u8]) -> Result<Vec<u8>, String> {
        let name = self.name;
        match tokio::time::timeout(TIME, self.ask(folder, text)).await {
            Ok(Ok(output)) => Ok(output),
            Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => {
                Err(format!("{name} is not installed here: its checks were not made"))
            }
            Ok(Err(error)) => Err(format!("{name} could not be asked: {error}")),
            // dropping the future ended the child
            Err(_) => Err(format!("{name} was ended: it took longer than {} s", TIME.as_secs())),
        }
    }

    async fn ask(&self, folder: &Path, text: &[u8]) -> io::Result<Vec<u8>> {
        let folder = if folder.is_dir() { folder } else { Path::new("/") };
        let mut child = Command::new(self.program)
            .args(&self.args)
            .current_dir(folder)
            // files that a shell would run first, options that Ruby would take from there
            .env_remove("BASH_ENV")
            .env_remove("ENV")
            .env_remove("RUBYOPT")
            .stdin(Stdio::piped())
            .stdout(if self.stream == Stream::Out { Stdio::piped() } else { Stdio::null() })
            .stderr(if self.stream == Stream::Err { Stdio::piped() } else { Stdio::null() })
            .kill_on_drop(true)
            .spawn()?;
        let stdin = child.stdin.take();
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let text = (self.text)(text);
        let write = async {
            if let Some(mut stdin) = stdin {
                // a tool may stop reading early: what it says still counts
                let _ = stdin.write_all(&text).await;
            }
        };
        let read = async {
            let mut output = Vec::new();
            match (stdout, stderr) {
                (Some(stdout), _) => stdout.take(OUTPUT).read_to_end(&mut output).await?,
                (None, Some(stderr)) => stderr.take(OUTPUT).read_to_end(&mut output).await?,
                (None, None) => 0,
            };
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
