"""MAESTRO's files through the front door: tables, JSON, the tool's CSV, and mistakes."""

import json

from harness import ROOT, CliTest, main

LINES = (ROOT / "tests/golden/maestro/vectors.jsonl").read_text(encoding="utf-8").splitlines()
COLUMNS = json.loads(LINES[0])
VECTORS = {vector["id"]: vector for vector in map(json.loads, LINES[1:])}
KEYS = ["num_pes", "l1_size_cstr", "l2_size_cstr", "noc_bw_cstr", "offchip_bw_cstr", "NoC_NumHops",
        "noc_hop_latency", "num_simd_lanes"]


class MaestroTest(CliTest):
    def write_vector(self, name):
        vector = VECTORS[name]
        self.write("net.m", vector["mapping"])
        self.write("hw.m", "".join(f"{key}: {value}\n" for key, value in zip(KEYS, vector["hw"])))
        return vector

    def evaluate(self, *arguments, model="maestro", **options):
        return self.sluice("evaluate", "--model", model, "net.m", "--hw", "hw.m", *arguments, **options)

    def test_the_csv_is_the_tools(self):
        for name in ("G000", "G013", "G106", "G161"):
            with self.subTest(name):
                vector = self.write_vector(name)
                lines = self.evaluate("--csv").stdout.splitlines()
                for row, line in zip(vector["csv"], lines[1:]):
                    cells = dict(zip(COLUMNS, (cell.strip() for cell in line.split(","))))
                    wanted = dict(zip(COLUMNS, row))
                    self.assertEqual(int(cells["Runtime (Cycles)"]), wanted["Runtime (Cycles)"])
                    energy = "Activity count-based Energy (nJ)"
                    self.assertAlmostEqual(float(cells[energy]) / wanted[energy], 1, delta=1e-5)

    def test_json_tells_the_impossible(self):
        self.write_vector("G161")
        tool = json.loads(self.evaluate("--json").stdout)
        self.assertEqual(tool["model"], "maestro")
        self.assertFalse(tool["layers"][0]["physical"])
        self.assertEqual(tool["layers"][0]["cycles"], 14406)
        exact = json.loads(self.evaluate("--json", model="maestro-exact").stdout)["layers"][0]
        self.assertTrue(exact["physical"])
        self.assertEqual(exact["macs"], exact["true_macs"])
        self.assertGreaterEqual(exact["cycles"], exact["compute_bound_cycles"])
        self.assertAlmostEqual(exact["energy_nj"]["full"],
                               sum(exact["energy_nj"][part] for part in ("l2", "l1", "mac")))

    def test_the_table_marks_the_impossible(self):
        self.write_vector("G161")
        self.assertIn("(!)", self.evaluate().stdout)
        self.assertNotIn("(!)", self.evaluate(model="maestro-exact").stdout)

    def test_several_layers_have_a_total(self):
        self.write_vector("G106")
        self.assertIn("total", self.evaluate().stdout)

    def test_mistakes(self):
        self.write_vector("G000")
        self.write("bad.m", "Network n {\n  Layer l { Type: CNV }\n}\n")
        error = self.sluice("evaluate", "--model", "maestro", "bad.m", code=2).stderr
        self.assertIn("bad.m:2:19", error)
        error = self.evaluate(model="mestro", code=2).stderr
        self.assertIn("maestro-exact", error)
        self.assertIn("E1101", self.evaluate("--json", "--csv", code=2).stderr)
        self.assertIn("E1101", self.sluice("evaluate", "--hw", "hw.m", "net.m", code=2).stderr)
        self.assertIn("E1101", self.sluice("evaluate", "--model", "maestro", code=2).stderr)
        # 64 PEs in a cluster on the 7 PEs of the default machine.
        error = self.sluice("evaluate", "--model", "maestro", "net.m", code=2).stderr
        self.assertIn("more PEs", error)
        self.assertIn("num_pes", error)


if __name__ == "__main__":
    main()
