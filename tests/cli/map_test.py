"""map, and evaluate of one operator: round trips through files, exit code 1, Timeloop in and out."""

from harness import ROOT, CliTest, main

DATA = ROOT / "tests/cli/data"

CONV = "conv K=64 C=64 P=56 Q=56 R=3 S=3"
FAST = ["--budget-evaluations", 500]
FIGURES = ("energy_pj", "cycles", "edp", "macs", "utilization", "levels")


class MapTest(CliTest):
    def test_text(self):
        text = self.sluice("map", CONV, "--arch", "eyeriss", *FAST).stdout
        self.assert_narrow(text)
        for part in ("energy", "cycles", "for ", "<- binds", "500 evaluations"):
            self.assertIn(part, text)

    def test_json_fields(self):
        result = self.sluice_json("map", CONV, "--arch", "eyeriss", "--seed", 3, *FAST)
        self.assertEqual(result["seed"], 3)
        self.assertEqual(result["evaluations"], 500)
        self.assertEqual(result["macs"], 64 * 64 * 56 * 56 * 9)
        self.assertEqual(result["edp"], result["energy_pj"] * result["cycles"])
        self.assertGreaterEqual(result["edp"], result["bound"])

    def test_every_mapper_and_objective(self):
        for mapper in (entry["name"] for entry in self.sluice_json("mappers")):
            for objective in ("energy", "latency", "edp"):
                result = self.sluice_json("map", "gemm M=64 N=64 K=64", "-a", "eyeriss",
                                          "--mapper", mapper, "--objective", objective, *FAST)
                self.assertEqual((result["mapper"], result["objective"]), (mapper, objective))

    def test_searches_over_codes(self):
        for mapper in ("dcp", "genetic"):
            arguments = ("map", CONV, "-a", "nvdla-like", "--mapper", mapper, *FAST)
            found = self.sluice_json(*arguments, "-o", "m.yaml")
            self.assertEqual((found["mapper"], found["evaluations"]), (mapper, 500))
            self.assertEqual(self.sluice_json(*arguments, "--no-cache")["edp"], found["edp"])
            scored = self.sluice_json("evaluate", "-a", "nvdla-like", "--op", CONV, "-m", "m.yaml")
            self.assertEqual(scored["edp"], found["edp"])
            best = self.sluice_json("map", CONV, "-a", "nvdla-like")
            self.assertLess(found["edp"], 1.5 * best["edp"])
            self.assertGreaterEqual(found["edp"], best["edp"] * (1 - 1e-9))
            for extra in (["--imperfect"], ["--constraints", "nvdla-weight-stationary"]):
                error = self.sluice(*arguments, *extra, code=2).stderr
                self.assertIn("searches dataflow codes", error)

    def test_written_mapping_evaluates_to_the_same_figures(self):
        for policy in ("physical", "timeloop"):
            found = self.sluice_json("map", CONV, "-a", "eyeriss", "-o", "m.yaml", "--policy",
                                     policy, *FAST)
            scored = self.sluice_json("evaluate", "-a", "eyeriss", "--op", CONV, "-m", "m.yaml",
                                      "--policy", policy)
            for figure in FIGURES:
                self.assertEqual(found[figure], scored[figure], figure)

    def test_timeloop_out_and_in(self):
        found = self.sluice_json("map", "gemm M=64 N=64 K=64", "-a", DATA / "tiny.yaml", "-o",
                                 "case.yaml", "--to", "timeloop", "--policy", "timeloop", *FAST)
        scored = self.sluice_json("evaluate", "--from", "timeloop", "case.yaml")
        for figure in ("cycles", "macs"):
            self.assertEqual(found[figure], scored[figure])
        self.assertAlmostEqual(scored["energy_pj"] / found["energy_pj"], 1, delta=1e-9)

    def test_explain_mapping(self):
        self.sluice("map", CONV, "-a", "eyeriss", "-o", "m.yaml", *FAST)
        text = self.sluice("explain", "-a", "eyeriss", "--op", CONV, "-m", "m.yaml").stdout
        self.assert_narrow(text)
        self.assertIn("another tile for", text)

    def test_no_valid_mapping_says_what_is_short(self):
        self.sluice("map", "gemm M=4 N=4 K=4", "--arch", DATA / "tiny.yaml", *FAST)
        error = self.sluice("map", "gemm M=4 N=4 K=4", "--arch", DATA / "too_tiny.yaml",
                            code=1).stderr
        self.assertIn("E1505", error)
        self.assertIn("Scratchpad is 1 words (2 bytes) short", error)

    def test_the_longest_chain_with_overlapping_windows(self):
        text = self.sluice("map", "conv K=1 C=1 P=3 Q=1 R=3 S=1", "--arch", DATA / "eight.yaml", "--no-cache").stdout
        self.assertIn("proven optimal", text)

    def test_a_mapping_that_does_not_fit_is_exit_1(self):
        error = self.sluice("evaluate", "--arch", DATA / "tiny.yaml", "--op", "gemm M=4 N=4 K=4",
                            "-m", DATA / "too_big.yaml", code=1).stderr
        self.assertIn("E1503", error)
        self.assertIn("Scratchpad is 6 words (12 bytes) short", error)

    def test_a_mapping_that_does_not_cover_is_exit_2(self):
        self.sluice("map", "gemm M=64 N=64 K=64", "-a", "eyeriss", "-o", "m.yaml", *FAST)
        error = self.sluice("evaluate", "-a", "eyeriss", "--op", "gemm M=64 N=64 K=128",
                            "-m", "m.yaml", code=2).stderr
        self.assertIn("K", error)


if __name__ == "__main__":
    main()
