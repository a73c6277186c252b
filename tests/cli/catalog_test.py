"""archs, models, mappers, version, doctor, show."""

from harness import ROOT, CliTest, main

ARCHITECTURES = ["ascend-like", "eyeriss", "gamma-edge", "goya-like", "ipu-like", "nvdla-like",
                 "simba", "stcp920", "tpu-like"]


class CatalogTest(CliTest):
    def test_archs_lists_the_shipped_ones_and_each_can_be_shown(self):
        listed = [entry["name"] for entry in self.sluice_json("archs")]
        for name in ARCHITECTURES:
            self.assertIn(name, listed)
        self.assertEqual(listed, sorted(listed))
        table = self.sluice("archs").stdout
        for name in listed:
            self.assertRegex(table, rf"(?m)^{name} ")
            self.assert_narrow(self.sluice("show", name).stdout)
            shown = self.sluice_json("show", name)
            self.assertGreaterEqual(len(shown["chains"]), 1)

    def test_models_lists_every_shipped_file(self):
        shipped = sorted(str(path.relative_to(ROOT / "models").with_suffix(""))
                         for path in (ROOT / "models").rglob("*.onnx"))
        self.assertEqual([entry["name"] for entry in self.sluice_json("models")], shipped)

    def test_the_current_directory_comes_first(self):
        (self.directory / "archs").mkdir()
        own = (ROOT / "archs/eyeriss.yaml").read_text(encoding="utf-8")
        self.write("archs/eyeriss.yaml", own)
        entry = next(e for e in self.sluice_json("archs") if e["name"] == "eyeriss")
        self.assertEqual(entry["path"], "archs/eyeriss.yaml")

    def test_mappers(self):
        names = [entry["name"] for entry in self.sluice_json("mappers")]
        self.assertIn("annealing", names)
        self.assertIn("random", names)
        self.assertIn("annealing", self.sluice("mappers").stdout)

    def test_version(self):
        version = self.sluice_json("version")
        self.assertRegex(version["version"], r"^\d+\.\d+\.\d+$")
        self.assertIn(version["version"], self.sluice("version").stdout)
        self.assertEqual(self.sluice("--version").stdout, self.sluice("version").stdout)

    def test_doctor_finds_this_installation_healthy(self):
        checks = self.sluice_json("doctor")
        self.assertTrue(all(check["ok"] for check in checks), checks)
        self.assertGreaterEqual(len(checks), 5)

    def test_show_model(self):
        shown = self.sluice_json("show", "resnet50")
        self.assertEqual(shown["macs"], sum(op["macs"] for op in shown["operators"]))
        self.assertAlmostEqual(shown["macs"] / 4.09e9, 1.0, delta=0.002)
        text = self.sluice("show", ROOT / "models/resnet50.onnx").stdout
        self.assertIn("MACs", text)
        doubled = self.sluice_json("show", "resnet50", "--batch", 2)
        self.assertEqual(doubled["macs"], 2 * shown["macs"])

    def test_show_architecture_golden(self):
        self.assert_golden("show_eyeriss.txt", self.sluice("show", "eyeriss").stdout)


if __name__ == "__main__":
    main()
