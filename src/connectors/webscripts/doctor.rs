//! How a server is reached and whether it answers, step by step, for an operator.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::server::Server;
use crate::model::device::{Device, Reach};
use crate::model::wire::{Doctor, Step};

/// How often it is looked whether a login is held up.
const LOOK_EVERY: Duration = Duration::from_millis(100);

pub async fn doctor(server: &Arc<Server>, device: &Device) -> Doctor {
    let steps = examine(server).await;
    Doctor { device: device.id.clone(), way: "WebScripts".into(), why: "kind = \"webscripts\"".into(), steps }
}

/// The server as a whole: what its only device is.
pub async fn examine(server: &Arc<Server>) -> Vec<Step> {
    let settings = &server.settings;
    let mut steps = vec![address(&settings.url, settings.ca_file.as_deref())];
    let busy = server.is_busy();
    if busy {
        steps.push(Step::new("at work", true, "on requests of ours; it is asked when those are answered"));
    }
    // an operator is told that a login must wait, and does not sit through it
    let waits = tokio::select! {
        biased;
        () = server.read_shelf() => None,
        left = must_wait(server) => Some(left),
    };
    let shelf = server.shelf();
    match (&shelf.problem, shelf.reach) {
        _ if let Some(left) = waits => {
            let left = left.as_secs() + 1;
            let text = format!(
                "{}: in {left} s; another was made from here just now, and WebScripts shuts out who logs in too often",
                server.session.whom()
            );
            steps.push(Step::new("login", true, text));
        }
        (None, _) => {
            let version = if shelf.server.is_empty() { "WebScripts" } else { shelf.server.as_str() };
            steps.push(Step::new("answers", true, version));
            let whom =
                if server.session.has_login() { server.session.whom() } else { "nobody is asked for".to_owned() };
            steps.push(Step::new("login", true, whom));
            let categories: std::collections::BTreeSet<&str> =
                shelf.scripts.iter().map(|script| script.category.as_str()).collect();
            let several = if categories.len() == 1 { "category" } else { "categories" };
            let text = format!("{} in {} {several}", shelf.scripts.len(), categories.len());
            steps.push(Step::new("scripts", !shelf.scripts.is_empty(), text));
        }
        (Some(why), Reach::Offline) => steps.push(Step::new("answers", false, why)),
        (Some(why), _) => {
            steps.push(Step::new("answers", true, "something does"));
            steps.push(Step::new("login", false, why));
        }
    }
    let way = match (settings.threaded, settings.in_flight()) {
        (true, most) => format!("{most} at most, as `threaded` says"),
        (false, _) => "one at a time; write `threaded = true` if it serves several".to_owned(),
    };
    steps.push(Step::new("requests", true, way));
    if let Some(folder) = &settings.script_folder {
        steps.push(match tokio::fs::read_dir(folder).await {
            Ok(_) => Step::new("script folder", true, folder.display().to_string()),
            Err(error) => Step::new("script folder", false, format!("{}: {error}", folder.display())),
        });
    }
    steps
}

/// Returns once a login is held up, for so long.
async fn must_wait(server: &Server) -> Duration {
    loop {
        if let Some(left) = server.session.waits().await {
            return left;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Plain HTTP is fine where nobody can listen.
fn address(url: &str, ca_file: Option<&Path>) -> Step {
    if url.starts_with("https://") {
        let vouched = ca_file.map(|path| format!(", trusting {} as well", path.display())).unwrap_or_default();
        return Step::new("address", true, format!("{url}{vouched}"));
    }
    let host = url.trim_start_matches("http://").split('/').next().unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host).trim_matches(['[', ']']);
    let here = host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    if here {
        Step::new("address", true, url)
    } else {
        let text = format!(
            "{url}: over plain HTTP password and output can be read on the way: put TLS in front of it (https://), or a tunnel"
        );
        Step::new("address", false, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_fine_on_this_machine_alone() {
        for (url, fine) in [
            ("http://127.0.0.1:8000/ws", true),
            ("http://localhost", true),
            ("http://[::1]:8000", true),
            ("http://10.0.0.1:8000", false),
            ("http://127.0.0.1.example", false),
            ("https://10.0.0.1:8443", true),
        ] {
            assert_eq!(address(url, None).fine, fine, "{url}");
        }
        let vouched = address("https://h", Some(Path::new("/etc/ca.pem")));
        assert_eq!(vouched.text, "https://h, trusting /etc/ca.pem as well");
    }
}
