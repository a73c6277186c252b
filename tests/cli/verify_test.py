"""verify: certificates and plans, accepted, rejected with a reason, and not finished."""

import json

from harness import CliTest, main

GEMM = "gemm M=64 N=48 K=32"


class VerifyTest(CliTest):
    def certificate(self, *options):
        self.sluice("map", GEMM, "-a", "three-level", "--mapper", "exact", "--certificate",
                    "c.json", *options)
        return json.loads((self.directory / "c.json").read_text())

    def verdict(self, code=0, *options):
        result = self.sluice("verify", "c.json", "--json", *options, code=code)
        return json.loads(result.stdout)["operators"][0]

    def test_a_proof_is_verified(self):
        for objective in ("energy", "latency", "edp"):
            self.certificate("--objective", objective)
            verdict = self.verdict()
            self.assertEqual((verdict["verdict"], verdict["optimal"]), ("verified", True))
            text = self.sluice("verify", "c.json").stdout
            self.assert_narrow(text)
            self.assertIn("optimal", text)

    def test_altered_proofs_are_rejected(self):
        original = self.certificate()
        for key in ("energy_pj", "cycles", "bound"):
            altered = dict(original)
            altered[key] = original[key] + 1 if key != "bound" else original[key] * 1.01
            self.write("c.json", json.dumps(altered))
            verdict = self.verdict(2)
            self.assertEqual(verdict["verdict"], "rejected")
            self.assertTrue(verdict["reason"])
        altered = dict(original, problem=original["problem"][::-1])
        self.write("c.json", json.dumps(altered))
        self.assertEqual(self.verdict(2)["verdict"], "rejected")
        self.assertIn("REJECTED", self.sluice("verify", "c.json", code=2).stdout)

    def test_another_architecture_is_rejected(self):
        self.certificate()
        verdict = self.verdict(2, "--arch", "eyeriss")
        self.assertIn("another", verdict["reason"])

    def test_a_constrained_proof(self):
        self.certificate("--constraints", self.constraints())
        self.assertEqual(self.verdict()["verdict"], "verified")

    def constraints(self):
        self.write("rules.yaml", "version: 1\nname: rules\nlevels:\n"
                                 "  - {memory: L2, spatial_x: \"M=8 others=1\"}\n")
        return "rules.yaml"

    def test_nothing_proven_nothing_certified(self):
        result = self.sluice("map", GEMM, "-a", "three-level", "--mapper", "random",
                             "--budget-evaluations", 50, "--certificate", "c.json", code=2)
        self.assertIn("nothing was proven", result.stderr)


if __name__ == "__main__":
    main()
