"""Viewing: how long until a person sees it. The console runs on a 200x50 terminal, its screen read through a terminal
emulator (pyte) where lines come one by one; where much comes, a mark is there when its characters have arrived."""

import http.client
import json
import os
import re
import select
import socket
import subprocess
import time

import meter
from meter import median, quantile
from rig import DEVICE, Rig

try:
    import pyte
except ImportError:  # the smoke run needs nothing from outside
    pyte = None


class Seat:
    """A person's seat: a program on a terminal, keys in, bytes out."""

    def __init__(self, command, env, group, rows=50, columns=200, folder=None):
        self.master, slave = meter.terminal(rows, columns)

        def before():
            group.enter()
            os.setsid()
            import fcntl, termios

            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.start = time.monotonic()
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=env, preexec_fn=before, cwd=folder
        )
        os.close(slave)
        self.seen, self.bytes, self.log = b"", 0, []
        self.screen = self.stream = None
        self.size = (columns, rows)

    def watch(self):
        """From now on the screen is emulated: exact, and too slow for a flood."""
        if pyte and self.screen is None:
            self.screen = pyte.Screen(*self.size)
            # questions are answered by the seat; the emulator stumbles over those of other terminals
            self.screen.report_device_status = lambda *_, **_kept: None
            self.stream = pyte.ByteStream(self.screen)
            for _, data in self.log:
                self.stream.feed(data)

    def shows(self, wanted):
        if self.screen is not None:
            return wanted.search("\n".join(self.screen.display).encode())
        return wanted.search(meter.ESCAPES.sub(b"", self.seen))

    def pump(self, timeout):
        ready, _, _ = select.select([self.master], [], [], timeout)
        if not ready:
            return b""
        try:
            data = os.read(self.master, 1 << 18)
        except OSError:
            return b""
        for question, answer in ((b"\x1b[6n", b"\x1b[1;1R"), (b"\x1b[c", b"\x1b[?62;22c")):
            if question in data:
                os.write(self.master, answer)
        self.bytes += len(data)
        self.log.append((time.monotonic(), data))
        self.seen = (self.seen + data)[-400_000:]
        if self.stream is not None:
            self.stream.feed(data)
        return data

    def keys(self, text):
        os.write(self.master, text.encode())

    def forget(self):
        self.seen = b""

    def until(self, mark, timeout=120):
        """Seconds until the mark was there; `None`: it never was."""
        begun = time.monotonic()
        wanted = mark if isinstance(mark, re.Pattern) else re.compile(re.escape(mark.encode()))
        while time.monotonic() - begun < timeout:
            if self.shows(wanted):
                return time.monotonic() - begun
            if not self.pump(0.2) and self.process.poll() is not None:
                return None
        return None

    def listen(self, seconds):
        """Bytes that come in so long a time."""
        end, before = time.monotonic() + seconds, self.bytes
        while time.monotonic() < end:
            self.pump(max(0.0, end - time.monotonic()))
        return self.bytes - before

    def quiet(self, pause=0.3, limit=20):
        """Until nothing has come for a while."""
        end = time.monotonic() + limit
        while time.monotonic() < end and self.pump(pause):
            pass

    def memory(self):
        return sum(self._field(name) for name in ("RssAnon:",)) * 1024

    def resident(self):
        return self._field("VmRSS:") * 1024

    def _field(self, name):
        try:
            return meter._field(f"/proc/{self.process.pid}/status", name)
        except OSError:
            return 0

    def cpu(self):
        fields = meter.read(f"/proc/{self.process.pid}/stat").rsplit(")", 1)[1].split()
        return sum(map(int, fields[11:13])) / meter.TICKS

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        os.close(self.master)


def console(rig, rows=50, columns=200):
    # every console begins at the overview, not where the one before was left
    kept = rig.path("state/quarterdeck/screen.json")
    if os.path.exists(kept):
        os.remove(kept)
    seat = Seat([rig.binary], rig.environment, rig.client, rows, columns, rig.folder)
    if seat.until("Jobs") is None:
        raise RuntimeError("the console does not show its first frame")
    return seat


def open_newest_job(seat, mark, timeout=60):
    """From the overview to the newest job; seconds until the mark is on the screen."""
    seat.quiet(0.25, 1.5)  # a job that runs never leaves the preview quiet
    seat.keys("3")
    seat.quiet(0.1, 1)
    seat.forget()
    seat.keys("\r")
    return seat.until(mark, timeout)


def large_job(rig, size):
    """A job whose output is so large, and the same bytes as a file."""
    lines = int(size / 98)
    path = rig.put("large.sh", f"#!/bin/sh\n{DEVICE} flood {lines} 1\necho the-very-last-line\n")
    job = int(rig.verb("run", path, "--target", "local").stdout)
    while json.loads(rig.verb("jobs", "show", str(job), "--json").stdout)["state"] == "running":
        time.sleep(0.1)
    file = rig.path("large.log")
    with open(file, "wb") as out:
        subprocess.run([DEVICE, "flood", str(lines), "1"], stdout=out, check=True)
        out.write(b"the-very-last-line\n")
    return job, file


def viewing(options, report):
    """G14 to G17, G19, G20: a gigabyte opened at its end, followed, searched; bytes of a tailed line; idleness."""
    size = int(options.gigabyte * 1e9)
    with Rig(1, options.binary) as rig:
        pid = rig.engine()
        job, file = large_job(rig, size)
        opened, memory = [], []
        for _ in range(max(3, options.rounds)):
            seat = console(rig)
            opened.append(open_newest_job(seat, "the-very-last-line"))
            memory.append(seat.memory())
            seat.close()
        engine = meter._field(f"/proc/{pid}/status", "RssAnon:") * 1024
        report.row("G14", f"{size / 1e9:.2f} GB: last line visible after enter", median(opened) and median(opened) * 1e3, 50, 10, unit="ms")
        if subprocess.run(["sh", "-c", "command -v lnav"], capture_output=True).returncode == 0:
            environment = dict(rig.environment, HOME=rig.path("home"))
            lnav = Seat(["lnav", file], environment, rig.client)
            waited = lnav.until("the-very-last-line", 120)
            lnav.quiet(1.0, 30)
            theirs = lnav.memory()
            lnav.close()
            if waited:
                report.row("G14", "  time / lnav", median(opened) / waited, 1 / 20, 1 / 40, f"lnav {waited:.2f} s")
                report.row("G15", "  anonymous memory, console and engine / lnav", (median(memory) + engine) / theirs, 1 / 20, 1 / 100, f"lnav {theirs / 1e6:.0f} MB")
        report.row("G15", "  console's and engine's anonymous memory", (median(memory) + engine) / 1e6, unit="MB")
        searching(rig, job, file, report)
        following(rig, options, report)


class Door(http.client.HTTPConnection):
    """The engine's socket."""

    def __init__(self, path):
        super().__init__("quarterdeck")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def asked(rig, path):
    """What the engine answers."""
    door = Door(rig.path("run/quarterdeck/engine.sock"))
    door.request("GET", f"/api/v1/{path}")
    answer = json.loads(door.getresponse().read())
    door.close()
    return answer


def searching(rig, job, file, report):
    """G17: a text that stands once, at the very end, so that everything must be read; and a pattern."""
    found = {}
    for label, flags, pattern in (("text", [], "the-very-last"), ("pattern", ["-E"], "(ERROR|last)-.*line")):
        grep, ours = [], []
        for _ in range(3):
            start = time.monotonic()
            subprocess.run(["grep", "-c", *flags, pattern, file], check=True, stdout=subprocess.DEVNULL, env={"LC_ALL": "C"})
            grep.append(time.monotonic() - start)
            quoted = pattern.replace("(", "%28").replace("|", "%7C").replace(")", "%29").replace("*", "%2A")
            start = time.monotonic()
            answer = asked(rig, f"jobs/{job}/search?text={quoted}&regex={'true' if flags else 'false'}")
            ours.append(time.monotonic() - start)
        found[label] = median(ours) / median(grep)
        report.row("G17", f"search all of it for a {label} / grep -c", found[label], 0.5, 0.15, f"{median(ours):.3f} s, {json.dumps(answer)[:40]}")


def following(rig, options, report):
    """G16, G19: lines that arrive one by one while a person watches."""
    count = 10 if options.smoke else 60
    path = rig.put(
        "follow.sh",
        "#!/bin/sh\ni=0; while [ $i -lt 100 ]; do echo filler $i; i=$((i+1)); done\nsleep 3\n"
        f"exec {DEVICE} chatty {count} {count * 0.3}\n",
    )
    rig.verb("run", path, "--target", "local")
    seat = console(rig)
    try:
        seat.watch()
        open_newest_job(seat, "filler 99", 10)
        lags, sizes, seen = [], [], set()
        cpu0, clock0, last = seat.cpu(), time.monotonic(), seat.bytes
        stamp = re.compile(rb"T(\d+)\.(\d{9}) seq=(\d+) ")
        while time.monotonic() - clock0 < count * 0.3 + 10 and len(seen) < count:
            if not seat.pump(0.5):
                continue
            # when it came, not when this script's emulator was done with it
            now = time.time() - (time.monotonic() - seat.log[-1][0])
            text = "\n".join(seat.screen.display).encode() if seat.screen else meter.ESCAPES.sub(b"", seat.seen)
            new = [found for found in stamp.finditer(text) if found[3] not in seen]
            for found in new:
                seen.add(found[3])
                lags.append(now - int(found[1]) - int(found[2]) / 1e9)
            if new:
                sizes.append((seat.bytes - last) / len(new))
                last = seat.bytes
        spread = "/".join(f"{quantile(lags, share) * 1e3:.0f}" for share in (0.5, 0.9, 1)) if lags else ""
        note = f"{len(seen)} of {count} seen, p50/p90/most {spread} ms"
        report.row("G16", "appended line on screen, p99", quantile(lags, 0.99) and quantile(lags, 0.99) * 1e3, 50, 33, note, unit="ms")
        report.row("G16", "  console's CPU while it follows", (seat.cpu() - cpu0) / (time.monotonic() - clock0) * 100, 2, 0.5, unit="%")
        # 12443 B: the plain cell diff of ratatui at 200x50
        report.row("G19", "bytes a tailed line / plain ratatui diff", ratio(median(sizes[3:]), 12443), 1 / 10, 1 / 40, f"{median(sizes[3:]) or 0:.0f} B")
    finally:
        seat.close()
    # the same lines in `less +F`
    if not options.smoke:
        file = rig.put("less.log", "".join(f"filler {index}\n" for index in range(100)))
        seat = Seat(["less", "+F", file], dict(rig.environment, LESS=""), rig.client)
        try:
            seat.quiet(1.0, 5)
            before = seat.bytes
            subprocess.run(["sh", "-c", f"{DEVICE} chatty 20 6 >> {file}"], check=True)
            seat.quiet(1.5, 5)
            theirs = (seat.bytes - before) / 20
            report.row("G19", "  bytes a tailed line / less +F", ratio(median(sizes[3:]), theirs), 4, 1.5, f"less {theirs:.0f} B")
        finally:
            seat.close()


def screen(options, report):
    """G20 and the screen's own goals: idle, flood, keys under flood."""
    with Rig(1, options.binary) as rig:
        rig.engine()
        seat = console(rig)
        try:
            seat.quiet(1.0, 10)
            seat.listen(3)  # threads that idle out do so
            before, cpu0 = switches(seat.process.pid), seat.cpu()
            seconds = 2 if options.smoke else 10
            report.row("G20", "idle screen: bytes", seat.listen(seconds) / seconds, 0, 0, unit="B/s")
            after = switches(seat.process.pid)
            woken = sum(after[task] - before.get(task, 0) for task in after)
            report.row("G20", "  wake-ups of the console", woken / seconds, 0.2, 0, unit="/s")
            report.row("G20", "  its processor time", (seat.cpu() - cpu0) / seconds * 100, 1, 0.1, unit="%")
            path = rig.put("flood.sh", f"#!/bin/sh\nexec {DEVICE} chatty 100000000 5000\n")  # 20,000 lines a second
            job = int(rig.verb("run", path, "--target", "local").stdout)
            open_newest_job(seat, "seq=", 20)
            seat.listen(1)
            del seat.log[:]
            bytes_ = seat.listen(seconds)
            stream = b"".join(data for _, data in seat.log)
            report.row("G20", "flood of 20,000 lines/s: KB/s to the terminal", bytes_ / seconds / 1024, 400, 64, unit="KB/s")
            report.row("G20", "  frames a second", stream.count(b"\x1b[?2026h") / seconds, 30, 30, unit="fps")
            answers = pressed(seat, 5 if options.smoke else 40)
            report.row("", "key answered under that flood, p99 (help opened)", quantile(answers, 0.99) and quantile(answers, 0.99) * 1e3, 16, unit="ms")
            rig.verb("jobs", "cancel", str(job))
        finally:
            seat.close()


def pressed(seat, times):
    """Seconds until help was open, each time."""
    answers = []
    for _ in range(times):
        seat.forget()
        begun = time.monotonic()
        seat.keys("?")
        if seat.until("Help", 5) is not None:
            answers.append(time.monotonic() - begun)
        seat.keys("\x1b")
        seat.listen(0.2)  # a lone escape is one only when nothing has followed it
    return answers


def ratio(ours, theirs):
    return ours / theirs if ours is not None and theirs else None


def switches(pid):
    """Times each thread went to sleep by itself: as many times it had been woken."""
    found = {}
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            found[task] = meter._field(f"/proc/{pid}/task/{task}/status", "voluntary_ctxt_switches:")
        except OSError:
            pass
    return found


def start(options, report):
    """First frame, sizes, resident memory."""
    with Rig(1, options.binary) as rig:
        rig.engine()
        rig.verb("scripts", "ls")
        with_engine, without, resident = [], [], []
        for _ in range(3 if options.smoke else 9):
            seat = Seat([rig.binary], rig.environment, rig.client, 24, 80, rig.folder)
            with_engine.append(seat.until("Jobs"))
            seat.quiet()
            resident.append(seat.resident())
            seat.close()
        engine = meter._field(f"/proc/{rig.serve.pid}/status", "VmRSS:") * 1024
        for _ in range(3 if options.smoke else 9):
            rig.end_engine()
            seat = Seat([rig.binary], rig.environment, rig.client, 24, 80, rig.folder)
            without.append(seat.until("Jobs"))
            seat.quiet()
            seat.close()
        report.row("", "first frame, engine running", median(with_engine) and median(with_engine) * 1e3, 20, unit="ms")
        report.row("", "first frame, engine started too", median(without) and median(without) * 1e3, 60, unit="ms")
        report.row("", "release binary", os.path.getsize(options.binary) / 1e6, 15, unit="MB")
        report.row("", "console resident", median(resident) / 1e6, 30, unit="MB")
        report.row("", "idle engine resident", engine / 1e6, 40, unit="MB")
