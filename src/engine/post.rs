//! Tells webhooks what happened to jobs: a signed POST for each, tried again for a while, in order of what is due. What
//! could not be delivered when the engine ends is delivered by the next one; the receiver tells a repeat by its id.

use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;
use tokio::sync::Notify;

use super::events::Events;
use super::store::Store;
use super::store::outbox::{self, Letter};
use crate::connectors::{reference, tls};
use crate::model::cause::innermost;
use crate::model::notify::Webhook;
use crate::model::wire::Event;
use crate::settings::variable;

/// One delivery takes no longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long after each failure it is tried again; after the last it is given up.
const AGAIN: [Duration; 7] = [
    Duration::from_secs(2),
    Duration::from_secs(10),
    Duration::from_secs(60),
    Duration::from_secs(300),
    Duration::from_secs(1800),
    Duration::from_secs(7200),
    Duration::from_secs(21600),
];

pub struct Post {
    store: Arc<Store>,
    events: Arc<Events>,
    hooks: Vec<Webhook>,
    again: Vec<Duration>,
    patience: Duration,
    bell: Arc<Notify>,
}

impl Post {
    pub fn new(store: Arc<Store>, events: Arc<Events>) -> Self {
        let (hooks, bell) = (store.outbox.hooks.clone(), Arc::clone(&store.outbox.bell));
        Self { store, events, hooks, again: AGAIN.to_vec(), patience: PATIENCE, bell }
    }

    /// Delivers for ever. Starts with what the engine before left.
    pub async fn work(self) {
        loop {
            let now = Timestamp::now().as_millisecond();
            match self.store.db.call(move |db| outbox::next(db, now)).await {
                Ok((Some(letter), _)) => self.deliver(letter).await,
                Ok((None, due)) => {
                    let wait =
                        due.map_or(Duration::MAX, |due| Duration::from_millis(u64::try_from(due - now).unwrap_or(0)));
                    tokio::select! {
                        () = self.bell.notified() => {}
                        () = tokio::time::sleep(wait) => {}
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "webhooks");
                    tokio::time::sleep(self.patience).await;
                }
            }
        }
    }

    async fn deliver(&self, letter: Letter) {
        let id = letter.id;
        let sent = match self.hooks.iter().find(|hook| hook.url == letter.url) {
            None => Err(Failed::forever("it is not in the configuration any more")),
            Some(hook) => tokio::time::timeout(self.patience, send(hook, &letter, self.patience))
                .await
                .unwrap_or_else(|_| Err(Failed::once(format!("no answer within {} s", self.patience.as_secs())))),
        };
        let tries = usize::try_from(letter.tries).unwrap_or(usize::MAX);
        let written = match sent {
            Ok(()) => self.store.db.call(move |db| outbox::done(db, id)).await,
            Err(Failed { why, again }) => match self.again.get(tries).filter(|_| again) {
                Some(wait) => {
                    tracing::warn!(url = shown(&letter.url), why, tries = tries + 1, "a webhook is tried again");
                    if tries == 0 {
                        self.say(format!(
                            "the webhook {} could not be told ({why}): it is tried again",
                            shown(&letter.url)
                        ));
                    }
                    let due = Timestamp::now().as_millisecond() + i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
                    self.store.db.call(move |db| outbox::later(db, id, due)).await
                }
                None => {
                    tracing::error!(url = shown(&letter.url), why, "a webhook is given up");
                    self.say(format!("the webhook {} was not told ({why}): given up", shown(&letter.url)));
                    self.store.db.call(move |db| outbox::done(db, id)).await
                }
            },
        };
        if let Err(error) = written {
            tracing::warn!(%error, "webhooks");
            tokio::time::sleep(self.patience).await; // or it would be sent in a circle
        }
    }

    fn say(&self, text: String) {
        self.events.publish(&Event::Notice { text });
    }
}

/// An address without its path: many a receiver has its token there.
fn shown(url: &str) -> String {
    let mut parts = url.splitn(4, '/');
    let (scheme, _, host) = (parts.next(), parts.next(), parts.next());
    format!("{}//{}", scheme.unwrap_or_default(), host.unwrap_or_default())
}

/// Why one was not delivered.
struct Failed {
    why: String,
    /// Trying again may help.
    again: bool,
}

impl Failed {
    fn once(why: impl Into<String>) -> Self {
        Self { why: why.into(), again: true }
    }

    fn forever(why: impl Into<String>) -> Self {
        Self { why: why.into(), again: false }
    }
}

/// Whether an answer says that it was taken.
fn taken(status: u16) -> Result<(), Failed> {
    match status {
        200..=299 => Ok(()),
        // asked wrongly: the same again would be answered the same
        400..=499 if ![408, 425, 429].contains(&status) => Err(Failed::forever(format!("it answered {status}"))),
        status => Err(Failed::once(format!("it answered {status}"))),
    }
}

async fn send(hook: &Webhook, letter: &Letter, patience: Duration) -> Result<(), Failed> {
    let at = Timestamp::now().as_second().to_string();
    let mut headers = vec![
        ("content-type", "application/json".to_owned()),
        ("user-agent", concat!("quarterdeck/", env!("CARGO_PKG_VERSION")).to_owned()),
        ("quarterdeck-delivery", letter.id.to_string()),
        ("quarterdeck-timestamp", at.clone()),
    ];
    if let Some(from) = &hook.key {
        let key =
            reference::read(from, variable).await.map_err(|why| Failed::once(format!("its key, {from}: {why}")))?;
        headers.push(("quarterdeck-signature", format!("sha256={}", sign(&key, &at, &letter.body))));
    }
    // an address may change its certificate or its authority between two letters: nothing is kept
    let (plain, authority) = (hook.url.starts_with("http://"), hook.ca_file.clone());
    let read = move || if plain { Ok(tls::none()) } else { tls::trusting(authority.as_deref()) };
    let trust = tokio::task::spawn_blocking(read).await.unwrap_or_else(|error| Err(error.to_string()));
    let builder = reqwest::Client::builder().tls_backend_preconfigured(trust.map_err(Failed::once)?);
    // to this machine there is no way through a proxy
    let builder = if plain { builder.no_proxy() } else { builder };
    let client = builder
        .redirect(reqwest::redirect::Policy::none())
        .timeout(patience)
        .build()
        .map_err(|error| Failed::once(innermost(&error)))?;
    let request = headers.iter().fold(client.post(&hook.url), |request, (name, value)| request.header(*name, value));
    let answer = request.body(letter.body.clone()).send().await.map_err(|error| Failed::once(innermost(&error)))?;
    taken(answer.status().as_u16())
}

/// HMAC-SHA256 of `timestamp.body`, in hex.
fn sign(key: &[u8], at: &str, body: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return String::new() };
    for part in [at, ".", body] {
        mac.update(part.as_bytes());
    }
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
