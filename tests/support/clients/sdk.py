"""simplemdm-sdk as it comes from PyPI, with another base URL. Its models are strict: they check the shapes. FIX=1 takes
the header away that calls every body JSON, files too."""

import os
import pathlib
import tempfile
import time

import requests
import simplemdm_sdk

BASE, KEY, FIX = os.environ["BASE"], os.environ["KEY"], os.environ["FIX"] == "1"
api = simplemdm_sdk.SimpleMDM(KEY)
for part in vars(api).values():
    part._base = BASE
    if FIX:
        part._session.headers.pop("Content-Type")

folder = pathlib.Path(tempfile.mkdtemp())


def written(text):
    path = folder / "a.sh"
    path.write_bytes(text.encode())
    return str(path)


def ended(number):
    until = time.monotonic() + 60
    while time.monotonic() < until:
        job = api.script_jobs.retrieve_one(number).data
        if str(job.attributes.status) not in ("pending", "acknowledged", "running"):
            return job
    raise AssertionError(f"job {number} has not ended")


TEXT = "#!/bin/sh\necho héllo\n"
number = api.scripts.create("Say hi", written(TEXT), True).data.id
assert api.scripts.retrieve_one(number).data.attributes.content == TEXT
renamed = api.scripts.update(number, name="Renamed", variable_support=False).data.attributes
assert (renamed.name, renamed.content, renamed.variable_support) == ("Renamed", TEXT, False), renamed
assert api.scripts.update(number, script=written(TEXT + "exit 3\n")).data.attributes.content == TEXT + "exit 3\n"
assert number in [script.id for script in api.scripts.list_all().data]

assert len(api.devices.list_all().data) == 26
here = api.devices.list_all(search="local", include_awaiting_enrollment=True).data
assert len(here) == 1, here
here = here[0].id
assert api.devices.retrieve_one(here).data.id == here
groups = api.assignment_groups.list_all().data
assert api.assignment_groups.retrieve_one(groups[0].id).data.id == groups[0].id
for group in api.device_groups.list_all().data:
    api.device_groups.retrieve_one(group.id)

made = api.script_jobs.create(number, device_ids=[here]).data
job = ended(made.id)
assert "error" in str(job.attributes.status), job
assert (job.attributes.success_count, job.attributes.errored_count) == (0, 1), job
row = job.relationships.device.data[0]
assert (row.id, str(row.status_code)) == (here, "3"), row
assert "héllo" in row.response, row
assert made.id in [one.id for one in api.script_jobs.list_all().data]

assert api.logs.list_all().data
api.custom_attributes.list_all()
api.scripts.delete(number)
try:
    api.scripts.retrieve_one(number)
except requests.HTTPError as error:
    assert error.response.status_code == 404
else:
    raise AssertionError("it is still there")
print("done")
