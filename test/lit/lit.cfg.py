# How lit finds and runs the tests of this folder. Run them with `ninja -C build check-torsh-lit`, or one of them with
# `/usr/lib/llvm-22/bin/lit -v build/test/lit --filter NAME`.
import os

import lit.formats

config.name = "torsh"
# The shell inside lit: no dependence on the system's shell.
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.torsh_build, "test", "lit", "output")

config.environment["PATH"] = os.pathsep.join(
    [os.path.join(config.torsh_build, "bin"), config.llvm_tools, os.environ.get("PATH", "")]
)
# What somebody measured on this machine changes no test.
config.environment["XDG_CACHE_HOME"] = os.path.join(config.test_exec_root, "no-cache")
# A variable is forgotten at the next CHECK-LABEL, and a prefix that occurs nowhere is an error.
config.environment["FILECHECK_OPTS"] = "--enable-var-scope --allow-unused-prefixes=false"
for name in ("ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS", "CCACHE_DIR", "CCACHE_DISABLE"):
    if name in os.environ:
        config.environment[name] = os.environ[name]

# Whole words only: `%cc` is the C compiler, and the compiler of the host program of a test.
config.substitutions.append(("%python", config.python))
config.substitutions.append(("%cc", config.c_compiler))
config.substitutions.append(("%source", config.torsh_source))
config.substitutions.append(("%build", config.torsh_build))

if config.sanitize:
    config.available_features.add("sanitizer")
