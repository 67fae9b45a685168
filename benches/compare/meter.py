"""Measuring: a command on a pseudo-terminal, its lines with their arrival, and the processor time and memory of
both sides. Control groups (version 1 or 2) where this user may make them; else /proc, a little coarser."""

import atexit
import fcntl
import os
import pty
import re
import resource
import select
import signal
import statistics
import struct
import subprocess
import termios
import time

CG = "/sys/fs/cgroup"
TICKS = os.sysconf("SC_CLK_TCK")
CORES = len(os.sched_getaffinity(0))


def read(path):
    with open(path) as file:
        return file.read()


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def raise_file_limit():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def first_in_line():
    """This process and what it starts go before everything else on a shared machine, where this user may say so: others
    get what is left idle, so that little of them is in a wall time."""
    for above, name, value in ((f"{CG}/cpu", "cpu.shares", "131072"), (CG, "cpu.weight", "10000")):
        folder = f"{above}/quarterdeck-compare-{os.getpid()}"
        try:
            os.mkdir(folder)
            write(f"{folder}/{name}", value)
            write(f"{folder}/cgroup.procs", str(os.getpid()))
            atexit.register(leave, above, folder)
            return
        except OSError:
            if os.path.isdir(folder):
                os.rmdir(folder)


def leave(above, folder):
    try:
        write(f"{above}/cgroup.procs", str(os.getpid()))
        os.rmdir(folder)
    except OSError:
        pass  # something it started lives on; an empty group is all that stays


class Group:
    """A set of processes whose processor time and anonymous memory are known."""

    def __init__(self, name):
        self.name = f"quarterdeck-compare-{os.getpid()}-{name}"
        self.tag = f"QD_COMPARE={self.name}"
        self.way = self._make()
        self.reaped = 0.0  # of children that are gone, in the /proc way

    def _make(self):
        try:
            for controller in ("cpuacct", "memory"):
                os.makedirs(f"{CG}/{controller}/{self.name}")
            read(f"{CG}/cpuacct/{self.name}/cpuacct.usage")
            return "v1"
        except OSError:
            pass
        try:
            os.makedirs(f"{CG}/{self.name}")
            if "usage_usec" in read(f"{CG}/{self.name}/cpu.stat"):
                return "v2"
        except OSError:
            pass
        return "proc"

    def enter(self):
        """In the child, before exec."""
        pid = str(os.getpid())
        if self.way == "v1":
            for controller in ("cpuacct", "memory"):
                write(f"{CG}/{controller}/{self.name}/cgroup.procs", pid)
        elif self.way == "v2":
            write(f"{CG}/{self.name}/cgroup.procs", pid)

    def pids(self):
        if self.way == "v1":
            return [int(pid) for pid in read(f"{CG}/cpuacct/{self.name}/cgroup.procs").split()]
        if self.way == "v2":
            return [int(pid) for pid in read(f"{CG}/{self.name}/cgroup.procs").split()]
        found = []
        for pid in os.listdir("/proc"):
            try:
                if pid.isdigit() and self.tag.encode() in open(f"/proc/{pid}/environ", "rb").read():
                    found.append(int(pid))
            except OSError:
                pass
        return found

    def cpu(self):
        """Seconds of processor time so far."""
        if self.way == "v1":
            return int(read(f"{CG}/cpuacct/{self.name}/cpuacct.usage")) / 1e9
        if self.way == "v2":
            return int(dict(line.split() for line in read(f"{CG}/{self.name}/cpu.stat").splitlines())["usage_usec"]) / 1e6
        total = self.reaped
        for pid in self.pids():
            try:
                fields = read(f"/proc/{pid}/stat").rsplit(")", 1)[1].split()
                total += sum(map(int, fields[11:15])) / TICKS
            except OSError:
                pass
        return total

    def anonymous(self):
        """Bytes of anonymous memory now."""
        if self.way == "v1":
            return _field(f"{CG}/memory/{self.name}/memory.stat", "total_rss")
        if self.way == "v2" and os.path.exists(f"{CG}/{self.name}/memory.stat"):
            return _field(f"{CG}/{self.name}/memory.stat", "anon")
        total = 0
        for pid in self.pids():
            try:
                total += int(re.search(r"RssAnon:\s+(\d+)", read(f"/proc/{pid}/status"))[1]) * 1024
            except (OSError, TypeError):
                pass
        return total

    def end(self):
        """Ends every process in it, by its pid."""
        for sign in (signal.SIGTERM, signal.SIGKILL):
            for pid in self.pids():
                if pid != os.getpid():
                    try:
                        os.kill(pid, sign)
                    except OSError:
                        pass
            for _ in range(100):
                if not self.pids():
                    return
                time.sleep(0.02)

    def close(self):
        self.end()
        paths = {"v1": [f"{CG}/cpuacct/{self.name}", f"{CG}/memory/{self.name}"], "v2": [f"{CG}/{self.name}"]}
        for path in paths.get(self.way, []):
            try:
                os.rmdir(path)
            except OSError:
                pass


def _field(path, name):
    for line in read(path).splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == name:
            return int(words[1])
    return 0


class Run:
    """What one measured run came to."""

    def __init__(self):
        self.wall = self.client = self.server = 0.0
        self.first = self.half = self.last = None
        self.lines = self.code = self.bytes = self.peak = 0
        self.lags = []
        self.output = b""

    def lag(self, share):
        return quantile(self.lags, share)


def quantile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def median(values):
    values = [value for value in values if value is not None]
    return statistics.median(values) if values else None


def terminal(rows=50, columns=200):
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    modes = termios.tcgetattr(slave)
    modes[1] &= ~termios.OPOST
    modes[3] &= ~termios.ECHO
    termios.tcsetattr(slave, termios.TCSANOW, modes)
    return master, slave


ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")
STAMP = re.compile(rb"T(\d+)\.(\d{9}) seq=")


def run(command, client, server, pattern=rb"(^|[^a-z0-9])hi\r?$", timeout=600, env=None, folder=None):
    """Runs it on a 200x50 terminal of its own, and counts the lines that match."""
    result = Run()
    master, slave = terminal()
    environment = dict(env if env is not None else os.environ)
    environment["QD_COMPARE"] = client.name
    client0, server0 = client.cpu(), server.cpu()
    children0 = resource.getrusage(resource.RUSAGE_CHILDREN)

    def before():
        client.enter()
        os.setsid()

    start = time.monotonic()
    wall0 = time.time() - start
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=slave, stderr=slave, preexec_fn=before, env=environment, cwd=folder
    )
    os.close(slave)
    chunks, look, ended = [], 0.0, None
    poll = select.poll()
    poll.register(master, select.POLLIN | select.POLLHUP)
    while True:
        events = poll.poll(20)
        now = time.monotonic()
        if events:
            try:
                data = os.read(master, 1 << 18)
            except OSError:
                data = b""
            if not data:
                break
            chunks.append((now, data))
        if now >= look:
            look = now + 0.05
            result.peak = max(result.peak, client.anonymous())
        if ended is None and process.poll() is not None:
            ended = time.monotonic()
        if ended is not None and not events:
            break
        if now - start > timeout:
            os.killpg(process.pid, signal.SIGKILL)
            break
    result.code = process.wait()
    result.wall = (ended or time.monotonic()) - start
    os.close(master)
    if client.way == "proc":
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        client.reaped += children.ru_utime + children.ru_stime - children0.ru_utime - children0.ru_stime
    result.client, result.server = client.cpu() - client0, server.cpu() - server0
    arrivals, rest, wanted = [], b"", re.compile(pattern)
    for moment, data in chunks:
        result.bytes += len(data)
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            line = ESCAPES.sub(b"", line)
            if wanted.search(line):
                arrivals.append(moment - start)
                stamp = STAMP.search(line)
                if stamp:
                    result.lags.append(moment + wall0 - int(stamp[1]) - int(stamp[2]) / 1e9)
    result.lines = len(arrivals)
    if arrivals:
        result.first, result.half, result.last = arrivals[0], arrivals[len(arrivals) // 2], arrivals[-1]
    result.output = b"".join(data for _, data in chunks)
    return result
