//! The API for other programs where a SimpleMDM account is one of the engine's connections: its devices, attributes and
//! jobs are told beside those of the engine's own.

mod support;

use serde_json::{Value, json};
use support::curl::Door;
use support::mdm::Mdm;
use support::{Home, eventually};

#[test]
fn a_system_that_fills_variables_in_by_itself_is_told_to() {
    let mdm = Mdm::start();
    mdm.world().macs(1);
    let home = Home::empty();
    home.config(&mdm.connection(&home, "macs", ""));
    let door = Door::of(&home);
    eventually("the device has come", || home.qd(["targets", "resolve", "macs", "--json"]).ok().json()["count"] == 1);
    let id = door.script("filled", "#!/bin/sh\necho {{serial_number}}\n");
    door.curl(&format!("/scripts/{id}"), &["-X", "PATCH", "-d", "variable_support=1"]).is(200);
    home.qd(["run", "filled.sh", "--target", "macs", "--wait"]).ok();
    let world = mdm.world();
    let copy = world.scripts.values().next().expect("the copy");
    assert!(copy.variable_support && copy.content.contains("{{serial_number}}"), "{copy:?}");
}

#[test]
fn an_accounts_devices_have_the_values_that_the_account_tells() {
    let mdm = Mdm::start();
    let there = mdm.world().mac("mini");
    {
        let mut world = mdm.world();
        world.legacy("Lab", &[there]);
        let waits = world.mac("new");
        world.devices.get_mut(&waits).expect("it").status = "awaiting enrollment".to_owned();
        let custom = [("site", "eu"), ("cache_state", "cold")].map(|(name, value)| (name.into(), value.into()));
        world.devices.get_mut(&there).expect("it").custom = custom.into();
        world.attributes = ["site", "cache_state", "of_nobody"].map(|name| (name.into(), String::new())).into();
    }
    let home = Home::empty();
    home.config(&format!("[[connection]]\nname = \"here\"\nkind = \"local\"\n{}", mdm.connection(&home, "macs", "")));
    let door = Door::of(&home);
    eventually("the device has come", || home.qd(["targets", "resolve", "macs:mini", "--json"]).code() == 0);
    let of = |name: &str| {
        let found = door.get(&format!("/devices?search={name}"))["data"].clone();
        assert_eq!(found.as_array().map(Vec::len), Some(1), "{found}");
        found[0].clone()
    };
    let mac = of("macs:mini");
    for (name, value) in [
        ("status", json!("enrolled")),
        ("device_name", json!("mini")),
        ("last_seen_at", json!("2026-01-02T11:04:05.678+00:00")),
        ("last_seen_ip", json!("203.0.113.7")),
        ("enrolled_at", json!("2025-01-02T03:04:05.678-08:00")),
        ("serial_number", json!(format!("C02{there:07}"))),
        ("unique_identifier", json!(format!("UDID-{there}"))),
        ("os_version", json!("15.2")),
        ("build_version", json!("24C101")),
        ("model_name", json!("MacBook Pro")),
        ("model", json!("Z15G/A")),
        ("product_name", Value::Null),
        ("processor_architecture", json!("arm64")),
        ("battery_level", json!("93%")),
        ("device_capacity", json!(494.4)),
        ("available_device_capacity", json!(120.5)),
        ("is_supervised", json!(true)),
        ("filevault_enabled", json!(true)),
        ("wifi_mac", json!("00:00:5e:00:53:01")),
    ] {
        assert_eq!(mac["attributes"][name], value, "{name}: {mac}");
    }
    assert_eq!(of("00:00:5e:00:53:01")["id"], mac["id"]);
    let group = mac["relationships"]["device_group"]["data"]["id"].clone();
    assert_eq!(door.get(&format!("/device_groups/{group}"))["data"]["attributes"]["name"], "Lab");

    // what nobody finished to enrol is there for who asks, as it is there
    assert_eq!(door.get("/devices?search=macs:new")["data"], json!([]));
    let all = door.get("/devices?search=macs:new&include_awaiting_enrollment=True");
    let all = all["data"][0]["attributes"].clone();
    assert_eq!((&all["status"], &all["is_supervised"]), (&json!("awaiting enrollment"), &json!(true)));
    assert!(all["cannot"].as_str().is_some_and(|why| why.contains("not enrolled")), "{all}");

    // its attributes beside those that are kept here; of a name that both have, what is kept here counts
    door.curl("/custom_attributes", &["-d", "name=owner", "-d", "default_value=nobody"]).is(201);
    let names = |rows: &Value| {
        let rows = rows.as_array().expect("rows").iter();
        rows.map(|row| row["id"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&door.get("/custom_attributes")["data"]), ["cache_state", "of_nobody", "owner", "site"]);
    assert_eq!(door.get("/custom_attributes/SITE")["data"]["attributes"]["connections"], json!(["macs"]));
    let values = format!("/devices/{}/custom_attribute_values", mac["id"]);
    assert_eq!(names(&door.get(&values)["data"]), ["owner", "cache_state", "site"]);
    assert_eq!(door.get(&format!("{values}/site"))["data"]["attributes"]["value"], "eu");
    let here = format!("/devices/{}/custom_attribute_values", of("here:")["id"]);
    assert_eq!(names(&door.get(&here)["data"]), ["owner"]);
    door.curl(&format!("{here}/site"), &[]).refuses(404, "not found");
    door.curl(&format!("{values}/site"), &["-X", "PUT", "-d", "value=us"]).refuses(422, "attribute of macs");
    door.curl("/custom_attributes/site", &["-X", "DELETE"]).refuses(422, "attribute of macs");
    door.curl("/custom_attributes", &["-d", "name=site"]).is(201);
    door.curl(&format!("{values}/site"), &["-X", "PUT", "-d", "value=us"]).is(200);
    assert_eq!(of("macs:mini")["relationships"]["custom_attribute_values"]["data"][1]["attributes"]["value"], "us");

    // one that the account has is set by the account, on its devices alone
    let script = door.script("state", "#!/bin/sh\necho warm\n");
    let launch = |device: &Value| {
        let (script, device) = (format!("script_id={script}"), format!("device_ids={device}"));
        let keeps = "custom_attribute=cache_state";
        door.curl("/script_jobs", &["-F", &script, "-F", &device, "-F", keeps, "-F", "custom_attribute_regex=ok|\\n"])
    };
    launch(&of("here:")["id"]).refuses(422, "custom_attribute");
    let id = launch(&mac["id"]).is(201).json()["data"]["id"].as_u64().expect("an id");
    let job = door.ended(id);
    assert_eq!(job["attributes"]["custom_attribute_regex"], "ok|\\n", "{job}");
    assert_eq!(job["relationships"]["custom_attribute"]["data"]["id"], "cache_state", "{job}");
    assert_eq!(mdm.world().devices[&there].custom["cache_state"], "");
}

#[test]
fn every_job_tells_which_script_it_ran_and_what_its_launch_was_given() {
    let mdm = Mdm::start();
    let twice = {
        let mut world = mdm.world();
        let mac = world.mac("mini");
        world.attributes.insert("site".to_owned(), String::new());
        world.script("twice", "#!/bin/sh\necho first\n");
        let second = world.script("twice", "#!/bin/sh\necho second\n");
        let script = world.scripts[&second].clone();
        let job = world.job(&script, &[mac]);
        let imported = world.jobs.get_mut(&job).expect("it");
        (imported.custom_attribute, imported.regex) = (Some("site".to_owned()), Some("\\n".to_owned()));
        imported.variable_support = true;
        world.report(mac, 0, "eu\n");
        second
    };
    let home = Home::empty();
    home.config(&format!("[[connection]]\nname = \"here\"\nkind = \"local\"\n{}", mdm.connection(&home, "macs", "")));
    let door = Door::of(&home);
    eventually("the device has come", || home.qd(["targets", "resolve", "macs:mini", "--json"]).code() == 0);
    let one = |id: u64| door.get(&format!("/script_jobs/{id}"))["data"].clone();
    let newest = || door.get("/script_jobs?direction=desc&limit=1")["data"][0].clone();

    // launched from a terminal
    home.script("says.sh", "#!/bin/sh\necho hi\n");
    home.qd(["run", "says.sh", "--target", "here", "--wait"]).ok();
    let listed = door.get("/scripts")["data"][0].clone();
    let job = newest();
    let first = job["id"].as_u64().expect("an id");
    for job in [job, one(first)] {
        let told = &job["attributes"];
        assert_eq!((&told["script_id"], &told["script_name"]), (&listed["id"], &json!("says.sh")), "{job}");
        assert_eq!((&told["job_name"], &told["variable_support"]), (&json!("Console Job"), &json!(false)));
        assert_eq!((&told["custom_attribute_regex"], &told["status"]), (&Value::Null, &json!("completed")));
        assert_eq!(job["relationships"]["script"]["data"], json!({ "type": "script", "id": listed["id"] }));
        assert_eq!(job["relationships"]["custom_attribute"], Value::Null);
    }
    door.curl(&format!("/scripts/{}", listed["id"]), &["-X", "PATCH", "-d", "variable_support=1"]).is(200);
    let options = ["--option", "custom_attribute=site", "--option", "custom_attribute_regex=\\n"];
    home.verb(["run", "says.sh", "--target", "macs", "--wait"]).args(options).run().ok();
    let job = newest();
    assert_eq!(
        (&job["attributes"]["script_id"], &job["attributes"]["variable_support"]),
        (&listed["id"], &json!(true))
    );
    assert_eq!(job["attributes"]["custom_attribute_regex"], "\\n");
    assert_eq!(job["relationships"]["custom_attribute"]["data"]["id"], "site");

    // a script that is gone is no other of its name; a rerun is of the one that it was
    door.curl(&format!("/scripts/{}", listed["id"]), &["-X", "DELETE"]).is(204);
    home.script("says.sh", "#!/bin/sh\necho other\n");
    home.qd(["run", "says.sh", "--target", "here", "--wait"]).ok();
    let (other, before) = (newest(), one(first));
    assert_ne!(other["attributes"]["script_id"], listed["id"]);
    assert_eq!(
        (&before["attributes"]["script_id"], &before["attributes"]["content"]),
        (&listed["id"], &json!("#!/bin/sh\necho hi\n"))
    );
    let of = |id: &Value| door.get(&format!("/script_jobs?script_id={id}"))["data"].as_array().map(Vec::len);
    assert_eq!((of(&listed["id"]), of(&other["attributes"]["script_id"])), (Some(2), Some(1)));

    // one that the account ran: its script is told from the other of that name by its text
    home.qd(["scripts", "ls"]).ok();
    home.qd(["jobs", "import", "macs"]).ok();
    let all = door.get("/script_jobs?script_name=macs%3Atwice%20%23")["data"].clone();
    assert_eq!(all, json!([]), "half a name is none");
    let all = door.get(&format!("/script_jobs?script_name=macs%3Atwice%20%23{twice}"))["data"].clone();
    assert_eq!(all.as_array().map(Vec::len), Some(1), "{all}");
    let told = &all[0]["attributes"];
    assert_eq!((&told["job_name"], &told["created_by"]), (&json!("Imported Job"), &json!("API (ops key)")));
    assert_eq!((&told["variable_support"], &told["content"]), (&json!(true), &json!("#!/bin/sh\necho second\n")));
    assert_eq!((&told["custom_attribute_regex"], &told["script_id"]), (&json!("\\n"), &Value::Null));
    assert_eq!(all[0]["relationships"]["custom_attribute"]["data"]["id"], "site");
    let row = one(all[0]["id"].as_u64().expect("an id"))["relationships"]["device"]["data"][0].clone();
    assert_eq!(
        (&row["status"], &row["status_code"], &row["response"]),
        (&json!("completed"), &json!("0"), &json!("eu\n"))
    );
}
