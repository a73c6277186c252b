"""Usage: help that teaches, suggestions, and exit code 2 for everything that was not understood."""

from harness import CliTest, main

VERBS = ["plan", "map", "evaluate", "explain", "report", "show", "archs", "models", "mappers", "doctor",
         "version"]


class UsageTest(CliTest):
    def test_overview_names_every_verb(self):
        for arguments in (["--help"], ["-h"], ["help"]):
            text = self.sluice(*arguments).stdout
            for verb in VERBS:
                self.assertRegex(text, rf"(?m)^  {verb} ")
            self.assert_narrow(text)

    def test_no_arguments_is_a_usage_error_that_shows_the_overview(self):
        self.assertIn("Verbs:", self.sluice(code=2).stdout)

    def test_every_verb_has_help_with_examples(self):
        for verb in VERBS:
            text = self.sluice(verb, "--help").stdout
            self.assertIn(f"  sluice {verb}", text)
            self.assertEqual(text, self.sluice("help", verb).stdout)
            for line in text.splitlines():
                self.assertLessEqual(len(line), 80, line)

    def test_suggestions(self):
        table = [
            (["plam"], "did you mean `sluice plan`?"),
            (["plan", "resnet50", "--arhc", "eyeriss"], "did you mean `--arch`?"),
            (["plan", "resnet51", "--arch", "eyeriss"], "did you mean `resnet50`?"),
            (["plan", "resnet50", "--arch", "eyerris"], "did you mean `eyeriss`?"),
            (["plan", "resnet50", "--arch", "eyeriss", "--mapper", "anealing"],
             "did you mean `annealing`?"),
        ]
        for arguments, hint in table:
            with self.subTest(arguments=arguments):
                self.assertIn(hint, self.sluice(*arguments, code=2).stderr)

    def test_usage_errors(self):
        table = [
            ["frobnicate"],
            ["plan"],
            ["plan", "resnet50"],
            ["plan", "resnet50", "--arch"],
            ["plan", "resnet50", "extra", "--arch", "eyeriss"],
            ["plan", "resnet50", "--arch", "eyeriss", "--objective", "speed"],
            ["plan", "resnet50", "--arch", "eyeriss", "--policy", "optimistic"],
            ["plan", "resnet50", "--arch", "eyeriss", "--seed", "-1"],
            ["plan", "resnet50", "--arch", "eyeriss", "--seed", "one"],
            ["plan", "resnet50", "--arch", "eyeriss", "--threads", "-2"],
            ["plan", "resnet50", "--arch", "eyeriss", "--budget-seconds", "0"],
            ["plan", "resnet50", "--arch", "eyeriss", "--budget-seconds", "nan"],
            ["plan", "resnet50", "--arch", "eyeriss", "--budget-evaluations", "1e9"],
            ["plan", "resnet50", "--arch", "eyeriss", "--dim", "batch"],
            ["plan", "resnet50", "--arch", "eyeriss", "--dim", "batch=-4"],
            ["plan", "resnet50", "--arch", "eyeriss", "--batch", "99999999999999999999"],
            ["map", "--arch", "eyeriss"],
            ["map", "gemm M=4 N=4 K=4"],
            ["map", "gemm M=4 N=4 K=4", "--arch", "eyeriss", "--to", "cuda"],
            ["evaluate"],
            ["evaluate", "--arch", "eyeriss"],
            ["evaluate", "a.json", "b.json"],
            ["evaluate", "--from", "zigzag", "a.yaml"],
            ["evaluate", "--from", "timeloop"],
            ["explain"],
            ["show"],
            ["show", "nothing-of-that-name"],
        ]
        for arguments in table:
            with self.subTest(arguments=arguments):
                done = self.sluice(*arguments, code=2)
                self.assertRegex(done.stderr, r"error E\d{4}: ")
                self.assertEqual(done.stdout, "")
        self.assertEqual(self.files(), [])


if __name__ == "__main__":
    main()
