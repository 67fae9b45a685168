//! Completions and manual pages, derived from the command line's own definition.

use clap::CommandFactory;

use super::args::Cli;
use super::{CliError, Outcome, out};

pub fn completions(shell: clap_complete::Shell, json: bool) -> Result<Outcome, CliError> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "quarterdeck", &mut text);
    shown(json, "shell", &shell.to_string(), &text)
}

/// The text as it is, or as the `text` of an object that says what it is.
fn shown(json: bool, key: &str, name: &str, text: &[u8]) -> Result<Outcome, CliError> {
    let text = String::from_utf8_lossy(text);
    if json {
        out::json_object(&serde_json::json!({ key: name, "text": text }))?;
    } else {
        out::print(&text)?;
    }
    Ok(Outcome::Done)
}

/// The page of the program, or of a verb.
pub fn man(verb: &[String], json: bool) -> Result<Outcome, CliError> {
    let mut command = Cli::command();
    command.build();
    for word in verb {
        command = command
            .find_subcommand(word)
            .cloned()
            .ok_or_else(|| CliError::Usage(format!("there is no verb `{}`", verb.join(" "))))?;
    }
    if !verb.is_empty() {
        command = command.display_name(format!("quarterdeck-{}", verb.join("-")));
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    shown(json, "page", &verb.join(" "), &page)
}
