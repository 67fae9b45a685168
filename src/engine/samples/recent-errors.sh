#!/usr/bin/env bash
# @describe Errors of the system's log in the last while, the most frequent first
# @arg minutes=60              How far back to look
# @option --most=20 <COUNT>    Different messages to show
# @option --match <PATTERN>    Only lines with this extended regular expression
#
# journald, else /var/log/syslog or messages, else macOS's log. Numbers in messages are masked, so
# that like messages are counted together. Exit code 0: told. 2: wrong usage, or no log can be read.
set -euo pipefail
export LC_ALL=C

minutes=60
most=20
match=
while (($# > 0)); do
    case $1 in
        --most) most=${2:?--most needs a number}; shift 2 ;;
        --match) match=${2:?--match needs a pattern}; shift 2 ;;
        --) shift; break ;;
        -*) echo "unknown option: $1" >&2; exit 2 ;;
        *) break ;;
    esac
done
minutes=${1:-$minutes}
for number in "$minutes" "$most"; do
    if [[ ! $number =~ ^[0-9]+$ ]]; then
        echo "not a whole number: '$number'" >&2
        exit 2
    fi
done

errors() {
    local file
    if command -v journalctl >/dev/null && journalctl --lines=0 >/dev/null 2>&1; then
        journalctl --priority=err --since="$minutes minutes ago" --no-pager --quiet --output=cat
        return
    fi
    if [[ $(uname) == Darwin ]]; then
        log show --last "${minutes}m" --style syslog --predicate 'messageType == error OR messageType == fault' 2>/dev/null |
            sed -E '1d; s/^[^]]*\] ?//'
        return
    fi
    for file in /var/log/syslog /var/log/messages; do
        if [[ -r $file ]]; then
            echo "(from the last lines of $file: its times are not looked at)" >&2
            # what stands before the message is time, host and process
            tail -n 20000 "$file" | { grep -Ei 'error|fail|fatal|panic' || true; } | sed -E 's/^[^:]*:[0-9]+:[0-9.+:-]+ [^ ]+ //'
            return
        fi
    done
    echo "no log here can be read" >&2
    return 2
}

lines=$(errors)
if [[ -n $match ]]; then
    lines=$(grep -E -- "$match" <<<"$lines" || true)
fi
if [[ -z $lines ]]; then
    echo "no errors"
    exit 0
fi
sed -E 's/0x[0-9a-fA-F]+|[0-9]+/#/g' <<<"$lines" | sort | uniq -c | sort -rn | awk -v most="$most" 'NR <= most'
echo "$(wc -l <<<"$lines" | tr -d ' ') errors in $minutes minutes"
