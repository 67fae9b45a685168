//! `config`: where the configuration is, what is in force, what is wrong with it.

use serde_json::{Value, json};

use super::args::Config as Verb;
use super::{CliError, Desk, Outcome, out, say};
use crate::client::Client;
use crate::model::amounts::number;
use crate::model::connection::{Held, HostKeys, Kind, Login};
use crate::model::hook::Hook;
use crate::model::listen::Listen;
use crate::model::notify::{Desktop, Webhook};
use crate::model::secret::KeyRef;
use crate::model::window::ClosedKind;
use crate::settings::units::show_duration;
use crate::settings::{EngineSettings, Settings, ThemeWish};

pub async fn run(desk: &Desk<'_>, verb: &Verb) -> Result<Outcome, CliError> {
    let settings = desk.settings;
    let path = settings.paths.config.display().to_string();
    match verb {
        Verb::Path => {
            if desk.common.json {
                out::json_object(&json!({ "path": path, "exists": settings.paths.config.exists() }))?;
            } else {
                out::print(&format!("{path}\n"))?;
            }
        }
        Verb::Show => {
            desk.warn();
            let shown = shown(settings);
            if desk.common.json {
                out::json_object(&shown)?;
            } else {
                let text = toml::to_string(&shown)
                    .map_err(|error| CliError::Tool(format!("cannot write the settings as TOML: {error}")))?;
                out::print(&text)?;
            }
        }
        Verb::Check => return check(desk, &path).await,
    }
    Ok(Outcome::Done)
}

/// The settings, and the files that the connections name: read here, without an engine and without the network.
async fn check(desk: &Desk<'_>, path: &str) -> Result<Outcome, CliError> {
    let settings = desk.settings;
    let (held, known) = (desk.others.files)(&settings.connections);
    let of_files = held.iter().flat_map(|held| held.problems.iter().map(|why| format!("{}: {why}", held.connection)));
    let mut problems: Vec<String> = settings.all_problems.iter().cloned().chain(of_files).collect();
    let of_windows = settings.engine.closed.iter().filter_map(|closed| closed.means(&known)?.err());
    let of_windows = of_windows.map(|why| format!("{why}; taken as of everything as long as that is so"));
    // what a system over the network knows may be meant
    let all_known = settings.connections.iter().all(|one| matches!(one.kind, Kind::Local | Kind::Ssh(_)));
    let unsure: Vec<String> = if all_known {
        problems.extend(of_windows);
        Vec::new()
    } else {
        of_windows.collect()
    };
    if desk.common.json {
        out::json_object(&json!({ "path": path, "problems": problems, "connections": held }))?;
    } else {
        let lines: Vec<String> = problems.iter().map(|problem| out::safe_lines(problem) + "\n").collect();
        out::print(&lines.concat())?;
        for Held { connection, devices, groups, aside, .. } in &held {
            let (devices, groups) = (number(*devices as u64, "device"), number(*groups as u64, "group"));
            say(format!("quarterdeck: {connection}: {devices}, {groups}"));
            aside.iter().for_each(|why| say(format!("quarterdeck: {connection}: {why}")));
        }
        unsure.iter().for_each(|why| say(format!("quarterdeck: in the files alone: {why}")));
        if settings.listen.is_some()
            && let Ok(client) = Client::find(&settings.paths).await
            && let Some(why) = super::serve::unopened(settings, &client)
        {
            say(format!("quarterdeck: {why}"));
        }
    }
    if !problems.is_empty() {
        return Ok(Outcome::Wrong);
    }
    if !desk.common.json {
        say(format!("quarterdeck: {path}: nothing to complain about"));
    }
    Ok(Outcome::Done)
}

/// What config.toml would hold to bring this about (and the paths, which come from the environment).
fn shown(settings: &Settings) -> Value {
    let (engine, ui, paths) = (&settings.engine, &settings.ui, &settings.paths);
    let theme = match &ui.theme {
        ThemeWish::Named(name) => json!(name),
        ThemeWish::ByGround { dark, light, fallback } => {
            json!({ "dark": dark, "light": light, "fallback": fallback })
        }
    };
    let mut ui_table = json!({
        "theme": theme, "keymap": ui.keymap, "ask_terminal": ui.ask, "mouse": ui.mouse,
        "color": if ui.no_color { "never" } else { "auto" },
    });
    if !ui.fleet.is_empty() {
        ui_table["fleet"] = ui.fleet.as_str().into();
    }
    if let Some(fps) = ui.fps {
        ui_table["fps"] = fps.into();
    }
    if let Some(ascii) = ui.ascii {
        ui_table["ascii"] = ascii.into();
    }
    if let Some(editor) = &ui.editor {
        ui_table["editor"] = editor.as_str().into();
    }
    if let Some(pager) = &ui.pager {
        ui_table["pager"] = pager.as_str().into();
    }
    let connections: Vec<Value> = settings
        .connections
        .iter()
        .map(|connection| {
            let mut table = json!({
                "name": connection.name, "kind": connection.kind.word(),
                "protected": connection.protected, "read_only": connection.read_only,
            });
            if let Kind::Ssh(ssh) = &connection.kind {
                table["inventory"] = ssh.inventory.iter().map(|path| path.display().to_string()).collect();
                table["keep"] = show_duration(std::time::Duration::from_secs(ssh.keep_seconds)).into();
                table["max_handshakes"] = ssh.max_handshakes.into();
                for (key, path) in [("ssh_config", &ssh.ssh_config), ("known_hosts", &ssh.known_hosts)] {
                    if let Some(path) = path {
                        table[key] = path.display().to_string().into();
                    }
                }
                if let Some(keys) = ssh.host_keys {
                    table["host_keys"] = match keys {
                        HostKeys::Strict => "strict".into(),
                        HostKeys::AcceptNew => "accept-new".into(),
                    };
                }
            }
            if let Kind::WebScripts(server) = &connection.kind {
                table["url"] = server.url.as_str().into();
                table["threaded"] = server.threaded.into();
                table["requests"] = server.requests.into();
                table["groups"] = server.groups.clone().into();
                if let Some(folder) = &server.script_folder {
                    table["script_folder"] = folder.display().to_string().into();
                }
                match &server.login {
                    Login::None => {}
                    Login::Password { user, password } => {
                        table["user"] = user.as_str().into();
                        table["password"] = reference(password);
                    }
                    Login::ApiKey(key) => table["api_key"] = reference(key),
                }
            }
            if let Kind::SimpleMdm(account) = &connection.kind {
                table["url"] = account.url.as_str().into();
                table["api_key"] = reference(&account.api_key);
                table["rate"] = account.rate.into();
                if let Some(path) = &account.ca_file {
                    table["ca_file"] = path.display().to_string().into();
                }
            }
            table
        })
        .collect();
    let mut whole = json!({
        "engine": {
            "idle_exit": show_duration(engine.idle_exit),
            "at_once": engine.at_once,
            "confirm_above": engine.confirm_above,
            "timeout": engine.timeout.map_or_else(|| "none".to_owned(), show_duration),
            "keep_days": engine.keep_days,
            "keep_size": engine.keep_bytes.to_string(),
            "socket": paths.socket.display().to_string(),
        },
        "notify": { "bell": ui.ring.bell, "desktop": match ui.ring.desktop {
            Desktop::None => "none",
            Desktop::Osc9 => "osc9",
            Desktop::Osc777 => "osc777",
        } },
        "library": { "path": paths.library.display().to_string() },
        "ui": ui_table,
        "connection": connections,
        "maintenance": closed(engine, ClosedKind::Maintenance),
        "freeze": closed(engine, ClosedKind::Freeze),
        "webhook": engine.webhooks.iter().map(webhook).collect::<Vec<_>>(),
        "hook": engine.hooks.iter().map(hook).collect::<Vec<_>>(),
    });
    if let Some(how) = &settings.listen {
        whole["listen"] = listen(how);
    }
    whole
}

fn hook(hook: &Hook) -> Value {
    let mut table = json!({ "name": hook.name, "on": hook.on, "script": hook.script, "max_devices": hook.max_devices });
    if !hook.params.is_empty() {
        let params = hook.params.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str())));
        table["params"] = Value::Object(params.collect());
    }
    if let Some(target) = &hook.target {
        table["target"] = target.as_str().into();
    }
    if let Some(secret) = &hook.secret {
        table["secret"] = reference(secret);
    }
    table
}

fn listen(how: &Listen) -> Value {
    let mut table = json!({
        "address": how.address.to_string(),
        "patience": show_duration(how.patience),
        "rate": how.rate,
        "connections": how.connections,
    });
    if let Some(pair) = &how.tls {
        table["tls_cert"] = json!(pair.certificate);
        table["tls_key"] = json!(pair.key);
    }
    table
}

fn closed(engine: &EngineSettings, kind: ClosedKind) -> Vec<Value> {
    let windows = engine.closed.iter().filter(|closed| closed.kind == kind);
    windows
        .map(|closed| {
            let mut table = json!({ "reason": closed.reason });
            if let Some(target) = &closed.target {
                table["target"] = target.as_str().into();
            }
            if closed.everywhere && kind == ClosedKind::Freeze {
                table["on"] = "all".into();
            }
            let window = &closed.window;
            for (key, moment) in [("from", window.from), ("until", window.until)] {
                if let Some(moment) = moment {
                    table[key] = moment.to_string().into();
                }
            }
            if let Some(weekly) = &window.weekly {
                table["weekly"] = weekly.text.as_str().into();
            }
            if let Some(zone) = window.zone.iana_name() {
                table["zone"] = zone.into();
            }
            table
        })
        .collect()
}

fn webhook(hook: &Webhook) -> Value {
    let mut table = json!({ "url": hook.url, "on": hook.on });
    if let Some(key) = &hook.key {
        table["key"] = reference(key);
    }
    if let Some(authority) = &hook.ca_file {
        table["ca_file"] = json!(authority);
    }
    table
}

/// Where a secret lies, as it is written.
fn reference(from: &KeyRef) -> Value {
    match from {
        KeyRef::Env(name) => json!({ "env": name }),
        KeyRef::File(path) => json!({ "file": path }),
        KeyRef::Command(words) => json!({ "command": words }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Env, Overrides, read};

    #[test]
    fn what_is_shown_reads_back_as_the_same_settings() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config.toml");
        std::fs::write(
            &config,
            "[engine]\ntimeout = \"90s\"\nkeep_size = \"3GiB\"\n[ui]\nascii = true\n[[connection]]\nname = \"lab\"\n\
             kind = \"ssh\"\ninventory = \"h.ini\"\nhost_keys = \"strict\"\nkeep = \"1m\"\n\
             [[connection]]\nname = \"ws\"\nkind = \"webscripts\"\nurl = \"http://h:8000/x\"\nuser = \"ops\"\n\
             password = { env = \"WS\" }\nthreaded = true\ngroups = [\"a\"]\nscript_folder = \"~/s\"\n\
             [[freeze]]\non = \"all\"\nweekly = \"Sat,Sun\"\nzone = \"Europe/Paris\"\nfrom = 2026-01-01\n\
             [[webhook]]\nurl = \"https://x/\"\non = [\"done\"]\nkey = { command = [\"pass\", \"x\"] }\n\
             [[hook]]\nname = \"a\"\non = \"x\"\nscript = \"s\"\nparams = { b = \"c\" }\nsecret = { env = \"H\" }\n\
             [listen]\naddress = \"[::]:7443\"\ntls_cert = \"c.pem\"\ntls_key = \"k.pem\"\nrate = 0\n\
             [notify]\nbell = false\ndesktop = \"osc777\"\n",
        )
        .unwrap();
        let env = Env::of(&[("HOME", "/home/ops"), ("USER", "ops"), ("QUARTERDECK_CONFIG", config.to_str().unwrap())]);
        let before = read(&env, "", &Overrides::default());
        assert_eq!(before.problems, Vec::<String>::new());
        std::fs::write(&config, toml::to_string(&shown(&before)).unwrap()).unwrap();
        let after = read(&env, "", &Overrides::default());
        assert_eq!(after.problems, Vec::<String>::new());
        assert_eq!((before.engine, before.ui, before.connections), (after.engine, after.ui, after.connections));
        assert_eq!((before.paths, before.listen), (after.paths, after.listen));
    }
}
