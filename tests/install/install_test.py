"""What `cmake --install` puts where, and what the shared library exports."""

import re
import shutil
import unittest

import harness
from harness import CXX, InstallTest, ROOT, library_dir, run


class LayoutTest(InstallTest):
    def test_files(self):
        prefix = self.install()
        library = library_dir(prefix).relative_to(prefix)
        self.assertRegex(str(library), r"^lib(/[\w-]+|64)?$")
        expected = ["bin/sluice", f"{library}/libsluice.so", f"{library}/cmake/sluice/sluiceConfig.cmake",
                    f"{library}/cmake/sluice/sluiceConfigVersion.cmake",
                    f"{library}/cmake/sluice/sluiceTargets.cmake", "share/sluice/archs/eyeriss.yaml",
                    "share/sluice/models/resnet50.onnx", "share/doc/sluice/LICENSE",
                    "share/doc/sluice/copyright"]
        if harness.HAS_CLI_DOCS:
            expected += ["share/man/man1/sluice.1.gz", "share/bash-completion/completions/sluice",
                         "share/zsh/vendor-completions/_sluice"]
        headers = sorted(path.name for path in (ROOT / "include/sluice").glob("*.h"))
        expected += [f"include/sluice/{name}" for name in headers]
        for name in expected:
            self.assertTrue((prefix / name).is_file(), name)
        for folder, extension in (("archs", "yaml"), ("models", "onnx")):
            shipped = {path.name for path in (ROOT / folder).rglob("*." + extension)}
            installed = {path.name for path in (prefix / "share/sluice" / folder).rglob("*." + extension)}
            self.assertEqual(installed, shipped)
        # Nothing that belongs to a build or a source tree.
        for path in prefix.rglob("*"):
            self.assertNotIn(path.suffix, (".cpp", ".o", ".a", ".py"), path)

    def test_installed_program_is_healthy(self):
        prefix = self.install()
        health = run(prefix / "bin/sluice", "doctor", cwd=self.directory).stdout
        self.assertNotIn("FAIL", health)
        # The shipped files are found beside the program, not in the source tree.
        listed = run(prefix / "bin/sluice", "models", cwd=self.directory).stdout
        self.assertIn(str(prefix / "share/sluice/models"), listed)
        self.assertNotIn(str(ROOT / "models"), listed)

    def test_cmake_files_do_not_name_the_build(self):
        prefix = self.install()
        for path in (library_dir(prefix) / "cmake/sluice").iterdir():
            text = path.read_text()
            self.assertNotIn(str(ROOT), text, path)
            self.assertNotIn(str(harness.BUILD), text, path)


class InterfaceTest(InstallTest):
    @unittest.skipIf(harness.SANITIZED, "sanitizers export symbols of their own")
    @unittest.skipUnless(shutil.which("nm"), "needs nm")
    def test_only_the_public_interface_is_exported(self):
        library = harness.BUILD / "libsluice.so"
        lines = run("nm", "-DC", "--defined-only", library).stdout.splitlines()
        symbols = {re.sub(r"^[0-9a-f]* *\w ", "", line) for line in lines}
        self.assertGreater(len(symbols), 40)
        public = re.compile(r"^sluice::(?:(?:Network|Architecture|Plan)::[~\w]|EvaluateMapping\(|"
                            r"LibraryVersion|Mappers\(|ShippedArchitectures\(|ShippedModels\(|"
                            r"ThrowBadAccess\()")
        self.assertEqual([name for name in sorted(symbols) if not public.match(name)], [])

    def test_every_header_compiles_alone(self):
        headers = sorted((ROOT / "include/sluice").glob("*.h"))
        source = self.directory / "all.cpp"
        for name, standard in [(header.name, "c++17") for header in headers] + [("sluice.h", "c++20")]:
            source.write_text(f"#include <sluice/{name}>\n")
            run(CXX, f"-std={standard}", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
                "-I", ROOT / "include", source)

    def test_headers_include_only_the_standard_library(self):
        for header in (ROOT / "include/sluice").glob("*.h"):
            for name in re.findall(r"#\s*include\s*(\S+)", header.read_text()):
                self.assertRegex(name, r"^<(sluice/\w+\.h|[a-z_]+)>$", header.name)

    def test_every_public_symbol_is_documented(self):
        undocumented = []
        for header in (ROOT / "include/sluice").glob("*.h"):
            undocumented += [f"{header.name}: {line}" for line in undocumented_lines(header.read_text())]
        self.assertEqual(undocumented, [])

    def test_the_documentation_check_finds_a_missing_comment(self):
        text = "/// Yes.\nstruct A {\n  int yes = 0;  ///< yes\n  int no = 0;\n};\n"
        self.assertEqual(undocumented_lines(text), ["int no = 0;"])


def undocumented_lines(text):
    """Declarations outside function bodies and private sections that have no /// comment."""
    missing = []
    documented = private = inside = False  # inside: in the middle of a declaration of several lines
    depth = parentheses = 0
    body = None  # the depth of braces outside the function body that the line is in
    for line in text.splitlines():
        code = re.sub(r"//.*", "", line).strip()
        documented = documented or "///" in line
        if code == "private:":
            private = True
        elif code.startswith("};"):
            private = False
        ignored = not code or code in ("public:", "private:") or code.startswith(
            ("#", "namespace", "}", "friend", "template"))
        if not ignored and body is None:
            if not private and not inside:
                if not documented:
                    missing.append(code)
                documented = False
            parentheses += code.count("(") - code.count(")")
            inside = parentheses > 0 or not code.endswith((";", "{", "}", ","))
            if code.endswith("{") and "(" in code:
                body = depth
        depth += code.count("{") - code.count("}")
        if body is not None and depth <= body:
            body, documented, inside = None, False, False
    return missing


if __name__ == "__main__":
    unittest.main()
