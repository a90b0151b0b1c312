# What podman does with an OCI runtime. Runs in namespaces of its own: mount, PID, network.
#
#     podman.sh RUNTIME DIRECTORY ARCHIVE CGROUP
#
# ARCHIVE is an OCI layout of the tiny image as a tar. Prints what must be the same for every
# runtime.
runtime=$1 dir=$2 archive=$3 cgroup=$4
mkdir -p "$dir"
ip link set lo up

p() {
  podman --root "$dir/store" --runroot "$dir/run" --tmpdir "$dir/tmp" --storage-driver overlay \
    --cgroup-manager cgroupfs --events-backend file --runtime "$runtime" "$@"
}
run() { p run --cgroup-parent "$cgroup" --network none "$@"; }
say() { echo "$1: status $?"; }
# Output and errors come by two ways, of which either may be the faster.
apart() {
  "$@" 2>"$dir/errors"
  set -- $?
  cat "$dir/errors"
  return "$1"
}

p load -q -i "$archive" >/dev/null
image=$(p images -q | head -n 1)
apart run --rm "$image" sh -c 'echo out; echo err >&2; exit 7'
say run
echo input | run -i --rm "$image" cat
for program in /no/such no-such /etc/passwd /etc; do
  run --rm "$image" "$program" 2>/dev/null
  say "run $program"
done
apart run --rm --read-only --user 12:34 -m 32m --pids-limit 20 --hostname h \
  --sysctl kernel.shm_rmid_forced=1 --tmpfs /t --shm-size 3m --cap-drop all "$image" \
  sh -c 'id -u; hostname; touch /x; cat /proc/sys/kernel/shm_rmid_forced; grep CapBnd /proc/self/status'
script -qec "podman --root $dir/store --runroot $dir/run --tmpdir $dir/tmp --storage-driver overlay \
  --cgroup-manager cgroupfs --events-backend file --runtime $runtime run -t --rm --network none \
  --cgroup-parent $cgroup $image sh -c 'tty; exit 4'" /dev/null </dev/null
say terminal

run -d --name a --health-cmd true "$image" sleep 1000 >/dev/null 2>&1
say detach
p exec a sh -c 'echo inside; exit 5'
say exec
p exec a no-such 2>/dev/null
say "exec no-such"
p exec -d a touch /tmp/made >/dev/null
say "exec detached"
p exec a sh -c 'until [ -e /tmp/made ]; do sleep 0.1; done; echo made'
p healthcheck run a
say health
p inspect a --format '{{.State.Health.Status}}'
p pause a
p inspect a --format '{{.State.Status}}'
p unpause a
p inspect a --format '{{.State.Status}}'
p update --memory 64m a >/dev/null
say update
p stop -t 0 a 2>/dev/null
p inspect a --format '{{.State.Status}} {{.State.ExitCode}}'
p start a 2>/dev/null
p restart -t 0 a >/dev/null 2>&1
p exec a echo again
p kill a
p wait a
p rm -f a 2>/dev/null
say rm

p run -d --name web --cgroup-parent "$cgroup" -p 18080:80 "$image" \
  sh -c 'echo hello >/tmp/index.html; exec httpd -f -p 80 -h /tmp' >/dev/null
say publish
for _ in 1 2 3 4 5 6 7 8 9 10; do
  said=$(curl -s http://127.0.0.1:18080/) && break
  sleep 0.2
done
echo "$said"
p rm -f -t 0 web
p ps -aq
p system reset -f >/dev/null 2>&1
exit 0
