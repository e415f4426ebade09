#!/usr/bin/env bash
# Configures (when needed) and builds with progress on stderr.
# usage: scripts/build.sh PRESET [TARGET...]     no target: everything
#   TORSH_JOBS=N   number of compilers at once (default: processors, or fewer when memory is short)
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/say.sh
. scripts/say.sh

[ $# -ge 1 ] || die "usage: scripts/build.sh PRESET [TARGET...]"
readonly preset=$1
shift
case $preset in
release) dir=build ;;
debug | asan | tsan) dir=build-$preset ;;
*) die "There is no preset '$preset'. CMakePresets.json has release, debug, asan and tsan." ;;
esac
mkdir -p "$dir"
readonly log=$dir/build.log

# A translation unit with MLIR's headers takes up to 1 GiB.
jobs_for_memory() {
  local kib
  kib=$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo)
  local fit=$((kib / 1300000)) cores
  cores=$(nproc)
  [ "$fit" -ge 1 ] || fit=1
  [ "$fit" -lt "$cores" ] && echo "$fit" || echo "$cores"
}

# Tests that are Python programs run in the environment that install.sh made.
python=$PWD/build/venv/bin/python
[ -x "$python" ] || python=$(command -v python3)
if [ ! -f "$dir/build.ninja" ] || [ CMakePresets.json -nt "$dir/build.ninja" ] ||
  ! grep -qs "^Python3_EXECUTABLE:.*=$python\$" "$dir/CMakeCache.txt" ||
  ! grep -qs "^TORSH_PYTHON:.*=$python\$" "$dir/CMakeCache.txt"; then
  say "Configuring preset '$preset' in $dir/"
  cmake --preset "$preset" -DPython3_EXECUTABLE="$python" -DTORSH_PYTHON="$python" >"$log" 2>&1 </dev/null || {
    grep -A8 -E 'CMake Error|error:' "$log" | head -n 40 >&2
    die "CMake could not configure the preset '$preset'. The lines above say why (all of them: $log)." \
      "If a package is missing, run scripts/install.sh."
  }
fi

readonly jobs=${TORSH_JOBS:-$(jobs_for_memory)}
start=$SECONDS
say "Building ${*:-everything} in $dir/ with $jobs jobs"
if [ -t 2 ]; then
  ninja -C "$dir" -j "$jobs" "$@" 2>&1 </dev/null | tee "$log" |
    awk '/^\[[0-9]+\/[0-9]+\]/ {printf "\r\033[K%s", substr($0, 1, 100); fflush(); next} {printf "\r\033[K"; print}
         END {printf "\r\033[K"}' >&2 && status=0 || status=$?
else
  # Without a terminal: a line at each tenth, and whatever is no progress line.
  ninja -C "$dir" -j "$jobs" "$@" 2>&1 </dev/null | tee "$log" |
    awk '/^\[[0-9]+\/[0-9]+\]/ {split(substr($1, 2), n, /[\/\]]/); t = int(10 * n[1] / n[2])
                                if (t > last) {last = t; print "   " $1; fflush()} next}
         /^ninja: (Entering|no work)/ {next} {print; fflush()}' >&2 && status=0 || status=$?
fi
[ "$status" -eq 0 ] || die "The build of '${*:-everything}' failed. The lines above say why (all of them: $log)."
say "Built in $((SECONDS - start)) s"
