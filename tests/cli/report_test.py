"""report, and plan --report: which file, what is said, which mistakes are explained."""

import json

from harness import CliTest, main

FAST = ["--budget-evaluations", 100]


class ReportTest(CliTest):
    def plan(self, output, *arguments):
        return self.sluice("plan", "alexnet", "--arch", "eyeriss", "-o", output, *FAST, *arguments)

    def read(self, name):
        return (self.directory / name).read_text(encoding="utf-8")

    def test_default_name_and_message(self):
        self.plan("plan.json")
        text = self.sluice("report", "plan.json").stdout
        self.assertIn("report written to plan.html", text)
        self.assertEqual(self.files(), ["plan.html", "plan.json"])
        html = self.read("plan.html")
        self.assertLess(len(html), 1_500_000)
        self.assertNotRegex(html, r"(src|href)=\"https?:")
        # The plan's own numbers are in the file, digit by digit.
        plan = json.loads(self.read("plan.json"))
        self.assertIn(repr(plan["energy_pj"]).removesuffix(".0"), html)

    def test_plan_writes_the_same_report(self):
        text = self.plan("plan.json", "--report", "a.html").stdout
        self.assertIn("report written to a.html", text)
        self.sluice("report", "plan.json", "-o", "b.html")
        self.assertEqual(self.read("a.html"), self.read("b.html"))

    def test_plain_form_has_no_script(self):
        self.plan("plan.json")
        self.sluice("report", "plan.json", "--plain", "-o", "plain.html")
        html = self.read("plain.html")
        self.assertNotIn("<script", html)
        self.assertIn("GLB", html)

    def test_two_plans(self):
        self.plan("a.json")
        self.plan("b.json", "--objective", "energy")
        self.sluice("report", "a.json", "b.json", "--plain", "-o", "both.html")
        self.assertIn("A against B", self.read("both.html"))

    def test_mistakes(self):
        self.assertIn("E1101", self.sluice("report", code=2).stderr)
        self.plan("plan.json")
        three = self.sluice("report", "plan.json", "plan.json", "plan.json", code=2).stderr
        self.assertIn("one plan, or two", three)
        same = self.sluice("report", "plan.json", "-o", "plan.json", code=2).stderr
        self.assertIn("name the report .html", same)
        self.assertIn("E1001", self.sluice("report", "missing.json", code=2).stderr)
        self.assertIn("E1002",
                      self.sluice("report", "plan.json", "-o", "no/such/x.html", code=2).stderr)
        self.assertEqual(self.files(), ["plan.json"])

    def test_a_plan_that_was_edited_is_refused(self):
        self.plan("plan.json")
        plan = json.loads(self.read("plan.json"))
        plan["solutions"][0]["cost"]["levels"][0]["tensors"][0]["reads"] += 1
        self.write("plan.json", json.dumps(plan))
        self.assertIn("E1506", self.sluice("report", "plan.json", code=2).stderr)
        self.assertEqual(self.files(), ["plan.json"])


if __name__ == "__main__":
    main()
