#!/usr/bin/env python3
"""Writes the man page and the shell completions of sluice.

Both are read off the program's own help (`sluice --help`, then `sluice VERB --help` for every verb), so
that neither can know an option that the program lacks or lack one that it has. What the help says in a
fixed form is used: a placeholder tells what a value is (FILE, NAME|FILE, N), and a list such as
`energy, latency or edp` at the end of a help text names the possible values.

usage: cli_docs.py --sluice BINARY --version VERSION --out DIRECTORY
Writes sluice.1, sluice.1.gz, sluice.bash and _sluice. Tested by tests/install/cli_docs_test.py.
"""

import argparse
import dataclasses
import gzip
import pathlib
import re
import subprocess

# "  -a,--arch NAME|FILE             a YAML file ..."
OPTION = re.compile(r"^  (-[\w-]+(?:,-[\w-]+)*)(?: (\S.*?))?(?:\s{2,}(\S.*))?$")
POSITIONAL = re.compile(r"^  (\w[\w-]*)(?: \.\.\.)?\s{2,}(\S.*)$")
VERB = re.compile(r"^  (\w[\w-]*) +(\S.*)$")
# "...: energy, latency or edp" or "... tool's: timeloop", before a parenthesis or the end.
CHOICES = re.compile(r": ((?:[\w-]+, )*[\w-]+ or [\w-]+|[\w-]+)(?: \(|$)")
# Where values come from when they are not listed in the help: a verb prints them.
LISTED_BY = re.compile(r"`sluice (\w+)`")


@dataclasses.dataclass
class Option:
    names: list[str]
    placeholder: str  # as shown, for example `NAME|FILE` or `N [1]`; empty for a flag
    help: str

    @property
    def choices(self) -> list[str]:
        found = CHOICES.search(self.help)
        return re.split(r", | or ", found.group(1)) if found and self.placeholder else []

    @property
    def kind(self) -> str:
        """What completes a value: flag, number, text, choices, file, or list:VERB[+file]."""
        if not self.placeholder:
            return "flag"
        word = self.placeholder.split()[0]
        listed = LISTED_BY.search(self.help)
        if listed:
            return f"list:{listed.group(1)}" + ("+file" if "FILE" in word else "")
        if self.choices:
            return "choices"
        if word == "FILE":
            return "file"
        return "number" if word in ("N", "SECONDS") else "text"


@dataclasses.dataclass
class Verb:
    name: str
    summary: str
    usage: str
    positionals: list[tuple[str, str]]  # name, help
    options: list[Option]
    epilogue: str  # examples and remarks

    @property
    def takes_files(self) -> bool:
        """Whether a positional may be a file."""
        return any(re.search(r"\b(file|plan)s?\b", text) for _, text in self.positionals)

    @property
    def positional_lists(self) -> list[str]:
        """Verbs that list what a positional may be."""
        lists = []
        for _, text in self.positionals:
            lists += ["models", "archs"] if "a shipped one" in text else LISTED_BY.findall(text)
        return lists


def run(binary: str, *arguments: str) -> str:
    return subprocess.run([binary, *arguments], check=True, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL).stdout


def section(text: str, title: str) -> list[str]:
    """The lines after `title:` up to the next empty line."""
    lines = text.splitlines()
    if title + ":" not in lines:
        return []
    rest = lines[lines.index(title + ":") + 1:]
    return rest[:rest.index("")] if "" in rest else rest


def read_verb(binary: str, name: str, summary: str) -> Verb:
    text = run(binary, name, "--help")
    usage = next(line for line in text.splitlines() if line.startswith("Usage: "))
    positionals, options = [], []
    for line in section(text, "Positionals"):
        found = POSITIONAL.match(line)
        if not found:
            raise SystemExit(f"cannot read the help of sluice {name}: {line!r}")
        positionals.append((found.group(1), found.group(2)))
    lines = section(text, "Options")
    for number, line in enumerate(lines):
        found = OPTION.match(line)
        if found:
            # A long name pushes its help to the next line.
            help_text = found.group(3) or (lines[number + 1].strip() if number + 1 < len(lines) else "")
            options.append(Option(found.group(1).split(","), found.group(2) or "", help_text))
        elif not line.startswith(" " * 10):
            raise SystemExit(f"cannot read the help of sluice {name}: {line!r}")
    _, found, epilogue = text.partition("\nExamples:\n")
    return Verb(name, summary, usage.removeprefix("Usage: "), positionals, options,
                epilogue.strip("\n"))


def read_cli(binary: str) -> list[Verb]:
    verbs = []
    for line in section(run(binary, "--help"), "Verbs"):
        found = VERB.match(line)
        if not found:
            raise SystemExit(f"cannot read the help of sluice: {line!r}")
        verbs.append(read_verb(binary, found.group(1), found.group(2)))
    if not verbs:
        raise SystemExit("sluice --help lists no verbs")
    return verbs


# ---- man page

def roff(text: str) -> str:
    """Plain text as roff: hyphens stay hyphens, a leading dot or quote is no request."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    text = re.sub(r"`([^`]*)`", r"\\fB\1\\fP", text)
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in text.split("\n"))


def man_page(verbs: list[Verb], version: str) -> str:
    out = [f'.TH SLUICE 1 "" "sluice {version}" "User Commands"', ".SH NAME",
           "sluice \\- plans how a neural network runs on an accelerator, and says what it costs",
           ".SH SYNOPSIS", ".B sluice", ".I VERB", "[\\fIOPTIONS\\fP]", ".SH DESCRIPTION",
           "Sluice reads a network (an ONNX file) and an architecture (a YAML file), searches how every",
           "operator runs on the machine, and writes the plan, its energy, its cycles, lower bounds, and",
           "the reason for every number.", ".PP",
           "The same inputs, options and seed give the same result for any number of threads.",
           ".SH VERBS"]
    for verb in verbs:
        out += [f".SS {roff(verb.name)}", roff(verb.summary) + ".", ".PP", f".B {roff(verb.usage)}"]
        for name, help_text in verb.positionals:
            out += [".TP", f"\\fI{roff(name)}\\fP", roff(help_text)]
        for option in verb.options:
            names = ", ".join(f"\\fB{roff(name)}\\fP" for name in option.names)
            value = f" \\fI{roff(option.placeholder)}\\fP" if option.placeholder else ""
            out += [".TP", names + value, roff(option.help)]
        if verb.epilogue:
            out += [".PP", "Examples:", ".PP", ".nf", roff(verb.epilogue), ".fi"]
    out += [".SH FILES", ".TP", "\\fIPREFIX/share/sluice/archs\\fP, \\fIconstraints\\fP, \\fImodels\\fP",
            "The architectures, constraints and models that come with Sluice. Names are looked up in archs/,",
            "constraints/ and models/ of the current directory first.",
            ".TP", "\\fI~/.cache/sluice\\fP",
            "Mappings kept from earlier runs; elsewhere with SLUICE_CACHE_DIR or XDG_CACHE_HOME.",
            ".SH EXIT STATUS", ".TP", "0", "done", ".TP", "1", "no valid mapping exists", ".TP", "2",
            "bad input or usage", ".TP", "70", "a bug in sluice", ".TP", "130",
            "interrupted; the result is the best found so far",
            ".SH SEE ALSO", "\\fBsluice VERB \\-\\-help\\fP shows the options of one verb."]
    return "\n".join(out) + "\n"


# ---- completions

BASH_HEAD = r"""# bash completion of sluice. Written by packaging/cli_docs.py; changes will be lost.

# The names that `sluice archs`, `models`, `constraints` or `mappers` prints.
_sluice_names() {
  command "${COMP_WORDS[0]/#\~/$HOME}" "$1" 2>/dev/null | sed -n '2,$s/^\([^ ]\+\) .*/\1/p'
}

# Adds the words of $1 that start with the current one.
_sluice_words() {
  local word
  while IFS= read -r word; do
    COMPREPLY+=("$word")
  done < <(compgen -W "$1" -- "$current")
}

_sluice_files() {
  local file
  compopt -o filenames 2>/dev/null
  while IFS= read -r file; do
    COMPREPLY+=("$file")
  done < <(compgen -f -- "$current")
}

_sluice() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
  COMPREPLY=()
  # `--option=value` arrives as three words.
  if [[ $current == = ]]; then
    current=
  elif [[ $previous == = ]]; then
    previous=${COMP_WORDS[COMP_CWORD-2]}
  fi
"""


def bash_value(option: Option) -> str:
    """The command that completes the option's value."""
    kind = option.kind
    if kind == "choices":
        return f"_sluice_words '{' '.join(option.choices)}'"
    if kind == "file":
        return "_sluice_files"
    if kind.startswith("list:"):
        verb, _, files = kind.removeprefix("list:").partition("+")
        return f'_sluice_words "$(_sluice_names {verb})"' + ("; _sluice_files" if files else "")
    return ":"  # a number or free text: nothing to offer


def bash_completion(verbs: list[Verb]) -> str:
    names = " ".join(verb.name for verb in verbs)
    out = [BASH_HEAD.rstrip("\n"), "  if (( COMP_CWORD == 1 )); then",
           f"    _sluice_words '{names} help --help --version'", "    return", "  fi",
           '  case "${COMP_WORDS[1]}" in', "    help)", f"      _sluice_words '{names}'", "      ;;"]
    for verb in verbs:
        out += [f"    {verb.name})", '      case "$previous" in']
        for option in verb.options:
            if option.placeholder:
                out += [f"        {'|'.join(option.names)}) {bash_value(option)}; return ;;"]
        out += ["      esac"]
        words = " ".join(name for option in verb.options for name in option.names)
        out += ['      if [[ $current == -* ]]; then', f"        _sluice_words '{words}'"]
        if verb.positionals:
            out += ["      else"]
            out += [f'        _sluice_words "$(_sluice_names {name})"' for name in verb.positional_lists]
            out += ["        _sluice_files" if verb.takes_files else "        :"]
        out += ["      fi", "      ;;"]
    out += ["  esac", "}", "complete -F _sluice sluice"]
    return "\n".join(out) + "\n"


def zsh_text(text: str) -> str:
    """Inside single quotes and an _arguments description."""
    text = text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")
    return text.replace("'", "'\\''")


def zsh_value(option: Option) -> str:
    kind = option.kind
    if kind == "choices":
        return "(" + " ".join(option.choices) + ")"
    if kind == "file":
        return "_files"
    if kind.startswith("list:"):
        verb, _, files = kind.removeprefix("list:").partition("+")
        return f"_sluice_{'names_or_files' if files else 'names'} {verb}"
    return ""


def zsh_completion(verbs: list[Verb]) -> str:
    out = ["#compdef sluice", "# Written by packaging/cli_docs.py; changes will be lost.", "",
           "_sluice_names() {",
           "  local -a names",
           "  local verb",
           "  for verb in \"$@\"; do",
           "    [[ $verb == -* ]] && continue  # _arguments puts options of compadd first",
           "    (( $+commands[sluice] )) && names+=(${${(f)\"$(sluice $verb 2>/dev/null)\"}[2,-1]%% *})",
           "  done",
           "  compadd -a names", "}", "",
           "_sluice_names_or_files() {", '  _sluice_names "$@"', "  _files", "}", "",
           "_sluice() {", "  local -a verbs", "  verbs=("]
    out += [f"    '{verb.name}:{zsh_text(verb.summary)}'" for verb in verbs]
    out += ["  )", "  if (( CURRENT == 2 )); then", "    _describe 'verb' verbs", "    return", "  fi",
            "  local verb=$words[2]", "  shift words", "  (( CURRENT-- ))", '  case "$verb" in']
    for verb in verbs:
        out += [f"    {verb.name})", "      _arguments -s \\"]
        for option in verb.options:
            repeat = "*" if option.placeholder.endswith("...") else ""
            value = ""
            if option.placeholder:
                value = f":{zsh_text(option.placeholder.split()[0])}:{zsh_value(option)}"
            exclusive = "" if repeat else "(" + " ".join(option.names) + ")"
            for name in option.names:
                equals = "=" if name.startswith("--") and option.placeholder else ""
                out += [f"        '{exclusive}{repeat}{name}{equals}[{zsh_text(option.help)}]{value}' \\"]
        if verb.positionals:
            name = zsh_text(verb.positionals[0][0])
            lists = " ".join(verb.positional_lists)
            action = f"_sluice_names_or_files {lists}" if lists else "_files" if verb.takes_files else " "
            out += [f"        '*:{name}:{action}'"]
        else:
            out[-1] = out[-1].removesuffix(" \\")
        out += ["      ;;"]
    out += ["    help)", "      _describe 'verb' verbs", "      ;;", "  esac", "}", "", '_sluice "$@"']
    return "\n".join(out) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sluice", required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    options = parser.parse_args()
    verbs = read_cli(options.sluice)
    options.out.mkdir(parents=True, exist_ok=True)
    page = man_page(verbs, options.version)
    (options.out / "sluice.1").write_text(page, encoding="utf-8")
    # Without a time stamp: equal pages have equal bytes.
    (options.out / "sluice.1.gz").write_bytes(gzip.compress(page.encode(), mtime=0))
    (options.out / "sluice.bash").write_text(bash_completion(verbs), encoding="utf-8")
    (options.out / "_sluice").write_text(zsh_completion(verbs), encoding="utf-8")


if __name__ == "__main__":
    main()
