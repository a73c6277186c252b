"""Timeloop v0.3 files through the front door: recorded totals, round trip, strictness."""

import json
import subprocess

from harness import BINARY, ROOT, CliTest, main

VECTORS = [json.loads(line) for line in
           (ROOT / "tests/golden/timeloop/vectors.jsonl").read_text(encoding="utf-8").splitlines()]
SECTIONS = ("arch", "problem", "mapping", "ERT")


def ragged(vector):
    """Whether a factor has another last iteration, as `P=4,3`: Timeloop then prints rounded averages."""
    return any("," in part for loop in vector["mapping"]["mapping"]
               for part in str(loop.get("factors", "")).split())


class TimeloopTest(CliTest):
    def write_case(self, vector):
        names = [f"{section}.yaml" for section in SECTIONS]
        for section, name in zip(SECTIONS, names):
            self.write(name, json.dumps(vector[section]))
        return names

    def run_case(self, names):
        """Warnings on standard error are fine here: they name what Timeloop models otherwise."""
        done = subprocess.run([BINARY, "evaluate", "--from", "timeloop", *names, "--json"],
                              cwd=self.directory, capture_output=True, text=True, timeout=60,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_recorded_totals(self):
        """Every fifth case with perfect factors; tests/golden compares all of them figure by figure."""
        cases = [v for v in VECTORS if not v.get("env") and "total" in v and not ragged(v)]
        self.assertGreater(len(cases), 50)
        for vector in cases[::5]:
            with self.subTest(vector["id"]):
                done = self.run_case(self.write_case(vector))
                self.assertEqual(done["cycles"], vector["total"]["cycles"])
                self.assertAlmostEqual(done["energy_pj"] / vector["total"]["energy"], 1, delta=1e-9)

    def test_a_key_that_is_not_understood_is_an_error(self):
        vector = json.loads(json.dumps(VECTORS[0]))
        vector["mapping"]["mapping"][0]["factor"] = "R=1"
        error = self.sluice("evaluate", "--from", "timeloop", *self.write_case(vector), code=2).stderr
        self.assertIn("E1202", error)
        self.assertIn("mapping.yaml:1:", error)

    def test_a_missing_section_is_an_error(self):
        names = self.write_case(VECTORS[0])
        error = self.sluice("evaluate", "--from", "timeloop", *names[:3], code=2).stderr
        self.assertIn("ERT", error)


if __name__ == "__main__":
    main()
