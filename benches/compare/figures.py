"""The figures themselves. Each function measures one group and writes rows: what, ours against whom, ratio, goal."""

import json
import os
import re
import shutil
import subprocess
import time
import traceback

import fleet
import meter
import peers
import viewing
import webscripts
from meter import median
from rig import DEVICE, Rig

HI = "echo hi; exit 0"


class Report:
    def __init__(self, options):
        self.options = options
        self.rows, self.failures, self.missed = [], [], 0

    def row(self, name, what, value, gate=None, aim=None, note="", unit="x", at_least=False):
        """`value` against its gate: at most, or at least."""
        if value is None:
            verdict = "not measured"
        elif gate is None:
            verdict = ""
        else:
            good = value >= gate if at_least else value <= gate
            best = aim is not None and (value >= aim if at_least else value <= aim)
            verdict = "aim" if best else "gate" if good else "MISSED"
            self.missed += not good
        row = dict(name=name, what=what, value=value, gate=gate, aim=aim, unit=unit, verdict=verdict, note=note)
        self.rows.append(row)
        print("  ", self.line(row), flush=True)

    def failed(self, name, error):
        self.failures.append(name)
        print(f"   {name}: {error}", flush=True)
        traceback.print_exc()

    @staticmethod
    def line(row):
        value = "-" if row["value"] is None else f"{row['value']:.3f}" if row["value"] < 100 else f"{row['value']:.0f}"
        goal = "" if row["gate"] is None else f"(gate {row['gate']:g}{'' if row['aim'] is None else ', aim %g' % row['aim']})"
        return f"{row['name']:4} {row['what']:52} {value:>9} {row['unit']:3} {goal:24} {row['verdict']:8} {row['note']}"

    def print(self):
        print("\n" + "=" * 120)
        for row in self.rows:
            print(self.line(row))
        for name in self.failures:
            print(f"     {name}: could not be measured")
        print(f"missed gates: {self.missed}")


def ratio(ours, theirs):
    return ours / theirs if ours is not None and theirs else None


def script(rig, text):
    return rig.put("script.sh", "#!/bin/sh\n" + text + "\n")


def run_verb(rig, path, target="web", more=()):
    count = json.loads(rig.verb("targets", "resolve", target, "--json").stdout)["count"]
    return [rig.binary, "run", path, "--target", target, "--wait", "--confirm", str(count), *more]


def ours(rig, path, pattern=rb"(^|[^a-z0-9])hi\r?$", target="web", more=()):
    command = run_verb(rig, path, target, more)
    return meter.run(command, rig.client, rig.server, pattern, env=rig.environment, folder=rig.folder)


def theirs(rig, label, command, pattern=rb"(^|[^a-z0-9])hi\r?$", at_once=128):
    argv, environment = peers.commands(rig, command, at_once)[label]
    environment = {name: value for name, value in environment.items() if name != "SSH_AUTH_SOCK"}
    result = meter.run(argv, rig.client, rig.server, pattern, env=environment, folder=rig.folder)
    rig.client.end()
    rig.settle()
    return result


def wanted_peers(options, rig, labels):
    there = peers.commands(rig, HI, 128)
    chosen = options.peers.split(",") if options.peers else labels
    return [label for label in labels if label in there and label in chosen]


def show(label, result, wanted=None):
    whole = "" if wanted is None or result.lines == wanted else f"  LINES {result.lines} of {wanted}"
    first = "-" if result.first is None else f"{result.first:.2f}"
    lag = f" lag {result.lag(0.5):.3f}/{result.lag(0.99):.2f}" if result.lags else ""
    print(
        f"     {label:12} wall {result.wall:6.2f} first {first:>5} client {result.client:6.2f} server {result.server:6.2f}"
        f" anon {result.peak / 1e6:6.1f} MB{lag} exit {result.code}{whole}",
        flush=True,
    )


def fan_out(options, report):
    """G1 to G6: cold `echo hi` everywhere."""
    count = options.hosts
    with Rig(count, options.binary) as rig:
        path = script(rig, HI)
        labels = wanted_peers(options, rig, ["ssh-x", "asyncssh", "clush-x", "pdsh-x", "pdsh", "ansible"])
        runs = {label: [] for label in ["ours", *labels]}
        single = []
        for round_number in range(options.rounds):
            rig.engine()
            mine = ours(rig, path)
            runs["ours"].append(mine)
            show("ours", mine, count)
            rig.engine()
            single.append(ours(rig, path, target="web0001").wall)
            rig.end_engine()
            for label in labels:
                if label in ("pdsh", "ansible") and round_number > 0:
                    continue  # minutes each, and far away
                result = theirs(rig, label, HI)
                runs[label].append(result)
                show(label, result, count)
        of = lambda label, field: median([getattr(run, field) for run in runs.get(label, [])])
        floor = of("ours", "server") / meter.CORES
        report.row("G23", f"echo on {count} hosts: lines that arrived", min(r.lines for r in runs["ours"]) / count, 1, 1, at_least=True)
        report.row("G1", f"cold echo, {count} hosts: wall / sshd floor", ratio(of("ours", "wall"), floor), 1.25, 1.10)
        for label, gate, aim in (("ssh-x", 0.90, 0.75), ("asyncssh", 0.90, 0.80), ("clush-x", 0.75, 0.60), ("pdsh-x", 0.65, 0.55)):
            if label in labels:
                report.row("G2", f"  wall / {label}", ratio(of("ours", "wall"), of(label, "wall")), gate, aim)
        for label, gate, aim in (("pdsh", 0.30, 0.22), ("ansible", 0.20, 0.15)):
            if label in labels:
                report.row("G3", f"  wall / {label} as installed", ratio(of("ours", "wall"), of(label, "wall")), gate, aim)
        report.row("G4", "  client CPU / ssh-x", ratio(of("ours", "client"), of("ssh-x", "client")), 1 / 6, 1 / 10)
        report.row("G4", "  client CPU a host", of("ours", "client") / count * 1e3, unit="ms")
        report.row("G5", "  client anonymous memory / ssh-x", ratio(of("ours", "peak"), of("ssh-x", "peak")), 1 / 4, 1 / 10)
        report.row("G5", "  client anonymous memory", of("ours", "peak") / 1e6, 20, 8, unit="MB")
        report.row("G6", "  first line / one host alone", ratio(of("ours", "first"), median(single)), 5, 2, f"{of('ours', 'first'):.2f} s")


def one_host(options, report):
    """G7: one cold host, process start included."""
    with Rig(1, options.binary) as rig:
        path = script(rig, HI)
        walls = {"ours": [], "ours, engine too": [], "ssh-x": [], "ssh": []}
        for _ in range(3 if options.smoke else max(9, 3 * options.rounds)):
            rig.engine()
            walls["ours"].append(ours(rig, path).wall)
            command = run_verb(rig, path)
            rig.end_engine()
            walls["ours, engine too"].append(
                meter.run(command, rig.client, rig.server, env=rig.environment, folder=rig.folder).wall
            )
            rig.end_engine()
            for label in ("ssh-x", "ssh"):
                config = rig.fast if label == "ssh-x" else rig.default
                walls[label].append(meter.run(["ssh", "-F", config, rig.hosts[0], HI], rig.client, rig.server).wall)
                rig.settle()
        middle = {label: median(values) for label, values in walls.items()}
        print("     " + "  ".join(f"{label} {value * 1e3:.0f} ms" for label, value in middle.items()), flush=True)
        report.row("G7", "one cold host: wall / ssh curve25519", ratio(middle["ours"], middle["ssh-x"]), 0.55, 0.35)
        report.row("G7", "one cold host: wall / ssh as installed", ratio(middle["ours"], middle["ssh"]), 0.35, 0.22)
        report.row("G7", "  with the engine's start / ssh as installed", ratio(middle["ours, engine too"], middle["ssh"]))


def warm(options, report):
    """G8: the second run, over connections that are kept."""
    count = options.hosts
    with Rig(count, options.binary) as rig:
        path = script(rig, HI)
        mine, masters, memory, mine_memory = [], [], None, None
        rig.engine()
        ours(rig, path)
        for _ in range(options.rounds):
            result = ours(rig, path)
            mine.append(result)
            show("ours, warm", result, count)
        mine_memory = rig.client.anonymous()
        rig.end_engine()
        # the masters are the peer's kept connections
        subprocess.run(
            ["sh", "-c", f"xargs -P 32 -I{{}} ssh -F {rig.master} -o ControlMaster=yes -o ControlPersist=600 -fN {{}} < {rig.list}"],
            preexec_fn=rig.client.enter, env=dict(os.environ, QD_COMPARE=rig.client.name), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
        )
        memory = rig.client.anonymous()
        command = ["sh", "-c", f"xargs -P 32 -I{{}} ssh -F {rig.master} {{}} '{HI}' < {rig.list}"]
        for _ in range(options.rounds):
            result = meter.run(command, rig.client, rig.server, env=dict(os.environ))
            masters.append(result)
            show("ControlMaster", result, count)
        rig.client.end()
        rig.settle()
        of = lambda runs, field: median([getattr(run, field) for run in runs])
        report.row("G8", f"warm echo, {count} hosts: wall / ControlMaster", ratio(of(mine, "wall"), of(masters, "wall")), 1 / 2, 1 / 4)
        report.row("G8", "  client CPU / ControlMaster", ratio(of(mine, "client"), of(masters, "client")), 1 / 10, 1 / 30)
        report.row("G8", "  memory kept / ControlMaster", ratio(mine_memory, memory), 1 / 8, 1 / 19)


def chatty(options, report):
    """G9, G10, G23: 200 lines in two seconds from everywhere; how late, how whole."""
    command, pattern = f"{DEVICE} chatty 200 2", rb"seq=\d+"
    sizes = {options.hosts: ["ssh-x"]}
    sizes.setdefault(min(options.hosts, 100), []).append("pdsh-x")
    for count, labels in sizes.items():
        with Rig(count, options.binary) as rig:
            path = script(rig, f"exec {command}")
            labels = wanted_peers(options, rig, labels)
            runs = {label: [] for label in ["ours", *labels]}
            for _ in range(options.rounds):
                rig.engine()
                result = ours(rig, path, pattern)
                runs["ours"].append(result)
                show("ours", result, 200 * count)
                rig.end_engine()
                for label in labels:
                    result = theirs(rig, label, command, pattern, at_once=512 if count > 128 else 128)
                    runs[label].append(result)
                    show(label, result, 200 * count)
            mine = runs["ours"]
            report.row("G23", f"chatty, {count} hosts: lines whole, labelled, in order", median([whole(r, count, 200) for r in mine]), 1, 1, at_least=True)
            if count == options.hosts:
                floor = lambda run: max(2.0, run.server / meter.CORES)
                report.row("G9", f"chatty, {count} hosts: wall / floor", median([run.wall / floor(run) for run in mine]), 1.45, 1.2)
            if count == min(options.hosts, 100):
                p50, p99 = (median([run.lag(share) for run in mine]) for share in (0.5, 0.99))
                report.row("G10", f"chatty, {count} hosts: lag p50", p50 and p50 * 1e3, 50, 5, unit="ms")
                report.row("G10", "  lag p99", p99, 0.5, 0.1, unit="s")
                if "pdsh-x" in labels:
                    report.row("G10", "  lag p99 / pdsh-x", ratio(p99, median([run.lag(0.99) for run in runs["pdsh-x"]])), 0.5, 0.1)


def whole(result, hosts, lines):
    """Share of the lines that came whole, with their device's name, each device's in order."""
    next_of, good = {}, 0
    for line in meter.ESCAPES.sub(b"", result.output).split(b"\n"):
        found = re.fullmatch(rb"(\S+): T\d+\.\d{9} seq=(\d+) INFO package step ok, retrieving unit (\d+) of \d+ from mirror\r?", line)
        if found and int(found[2]) == int(found[3]) == next_of.get(found[1], 0):
            next_of[found[1]] = int(found[2]) + 1
            good += 1
    return good / (hosts * lines)


def flood(options, report):
    """G11: 50 hosts, 6 MB each, as fast as it goes; ours stores and indexes it."""
    count = min(options.hosts, 50)
    lines = 600 if options.smoke else 61224
    size = count * lines * 98 / 1e6
    command = f"{DEVICE} flood {lines} 1"
    with Rig(count, options.binary) as rig:
        path = script(rig, f"exec {command}")
        speeds = {"ours": [], "ssh-x": [], "pdsh-x": [], "clush-x": []}
        commands = peers.commands(rig, command, 50)
        for round_number in range(options.rounds):
            for label in list(speeds):
                if label == "ours":
                    rig.engine()
                    argv, environment = run_verb(rig, path), rig.environment
                elif label in commands and not (label == "clush-x" and round_number > 0):
                    argv, environment = commands[label]
                else:
                    continue
                start = time.monotonic()
                subprocess.run(
                    argv, env=dict(environment, QD_COMPARE=rig.client.name), preexec_fn=rig.client.enter, cwd=rig.folder,
                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True,
                )
                speeds[label].append(size / (time.monotonic() - start))
                print(f"     {label:12} {speeds[label][-1]:6.1f} MB/s", flush=True)
                if label == "ours":
                    jobs = json.loads(rig.verb("jobs", "ls", "--json").stdout)
                    job = json.loads(rig.verb("jobs", "show", str(jobs[0]["id"]), "--json").stdout)
                    kept = sum(run["bytes"] for run in job["runs"])
                    report.row("G23", "flood: bytes kept of those sent", kept / (size * 1e6 / 98 * line_length(rig)), 1, 1, at_least=True)
                    rig.end_engine()
                rig.settle()
        middle = {label: median(values) for label, values in speeds.items()}
        for label, gate, aim in (("pdsh-x", 3, 4.5), ("clush-x", 12, 22), ("ssh-x", 0.9, 1.3)):
            if middle.get(label):
                report.row("G11", f"flood from {count} hosts, stored: MB/s / {label}", ratio(middle["ours"], middle[label]), gate, aim, at_least=True)


def line_length(rig):
    return len(subprocess.run([DEVICE, "flood", "1", "1"], capture_output=True, check=True).stdout)


def local_flood(options, report):
    """G12: 100 local floods into the store, against the same floods read and forgotten, and against the same floods
    read into bare files: what the system takes for the writing alone."""
    processes, lines = (4, 2000) if options.smoke else (100, 104_000)
    with Rig(1, options.binary) as rig:
        text = "".join(f'[[connection]]\nname = "l{index:03}"\nkind = "local"\n' for index in range(processes))
        rig.put("config/quarterdeck/config.toml", text)
        path = script(rig, f"exec {DEVICE} flood {lines} 1")
        target = f"l[000-{processes - 1:03}]"
        length, walls, floors, bare, memory = line_length(rig), [], [], [], []

        def readers(what):
            start = time.monotonic()
            subprocess.run(
                ["sh", "-c", f"seq {processes} | xargs -P {processes} -I{{}} sh -c '{DEVICE} flood {lines} 1 | {DEVICE} {what}'"], check=True
            )
            return time.monotonic() - start

        kept_bare = rig.path("bare")
        for _ in range(options.rounds):
            floors.append(readers("read"))
            os.makedirs(kept_bare)
            bare.append(readers(f"keep {kept_bare}/{{}}"))
            shutil.rmtree(kept_bare)
            pid = rig.engine()
            rig.verb("targets", "resolve", target)
            start = time.monotonic()
            job = int(rig.verb("run", path, "--target", target, "--confirm", str(processes), "--at-once", "0").stdout)
            # asked at its socket: a process started for each look would be measured too
            while viewing.asked(rig, f"jobs/{job}")["state"] == "running":
                time.sleep(0.02)
            walls.append(time.monotonic() - start)
            memory.append(meter._field(f"/proc/{pid}/status", "RssAnon:") * 1024)
            kept = sum(run["bytes"] for run in json.loads(rig.verb("jobs", "show", str(job), "--json").stdout)["runs"])
            print(
                f"     ours {walls[-1]:.2f} s, read-only {floors[-1]:.2f} s, into bare files {bare[-1]:.2f} s, {kept / 1e6:.0f} MB kept",
                flush=True,
            )
            report.row("G23", "local flood: bytes kept of those written", kept / (processes * lines * length), 1, 1, at_least=True)
            rig.end_engine()
            # a gigabyte a round: the next one finds the memory and the disk that this one found
            rig.forget()
        report.row("G12", f"{processes} local floods, stored: MB/s / read-only floor", ratio(median(floors), median(walls)), 0.75, 0.9, at_least=True)
        report.row("G12", "  read into bare files, nothing else: MB/s / read-only floor", ratio(median(floors), median(bare)), at_least=True)
        report.row("G12", "  engine's anonymous memory after it", median(memory) / 1e6, 12, 6, unit="MB")


def local_fan_out(options, report):
    """G13: echo on 1000 local devices against xargs and clush."""
    count = 20 if options.smoke else 1000
    with Rig(1, options.binary) as rig:
        text = "".join(f'[[connection]]\nname = "l{index:04}"\nkind = "local"\n' for index in range(count))
        rig.put("config/quarterdeck/config.toml", text)
        path = script(rig, "echo hi")
        walls = {"ours": [], "xargs": [], "clush": []}
        for _ in range(options.rounds):
            rig.engine()
            result = ours(rig, path, target=f"l[0000-{count - 1:04}]")
            show("ours", result, count)
            walls["ours"].append(result.wall)
            rig.end_engine()
            rivals = {
                "xargs": ["sh", "-c", f"seq {count} | xargs -P 32 -I{{}} sh {path}"],
                "clush": ["clush", "--nostdin", "-R", "exec", "-f", "64", "-w", f"n[1-{count}]", f"sh {path}"],
            }
            for label, command in rivals.items():
                if peers.have(command[0]):
                    result = meter.run(command, rig.client, rig.server, env=dict(os.environ))
                    show(label, result, count)
                    walls[label].append(result.wall)
        middle = {label: median(values) for label, values in walls.items()}
        report.row("G13", f"echo on {count} local devices: wall / xargs -P32", ratio(middle["ours"], middle["xargs"]), 1.4, 1.1)
        report.row("G13", "  wall / clush -R exec", ratio(middle["ours"], middle["clush"]), 0.5, 0.3)


def busy_server(options, report):
    """G21: 200 names behind one sshd with MaxStartups as installed."""
    count = 20 if options.smoke else 200
    with Rig(count, options.binary, max_startups="10:30:100", max_sessions=10, one=True) as rig:
        path = script(rig, HI)
        reached, walls = [], []
        for _ in range(options.rounds):
            rig.engine()
            result = ours(rig, path)
            show("ours", result, count)
            reached.append(result.lines)
            walls.append(result.wall / (result.server / meter.CORES))
            rig.end_engine()
        report.row("G21", f"one sshd as installed: reached of {count}", min(reached), count, count, unit="", at_least=True)
        report.row("G21", "  wall / floor", median(walls), 3, 1.5)
        if peers.have("pdsh"):
            hosts = rig.put("many.txt", "\n".join([rig.hosts[0]] * count) + "\n")
            # `|| true`: xargs stops altogether where a command ends with 255, as a refused ssh does
            command = ["sh", "-c", f"xargs -P 32 -I{{}} sh -c 'ssh -F {rig.default} {{}} \"{HI}\" || true' < {hosts}"]
            result = meter.run(command, rig.client, rig.server, env=dict(os.environ))
            show("xargs -P32 ssh", result, count)
            report.row("G21", "  reached by xargs -P32 ssh", result.lines, unit="")


def far_away(options, report):
    """G22: behind 100 ms of round trip, made by a relay."""
    count = min(options.hosts, 100)
    with Rig(count, options.binary) as rig:
        port = rig.port + 1000
        relay = subprocess.Popen([DEVICE, "delay", "100", str(port), str(rig.port), *rig.hosts], stdout=subprocess.PIPE)
        try:
            relay.stdout.readline()
            for name in ("hosts.ini", "ssh_config", "ssh_config_fast", "ssh_config_master", "known_hosts"):
                rig.put(name, meter.read(rig.path(name)).replace(str(rig.port), str(port)))
            path = script(rig, HI)
            walls = {"ours": [], "pdsh-x": [], "cold": [], "warm": []}
            for _ in range(options.rounds):
                rig.engine()
                result = ours(rig, path)
                show("ours", result, count)
                walls["ours"].append(result.wall)
                walls["warm"].append(ours(rig, path, target="web0001").wall)
                rig.engine()
                walls["cold"].append(ours(rig, path, target="web0001").wall)
                rig.end_engine()
                if peers.have("pdsh"):
                    result = theirs(rig, "pdsh-x", HI)
                    show("pdsh-x", result, count)
                    walls["pdsh-x"].append(result.wall)
            middle = {label: median(values) for label, values in walls.items()}
            report.row("G22", f"100 ms away, {count} hosts: wall / pdsh -f128", ratio(middle["ours"], middle["pdsh-x"]), 0.65, 0.5)
            report.row("G22", "  one cold host, in round trips", middle["cold"] / 0.1, 8.5, 6.5, unit="RTT")
            report.row("G22", "  one warm command, in round trips", middle["warm"] / 0.1, 2.2, 2.1, unit="RTT")
        finally:
            relay.terminate()
            relay.wait()


ALL = {
    "one-host": one_host,
    "fan-out": fan_out,
    "warm": warm,
    "chatty": chatty,
    "flood": flood,
    "local-flood": local_flood,
    "local-fan-out": local_fan_out,
    "busy-server": busy_server,
    "far-away": far_away,
    "viewing": viewing.viewing,
    "screen": viewing.screen,
    "webscripts": webscripts.webscripts,
    "fleet": fleet.fleet,
    "start": viewing.start,
}
