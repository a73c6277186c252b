"""Black-box tests of the command line: runs the real binary in an empty directory.

Each tests/cli/*_test.py holds unittest cases derived from CliTest. The binary comes from the
environment variable SLUICE (set by CTest), the golden files from tests/cli/golden; run a test file with
UPDATE_GOLDEN=1 to rewrite them and look at the difference before committing it.
"""

import json
import os
import pathlib
import pty
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = os.path.abspath(os.environ.get("SLUICE", ROOT / "build/release/sluice"))
GOLDEN = pathlib.Path(__file__).resolve().parent / "golden"
TIMEOUT_SECONDS = 120
# No mappings of earlier runs; cache_test.py makes folders of its own.
os.environ["SLUICE_CACHE_DIR"] = ""


class CliTest(unittest.TestCase):
    """A test with an empty working directory of its own."""

    maxDiff = None
    timeout = TIMEOUT_SECONDS  # of sluice()

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="sluice-cli-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def sluice(self, *arguments, code=0, **kwargs):
        """Runs the binary and checks its exit code. Returns the completed process, output as text."""
        done = subprocess.run([BINARY, *map(str, arguments)], cwd=self.directory, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=self.timeout, **kwargs)
        self.assertEqual(done.returncode, code,
                         f"sluice {' '.join(map(str, arguments))}\n{done.stdout}\n{done.stderr}")
        if code in (0, 1, 2):
            self.assertNotIn("internal error", done.stderr)
        if code == 0:
            self.assertEqual(done.stderr, "")
        return done

    def run_raw(self, *arguments, **kwargs):
        """Runs the binary; the caller looks at the exit code and at what is on standard error."""
        return subprocess.run([BINARY, *map(str, arguments)], cwd=self.directory, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_SECONDS, **kwargs)

    def sluice_json(self, *arguments, **kwargs):
        return json.loads(self.sluice(*arguments, "--json", **kwargs).stdout)

    def interrupted(self, *arguments, after=1.0):
        """Standard output and error of the binary, interrupted after so many seconds."""
        process = subprocess.Popen([BINARY, *map(str, arguments)], cwd=self.directory, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(after)
        process.send_signal(signal.SIGINT)
        output, error = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, error)
        return output, error

    def on_terminal(self, *arguments, **environment):
        """What the binary writes to a pseudo terminal as standard output."""
        master, slave = pty.openpty()
        with open(master, "rb", buffering=0) as reader:
            variables = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
            process = subprocess.Popen([BINARY, *map(str, arguments)], cwd=self.directory, stdin=subprocess.DEVNULL,
                                       stdout=slave, stderr=subprocess.PIPE,
                                       env={**variables, "TERM": "xterm", **environment})
            os.close(slave)
            output = b""
            while True:
                try:
                    chunk = reader.read(4096)
                except OSError:  # how Linux says that the other side is closed
                    break
                if not chunk:
                    break
                output += chunk
            error = process.communicate(timeout=TIMEOUT_SECONDS)[1]
        self.assertEqual((process.returncode, error), (0, b""))
        return output.decode("utf-8").replace("\r\n", "\n")

    def write(self, name, text):
        path = self.directory / name
        if isinstance(text, bytes):
            path.write_bytes(text)
        else:
            path.write_text(text, encoding="utf-8")
        return path

    def assert_golden(self, name, text):
        """Compares with tests/cli/golden/<name>; times and paths are made anonymous first."""
        text = text.replace(str(ROOT), "<source>")
        text = re.sub(r"in \d+\.\d+ s", "in <time> s", text)
        path = GOLDEN / name
        if os.environ.get("UPDATE_GOLDEN"):
            GOLDEN.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        self.assertTrue(path.exists(), f"{path} is missing: run with UPDATE_GOLDEN=1")
        self.assertEqual(text, path.read_text(encoding="utf-8"))

    def assert_narrow(self, text):
        """Text for people fits into 80 columns and has no trailing blanks."""
        for line in text.splitlines():
            self.assertLessEqual(len(line), 80, line)
            self.assertEqual(line, line.rstrip(), line)

    def files(self):
        return sorted(path.name for path in self.directory.iterdir())


def main():
    if not os.access(BINARY, os.X_OK):
        raise SystemExit(f"{BINARY} is not a program: build it, or set SLUICE")
    unittest.main(verbosity=1)
