//! The command line, to one of three front doors: console, engine, verb. The only place with exit codes
//! (screens.md section 11).

use std::process::ExitCode;

use clap::Parser;
use quarterdeck::api::{self, ServeError};
use quarterdeck::cli::args::{Cli, Config, Verb};
use quarterdeck::cli::keys::Binding;
use quarterdeck::cli::{self, CliError, Fault, Others, Outcome};
use quarterdeck::connectors;
use quarterdeck::console::keymap::{self, Keymap};
use quarterdeck::console::{self, app::commands, app::manual};
use quarterdeck::model::job;
use quarterdeck::settings::{self, Settings};

fn main() -> ExitCode {
    let cli = Cli::parse(); // a slip on the command line ends here, with 2
    let settings = settings::load(&cli.overrides());
    let others = Others { terminal: &console::examine, files: &connectors::held };
    let done = match &cli.verb {
        None if cli.screen.plain || console::prints_only() => cli::run(&settings, &cli, &others),
        None => return opened(console::run(settings)),
        Some(Verb::Serve(verb)) => match cli::serve::prepare(&settings, verb, cli.common.json) {
            Ok(cli::serve::Next::Done) => Ok(Outcome::Done),
            Ok(cli::serve::Next::Serve) => {
                let (socket, json) = (settings.paths.socket.clone(), cli.common.json);
                let up = move |listens: Option<&str>| cli::serve::up(&socket, listens, json);
                return served(api::serve(settings, verb.background, up), verb.background);
            }
            Err(error) => Err(error),
        },
        Some(Verb::Guard) => {
            api::keep_guard();
            Ok(Outcome::Done)
        }
        Some(Verb::Keys(verb)) => keys(&settings, verb, cli.common.json),
        Some(Verb::Config(Config::Check)) => {
            // (what a console would look like is a console's affair)
            let mut settings = settings;
            settings.all_problems.extend(console::check_looks(&settings));
            cli::run(&settings, &cli, &others)
        }
        Some(_) => cli::run(&settings, &cli, &others),
    };
    finished(done)
}

fn finished(done: Result<Outcome, CliError>) -> ExitCode {
    match done {
        Ok(Outcome::Done | Outcome::Unread) => ExitCode::SUCCESS,
        Ok(Outcome::Stopped) => ExitCode::from(5),
        Ok(Outcome::Runs(counts)) => ExitCode::from(job::exit_code(&counts)),
        Ok(Outcome::Nothing) => ExitCode::from(3),
        Ok(Outcome::Unwell) => ExitCode::from(1),
        Ok(Outcome::Wrong) => ExitCode::from(2),
        Ok(Outcome::Interrupted) => ExitCode::from(130),
        Err(error) => {
            cli::say(format!("quarterdeck: {error}"));
            ExitCode::from(match error.fault() {
                Fault::Tool => 1,
                Fault::Usage => 2,
                Fault::Denied => 4,
            })
        }
    }
}

fn opened(done: Result<(), console::Error>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            cli::say(format!("quarterdeck: {error}"));
            ExitCode::from(if error.asked_wrongly() { 2 } else { 1 })
        }
    }
}

fn served(done: Result<(), ServeError>, background: bool) -> ExitCode {
    match done {
        // A starter in the background wants an engine to be there: it is.
        Err(ServeError::AlreadyRuns { .. }) if background => ExitCode::SUCCESS,
        Err(error) => {
            cli::say(format!("quarterdeck: {error}"));
            ExitCode::from(1)
        }
        Ok(()) => ExitCode::SUCCESS,
    }
}

fn keys(settings: &Settings, verb: &cli::args::Keys, json: bool) -> Result<Outcome, CliError> {
    if let Some(name) = verb.preset.as_deref().filter(|name| Keymap::presets().all(|known| known != *name)) {
        return Err(CliError::Usage(keymap::unknown_preset(name)));
    }
    if verb.print_default {
        let preset = verb.preset.as_deref().unwrap_or(&settings.ui.keymap);
        let all = commands::TABLE.iter().map(|command| (command.context, command.name, command.doc));
        let name = Keymap::presets().find(|known| *known == preset).unwrap_or(keymap::DEFAULT);
        let text = Keymap::load(name, None, &commands::known).0.file(name, all);
        return cli::keys::run(&[], Some(&text), json);
    }
    let (keymap, problems) = console::keymap_of(settings, verb.preset.as_deref());
    for problem in problems {
        cli::say(format!("quarterdeck: {problem}"));
    }
    if verb.markdown {
        return cli::keys::run(&[], Some(&manual::markdown(&keymap)), json);
    }
    let bindings: Vec<Binding> = keymap
        .rows()
        .into_iter()
        .map(|(context, keys, command)| {
            let describe = commands::bound(&context, &command).map_or("", |found| found.doc).to_owned();
            Binding { context, keys, command, describe }
        })
        .collect();
    cli::keys::run(&bindings, None, json)
}
