"""The API for other programs at its own size: 10,000 jobs and 100,000 devices behind one engine, asked over its socket.
First pages of jobs and devices (p50, p99) over its socket; requests a second on two connections of wrk, with a key over
its door on the network, alone and while a job talks on 100 hosts of a private sshd; the engine's memory after each.
`python3 benches/compare/door.py target/release/quarterdeck [--smoke]`; with QD_DOOR=https://host:port and QD_KEY=... it
asks a listening engine that is there already, beside no job."""

import http.client
import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.parse
from base64 import b64encode

import rig


class Socket(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("engine")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def opener(path):
    """How a connection to the door is made, and what each request carries."""
    url, key = os.environ.get("QD_DOOR"), os.environ.get("QD_KEY")
    if not url:
        return lambda: Socket(path), {}
    place = urllib.parse.urlparse(url)
    kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
    headers = {"Authorization": "Basic " + b64encode(f"{key}:".encode()).decode()} if key else {}
    return lambda: kind(place.hostname, place.port), headers


def seed(state, jobs, devices):
    """Jobs as an engine would have left them: ten runs each, of one script."""
    db = sqlite3.connect(os.path.join(state, "quarterdeck.db"))
    counts = json.dumps({"ok": 9, "failed": 1})
    now = int(time.time() * 1000)
    with db:
        for n in range(jobs):
            at = now - (jobs - n) * 60_000
            id = db.execute(
                "INSERT INTO jobs (script, version, state, created_at, finished_at, target, launched_by, params, at_once,"
                " counts) VALUES (?, '0123456789ab', 'done', ?, ?, 'lab', 'ops', '[]', 40, ?)",
                (f"s{n % 20}.sh", at, at + 5000, counts),
            ).lastrowid
            db.executemany(
                "INSERT INTO runs (job, idx, device, name, state, exit_code, started_at, finished_at, bytes, lines,"
                " last_line, attempts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, '', 1)",
                [
                    (id, k, f"lab:h{(n * 10 + k) % devices + 1}", "h", "failed" if k == 9 else "ok", int(k == 9), at, at + 5000)
                    for k in range(10)
                ],
            )
    db.close()


def memory(pid):
    for line in open(f"/proc/{pid}/status"):
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0


def ask(connection, headers, path):
    connection.request("GET", "/api/v1" + path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200, (path, answer.status, body[:200])
    return body


def latency(make, headers, path, times):
    connection = make()
    ask(connection, headers, path)
    took = []
    for _ in range(times):
        start = time.perf_counter()
        ask(connection, headers, path)
        took.append((time.perf_counter() - start) * 1000)
    took.sort()
    return took[len(took) // 2], took[int(len(took) * 0.99)]


def rate(url, key, path, seconds):
    """What wrk gets a second. The key stands in a file of its own: others can read what a program was started with."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(f'wrk.headers["Authorization"] = "Bearer {key}"\n')
        script.flush()
        asked = ["wrk", "-t1", "-c2", f"-d{seconds}s", "-s", script.name, f"{url}/api/v1{path}"]
        said = subprocess.run(asked, capture_output=True, check=True, text=True).stdout
    assert "Non-2xx" not in said and "Socket errors" not in said, said
    return float(re.search(r"Requests/sec:\s+([0-9.]+)", said).group(1))


# Says a line each tenth of a second for as long as it is measured, and a while longer. It waits without a program of
# its own: a hundred devices are on this machine, and what they cost is not what is measured.
TALKS = """#!/bin/bash
exec 3<>{pipe}
for ((i = 0; i < {times}; i++)); do echo "line $i of what a device says"; read -r -t 0.1 -u 3; done
exit 0
"""


def talking(binary, env, state, hosts, seconds):
    """A job on all these hosts, each of which has said its first line; its id."""
    script = os.path.join(state, "talks.sh")
    pipe = os.path.join(state, "never")
    if not os.path.exists(pipe):
        os.mkfifo(pipe)
    with open(script, "w") as file:
        file.write(TALKS.format(times=int(seconds * 10), pipe=pipe))
    launch = [binary, "run", script, "--target", "rig", "--at-once", "0", "--confirm", str(hosts)]
    ran = subprocess.run(launch, env=env, capture_output=True, check=True, stdin=subprocess.DEVNULL)
    job = ran.stdout.decode().strip()
    end = time.monotonic() + 120
    while time.monotonic() < end:
        shown = subprocess.run([binary, "jobs", "show", job, "--json"], env=env, capture_output=True, check=True)
        counts = json.loads(shown.stdout)["counts"]
        if counts.get("running", 0) == hosts:
            return job
        assert not counts.get("failed") and not counts.get("offline"), counts
        time.sleep(0.1)
    raise SystemExit(f"the job does not run on {hosts} hosts: {counts}")


def main(binary, smoke):
    if os.environ.get("QD_DOOR"):
        return measure(binary, smoke, None)
    with rig.Rig(4 if smoke else 100, binary) as hosts:
        measure(binary, smoke, hosts)


def measure(binary, smoke, hosts):
    jobs, devices, times = (50, 200, 20) if smoke else (10_000, 100_000, 2000)
    with tempfile.TemporaryDirectory(prefix="qd-door-") as home:
        env = {"PATH": os.environ["PATH"], "HOME": home}
        for name, folder in (("CONFIG", "c"), ("DATA", "d"), ("STATE", "s"), ("CACHE", "k")):
            env[f"XDG_{name}_HOME"] = os.path.join(home, folder)
        env["XDG_RUNTIME_DIR"] = os.path.join(home, "r")
        for folder in "cdskr":
            os.mkdir(os.path.join(home, folder), 0o700)
        os.mkdir(os.path.join(home, "c/quarterdeck"))
        inventory = os.path.join(home, "hosts.ini")
        with open(inventory, "w") as file:
            file.write(f"[lab]\nh[1:{devices}]\n")
        with open(os.path.join(home, "c/quarterdeck/config.toml"), "w") as file:
            file.write(f'[[connection]]\nname = "lab"\nkind = "ssh"\ninventory = [{json.dumps(inventory)}]\n')
            if hosts:
                empty, known = json.dumps(hosts.path("empty")), json.dumps(hosts.path("known_hosts"))
                file.write(f'[[connection]]\nname = "rig"\nkind = "ssh"\nssh_config = {empty}\nknown_hosts = {known}\n')
                file.write(f'host_keys = "strict"\ninventory = [{json.dumps(hosts.path("hosts.ini"))}]\n')
            if not os.environ.get("QD_DOOR"):
                with socket.socket() as free:
                    free.bind(("127.0.0.1", 0))
                    url = f"http://127.0.0.1:{free.getsockname()[1]}"
                file.write(f'[listen]\naddress = "{url.removeprefix("http://")}"\nrate = 0\n')
        state, path = os.path.join(home, "s/quarterdeck"), os.path.join(home, "r/quarterdeck/engine.sock")
        for seeded in (False, True):
            if seeded:
                seed(state, jobs, devices)
            engine = subprocess.Popen([binary, "serve"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                while not os.path.exists(path):
                    assert engine.poll() is None, "the engine ended"
                    time.sleep(0.02)
                if not seeded:
                    continue
                make, headers = opener(path)
                if os.environ.get("QD_DOOR"):
                    url, key = os.environ["QD_DOOR"], os.environ.get("QD_KEY", "")
                else:
                    made = [binary, "tokens", "add", "wrk", "--scope", "read"]
                    key = subprocess.run(made, env=env, capture_output=True, check=True, text=True).stdout.strip()
                start = time.perf_counter()
                ask(make(), headers, "/devices")
                print(f"first of all, with {devices} numbers to give: {(time.perf_counter() - start) * 1000:.0f} ms")
                held = [("at first", memory(engine.pid))]
                for what in ("/script_jobs", "/script_jobs?direction=desc&limit=100", "/devices", "/devices?limit=100",
                             "/devices?search=h99999", "/script_jobs?status=pending", "/logs?direction=desc"):
                    p50, p99 = latency(make, headers, what, times if "search" not in what and "status" not in what else times // 10)
                    print(f"{what:42} p50 {p50:7.2f} ms   p99 {p99:7.2f} ms")
                held.append(("after these", memory(engine.pid)))
                seconds = 1 if smoke else 10
                for what in ("/script_jobs", "/devices"):
                    print(f"{what:42} {rate(url, key, what, seconds):7.0f} requests a second, two connections")
                held.append(("after those", memory(engine.pid)))
                if hosts:
                    count = len(hosts.hosts)
                    job = talking(binary, env, home, count, 4 * seconds + 10)
                    held.append((f"with a job on {count} hosts", memory(engine.pid)))
                    for what in ("/script_jobs", "/devices"):
                        print(f"{what:42} {rate(url, key, what, seconds):7.0f} the same beside a job that talks on {count} hosts")
                        held.append((f"after {what} beside it", memory(engine.pid)))
                    shown = subprocess.run([binary, "jobs", "show", job, "--json"], env=env, capture_output=True, check=True)
                    state_now = json.loads(shown.stdout)
                    assert state_now["counts"].get("running", 0) == count, f"it ended before it was measured: {state_now['counts']}"
                    subprocess.run([binary, "jobs", "cancel", job], env=env, capture_output=True, check=True)
                print("memory: " + ", ".join(f"{much:.1f} MB {when}" for when, much in held))
            finally:
                engine.terminate()
                engine.wait()


main(sys.argv[1], "--smoke" in sys.argv)
