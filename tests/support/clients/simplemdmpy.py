"""SimpleMDMpy as it comes from PyPI, with another base URL: its whole cycle of scripts, jobs, devices, groups, logs."""

import os
import time

import SimpleMDMpy

BASE, KEY = os.environ["BASE"], os.environ["KEY"]
SimpleMDMpy.SimpleMDM.Connection._url = lambda self, path: BASE + path
# it holds itself to one request for devices a second, for the real service's sake
SimpleMDMpy.SimpleMDM.Connection.device_req_rate_limit = 0

scripts, jobs = SimpleMDMpy.Scripts(KEY), SimpleMDMpy.ScriptJobs(KEY)
devices, groups = SimpleMDMpy.Devices(KEY), SimpleMDMpy.AssignmentGroups(KEY)

TEXT = "#!/bin/sh\necho héllo\n"
made = scripts.create_script("Say hi", True, TEXT)
number = made["id"]
assert made["attributes"]["name"] == "Say hi" and made["attributes"]["variable_support"] is True, made
assert scripts.get_script(number)["attributes"]["content"] == TEXT
assert number in [script["id"] for script in scripts.get_script()]
renamed = scripts.update_script(number, name="Say hello")
assert renamed["attributes"]["name"] == "Say hello" and renamed["attributes"]["content"] == TEXT, renamed
OTHER = "#!/bin/sh\r\necho again\r\n"
assert scripts.update_script(number, variable_support=False, content=OTHER)["attributes"]["content"] == OTHER
scripts.update_script(number, content="#!/bin/sh\necho ran; echo oops >&2; exit ${CODE:-0}\n")

known = devices.get_device()
assert len(known) == 26, len(known)
here = devices.get_device(search="local")
assert len(here) == 1, here
here = here[0]["id"]
assert devices.get_device(here)["id"] == here
listed = groups.get_assignment_groups()
lab = next(group for group in listed if group["attributes"]["name"] == "lab")
assert len(groups.get_assignment_groups(str(lab["id"]))["relationships"]["devices"]["data"]) == 25, lab
SimpleMDMpy.DeviceGroups(KEY).get_device_group()

job = jobs.create_job(number, device_ids=[here])
until = time.monotonic() + 60
while job["attributes"]["status"] in ("pending", "acknowledged", "running") and time.monotonic() < until:
    job = jobs.get_job(job["id"])
assert job["attributes"]["status"] == "completed", job
assert job["attributes"]["created_by"] == "API (client)", job
row = job["relationships"]["device"]["data"]
assert [(one["id"], one["status"], one["status_code"]) for one in row] == [(here, "completed", "0")], row
assert "ran" in row[0]["response"], row
assert job["id"] in [one["id"] for one in jobs.get_job()]

scripts.update_script(number, content="#!/bin/sh\nsleep 600\n")
slow = jobs.create_job(number, device_ids=[here])
assert jobs.cancel_job(slow["id"]).status_code == 204
until = time.monotonic() + 60
while jobs.get_job(slow["id"])["attributes"]["status"] != "cancelled":
    assert time.monotonic() < until, jobs.get_job(slow["id"])

logs = SimpleMDMpy.Logs(KEY).get_logs(limit=1)
assert logs and all(isinstance(entry["id"], str) for entry in logs), logs

attributes = SimpleMDMpy.CustomAttributes(KEY)
attributes.create_custom_attribute("site", "berlin")
assert "site" in [one["id"] for one in attributes.get_custom_attributes()]
devices.set_custom_attribute("paris", str(here), "site")
assert devices.get_custom_attribute(str(here), "site")["attributes"]["value"] == "paris"

assert scripts.delete_script(number).status_code == 204
try:
    scripts.get_script(number)
except SimpleMDMpy.SimpleMDM.ApiError as error:
    assert "404" in str(error)
else:
    raise AssertionError("it is still there")
assert jobs.get_job(job["id"])["attributes"]["script_name"] == "Say hello", "a job keeps what it ran"
try:
    SimpleMDMpy.Scripts("qd_wrong").get_script()
except SimpleMDMpy.SimpleMDM.ApiError as error:
    assert "401" in str(error)
else:
    raise AssertionError("a wrong key opened")
print("done")
