#!/usr/bin/env bash
# Builds everything and runs all the tests. The last line is `N passed, N failed`; the exit status is 0 if none failed.
# usage: ./test.sh [--quick] [--sanitize] [--stage NAME]... [--list]     (./test.sh --help says what they mean)
# Stages: scripts/run_tests.py. Model checks beyond the quick ones run when test/models/generate.py has made the models;
# test/artifact, test/fuzz and the others run whenever they hold something.
set -euo pipefail
cd "$(dirname "$0")"
case " $* " in
*" --help "* | *" -h "* | *" --list "*) exec python3 scripts/run_tests.py "$@" ;;
esac
if ! scripts/install.sh </dev/null; then
  echo "0 passed, 1 failed"
  exit 1
fi
exec python3 scripts/run_tests.py "$@" </dev/null
