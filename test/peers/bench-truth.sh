#!/bin/bash
# Measures by other means what `tsimg bench` measures of overlay2, on the same kind of place: the
# first append to a file of the image and look-ups in a deep stack by strace(1), unpacking by the
# time that a whole command takes. Prints both figures of each, and their ratio.
#
#   test/peers/bench-truth.sh [ROUNDS]
#
# Needs root, e2fsprogs, strace, umoci, skopeo, docker-registry, and a machine that does nothing else.
set -euo pipefail
rounds=${1:-9}
here=$(cd "$(dirname "$0")" && pwd)
tsimg=$here/../../bin/tsimg
work=$(mktemp -d)
place=$work/place
finish() {
  [ ! -f "$work/registry.pid" ] || kill "$(cat "$work/registry.pid")" 2>/dev/null || true
  mountpoint -q "$place/merged" && umount "$place/merged"
  mountpoint -q "$place" && umount "$place"
  rm -rf "$work"
}
trap finish EXIT

# A fresh ext4 in a sparse file, as the bench makes it.
truncate -s 16G "$work/place.img"
mkfs.ext4 -q -F -m 0 "$work/place.img"
mkdir "$place"
mount -o loop,noatime,discard "$work/place.img" "$place"
mkdir "$place"/{lower,upper,work,merged}

median() { sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

# Seconds that one system call on a path took, as the kernel's tracer sees it.
seconds_in() { # CALL PATH COMMAND...
  local call=$1 path=$2
  shift 2
  strace -f -T -e trace="$call" "$@" 2>&1 >/dev/null | grep -F "$path" | tail -1 | sed 's/.*<\(.*\)>/\1/'
}

first_append() { # SIZE FILES
  rm -rf "$place"/{lower,upper,work}
  mkdir "$place"/{lower,upper,work}
  # Half of it can't be compressed, though ext4 doesn't care.
  for file in $(seq "$2"); do head -c "$1" /dev/urandom >"$place/lower/file-$file"; done
  for _ in $(seq "$rounds"); do
    rm -rf "$place"/{upper,work}
    mkdir "$place"/{upper,work}
    mount -t overlay overlay -o "lowerdir=$place/lower,upperdir=$place/upper,workdir=$place/work,index=off,redirect_dir=off,metacopy=off" "$place/merged"
    sync -f "$place"
    if [ "$2" = 1 ]; then
      seconds_in openat merged/file-1 dd if=/dev/zero of="$place/merged/file-1" bs=1 count=1 oflag=append conv=notrunc status=none
    else
      # One process for all of them: between processes a processor goes to sleep, and a disk.
      strace -T -e trace=openat sh -c "for file in $place/merged/file-*; do printf x >>\$file; done" 2>&1 >/dev/null |
        grep -F merged/file- | grep -F O_APPEND | sed 's/.*<\(.*\)>/\1/'
    fi
    umount "$place/merged"
  done | median
}

# Layers as docker lays them out; nearest first, relative to the directory they are in.
stack() { # LAYERS
  rm -rf "$place/overlay2"
  mkdir -p "$place/overlay2/l"
  local lower= id link
  for layer in $(seq "$1"); do
    id=$(printf 'layer %s' "$layer" | sha256sum | cut -c1-64)
    link=$(printf 'link %s' "$layer" | sha256sum | cut -c1-6)
    mkdir -p "$place/overlay2/$id"/{diff/shared,work,merged}
    echo "$link" >"$place/overlay2/$id/link"
    echo "$lower" >"$place/overlay2/$id/lower"
    ln -s "../$id/diff" "$place/overlay2/l/$link"
    if [ "$layer" = 1 ]; then
      mkdir "$place/overlay2/$id/diff/shared/lowest"
      for file in $(seq 0 99); do echo "$file" >"$place/overlay2/$id/diff/shared/lowest/file-$file"; done
    else
      : >"$place/overlay2/$id/diff/shared/layer-$layer"
    fi
    lower=l/$link${lower:+:}$lower
  done
  echo "$lower"
}

cold_stat() { # LAYERS
  local lower
  lower=$(stack "$1")
  sync -f "$place"
  for _ in $(seq "$rounds"); do
    # What the journal still holds can't be dropped.
    fsfreeze -f "$place" && fsfreeze -u "$place"
    echo 3 >/proc/sys/vm/drop_caches
    (cd "$place/overlay2" && mount -t overlay overlay -o "lowerdir=$lower" "$place/merged")
    # The tracer and stat(1) themselves were dropped from the caches, too: that is not in the call.
    seconds_in newfstatat,statx shared/lowest/file-0 stat "$place/merged/shared/lowest/file-0"
    umount "$place/merged"
  done | median
}

unpack() {
  local tree=$work/tree port=5987 i=0
  mkdir -p "$tree"
  while [ $i -lt 20000 ]; do
    local directory=$tree/src/$((i / 600))/module-$((i / 20))
    [ $((i % 20)) -ne 0 ] || mkdir -p "$directory"
    i=$((i + 1))
  done
  # The sizes of the bench's files: 256 bytes to 16 KiB.
  python3 - "$tree" <<'PYTHON'
import os, sys
for number in range(20000):
    path = f"{sys.argv[1]}/src/{number // 600}/module-{number // 20}/file-{number}.ts"
    size = round(256 * 2 ** (((number * 7919) % 60) / 10))
    with open(path, "wb") as file:
        file.write(os.urandom((size + 1) // 2) + bytes(size // 2))
PYTHON
  tar -C "$tree" -cf "$work/tree.tar" src
  umoci init --layout "$work/oci" >&2
  umoci new --image "$work/oci:tree" >&2
  umoci raw add-layer --image "$work/oci:tree" "$work/tree.tar" >&2
  cat >"$work/registry.yml" <<YAML
version: 0.1
storage: {filesystem: {rootdirectory: $work/registry}}
http: {addr: 127.0.0.1:$port}
log: {level: error}
YAML
  docker-registry serve "$work/registry.yml" >"$work/registry.log" 2>&1 &
  echo $! >"$work/registry.pid"
  until curl -sf "http://127.0.0.1:$port/v2/" >/dev/null; do sleep 0.1; done
  skopeo copy -q --dest-tls-verify=false "oci:$work/oci:tree" "docker://127.0.0.1:$port/tree" >&2
  local store=$place/store image=127.0.0.1:$port/tree
  "$tsimg" --root "$store" pull -q --plain-http "$image" >&2
  # A pull that has nothing to do takes what isn't unpacking: the process, asking the registry.
  for _ in $(seq "$rounds"); do
    "$tsimg" --root "$store" rmi --driver overlay2 "$image" >&2
    sync -f "$place"
    local start=$EPOCHREALTIME
    "$tsimg" --root "$store" pull -q --plain-http "$image" >&2
    local middle=$EPOCHREALTIME
    "$tsimg" --root "$store" pull -q --plain-http "$image" >&2
    echo "$start $middle $EPOCHREALTIME" | awk '{ print ($2 - $1) - ($3 - $2) }'
  done | median
  "$tsimg" --root "$store" rmi "$image" >&2
}

"$tsimg" --root "$work/store" bench copyup depth tree --driver overlay2 --runs "$rounds" \
  --time-budget 10m --layers 1,16,100,300 --format csv >"$work/bench.csv" 2>/dev/null
ours() { # SUITE MEASURE PARAMETER
  python3 - "$work/bench.csv" "$@" <<'PYTHON'
import csv, statistics, sys
path, suite, measure, parameter = sys.argv[1:]
rows = [row for row in csv.DictReader(open(path)) if row["driver"] == "overlay2"]
values = [float(row["value"]) for row in rows if (row["suite"], row["measure"], row["parameter"]) == (suite, measure, parameter)]
print(statistics.median(values))
PYTHON
}
line() { awk -v name="$1" -v ours="$2" -v theirs="$3" 'BEGIN { printf "| %s | %.3f ms | %.3f ms | %.2f |\n", name, ours * 1e3, theirs * 1e3, ours / theirs }'; }

echo "| overlay2, medians of $rounds rounds | tsimg bench | measured otherwise | ratio |"
echo "| --- | --- | --- | --- |"
while read -r size files; do
  line "first append, $size bytes" "$(ours copyup 'append 1 B, first' "$size")" "$(first_append "$size" "$files")"
done <<<$'4096 32\n1048576 8\n16777216 1\n134217728 1\n1073741824 1'
for layers in 16 100 300; do
  line "stat, cold, $layers layers" "$(ours depth 'stat, cold' $layers)" "$(cold_stat $layers)"
done
line "unpack 20,000 files" "$(ours tree unpack '')" "$(unpack)"
