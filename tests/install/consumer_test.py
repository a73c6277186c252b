"""A program of somebody else, built against an installed Sluice in a clean prefix, plans a network."""

import json
import unittest

import harness
from harness import CMAKE, CXX, ROOT, InstallTest, library_dir, run


@unittest.skipIf(harness.SANITIZED, "a consumer would have to be built with the same sanitizer")
class ConsumerTest(InstallTest):
    def build_example(self, prefix):
        build = self.directory / "build"
        run(CMAKE, "-S", ROOT / "examples/plan_network", "-B", build, f"-DCMAKE_CXX_COMPILER={CXX}",
            f"-DCMAKE_PREFIX_PATH={prefix}", "-DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF",
            "-DCMAKE_CXX_FLAGS=-std=c++17 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror",
            "-DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF")
        run(CMAKE, "--build", build)
        return build / "plan_network"

    def test_the_example_plans_a_network(self):
        prefix = self.install()
        program = self.build_example(prefix)
        done = run(program, "alexnet", "eyeriss", "plan.json", cwd=self.directory)
        self.assertIn("mJ", done.stdout)
        self.assertIn("dearest: ", done.stdout)
        plan = json.loads((self.directory / "plan.json").read_text())
        # It used the installed files, not those of the source tree.
        self.assertTrue(plan["provenance"]["model_path"].startswith(str(prefix)),
                        plan["provenance"])
        # The installed program agrees with every number that the library wrote.
        run(prefix / "bin/sluice", "evaluate", "plan.json", cwd=self.directory)

        # A prefix may be moved.
        moved = self.directory / "moved"
        prefix.rename(moved)
        run(program, "alexnet", "eyeriss", "again.json", cwd=self.directory,
            env={"LD_LIBRARY_PATH": str(library_dir(moved))})
        archs = run(moved / "bin/sluice", "archs", cwd=self.directory).stdout
        self.assertIn(str(moved), archs)

        # Errors reach the consumer as text.
        failed = run(program, "alexnet", "eyeris", "x.json", cwd=self.directory, code=2,
                     env={"LD_LIBRARY_PATH": str(library_dir(moved))})
        self.assertIn("did you mean `eyeriss`?", failed.stderr)


if __name__ == "__main__":
    unittest.main()
