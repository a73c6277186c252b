"""The man page and the completions know every verb and option that the program has, and no other."""

import gzip
import os
import re
import shutil
import subprocess
import unittest

import harness
from harness import BINARY, BUILD, InstallTest, run

DOCS = BUILD / "package/cli"


def words_of_help():
    """{verb: its long and short options}, read from the help independently of packaging/cli_docs.py."""
    overview = run(BINARY, "--help").stdout
    verbs = re.findall(r"^  (\w+) {2,}\S", overview.partition("Verbs:\n")[2].partition("\n\n")[0], re.M)
    options = {}
    for verb in verbs:
        text = run(BINARY, verb, "--help").stdout.partition("Options:\n")[2].partition("\n\n")[0]
        options[verb] = set(re.findall(r"(?<=[ ,])(-[a-z]|--[a-z][\w-]*)(?=[ ,\n]|$)",
                                       "\n".join(line[:34] for line in text.splitlines())))
    return options


@unittest.skipUnless(harness.HAS_CLI_DOCS, "this build makes no man page (SLUICE_CLI_DOCS)")
class CliDocsTest(InstallTest):
    @classmethod
    def setUpClass(cls):
        cls.options = words_of_help()

    def test_the_help_was_understood(self):
        self.assertIn("plan", self.options)
        self.assertLessEqual({"--arch", "-a", "--seed", "--budget-evaluations"}, self.options["plan"])
        for verb, options in self.options.items():
            self.assertLessEqual({"-h", "--help"}, options, verb)

    # ---- man page

    def sections(self):
        """{verb: text of its section} of the page, hyphens plain."""
        page = (DOCS / "sluice.1").read_text().replace("\\-", "-")
        parts = re.split(r"^\.SS (\S+)\n", page.partition(".SH FILES")[0], flags=re.M)
        return dict(zip(parts[1::2], parts[2::2]))

    def test_man_page_has_every_verb_and_option(self):
        sections = self.sections()
        self.assertEqual(list(sections), list(self.options))
        for verb, options in self.options.items():
            lines = re.findall(r"^\.TP\n(.*)$", sections[verb], re.M)
            shown = set(re.findall(r"\\fB(-[\w-]+)\\fP", "\n".join(lines)))
            self.assertEqual(shown, options, verb)

    def test_man_page_renders_without_warnings(self):
        if shutil.which("groff"):
            done = run("groff", "-man", "-Tascii", "-ww", "-Wbreak", "-z", DOCS / "sluice.1")
            self.assertEqual(done.stderr, "")
        if shutil.which("man") is None:
            self.skipTest("man is not installed")
        done = run("man", "--warnings", "-E", "ascii", "-l", DOCS / "sluice.1.gz",
                   env={"MANPAGER": "cat", "MANWIDTH": "80", "LC_ALL": "C.UTF-8", "MAN_KEEP_FORMATTING": ""})
        self.assertEqual(done.stderr, "")
        text = re.sub(r".\x08", "", done.stdout)
        self.assertIn("--budget-evaluations N", text)

    def test_compressed_page_is_the_page(self):
        data = (DOCS / "sluice.1.gz").read_bytes()
        self.assertEqual(gzip.decompress(data), (DOCS / "sluice.1").read_bytes())
        self.assertEqual(data[4:8], b"\0\0\0\0", "a time stamp makes packages irreproducible")

    # ---- bash

    def complete(self, *words, program=BINARY):
        """What bash offers for the last of `words`."""
        script = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _sluice; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        done = run("bash", "--norc", "-uc", script, "bash", DOCS / "sluice.bash", program, *words,
                   cwd=self.directory)
        self.assertEqual(done.stderr, "")
        return set(done.stdout.split())

    def test_bash_is_registered_for_sluice(self):
        done = run("bash", "--norc", "-c", 'source "$1"; complete -p sluice', "bash", DOCS / "sluice.bash")
        self.assertIn("-F _sluice sluice", done.stdout)

    def test_bash_completes_verbs(self):
        self.assertEqual(self.complete(""), set(self.options) | {"help", "--help", "--version"})
        self.assertEqual(self.complete("pl"), {"plan"})
        self.assertEqual(self.complete("help", "ev"), {"evaluate"})

    def test_bash_completes_every_option(self):
        for verb, options in self.options.items():
            self.assertEqual(self.complete(verb, "-"), options, verb)
        self.assertEqual(self.complete("plan", "alexnet", "--budget-s"), {"--budget-seconds"})

    def test_bash_completes_values(self):
        self.assertEqual(self.complete("plan", "--objective", ""), {"energy", "latency", "edp"})
        self.assertEqual(self.complete("plan", "--objective", "=", "e"), {"energy", "edp"})
        self.assertEqual(self.complete("map", "--policy", "t"), {"timeloop"})
        mappers = {line.split()[0] for line in run(BINARY, "mappers").stdout.splitlines()[1:]}
        self.assertEqual(self.complete("plan", "--mapper", ""), mappers)
        self.assertEqual(self.complete("plan", "--seed", ""), set())

    def test_bash_completes_names_and_files(self):
        (self.directory / "eye.yaml").write_text("")
        (self.directory / "plan.json").write_text("")
        self.assertEqual(self.complete("plan", "alexnet", "-a", "eye"), {"eyeriss", "eye.yaml"})
        self.assertEqual(self.complete("plan", "resnet"), {"resnet18", "resnet50"})
        self.assertEqual(self.complete("explain", "plan"), {"plan.json"})
        self.assertEqual(self.complete("show", "simb"), {"simba"})
        self.assertEqual(self.complete("map", ""), set())

    def test_bash_survives_a_program_that_is_not_there(self):
        self.assertEqual(self.complete("plan", "alexnet", "-a", "eye", program="/no/such/sluice"), set())

    # ---- zsh

    def test_zsh_knows_every_option(self):
        text = (DOCS / "_sluice").read_text()
        for verb, options in self.options.items():
            block = re.search(rf"^    {verb}\)\n(.*?)^      ;;$", text, re.M | re.S)
            self.assertIsNotNone(block, verb)
            shown = set(re.findall(r"^        '(?:\([^)]*\)|\*)(-[\w-]+?)=?\[", block.group(1), re.M))
            self.assertEqual(shown, options, verb)

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_zsh_parses_it(self):
        done = run("zsh", "-f", "-n", DOCS / "_sluice")
        self.assertEqual(done.stderr, "")

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_zsh_completes(self):
        """In a real line editor: types a prefix and a tab, and reads the line back."""
        self.assertIn("<sluice plan unused --objective=", self.zsh_line("sluice pla\tunused --objec\t"))
        self.assertIn("<sluice plan --mapper annealing ", self.zsh_line("sluice plan --mapper ann\t"))
        self.assertIn("<sluice plan alexnet -a eyeriss ", self.zsh_line("sluice plan alexn\t-a eyer\t"))

    def zsh_line(self, typed):
        """The line after zsh has read `typed`, in angle brackets."""
        (self.directory / "bin").mkdir(exist_ok=True)
        link = self.directory / "bin/sluice"
        if not link.exists():
            link.symlink_to(os.path.abspath(BINARY))
        keys = typed.replace("\t", "\\t") + "\\x18"  # Control-X shows the line
        script = f"""
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'PS1=; fpath=({DOCS} $fpath); path=({self.directory}/bin $path)'
zpty -w shell 'autoload -Uz compinit; compinit -u -D'
zpty -w shell 'show() {{ print -r -- "<$BUFFER>"; zle kill-whole-line; }}; zle -N show; bindkey "^X" show'
zpty -w shell 'print rea""dy'
zpty -r -m shell x '*ready*'
zpty -n -w shell $'{keys}'
zpty -r -m shell line '*<*>*'
print -r -- "$line"
"""
        done = subprocess.run(["zsh", "-f", "-c", script], capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL, cwd=self.directory, check=False)
        return done.stdout


if __name__ == "__main__":
    unittest.main()
