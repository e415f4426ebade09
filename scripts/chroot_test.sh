#!/usr/bin/env bash
# Proves that both commands work on a fresh Debian 12: makes a minimal system, clones the committed tree into it, and
# runs ./demo.sh and ./test.sh there, each with a time limit. By hand, as root: it takes up to an hour and about 8 GB.
# usage: scripts/chroot_test.sh [FOLDER]      FOLDER: where the system goes (default: a new folder, removed at the end)
#   MIRROR=URL        Debian mirror for debootstrap (default: debootstrap's own)
#   DEMO_MINUTES=20   TEST_MINUTES=50   limits of the two commands
#   TEST=.ci/run      runs this instead of ./test.sh, for example with the sanitizer part
#   KEEP=1            leave the system where it is
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/say.sh
. scripts/say.sh

[ "$(id -u)" = 0 ] || die "Making a system needs root: run sudo scripts/chroot_test.sh"
command -v debootstrap >/dev/null || die "debootstrap is missing. Run: apt-get install debootstrap"
[ -z "$(git status --porcelain)" ] || say "The working tree has changes that are not committed; they are not tested."

root=${1:-$(mktemp -d "${TMPDIR:-/var/tmp}/torsh-chroot.XXXXXX")}
mkdir -p "$root"

clean_up() {
  local m
  for m in dev sys proc; do
    mountpoint -q "$root/$m" && umount -l "$root/$m"
  done
  if [ "${KEEP:-}" = 1 ] || [ $# -gt 0 ]; then
    say "The system stays in $root"
  else
    rm -rf --one-file-system "$root"
  fi
}

if [ ! -x "$root/usr/bin/git" ]; then
  say "Making a minimal Debian 12 in $root"
  debootstrap --variant=minbase --include=git,python3,ca-certificates bookworm "$root" ${MIRROR:+"$MIRROR"} \
    >"$root.debootstrap.log" 2>&1 || {
    tail -n 5 "$root.debootstrap.log" >&2
    die "debootstrap failed. The lines above say why (all of them: $root.debootstrap.log)."
  }
  # The security suite lies beside the main archive on every mirror.
  main=$(awk '$1 == "deb" {print $2; exit}' "$root/etc/apt/sources.list")
  echo "deb ${main%/debian*}/debian-security bookworm-security main" >>"$root/etc/apt/sources.list"
fi
# What reaching the network needs here: name servers, certificates, a proxy's settings.
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
if [ -d /usr/local/share/ca-certificates ]; then
  cp -rL /usr/local/share/ca-certificates "$root/usr/local/share/"
  chroot "$root" update-ca-certificates >/dev/null 2>&1 || true
fi
for f in /etc/apt/apt.conf.d/*prox* /etc/pip.conf; do
  [ ! -f "$f" ] || cp -L "$f" "$root$f"
done

trap 'clean_up ${1+"$1"}' EXIT
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mount -t sysfs sysfs "$root/sys" 2>/dev/null || true

rm -rf "$root/root/torsh"
git clone -q . "$root/root/torsh"
say "Cloned $(git rev-parse --short HEAD)"

# inside MINUTES COMMAND: runs it in the new system with an almost empty environment, and says how long it took.
inside() {
  local minutes=$1 command=$2 start=$SECONDS status=0
  say "$command (at most $minutes minutes)"
  timeout "${minutes}m" chroot "$root" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    HOME=/root LC_ALL=C.UTF-8 ${https_proxy:+https_proxy="$https_proxy"} ${http_proxy:+http_proxy="$http_proxy"} \
    bash -c "cd && cd torsh && $command" </dev/null || status=$?
  echo "$command: exit status $status after $((SECONDS - start)) s"
  [ "$status" -ne 124 ] || die "$command took more than $minutes minutes."
  return "$status"
}

failures=0
inside "${DEMO_MINUTES:-20}" ./demo.sh || failures=$((failures + 1))
inside "${DEMO_MINUTES:-20}" ./demo.sh || failures=$((failures + 1)) # again: must be quick
inside "${TEST_MINUTES:-50}" "${TEST:-./test.sh}" || failures=$((failures + 1))
echo "$((3 - failures)) passed, $failures failed"
[ "$failures" -eq 0 ]
