"""Constraints on the command line: obeyed, named in results, contradictions and infeasibility explained."""

from harness import CliTest, main

CONV = "conv K=64 C=64 P=56 Q=56 R=3 S=3"
FAST = ["--budget-evaluations", 500]
HEAD = "version: 1\nname: mine\nlevels:\n"


class ConstraintsTest(CliTest):
    def rules(self, levels, head=HEAD):
        return self.write("c.yaml", head + levels)

    def test_every_shipped_file_is_listed_and_works_by_name(self):
        machines = {"nvdla-weight-stationary": "nvdla-like", "eyeriss-row-stationary": "eyeriss",
                    "shidiannao-output-stationary": "three-level"}
        self.assertEqual({entry["name"] for entry in self.sluice_json("constraints")}, set(machines))
        for name, machine in machines.items():
            result = self.sluice_json("map", CONV, "-a", machine, "--constraints", name, *FAST)
            self.assertTrue(result["constraints"].endswith(f"constraints/{name}.yaml"))
            text = self.sluice("map", CONV, "-a", machine, "--constraints", name, *FAST).stdout
            self.assertIn("constraints satisfied: ", text)

    def test_the_mapping_obeys(self):
        self.rules("  - memory: L2\n    temporal: K=4\n    spatial_x: C=16 others=1\n    innermost: [K]\n")
        for mapper in ("annealing", "random"):
            self.sluice("map", CONV, "-a", "three-level", "--constraints", "c.yaml", "--mapper", mapper,
                        "-o", "m.yaml", *FAST)
            text = (self.directory / "m.yaml").read_text()
            level = text[text.index("memory: L2"):text.index("memory: L1")]
            self.assertIn("spatial_x: C=16\n", level)
            self.assertRegex(level, r"temporal: (.* )?K=4\n")

    def test_without_constraints_nothing_is_said(self):
        self.assertNotIn("constraints", self.sluice_json("map", CONV, "-a", "eyeriss", *FAST))

    def test_a_plan_names_its_constraints_and_reevaluates(self):
        plan = self.sluice_json("plan", "alexnet", "-a", "eyeriss", "--constraints", "eyeriss-row-stationary",
                                "-o", "plan.json", *FAST)
        self.assertIn("eyeriss-row-stationary", plan["constraints"])
        text = (self.directory / "plan.json").read_text()
        self.assertIn('"constraints_hash": "', text)
        self.sluice("evaluate", "plan.json")
        self.assertRegex(self.sluice("explain", "plan.json").stdout, r"rules +\S*eyeriss-row-stationary.yaml")
        provenance = self.sluice_json("explain", "plan.json")["plan"]["provenance"]
        self.assertIn("eyeriss-row-stationary", provenance["constraints_path"])

    def test_contradictions_have_a_place(self):
        self.rules("  - memory: L2\n    temporal: K=5 C=7\n")
        error = self.sluice("map", CONV, "-a", "three-level", "--constraints", "c.yaml", code=2).stderr
        self.assertIn("c.yaml:5:15: error E1507: temporal K at L2 has to be 5", error)
        self.assertIn("note: line 5: temporal C at L2 has to be 7", error)
        error = self.sluice("plan", "alexnet", "-a", "three-level", "--constraints", "c.yaml", code=2).stderr
        self.assertIn("E1507", error)
        self.assertIn("while planning operator", error)

    def test_unknown_names(self):
        error = self.sluice("map", CONV, "-a", "eyeriss", "--constraints", "eyeriss-row-stationry", code=2).stderr
        self.assertIn("did you mean `eyeriss-row-stationary`?", error)
        self.rules("  - memory: L3\n")
        error = self.sluice("map", CONV, "-a", "three-level", "--constraints", "c.yaml", code=2).stderr
        self.assertIn("c.yaml:4:13: error E1102: there is no memory `L3`", error)

    def test_a_misspelt_dim_is_a_warning(self):
        self.rules("  - memory: L2\n    temporal: k<=4\n")
        done = self.run_raw("map", CONV, "-a", "three-level", "--constraints", "c.yaml", *FAST)
        self.assertEqual(done.returncode, 0)
        self.assertIn("warning: the constraints name dim k, which no operator here has; is it K?", done.stderr)

    def test_infeasible_constraints_name_the_smallest_cure(self):
        self.rules("  - {memory: L1, temporal: K=8 C=8}\n")
        error = self.sluice("map", CONV, "-a", "three-level", "--constraints", "c.yaml", code=1).stderr
        self.assertIn("E1505", error)
        self.assertIn("L1 needs 160 B instead of 96 B: the smallest change that admits a mapping", error)

    def test_timeloop_constraints(self):
        self.write("t.yaml", "mapspace_constraints:\n  targets:\n"
                             "    - {target: L2, type: spatial, factors: K=16, permutation: K, split: 1}\n")
        self.sluice("map", CONV, "-a", "three-level", "--constraints", "t.yaml", "-o", "m.yaml", *FAST)
        self.assertIn("spatial_x: K=16\n", (self.directory / "m.yaml").read_text())
        self.write("t.yaml", "mapspace_constraints:\n  targets:\n"
                             "    - {target: L2, type: utilization, min: 0.5}\n")
        error = self.sluice("map", CONV, "-a", "three-level", "--constraints", "t.yaml", code=2).stderr
        self.assertIn("t.yaml:3:26: error E1507: limits on utilization are not read", error)


if __name__ == "__main__":
    main()
