//! `keys`: the console's key bindings as a table. The bindings themselves are the console's; `main` brings them here.

use serde::Serialize;

use super::{CliError, Outcome, out};

/// One binding, as the console's keymap describes it.
#[derive(Clone, Debug, Serialize)]
pub struct Binding {
    /// Where it holds (`global`, `job`…).
    pub context: String,
    /// The keys as shown to people, several with commas between (`g g, ^p`). Empty: unbound.
    pub keys: String,
    /// The command's name.
    pub command: String,
    /// What it does.
    pub describe: String,
}

/// Prints the bindings in force; `text`: that instead (the default keymap as a file, the keys as Markdown).
///
/// # Errors
/// stdout cannot be written.
pub fn run(bindings: &[Binding], text: Option<&str>, json: bool) -> Result<Outcome, CliError> {
    let done = match text {
        Some(text) if json => out::json_object(&serde_json::json!({ "text": text })),
        Some(text) => out::print(text),
        None if json => out::json_object(&serde_json::json!({ "bindings": bindings })),
        None => out::print(&table(bindings)),
    };
    match done {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(Outcome::Unread),
        done => Ok(done.map(|()| Outcome::Done)?),
    }
}

fn table(bindings: &[Binding]) -> String {
    out::table(
        &["WHERE", "KEYS", "COMMAND", "WHAT IT DOES"],
        bindings.iter().map(|binding| {
            let keys = if binding.keys.is_empty() { "-".to_owned() } else { binding.keys.clone() };
            vec![binding.context.clone(), keys, binding.command.clone(), binding.describe.clone()]
        }),
    )
}
