"""The Debian package: is built, installs, runs, removes without a trace.

As root it is installed by dpkg into an empty folder, with a copy of the system's package database: the
dependencies are checked against what is really installed, and the system itself is not touched. With
SLUICE_TEST_SYSTEM=1 it is installed into the system (for a machine that is thrown away). Without root
it is only unpacked.
"""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import harness
from harness import BUILD, CPACK, InstallTest, run


@unittest.skipIf(harness.SANITIZED, "a sanitized program is not packaged")
@unittest.skipUnless(shutil.which("dpkg-deb") and shutil.which("dpkg-shlibdeps") and shutil.which("file"),
                     "needs dpkg-dev and file")
class PackageTest(InstallTest):
    @classmethod
    def setUpClass(cls):
        cls.out = pathlib.Path(tempfile.mkdtemp(prefix="sluice-package-"))
        cls.addClassCleanup(shutil.rmtree, cls.out, ignore_errors=True)
        run(CPACK, "-G", "DEB", "--config", BUILD / "CPackConfig.cmake", "-B", cls.out)
        cls.package, = cls.out.glob("*.deb")

    def test_package(self):
        package = self.package
        self.check_control(package)
        if os.geteuid() != 0:
            root = self.directory / "root"
            run("dpkg-deb", "-x", package, root)
            self.check_run(root)
        elif os.environ.get("SLUICE_TEST_SYSTEM") == "1":
            self.install_into_the_system(package)
        else:
            self.install_into_a_folder(package)

    def check_control(self, package):
        fields = dict(re.findall(r"^([\w-]+): (.*)$", run("dpkg-deb", "-f", package).stdout, re.M))
        self.assertEqual(fields["Package"], "sluice")
        architecture = run("dpkg", "--print-architecture").stdout.strip()
        self.assertEqual(package.name, f"sluice_{fields['Version']}_{architecture}.deb")
        changelog = (BUILD / "package/changelog.Debian").read_text()
        self.assertTrue(changelog.startswith(f"sluice ({fields['Version']}) "), "add an entry to it")
        self.assertIn(f"\n -- {fields['Maintainer']}  ", changelog, "one maintainer in both")
        # Computed from the binaries, not written by hand.
        for library in ("libc6", "libstdc++6", "libfmt", "libyaml-cpp", "libprotobuf"):
            self.assertIn(library, fields["Depends"])
        self.assertNotIn("-dev", fields["Depends"])
        listing = run("dpkg-deb", "-c", package).stdout
        for line in listing.splitlines():
            self.assertRegex(line, r"root/root .* \./(usr/.*)?$", "everything belongs to root, below /usr")
            mode = line.split()[0]
            self.assertTrue(mode.startswith("l") or mode[5] != "w" and mode[8] != "w", line)
        self.assertIn("./usr/share/doc/sluice/copyright", listing)

    def check_run(self, root):
        """The program, and a library that loads."""
        usr = pathlib.Path(root) / "usr"
        library = next(usr.rglob("libsluice.so.*")).parent
        environment = {"LD_LIBRARY_PATH": str(library), "PATH": f"{usr}/bin:{os.environ['PATH']}"}
        version = run("sluice", "version", env=environment, cwd=self.directory).stdout
        self.assertIn(run(harness.BINARY, "version", "--json").stdout.split('"')[3], version)
        run("sluice", "plan", "alexnet", "--arch", "eyeriss", "--budget-evaluations", 100, "-o", "plan.json",
            env=environment, cwd=self.directory)
        evaluated = run("sluice", "evaluate", "plan.json", env=environment, cwd=self.directory).stdout
        self.assertIn("alexnet", evaluated)
        self.assertIn(str(usr / "share/sluice/models"), (self.directory / "plan.json").read_text())
        missing = run("ldd", "-r", next(library.glob("libsluice.so.*.*.*"))).stdout
        self.assertNotIn("not found", missing)
        self.assertNotIn("undefined symbol", missing)

    def install_into_a_folder(self, package):
        root, admin = self.directory / "root", self.directory / "admin"
        root.mkdir()
        for folder in ("info", "updates", "triggers", "alternatives", "parts"):
            (admin / folder).mkdir(parents=True)
        status = pathlib.Path("/var/lib/dpkg/status").read_text(encoding="utf-8")
        # Not the package itself, should somebody have it installed.
        records = [record for record in status.split("\n\n") if not record.startswith("Package: sluice\n")]
        (admin / "status").write_text("\n\n".join(records), encoding="utf-8")
        (admin / "available").write_text("")
        dpkg = ("dpkg", f"--admindir={admin}", f"--instdir={root}", f"--log={self.directory}/dpkg.log",
                "--no-triggers", "--force-not-root,script-chrootless")
        for name in ("info", "format"):  # which architectures dpkg knows
            source = pathlib.Path("/var/lib/dpkg") / name
            if source.is_file():
                shutil.copy(source, admin / name)
        for source in pathlib.Path("/var/lib/dpkg/info").glob("*.list"):
            shutil.copy(source, admin / "info" / source.name)
        run(*dpkg, "-i", package)
        self.assertIn("install ok installed",
                      run(*dpkg[:2], "--status", "sluice").stdout)
        self.check_run(root)
        run(*dpkg, "--purge", "sluice")
        left = [path for path in root.rglob("*") if not path.is_dir()]
        self.assertEqual(left, [])
        self.assertEqual(run(*dpkg[:2], "--status", "sluice", code=1).stdout, "")

    def install_into_the_system(self, package):
        run("dpkg", "-i", package)
        try:
            self.check_run("/")
        finally:
            run("dpkg", "--purge", "sluice")
        for path in ("/usr/bin/sluice", "/usr/share/sluice", "/usr/include/sluice"):
            self.assertFalse(os.path.exists(path), path)

    @unittest.skipUnless(shutil.which("lintian"), "lintian is not installed")
    def test_lintian_finds_no_errors(self):
        done = subprocess.run(["lintian", "--allow-root", "--fail-on=none", "--tag-display-limit=0",
                               self.package],
                              capture_output=True, text=True, check=False, timeout=300)
        errors = [line for line in done.stdout.splitlines() if line.startswith("E: ")]
        self.assertEqual(errors, [])


if __name__ == "__main__":
    unittest.main()
