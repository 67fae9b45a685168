//! `serve`: making room for an engine before `main` starts it.

use std::path::Path;

use serde_json::json;

use super::args::Serve as Verb;
use super::{CliError, out, say};
use crate::client::Client;
use crate::settings::Settings;

/// The engine is there, and where: with `--json` on stdout, for whoever waits for it.
/// `listens`: the address of its door on the network.
pub fn up(socket: &Path, listens: Option<&str>, json: bool) {
    // whoever started it with nobody to read that wants an engine all the same
    if json {
        let mut told = json!({ "pid": std::process::id(), "socket": socket.display().to_string() });
        if let Some(url) = listens {
            told["listen"] = url.into();
        }
        let _ = out::json_object(&told);
    } else if let Some(url) = listens {
        say(format!("quarterdeck: other programs find this engine on {url}"));
    }
}

/// In words: the configuration asks for a door on the network, and the engine that runs is older than that.
pub fn unopened(settings: &Settings, client: &Client) -> Option<String> {
    let how = settings.listen.as_ref().filter(|_| client.hello().listen.is_none())?;
    let _ = client.stale(&settings.paths)?;
    let (url, pid) = (how.url(how.address), client.hello().pid);
    Some(format!(
        "{url} is not open yet: [listen] came after the engine (pid {pid}) was started; it opens when the jobs that run \
         have ended and a verb or console asks for an engine, or now with `quarterdeck serve --replace --background`, \
         which ends them; what SimpleMDM has been given goes on"
    ))
}

/// What is left to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// This process becomes the engine.
    Serve,
    /// The new one runs in the background.
    Done,
}

/// `--replace`: ends the engine that runs, and waits until it has gone; with `--background` another is started.
///
/// # Errors
/// It is there and does not end, or the new one does not come up.
pub fn prepare(settings: &Settings, verb: &Verb, json: bool) -> Result<Next, CliError> {
    for problem in &settings.problems {
        say(format!("quarterdeck: {problem}"));
    }
    if verb.listen.is_some() {
        if settings.listen.is_none() {
            // why has been said
            return Err(CliError::Usage("not started".to_owned()));
        }
        if verb.replace && verb.background {
            let why = "--listen and --background --replace: the engine in the background goes by config.toml; say `address` in [listen] there";
            return Err(CliError::Usage(why.to_owned()));
        }
    }
    if !verb.replace {
        return Ok(Next::Serve);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::tool("cannot start", &error))?;
    match runtime.block_on(Client::end(&settings.paths))? {
        Some(pid) => say(format!("quarterdeck: the engine that ran (pid {pid}) has ended")),
        None => say("quarterdeck: no engine was running"),
    }
    if !verb.background {
        return Ok(Next::Serve);
    }
    let client = runtime.block_on(Client::attach(&settings.paths))?;
    let pid = client.hello().pid;
    say(format!("quarterdeck: the engine that runs now (pid {pid}) goes by {}", settings.paths.config.display()));
    if json {
        out::json_object(&json!({ "pid": pid, "socket": settings.paths.socket.display().to_string() }))?;
    }
    Ok(Next::Done)
}
