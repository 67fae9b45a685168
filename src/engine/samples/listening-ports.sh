#!/bin/sh
# @describe Which ports are listened on, and by what
# @option --expect* <PORT>   Fail unless something listens on this TCP port
# @flag --udp                UDP sockets too
#
# Linux (ss, netstat or /proc), macOS and BSD (lsof, netstat). Names of others' processes need root.
# Exit code 0: fine. 1: an expected port is silent. 2: wrong usage.
set -eu
export LC_ALL=C

expected=
udp=no
while [ $# -gt 0 ]; do
    case $1 in
        --expect)
            case ${2-} in
                '' | *[!0-9]*) echo "--expect takes a port number" >&2; exit 2 ;;
            esac
            expected="$expected $2"
            shift 2
            ;;
        --udp) udp=yes; shift ;;
        *) echo "unknown argument: $1" >&2; exit 2 ;;
    esac
done

has() { command -v "$1" >/dev/null 2>&1; }

# the kernel's own table: addresses in hex, state 0A is LISTEN (07 for UDP)
from_proc() {
    for protocol in "$@"; do
        [ -r "/proc/net/$protocol" ] || continue
        case $protocol in udp*) state=07 ;; *) state=0A ;; esac
        while read -r _ local _ found _; do
            [ "$found" = "$state" ] || continue
            echo "$protocol *:$((0x${local##*:})) -"
        done <"/proc/net/$protocol"
    done
}

# protocol, address:port, process
sockets() {
    if has ss; then
        flags=-tlnpH
        [ "$udp" = no ] || flags=-tulnpH
        # the state column is there with two kinds of sockets only when asked for both
        ss $flags | awk -v udp="$udp" '{
            protocol = udp == "yes" ? $1 : "tcp"
            address = udp == "yes" ? $5 : $4
            process = "-"
            if (match($0, /"[^"]*",pid=[0-9]+/)) {
                process = substr($0, RSTART + 1, RLENGTH - 1)
                sub(/",pid=/, "/", process)
            }
            print protocol, address, process }'
    elif [ -d /proc/net ]; then
        if [ "$udp" = yes ]; then from_proc tcp tcp6 udp udp6; else from_proc tcp tcp6; fi
    elif has lsof; then
        lsof -nP -iTCP -sTCP:LISTEN 2>/dev/null | awk 'NR > 1 { print "tcp", $9, $1 "/" $2 }'
        [ "$udp" = no ] || lsof -nP -iUDP 2>/dev/null | awk 'NR > 1 && $9 !~ /->/ { print "udp", $9, $1 "/" $2 }'
    else
        netstat -an | awk '/LISTEN/ { sub(/[.]/, ":", $4); print "tcp", $4, "-" }'
    fi
}

found=$(sockets | sort -u)
if [ -n "$found" ]; then
    printf '%s\n' "$found" | awk '{ printf "%-5s %-32s %s\n", $1, $2, $3 }'
else
    echo "nothing listens"
fi

silent=
for port in $expected; do
    printf '%s\n' "$found" | grep -Eq "^tcp6? [^ ]*[:.]$port " || silent="$silent $port"
done
if [ -n "$silent" ]; then
    echo "nothing listens on:$silent" >&2
    exit 1
fi
