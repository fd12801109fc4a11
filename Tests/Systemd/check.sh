#!/usr/bin/env bash
# The units of Config/systemd, as they are, under a live systemd: Debian's, as process 1 of namespaces of its own. The system around it is
# made anew, which takes a minute, so .ci/run leaves it out.
#
#   Tests/Systemd/check.sh EXECUTABLE
#
# EXECUTABLE is built with --static-swift-stdlib, as the Dockerfile does. Needs root, a mounted cgroup2, Debian's debootstrap, iproute2 and
# util-linux. ROOT=FOLDER takes a system that is there already and leaves it.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
executable=$(realpath "${1:?the executable}")
scratch=$(mktemp -d)
root=${ROOT:-$scratch/root}
group=$(findmnt -n -o TARGET -t cgroup2 | head -1)/revoked-check-$$
session=3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10
secret='dyn_a-secret-[of]-{the}-check'
first=

leave() {
  # The end of process 1 ends all the others.
  [[ -z $first ]] || kill -KILL "$first" 2>/dev/null || true
  wait 2>/dev/null || true
  find "$group" -depth -type d -exec rmdir {} \; 2>/dev/null || true
  rm -rf "$scratch"
}
trap leave EXIT
say() { printf '%-72s %s\n' "$1" "${2:-ok}"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; inside journalctl -u revoked -o cat --no-pager >&2 | tail -20 || true; exit 1; }
# At most 60 s.
await() { for ((i = 0; i < 600; i++)); do "${@:2}" && return; sleep 0.1; done; fail "waited for: $1"; }
inside() { nsenter -t "$first" -m -p -u -i -n -C env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"; }
show() { inside systemctl show -P "$1" revoked; }
is() { [[ $(show "$1") == "$2" ]]; }
ready() { [[ $(inside curl -s http://127.0.0.1:8081/readyz) == '{"ready":true}' ]]; }
refuses() { inside curl -s "http://127.0.0.1:8081/v1/sessions/$session" | grep -q '"revoked":true' || fail "the session is not refused"; }
says() { inside journalctl -u revoked -o cat --no-pager | grep "$1" >/dev/null; }
# Another process than before, and ready.
renewed() { [[ $(show MainPID) != 0 && $(show MainPID) != "$1" ]] && ready; }

if [[ ! -d $root ]]; then
  debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,procps,curl,ca-certificates,libssl3,libsqlite3-0,libcurl4 bookworm "$root" \
    >"$scratch/log" 2>&1 || { tail "$scratch/log" >&2; exit 1; }
fi
install -m 755 "$executable" "$root/usr/local/bin/revoked"
cp "$here"/Config/systemd/revoked.{service,socket} "$root/etc/systemd/system/"
install -d -m 700 "$root/etc/revoked"
(umask 077; printf '%s\n' "$secret" >"$root/etc/revoked/webhook-secret")

cat >"$scratch/start" <<'START'
set -e
ip link set lo up
cd "$1"
mount --bind . . && cd "$1"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs dev
for name in null zero full random urandom tty; do touch "dev/$name"; mount --bind "/dev/$name" "dev/$name"; done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
for folder in run tmp var/log var/lib/private; do mkdir -p "$folder"; mount -t tmpfs -o mode=755 tmpfs "$folder"; done
chmod 700 var/lib/private
pivot_root . mnt
umount -l /mnt
# As systemd itself has it where it is not in a container: credentials reach a service by it.
mount --make-rshared /
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system
START
mkdir "$group"
(echo "$BASHPID" >"$group/cgroup.procs" && exec unshare -m -p -u -i -n -C -f bash "$scratch/start" "$root") >"$scratch/log" 2>&1 &
parent=$!
await "process 1" pgrep -P "$parent" >/dev/null
first=$(pgrep -P "$parent")
await "systemd" inside systemctl list-jobs >/dev/null 2>&1
say "systemd" "$(inside systemctl --version | head -1)"

! inside systemctl start revoked 2>/dev/null || fail "it starts without a store"
says "there is no store at" || fail "it does not say why it does not start"
inside systemctl stop revoked
# As the unit says.
inside systemd-run --pipe --wait -p DynamicUser=yes -p User=revoked -p StateDirectory=revoked -p StateDirectoryMode=0700 \
  /usr/local/bin/revoked init --data /var/lib/revoked >"$scratch/init" 2>&1 || fail "$(cat "$scratch/init")"
say "refuses to start without a store, which revoked init makes"
inside systemctl start revoked || fail "it does not start"
ready || fail "started, and not ready"
say "starts as $(show User), with its secret from a credential" "ready when systemctl returns"
inside env DYNAMIC_WEBHOOK_SECRET="$secret" revoked send --session "$session" >"$scratch/sent" || fail "$(cat "$scratch/sent")"
refuses
pid=$(show MainPID)
inside kill -KILL "$pid"
await "a new process" renewed "$pid"
refuses
say "is started again after SIGKILL, and refuses the session"
inside systemctl reload revoked || fail "it does not reload"
await "the reload" says "reloaded the secrets"
is ActiveState active || fail "reloaded, and not active"
say "reloads"
pid=$(show MainPID)
inside kill -STOP "$pid"
await "the watchdog" renewed "$pid"
refuses
say "is killed by the watchdog when it hangs, and started again"
inside systemctl stop revoked
is Result success && is ExecMainStatus 0 || fail "stopped with $(show Result) $(show ExecMainStatus)"
say "stops in order"

inside systemctl start revoked.socket revoked || fail "it does not start with its sockets"
refuses
inside bash -c 'for ((i = 0; i < 300; i++)); do curl -s -o /dev/null -w "%{http_code}\n" -m 10 http://127.0.0.1:8080/healthz; done' >"$scratch/codes" &
requests=$!
inside systemctl restart revoked
wait "$requests"
[[ $(sort -u "$scratch/codes") == 200 ]] || fail "during a restart: $(sort "$scratch/codes" | uniq -c | tr '\n' ' ')"
say "answers 300 requests during a restart, none refused"
inside systemctl stop revoked.socket revoked

mkdir -p "/proc/$first/root/run/systemd/system/revoked.service.d"
printf '[Service]\nEnvironment=REVOKED_NONSENSE=1\n' >"/proc/$first/root/run/systemd/system/revoked.service.d/nonsense.conf"
inside systemctl daemon-reload
! inside systemctl start revoked 2>/dev/null || fail "it starts with a configuration that is none"
is ActiveState failed && is ExecMainStatus 78 && is NRestarts 0 || fail "a bad configuration: $(show ActiveState) $(show ExecMainStatus)"
say "is not started again with a bad configuration"
say "exposure" "$(inside systemd-analyze security revoked --no-pager | sed -n 's/^.*level for revoked.service: //p')"
