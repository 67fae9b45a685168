//! What the stand-in knows: scripts, devices, groups and script jobs, and what devices do with a script.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// What a device does when it has a script to run.
#[derive(Clone, Debug)]
pub enum Behaves {
    /// Reports when somebody asks for the job the next time.
    Prompt { code: i32, output: String },
    /// Reports when somebody has asked so many times.
    Slow { asks: u32, code: i32, output: String },
    /// Only when the test says so.
    Silent,
}

impl Behaves {
    pub fn says(code: i32, output: &str) -> Self {
        Self::Prompt { code, output: output.to_owned() }
    }
}

#[derive(Clone, Debug)]
pub struct Device {
    pub name: String,
    pub model: String,
    pub status: String,
    pub behaves: Behaves,
    /// Of the dynamic and static groups that only the device tells.
    pub groups: Vec<u64>,
    pub legacy: Option<u64>,
    pub custom: BTreeMap<String, String>,
}

#[derive(Clone, Debug)]
pub struct Group {
    pub name: String,
    pub devices: Vec<u64>,
    pub nested: Vec<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    pub name: String,
    pub content: String,
    pub variable_support: bool,
    pub created_at: String,
    pub updated_at: String,
}

#[derive(Clone, Debug)]
pub struct Job {
    pub script_name: String,
    pub content: String,
    pub variable_support: bool,
    pub status: String,
    pub created_at: String,
    pub updated_at: String,
    pub custom_attribute: Option<String>,
    pub regex: Option<String>,
    pub rows: BTreeMap<u64, Row>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub status: String,
    pub code: Option<String>,
    pub response: Option<String>,
    /// How often somebody asked since.
    asked: u32,
}

pub struct World {
    next: u64,
    pub scripts: BTreeMap<u64, Script>,
    pub devices: BTreeMap<u64, Device>,
    pub assignment: BTreeMap<u64, Group>,
    pub legacy: BTreeMap<u64, Group>,
    pub jobs: BTreeMap<u64, Job>,
    pub attributes: BTreeMap<String, String>,
    /// The key that is accepted.
    pub key: String,
    /// Requests so far, each a moment of its clock.
    ticks: i64,
}

impl Default for World {
    fn default() -> Self {
        Self {
            next: 101,
            scripts: BTreeMap::new(),
            devices: BTreeMap::new(),
            assignment: BTreeMap::new(),
            legacy: BTreeMap::new(),
            jobs: BTreeMap::new(),
            attributes: BTreeMap::new(),
            key: super::KEY.to_owned(),
            ticks: 0,
        }
    }
}

impl World {
    fn id(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    /// Now, in the system's own form; never twice the same.
    pub fn now(&mut self) -> String {
        self.ticks += 1;
        let now = jiff::Timestamp::now() + jiff::SignedDuration::from_millis(self.ticks % 1000);
        let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(-8));
        now.to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
    }

    pub fn device(&mut self, name: &str, model: &str) -> u64 {
        let id = self.id();
        let device = Device {
            name: name.to_owned(),
            model: model.to_owned(),
            status: "enrolled".to_owned(),
            behaves: Behaves::says(0, "ok\n"),
            groups: Vec::new(),
            legacy: None,
            custom: BTreeMap::new(),
        };
        self.devices.insert(id, device);
        id
    }

    pub fn mac(&mut self, name: &str) -> u64 {
        self.device(name, "MacBook Pro")
    }

    pub fn macs(&mut self, count: usize) -> Vec<u64> {
        (1..=count).map(|n| self.mac(&format!("mac-{n:05}"))).collect()
    }

    pub fn behaves(&mut self, device: u64, behaves: Behaves) {
        self.devices.get_mut(&device).expect("a device").behaves = behaves;
    }

    pub fn group(&mut self, name: &str, devices: &[u64]) -> u64 {
        let id = self.id();
        self.assignment.insert(id, Group { name: name.to_owned(), devices: devices.to_vec(), nested: Vec::new() });
        id
    }

    /// A group of the old kind: a device is in one of them, and says so itself.
    pub fn legacy(&mut self, name: &str, devices: &[u64]) -> u64 {
        let id = self.id();
        self.legacy.insert(id, Group { name: name.to_owned(), devices: Vec::new(), nested: Vec::new() });
        for device in devices {
            self.devices.get_mut(device).expect("a device").legacy = Some(id);
        }
        id
    }

    /// One whose members only the devices name.
    pub fn dynamic(&mut self, name: &str, devices: &[u64]) -> u64 {
        let id = self.group(name, &[]);
        for device in devices {
            self.devices.get_mut(device).expect("a device").groups.push(id);
        }
        id
    }

    pub fn script(&mut self, name: &str, content: &str) -> u64 {
        let (id, now) = (self.id(), self.now());
        let (name, content) = (name.to_owned(), content.to_owned());
        let script = Script { name, content, variable_support: false, created_at: now.clone(), updated_at: now };
        self.scripts.insert(id, script);
        id
    }

    /// Another admin's edit.
    pub fn edit(&mut self, script: u64, content: &str) {
        let now = self.now();
        let script = self.scripts.get_mut(&script).expect("a script");
        (script.content, script.updated_at) = (content.to_owned(), now);
    }

    /// Every Mac of these, each once. `Err`: one is none, or not there.
    pub fn targets(&self, devices: &[u64], legacy: &[u64], assignment: &[u64]) -> Result<Vec<u64>, String> {
        let is_mac = |id: &u64| self.devices.get(id).is_some_and(|device| device.model.contains("Mac"));
        if let Some(other) = devices.iter().find(|id| !is_mac(id)) {
            return Err(format!("device {other} cannot run scripts"));
        }
        let mut all = devices.to_vec();
        let mut nested = legacy.to_vec();
        for id in assignment {
            let group = self.assignment.get(id).ok_or_else(|| format!("no assignment group {id}"))?;
            all.extend(&group.devices);
            nested.extend(&group.nested);
            all.extend(self.devices.iter().filter(|(_, device)| device.groups.contains(id)).map(|(id, _)| *id));
        }
        for id in nested {
            let group = self.legacy.get(&id).ok_or_else(|| format!("no group {id}"))?;
            all.extend(&group.devices);
            all.extend(self.devices.iter().filter(|(_, device)| device.legacy == Some(id)).map(|(id, _)| *id));
        }
        all.retain(is_mac);
        all.sort_unstable();
        all.dedup();
        Ok(all)
    }

    /// A script job as it was some time ago, or is now.
    pub fn job(&mut self, script: &Script, devices: &[u64]) -> u64 {
        let (id, now) = (self.id(), self.now());
        let row = Row { status: "pending".into(), code: None, response: None, asked: 0 };
        let job = Job {
            script_name: script.name.clone(),
            content: script.content.clone(),
            variable_support: script.variable_support,
            status: "pending".to_owned(),
            created_at: now.clone(),
            updated_at: now,
            custom_attribute: None,
            regex: None,
            rows: devices.iter().map(|device| (*device, row.clone())).collect(),
        };
        self.jobs.insert(id, job);
        id
    }

    /// A device says how its script ended, in every job in which it has not.
    pub fn report(&mut self, device: u64, code: i32, output: &str) {
        let jobs: Vec<u64> = self.jobs.keys().copied().collect();
        for job in jobs {
            self.end(job, device, code, output);
        }
    }

    /// A device says so in one of them.
    pub fn end(&mut self, job: u64, device: u64, code: i32, output: &str) {
        let now = self.now();
        let job = self.jobs.get_mut(&job).expect("a job");
        let Some(row) = job.rows.get_mut(&device).filter(|row| row.status == "pending") else { return };
        row.status = if code == 0 { "completed" } else { "error" }.to_owned();
        (row.code, row.response) = (Some(code.to_string()), Some(output.to_owned()));
        job.updated_at = now;
        if let Some(name) = job.custom_attribute.clone() {
            let clean = job.regex.as_deref().filter(|regex| !regex.is_empty());
            let clean = clean.map(|regex| regex::Regex::new(regex).expect("a regex"));
            let value = clean.map_or_else(|| output.to_owned(), |clean| clean.replace_all(output, "").into_owned());
            self.devices.get_mut(&device).expect("a device").custom.insert(name, value);
        }
        if job.rows.values().all(|row| row.status != "pending") {
            let bad = job.rows.values().any(|row| row.status == "error");
            job.status = if bad { "completed-with-errors" } else { "completed" }.to_owned();
        }
    }

    /// Somebody asks how these jobs stand: devices have had time to talk.
    pub fn asked_for(&mut self, jobs: &[u64]) {
        for id in jobs {
            let Some(job) = self.jobs.get_mut(id).filter(|job| job.status == "pending") else { continue };
            let mut ends = Vec::new();
            for (device, row) in job.rows.iter_mut().filter(|(_, row)| row.status == "pending") {
                row.asked += 1;
                match self.devices.get(device).map(|device| device.behaves.clone()) {
                    Some(Behaves::Prompt { code, output }) => ends.push((*device, code, output)),
                    Some(Behaves::Slow { asks, code, output }) if row.asked >= asks => {
                        ends.push((*device, code, output))
                    }
                    _ => {}
                }
            }
            for (device, code, output) in ends {
                self.end(*id, device, code, &output);
            }
        }
    }

    /// `Err`: it has ended.
    pub fn cancel(&mut self, job: u64) -> Result<(), String> {
        let now = self.now();
        let job = self.jobs.get_mut(&job).expect("a job");
        if job.status != "pending" {
            return Err("the job has ended already".to_owned());
        }
        job.rows.values_mut().filter(|row| row.status == "pending").for_each(|row| row.status = "cancelled".to_owned());
        (job.status, job.updated_at) = ("cancelled".to_owned(), now);
        Ok(())
    }

    // -- as it is shown --------------------------------------------------------------------------------

    pub fn show_script(&self, id: u64) -> Option<Value> {
        let Script { name, content, variable_support, created_at, updated_at } = self.scripts.get(&id)?;
        let attributes = json!({ "name": name, "content": content, "variable_support": variable_support,
                                 "created_at": created_at, "updated_at": updated_at });
        Some(json!({ "type": "script", "id": id, "attributes": attributes }))
    }

    pub fn show_device(&self, id: u64) -> Option<Value> {
        let device = self.devices.get(&id)?;
        let secret = format!("{}-{id}", super::SECRET);
        let attributes = json!({
            "name": device.name, "device_name": device.name, "status": device.status,
            "last_seen_at": "2026-01-02T03:04:05.678-08:00", "last_seen_ip": "203.0.113.7",
            "enrolled_at": "2025-01-02T03:04:05.678-08:00", "serial_number": format!("C02{id:07}"),
            "unique_identifier": format!("UDID-{id}"), "os_version": "15.2", "build_version": "24C101",
            "model_name": device.model, "product_name": null, "processor_architecture": "arm64",
            "battery_level": "93%", "is_supervised": true, "filevault_enabled": true, "device_capacity": 494.4,
            "available_device_capacity": 120.5, "model": "Z15G/A", "wifi_mac": "00:00:5e:00:53:01",
            "filevault_recovery_key": secret, "firmware_password": secret, "recovery_lock_password": secret,
            "firewall": { "enabled": true }, "ethernet_macs": [],
        });
        let of = |id: &u64| json!({ "type": "device_group", "id": id, "group_type": "static" });
        let custom = device.custom.iter().map(|(name, value)| {
            json!({ "type": "custom_attribute_value", "id": name, "attributes": { "value": value, "secret": false } })
        });
        let relationships = json!({
            "device_group": { "data": device.legacy.map(|id| json!({ "type": "device_group", "id": id })) },
            "groups": { "data": device.groups.iter().map(of).collect::<Vec<_>>() },
            "custom_attribute_values": { "data": custom.collect::<Vec<_>>() },
        });
        Some(json!({ "type": "device", "id": id, "attributes": attributes, "relationships": relationships }))
    }

    pub fn show_group(&self, kind: &str, id: u64) -> Option<Value> {
        let group = if kind == "assignment_group" { &self.assignment } else { &self.legacy }.get(&id)?;
        let of = |kind: &str, ids: &[u64]| ids.iter().map(|id| json!({ "type": kind, "id": id })).collect::<Vec<_>>();
        let relationships = json!({ "devices": { "data": of("device", &group.devices) },
                                    "device_groups": { "data": of("device_group", &group.nested) } });
        let attributes = json!({ "name": group.name, "auto_deploy": true });
        Some(json!({ "type": kind, "id": id, "attributes": attributes, "relationships": relationships }))
    }

    /// In a list rows have neither code nor output.
    pub fn show_job(&self, id: u64, whole: bool) -> Option<Value> {
        let job = self.jobs.get(&id)?;
        let count = |status: &str| job.rows.values().filter(|row| row.status == status).count();
        let rows = job.rows.iter().map(|(device, row)| {
            let mut shown = json!({ "type": "device", "id": device, "status": row.status });
            if whole {
                shown["status_code"] = json!(row.code);
                shown["response"] = json!(row.response);
            }
            shown
        });
        let mut shown = json!({ "type": "script_job", "id": id, "attributes": {
            "script_name": job.script_name, "job_name": "API Job", "content": job.content,
            "job_id": format!("{:05x}", id * 7919 % 0xf_ffff), "variable_support": job.variable_support,
            "status": job.status, "pending_count": count("pending"), "success_count": count("completed"),
            "errored_count": count("error"), "custom_attribute_regex": job.regex, "created_by": "API (ops key)",
            "created_at": job.created_at, "updated_at": job.updated_at,
        }, "relationships": { "device": { "data": rows.collect::<Vec<_>>() } } });
        if let Some(name) = &job.custom_attribute {
            shown["relationships"]["custom_attribute"] = json!({ "data": { "type": "custom_attribute", "id": name } });
        }
        Some(shown)
    }
}
