//! Keys of other programs: made, looked up with every request, revoked. A key is told once, to whoever made it; what is
//! kept is its hash.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::store::tokens::{self, Hash};
use super::{Engine, problem};
use crate::model::audit::{Act, Deed};
use crate::model::plan::Caller;
use crate::model::token::{Key, Made, NewToken, Scope, Token, name};
use crate::model::wire::{Code, Problem};

/// What every key begins with: found by whoever looks for secrets that were committed by mistake.
const MARK: &str = "qd_";

/// More that count at once are a mistake in a script.
const MOST: usize = 1000;

/// How often the use of a key is written down.
const NOTED_EVERY_MS: i64 = 60_000;

/// A key that counts.
pub struct Live {
    pub key: Arc<Key>,
    /// It has been revoked: what goes on in its name ends.
    pub revoked: CancellationToken,
    /// When its use was written down last, in milliseconds.
    noted: AtomicI64,
}

impl Live {
    fn new(key: Key) -> Arc<Self> {
        Arc::new(Self { key: Arc::new(key), revoked: CancellationToken::new(), noted: AtomicI64::new(0) })
    }
}

/// Those that count, by hash: to look one up is to hash what was said, whether it is right or wrong.
#[derive(Default)]
pub struct Tokens(RwLock<HashMap<Hash, Arc<Live>>>);

impl Tokens {
    pub fn of(live: Vec<(Hash, Key)>) -> Self {
        Self(RwLock::new(live.into_iter().map(|(hash, key)| (hash, Live::new(key))).collect()))
    }

    fn find(&self, hash: &Hash) -> Option<Arc<Live>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(hash).cloned()
    }

    fn count(&self) -> usize {
        self.0.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn put(&self, hash: Hash, key: Key) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(hash, Live::new(key));
    }

    fn forget(&self, hash: &Hash) {
        if let Some(live) = self.0.write().unwrap_or_else(PoisonError::into_inner).remove(hash) {
            live.revoked.cancel();
        }
    }
}

fn hashed(key: &str) -> Hash {
    Sha256::digest(key.as_bytes()).into()
}

impl Engine {
    /// Whose key this is; that it was used is noted.
    pub fn key(&self, said: &str) -> Option<Arc<Live>> {
        let hash = hashed(said);
        let live = self.tokens.find(&hash)?;
        let now = Timestamp::now();
        let before = live.noted.load(Ordering::Relaxed);
        if now.as_millisecond() - before >= NOTED_EVERY_MS {
            live.noted.store(now.as_millisecond(), Ordering::Relaxed);
            let db = self.jobs.store.db.clone();
            tokio::spawn(async move {
                if let Err(error) = db.call(move |db| tokens::used(db, &hash, now)).await {
                    tracing::warn!(%error, "the use of a key is not noted");
                }
            });
        }
        Some(live)
    }

    pub async fn token_list(&self) -> Result<Vec<Token>, Problem> {
        Ok(self.jobs.store.db.call(|db| tokens::list(db)).await?)
    }

    /// Makes a key, which nobody will tell again.
    pub async fn make_token(&self, asked: NewToken, caller: &Caller) -> Result<Made, Problem> {
        let invalid = |why: String| problem(Code::Invalid, why);
        name(&asked.name).map_err(invalid)?;
        if asked.scopes.is_empty() {
            return Err(invalid("a key without a scope may do nothing: read, run, edit or admin".to_owned()));
        }
        if let Some(groups) = &asked.groups {
            if asked.scopes.contains(&Scope::Admin) {
                let why = "a key with the scope admin reaches everything: it cannot be limited to groups";
                return Err(invalid(why.to_owned()));
            }
            self.resolve(groups).await?;
        }
        if self.tokens.count() >= MOST {
            return Err(problem(Code::Refused, format!("there are {MOST} keys already: revoke some")));
        }
        let mut random = [0; 32];
        getrandom::fill(&mut random).map_err(|error| problem(Code::Internal, format!("no random numbers: {error}")))?;
        let key = format!("{MARK}{}", URL_SAFE_NO_PAD.encode(random));
        let mut scopes = asked.scopes;
        scopes.sort_by_key(|scope| *scope as u8);
        scopes.dedup();
        let (hash, groups) = (hashed(&key), asked.groups);
        let now = Timestamp::now();
        let token = Token { name: asked.name, scopes, groups, created_at: now, used_at: None, revoked_at: None };
        let kept = token.clone();
        if !self.jobs.store.db.call(move |db| tokens::add(db, &hash, &kept)).await? {
            let why = format!("there is a key named {} already: revoke it first, or take another name", token.name);
            return Err(invalid(why));
        }
        self.tokens
            .put(hash, Key { name: token.name.clone(), scopes: token.scopes.clone(), groups: token.groups.clone() });
        let words: Vec<&str> = token.scopes.iter().map(|scope| scope.word()).collect();
        let limit = token.groups.as_ref().map(|groups| format!(", limited to {groups}")).unwrap_or_default();
        let note = Some(format!("made {}: {}{limit}", token.name, words.join(",")));
        self.audit(Deed { note, ..Deed::of(Act::Token, &self.user, caller) }).await?;
        Ok(Made { token, key })
    }

    /// From now on it opens nothing, and what goes on in its name ends.
    pub async fn revoke_token(&self, name: String, caller: &Caller) -> Result<(), Problem> {
        let (now, asked) = (Timestamp::now(), name.clone());
        let Some(hash) = self.jobs.store.db.call(move |db| tokens::revoke(db, &asked, now)).await? else {
            return Err(problem(Code::NotFound, format!("no key named {name} counts: see `quarterdeck tokens ls`")));
        };
        self.tokens.forget(&hash);
        let note = Some(format!("revoked {name}"));
        self.audit(Deed { note, ..Deed::of(Act::Token, &self.user, caller) }).await
    }
}
