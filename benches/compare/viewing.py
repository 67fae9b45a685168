"""Viewing: how long until a person sees it. The console runs on a 200x50 terminal; a mark is on the screen when its
characters have arrived (marks take turns between two alphabets, so that no cell can be skipped as unchanged)."""

import json
import os
import re
import select
import subprocess
import time

import meter
from meter import median, quantile
from rig import DEVICE, Rig

ALPHABETS = ("@%&#", "=+?!")


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
            if wanted.search(meter.ESCAPES.sub(b"", self.seen)):
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
    seat = Seat([rig.binary], rig.environment, rig.client, rows, columns, rig.folder)
    if seat.until("Jobs") is None:
        raise RuntimeError("the console does not show its first frame")
    return seat


def open_newest_job(seat, mark, timeout=60):
    """From the overview to the newest job; seconds until the mark is on the screen."""
    seat.quiet()
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
        searching(rig, file, report)
        following(rig, options, report)


def searching(rig, file, report):
    """G17: a text that stands once, at the end."""
    start = time.monotonic()
    subprocess.run(["grep", "-c", "the-very-last", file], check=True, stdout=subprocess.DEVNULL)
    start = time.monotonic()
    subprocess.run(["grep", "-c", "the-very-last", file], check=True, stdout=subprocess.DEVNULL)
    grep = time.monotonic() - start
    seat = console(rig)
    try:
        open_newest_job(seat, "the-very-last-line")
        seat.quiet()
        seat.keys("/")
        seat.quiet(0.1, 1)
        seat.forget()
        seat.keys("status=201")  # in no line: the whole of it must be read
        seat.keys("\r")
        found = seat.until(re.compile(rb"no match|not found|0 match|0 hit|no hit|nothing", re.I), 30)
        report.row("G17", "search all of it / grep -c", found and found / grep, 0.5, 0.15, f"grep {grep:.2f} s")
    finally:
        seat.close()


def following(rig, options, report):
    """G16, G19: lines that arrive one by one while a person watches."""
    count = 10 if options.smoke else 60
    # two alphabets in turn; the job id is the newest
    text = "".join(
        f"sleep 0.3; echo \"{ALPHABETS[index % 2] * 2}{index:03}{ALPHABETS[index % 2] * 2} $(date +%s.%N) 0123456789 0123456789 0123456789\"\n"
        for index in range(count)
    )
    path = rig.put("follow.sh", "#!/bin/sh\ni=0; while [ $i -lt 100 ]; do echo filler $i; i=$((i+1)); done\nsleep 2\n" + text + "sleep 1\n")
    seat = None
    try:
        rig.verb("run", path, "--target", "local")
        seat = console(rig)
        open_newest_job(seat, "filler 99")
        seat.quiet(0.2, 1)
        before, lags, gaps = seat.bytes, [], []
        cpu0, clock0 = seat.cpu(), time.monotonic()
        for index in range(count):
            mark = f"{ALPHABETS[index % 2] * 2}{index:03}{ALPHABETS[index % 2] * 2}"
            if seat.until(mark, 5) is None:
                continue
            now = time.time()
            printed = re.search(re.escape(mark.encode()) + rb"\s+(\d+\.\d{9})", meter.ESCAPES.sub(b"", seat.seen))
            if printed:
                lags.append(now - float(printed[1]))
            gaps.append(seat.bytes)
        report.row("G16", "appended line on screen, p99", quantile(lags, 0.99) and quantile(lags, 0.99) * 1e3, 50, 33, f"{len(lags)} of {count} seen", unit="ms")
        report.row("G16", "  console's CPU while it follows", (seat.cpu() - cpu0) / (time.monotonic() - clock0) * 100, 2, 0.5, unit="%")
        steady = [after - earlier for earlier, after in zip(gaps, gaps[1:])]
        if steady:
            # 12443 B: the plain cell diff of ratatui at 200x50, measured with the same terminal
            report.row("G19", "bytes a tailed line / plain ratatui diff", median(steady) / 12443, 1 / 10, 1 / 40, f"{median(steady):.0f} B")
    finally:
        if seat:
            seat.close()


def screen(options, report):
    """G20 and the screen's own goals: idle, flood, keys under flood."""
    with Rig(1, options.binary) as rig:
        rig.engine()
        seat = console(rig)
        try:
            seat.quiet(1.0, 10)
            calls0, cpu0 = switches(seat.process.pid), seat.cpu()
            seconds = 2 if options.smoke else 10
            report.row("G20", "idle screen: bytes", seat.listen(seconds) / seconds, 0, 0, unit="B/s")
            report.row("G20", "  wake-ups of the console", (switches(seat.process.pid) - calls0) / seconds, 0.2, 0, unit="/s")
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
            answers = []
            for index in range(10 if options.smoke else 60):
                seat.forget()
                begun = time.monotonic()
                seat.keys("?" if index % 2 == 0 else "\x1b")
                if seat.until("Help" if index % 2 == 0 else "Jobs", 5) is not None:
                    answers.append(time.monotonic() - begun)
                if index % 2:
                    seat.listen(0.15)  # a lone escape is only one once nothing has followed it
            report.row("", "key answered under that flood, p99 (help opened)", quantile(answers[::2], 0.99) and quantile(answers[::2], 0.99) * 1e3, 16, unit="ms")
            rig.verb("jobs", "cancel", str(job))
        finally:
            seat.close()


def switches(pid):
    """Times the process went to sleep by itself: as many times it had been woken. All its threads."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            total += meter._field(f"/proc/{pid}/task/{task}/status", "voluntary_ctxt_switches:")
        except OSError:
            pass
    return total


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
