"""Bad input: exit code 2, place and remedy in the message, nothing half-written, bounded memory."""

import os
import resource
import signal
import subprocess

from harness import BINARY, ROOT, CliTest, main

EYERISS = (ROOT / "archs/eyeriss.yaml").read_text(encoding="utf-8")
ALEXNET = (ROOT / "models/alexnet.onnx").read_bytes()
MEMORY_LIMIT = 2 << 30
FAST = ["--budget-evaluations", "50"]


def bomb():
    """Nine levels of aliases, nine each: 9^9 nodes when expanded."""
    text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    for i in range(1, 10):
        text += f"a{i}: &a{i} [" + ", ".join([f"*a{i - 1}"] * 9) + "]\n"
    return text


class BadInputTest(CliTest):
    def limited(self, *arguments):
        """Runs with bounded memory, which sanitizers cannot live with."""
        sanitized = "asan" in BINARY or "tsan" in BINARY

        def limit():
            if not sanitized:
                resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))

        return self.sluice(*arguments, code=2, preexec_fn=limit)

    def test_architectures(self):
        table = {
            "syntax": ("version: 1\nname: [unclosed\n", r":\d+:\d+: error E1201"),
            "empty": ("", r"error E12\d\d"),
            "unknown key": (EYERISS.replace("clock:", "clok:", 1), r":\d+:\d+: error E1202"),
            "duplicate key": (EYERISS + "name: again\n", r":\d+:\d+: error E1203"),
            "missing unit": (EYERISS.replace("200 MHz", "200", 1), r":\d+:\d+: error E1207"),
            "wrong unit": (EYERISS.replace("200 MHz", "200 KiB", 1), r":\d+:\d+: error E1207"),
            "zero size": (EYERISS.replace("size: 108 KiB", "size: 0 KiB", 1), r"error E1\d\d\d"),
            "negative size": (EYERISS.replace("size: 108 KiB", "size: -108 KiB", 1), r"error E1\d\d\d"),
            "huge size": (EYERISS.replace("size: 108 KiB", "size: 1e40 KiB", 1), r"error E1\d\d\d"),
            "bomb": (bomb(), r"error E12\d\d"),
            "deep": ("a: " + "[" * 20000, r"error E12\d\d"),
            "binary": (os.urandom(4096), r"error E12\d\d"),
            "not a mapping": ("- 1\n- 2\n", r"error E12\d\d"),
        }
        for name, (text, pattern) in table.items():
            with self.subTest(name):
                self.write("bad.yaml", text)
                error = self.limited("show", "bad.yaml").stderr
                self.assertRegex(error, pattern)
                self.assertIn("bad.yaml", error)
                self.limited("plan", "alexnet", "--arch", "bad.yaml", "-o", "plan.json")
                self.assertEqual(self.files(), ["bad.yaml"])

    def test_error_shows_line_caret_and_hint(self):
        self.write("bad.yaml", EYERISS.replace("clock:", "clok:", 1))
        lines = self.sluice("show", "bad.yaml", code=2).stderr.splitlines()
        self.assertTrue(any("clok: 200 MHz" in line for line in lines), lines)
        self.assertTrue(any("^" in line for line in lines), lines)
        self.assertTrue(any(line.startswith("hint:") and "clock" in line for line in lines), lines)

    def test_models(self):
        cut = {f"cut at {n}": ALEXNET[:n] for n in (1, 10, 100, 1000, len(ALEXNET) - 1)}
        table = {"empty": b"", "text": b"this is not a model\n", "zeros": bytes(10000), **cut}
        for name, data in table.items():
            with self.subTest(name):
                self.write("bad.onnx", data)
                error = self.limited("plan", "bad.onnx", "--arch", "eyeriss", "-o", "p.json").stderr
                self.assertRegex(error, r"error E13\d\d")
                self.assertEqual(self.files(), ["bad.onnx"])

    def test_damaged_models_never_crash(self):
        """One byte changed at a time: any answer is fine, a crash or a hang is not."""
        for position in range(0, len(ALEXNET), 97):
            data = bytearray(ALEXNET)
            data[position] ^= 0xFF
            self.write("damaged.onnx", bytes(data))
            done = subprocess.run([BINARY, "show", "damaged.onnx", "--json"], cwd=self.directory,
                                  capture_output=True, text=True, timeout=60, check=False)
            self.assertIn(done.returncode, (0, 2), f"byte {position}: {done.stderr}")

    def test_operators(self):
        table = [
            "", "conv", "cnv K=1", "conv K=0 C=1 P=1 Q=1 R=1 S=1", "gemm M=4 N=4",
            "gemm M=4 N=4 K=4 K=4", "gemm M=4 N=4 K=x", "gemm M=4 N=4 K=-4", "gemm M=4 N=4 K=4 Z=2",
            "gemm M=4294967296 N=4294967296 K=4294967296", "gemm M=99999999999999999999 N=1 K=1",
        ]
        for text in table:
            with self.subTest(text):
                error = self.limited("map", text, "--arch", "eyeriss").stderr
                self.assertRegex(error, r"error E\d{4}")

    def test_plans(self):
        self.sluice("plan", "alexnet", "--arch", "eyeriss", "-o", "good.json", *FAST)
        good = (self.directory / "good.json").read_text()
        table = {
            "cut": good[: len(good) // 2],
            "other version": good.replace('"version":1', '"version":99', 1)
            .replace('"version": 1', '"version": 99', 1),
            "not a plan": "{}",
            "list": "[1, 2]",
            "number": good.replace('"seed":1', '"seed":"one"', 1)
            .replace('"seed": 1', '"seed": "one"', 1),
        }
        for name, text in table.items():
            with self.subTest(name):
                self.assertNotEqual(text, good)
                self.write("bad.json", text)
                for verb in ("evaluate", "explain", "show"):
                    self.assertRegex(self.limited(verb, "bad.json").stderr, r"error E12\d\d")

    def test_missing_and_unreadable_files(self):
        (self.directory / "folder.yaml").mkdir()
        for name in ("absent.yaml", "folder.yaml"):
            error = self.limited("plan", "alexnet", "--arch", name).stderr
            self.assertIn("E1001", error)
            self.assertIn(name, error)
        self.assertIn("E1001", self.limited("plan", "absent.onnx", "--arch", "eyeriss").stderr)
        if os.geteuid() != 0:  # root reads everything
            path = self.write("secret.yaml", EYERISS)
            path.chmod(0)
            self.assertIn("E1001", self.limited("show", "secret.yaml").stderr)

    def test_unwritable_targets(self):
        for target in ("no/such/directory/plan.json", "/dev/full", "/proc/plan.json"):
            with self.subTest(target):
                error = self.sluice("plan", "alexnet", "--arch", "eyeriss", "-o", target, *FAST,
                                    code=2).stderr
                self.assertIn("E1002", error)
        self.assertEqual(self.files(), [])

    def test_full_disk_keeps_the_old_plan(self):
        """A file size limit makes every write fail half way, as a full disk does."""
        self.write("plan.json", "the old plan\n")

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

        error = self.sluice("plan", "alexnet", "--arch", "eyeriss", "-o", "plan.json", *FAST, code=2,
                            preexec_fn=limit).stderr
        self.assertIn("E1002", error)
        self.assertEqual(self.files(), ["plan.json"])
        self.assertEqual((self.directory / "plan.json").read_text(), "the old plan\n")

    def test_full_standard_output(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([BINARY, "archs"], stdout=full, stderr=subprocess.PIPE, text=True,
                                  timeout=60, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("cannot write standard output", done.stderr)


if __name__ == "__main__":
    main()
