#!/bin/sh
# @describe How long it has been up, its load per processor, its memory
# @option --above=0 <LOAD>   Fail when the 5-minute load per processor is above this (0: never)
#
# Linux, macOS, BSD. Exit code 0: fine. 1: load above the limit. 2: wrong usage.
set -eu
export LC_ALL=C

above=0
while [ $# -gt 0 ]; do
    case $1 in
        --above) above=${2:?--above needs a number}; shift 2 ;;
        *) echo "unknown argument: $1" >&2; exit 2 ;;
    esac
done
case $above in
    '' | *[!0-9.]* | *.*.*) echo "--above takes a number, not '$above'" >&2; exit 2 ;;
esac

processors=$(getconf _NPROCESSORS_ONLN 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || echo 1)

printf 'kernel     %s\n' "$(uname -srm)"
if [ -r /proc/uptime ]; then
    awk '{ d = int($1 / 86400); h = int($1 % 86400 / 3600); m = int($1 % 3600 / 60)
           printf "up         %d d %02d h %02d min\n", d, h, m }' /proc/uptime
else
    uptime | sed 's/.* up */up         /; s/, *[0-9]* user.*//'
fi

if [ -r /proc/loadavg ]; then
    load=$(cut -d' ' -f1-3 /proc/loadavg)
else
    load=$(uptime | sed 's/.*load average[s]*: *//; s/,/ /g')
fi
printf 'load       %s  on %s processors\n' "$load" "$processors"

if [ -r /proc/meminfo ]; then
    awk '/^MemTotal:/ { total = $2 } /^MemAvailable:/ { free = $2 } /^SwapTotal:/ { swap = $2 } /^SwapFree:/ { left = $2 }
         END { if (total) printf "memory     %d%% of %.1f GiB in use, swap %.1f of %.1f GiB\n",
                   100 * (total - free) / total, total / 1048576, (swap - left) / 1048576, swap / 1048576 }' /proc/meminfo
elif total=$(sysctl -n hw.memsize 2>/dev/null); then
    awk -v total="$total" 'BEGIN { printf "memory     %.1f GiB\n", total / 1073741824 }'
fi

printf '%s\n' "$load" | awk -v above="$above" -v processors="$processors" '
    { each = $2 / (processors > 0 ? processors : 1)
      printf "per core   %.2f over 5 minutes\n", each
      if (above > 0 && each > above) { printf "above the limit of %s\n", above; exit 1 } }'
