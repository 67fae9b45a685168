//! How a device is reached, step by step: first what the files say, then a real connection and a real launch.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::agent::Agents;
use super::config::HostConfig;
use super::pool::Route;
use super::session::Fault;
use super::{Inner, Way, program, run};
use crate::connectors::{Gate, Order, Outcome, Payload, RunSink};
use crate::model::device::Device;
use crate::model::output::Stream;
use crate::model::plan::Caller;
use crate::model::state::RunState;
use crate::model::wire::{Doctor, Step};

/// For the launch of the probe.
const PROBE: Duration = Duration::from_secs(30);

/// Takes the probe's output.
#[derive(Default)]
struct Heard {
    text: String,
    attempts: Vec<String>,
}

struct Sink<'a>(&'a mut Heard);

impl RunSink for Sink<'_> {
    fn started(&mut self) {}

    fn output(&mut self, _stream: Stream, bytes: &[u8]) -> std::io::Result<()> {
        if self.0.text.len() < 1024 {
            self.0.text.push_str(&String::from_utf8_lossy(bytes));
        }
        Ok(())
    }

    fn attempt(&mut self, why: &str) {
        self.0.attempts.push(why.to_owned());
    }
}

impl Inner {
    pub(super) async fn doctor(&self, device: &Device, caller: &Caller) -> Doctor {
        let (host, over, way) = self.way(&device.name);
        let agents = self.agents(caller);
        let (agent, as_meant) = agents.describe(&host).await;
        let mut steps = vec![
            fine("configuration", describe(&host)),
            Step { label: "agent".to_owned(), text: agent, fine: as_meant },
        ];
        let (way, why) = match way {
            Way::Native(route) => {
                self.natively(device, &route, &agents, &mut steps).await;
                let why = match &route.via {
                    Some(via) => {
                        format!("nothing in its configuration is beyond the native client; through {}", via.host.alias)
                    }
                    None => "nothing in its configuration is beyond the native client".to_owned(),
                };
                ("native", why)
            }
            Way::Program(reasons) => {
                let arguments = program::arguments(&self.settings, &self.pool.trust, &host, &over, &device.name);
                steps.push(fine("command", format!("ssh {}", arguments.join(" "))));
                let mut heard = Heard::default();
                let order = probe(device);
                let began = Instant::now();
                let outcome = self.programs.run(&arguments, agents.socket().await, &order, &mut Sink(&mut heard)).await;
                steps.push(launched(&outcome, &heard, began.elapsed()));
                ("ssh program", reasons.join("; "))
            }
        };
        Doctor { device: device.id.clone(), way: way.to_owned(), why, steps }
    }

    async fn natively(&self, device: &Device, route: &Route, agents: &Agents, steps: &mut Vec<Step>) {
        let mut attempts = Vec::new();
        let began = Instant::now();
        let mut tell = |why: &str| attempts.push(why.to_owned());
        let connected = self.pool.connection(route, agents, &mut tell).await;
        for attempt in attempts {
            steps.push(Step { label: "try".to_owned(), text: attempt, fine: false });
        }
        let (connection, kept) = match connected {
            Ok(connected) => connected,
            Err(fault) => {
                let (label, why) = match fault {
                    Fault::Refused(why) => ("refused", why),
                    Fault::Offline { why, .. } | Fault::HungUp(why) => ("connection", why),
                };
                steps.push(Step { label: label.to_owned(), text: why, fine: false });
                return;
            }
        };
        let facts = connection.facts();
        let address = facts.address.map_or_else(|| "through the jump host".to_owned(), |address| address.to_string());
        let took = if kept { "kept from an earlier run".to_owned() } else { format!("in {:.0?}", began.elapsed()) };
        steps.push(fine("connection", format!("{address}, {took}, {}", facts.ident)));
        steps.push(fine("host key", facts.host_key));
        steps.push(fine("key exchange", format!("{}, {}", facts.kex, facts.cipher)));
        steps.push(fine("authentication", format!("{} with {}", route.host.user, facts.authenticated)));
        if connection.is_windows() {
            steps.push(Step {
                label: "launcher".to_owned(),
                text: "the server runs Windows: scripts need a POSIX shell".to_owned(),
                fine: false,
            });
            return;
        }
        let mut heard = Heard::default();
        let began = Instant::now();
        let environment = route.host.session_environment(&self.settings.environment);
        let outcome = run::run(&connection, &probe(device), &environment, &mut Sink(&mut heard)).await;
        let took = began.elapsed();
        let step = match outcome {
            Ok(outcome) => launched(&outcome, &heard, took),
            Err(run::Unsent(why)) => Step { label: "launcher".to_owned(), text: why, fine: false },
        };
        let went = step.fine;
        steps.push(step);
        if went {
            let began = Instant::now();
            if let Ok(session) = connection.session(PROBE).await {
                steps.push(fine("round trip", format!("{:.1?}", began.elapsed())));
                let _ = session.channel.close().await;
            }
        }
    }
}

fn fine(label: &str, text: String) -> Step {
    Step { label: label.to_owned(), text, fine: true }
}

fn describe(host: &HostConfig) -> String {
    let keys: Vec<String> = host.identity_files.iter().map(|path| path.display().to_string()).collect();
    let jump =
        if host.proxy_jump.is_empty() { String::new() } else { format!(", through {}", host.proxy_jump.join(", ")) };
    format!("{}@{}:{}{jump}, keys {}", host.user, host.host_name, host.port, keys.join(" "))
}

fn probe(device: &Device) -> Order {
    Order {
        device: Arc::new(device.clone()),
        job: None,
        script: Arc::new(Payload {
            name: "probe".to_owned(),
            bytes: b"uname -srm\n".to_vec(),
            path: PathBuf::new(),
            interpreter: vec!["/bin/sh".to_owned()],
            variables: false,
        }),
        args: Arc::default(),
        arguments: Arc::default(),
        secrets: Arc::default(),
        options: Arc::default(),
        caller: Arc::default(),
        timeout: Some(PROBE),
        cancel: CancellationToken::new(),
        gate: Gate::default(),
    }
}

fn launched(outcome: &Outcome, heard: &Heard, took: Duration) -> Step {
    let good = outcome.state == RunState::Ok;
    let text = if good {
        format!("runs scripts, in {took:.0?}: {}", heard.text.trim())
    } else {
        let reason = outcome.reason.clone().unwrap_or_else(|| format!("exit code {:?}", outcome.exit_code));
        format!("{reason} {}", heard.text.trim())
    };
    Step { label: "launcher".to_owned(), text, fine: good }
}
