# When an OCI runtime runs the hooks of a bundle, and what they see.
#
#     hooks.sh RUNTIME STATE BUNDLES
#
# BUNDLES has the bundles "hooked", and "fails-KIND" where that hook fails. Prints what must be
# the same for every runtime.
runtime=$1 state=$2 bundles=$3
mkdir -p "$state"
cd "$state" || exit 1
log=$bundles/log/log

r() { "$runtime" --root "$state/root" "$@"; }
status() { r state "$1" 2>/dev/null | sed -n 's/.*"status": "\(.*\)".*/\1/p'; }
until_is() { for _ in $(seq 100); do [ "$(status "$1")" = "$2" ] && return; sleep 0.05; done; echo "never $2"; }
fresh() { rm -f "$log"; touch "$log"; chmod 666 "$log"; }

fresh
r create -b "$bundles/hooked" one </dev/null >/dev/null 2>&1
echo "create: status $?, $(status one)" >>"$log"
r start one
until_is one stopped
r delete one
cat "$log"
cat "$bundles/hooked/rootfs/written"

for kind in prestart createRuntime createContainer startContainer; do
  fresh
  r create -b "$bundles/fails-$kind" two </dev/null >/dev/null 2>&1
  [ $? -ne 0 ] && echo "create fails"
  r start two >/dev/null 2>&1 && until_is two stopped
  r delete --force two >/dev/null 2>&1
  grep -E '^(== |program)' "$log"
  r list -q
  find /sys/fs/cgroup -type d -path "*oci-contract*/fails-$kind"
done
