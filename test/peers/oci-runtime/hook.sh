# What a hook sees, appended to the file $LOG.
#
#     hook.sh KIND
#
# HOST_MNT and the like are the host's namespaces, MARKER a file of the host, ROOTFS the
# container's root there.
of() { [ "$(readlink "/proc/self/ns/$1")" = "$2" ] && echo "$1 of the host" || echo "$1 of its own"; }
there() { [ -e "$1" ] && echo "$2" || echo "no $2"; }
state=$(cat)
field() { echo "$state" | sed -n "s/.*\"$1\":\"\\{0,1\\}\\([^\",}]*\\).*/\\1/p"; }
{
  echo "== $1"
  echo "state: $(field id) $(field status) $(field bundle) $(field note)"
  [ "$(field pid)" = 1 ] && echo "pid 1"
  there "$MARKER" "host's root"
  of mnt "$HOST_MNT"
  of pid "$HOST_PID"
  of net "$HOST_NET"
  of uts "$HOST_UTS"
  of ipc "$HOST_IPC"
  there "/proc/$(field pid)/root$MARKER" "host's root of the first process"
  there "$ROOTFS/bin/busybox" "root file system"
  there "$ROOTFS/proc/self" "mounts in it"
  [ "$1" = poststop ] || pwd
  id -u
  grep -E '^(CapEff|Seccomp|NoNewPrivs):' /proc/self/status
  env | sed 's/=.*//' | grep -v -e '^_$' -e SHLVL -e OLDPWD | sort | tr '\n' ' '
  echo
  [ -z "$WRITES" ] || { echo made >"$WRITES" && echo "has written"; }
} >>"$LOG" 2>&1
echo "nobody reads this"
echo "$1: its errors" >&2
exit "${STATUS:-0}"
