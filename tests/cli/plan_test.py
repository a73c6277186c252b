"""plan, evaluate and explain of whole networks; Ctrl-C."""

import json
import re

from harness import ROOT, CliTest, main

FAST = ["--budget-evaluations", 200]


class PlanTest(CliTest):
    def plan(self, *arguments, output="plan.json", **kwargs):
        return self.sluice("plan", "alexnet", "--arch", "eyeriss", "-o", output, *FAST, *arguments,
                           **kwargs)

    def test_summary_and_file(self):
        text = self.plan().stdout
        self.assert_narrow(text)
        for word in ("alexnet", "eyeriss", "energy", "cycles", "EDP", "utilization", "Conv",
                     "plan written to plan.json"):
            self.assertIn(word, text)
        self.assertEqual(self.files(), ["plan.json"])

    def test_json_fields(self):
        summary = self.sluice_json("plan", "alexnet", "--arch", "eyeriss", *FAST)
        for field in ("energy_pj", "cycles", "edp", "macs", "utilization", "seconds",
                      "evaluations", "seed"):
            self.assertGreater(summary[field], 0, field)
        self.assertIs(summary["complete"], True)
        self.assertEqual(summary["edp"], summary["energy_pj"] * summary["cycles"])
        parts = [op for op in summary["operators"] if "energy_pj" in op]
        self.assertAlmostEqual(sum(op["energy_pj"] for op in parts) / summary["energy_pj"], 1)
        self.assertEqual(sum(op["macs"] for op in parts), summary["macs"])
        self.assertGreaterEqual(summary["energy_pj"], summary["bound_energy_pj"])
        self.assertGreaterEqual(summary["cycles"], summary["bound_cycles"])

    def test_search_over_codes_leaves_the_rest_to_the_exact_mapper(self):
        run = self.run_raw("plan", "alexnet", "--arch", "eyeriss", "-o", "plan.json", *FAST,
                           "--mapper", "genetic")
        self.assertEqual(run.returncode, 0)
        self.assertIn("the exact mapper solved", run.stderr)
        self.assertIn("which genetic cannot", run.stderr)
        self.sluice("evaluate", "plan.json")

    def test_same_seed_same_plan_for_any_number_of_threads(self):
        def content(name):
            plan = json.loads((self.directory / name).read_text())
            del plan["run"]  # wall time and command line
            return plan

        self.plan("--threads", 1, output="a.json")
        self.plan("--threads", 4, output="b.json")
        self.plan("--seed", 2, output="c.json")
        self.assertEqual(content("a.json"), content("b.json"))
        self.assertNotEqual(content("a.json"), content("c.json"))

    def test_objectives(self):
        def total(objective, field):
            return self.sluice_json("plan", "alexnet", "-a", "eyeriss", "--objective", objective,
                                    "--budget-evaluations", 3000)[field]

        self.assertLess(total("energy", "energy_pj"), total("latency", "energy_pj"))
        self.assertLess(total("latency", "cycles"), total("energy", "cycles"))

    def test_evaluate_reproduces_every_figure(self):
        self.plan()
        self.assertIn("every figure of the plan was reproduced",
                      self.sluice("evaluate", "plan.json").stdout)
        planned = self.sluice_json("show", "plan.json")
        evaluated = self.sluice_json("evaluate", "plan.json")
        self.assertEqual(planned, evaluated)

    def test_evaluate_refuses_another_architecture(self):
        text = (ROOT / "archs/eyeriss.yaml").read_text(encoding="utf-8")
        self.write("machine.yaml", text)
        self.sluice("plan", "alexnet", "--arch", "machine.yaml", "-o", "plan.json", *FAST)
        self.sluice("evaluate", "plan.json")
        self.write("machine.yaml", text + "# touched\n")
        error = self.sluice("evaluate", "plan.json", code=2).stderr
        self.assertIn("not the one that the plan was made for", error)
        self.assertIn("plan again", error)

    def test_evaluate_refuses_an_edited_figure(self):
        self.plan()
        path = self.directory / "plan.json"
        plan = json.loads(path.read_text())

        plan["solutions"][0]["cost"]["levels"][0]["tensors"][0]["reads"] += 1
        path.write_text(json.dumps(plan))
        error = self.sluice("evaluate", "plan.json", code=2).stderr
        self.assertIn("E1506", error)

    def test_explain(self):
        self.plan()
        text = self.sluice("explain", "plan.json").stdout
        self.assert_narrow(text)
        for part in ("no mapping needs less than", "by memory and kind of tensor", "What binds the time",
                     "The most expensive operators", "How near the roof", "The machine", "PEs: 14 x 12",
                     "Where this comes from", "command", "hash", "seed 1", "Loop nest", "Directives",
                     "Where the energy goes", "What binds the latency", "<- binds", "in space and time",
                     "How the largest terms come about", "another tile for"):
            self.assertIn(part, text)
        explained = self.sluice_json("explain", "plan.json")
        shares = sum(term["share"] for term in explained["traffic"])
        rest = explained["compute_energy_pj"] + explained["leakage_pj"]
        self.assertAlmostEqual(shares + rest / explained["energy_pj"], 1, places=6)
        self.assertEqual(explained["cycles"],
                         max(term["cycles"] for term in explained["latency"] if term["binds"]))

    def test_explain_sums_are_those_of_the_plan(self):
        self.plan()
        plan = self.sluice_json("explain", "plan.json")["plan"]
        whole = self.sluice_json("show", "plan.json")
        self.assertEqual({key: plan[key] for key in whole if key != "operators"},
                         {key: whole[key] for key in whole if key != "operators"})
        self.assertAlmostEqual(sum(row["energy_pj"] for row in plan["energy"]) / whole["energy_pj"], 1, places=9)
        for row in plan["energy"]:
            if row["level"] not in ("compute", "leakage"):
                self.assertAlmostEqual(row["input_pj"] + row["weight_pj"] + row["output_pj"], row["energy_pj"],
                                       delta=1e-9 * row["energy_pj"])
        self.assertEqual(sum(row["cycles"] for row in plan["binding"]), whole["cycles"])
        self.assertEqual(plan["provenance"]["architecture_hash"],
                         json.loads((self.directory / "plan.json").read_text())["provenance"]["architecture_hash"])
        self.assertGreater(len(plan["roofline"]), 5)
        for row in plan["roofline"]:
            self.assertLessEqual(row["share"], 1 + 1e-12)

    def test_explain_one_operator(self):
        self.plan()
        names = [op["name"] for op in self.sluice_json("show", "plan.json")["operators"] if "energy_pj" in op]
        one = self.sluice_json("explain", "plan.json", "--op", names[0])
        self.assertIn(names[0], one["operator"])
        self.assertNotIn("plan", one)
        text = self.sluice("explain", "plan.json", "--op", names[0], "--top", 10).stdout
        self.assert_narrow(text)
        self.assertIn(names[0], text)
        self.assertNotIn("Where this comes from", text)
        self.assertGreater(len(re.findall(r"^  \d+\. ", text, re.MULTILINE)),
                           len(re.findall(r"^  \d+\. ", self.sluice("explain", "plan.json", "--op", names[0],
                                                                    "--top", 2).stdout, re.MULTILINE)))
        self.assertEqual(self.sluice_json("explain", "plan.json", "--op", 0), one)
        self.sluice("explain", "plan.json", "--op", 999, code=2)
        # The price is the one of the architecture file: 1856 pJ an access.
        term = re.search(r"^  1\. .* at DRAM, .*?^     energy +([\d,]+) reads x 1856 pJ", text, re.MULTILINE | re.DOTALL)
        dram = [t for t in one["traffic"] if t["level"] == "DRAM"]
        self.assertIn(int(term.group(1).replace(",", "")), [-(-t["reads"] // 4) for t in dram])
        error = self.sluice("explain", "plan.json", "--op", names[0] + "x", code=2).stderr
        self.assertIn(f"did you mean `{names[0]}`?", error)
        # Only `explain` picks an operator of a plan.
        self.sluice("evaluate", "plan.json", "--op", names[0], code=2)

    def test_explain_names_the_tensors_of_that_operator(self):
        self.sluice("plan", "alexnet", "--arch", "eyeriss", "-o", "plan.json", *FAST)
        plan = json.loads((self.directory / "plan.json").read_text())
        seen, repeated = {}, []
        for op in plan["operators"]:
            if op["solution"] is not None and op["solution"] >= 0:
                first = seen.setdefault(op["solution"], op["name"])
                if first != op["name"]:
                    repeated.append((first, op["name"]))
        self.assertTrue(repeated, "alexnet has equal operators")

        def tensors(name):
            return {term["tensor"] for term in self.sluice_json("explain", "plan.json", "--op", name)["traffic"]}

        for first, second in repeated:
            self.assertNotEqual(tensors(first), tensors(second), (first, second))

    def test_colour_only_on_a_terminal(self):
        self.plan()
        command = ("explain", "plan.json", "--top", 3)
        plain = self.sluice(*command).stdout
        self.assertNotIn("\x1b", plain)
        coloured = self.on_terminal(*command)
        self.assertIn("\x1b[1;35m", coloured)
        for line in coloured.splitlines():
            if "\x1b" in line:
                self.assertRegex(line, r"^\x1b\[1(;35)?m[^\x1b]+\x1b\[0m$")
        strong = re.findall(r"\x1b\[1;35m(.*)\x1b\[0m", coloured)
        self.assertTrue(any("<- binds" in line for line in strong), strong)
        self.assertEqual(re.sub(r"\x1b\[[0-9;]*m", "", coloured), plain)
        self.assertIn("\x1b[1;35m", self.on_terminal(*command, NO_COLOR=""))
        self.assertEqual(self.on_terminal(*command, NO_COLOR="1"), plain)
        self.assertEqual(self.on_terminal(*command, TERM="dumb"), plain)

    def test_batch(self):
        one = self.sluice_json("plan", "alexnet", "-a", "eyeriss", *FAST)
        two = self.sluice_json("plan", "alexnet", "-a", "eyeriss", "--batch", 2, *FAST)
        self.assertEqual(two["macs"], 2 * one["macs"])


class InterruptTest(CliTest):
    def test_first_interrupt_keeps_the_best_plan_so_far(self):
        output, error = self.interrupted("plan", "vit_b_16", "--arch", "eyeriss", "-o", "plan.json", "--mapper", "random",
                                         "--budget-evaluations", "1000000000", after=1.5)
        self.assertIn("interrupted", error)
        self.assertIn("best found so far", output)
        self.assertEqual(self.files(), ["plan.json"])
        self.assertIs(self.sluice_json("show", "plan.json")["complete"], False)
        self.sluice("evaluate", "plan.json")  # valid and reproducible all the same

    def test_interrupted_map_returns_a_mapping(self):
        result = json.loads(self.interrupted("map", "conv K=64 C=64 P=56 Q=56 R=3 S=3", "--arch", "eyeriss", "--json",
                                             "--mapper", "random", "--budget-seconds", "60")[0])
        self.assertIs(result["complete"], False)
        self.assertGreater(result["energy_pj"], 0)


if __name__ == "__main__":
    main()
