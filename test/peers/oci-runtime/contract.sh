# What an OCI runtime answers to the commands of its interface.
#
#     contract.sh RUNTIME STATE BUNDLES CONSOLE
#
# BUNDLES has the bundles "plain", "terminal" and "fails"; CONSOLE is console.py. Prints what
# must be the same for every runtime.
runtime=$1 state=$2 bundles=$3 console=$4
mkdir -p "$state"
cd "$state" || exit 1

r() { "$runtime" --root "$state/root" "$@"; }
say() { echo "$1: status $?"; }
status() { r state "$1" 2>/dev/null | sed -n 's/.*"status": "\(.*\)".*/\1/p'; }
until_is() { while [ "$(status "$1")" != "$2" ]; do sleep 0.05; done; }
why() { grep -o '"level":"error"' "$1" | head -n 1; rm -f "$1"; }

r run -b "$bundles/fails" foreground <"$bundles/input" >output 2>errors
say run
cat output errors
status foreground

r create -b "$bundles/plain" --pid-file pid one </dev/null >output 2>&1
say create
[ "$(cat pid)" = "$(r state one | sed -n 's/.*"pid": \([0-9]*\).*/\1/p')" ] && echo "pid file is right"
[ -s output ] && echo "it ran too early"
echo "created: $(status one)"
r create -b "$bundles/plain" one >/dev/null 2>&1 </dev/null
say "create again"
r list -q
r delete one 2>/dev/null
say "delete created"
r create -b "$bundles/plain" one >/dev/null 2>&1 </dev/null
r start one
say start
until_is one running
r start one 2>/dev/null
say "start again"
r list | awk '{ print $1, $3 }'
r delete one 2>/dev/null
say "delete running"

r exec one sh -c 'echo inside; cat; exit 5' <"$bundles/input"
say exec
r exec --env WORD=said --cwd /tmp one sh -c 'echo $WORD; pwd'
r exec --user 12:34 one id -u
r exec -d --pid-file exec.pid one sleep 1000
say "exec detached"
[ -d "/proc/$(cat exec.pid)" ] && echo "its process is there"
r ps -f json one | tr , '\n' | wc -l
r exec one no-such 2>/dev/null
[ $? -ne 0 ] && echo "exec of nothing fails"
printf '{"args":["sh","-c","echo $A; pwd"],"env":["A=b","PATH=/bin"],"cwd":"/etc","user":{"uid":0,"gid":0}}' >process.json
r exec --process "$state/process.json" one
say "exec of a file"
"$console" "$state/exec.sock" "$runtime" --root "$state/root" exec -t -d --pid-file tty.pid --console-socket "$state/exec.sock" one sh -c '[ -t 0 ] && echo on a terminal'

r pause one
say pause
status one
r exec one true 2>/dev/null </dev/null
[ $? -ne 0 ] && echo "no exec while paused"
r resume one
say resume
status one

echo '{"memory":{"limit":50331648},"pids":{"limit":77}}' | r update -r - one
say update
find /sys/fs/cgroup -path '*oci-contract*/plain/*' -name pids.max -exec cat {} \;
find /sys/fs/cgroup -path '*oci-contract*/plain/*' \( -name memory.limit_in_bytes -o -name memory.max \) -exec cat {} \;

r kill one USR1
say "kill USR1"
r kill one KILL
say "kill KILL"
until_is one stopped
r --log log --log-format json kill one KILL 2>/dev/null
say "kill stopped"
grep -o 'container not running' log
why log
r exec one true 2>/dev/null </dev/null
[ $? -ne 0 ] && echo "no exec when stopped"
r delete one
say delete
r state one 2>/dev/null
say "state of none"
r delete -f one
say "delete none by force"
find /sys/fs/cgroup -type d -path '*oci-contract*/plain'

r --log log --log-format json state none 2>/dev/null
grep -o 'container does not exist' log
why log
r --log log --log-format json create -b "$state/none" two 2>/dev/null
say "create of nothing"
why log
r --log log --log-format json create -b "$bundles/missing" two 2>/dev/null </dev/null >/dev/null
say "create without a program"
grep -Eo 'no such file or directory|executable file not found' log
rm -f log
r create -b "$bundles/terminal" two >/dev/null 2>&1 </dev/null
say "terminal without a socket"
"$console" "$state/console.sock" "$runtime" --root "$state/root" run -d -b "$bundles/terminal" --console-socket "$state/console.sock" three
until_is three stopped
r delete three
say "delete terminal"

r run -d -b "$bundles/plain" four </dev/null >/dev/null 2>&1
say "run detached"
status four
r delete -f four
say "delete by force"
r list -q
r run --no-such 2>/dev/null >/dev/null
[ $? -ne 0 ] && echo "an unknown flag is refused"
r --version | grep -c '^spec: 1\.'
