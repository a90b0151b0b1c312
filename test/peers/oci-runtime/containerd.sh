# What containerd does with an OCI runtime. Runs in namespaces of its own: mount, PID.
#
#     containerd.sh RUNTIME DIRECTORY ARCHIVE CGROUP
#
# ARCHIVE is an OCI layout of the tiny image as a tar. Prints what must be the same for every
# runtime.
runtime=$1 dir=$2 archive=$3 cgroup=$4
mkdir -p "$dir"
cat >"$dir/config.toml" <<X
version = 2
root = "$dir/root"
state = "$dir/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "$dir/sock"
[plugins."io.containerd.internal.v1.opt"]
path = "$dir/opt"
X
containerd --config "$dir/config.toml" >"$dir/log" 2>&1 &
daemon=$!

c() { ctr --address "$dir/sock" "$@"; }
run() { c run --runc-binary "$runtime" --runc-root "$dir/runc" --cgroup "$cgroup/c" "$@"; }
say() { echo "$1: status $?"; }
# Output and errors come by two ways, of which either may be the faster.
apart() {
  "$@" 2>"$dir/errors"
  set -- $?
  cat "$dir/errors"
  return "$1"
}
tasks() { c task ls | awk 'NR > 1 { print $1, $3 }'; }

until c version >/dev/null 2>&1; do sleep 0.1; done
c images import "$archive" >/dev/null
image=$(c images ls -q | head -n 1)

apart run --rm "$image" a sh -c 'echo out; echo err >&2; exit 7'
say run
run --rm --runtime io.containerd.runc.v2 "$image" b sh -c 'echo shim'
say shim
run --rm "$image" c /no/such 2>&1 | grep -o 'no such file or directory'
c containers rm c
run -d "$image" d sh -c 'trap "exit 9" TERM; while :; do sleep 0.1; done'
say detach
tasks
c task exec --exec-id one d sh -c 'echo inside; exit 5'
say exec
c task pause d
tasks
c task resume d
tasks
c task ps d | wc -l
c task metrics d >/dev/null
say metrics
script -qec "ctr --address $dir/sock task exec -t --exec-id two d tty" /dev/null </dev/null |
  grep -o /dev/pts/0
c task kill -s TERM d
say kill
while [ "$(tasks)" != "d STOPPED" ]; do sleep 0.1; done
c task kill d 2>&1 | grep -o 'not found'
c task rm d 2>/dev/null
say rm
c containers rm d
script -qec "ctr --address $dir/sock run -t --rm --runc-binary $runtime --runc-root $dir/runc \
  --cgroup $cgroup/c $image e sh -c 'tty; exit 4'" /dev/null </dev/null >"$dir/tty"
say terminal
grep -o /dev/pts/0 "$dir/tty"
tasks
c containers ls -q
kill $daemon
wait $daemon
exit 0
