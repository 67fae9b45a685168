//! SimpleMDM accounts, as an operator meets them through the verbs, against a stand-in that keeps the contract with its
//! quirks and fails when it is told to.

mod support;

use serde_json::Value;
use support::mdm::{Fault, KEY, Mdm, SECRET};
use support::pty::any_file_holds;
use support::{Home, eventually};

fn home_of(mdm: &Mdm, more: &str) -> Home {
    let home = Home::empty();
    home.config(&mdm.connection(&home, "macs", more));
    home
}

/// The devices of the account by id.
fn devices(home: &Home) -> Vec<Value> {
    let told = home.qd(["targets", "ls", "--json"]).ok().json();
    let all = told["devices"].as_array().expect("devices").clone();
    all.into_iter().filter(|device| device["connection"] == "macs").collect()
}

fn warnings(home: &Home) -> String {
    home.qd(["targets", "ls", "--json"]).ok().json()["connections"].to_string()
}

#[test]
fn an_accounts_devices_and_groups_stand_among_the_targets() {
    let mdm = Mdm::start();
    {
        let mut world = mdm.world();
        let macs = world.macs(3);
        let phone = world.device("Ann's iPhone", "iPhone 15");
        world.group("Build farm", &[macs[0], phone]);
        world.legacy("Lab", &[macs[1]]);
        world.dynamic("On 15.2", &[macs[2]]);
        world.devices.get_mut(&macs[0]).unwrap().custom.insert("site".into(), "eu".into());
    }
    let home = home_of(&mdm, "");
    eventually("the devices have come", || devices(&home).len() == 4);
    let all = devices(&home);
    let phone = all.iter().find(|device| device["name"] == "Ann's iPhone").expect("it is shown");
    assert!(phone["cannot"].as_str().expect("why").contains("Macs alone"), "{phone}");
    let mac = all.iter().find(|device| device["name"] == "mac-00001").expect("it is shown");
    assert_eq!((mac["facts"]["os"].as_str(), mac["facts"]["attr.site"].as_str()), (Some("macOS"), Some("eu")));
    for (expr, count) in [("\"Build farm\"", 2), ("Lab", 1), ("\"On 15.2\"", 1), ("os:macOS", 3), ("attr.site:eu", 1)] {
        let told = home.qd(["targets", "resolve", expr, "--json"]).ok().json();
        assert_eq!(told["count"], count, "{expr}: {told}");
    }
    let told = home.qd(["doctor", "macs:mac-00001", "--json"]).ok().json();
    assert!(told["steps"].as_array().expect("steps").iter().all(|step| step["fine"] == true), "{told}");
}

#[test]
fn no_secret_of_a_device_and_no_key_is_kept() {
    let mdm = Mdm::start();
    mdm.world().macs(3);
    let home = home_of(&mdm, "");
    eventually("the devices have come", || devices(&home).len() == 3);
    eventually("they are kept for the next start", || any_file_holds(&home.state(), b"mac-00003"));
    for secret in [SECRET, KEY] {
        assert!(!any_file_holds(&home.state(), secret.as_bytes()), "{secret} is kept");
    }
}

#[test]
fn a_key_that_is_not_right_is_said_and_repeated_to_nobody() {
    let mdm = Mdm::start();
    mdm.world().macs(1);
    mdm.world().key = "another".to_owned();
    let home = home_of(&mdm, "");
    eventually("it is said", || warnings(&home).contains("the API key is not accepted (401)"));
    assert!(!warnings(&home).contains(KEY));
    assert!(!any_file_holds(&home.state(), KEY.as_bytes()));
}

#[test]
fn a_large_account_costs_the_fewest_requests_and_survives_what_happens_on_the_way() {
    let mdm = Mdm::start();
    mdm.world().macs(1_000);
    mdm.fault("GET /api/v1/devices", Fault::Status(500));
    mdm.fault("GET /api/v1/devices", Fault::Half);
    mdm.fault("GET /api/v1/devices", Fault::TooMany(0));
    let home = home_of(&mdm, "");
    eventually("the devices have come", || devices(&home).len() == 1_000);
    assert_eq!((mdm.count("GET /api/v1/devices"), mdm.faults_left()), (10 + 3, 0));
}
