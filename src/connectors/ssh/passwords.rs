//! Passwords, for servers that take nothing better: asked for once a user name, kept in memory alone, and tried with
//! care. A wrong password sent to 500 hosts locks an account that they share; so the first host proves it, the others
//! wait for that, and after a refusal no other host is tried.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::secret::Secret;

/// Whether a password is right.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Standing {
    Untried,
    /// Some server took it.
    Right,
    /// By which host.
    Refused(String),
}

struct Password {
    value: Secret,
    standing: tokio::sync::Mutex<Standing>,
}

/// How one try went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    In,
    Refused,
    /// It says nothing about the password (the server hung up, or asked for something else).
    Unclear,
}

/// The passwords of one connection.
#[derive(Default)]
pub struct Passwords {
    by_user: Mutex<HashMap<String, Arc<Password>>>,
    /// Hosts, by alias, that were found to let nobody in with a key.
    wanting: Mutex<HashSet<String>>,
}

impl Passwords {
    pub fn keep(&self, user: &str, value: Secret) {
        let password = Password { value, standing: tokio::sync::Mutex::new(Standing::Untried) };
        self.by_user.lock().unwrap_or_else(PoisonError::into_inner).insert(user.to_owned(), Arc::new(password));
    }

    /// This host takes a password alone: the next launch asks for it.
    pub fn wanted_by(&self, alias: &str) {
        self.wanting.lock().unwrap_or_else(PoisonError::into_inner).insert(alias.to_owned());
    }

    pub fn is_wanted_by(&self, alias: &str) -> bool {
        self.wanting.lock().unwrap_or_else(PoisonError::into_inner).contains(alias)
    }

    /// One is kept that no server has refused.
    pub fn has(&self, user: &str) -> bool {
        self.of(user).is_some_and(|password| {
            // being tried right now: it is there
            password.standing.try_lock().map_or(true, |standing| !matches!(*standing, Standing::Refused(_)))
        })
    }

    fn of(&self, user: &str) -> Option<Arc<Password>> {
        self.by_user.lock().unwrap_or_else(PoisonError::into_inner).get(user).cloned()
    }

    /// Tries the user's password at a host. `Err`: not tried there, and why.
    pub async fn attempt(
        &self,
        user: &str,
        alias: &str,
        login: impl AsyncFnOnce(&Secret) -> Tried,
    ) -> Result<Tried, String> {
        let Some(password) = self.of(user) else {
            return Err(format!(
                "it takes a password: launch again on a terminal or in the console, and that of {user} is asked for"
            ));
        };
        let mut standing = password.standing.lock().await;
        match &*standing {
            Standing::Refused(by) => {
                return Err(format!("the password of {user} was refused by {by} and is not tried here"));
            }
            Standing::Right => {
                drop(standing);
                return Ok(login(&password.value).await);
            }
            Standing::Untried => {}
        }
        let tried = login(&password.value).await;
        match tried {
            Tried::In => *standing = Standing::Right,
            Tried::Refused => *standing = Standing::Refused(alias.to_owned()),
            Tried::Unclear => {}
        }
        Ok(tried)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_wrong_password_is_sent_to_one_host_and_to_no_other() {
        let passwords = Passwords::default();
        passwords.keep("ops", Secret::new("wrong"));
        let sent = AtomicUsize::new(0);
        let hosts: Vec<String> = (0..50).map(|n| format!("web{n}")).collect();
        let tries = hosts.iter().map(|host| {
            passwords.attempt("ops", host, async |password| {
                assert_eq!(password.expose(), "wrong");
                sent.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                Tried::Refused
            })
        });
        let told = futures::future::join_all(tries).await;
        assert_eq!(sent.into_inner(), 1);
        assert_eq!(
            told.iter().filter(|told| told.as_ref().is_err_and(|why| why.contains("refused by web0"))).count(),
            49
        );
        assert!(!passwords.has("ops"), "it is asked for again");
        passwords.keep("ops", Secret::new("right"));
        assert!(passwords.has("ops"));
    }

    #[tokio::test]
    async fn a_right_password_opens_all_and_one_odd_host_does_not_spoil_it() {
        let passwords = Passwords::default();
        passwords.keep("ops", Secret::new("right"));
        assert_eq!(passwords.attempt("ops", "broken", async |_| Tried::Unclear).await, Ok(Tried::Unclear));
        assert_eq!(passwords.attempt("ops", "web1", async |_| Tried::In).await, Ok(Tried::In));
        assert_eq!(passwords.attempt("ops", "other", async |_| Tried::Refused).await, Ok(Tried::Refused));
        assert_eq!(passwords.attempt("ops", "web2", async |_| Tried::In).await, Ok(Tried::In));
        assert!(
            passwords.attempt("root", "web1", async |_| Tried::In).await.unwrap_err().contains("of root is asked for")
        );
    }
}
