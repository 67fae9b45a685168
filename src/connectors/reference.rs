//! Secrets that lie elsewhere, read when they are needed: a variable, a file, what a command prints. Refuses what is too
//! large to be one, and never repeats it.

use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::Command;
use tokio::time::timeout;

use crate::model::secret::KeyRef;

/// A longer one is none.
const LONGEST: u64 = 64 << 10;

/// A command that asks somebody who is not there does not end.
const PATIENCE: Duration = Duration::from_secs(60);

/// The secret, without the newline a file ends with. `variable`: where variables are looked up.
pub async fn read(from: &KeyRef, variable: impl Fn(&str) -> Option<String>) -> Result<Vec<u8>, String> {
    let mut secret = match from {
        KeyRef::Env(name) => variable(name).ok_or("it is not set where the engine was started")?.into_bytes(),
        KeyRef::File(path) => {
            let mut bytes = Vec::new();
            let file = tokio::fs::File::open(path).await.map_err(|error| error.to_string())?;
            file.take(LONGEST).read_to_end(&mut bytes).await.map_err(|error| error.to_string())?;
            bytes
        }
        KeyRef::Command(words) => {
            let (program, arguments) = words.split_first().ok_or("it is empty")?;
            let asked =
                Command::new(program).args(arguments).stdin(std::process::Stdio::null()).kill_on_drop(true).output();
            let done = timeout(PATIENCE, asked)
                .await
                .map_err(|_| format!("it did not end within {} s", PATIENCE.as_secs()))?
                .map_err(|error| error.to_string())?;
            if !done.status.success() {
                return Err(format!("it ended with {}", done.status));
            }
            done.stdout
        }
    };
    while secret.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        secret.pop();
    }
    if secret.is_empty() { Err("it is empty".to_owned()) } else { Ok(secret) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(name: &str) -> Option<String> {
        (name == "TOKEN").then(|| "hunter2".to_owned())
    }

    #[tokio::test]
    async fn a_secret_is_what_a_command_prints() {
        let command = |words: &[&str]| KeyRef::Command(words.iter().map(|word| (*word).to_owned()).collect());
        assert_eq!(read(&command(&["/bin/sh", "-c", "echo hunter2"]), set).await.unwrap(), b"hunter2");
        assert!(read(&command(&["/bin/sh", "-c", "exit 3"]), set).await.unwrap_err().contains("exit status: 3"));
        assert_eq!(read(&command(&["/bin/sh", "-c", ":"]), set).await.unwrap_err(), "it is empty");
    }

    #[tokio::test]
    async fn a_variable_and_a_file_are_read_without_the_line_s_end() {
        assert_eq!(read(&KeyRef::Env("TOKEN".into()), set).await.unwrap(), b"hunter2");
        assert!(read(&KeyRef::Env("OTHER".into()), set).await.unwrap_err().contains("not set"));
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "hunter2\r\n").unwrap();
        assert_eq!(read(&KeyRef::File(file.path().to_owned()), set).await.unwrap(), b"hunter2");
    }
}
