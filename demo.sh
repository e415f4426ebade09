#!/usr/bin/env bash
# Builds ToRSh and does its main job once: Google's Magika file-type model (a trained ONNX model, carried by the Python
# package magika) becomes one shared library, and a C program that links libc and the thin runtime identifies files with
# it. Nothing of Python or ONNX is in that program.
# usage: ./demo.sh [FILE...]      files to identify (default: some of this project and of the system)
set -euo pipefail
cd "$(dirname "$0")"
export LC_ALL=C.UTF-8
# shellcheck source=scripts/say.sh
. scripts/say.sh

scripts/install.sh </dev/null
scripts/build.sh release torshc torsh_rt torsh_rt_static

mkdir -p build/demo
readonly artifact=build/demo/magika.so labels=build/demo/magika-labels.txt host=build/demo/magika_host

# show COMMAND...: prints a command, runs it, and says how long it took.
show() {
  local start=$EPOCHREALTIME
  printf '\n$ %s\n' "$*"
  "$@" </dev/null || die "This command failed: $*"
  local end=$EPOCHREALTIME
  awk -v a="$start" -v b="$end" 'BEGIN {printf "  (%.2f s)\n", b - a}'
}

model=$(build/venv/bin/python examples/magika_labels.py "$labels" </dev/null) ||
  die "The package magika in build/venv is not the expected one. Remove build/venv and run ./demo.sh again."
model=$(realpath --relative-to=. "$model")
echo "The model: $model, $(stat -Lc %s "$model") bytes"

show build/bin/torshc "$model" -o "$artifact"
needed=$(ldd "$artifact" | awk '/=>/ && $1 !~ /vdso/ {printf "%s%s", sep, $1; sep = ", "}')
echo "The artifact: $artifact, $(stat -c %s "$artifact") bytes; it needs ${needed:-no other library}"
show cc -O2 -Iinclude examples/magika_host.c examples/magika_features.c build/lib/libtorsh_rt.a -lpthread -ldl -lm \
  -o "$host"

if [ $# -gt 0 ]; then
  files=("$@")
else
  files=(runtime/Api.c demo.sh README.md scripts/check_house.py CMakeLists.txt CMakePresets.json build/bin/torshc
    build/CMakeCache.txt "$model")
  # What the system may have: an image, an archive, a web page.
  for suffix in png gz html; do
    f=$(find /usr/share -name "*.$suffix" -type f -size +1k -print -quit 2>/dev/null)
    [ -z "$f" ] || files+=("$f")
  done
fi
show "$host" "$artifact" "$labels" "${files[@]}"
