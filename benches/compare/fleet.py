"""A large fleet: ten thousand names on one private sshd, forty of them at a time, twenty thousand lines a second. What
a person waits for between a key and its answer, on the live screen and among the groups, and what that costs."""

import meter
from meter import quantile
from rig import DEVICE, Rig
from viewing import console, open_newest_job, pressed

AT_ONCE = 40
LINES = 20_000


def fleet(options, report):
    """Keys answered, frames, processor time and memory of a job of ten thousand runs."""
    names = 200 if options.smoke else 10_000
    with Rig(names, options.binary, one=True) as rig:
        engine = rig.engine()
        # they end one by one: forty handshakes at once on this machine's own sshd would be what a key waits for
        say = f"{DEVICE} steady {LINES // AT_ONCE} $((8 + $$ % 25))"
        path = rig.put("fleet.sh", f"#!/bin/sh\n{say}\nexit $(($$ % 3))\n")
        job = int(rig.verb("run", path, "--target", "lab", "--at-once", str(AT_ONCE), "--confirm", str(names)).stdout)
        seat = console(rig)
        try:
            if open_newest_job(seat, "seq=", 60) is None:
                raise RuntimeError("the job does not show its output")
            seat.listen(2 if options.smoke else 15)  # some have ended by then
            for screen, key, mark in (("live", "", "Devices"), ("groups", "u", "Groups")):
                seat.keys(key)
                seat.until(mark, 10)
                del seat.log[:]
                seconds = 2 if options.smoke else 10
                cpu, theirs = seat.cpu(), of_engine(engine)
                seat.listen(seconds)
                note = f"engine {(of_engine(engine) - theirs) / seconds * 100:.0f} %"
                report.row("", f"{screen} screen of {names} runs: console's CPU", (seat.cpu() - cpu) / seconds * 100, note=note, unit="%")
                frames = b"".join(data for _, data in seat.log).count(b"\x1b[?2026h") / seconds
                report.row("", "  frames a second", frames, 30, note="none where nothing on it changes", unit="fps")
                answers = pressed(seat, 5 if options.smoke else 150)
                spread = "/".join(f"{quantile(answers, share) * 1e3:.1f}" for share in (0.5, 0.9, 1)) if answers else ""
                worst = quantile(answers, 0.99) and quantile(answers, 0.99) * 1e3
                report.row("", "  key answered, p99", worst, 16, 5, f"p50/p90/most {spread} ms of {len(answers)}", unit="ms")
            report.row("", "console resident", seat.resident() / 1e6, unit="MB")
            report.row("", "engine resident", meter._field(f"/proc/{engine}/status", "VmRSS:") * 1024 / 1e6, unit="MB")
        finally:
            seat.close()
            rig.verb("jobs", "cancel", str(job), check=False)


def of_engine(pid):
    fields = meter.read(f"/proc/{pid}/stat").rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:13])) / meter.TICKS
