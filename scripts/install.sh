#!/usr/bin/env bash
# Installs what building, running and testing need: Debian packages, and a Python environment in build/venv.
# Looks before it installs, so a second run takes a moment and needs no network.
# usage: scripts/install.sh [--list]      --list prints the Debian packages and ends
#   TORSH_SKIP_APT=1   leave the Debian packages to you (another distribution, no root)
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/say.sh
. scripts/say.sh

readonly compiler_packages=(libmlir-22-dev mlir-22-tools llvm-22-dev llvm-22-tools lld-22 liblld-22-dev clang-22
  libclang-rt-22-dev libzstd-dev zlib1g-dev cmake ninja-build g++ ccache libcli11-dev libisl-dev libgmp-dev)
readonly test_packages=(catch2 clang-format-22 binutils qemu-user)
readonly python_packages=(python3 python3-venv python3-pip ca-certificates)
readonly packages=("${compiler_packages[@]}" "${test_packages[@]}" "${python_packages[@]}")
readonly requirements=requirements/run.txt

if [ "${1:-}" = --list ]; then
  printf '%s\n' "${packages[@]}"
  exit 0
fi

check_system() {
  local id='' version=''
  if [ -r /etc/os-release ]; then
    id=$(. /etc/os-release && echo "${ID:-}")
    version=$(. /etc/os-release && echo "${VERSION_ID:-}")
  fi
  if [ "$id" != debian ] || [ "$version" != 12 ]; then
    die "This script knows Debian 12, and this system is '${id:-unknown} ${version:-}'." \
      "Install what 'scripts/install.sh --list' names by other means, then run again with TORSH_SKIP_APT=1."
  fi
}

# Prints the wanted packages that are not installed.
missing_packages() {
  local p
  for p in "${packages[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || echo "$p"
  done
}

# Runs a command as root.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "Installing packages needs root, and there is no sudo. Run as root: apt-get install ${missing[*]}"
  fi
}

install_packages() {
  local missing log=build/install.log
  mapfile -t missing < <(missing_packages)
  [ ${#missing[@]} -gt 0 ] || return 0
  local size=''
  [ ${#missing[@]} -le 10 ] || size=' (about 0.4 GB of downloads, some minutes)'
  say "Installing Debian packages$size: ${missing[*]}"
  local apt=(apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
  # A repository that is out of reach need not matter: the installation below tells.
  as_root "${apt[@]}" update >"$log" 2>&1 || say "apt-get update had problems (see $log); going on."
  local p
  for p in "${missing[@]}"; do
    [ -n "$(apt-cache madison "$p" 2>/dev/null)" ] ||
      die "apt knows no package '$p'. It is in Debian 12's main or security suite: see that /etc/apt/sources.list" \
        "names both bookworm and bookworm-security, and that the mirror can be reached (details in $log)."
  done
  as_root env DEBIAN_FRONTEND=noninteractive "${apt[@]}" install -y --no-install-recommends "${missing[@]}" \
    </dev/null >>"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    die "apt-get could not install ${missing[*]}. The lines above say why (all of them: $log)."
  }
  mapfile -t missing < <(missing_packages)
  [ ${#missing[@]} -eq 0 ] || die "These packages are still not installed: ${missing[*]}. See $log."
}

make_venv() {
  [ -f $requirements ] || die "$requirements is missing: it names the Python packages. Restore it from git."
  local stamp=build/venv/requirements.sha256 want
  want=$(sha256sum <$requirements)
  [ "$(cat $stamp 2>/dev/null)" = "$want" ] && build/venv/bin/python -c '' 2>/dev/null && return 0
  say "Making the Python environment build/venv from $requirements"
  rm -rf build/venv
  python3 -m venv build/venv >build/venv.log 2>&1 ||
    die "python3 cannot make a virtual environment. Install python3-venv (details in build/venv.log)."
  build/venv/bin/python -m pip install --progress-bar off --disable-pip-version-check --retries 5 \
    -r $requirements >>build/venv.log 2>&1 </dev/null || {
    tail -n 15 build/venv.log >&2
    die "pip could not install $requirements. See that the Python package index can be reached" \
      "(details in build/venv.log)."
  }
  echo "$want" >$stamp
}

mkdir -p build
if [ "${TORSH_SKIP_APT:-}" != 1 ]; then
  check_system
  install_packages
fi
make_venv
