#!/usr/bin/env bash
# The container as a user gets it: built from a clean clone of HEAD, then run with a read-only root, no capability and a
# network of its own, as the user that it names; asked, stopped in the middle of a delivery, started again.
# A build from nothing takes some ten minutes, so .ci/run leaves it out.
#
#   Tests/Container/check.sh [ARGUMENT OF buildah bud]…
#
# Needs root, Debian's buildah, runc, jq, iproute2, curl, git and postgresql, and the images of the Dockerfile's FROM lines (buildah
# pulls them, unless --pull-never is an argument). IMAGE=NAME checks an image that is there instead of building one. An SBOM is
# written to $SBOM (NAME.cdx.json), if that is set, by debsbom (PyPI: debsbom[cdx]), with the Swift packages added, for which it needs swift.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
scratch=$(mktemp -d)
id=revoked-check-$$
image=${IMAGE:-}
container=
database=
export BUILDAH_ISOLATION=chroot

leave() {
  runc delete --force "$id" >/dev/null 2>&1 || true
  [[ -z $database ]] || kill -QUIT "$database" || true
  [[ -z $container ]] || buildah rm "$container" >/dev/null
  ip netns delete "$id" 2>/dev/null || true
  rm -rf "$scratch"
}
trap leave EXIT
say() { printf '%-60s %s\n' "$1" "${2:-ok}"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; tail -20 "$scratch"/log* >&2 || true; exit 1; }
# At most 30 s.
await() { for ((i = 0; i < 300; i++)); do "${@:2}" && return; sleep 0.1; done; fail "waited for: $1"; }

if [[ -z $image ]]; then
  image=revoked-check
  git clone --quiet "$root" "$scratch/clone"
  revision=$(git -C "$root" rev-parse HEAD)
  buildah bud --format docker "$@" --build-arg REVISION="$revision" \
    --build-arg CREATED="$(git -C "$root" show -s --format=%cI HEAD)" -t "$image" "$scratch/clone" >"$scratch/log.build" 2>&1 \
    || fail "the build"
  say "builds from a clean clone of $(git -C "$root" rev-parse --short HEAD)"
fi

buildah inspect --type image "$image" | jq .Docker.config >"$scratch/image.json"
setting() { jq -r "$1" "$scratch/image.json"; }
for label in title description version revision created; do
  [[ -n $(setting ".Labels[\"org.opencontainers.image.$label\"] // \"\"") ]] || fail "no label $label"
done
say "has its labels" "version $(setting '.Labels["org.opencontainers.image.version"]')"
[[ $(setting .User) == 10001:10001 ]] || fail "its user is $(setting .User)"

container=$(buildah from --pull-never "$image")
tree=$(buildah mount "$container")

# What runs it: runc, and not a shell with less rights, because that is how it is run in earnest.
ip netns add "$id"
ip -n "$id" link set lo up
mkdir "$scratch/bundle" "$scratch/data"
chown 10001:10001 "$scratch/data"
secret=dyn_$(head -c 42 /dev/urandom | base64 | tr -d '/+=\n')
(cd "$scratch/bundle" && runc spec)
jq --slurpfile image "$scratch/image.json" --arg tree "$tree" --arg data "$scratch/data" --arg secret "$secret" \
  --arg network "/run/netns/$id" '
  $image[0] as $i
  | .root = {path: $tree, readonly: true}
  | .process += {terminal: false, user: {uid: 10001, gid: 10001}, args: ($i.Entrypoint + $i.Cmd), noNewPrivileges: true,
      env: ($i.Env + ["DYNAMIC_WEBHOOK_SECRET=" + $secret]),
      capabilities: {bounding: [], effective: [], permitted: [], inheritable: [], ambient: []}}
  | .mounts += [{destination: "/data", type: "bind", source: $data, options: ["rbind", "rw", "nosuid", "nodev", "noexec"]}]
  | .linux.namespaces |= map(if .type == "network" then .path = $network else . end)
  ' "$scratch/bundle/config.json" >"$scratch/config.json"
mv "$scratch/config.json" "$scratch/bundle/config.json"

runs=0
start() {
  runs=$((runs + 1))
  log=$scratch/log.$runs
  runc run --bundle "$scratch/bundle" "$id" >"$log" 2>&1 &
  process=$!
  await "it to listen" grep -qs 'listening private' "$log"
}
inside() { runc exec "$id" "$@"; }
near() { ip netns exec "$id" "$@"; }
# What the kernel says of it, since nothing in the image could.
of() { cat "/proc/$(runc state "$id" | jq .pid)/$1"; }
healthy() { inside $(setting '.Healthcheck.Test[1:] | join(" ")') >/dev/null; }

start
[[ $(of status | awk '/^Uid:/ {print $2, $3}') == "10001 10001" ]] || fail "runs as $(of status | grep ^Uid:)"
say "starts as uid 10001, without a capability, root read-only" "$(grep -c . "$log") lines in its log"
await "its HEALTHCHECK" healthy
say "its HEALTHCHECK passes" "$(setting '.Healthcheck.Test[1:] | join(" ")')"

inside revoked backup /data/written >/dev/null || fail "/data cannot be written"
for place in / /etc /usr/local/bin /var /proc; do
  if inside revoked backup "${place%/}/written" >/dev/null 2>&1; then fail "$place can be written"; fi
done
mounts=$(of mounts | awk '$4 ~ /^rw/ && $2 !~ /^\/(dev|proc|sys)/ {print $2}')
[[ $mounts == /data ]] || fail "can write to: $mounts"
say "can write to nothing but /data"

session=3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10
inside revoked send --session "$session" --url http://127.0.0.1:8080/webhooks/dynamic >/dev/null || fail "send"
revoked() { near curl -sS "http://127.0.0.1:8081/v1/sessions/$1" | grep '"revoked":true' >/dev/null; }
revoked "$session" || fail "the session is not revoked"
say "takes an event, and its session is refused"

# A delivery whose second half comes after SIGTERM.
other=3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c11
body='{"eventId":"check","messageId":"m","eventName":"user.session.revoked","timestamp":"2026-10-01T09:00:00Z","data":{"id":"'$other'"}}'
signature=$(printf %s "$body" | inside revoked sign)
mkfifo "$scratch/rest"
near bash -c '
  exec 3<>/dev/tcp/127.0.0.1/8080
  printf "POST /webhooks/dynamic HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\nx-dynamic-signature-256: %s\r\n\r\n%s" \
    "${#1}" "$2" "${1:0:40}" >&3
  read -r <"$3"
  printf %s "${1:40}" >&3
  cat <&3' _ "$body" "$signature" "$scratch/rest" >"$scratch/answer" &
client=$!
connected() { near curl -sS http://127.0.0.1:8081/metrics | grep '^revoked_connections{listener="public"} 1$' >/dev/null; }
await "the delivery to begin" connected
runc kill "$id" TERM
await "it to stop" grep -q stopping "$log"
echo >"$scratch/rest"
wait "$client" || true
grep -q '^HTTP/1.1 200 ' "$scratch/answer" || fail "in flight: $(head -1 "$scratch/answer")"
status=0
wait "$process" || status=$?
[[ $status == 0 ]] || fail "ended with $status"
say "SIGTERM answers what is in flight, and it ends with 0"

start
await "its HEALTHCHECK" healthy
revoked "$session" && revoked "$other" || fail "a session was forgotten"
runc kill "$id" TERM
wait "$process" || fail "ended with $?"
say "knows both sessions after a new start"

# On PostgreSQL, which does not run as root, in the network that it has.
binaries=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -1)
unprivileged() { near setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"; }
chmod 0711 "$scratch"
install -d -o nobody -m 0700 "$scratch/postgresql"
unprivileged "$binaries/initdb" -D "$scratch/postgresql" -U revoked -A trust -E UTF8 -N >"$scratch/log.initdb" 2>&1 \
  || fail "initdb"
unprivileged "$binaries/postgres" -D "$scratch/postgresql" -c unix_socket_directories= >"$scratch/log.postgresql" 2>&1 &
await "PostgreSQL" grep -qs 'ready to accept' "$scratch/log.postgresql"
database=$(head -1 "$scratch/postgresql/postmaster.pid")
jq '.process.env += ["REVOKED_STORE=postgres://revoked@127.0.0.1/postgres"]' "$scratch/bundle/config.json" >"$scratch/config.json"
mv "$scratch/config.json" "$scratch/bundle/config.json"
start
await "its HEALTHCHECK" healthy
if revoked "$session"; then fail "a session of the other store is known"; fi
inside revoked send --session "$session" --url http://127.0.0.1:8080/webhooks/dynamic >/dev/null || fail "send"
revoked "$session" || fail "the session is not revoked"
runc kill "$id" TERM
wait "$process" || fail "ended with $?"
say "on PostgreSQL takes an event, and its session is refused"

# What is in it.
files() { (cd "$tree" && find . -xdev -type f -printf '%P\n' | sort); }
programs=$(cd "$tree" && find . -xdev -type f -perm /111 ! -name '*.so*' -printf '%P ' )
[[ $programs == "usr/local/bin/revoked " ]] || fail "programs: $programs"
others=$(files | grep -Ev '^(lib|lib64)/[^ ]*[.]so[.0-9]*$|^usr/share/doc/[^/]*/copyright$' | paste -sd' ')
expected="etc/group etc/nsswitch.conf etc/os-release etc/passwd etc/ssl/certs/ca-certificates.crt usr/local/bin/revoked var/lib/dpkg/status"
[[ $others == "$expected" ]] || fail "holds: $others"
say "no shell, tool or source; one program, libraries" "$(files | grep -c '^lib')"
say "packages of Debian's that they are from" "$(grep -c ^Package: "$tree/var/lib/dpkg/status")"
# All that it links to, and nothing else.
linked=$(chroot "$tree" /lib64/ld-linux-x86-64.so.2 --list /usr/local/bin/revoked) || fail "a library is missing"
! grep 'not found' <<<"$linked" || fail "a library is missing"
[[ $(grep -c '/lib' <<<"$linked") == "$(files | grep -c '^lib')" ]] || fail "libraries that it does not link to"

kilobytes=$(du -sk --apparent-size "$tree" | cut -f1)
((kilobytes < 100 * 1024)) || fail "$kilobytes kB"
say "size" "$((kilobytes / 1024)) MB"
(cd "$tree" && files | xargs -d '\n' stat -c '%s %n' | sort -rn | head -8) \
  | awk '{printf "  %-58s %.1f MB\n", $2, $1 / 1048576}'

if [[ -n ${SBOM:-} ]]; then
  debsbom generate --root "$tree" --sbom-type cdx --distro-name revoked --out "${SBOM%.cdx.json}"
  # What is linked into the executable no package manager of the image knows.
  swift package --package-path "$root" --scratch-path "$scratch/swift" show-dependencies --format json \
    >"$scratch/dependencies.json" 2>"$scratch/log.dependencies" || fail "the Swift packages"
  jq --slurpfile graph "$scratch/dependencies.json" '
    .components += ([$graph[0].dependencies[] | recurse(.dependencies[])] | unique_by(.identity) | map(
      "pkg:swift/\(.url | sub("^https://"; "") | sub("[.]git$"; ""))@\(.version)" as $purl
      | {"bom-ref": $purl, type: "library", name, version, purl: $purl, externalReferences: [{type: "vcs", url}]}))
    ' "$SBOM" >"$scratch/sbom.json"
  cp "$scratch/sbom.json" "$SBOM"
  say "SBOM: packages of Debian's and Swift's" "$(jq -r '[.components[].purl | capture("^pkg:(?<type>[a-z]+)").type]
    | group_by(.) | map("\(length) \(.[0])") | join(", ")' "$SBOM")"
fi
