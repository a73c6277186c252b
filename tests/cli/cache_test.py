"""The cache of mappings: used by default, never in the way of results, looked at and cleared."""

import os
import re
import subprocess

from harness import BINARY, CliTest, main

CONV = "conv K=64 C=64 P=56 Q=56 R=3 S=3"
FAST = ["--budget-evaluations", 2000]


class CacheTest(CliTest):
    def setUp(self):
        super().setUp()
        self.cache = self.directory / "cache"
        self.environment = {**os.environ, "SLUICE_CACHE_DIR": str(self.cache)}

    def run_cached(self, *arguments, code=0, **kwargs):
        return self.sluice(*arguments, code=code, env=self.environment, **kwargs)

    def entries(self):
        return sorted(self.cache.glob("*.result")) if self.cache.exists() else []

    def plan(self, name, *more):
        self.run_cached("plan", "alexnet", "-a", "eyeriss", "-o", name, *FAST, *more)
        return re.sub(r'"run": \{.*\}', "", (self.directory / name).read_text())

    def test_results_do_not_depend_on_cache_or_threads(self):
        plans = {self.plan("none.json", "--no-cache")}
        self.assertEqual(self.entries(), [])
        plans.add(self.plan("cold.json"))
        self.assertGreater(len(self.entries()), 5)
        plans.add(self.plan("warm.json"))
        plans.add(self.plan("threads.json", "--threads", 4))
        self.assertEqual(len(plans), 1)

    def test_concurrent_runs_share_it(self):
        command = [BINARY, "plan", "alexnet", "-a", "eyeriss", "--json", *map(str, FAST)]
        runs = [subprocess.Popen(command, cwd=self.directory, env=self.environment, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True) for _ in range(4)]
        texts = set()
        for run in runs:
            output, error = run.communicate(timeout=120)
            self.assertEqual((run.returncode, error), (0, ""))
            texts.add(re.sub(r'"seconds": .*', "", output))
        self.assertEqual(len(texts), 1)
        self.assertEqual({path.suffix for path in self.cache.iterdir()}, {".result"})

    def test_damage_is_a_warning(self):
        first = self.run_cached("map", CONV, "-a", "eyeriss", "--json", *FAST).stdout
        entry, = self.entries()
        entry.write_bytes(entry.read_bytes()[:-10])
        done = self.run_raw("map", CONV, "-a", "eyeriss", "--json", *FAST, env=self.environment)
        self.assertEqual(done.returncode, 0)
        self.assertIn("warning: an entry of the mapping cache is not used: its checksum is wrong", done.stderr)
        strip = lambda text: re.sub(r'"seconds": .*', "", text)
        self.assertEqual(strip(done.stdout), strip(first))
        self.assertEqual(self.run_cached("map", CONV, "-a", "eyeriss", *FAST).returncode, 0)

    def test_runs_stopped_by_time_are_not_kept(self):
        self.run_cached("map", CONV, "-a", "eyeriss", "--budget-seconds", "0.01")
        self.assertEqual(self.entries(), [])

    def test_info_and_clear(self):
        def info():
            return self.sluice_json("cache", "info", env=self.environment)
        self.assertEqual(info()["entries"], 0)
        self.run_cached("map", CONV, "-a", "eyeriss", *FAST)
        report = info()
        self.assertEqual((report["entries"], report["folder"]), (1, str(self.cache)))
        self.assertEqual(report["bytes"], sum(path.stat().st_size for path in self.entries()))
        self.assertIn("1 mappings", self.run_cached("cache", "info").stdout)
        self.assertIn("removed from", self.run_cached("cache", "clear").stdout)
        self.assertEqual(self.entries(), [])

    def test_usage(self):
        self.assertIn("sluice cache clear", self.run_cached("cache", "empty", code=2).stderr)

    def test_where_it_is(self):
        home = {key: value for key, value in os.environ.items() if key not in ("SLUICE_CACHE_DIR", "XDG_CACHE_HOME")}
        home["HOME"] = str(self.directory)
        self.assertEqual(self.sluice_json("cache", "info", env=home)["folder"],
                         str(self.directory / ".cache/sluice"))
        self.assertEqual(self.sluice_json("cache", "info", env={**home, "XDG_CACHE_HOME": "/x"})["folder"], "/x/sluice")
        self.assertEqual(self.sluice_json("cache", "info", env={**home, "XDG_CACHE_HOME": "x"})["folder"],
                         str(self.directory / ".cache/sluice"))
        self.sluice("cache", "info", env={**home, "SLUICE_CACHE_DIR": ""}, code=2)
        self.sluice("map", CONV, "-a", "eyeriss", "--budget-evaluations", 50, env={**home, "SLUICE_CACHE_DIR": ""})
        self.assertFalse((self.directory / ".cache").exists())


if __name__ == "__main__":
    main()
