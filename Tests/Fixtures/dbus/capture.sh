#!/bin/bash
#
# How the messages of a folder were captured:
#
#   mmdebstrap --include=systemd,systemd-sysv,dbus SUITE ROOT
#   capture.sh ROOT DBUS-SYSTEMD-SIGNALS FOLDER
#
# Boots ROOT, listens to it with the program and with `busctl capture`, lets units fail, restart, be
# killed and go, and keeps of each kind of message that the program is sent the first few.

set -euo pipefail
root=$1 program=$(realpath "$2") folder=$3
here=$(dirname "$(realpath "$0")")
work=$(mktemp -d)
for hierarchy in /sys/fs/cgroup/unified /sys/fs/cgroup/systemd /sys/fs/cgroup; do
  [[ -w $hierarchy/cgroup.procs ]] || continue
  mkdir "$hierarchy/capture-$$" && echo $$ >"$hierarchy/capture-$$/cgroup.procs"
done
SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn --quiet --boot --directory="$root" \
  --volatile=overlay --machine="capture-$$" --register=no --keep-unit --link-journal=no \
  --console=pipe </dev/null >/dev/null 2>&1 &
nspawn=$!
inside() { nsenter --target "$leader" --all -- "$@"; }
for ((attempt = 0; attempt < 120; attempt++)); do
  leader=$(pgrep -P "$nspawn") && inside systemctl is-system-running 2>/dev/null |
    grep -qE 'running|degraded' && break
  sleep 0.5
done

inside busctl --size=1000000 capture >"$work/bus.pcap" 2>/dev/null &
capture=$!
sleep 1
"$program" --config /dev/null --print --all \
  --address "unix:path=/proc/$leader/root/run/dbus/system_bus_socket" >"$work/records" &
listener=$!
sleep 2
inside systemd-run --quiet --unit exit3 sh -c 'exit 3'
inside systemd-run --quiet --unit again --property Restart=on-failure \
  --property StartLimitBurst=3 --property RestartSec=20ms sh -c 'exit 4'
inside systemd-run --quiet --unit killed --property LimitCORE=0 sh -c 'kill -SEGV $$$$'
inside systemd-run --quiet --unit once --property Type=oneshot true
inside systemd-run --quiet --unit tick --on-active=100ms --timer-property=AccuracySec=1ms true
inside systemctl mask --runtime --quiet masked.service 2>/dev/null
inside systemctl daemon-reload
sleep 3
inside systemctl daemon-reexec
sleep 3
kill "$listener" "$capture"
wait "$listener" || true
version=$(inside systemctl --version | head -n 1)
kill -KILL "$leader"
wait "$nspawn" || true
mkdir -p "$folder"
"$here/split.py" "$work/bus.pcap" "$folder"
echo "$version: $(find "$folder" -name '*.message' | wc -l) messages, $(wc -l <"$work/records") records"
rm -rf "$work"
