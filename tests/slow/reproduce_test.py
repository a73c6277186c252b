"""The quick form of `sluice reproduce dcp`: every row is there, and ours are near the published figures."""

from harness import CliTest, main

UNITS = {"M": 1e6}


def number(text):
    """`113.6M`, `>2.47M`, `1.003 (1.002-1.005)`."""
    word = text.lstrip(">").split(" ")[0]
    return float(word[:-1]) * UNITS[word[-1]] if word[-1] in UNITS else float(word)


class ReproduceTest(CliTest):
    timeout = 1200

    def test_dcp(self):
        out = self.sluice_json("reproduce", "dcp")
        self.assertTrue(out["complete"])
        prediction, twelve, first, machines, *networks, reference = out["tables"]
        self.assertEqual(len(twelve["rows"]), 19)
        for row in twelve["rows"]:
            if row["what"] == "annealing" and row["samples"] == "10,000":
                for published, ours in zip(row["published"], row["ours"]):
                    self.assertLess(number(ours), number(published) + 0.05)
        best = [min(number(row["ours"][i]) for row in first["rows"] if "MAESTRO" in row["what"]) for i in range(3)]
        for ours, published in zip(best, (13.43, 8.43, 22.45)):
            self.assertLessEqual(ours, published)
        self.assertEqual([len(table["rows"]) for table in networks], [9, 9, 9])
        self.assertEqual(len(prediction["rows"]), 6)
        self.assertEqual(len(machines["rows"]), 6)
        for table in networks:
            for row in table["rows"][:3]:  # fixed dataflows: cycles, sum of EDP, full energy
                for i in (0, 2, 3):
                    self.assertAlmostEqual(number(row["ours"][i]) / number(row["published"][i]), 1, delta=0.03)
            latency, energy, edp = table["rows"][6:]  # annealing; dcp is among the targets
            self.assertLess(number(latency["ours"][0]), 1.01 * number(latency["published"][0]))
            self.assertLess(number(energy["ours"][1]), 1.05 * number(energy["published"][1]))
            self.assertLess(number(edp["ours"][2]), 1.05 * number(edp["published"][2]))
        self.assertEqual(len(reference["rows"]), 18)
        for row in reference["rows"]:
            median, worst, over_bound = map(number, row["ours"])
            self.assertLessEqual(median, worst)
            self.assertGreaterEqual(over_bound, 1)
            if row["samples"] == "1,000" and "annealing" in row["what"]:
                self.assertLess(median, 1.3, row["what"])
            if "dcp" in row["what"]:
                self.assertLess(median, 1.1, row["what"])
            if "simba" not in row["what"]:  # where the optimum is proven
                self.assertGreaterEqual(median, 0.9999, row["what"])
        self.targets(out["targets"])

    def targets(self, targets):
        for target in targets:  # the verdict follows from the figures
            beyond = target["ours"] - target["target"]
            self.assertEqual(target["reached"], beyond >= 0 if target["at_least"] else beyond <= 5e-4, target["what"])
        reached = {target["what"]: target["reached"] for target in targets}
        self.assertEqual(len(reached), len(targets), "every target has a name of its own")
        for what in ("rank correlation, latency, twelve layers", "rank correlation, energy, twelve layers",
                     "predicted / true, best 5 %, twelve layers", "dcp, 300 samples, twelve layers, latency",
                     "dcp, 300 samples, twelve layers, energy", "dcp, 300 samples, twelve layers, EDP",
                     "zero-shot: scale error, worst machine", "ViT-B/16 for edp, over published"):
            self.assertTrue(reached[what], what)


if __name__ == "__main__":
    main()
