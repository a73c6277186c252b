"""Searches over dataflow codes through the front door: compare, price, reproduce, cost commands."""

import json

from harness import BINARY, CliTest, main

CONV = "conv K=16 C=16 P=14 Q=14 R=3 S=3"


class CompareTest(CliTest):
    def compare(self, *arguments, **options):
        return self.sluice("compare", CONV, "--seeds", "2", "--budget-evaluations", "50,200", *arguments, **options)

    def command(self, text):
        self.write("program.sh", text)
        return "sh program.sh"

    def test_json_has_every_run_and_the_table_every_search(self):
        out = json.loads(self.compare("--mapper", "genetic,annealing", "--json").stdout)
        self.assertEqual(len(out["runs"]), 2 * 2 * 2)
        self.assertEqual([cell["samples"] for cell in out["cells"]], [50, 200, 50, 200])
        best = out["layers"][0]["best_known"]
        for run in out["runs"]:
            self.assertGreaterEqual(run["value"], best)
            self.assertAlmostEqual(run["quality"], run["value"] / best)
            self.assertEqual(run["trace"][-1]["samples"], run["samples"])
            self.assertEqual(len(run["code"]), 28)
        again = json.loads(self.compare("--mapper", "genetic,annealing", "--json", "--threads", "1").stdout)
        self.assertEqual([run["code"] for run in out["runs"]], [run["code"] for run in again["runs"]])
        table = self.compare("--mapper", "genetic,annealing", "--html", "plots.html").stdout
        for word in ("genetic", "annealing", "compute bound", "quartiles"):
            self.assertIn(word, table)
        self.assertIn("<svg", (self.directory / "plots.html").read_text(encoding="utf-8"))

    def test_one_code_for_all_layers(self):
        out = json.loads(self.sluice("compare", "mobilenet-v2", "--mapper", "annealing,random", "--shared", "--seeds", "1",
                                     "--budget-evaluations", "60", "--best-known", "0", "--json").stdout)
        self.assertEqual([layer["layer"] for layer in out["layers"]], ["one code for 31 layers"])
        self.assertEqual([run["samples"] for run in out["runs"]], [60, 60])
        for layer in out["layers"]:
            self.assertGreaterEqual(layer["cycles"], layer["compute_bound_cycles"])

    def test_fronts_of_latency_and_energy(self):
        arguments = ["--mapper", "dcp,annealing", "--pareto", "4"]
        out = json.loads(self.compare(*arguments, "--json").stdout)
        self.assertEqual(len(out["runs"]), 2 * 2 * 2)
        for run in out["runs"]:
            points = [(point["cycles"], point["energy_full_nj"]) for point in run["front"]]
            self.assertEqual(points, sorted(points))
            self.assertEqual([energy for _, energy in points], sorted((e for _, e in points), reverse=True))
            self.assertLessEqual(run["samples"], run["budget"])
        for network, search in zip(out["networks"], ("dcp", "annealing")):
            self.assertEqual(network["search"], search)
            front = next(run["front"] for run in out["runs"]
                         if (run["search"], run["budget"], run["seed"]) == (search, 200, 1))
            for point in network["points"]:  # one layer: its own front
                self.assertEqual(point["cycles"], front[point["choice"][0]]["cycles"])
        table = self.compare(*arguments, "--html", "fronts.html").stdout
        self.assertIn("share: of the area", table)
        self.assertIn("<svg", (self.directory / "fronts.html").read_text(encoding="utf-8"))

    def test_few_shot_and_a_predictor_of_ones_own(self):
        zero = json.loads(self.compare("--mapper", "dcp", "--json").stdout)
        few = json.loads(self.compare("--mapper", "dcp", "--samples", "30", "--json").stdout)
        self.assertEqual([run["samples"] for run in few["runs"]], [run["samples"] for run in zero["runs"]])
        self.assertNotEqual([run["code"] for run in few["runs"]], [run["code"] for run in zero["runs"]])
        self.assertIn("E1102", self.compare("--mapper", "dcp", "--predictor", "absent", code=2).stderr)

    def test_dcp_as_its_paper_has_it(self):
        out = json.loads(self.compare("--mapper", "dcp,dcp-paper", "--json").stdout)
        self.assertEqual({run["search"] for run in out["runs"]}, {"dcp", "dcp-paper"})
        self.assertEqual([cell["samples"] for cell in out["cells"]], [50, 200, 50, 200])
        for model in ("maestro", "maestro-exact"):  # windows whole and cut
            table = self.compare("--mapper", "dcp-paper", "--model", model, "--best-known", "0").stdout
            self.assertIn("dcp-paper", table)
        for mapper, predictor, other in (("dcp-paper", "default", "dcp"), ("dcp", "paper", "dcp-paper")):
            error = self.compare("--mapper", mapper, "--predictor", predictor, code=2).stderr
            self.assertIn("E1506", error)
            self.assertIn(f"it serves --mapper {other}", error)

    def test_the_reference_model_has_a_proven_optimum(self):
        out = json.loads(self.sluice("compare", "gemm M=8 N=8 K=8", "--model", "reference", "-a", "three-level",
                                     "--mapper", "annealing", "--seeds", "1", "--budget-evaluations", "300",
                                     "--json").stdout)
        self.assertTrue(out["layers"][0]["proven"])
        self.assertGreaterEqual(out["cells"][0]["quality"]["median"], 1 - 1e-9)

    def test_our_model_as_a_program_gives_the_same(self):
        price = f"{BINARY} price"
        inside = json.loads(self.compare("--mapper", "annealing", "--json", "--energy", "full",
                                         "--best-known", "0", "--model", "maestro").stdout)
        outside = json.loads(self.compare("--mapper", "annealing", "--json",
                                          "--cost-command", price + " --model maestro").stdout)
        self.assertEqual([run["code"] for run in inside["runs"]], [run["code"] for run in outside["runs"]])
        for one, other in zip(inside["runs"], outside["runs"]):
            self.assertAlmostEqual(one["value"] / other["value"], 1)

    def test_what_a_dying_program_answered_is_kept(self):
        dying = self.command("read a; read b; read c; echo ready\nwhile read word count; do n=0\n"
                             " while [ $n -lt $count ]; do read line; echo x >> asked\n"
                             "  [ $(wc -l < asked) -gt 70 ] && exit 9; echo 100 5; n=$((n + 1)); done\n"
                             " echo done\ndone\n")
        done = self.compare("--mapper", "random", "--cost-command", dying, "--cost-labels", "labels", code=2)
        self.assertIn("E1004", done.stderr)
        self.assertIn("ended with exit code 9", done.stderr)
        self.assertIn("not all runs", done.stdout)
        labels = (self.directory / "labels/layer0.labels").read_text(encoding="utf-8").splitlines()
        self.assertEqual(labels[0], "sluice-cost 1")
        self.assertGreaterEqual(len(labels), 60)

    def test_programs_that_do_everything_wrong(self):
        loop = ("read a; read b; read c; echo ready\nwhile read word count; do n=0\n"
                " while [ $n -lt $count ]; do read line; n=$((n + 1)); ANSWER; done\n echo done\ndone\n")
        for name, text, said in (
                ("hangs at once", "sleep 60\n", "said nothing for 0.3 s"),
                ("hangs later", loop.replace("ANSWER", "sleep 60"), "said nothing for 0.3 s"),
                ("dies", "exit 9\n", "ended with exit code 9"),
                ("is killed", "kill -9 $$\n", "exit code 137"),
                ("no number", loop.replace("ANSWER", "echo nan 5"), "no positive number"),
                ("infinite", loop.replace("ANSWER", "echo inf 5"), "no positive number"),
                ("negative", loop.replace("ANSWER", "echo 100 -5"), "no positive number"),
                ("too few lines", loop.replace("ANSWER", "[ $n -eq 1 ] || echo 100 5"), "without an answer"),
                ("too many lines", loop.replace("ANSWER", "echo 100 5; echo 100 5"), "more answers"),
                ("no program", "exec /nonexistent\n", "exit code 127")):
            with self.subTest(name):
                done = self.sluice("compare", CONV, "--mapper", "random", "--budget-evaluations", "30", "--seeds", "1",
                                   "--cost-command", self.command(text),
                                   "--cost-timeout", "0.3" if "hangs" in name else "60", code=2)
                self.assertIn("E1004", done.stderr)
                self.assertIn(said, done.stderr)
                self.assertIn("hint:", done.stderr)

    def test_files_that_are_something_else(self):
        for name, content in (("empty.m", ""), ("bytes.m", "\x00\x01garbage"),
                              ("cut.m", "Network x {\n Layer A {\n Type: CONV\n Dimensions { K: 4, C: -3 }\n")):
            self.write(name, content)
            self.assertIn(f"{name}:", self.sluice("compare", name, code=2).stderr)
        for name, content in (("text.m", "num_pes: many\n"), ("zero.m", "num_pes: 0\n"), ("noise.m", "\x00\n")):
            self.write(name, content)
            self.assertIn(f"{name}:1:", self.compare("--hw", name, code=2).stderr)
        self.write("mine.predictor", "nothing")
        self.assertIn("is no predictor", self.compare("--mapper", "dcp", "--predictor", "mine.predictor", code=2).stderr)
        for arguments in (["--levels", "3"], ["--model", "maestro", "--predictor", "windows"]):
            error = self.compare("--mapper", "dcp", *arguments, "--best-known", "0", code=2).stderr
            self.assertIn("E1506", error)
            self.assertIn("another space of codes", error)

    def test_an_interrupted_reproduction_prints_no_half_parts(self):
        result = json.loads(self.interrupted("reproduce", "dcp", "--json")[0])
        self.assertIs(result["complete"], False)
        self.assertIn("against the exact mapper: interrupted", result["missing"])
        for target in result["targets"]:
            self.assertIn("layers", target["what"])  # of the parts before, if the machine is fast

    def test_mistakes(self):
        for arguments in (["--mapper", "anealing"], ["--model", "maestr"], ["--objective", "speed"],
                          ["--energy", "some"], ["--budget-evaluations", "0"], ["--model", "reference"],
                          ["--arch", "eyeriss"], ["--cost-command", " "], ["--hw", "absent.m"], ["--pareto", "1"]):
            with self.subTest(arguments):
                done = self.sluice("compare", CONV, *arguments, code=2)
                self.assertIn("error E1", done.stderr)
        self.assertIn("sluice reproduce dcp", self.sluice("reproduce", "kapla", code=2).stderr)
        self.assertIn("one of: prediction, ",
                      self.sluice("reproduce", "dcp", "--part", "nothing", code=2).stderr)
        self.assertIn("E1209", self.sluice("price", code=2).stderr)


if __name__ == "__main__":
    main()
