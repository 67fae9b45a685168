//! The stand-in of SimpleMDM as a connection of a test's own home.

use super::home::Home;
use super::mdm::{KEY, Mdm};

impl Mdm {
    /// Its entry of config.toml, with the key in a file and as fast as a test wants it.
    pub fn connection(&self, home: &Home, name: &str, more: &str) -> String {
        self.connection_at(home, name, &self.url(), &format!("rate = 1000\n{more}"))
    }

    /// The same, where a proxy stands before it, or the pace matters.
    pub fn connection_at(&self, home: &Home, name: &str, url: &str, more: &str) -> String {
        let key = home.private(&format!("{name}.key"), format!("{KEY}\n"));
        format!(
            "[[connection]]\nname = {name:?}\nkind = \"simplemdm\"\nurl = {url:?}\napi_key = {{ file = {key:?} }}\n{more}\n"
        )
    }
}
