#!/usr/bin/env bash
# Makes the Python environments of the comparison: build/benchmark-venv, and with --torch also build/torch-venv, which
# brings several gigabytes of PyTorch, and with --onednn also build/onednn-venv with oneDNN as a C++ library (200 MB).
# Looks before it installs.
set -euo pipefail
cd "$(dirname "$0")/.."

# environment FOLDER FILE [FILE-WITHOUT-DEPENDENCIES]
environment() {
  local folder=$1 want
  want=$(cat requirements/run.txt "${@:2}" | sha256sum)
  [ "$(cat "$folder/requirements.sha256" 2>/dev/null)" = "$want" ] && "$folder/bin/python" -c '' && return 0
  echo "Making $folder from ${*:2}"
  rm -rf "$folder"
  python3 -m venv "$folder"
  "$folder/bin/python" -m pip install -q --disable-pip-version-check --retries 5 -r "$2"
  [ $# -lt 3 ] || "$folder/bin/python" -m pip install -q --disable-pip-version-check --no-deps -r "$3"
  echo "$want" >"$folder/requirements.sha256"
}

mkdir -p build
environment build/benchmark-venv requirements/benchmark.txt requirements/pnnx.txt
for wanted in "$@"; do
  case $wanted in
  --torch) environment build/torch-venv requirements/generate.txt ;;
  --onednn) environment build/onednn-venv requirements/onednn.txt ;;
  *) echo "error: there is no option $wanted" >&2 && exit 2 ;;
  esac
done
