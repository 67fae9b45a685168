#!/usr/bin/env bash
# @describe Fetch a release from the depot, verify every part, switch to it
# @arg release!            Which release, 2026.11 say
# @option --need=12 <MIB>  Quota it must leave free
# @flag --dry-run          Fetch and verify, but do not switch
set -euo pipefail

need=12 dry_run=
while [[ $# -gt 0 ]]; do
    case $1 in
        --need) need=${2:?--need takes a number}; shift 2 ;;
        --dry-run) dry_run=yes; shift ;;
        --) shift; break ;;
        -*) echo "unknown option: $1" >&2; exit 2 ;;
        *) break ;;
    esac
done
release=${1:?which release}
depot=${DEPOT:-/srv/depot}/$release
here=$HOME/releases/$release

free=$(<"$HOME/quota")
if ((free < need)); then
    echo "no space: $free MiB free, need $need" >&2
    exit 28
fi

total=$(wc -l <"$depot/SHA256SUMS")
echo "staging $release: $total parts from $depot"
mkdir -p "$here"
done=0
while read -r sum part; do
    cp "$depot/$part" "$here/$part"
    read -r got _ < <(sha256sum "$here/$part")
    if [[ $got != "$sum" ]]; then
        echo "$part: the checksum differs, ask the depot for a new copy" >&2
        exit 65
    fi
    done=$((done + 1))
    printf '%3d%%  %s verified, %d KiB\n' $((done * 100 / total)) "$part" $(($(wc -c <"$here/$part") / 1024))
    sleep "0.$((RANDOM % 8 + 1))" # the depot serves many
done <"$depot/SHA256SUMS"

if [[ -n $dry_run ]]; then
    echo "verified, not switched"
else
    ln -sfn "$here" "$HOME/current"
    echo "switched to $release"
fi
