"""The quick form of `sluice reproduce dcp`: every row is there, and ours are near the published figures."""

from harness import CliTest, main

UNITS = {"M": 1e6}


def number(text):
    """`113.6M`, `>2.47M`, `1.003 (1.002-1.005)`."""
    word = text.lstrip(">").split(" ")[0]
    return float(word[:-1]) * UNITS[word[-1]] if word[-1] in UNITS else float(word)


class ReproduceTest(CliTest):
    def test_dcp(self):
        out = self.sluice_json("reproduce", "dcp")
        self.assertTrue(out["complete"])
        twelve, first, *networks, reference = out["tables"]
        self.assertEqual(len(twelve["rows"]), 9)
        for row in twelve["rows"]:
            if row["what"] == "annealing" and row["samples"] == "10,000":
                for published, ours in zip(row["published"], row["ours"]):
                    self.assertLess(number(ours), number(published) + 0.05)
        best = [min(number(row["ours"][i]) for row in first["rows"] if "MAESTRO" in row["what"]) for i in range(3)]
        for ours, published in zip(best, (13.43, 8.43, 22.45)):
            self.assertLessEqual(ours, published)
        self.assertEqual([len(table["rows"]) for table in networks], [6, 6, 6])
        for table in networks:
            for row in table["rows"][:3]:  # fixed dataflows: cycles, sum of EDP, full energy
                for i in (0, 2, 3):
                    self.assertAlmostEqual(number(row["ours"][i]) / number(row["published"][i]), 1, delta=0.03)
            latency, energy, edp = table["rows"][3:]
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
            if "simba" not in row["what"]:  # where the optimum is proven
                self.assertGreaterEqual(median, 0.9999, row["what"])


if __name__ == "__main__":
    main()
