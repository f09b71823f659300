#!/usr/bin/env bash
# The first process of a private mount, network and pid namespace: lays a tree over the machine's,
# runs one command in it, and ends when the command ends or when the test that started it is gone.
# The kernel then kills whatever is left inside and drops the mounts.
#
# usage: namespace.sh TREE [SOURCE TARGET]... -- COMMAND...
#   TREE    holds opt/, tmp/ and var/, which become /opt, /tmp and /var (/tmp writable)
#   SOURCE  is seen read-only at TREE/TARGET, a directory that exists
# Says "ready" on stdout and waits for a line on stdin; the command's output goes to stderr.
set -euo pipefail

cd "$1"
shift
mount -t proc proc /proc
while [[ $1 != -- ]]; do
  mount --bind "$1" "$PWD/$2"
  mount -o remount,bind,ro "$PWD/$2"
  shift 2
done
shift
# Relative and not canonicalised: the tree itself may lie under /tmp or /var.
for top in opt var tmp; do
  mount --no-canonicalize --rbind "$top" "/$top"
done
mount -o remount,bind,ro /opt
mount -o remount,bind,ro /var
cd /var/task

exec 3<&0
echo ready
read -r _ <&3

"$@" >&2 3<&- </dev/null &
command=$!
# Standard input ends when the test process does, however that ends.
(cat <&3 >/dev/null; kill -KILL "$command" 2>/dev/null) &
wait "$command"
