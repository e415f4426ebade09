# shellcheck shell=bash
# Sourced by the scripts: how they speak. Messages go to stderr, so that results can be piped.

say() { printf '== %s\n' "$*" >&2; }

# die SENTENCES...: says what is missing and what to do, then ends the script.
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}
