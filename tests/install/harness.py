"""What the tests of installation share: the build directory, an installed prefix, running programs.

CTest sets the environment (tests/install/CMakeLists.txt). The build must be complete: nothing here
compiles Sluice again.
"""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("SLUICE_BUILD_DIR", ROOT / "build/release"))
BINARY = os.environ.get("SLUICE", str(BUILD / "sluice"))
CXX = os.environ.get("SLUICE_CXX", "c++")
CMAKE = os.environ.get("SLUICE_CMAKE", "cmake")
CPACK = os.environ.get("SLUICE_CPACK", "cpack")
HAS_CLI_DOCS = os.environ.get("SLUICE_CLI_DOCS", "TRUE") == "TRUE"
SANITIZED = bool(os.environ.get("SLUICE_SANITIZE"))
TIMEOUT_SECONDS = 300


def run(*command, code=0, env=None, cwd=None, **kwargs):
    """Runs a program; its output as text. A surprising exit code fails the test with the output."""
    environment = {**os.environ, **(env or {})}
    done = subprocess.run([str(word) for word in command], text=True, capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=TIMEOUT_SECONDS, env=environment, cwd=cwd,
                          **kwargs)
    if done.returncode != code:
        raise AssertionError(f"{' '.join(map(str, command))}: exit code {done.returncode}, not {code}\n"
                             f"{done.stdout}\n{done.stderr}")
    return done


class InstallTest(unittest.TestCase):
    """A test with an empty directory of its own."""

    maxDiff = None

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="sluice-install-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def install(self, name="prefix"):
        """A fresh prefix."""
        prefix = self.directory / name
        run(CMAKE, "--install", BUILD, "--prefix", prefix)
        return prefix


def library_dir(prefix):
    """The folder with libsluice.so."""
    return next(prefix.rglob("libsluice.so")).parent
