//! What the document says of the paths that speak SimpleMDM's tongue: its envelopes, and the parameters of its lists.

use serde_json::{Value, json};

use crate::api::ways::Way;
use crate::model::token::Scope;

/// Where an object lies, another method may be written into a form.
const OVERRIDDEN: &str = "The method that `_method` in the body names";

/// What SimpleMDM does and this engine does not.
const NOT_HERE: &str = "SimpleMDM has this; here it is refused, with what to do instead";

/// A door of that room as a way.
pub(super) fn way(method: &'static str, path: &'static str, scope: Scope) -> Way {
    let (says, takes, gives) = match (method, path) {
        ("GET", "/scripts") => ("Scripts, page by page", "", "MdmScripts"),
        ("POST", "/scripts") => ("Upload a script", "Fields", "201 MdmScript"),
        ("GET", "/scripts/{id}") => ("A script", "", "MdmScript"),
        ("PATCH", "/scripts/{id}") => ("Change a script", "Fields", "MdmScript"),
        ("POST", "/scripts/{id}") => (OVERRIDDEN, "Fields", "MdmScript, 204"),
        ("DELETE", "/scripts/{id}") => ("Delete a script", "", "204"),
        ("GET", "/script_jobs") => ("Script jobs, page by page, filtered", "", "MdmJobs"),
        ("POST", "/script_jobs") => ("Run a script on devices and groups", "Fields", "201 MdmJob"),
        ("GET", "/script_jobs/{id}") => ("A script job, device by device", "", "MdmJob"),
        ("POST", "/script_jobs/{id}") => (OVERRIDDEN, "Fields", "204"),
        ("DELETE", "/script_jobs/{id}") => ("Cancel a script job", "", "204"),
        ("GET", "/script_jobs/{id}/events") => ("A job's states and outputs as they come", "", "text/event-stream"),
        ("GET", "/script_jobs/{id}/devices/{device}/{stream}") => {
            ("What a device said, byte by byte", "", "application/octet-stream")
        }
        ("GET", "/devices") => ("Devices, page by page", "", "MdmDevices"),
        ("GET", "/devices/{id}") => ("A device", "", "MdmDevice"),
        ("GET", "/devices/{id}/{action}") => ("Its profiles, its apps: here it has none", "", "MdmNothing"),
        ("GET", "/device_groups") => ("Groups, page by page", "", "MdmDeviceGroups"),
        ("GET", "/device_groups/{id}") => ("A group", "", "MdmDeviceGroup"),
        ("GET", "/assignment_groups") => ("Groups and saved targets, page by page", "", "MdmAssignmentGroups"),
        ("GET", "/assignment_groups/{id}") => ("A group or saved target", "", "MdmAssignmentGroup"),
        ("GET", "/device_groups/{id}/{*rest}" | "/assignment_groups/{id}/{*rest}") => {
            ("Its custom_attribute_values: those of all devices", "", "MdmValues")
        }
        ("GET", "/custom_attributes") => ("Custom attributes", "", "MdmAttributes"),
        ("POST", "/custom_attributes") => ("Define a custom attribute", "Fields", "201 MdmAttribute"),
        ("GET", "/custom_attributes/{name}") => ("A custom attribute", "", "MdmAttribute"),
        ("PATCH" | "PUT", "/custom_attributes/{name}") => ("Change what all have that have none", "Fields", "204"),
        ("POST", "/custom_attributes/{name}") => (OVERRIDDEN, "Fields", "204"),
        ("DELETE", "/custom_attributes/{name}") => ("Delete a custom attribute and its values", "", "204"),
        ("GET", "/devices/{id}/custom_attribute_values") => ("A device's custom attributes", "", "MdmValues"),
        ("PUT", "/devices/{id}/custom_attribute_values") => ("Set several of them", "Fields", "MdmValues"),
        ("GET", "/devices/{id}/custom_attribute_values/{name}") => ("A custom attribute of a device", "", "MdmValue"),
        ("PUT", "/devices/{id}/custom_attribute_values/{name}") => ("Set it", "Fields", "MdmValue"),
        ("PUT", "/custom_attribute_values/{name}") => ("Set it on many devices", "Fields", "MdmValues"),
        ("POST", "/devices/{id}/custom_attribute_values/{name}") => (OVERRIDDEN, "Fields", "MdmValue"),
        ("POST", "/devices/{id}/custom_attribute_values" | "/custom_attribute_values/{name}") => {
            (OVERRIDDEN, "Fields", "MdmValues")
        }
        ("GET", "/logs") => ("Log entries, page by page", "", "MdmLogs"),
        ("GET", "/logs/{id}") => ("A log entry", "", "MdmLog"),
        ("DELETE", _) => (NOT_HERE, "", ""),
        _ => (NOT_HERE, "Fields", ""),
    };
    Way { method, path, scope: Some(scope), says, takes, gives }
}

const PAGE: [(&str, &str); 3] = [
    ("limit", "1 to 100; 10 if nothing is said"),
    ("starting_after", "The id of the last one that is known already"),
    ("direction", "asc (the oldest first) or desc"),
];

const FILTERS: [&str; 14] = [
    "script_id",
    "script_name",
    "status",
    "device_id",
    "device_ids",
    "group_id",
    "group_ids",
    "assignment_group_id",
    "assignment_group_ids",
    "target_id",
    "target_ids",
    "target_type",
    "created_after",
    "created_before",
];

/// Parameters in the query of a list.
pub(super) fn parameters(way: &Way) -> Vec<Value> {
    let parameter = |name: &str, says: &str| json!({ "name": name, "in": "query", "description": says, "schema": { "type": "string" } });
    let list = way.method == "GET" && !way.path.contains('{');
    let pages = PAGE.iter().filter(|_| list).map(|(name, says)| parameter(name, says));
    let filters =
        FILTERS.iter().chain(&["updated_after", "updated_before"]).filter(|_| list && way.path == "/script_jobs");
    let search =
        [("search", "In names, serial numbers, addresses")].into_iter().filter(|_| list && way.path == "/devices");
    pages
        .chain(filters.map(|name| parameter(name, "Only jobs of which this is so (an extension)")))
        .chain(search.map(|(name, says)| parameter(name, says)))
        .collect()
}

/// One bag of fields, however it comes.
pub(super) fn body() -> Value {
    let fields = json!({ "schema": { "$ref": "#/components/schemas/Fields" } });
    json!({ "required": false, "content": {
        "multipart/form-data": fields, "application/x-www-form-urlencoded": fields, "application/json": fields,
    } })
}
