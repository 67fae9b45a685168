#!/bin/sh
# @describe Package updates that wait to be installed, and whether a restart is due
# @flag --fail      Exit with 1 when updates wait
# @flag --refresh   Ask the package servers first (needs root where the package manager says so)
#
# apt, dnf, yum, zypper, apk, pacman, softwareupdate (macOS). Installs nothing.
# Exit code 0: told. 1: updates wait (with --fail). 2: wrong usage, or no package manager known here.
set -eu
export LC_ALL=C

fail=no
refresh=no
for argument in "$@"; do
    case $argument in
        --fail) fail=yes ;;
        --refresh) refresh=yes ;;
        *) echo "unknown argument: $argument" >&2; exit 2 ;;
    esac
done

has() { command -v "$1" >/dev/null 2>&1; }

# dnf and yum exit with 100 when updates wait: that is an answer, not an error
check_update() {
    code=0
    updates=$("$@") || code=$?
    if [ "$code" -ne 0 ] && [ "$code" -ne 100 ]; then
        exit "$code"
    fi
    printf '%s\n' "$updates" | awk '/^Obsoleting/ { exit } NF == 3 { print $1, $2 }'
}

list() {
    if has apt-get; then
        [ "$refresh" = no ] || apt-get -qq update
        apt-get -s -o Debug::NoLocking=true dist-upgrade | awk '/^Inst / {
            security = /[Ss]ecurity/ ? "  (security)" : ""
            gsub(/[][()]/, "")
            print $2, $3 " -> " $4 security }'
    elif has dnf; then
        [ "$refresh" = no ] || dnf -q makecache >&2
        check_update dnf -q check-update
    elif has yum; then
        check_update yum -q check-update
    elif has zypper; then
        [ "$refresh" = no ] || zypper -q refresh >&2
        zypper -q list-updates | awk -F'|' '$1 ~ /^v/ { gsub(/ /, ""); print $3, $4 " -> " $5 }'
    elif has apk; then
        [ "$refresh" = no ] || apk -q update
        apk version -l '<' 2>/dev/null | awk 'NR > 1 { print $1 " -> " $3 }'
    elif has checkupdates; then
        checkupdates || [ $? -eq 2 ]
    elif has pacman; then
        pacman -Qu || true
    elif has softwareupdate; then
        softwareupdate --list 2>/dev/null | sed -n 's/^[*] *Label: *//p'
    else
        echo "no package manager known here" >&2
        exit 2
    fi
}

updates=$(list)
if [ -n "$updates" ]; then
    count=$(printf '%s\n' "$updates" | wc -l | tr -d ' ')
    printf '%s\n' "$updates"
else
    count=0
fi
echo "$count updates wait"

if [ -e /run/reboot-required ] || [ -e /var/run/reboot-required ]; then
    echo "a restart is due"
elif has needs-restarting && ! needs-restarting -r >/dev/null 2>&1; then
    echo "a restart is due"
fi

if [ "$fail" = yes ] && [ "$count" -gt 0 ]; then
    exit 1
fi
