"""A real WebScripts server, single-threaded and with threads: how long a line that a script prints in real time takes to
the screen, whether twenty jobs at once lose one, and how many connections one server is asked over at a time."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time

import meter
import viewing
from meter import quantile
from rig import DEVICE, ROOT, TARGET, Rig

VERSION = "3.0.39"
PYTHON = os.path.join(TARGET, f"webscripts-{VERSION}", "bin", "python")
SERVE = os.path.join(ROOT, "tests", "support", "webscripts", "serve.py")


def prepare():
    """Its environment, while there is a network. What was built elsewhere names the Python that built it."""
    works = [PYTHON, "-c", "import WebScripts.WebScripts"]
    if os.path.exists(PYTHON) and subprocess.run(works, capture_output=True).returncode == 0:
        return
    subprocess.run([sys.executable, "-m", "venv", "--clear", os.path.dirname(os.path.dirname(PYTHON))], check=True)
    pip = [PYTHON, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-cache-dir", "--use-pep517"]
    subprocess.run([*pip, f"WebScripts=={VERSION}"], check=True)


class Server:
    """A site of its own in the rig's folder."""

    def __init__(self, rig, name, threads, lines, seconds):
        folder = rig.path(name)
        texts = {
            # a screenful first, so that the console follows at the end
            "follow.sh": "i=0; while [ $i -lt 100 ]; do echo filler $i; i=$((i+1)); done; sleep 3\n"
            f"exec {DEVICE} chatty {lines} {seconds}\n",
            "many.sh": f"exec {DEVICE} chatty {lines} {seconds / 3}\n",
        }
        sections = {"scripts": {}}
        for script, text in texts.items():
            rig.put(f"{name}/scripts/{script}", f"#!/bin/sh\n{text}")
            sections["scripts"][script] = f"section {script}"
            sections[f"section {script}"] = {
                "launcher": "/bin/sh", "path": f"./scripts/{script}", "category": "Demo", "timeout": 600,
                "print_real_time": True,
            }
        rig.put(f"{name}/config/scripts/demo.json", json.dumps(sections))
        server = {"log_level": "ERROR", "auth_failures_to_blacklist": 1_000_000, "blacklist_time": 0}
        rig.put(f"{name}/config/server.json", json.dumps({"server": server, "config_auth": {"launcher": "python3"}}))
        rig.put(
            f"{name}/config/loggers.ini",
            "[loggers]\nkeys=root,response\n[handlers]\nkeys=file\n[formatters]\nkeys=plain\n[formatter_plain]\n"
            "format=%(levelname)s %(name)s %(message)s\n[logger_root]\nlevel=ERROR\nhandlers=file\n[logger_response]\n"
            "qualname=WebScripts.response\nlevel=ERROR\nhandlers=file\npropagate=0\n[handler_file]\nclass=FileHandler\n"
            'formatter=plain\nargs=("logs/errors.log", "a")\n',
        )
        os.makedirs(os.path.join(folder, "logs"), exist_ok=True)
        rig.put(f"{name}.password", "user1-pass\n", 0o600)
        log = open(os.path.join(folder, "server.log"), "w")
        command = [PYTHON, SERVE, folder, *(["--threads"] if threads else [])]
        environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=environment, text=True
        )
        self.port = None
        for line in self.process.stdout:
            if line.startswith("READY "):
                self.port = int(line.split()[1])
                break
        if self.port is None:
            raise RuntimeError(f"WebScripts does not start: {meter.read(log.name)[-400:]}")
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def close(self):
        self.process.kill()
        self.process.wait()


class Counting:
    """Stands before a server and counts the connections that it is at work on at the same time."""

    def __init__(self, to):
        self.to, self.open, self.most, self.lock = to, 0, 0, threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            client, _ = self.listener.accept()
            with self.lock:
                self.open += 1
                self.most = max(self.most, self.open)
            threading.Thread(target=self._pass, args=(client,), daemon=True).start()

    def _pass(self, client):
        server = socket.create_connection(("127.0.0.1", self.to))
        threading.Thread(target=self._copy, args=(client, server, None), daemon=True).start()
        self._copy(server, client, self._answered)

    def _answered(self):
        with self.lock:
            self.open -= 1

    @staticmethod
    def _copy(source, sink, ended):
        held = b""
        try:
            while data := source.recv(1 << 16):
                # the last piece goes on when the other side has closed: whoever has it all asks again at once
                sink.sendall(held)
                held, rest = (data, b"") if ended else (b"", data)
                sink.sendall(rest)
        except OSError:
            pass
        if ended:
            ended()
        for act in (lambda: sink.sendall(held), lambda: sink.shutdown(socket.SHUT_WR)):
            try:
                act()
            except OSError:
                pass


def configure(rig, port, threads):
    """The server as `ws`; its name towards the server is the port that is asked."""
    rig.end_engine()
    rig.forget()
    more = "threaded = true\n" if threads else ""
    rig.put(
        "config/quarterdeck/config.toml",
        f'[[connection]]\nname = "ws"\nkind = "webscripts"\nurl = "http://127.0.0.1:{port}"\nuser = "user1"\n'
        f'password = {{ file = "{rig.path("ws.password")}" }}\n{more}',
    )
    os.replace(rig.path("single.password" if not threads else "threads.password"), rig.path("ws.password"))
    rig.engine()


def webscripts(options, report):
    """A line on the screen within 50 ms of being printed; twenty jobs at once lose none; one connection where there is
    one thread."""
    count = 10 if options.smoke else 60
    with Rig(1, options.binary) as rig:
        for threads in (False, True):
            name = "threads" if threads else "single"
            server = Server(rig, name, threads, count, count * 0.3)
            try:
                configure(rig, server.port, threads)
                following(rig, report, name, count)
            finally:
                server.close()
        many = 4 if options.smoke else 20
        for threads in (True, False):
            name = "threads" if threads else "single"
            server = Server(rig, name, threads, count, count * 0.3)
            counting = Counting(server.port)
            try:
                configure(rig, counting.port, threads)
                jobs = many if threads else 4
                kept = at_once(rig, jobs, count)
                report.row("WS", f"{jobs} jobs at once, {name}: lines lost", jobs * count - kept, 0, 0, f"of {jobs * count}", unit="")
                if not threads:
                    report.row("WS", "  connections at a time", counting.most, 1, 1, unit="")
            finally:
                server.close()


def following(rig, report, name, count):
    rig.verb("run", "ws:follow.sh")
    seat = viewing.console(rig)
    try:
        seat.watch()
        viewing.open_newest_job(seat, "filler 99", 20)
        lags, seen, begun = [], set(), time.monotonic()
        stamp = re.compile(rb"T(\d+)\.(\d{9}) seq=(\d+) ")
        while time.monotonic() - begun < count * 0.3 + 15 and len(seen) < count:
            if not seat.pump(0.5):
                continue
            # when it came, not when this script's emulator was done with it
            now = time.time() - (time.monotonic() - seat.log[-1][0])
            text = "\n".join(seat.screen.display).encode() if seat.screen else meter.ESCAPES.sub(b"", seat.seen)
            for found in stamp.finditer(text):
                if found[3] not in seen:
                    seen.add(found[3])
                    lags.append(now - int(found[1]) - int(found[2]) / 1e9)
        spread = "/".join(f"{quantile(lags, share) * 1e3:.0f}" for share in (0.5, 0.9, 1)) if lags else ""
        note = f"{len(seen)} of {count} seen, p50/p90/most {spread} ms"
        value = meter.median(lags)
        report.row("WS", f"real-time line on screen, median, {name}", value and value * 1e3, 50, 20, note, unit="ms")
    finally:
        seat.close()


def at_once(rig, jobs, count):
    """Lines that were kept of so many jobs, none twice."""
    ids = [int(rig.verb("run", "ws:many.sh").stdout) for _ in range(jobs)]
    kept = 0
    for job in ids:
        end = time.monotonic() + 120
        while json.loads(rig.verb("jobs", "show", str(job), "--json").stdout)["state"] == "running":
            if time.monotonic() > end:
                raise RuntimeError(f"job {job} does not end")
            time.sleep(0.1)
        output = rig.verb("output", str(job)).stdout
        kept += len({found for found in re.findall(rb"seq=(\d+) ", output)})
    return kept
