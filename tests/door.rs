//! The API for other programs, at the real binary: curl speaks to the engine's socket as SimpleMDM's own documentation
//! tells it to. Every encoding, every call, and what is refused.

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use support::curl::Door;
use support::{Home, eventually};

/// Three devices, which are this machine under three names.
fn three() -> Home {
    let home = Home::empty();
    home.config("[[connection]]\nname = \"one\"\nkind = \"local\"\n[[connection]]\nname = \"two\"\nkind = \"local\"\n[[connection]]\nname = \"three\"\nkind = \"local\"\n");
    home
}

const SPEAKS: &str = "#!/bin/sh\necho out\necho err >&2\n";

// ---- scripts ---------------------------------------------------------------------------------------------

#[test]
fn a_script_comes_in_every_encoding_and_goes_back_byte_by_byte() {
    let home = Home::empty();
    let door = Door::of(&home);
    let text = "#!/bin/sh\r\necho h\u{e9}llo +&=%41\r\n";
    home.file("my.sh", text);
    let base64 = STANDARD.encode(text);
    let json = json!({ "name": "as JSON", "file": text, "variable_support": true }).to_string();
    let coded = json!({ "name": "as Base64 in JSON", "content_base64": base64 }).to_string();
    let in_query =
        format!("/scripts/?name=in+the+query&variable_support=True&content_base64={}", base64.replace('+', "%2B"));
    let kind = "Content-Type: application/json";
    let boundary = "--cut\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.sh\"\r\n\r\n";
    let labelled = format!("{boundary}{text}\r\n--cut--\r\n");
    let mut made = Vec::new();
    for (path, arguments, stdin, variables) in [
        ("/scripts", &["-F", "name=as parts", "-F", "variable_support=1", "-F", "file=@my.sh"][..], "", true),
        ("/scripts/", &["-d", "name=as a form", "--data-urlencode", "file@my.sh"], "", false),
        ("/scripts", &["-H", kind, "-d", &json], "", true),
        ("/scripts", &["-H", kind, "-d", &coded], "", false),
        (&in_query, &["-X", "POST"], "", true),
        (
            "/scripts",
            &["-F", "name=Base64 as a part", "-F", "encoding=base64", "-F", &format!("file={base64}")],
            "",
            false,
        ),
        // a client that labels its upload wrongly
        (
            "/scripts?name=labelled+wrongly&variable_support=False",
            &["-H", kind, "--data-binary", "@-"],
            &labelled,
            false,
        ),
        ("/scripts?name=not+labelled", &["-H", "Content-Type:", "--data-binary", "@-"], &labelled, false),
    ] {
        let script = door.curl_with(path, arguments, stdin.as_bytes()).is(201).json()["data"].clone();
        assert_eq!(
            (&script["type"], &script["attributes"]["content"]),
            (&json!("script"), &json!(text)),
            "{path} {arguments:?}"
        );
        assert_eq!(script["attributes"]["variable_support"], variables, "{path} {arguments:?}");
        let id = script["id"].as_u64().expect("a number");
        let again = door.get(&format!("/scripts/{id}?limit=100&encoding=base64"))["data"].clone();
        assert_eq!(again["attributes"]["content_base64"], base64);
        let file = again["attributes"]["file_name"].as_str().expect("a file");
        assert_eq!(std::fs::read(home.library().join(file)).expect("the library's file"), text.as_bytes());
        made.push(id);
    }
    let mut sorted = made.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(made, sorted, "numbers only grow");
}

#[test]
fn a_script_is_changed_renamed_and_deleted_and_its_number_is_its_own() {
    let home = Home::empty();
    let door = Door::of(&home);
    let id = door.script("Rotate cache", SPEAKS);
    let path = format!("/scripts/{id}");
    assert!(home.library().join("Rotate-cache.sh").exists(), "the console shows it under a readable name");
    let changed = door.curl(&path, &["-X", "PATCH", "-d", "variable_support=1"]).is(200).json();
    assert_eq!(changed["data"]["attributes"]["content"], SPEAKS);
    assert_eq!(changed["data"]["attributes"]["variable_support"], true);
    let changed =
        door.curl(&path, &["-F", "_method=PATCH", "--form-string", "file=#!/bin/sh\nexit 4\n"]).is(200).json();
    assert_eq!(changed["data"]["attributes"]["content"], "#!/bin/sh\nexit 4\n");
    let changed = door.curl(&format!("{path}/?name=a/b%20c"), &["-X", "PATCH"]).is(200).json();
    assert_eq!(changed["data"]["attributes"]["name"], "a/b c");
    assert_eq!(changed["data"]["attributes"]["file_name"], "a-b-c.sh");
    // renamed by an operator: the number stays
    home.qd(["scripts", "rename", "a-b-c.sh", "other.sh"]).ok();
    assert_eq!(door.get(&path)["data"]["attributes"]["name"], "other.sh");
    let gone = door.curl(&path, &["-X", "DELETE"]).is(204);
    assert!(gone.body.is_empty());
    door.curl(&path, &[]).refuses(404, "object not found");
    assert_ne!(door.script("other.sh", SPEAKS), id, "a number is given once");
}

#[test]
fn lists_come_in_pages_of_ten() {
    let home = Home::empty();
    let door = Door::of(&home);
    for n in 0..12 {
        home.script(&format!("s{n:02}.sh"), SPEAKS);
    }
    let all = door.get("/scripts?limit=100");
    let ids: Vec<u64> = all["data"].as_array().unwrap().iter().map(|row| row["id"].as_u64().unwrap()).collect();
    assert_eq!(all["has_more"], false);
    assert!(ids.len() > 12 && ids.is_sorted());
    for (direction, ids) in [("asc", ids.clone()), ("desc", ids.into_iter().rev().collect::<Vec<_>>())] {
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = door.get(&format!("/scripts?direction={direction}{after}"));
            let rows = page["data"].as_array().unwrap();
            assert!(rows.len() <= 10);
            seen.extend(rows.iter().map(|row| row["id"].as_u64().unwrap()));
            if page["has_more"] == false {
                break;
            }
            assert_eq!(rows.len(), 10);
            after = format!("&starting_after={}", seen.last().unwrap());
        }
        assert_eq!(seen, ids, "{direction}");
    }
    door.curl("/scripts?limit=0", &[]).refuses(422, "limit");
    door.curl("/scripts?limit=x", &[]).refuses(422, "limit");
    door.curl("/scripts?starting_after=x", &[]).refuses(422, "starting_after");
    door.curl("/scripts?direction=up", &[]).refuses(422, "direction");
}

#[test]
fn variables_are_filled_in_for_each_device_where_a_script_asks_for_it() {
    let home = three();
    let door = Door::of(&home);
    let text = "#!/bin/sh\necho '{{device_name}} {{site}} {{other}} {{.Names}}'\n";
    let plain = door.script("plain", text);
    let id = door.script("filled", text);
    door.curl(&format!("/scripts/{id}"), &["-X", "PATCH", "-d", "variable_support=1"]).is(200);
    door.curl("/custom_attributes", &["-d", "name=site&default_value=nowhere"]).is(201);
    let devices = door.devices();
    let value = format!("/devices/{}/custom_attribute_values/site", devices[0]);
    door.curl(&value, &["-X", "PUT", "-d", "value=eu"]).is(200);
    let ids: Vec<String> = devices.iter().map(u64::to_string).collect();
    let launch = |script: u64| {
        let (script, devices) = (format!("script_id={script}"), format!("device_ids={}", ids.join(",")));
        door.ended(door.launch(&["-d", &script, "-d", &devices]))
    };
    let said = |job: &Value| -> Vec<String> {
        let rows = job["relationships"]["device"]["data"].as_array().expect("rows").iter();
        rows.map(|row| row["response"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let job = launch(id);
    let mut lines = said(&job);
    lines.sort();
    let rest = "{{other}} {{.Names}}\n";
    assert_eq!(lines.iter().filter(|line| line.ends_with(&format!("eu {rest}"))).count(), 1, "{lines:?}");
    assert_eq!(lines.iter().filter(|line| line.ends_with(&format!("nowhere {rest}"))).count(), 2, "{lines:?}");
    assert!(!lines.concat().contains("{{device_name}}"), "{lines:?}");
    assert_eq!(job["attributes"]["content"], text, "the snapshot is what was saved");
    assert!(said(&launch(plain)).iter().all(|line| line.contains("{{site}}")));
    // whoever launches it, and once more what ran
    let ran = home.qd(["run", "filled.sh", "--target", "one", "--wait"]).ok().text();
    assert!(ran.contains("{{other}}") && !ran.contains("{{site}}"), "{ran}");
    let ran = home.qd(["rerun", &job["id"].to_string(), "--ok", "--confirm", "3", "--wait"]).ok().text();
    assert!(!ran.contains("{{site}}"), "{ran}");
    // a device of which that is not known is sent nothing
    let lacks = door.script("lacks", "#!/bin/sh\necho {{phone_number}}\n");
    door.curl(&format!("/scripts/{lacks}"), &["-X", "PATCH", "-d", "variable_support=1"]).is(200);
    let job = launch(lacks);
    assert_eq!(job["attributes"]["errored_count"], 3, "{job}");
    let row = &job["relationships"]["device"]["data"][0];
    assert_eq!((&row["stdout"], &row["started_at"]), (&json!(""), &Value::Null), "{row}");
    let why = row["reason"].as_str().unwrap_or_default();
    assert!(why.contains("nothing is known of this device for {{phone_number}}"), "{row}");
}

// ---- what is refused -------------------------------------------------------------------------------------

#[test]
fn what_cannot_be_meant_is_refused_with_a_title_and_nothing_is_changed() {
    let home = Home::empty();
    let door = Door::of(&home);
    let (id, device) = (door.script("fine", SPEAKS), door.devices()[0].to_string());
    let before = door.get("/scripts?limit=100");
    let kind = "Content-Type: application/json";
    let cut = "--cut\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nhalf";
    let bomb = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let script = format!("script_id={id}");
    let devices = format!("device_ids={device}");
    for (path, arguments, stdin, status, says) in [
        ("/scripts", &["-d", "file=#!/bin/sh"][..], "", 422, "name can't be blank"),
        ("/scripts", &["-d", "name=x"], "", 422, "file can't be blank"),
        ("/scripts", &["-d", "name=x&file=echo"], "", 422, "shebang"),
        ("/scripts", &["-d", "name=x&file="], "", 422, "file can't be blank"),
        ("/scripts", &["-d", "name=x&content_base64=%21"], "", 422, "not Base64"),
        ("/scripts", &["-d", "name=x&variable_support=2&file=%23%21/bin/sh"], "", 422, "variable_support"),
        ("/scripts", &["-H", kind, "-d", "{"], "", 400, "not JSON"),
        ("/scripts", &["-H", kind, "--data-binary", "@-"], &bomb, 400, "nests deeper"),
        (
            "/scripts",
            &["-H", "Content-Type: multipart/form-data; boundary=cut", "--data-binary", "@-"],
            cut,
            400,
            "cut off",
        ),
        ("/scripts/99999", &[], "", 404, "object not found"),
        ("/scripts/abc", &[], "", 404, "object not found"),
        ("/scripts/..%2f..%2fetc%2fpasswd", &[], "", 404, "object not found"),
        ("/scripts/1/2/3", &[], "", 404, "no such address"),
        ("/scripts", &["-X", "PUT"], "", 405, "not possible"),
        ("/scripts/99999", &["-X", "DELETE"], "", 404, "object not found"),
        ("/script_jobs", &["-d", &devices], "", 422, "script_id"),
        ("/script_jobs", &["-d", &script], "", 422, "at least one of them"),
        ("/script_jobs", &["-d", "script_id=99999", "-d", &devices], "", 404, "no script has the id 99999"),
        ("/script_jobs", &["-d", "script_name=nobody", "-d", &devices], "", 404, "nobody"),
        ("/script_jobs", &["-d", &script, "-d", "device_ids=99999"], "", 422, "no device has the id 99999"),
        ("/script_jobs", &["-d", &script, "-d", "device_ids=local"], "", 422, "'local' is not an id"),
        ("/script_jobs", &["-d", &script, "-d", "group_ids=99999"], "", 422, "no group has the id 99999"),
        ("/script_jobs", &["-d", &script, "-d", &devices, "-d", "custom_attribute=none"], "", 422, "custom_attribute"),
        (
            "/script_jobs",
            &["-d", &script, "-d", &devices, "-d", "custom_attribute_regex=("],
            "",
            422,
            "custom_attribute_regex",
        ),
        ("/script_jobs/99999", &[], "", 404, "object not found"),
        ("/script_jobs/99999", &["-X", "DELETE"], "", 404, "object not found"),
        ("/script_jobs?status=odd", &[], "", 422, "status"),
        ("/script_jobs?created_after=soon", &[], "", 422, "created_after"),
        ("/devices/99999", &[], "", 404, "object not found"),
        ("/devices", &["-d", "name=new"], "", 422, "inventories"),
        (&format!("/devices/{device}/restart"), &["-X", "POST"], "", 422, "not possible here"),
        (&format!("/devices/{device}/users"), &[], "", 422, "users"),
        ("/assignment_groups", &["-d", "name=new"], "", 422, "groups are not changed"),
        ("/custom_attributes", &["-d", "name=a-b"], "", 422, "letters, digits"),
        ("/custom_attributes/none", &[], "", 404, "none"),
        ("/logs/xyz", &[], "", 404, "object not found"),
        ("/logs?starting_after=xyz", &[], "", 422, "starting_after"),
    ] {
        let answer = door.curl_with(path, arguments, stdin.as_bytes());
        assert_eq!(answer.status, status, "{path} {arguments:?}: {}", answer.text());
        answer.refuses(status, says);
    }
    assert_eq!(door.get("/scripts?limit=100"), before, "nothing was changed");
    assert_eq!(door.get("/script_jobs")["data"], json!([]), "nothing was launched");
}

#[test]
fn a_body_that_is_far_too_large_is_refused_before_it_is_read() {
    let home = Home::empty();
    let door = Door::of(&home);
    let large = vec![b'x'; 100 << 20];
    let answer = door.curl_with("/scripts", &["-H", "Expect:", "--data-binary", "@-"], &large);
    answer.refuses(413, "larger than");
    assert!(door.get("/scripts")["data"].is_array(), "it keeps serving");
}

// ---- jobs ------------------------------------------------------------------------------------------------

#[test]
fn a_job_runs_on_the_engines_devices_and_the_console_sees_it() {
    let home = three();
    let door = Door::of(&home);
    let ids = door.devices();
    assert_eq!(ids.len(), 3);
    let script = door.script("Three ways", "#!/bin/sh\necho out\necho err >&2\nexit 3\n").to_string();
    let (one, two) = (ids[0], ids[1]);
    let id = door.launch(&["-F", &format!("script_id={script}"), "-F", &format!("device_ids={one}, {two},{one}")]);
    let seen = home.qd(["jobs", "ls", "--json"]).ok().text();
    assert!(seen.contains(&format!("\"id\":{id},")) || seen.contains(&format!("\"id\": {id},")), "{seen}");
    let job = door.ended(id);
    let told = &job["attributes"];
    assert_eq!(told["status"], "completed-with-errors", "{job}");
    assert_eq!((&told["script_name"], &told["job_name"]), (&json!("Three ways"), &json!("API Job")));
    assert_eq!(
        (&told["errored_count"], &told["success_count"], &told["pending_count"]),
        (&json!(2), &json!(0), &json!(0))
    );
    assert!(told["created_by"].as_str().is_some_and(|by| by.starts_with("API (")), "{told}");
    assert_eq!(told["job_id"].as_str().map(str::len), Some(5));
    assert!(told["created_at"].as_str().is_some_and(|at| at.len() == 29 && at.ends_with("+00:00")), "{told}");
    assert_eq!(told["content"], "#!/bin/sh\necho out\necho err >&2\nexit 3\n");
    assert!(job["relationships"].get("custom_attribute").is_none(), "{job}");
    let rows = job["relationships"]["device"]["data"].as_array().expect("rows");
    assert_eq!(rows.len(), 2, "overlaps collapse");
    for row in rows {
        assert_eq!((&row["status"], &row["status_code"]), (&json!("error"), &json!("3")), "{row}");
        assert_eq!((&row["stdout"], &row["stderr"]), (&json!("out\n"), &json!("err\n")));
        assert_eq!(row["response"].as_str().map(str::len), Some(8), "both, as they came");
        assert!(row["started_at"].is_string() && row["finished_at"].is_string());
        let log = door.get(&format!("/logs/{}", row["log_id"].as_str().expect("a log")))["data"].clone();
        assert_eq!(
            (&log["attributes"]["event_type"], &log["attributes"]["metadata"]["job_status"]),
            (&json!("script.ran"), &json!("3"))
        );
        assert_eq!(log["attributes"]["metadata"]["device_id"], row["id"]);
        let raw = |stream: &str| door.curl(&format!("/script_jobs/{id}/devices/{}/{stream}", row["id"]), &[]).is(200);
        assert_eq!((raw("stdout").text(), raw("stdout").kind), ("out\n".into(), "application/octet-stream".into()));
        assert_eq!(raw("stderr?encoding=base64").text(), STANDARD.encode("err\n"));
    }
    let listed = door.get("/script_jobs?direction=desc&limit=1")["data"][0].clone();
    assert_eq!(listed["id"], id);
    let row = &listed["relationships"]["device"]["data"][0];
    assert_eq!(row.as_object().map(|row| row.len()), Some(3), "in a list: type, id and status");
    // the snapshot outlives the script
    door.curl(&format!("/scripts/{script}"), &["-X", "DELETE"]).is(204);
    assert_eq!(door.ended(id)["attributes"]["content"], told["content"]);
    door.curl(&format!("/script_jobs/{id}"), &["-X", "DELETE"]).refuses(422, "ended already");
    home.end_engine(rustix::process::Signal::TERM);
    home.qd(["targets", "ls"]).ok();
    assert_eq!(door.devices(), ids, "numbers outlive the engine");
    assert_eq!(door.get(&format!("/script_jobs/{id}"))["data"], job, "and so does the job");
}

#[test]
fn every_encoding_creates_a_job() {
    let home = Home::empty();
    let door = Door::of(&home);
    let (script, device) = (door.script("Say", SPEAKS), door.devices()[0]);
    let form = format!("script_id={script}&device_ids={device}&custom_attribute_regex=%5Cn");
    let json = json!({ "script_id": script.to_string(), "device_ids": [device.to_string()] }).to_string();
    let by_name = json!({ "script_name": "Say", "device_ids": device }).to_string();
    let kind = "Content-Type: application/json";
    for (path, arguments) in [
        ("/script_jobs".to_owned(), &["-d", &form][..]),
        (format!("/script_jobs?{form}"), &["-X", "POST", "-H", kind]),
        ("/script_jobs/".to_owned(), &["-H", kind, "-d", &json]),
        ("/script_jobs".to_owned(), &["-H", kind, "-d", &by_name]),
    ] {
        let made = door.curl(&path, arguments).is(201).json();
        let job = door.ended(made["data"]["id"].as_u64().expect("an id"));
        assert_eq!(job["attributes"]["status"], "completed", "{path} {arguments:?}: {job}");
        assert_eq!(job["attributes"]["script_id"], script);
    }
}

#[test]
fn jobs_of_the_console_are_shown_and_the_list_can_be_filtered() {
    let home = three();
    let door = Door::of(&home);
    let ids = door.devices();
    let (fine, bad) = (door.script("fine", SPEAKS).to_string(), door.script("bad", "#!/bin/sh\nexit 1\n").to_string());
    let on = |script: &str, device: u64| {
        let id = door.launch(&["-d", &format!("script_id={script}"), "-d", &format!("device_ids={device}")]);
        door.ended(id);
        id
    };
    let (first, second) = (on(&fine, ids[0]), on(&bad, ids[1]));
    let third = home.qd(["run", "fine.sh", "--target", "one"]).ok().job_id();
    let third_job = door.ended(third);
    assert_eq!(third_job["attributes"]["job_name"], "Console Job");
    let created = door.get(&format!("/script_jobs/{second}"))["data"]["attributes"]["created_at"].clone();
    let created = created.as_str().expect("a moment").replace('+', "%2B");
    for (query, expected) in [
        (String::new(), vec![first, second, third]),
        (format!("script_id={bad}"), vec![second]),
        (format!("script_id={fine}"), vec![first, third]),
        ("script_name=bad".into(), vec![second]),
        ("status=completed".into(), vec![first, third]),
        ("status=completed-with-errors&limit=100".into(), vec![second]),
        ("status=pending,cancelled".into(), vec![]),
        (format!("device_id={}", ids[0]), vec![first, third]),
        (format!("target_type=device&target_id={}", ids[1]), vec![second]),
        ("device_ids=99999".into(), vec![]),
        ("target_type=assignment_group".into(), vec![]),
        (format!("created_after={created}"), vec![third]),
        (format!("created_before={created}"), vec![first]),
        ("updated_before=2001-01-01".into(), vec![]),
        ("updated_after=1d".into(), vec![first, second, third]),
    ] {
        let page = door.get(&format!("/script_jobs?{query}"));
        let got: Vec<u64> = page["data"].as_array().unwrap().iter().map(|row| row["id"].as_u64().unwrap()).collect();
        assert_eq!(got, expected, "{query}");
    }
}

#[test]
fn a_job_that_waits_is_cancelled() {
    let home = Home::empty();
    let door = Door::of(&home);
    let script = door.script("slow", "#!/bin/sh\necho begun\nexec sleep 600\n");
    let ids = [format!("script_id={script}"), format!("device_ids={}", door.devices()[0])];
    let id = door.launch(&["-d", &ids[0], "-d", &ids[1]]);
    let path = format!("/script_jobs/{id}");
    let pending = door.get(&path)["data"].clone();
    assert_eq!(pending["attributes"]["status"], "pending");
    let row = &pending["relationships"]["device"]["data"][0];
    assert_eq!(
        (&row["status"], &row["status_code"], &row["response"]),
        (&json!("pending"), &Value::Null, &Value::Null)
    );
    door.curl("/script_jobs", &["-d", &ids[0], "-d", &ids[1]]).refuses(422, &format!("busy in job {id}"));
    door.curl(&path, &["-X", "DELETE"]).is(204);
    // what runs there is given its time to end
    eventually("it is cancelled", || door.get(&path)["data"]["attributes"]["status"] == "cancelled");
    assert_eq!(door.get(&path)["data"]["relationships"]["device"]["data"][0]["status"], "cancelled");
    door.curl(&path, &["-X", "DELETE"]).refuses(422, "ended already");
}

#[test]
fn groups_are_launched_on_and_read_only_and_protected_connections_are_heeded() {
    let home = Home::empty();
    home.config(
        "[[connection]]\nname = \"one\"\nkind = \"local\"\n[[connection]]\nname = \"two\"\nkind = \"local\"\nprotected = true\n\
         [[connection]]\nname = \"three\"\nkind = \"local\"\nread_only = true\n",
    );
    let door = Door::of(&home);
    home.qd(["targets", "save", "both", "one | two"]).ok();
    let script = format!("script_id={}", door.script("Say", SPEAKS));
    let group = door.get("/assignment_groups")["data"][0].clone();
    assert_eq!(
        (&group["attributes"]["name"], &group["attributes"]["group_type"]),
        (&json!("both"), &json!("dynamic")),
        "{group}"
    );
    assert_eq!(group["relationships"]["devices"]["data"].as_array().map(Vec::len), Some(2));
    let ids = format!("assignment_group_ids={}", group["id"]);
    door.curl("/script_jobs", &["-d", &script, "-d", &ids]).refuses(422, "confirm=2");
    door.curl("/script_jobs", &["-d", &script, "-d", &ids, "-d", "confirm=3"]).refuses(422, "2 devices");
    let id = door.launch(&["-d", &script, "-d", &ids, "-d", "confirm=2"]);
    let job = door.ended(id);
    assert_eq!(job["attributes"]["success_count"], 2, "{job}");
    assert_eq!(job["attributes"]["target"], "@both");
    let search = door.get("/devices?search=THREE:");
    let fixed = format!("device_ids={}", search["data"][0]["id"]);
    door.curl("/script_jobs", &["-d", &script, "-d", &fixed]).refuses(422, "read-only");
}

// ---- devices, attributes, logs ---------------------------------------------------------------------------

#[test]
fn outputs_become_values_of_a_custom_attribute() {
    let home = Home::empty();
    let door = Door::of(&home);
    let device = door.devices()[0];
    let made = door.curl("/custom_attributes", &["-d", "name=cache_state", "-d", "default_value=cold"]).is(201).json();
    assert_eq!(made["data"]["id"], "cache_state");
    door.curl("/custom_attributes", &["-d", "name=Cache_State"]).refuses(422, "taken");
    let values = format!("/devices/{device}/custom_attribute_values");
    let value = |door: &Door<'_>| door.get(&values)["data"][0]["attributes"].clone();
    assert_eq!(value(&door), json!({ "name": "cache_state", "value": "cold", "secret": false, "source": "account" }));
    let script = door.script("state", "#!/bin/sh\necho state: warm\necho noise >&2\n");
    let id = door.launch(&[
        "-F",
        &format!("script_id={script}"),
        "-F",
        &format!("device_ids={device}"),
        "-F",
        "custom_attribute=cache_state",
        "-F",
        "custom_attribute_regex=^state: |\\n",
    ]);
    let job = door.ended(id);
    assert_eq!(job["relationships"]["custom_attribute"]["data"]["id"], "cache_state", "{job}");
    eventually("the output is kept", || value(&door)["value"] == "warm");
    let row =
        door.get(&format!("/devices/{device}"))["data"]["relationships"]["custom_attribute_values"]["data"][0].clone();
    assert_eq!((&row["id"], &row["attributes"]["value"]), (&json!("cache_state"), &json!("warm")));
    door.curl(&format!("{values}/cache_state"), &["-X", "PUT", "-d", "value=hot"]).is(200);
    let several = json!({ "data": [{ "name": "CACHE_STATE", "value": "lukewarm" }] }).to_string();
    door.curl(&values, &["-X", "PUT", "-H", "Content-Type: application/json", "-d", &several]).is(200);
    assert_eq!(value(&door)["value"], "lukewarm");
    let wrong = json!({ "data": [{ "name": "none", "value": "x" }] }).to_string();
    door.curl(&values, &["-X", "PUT", "-H", "Content-Type: application/json", "-d", &wrong]).refuses(422, "none");
    let many = json!({ "data": [{ "device_id": device.to_string(), "value": "all" }] }).to_string();
    let bulk = ["-X", "PUT", "-H", "Content-Type: application/json", "-d", &many];
    door.curl("/custom_attribute_values/cache_state", &bulk).is(200);
    assert_eq!(value(&door)["value"], "all");
    door.curl("/custom_attributes/cache_state", &["-X", "PATCH", "-d", "default_value=none"]).is(204);
    assert_eq!(door.get("/custom_attributes")["data"][0]["attributes"]["default_value"], "none");
    door.curl("/custom_attributes/cache_state", &["-X", "DELETE"]).is(204);
    assert_eq!(door.get(&values)["data"], json!([]));
}

#[test]
fn the_log_is_read_on_from_the_last_line_that_is_known() {
    let home = Home::empty();
    let door = Door::of(&home);
    let script = door.script("Say", SPEAKS);
    let device = door.get("/devices")["data"][0].clone();
    let id = door.launch(&["-d", &format!("script_id={script}"), "-d", &format!("device_ids={}", device["id"])]);
    door.ended(id);
    let page = door.get("/logs?limit=100");
    let rows = page["data"].as_array().unwrap();
    let events: Vec<&str> = rows.iter().filter_map(|row| row["attributes"]["event_type"].as_str()).collect();
    for event in ["quarterdeck.save", "quarterdeck.launch", "script.ran"] {
        assert!(events.contains(&event), "{event}: {events:?}");
    }
    let first = &rows[0];
    assert_eq!(first["id"].as_str().map(str::len), Some(32));
    assert_eq!(first["attributes"]["at"].as_str().map(str::len), Some(17), "MM/DD/YY HH:MM:SS: {first}");
    assert_eq!(first["attributes"]["relationships"]["account"]["data"]["type"], "account");
    let last = rows.last().unwrap()["id"].as_str().unwrap();
    assert_eq!(door.get(&format!("/logs?starting_after={last}"))["data"], json!([]));
    let again = door.launch(&["-d", &format!("script_id={script}"), "-d", &format!("device_ids={}", device["id"])]);
    door.ended(again);
    let news = door.get(&format!("/logs?starting_after={last}&limit=100"));
    let ran: Vec<&Value> =
        news["data"].as_array().unwrap().iter().filter(|row| row["attributes"]["event_type"] == "script.ran").collect();
    assert_eq!((ran.len(), &ran[0]["attributes"]["metadata"]["script_job_id"]), (1, &json!(again)));
    let serial = device["attributes"]["serial_number"].as_str().unwrap();
    let of_device = door.get(&format!("/logs?serial_number={serial}"));
    assert_eq!(of_device["data"].as_array().map(Vec::len), Some(2));
    assert_eq!(door.get("/logs?serial_number=NOBODY")["data"], json!([]));
}

#[test]
fn a_job_tells_what_it_does_while_it_does_it() {
    let home = Home::empty();
    let door = Door::of(&home);
    let script = door.script("Say", SPEAKS);
    let device = door.devices()[0];
    let id = door.launch(&["-d", &format!("script_id={script}"), "-d", &format!("device_ids={device}")]);
    // the stream ends with the job
    let told = door.curl(&format!("/script_jobs/{id}/events"), &["--no-buffer"]).is(200);
    assert_eq!(told.kind, "text/event-stream");
    let text = told.text();
    for says in [
        "event: job\ndata: {\"devices\":[",
        "\"stream\":\"stdout\",\"text\":\"out\\n\"",
        "\"stream\":\"stderr\",\"text\":\"err\\n\"",
        "event: end\n",
        "\"status\":\"completed\"",
    ] {
        assert!(text.contains(says), "{says}: {text}");
    }
}
