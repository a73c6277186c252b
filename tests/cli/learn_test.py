"""Data sets and predictors on the command line: made, continued, trained on, refused when they do not fit."""

import json

from harness import CliTest, main

SMALL = ["--layers", 60, "--codes", 24]


class LearnTest(CliTest):
    def make(self, name="d", *more, code=0):
        return self.sluice("dataset", "-o", name, *SMALL, *more, code=code)

    def test_dataset_is_the_same_for_any_threads_and_continues(self):
        self.make("one", "--threads", 1)
        self.make("two", "--threads", 2)
        whole = (self.directory / "one").read_bytes()
        self.assertEqual(whole, (self.directory / "two").read_bytes())
        manifest = json.loads((self.directory / "one.json").read_text())
        self.assertEqual((manifest["model"], manifest["seed"], manifest["layers_done"]), ("maestro-exact", 1, 60))
        (self.directory / "two").write_bytes(whole[: len(whole) // 2])
        self.make("two")
        self.assertEqual(whole, (self.directory / "two").read_bytes())

    def test_other_options_do_not_overwrite(self):
        self.make()
        before = (self.directory / "d").read_bytes()
        run = self.make("d", "--seed", 2, code=2)
        self.assertIn("E1506", run.stderr)
        self.assertEqual(before, (self.directory / "d").read_bytes())

    def test_training_is_repeatable_and_reports(self):
        self.make()
        quick = ["--epochs", 1, "--members", 1, "--width", 8]
        run = self.sluice("train", "d", "-o", "a.predictor", *quick, "--curves", "c.json", "--json")
        result = json.loads(run.stdout)
        self.assertEqual(len(result["curves"]), 1)
        self.assertEqual(len(result["random_codes"]["components"]), 5)
        self.assertEqual(json.loads((self.directory / "c.json").read_text())["predictor"], result["hash"])
        self.sluice("train", "d", "-o", "b.predictor", *quick, "--curves", "c.html")
        page = (self.directory / "c.html").read_text()
        self.assertIn("network 1", page)
        self.assertIn("<svg", page)
        self.assertNotIn("<script", page)
        self.assertEqual(*((self.directory / f).read_bytes() for f in ("a.predictor", "b.predictor")))

    def test_scalar_features_of_one_machine(self):
        self.write("hw.m", "num_pes: 64\nl1_size_cstr: 512\nl2_size_cstr: 65536\nnoc_bw_cstr: 16\n")
        self.make("d", "--hw", "hw.m")
        self.assertTrue(json.loads((self.directory / "d.json").read_text())["one_machine"])
        self.assertIn("E1506", self.make("d", code=2).stderr)
        quick = ["--epochs", 1, "--members", 1, "--width", 8]
        self.sluice("train", "d", "-o", "p", "--features", "paper", *quick)
        compare = ["compare", "conv K=16 C=16 P=14 Q=14 R=3 S=3", "--model", "maestro", "--seeds", 1, "--budget-evaluations", 40]
        done = self.sluice(*compare, "--mapper", "dcp-paper", "--predictor", "p", "--hw", "hw.m")
        self.assertIn("dcp-paper", done.stdout)
        self.assertIn("E1102", self.sluice("train", "d", "-o", "q", "--features", "scalar", code=2).stderr)

    def test_damaged_data_sets_are_refused_and_made_whole_again(self):
        self.make()
        whole = (self.directory / "d").read_bytes()
        half = len(whole) // 2
        flipped = whole[:half] + bytes([whole[half] ^ 16]) + whole[half + 1:]
        for name, content, said in (("cut", whole[:half], "of 60 layers that are whole"),
                                    ("flipped", flipped, "of 60 layers that are whole"),
                                    ("longer", whole + b"xyz", "goes on after its last layer")):
            with self.subTest(name):
                (self.directory / name).write_bytes(content)
                error = self.sluice("train", name, "-o", "p", code=2).stderr
                self.assertIn("E1201", error)
                self.assertIn(said, error)
                self.make(name)
                self.assertEqual(whole, (self.directory / name).read_bytes())
        for name, content in (("header", whole[:9] + b"\xff" + whole[10:]), ("start", whole[:5]), ("empty", b"")):
            with self.subTest(name):
                (self.directory / name).write_bytes(content)
                self.assertIn(name, self.make(name, code=2).stderr)
                self.assertEqual(content, (self.directory / name).read_bytes(), "what is no data set is left alone")

    def test_nothing_is_trained_that_can_not_be_written(self):
        self.make()
        for arguments in (["-o", "none/p"], ["-o", "p", "--curves", "none/c.html"], ["-o", "."]):
            done = self.sluice("train", "d", *arguments, "--epochs", 1000, code=2)
            self.assertIn("E1002", done.stderr)
        self.assertFalse((self.directory / "p").exists())

    def test_bad_input(self):
        (self.directory / "text").write_text("nothing")
        self.assertIn("E1201", self.sluice("train", "text", "-o", "p", code=2).stderr)
        self.assertIn("E1201", self.sluice("dataset", "-o", "text", code=2).stderr)
        self.assertIn("--default", self.sluice("train", "-o", "p", code=2).stderr)
        self.assertIn("E1102", self.sluice("dataset", "-o", "x", "--model", "timeloop", code=2).stderr)


if __name__ == "__main__":
    main()
