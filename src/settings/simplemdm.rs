//! `kind = "simplemdm"`: an account of SimpleMDM, by its API key. An entry whose address or key is written down wrongly
//! is left out: a script must not go to another account.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::connections::Around;
use super::env::absolute;
use super::file::{Page, given};
use super::keys::Shape;
use super::notify::address;
use super::reference::reference;
use crate::model::connection::SimpleMdm;

/// Where everybody's account is.
const URL: &str = "https://a.simplemdm.com";

/// Requests a second: what the system is known to take.
const RATE: u32 = 1;

const RATES: Shape = Shape::Whole { min: 1, max: 1000 };

pub const KEYS: [(&str, Shape); 4] =
    [("url", Shape::Text), ("api_key", Shape::Reference), ("ca_file", Shape::Text), ("rate", RATES)];

/// What the entry says of the account. `None`: it is left out, and why was said.
pub fn read(page: &mut Page<'_>, at: usize, name: &str, table: &DeTable<'_>, around: &Around<'_>) -> Option<SimpleMdm> {
    let find = |key: &str| -> Option<&Spanned<DeValue<'_>>> {
        table.iter().find(|(known, _)| known.get_ref() == key).map(|(_, value)| value)
    };
    let text = |key: &str| find(key).and_then(|value| value.get_ref().as_str());
    let mut wrong = |at: usize, why: String| {
        page.problem(at, format!("connection `{name}`: {why}; it is left out"));
    };
    let url = match find("url") {
        None => Ok(URL.to_owned()),
        Some(value) => {
            let url = value.get_ref().as_str().ok_or_else(|| "expected an address".to_owned()).and_then(base);
            url.map_err(|why| wrong(value.span().start, format!("`url`: {why}")))
        }
    };
    let key = match find("api_key") {
        None => {
            wrong(at, "has no `api_key`, such as { env = \"SIMPLEMDM_API_KEY\" }".to_owned());
            Err(())
        }
        Some(value) => {
            let key = reference(value.get_ref(), around.base, around.home);
            key.map_err(|why| wrong(value.span().start, format!("`api_key`: {why}")))
        }
    };
    let rate = find("rate").map(|value| given(value.get_ref())).filter(|rate| RATES.check(*rate).is_ok());
    let rate = match rate {
        Some(super::keys::Given::Whole(rate)) => u32::try_from(rate).unwrap_or(RATE),
        _ => RATE,
    };
    let ca_file = text("ca_file").filter(|path| !path.is_empty()).map(|path| absolute(path, around.base, around.home));
    Some(SimpleMdm { url: url.ok()?, api_key: key.ok()?, ca_file, rate, environment: around.environment.clone() })
}

/// The address before `/api/v1`.
fn base(text: &str) -> Result<String, String> {
    address(text).map_err(|why| why.replace("sign it with `key`", "write `api_key`"))?;
    if text.contains(['?', '#', '"', '\\']) {
        return Err("expected an address such as \"https://a.simplemdm.com\"".to_owned());
    }
    let text = text.trim_end_matches('/');
    Ok(text.strip_suffix("/api/v1").unwrap_or(text).trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::{Env, Overrides, Settings, read as read_settings};
    use super::*;
    use crate::model::connection::Kind;
    use crate::model::secret::KeyRef;

    fn settings(text: &str) -> Settings {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config.toml");
        std::fs::write(&config, format!("[[connection]]\nname = \"macs\"\nkind = \"simplemdm\"\n{text}\n")).unwrap();
        let env = Env::of(&[("HOME", "/home/ops"), ("QUARTERDECK_CONFIG", config.to_str().unwrap())]);
        read_settings(&env, "", &Overrides::default())
    }

    fn account(settings: &Settings) -> Option<&SimpleMdm> {
        settings.connections.iter().find_map(|connection| match &connection.kind {
            Kind::SimpleMdm(account) => Some(account),
            _ => None,
        })
    }

    #[test]
    fn an_account_needs_its_key_alone() {
        let read = settings("api_key = { env = \"MDM\" }");
        assert_eq!(read.problems, [""; 0]);
        let account = account(&read).expect("it is there");
        assert_eq!((account.url.as_str(), account.rate, &account.ca_file), (URL, 1, &None));
        assert_eq!(account.api_key, KeyRef::Env("MDM".into()));
    }

    #[test]
    fn an_account_is_read_whole() {
        let read = settings(
            "url = \"https://mdm.example:8443/api/v1/\"\napi_key = { file = \"~/mdm\" }\nca_file = \"~/ca.pem\"\nrate = 4\nprotected = true",
        );
        assert_eq!(read.problems, [""; 0]);
        let account = account(&read).expect("it is there");
        assert_eq!((account.url.as_str(), account.rate), ("https://mdm.example:8443", 4));
        assert_eq!(account.ca_file.as_deref(), Some(std::path::Path::new("/home/ops/ca.pem")));
        assert!(read.connections.iter().any(|connection| connection.name == "macs" && connection.protected));
    }

    #[test]
    fn what_is_wrong_names_file_line_and_key_and_never_a_secret() {
        for (text, line, said) in [
            ("url = \"https://a.simplemdm.com\"", 1, "has no `api_key`"),
            ("api_key = \"hunter2\"", 4, "`api_key`: expected { env = "),
            ("api_key = { env = \"A\" }\nurl = \"http://mdm.example\"", 5, "`url`: expected an https:// address"),
            ("api_key = { env = \"A\" }\nurl = \"https://k:hunter2@mdm.example\"", 5, "write `api_key`"),
            ("api_key = { env = \"A\" }\nurl = \"https://mdm.example/?x\"", 5, "`url`: expected an address"),
        ] {
            let read = settings(text);
            assert!(account(&read).is_none(), "{text}");
            let problem = read.problems.iter().find(|problem| problem.contains(said));
            let problem = problem.unwrap_or_else(|| panic!("{text}: {:?}", read.problems));
            assert!(problem.contains(&format!("config.toml:{line}:")), "{text}: {problem}");
            assert!(read.problems.iter().all(|problem| !problem.contains("hunter2")), "{text}: {:?}", read.problems);
        }
    }

    #[test]
    fn a_slip_in_the_rest_keeps_the_account() {
        for (text, said) in [
            ("rate = 0", "`rate` in connection `macs`: expected a whole number from 1 to 1000, found 0"),
            ("user = \"ops\"", "unknown key `user` in connection `macs` (simplemdm)"),
        ] {
            let read = settings(&format!("api_key = {{ env = \"A\" }}\n{text}"));
            assert_eq!(account(&read).map(|account| account.rate), Some(1), "{text}");
            assert_eq!(read.problems.len(), 1, "{text}: {:?}", read.problems);
            assert!(read.problems[0].contains(said), "{text}: {:?}", read.problems);
        }
    }
}
