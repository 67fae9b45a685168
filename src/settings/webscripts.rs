//! `kind = "webscripts"`: a server's address, as whom it is asked, and the groups that it is in. An entry whose address
//! or login is written down wrongly is left out: a script must not be sent to another server, or as somebody else.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::connections::Around;
use super::file::{Page, given};
use super::keys::Shape;
use super::reference::reference;
use crate::model::connection::{Login, WebScripts};
use crate::model::secret::KeyRef;

/// Requests in flight at a threaded server: twice what its own recipe for Apache has threads.
pub const REQUESTS: usize = 32;

pub const KEYS: [(&str, Shape); 9] = [
    ("url", Shape::Text),
    ("ca_file", Shape::Text),
    ("user", Shape::Text),
    ("password", Shape::Reference),
    ("api_key", Shape::Reference),
    ("threaded", Shape::Bool),
    ("requests", Shape::Whole { min: 1, max: 256 }),
    ("script_folder", Shape::Text),
    ("groups", Shape::Texts),
];

type Value<'v, 't> = &'v Spanned<DeValue<'t>>;

/// What the entry says of the server. `None`: it is left out, and why was said.
pub fn read(
    page: &mut Page<'_>,
    at: usize,
    name: &str,
    table: &DeTable<'_>,
    around: &Around<'_>,
) -> Option<WebScripts> {
    let find = |key: &str| table.iter().find(|(known, _)| known.get_ref() == key).map(|(_, value)| value);
    let mut right = true;
    let mut wrong = |at: usize, why: String| {
        page.problem(at, format!("connection `{name}`: {why}; it is left out"));
        right = false;
    };
    let url = match find("url") {
        None => {
            wrong(at, "has no `url`, such as \"http://reports.example:8000\"".to_owned());
            None
        }
        Some(value) => {
            let read = value.get_ref().as_str().ok_or_else(|| "expected an address".to_owned()).and_then(address);
            read.map_err(|why| wrong(value.span().start, format!("`url`: {why}"))).ok()
        }
    };
    let mut secret = |key: &str| -> Option<KeyRef> {
        let value = find(key)?;
        let read = reference(value.get_ref(), around.base, around.home);
        read.map_err(|why| wrong(value.span().start, format!("`{key}`: {why}"))).ok()
    };
    let (password, api_key) = (secret("password"), secret("api_key"));
    let user = find("user").and_then(|value| value.get_ref().as_str()).filter(|user| !user.is_empty());
    let place = |key: &str| find(key).map_or(at, |value| value.span().start);
    match (find("user").is_some(), find("password").is_some(), find("api_key").is_some()) {
        (_, true, true) | (true, _, true) => {
            wrong(place("api_key"), "`api_key` stands for `user` and `password`: write one or the other".to_owned());
        }
        (true, false, false) => wrong(place("user"), "`user` needs a `password`".to_owned()),
        (false, true, false) => wrong(place("password"), "`password` needs a `user`".to_owned()),
        _ => {}
    }
    if user.is_none() && find("user").is_some() {
        wrong(place("user"), "`user`: expected a name".to_owned());
    }
    if user.is_some_and(|user| user.starts_with('-')) {
        wrong(place("user"), "`user` begins with `-`: WebScripts takes such a name for an option".to_owned());
    }
    let login = match (user, password, api_key) {
        (Some(user), Some(password), _) => Login::Password { user: user.to_owned(), password },
        (_, _, Some(key)) => Login::ApiKey(key),
        _ => Login::None,
    };
    let groups = groups(page, name, find("groups"));
    let url = url.filter(|_| right)?;
    if let Some(value) = find("ca_file").filter(|_| !url.starts_with("https://")) {
        let why = "it is of no use where `url` is http://, which nobody vouches for";
        page.problem(value.span().start, format!("`ca_file` in connection `{name}`: {why}"));
    }
    Some(WebScripts {
        url,
        ca_file: None,
        login,
        threaded: false,
        requests: REQUESTS,
        script_folder: None,
        groups,
        environment: around.environment.clone(),
    })
}

/// Names that a target expression can hold. Others are said and left out.
fn groups(page: &mut Page<'_>, name: &str, value: Option<Value<'_, '_>>) -> Vec<String> {
    let Some(value) = value.filter(|value| Shape::Texts.check(given(value.get_ref())).is_ok()) else {
        return Vec::new();
    };
    let items = match value.get_ref() {
        DeValue::Array(items) => items.iter().collect(),
        _ => vec![value],
    };
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut groups = Vec::new();
    for item in items {
        let text = item.get_ref().as_str().unwrap_or_default();
        if text.is_empty() || text.len() > 64 || text.starts_with('-') || !text.chars().all(fits) {
            let shown: String = text.chars().take(40).collect();
            let why = format!("{shown:?} cannot name a group: letters, digits, `-`, `_` and `.` can");
            page.problem(item.span().start, format!("`groups` in connection `{name}`: {why}"));
        } else {
            groups.push(text.to_owned());
        }
    }
    groups.sort();
    groups.dedup();
    groups
}

/// The base address, without a slash at its end.
fn address(text: &str) -> Result<String, String> {
    let wrong = || "expected an address such as \"http://reports.example:8000\", perhaps with a path".to_owned();
    if text.chars().any(|c| c.is_whitespace() || c.is_control() || !c.is_ascii())
        || text.contains(['?', '#', '"', '\\'])
    {
        return Err(wrong());
    }
    let rest = ["http://", "https://"].iter().find_map(|scheme| text.strip_prefix(scheme)).ok_or_else(wrong)?;
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.contains('@') {
        return Err("a user or password does not belong in an address: write `user` and `password`".to_owned());
    }
    let (host, port) = match authority.strip_prefix('[').and_then(|v6| v6.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => authority.rsplit_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    let port_is_one = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    if host.is_empty() || !port_is_one || (host.contains(':') && !authority.starts_with('[')) {
        return Err(wrong());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::{Env, Overrides, Settings, read as read_settings};
    use super::*;
    use crate::model::connection::Kind;

    fn settings(text: &str) -> Settings {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config.toml");
        std::fs::write(&config, format!("[[connection]]\nname = \"ws\"\nkind = \"webscripts\"\n{text}\n")).unwrap();
        let env = Env::of(&[("HOME", "/home/ops"), ("QUARTERDECK_CONFIG", config.to_str().unwrap())]);
        read_settings(&env, "", &Overrides::default())
    }

    fn server(settings: &Settings) -> Option<&WebScripts> {
        settings.connections.iter().find_map(|connection| match &connection.kind {
            Kind::WebScripts(server) => Some(server),
            _ => None,
        })
    }

    #[test]
    fn a_server_is_read_whole() {
        let read = settings(
            "url = \"http://reports.example:8000/ws/\"\nuser = \"ops\"\npassword = { file = \"~/ws.password\" }\n\
             threaded = true\nrequests = 8\nscript_folder = \"~/scripts\"\ngroups = [\"reports\", \"eu\", \"eu\"]\nprotected = true",
        );
        assert_eq!(read.problems, [""; 0]);
        let server = server(&read).expect("it is there");
        assert_eq!(server.url, "http://reports.example:8000/ws");
        let password = KeyRef::File("/home/ops/ws.password".into());
        assert_eq!(server.login, Login::Password { user: "ops".into(), password });
        assert_eq!((server.threaded, server.in_flight(), server.groups.join(" ")), (true, 8, "eu reports".to_owned()));
        assert_eq!(server.script_folder.as_deref(), Some(std::path::Path::new("/home/ops/scripts")));
        assert!(read.connections.iter().any(|connection| connection.name == "ws" && connection.protected));
    }

    #[test]
    fn over_tls_who_vouches_for_the_server_can_be_named() {
        let read = settings("url = \"https://reports.example/ws\"\nca_file = \"~/ca.pem\"");
        assert_eq!(read.problems, [""; 0]);
        let server = server(&read).expect("it is there");
        assert_eq!(server.url, "https://reports.example/ws");
        assert_eq!(server.ca_file.as_deref(), Some(std::path::Path::new("/home/ops/ca.pem")));
    }

    #[test]
    fn a_server_that_says_nothing_of_itself_serves_one_request_at_a_time() {
        let read = settings("url = \"http://[::1]:8000\"\napi_key = { env = \"WS_KEY\" }\nrequests = 8");
        assert_eq!(read.problems, [""; 0]);
        let server = server(&read).expect("it is there");
        assert_eq!((server.in_flight(), &server.login), (1, &Login::ApiKey(KeyRef::Env("WS_KEY".into()))));
    }

    #[test]
    fn what_is_wrong_names_file_line_and_key_and_never_a_secret() {
        for (text, line, said) in [
            ("user = \"a\"", 1, "has no `url`"),
            ("url = \"https://\"", 4, "`url`: expected an address"),
            ("url = \"reports.example\"", 4, "`url`: expected an address"),
            ("url = \"http://\"", 4, "`url`: expected an address"),
            ("url = \"http://h:0\"", 4, "`url`: expected an address"),
            ("url = \"http://h:x\"", 4, "`url`: expected an address"),
            ("url = \"http://ops:hunter2@h\"", 4, "a user or password does not belong in an address"),
            ("url = \"http://h\"\nuser = \"a\"\npassword = \"hunter2\"", 6, "`password`: expected { env = "),
            ("url = \"http://h\"\nuser = \"a\"", 5, "`user` needs a `password`"),
            ("url = \"http://h\"\npassword = { env = \"A\" }", 5, "`password` needs a `user`"),
            ("url = \"http://h\"\nuser = \"-a\"\npassword = { env = \"A\" }", 5, "takes such a name for an option"),
            (
                "url = \"http://h\"\nuser = \"a\"\npassword = { env = \"A\" }\napi_key = { env = \"B\" }",
                7,
                "write one or the other",
            ),
        ] {
            let read = settings(text);
            assert!(server(&read).is_none(), "{text}");
            let problem = read.problems.iter().find(|problem| problem.contains(said));
            let problem = problem.unwrap_or_else(|| panic!("{text}: {:?}", read.problems));
            assert!(problem.contains(&format!("config.toml:{line}:")), "{text}: {problem}");
            assert!(read.problems.iter().all(|problem| !problem.contains("hunter2")), "{text}: {:?}", read.problems);
        }
    }

    #[test]
    fn a_slip_in_the_rest_keeps_the_server() {
        for (text, said) in [
            ("threded = true", "unknown key `threded` in connection `ws` (webscripts); did you mean `threaded`?"),
            ("requests = 0", "`requests` in connection `ws`: expected a whole number from 1 to 256, found 0"),
            ("groups = [\"a b\"]", "\"a b\" cannot name a group"),
            ("ca_file = \"x\"", "`ca_file` in connection `ws`: it is of no use where `url` is http://"),
        ] {
            let read = settings(&format!("url = \"http://h\"\n{text}"));
            assert!(server(&read).is_some(), "{text}");
            assert_eq!(read.problems.len(), 1, "{text}: {:?}", read.problems);
            assert!(read.problems[0].contains(said), "{text}: {:?}", read.problems);
        }
    }
}
