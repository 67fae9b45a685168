#!/usr/bin/env python3
# @describe The processes that hold the most memory
# @option --count=10 <COUNT>   How many to show
# @flag --together             Add up processes of the same command
#
# Linux, macOS, BSD: asks ps. Memory is resident memory; pages shared by several count for each.
import argparse
import collections
import subprocess
import sys


def processes():
    """Yields (pid, user, resident KiB, command)."""
    columns = ["-o", "pid=", "-o", "user=", "-o", "rss=", "-o", "comm="]
    try:
        table = subprocess.run(["ps", "-ax", *columns], stdout=subprocess.PIPE, check=True).stdout
    except FileNotFoundError:
        sys.exit("ps is not installed here")
    for line in table.decode(errors="replace").splitlines():
        fields = line.split(None, 3)
        if len(fields) == 4 and fields[2].isdigit():
            pid, user, resident, command = fields
            yield pid, user, int(resident), command.rsplit("/", 1)[-1]


def size(kib):
    return f"{kib / 1048576:.1f} GiB" if kib >= 1048576 else f"{kib / 1024:.0f} MiB"


def main():
    parser = argparse.ArgumentParser(description="The processes that hold the most memory")
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--together", action="store_true")
    options = parser.parse_args()

    rows = list(processes())
    total = sum(resident for _, _, resident, _ in rows)
    if options.together:
        held = collections.Counter()
        number = collections.Counter()
        for _, _, resident, command in rows:
            held[command] += resident
            number[command] += 1
        for command, resident in held.most_common(options.count):
            print(f"{size(resident):>10}  {number[command]:>5} x  {command}")
    else:
        for pid, user, resident, command in sorted(rows, key=lambda row: -row[2])[: options.count]:
            print(f"{size(resident):>10}  {pid:>7}  {user:<12} {command}")
    print(f"{size(total):>10}  in {len(rows)} processes")


if __name__ == "__main__":
    main()
