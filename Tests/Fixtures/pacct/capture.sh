#!/bin/sh
# Makes linux-6.18-amd64.pacct and what dump-acct(8) of Debian 12 says of it: run as root, in a pid
# namespace of its own: unshare -p -f --mount-proc sh capture.sh PROGRAM FILE, where PROGRAM is
# processes.c compiled.
program=$1 file=$2
touch "$file"
chmod 600 "$file"
accton "$file" >/dev/null
/bin/true
sh -c 'exit 3'
sh -c 'kill -9 $$'
sh -c 'kill -TERM $$'
ulimit -c unlimited
cd "$(dirname "$file")" || exit
"$program" core
rm -f core*
ulimit -c 0
"$program" core
setpriv --reuid 33 --regid 34 --clear-groups /bin/true
"$program" burn 730
"$program" named c3a96dff0a22
"$program" named 303132333435363738396162636465
"$program" thread-group
"$program" burst burst 12
script -qc 'sh -c "exit 5"' /dev/null </dev/null >/dev/null
sleep 1.25
(sleep 0.01 &)
dd if=/dev/zero of=/dev/null bs=200M count=1 2>/dev/null
sleep 0.1
accton off >/dev/null
