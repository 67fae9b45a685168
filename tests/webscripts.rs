//! WebScripts servers, as an operator meets them through the verbs: the real server from PyPI, single-threaded and with
//! threads.

mod support;

use serde_json::{Value, json};
use support::Home;
use support::verb::of_kind;
use support::webscripts::{Site, connection};

const ARGUMENTS: &str = "n=0\nfor a in \"$@\"; do n=$((n + 1)); echo \"argv[$n]=$a\"; done\necho \"argc=$n\"\n\
                         echo stdin; cat; echo; echo end\n";

fn arguments() -> Value {
    json!({ "description": "Prints what it gets.", "args": [
        { "name": "name", "description": "A positional text", "example": "bob" },
        { "name": "--count", "html_type": "number", "default_value": "3" },
        { "name": "--verbose", "html_type": "checkbox" },
        { "name": "tags", "list": true },
        { "name": "color", "predefined_values": ["", "red", "green"], "default_value": "red" },
        { "name": "secret", "html_type": "password", "input": true },
        { "name": "document", "html_type": "file", "input": true },
        { "name": "note", "is_advanced": true },
    ] })
}

#[test]
fn a_servers_scripts_stand_beside_the_local_ones() {
    let home = Home::empty();
    let server = Site::new().script("arguments.sh", ARGUMENTS, arguments()).start(&home, "site");
    home.config(&connection(&home, "ws", &server.url(), &server.user(), ""));
    let library = home.qd(["scripts", "ls", "--json"]).ok().json();
    let scripts = library["scripts"].as_array().expect("scripts");
    let own = scripts.iter().find(|script| script["name"] == "ws:arguments.sh").expect("it is listed");
    assert_eq!((own["category"].as_str(), own["describe"].as_str()), (Some("Demo"), Some("Prints what it gets.")));
    assert!(own["read_only"].as_str().expect("why").contains("script_folder"));
    let ran = home.qd(["run", "ws:arguments.sh", "--param", "name=x", "--wait", "--json"]).ok();
    let events = ran.events();
    let lines: Vec<&str> = of_kind(&events, "output").iter().filter_map(|line| line["text"].as_str()).collect();
    assert_eq!(lines[0], "argv[1]=x", "{ran}");
}
