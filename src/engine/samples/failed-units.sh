#!/bin/sh
# @describe Services that have failed, with the last lines they logged
# @option --lines=5 <COUNT>   Log lines to show of each (0: none)
#
# systemd, OpenRC, launchd. Exit code 0: none has failed. 1: some have. 2: wrong usage, or nothing here that knows.
set -eu
export LC_ALL=C

lines=5
while [ $# -gt 0 ]; do
    case $1 in
        --lines) lines=${2:?--lines needs a number}; shift 2 ;;
        *) echo "unknown argument: $1" >&2; exit 2 ;;
    esac
done
case $lines in
    '' | *[!0-9]*) echo "--lines takes a whole number, not '$lines'" >&2; exit 2 ;;
esac

has() { command -v "$1" >/dev/null 2>&1; }

if has systemctl && [ -d /run/systemd/system ]; then
    failed=$(systemctl list-units --state=failed --plain --no-legend --no-pager | awk '{ print $1 }')
    for unit in $failed; do
        echo "$unit: $(systemctl show --property=Result --value "$unit")"
        if [ "$lines" -gt 0 ]; then
            journalctl --unit="$unit" --lines="$lines" --no-pager --output=short-iso 2>/dev/null | sed 's/^/    /' || true
        fi
    done
elif has rc-status; then
    failed=$(rc-status --crashed --nocolor 2>/dev/null | awk 'NF { print $1 }')
    [ -z "$failed" ] || printf '%s\n' "$failed"
elif has launchctl; then
    # second column: how it last ended; below zero: by a signal
    failed=$(launchctl list | awk 'NR > 1 && $1 == "-" && $2 != 0 { print $3 ": exit " $2 }')
    [ -z "$failed" ] || printf '%s\n' "$failed"
else
    echo "neither systemd nor OpenRC nor launchd runs here" >&2
    exit 2
fi

if [ -n "$failed" ]; then
    echo "$(printf '%s\n' "$failed" | wc -l | tr -d ' ') failed"
    exit 1
fi
echo "none has failed"
