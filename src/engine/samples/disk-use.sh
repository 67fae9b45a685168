#!/bin/sh
# @describe File systems and how full they are; fails above a limit
# @option --above=90 <PERCENT>   Fail when one is fuller than this
# @arg paths*                    Look only at the file systems of these (all local ones unless given)
#
# Linux, macOS, BSD. Exit code 0: all below the limit. 1: one above it. 2: wrong usage.
set -eu
export LC_ALL=C

above=90
while [ $# -gt 0 ]; do
    case $1 in
        --above) above=${2:?--above needs a number}; shift 2 ;;
        --) shift; break ;;
        -*) echo "unknown option: $1" >&2; exit 2 ;;
        *) break ;;
    esac
done
case $above in
    '' | *[!0-9]*) echo "--above takes a whole number, not '$above'" >&2; exit 2 ;;
esac

# -l keeps away from network file systems: a server that is gone would block df for good
if [ $# -gt 0 ]; then
    table=$(df -P -k -- "$@")
else
    table=$(df -P -l -k 2>/dev/null) || true
    [ -n "$table" ] || table=$(df -P -k)
fi

printf '%s\n' "$table" | awk -v above="$above" '
    function size(kib) {
        if (kib >= 1073741824) return sprintf("%.1f TiB", kib / 1073741824)
        if (kib >= 1048576) return sprintf("%.1f GiB", kib / 1048576)
        return sprintf("%.0f MiB", kib / 1024)
    }
    NR == 1 { next }
    # kept in memory, or images that are full by nature
    $1 ~ /^(devfs|devtmpfs|tmpfs|udev|none|shm|efivarfs|map)$/ || $1 ~ /^\/dev\/loop/ { next }
    {
        # the column of percentages tells where a mount point with spaces begins
        for (column = 4; column <= NF && $column !~ /^[0-9]+%$/; column++) {}
        if (column > NF) next
        mount = $(column + 1)
        for (i = column + 2; i <= NF; i++) mount = mount " " $i
        percent = $column + 0
        full = percent > above
        if (full) bad++
        printf "%3d%%  %10s free  %s%s\n", percent, size($(column - 1)), mount, (full ? "  <- above " above "%" : "")
    }
    END { exit bad > 0 }
'
