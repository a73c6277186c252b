"""The site of the documents: builds strictly, lists every page, loads nothing from elsewhere, has no dead link."""

import html.parser
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DOCS = ROOT / "docs"
# Attributes that make a browser fetch; a link that a reader may follow (<a href>) is not among them.
FETCHING = {("link", "href"), ("script", "src"), ("img", "src"), ("iframe", "src"), ("source", "src"),
            ("img", "srcset"), ("object", "data"), ("video", "src"), ("audio", "src"), ("embed", "src")}
ELSEWHERE = re.compile(r"^\s*(?:[a-z]+:)?//", re.IGNORECASE)
# Addresses in scripts that are names or comments, or figures of a code host, fetched only if `repo_url` is set.
NAMES = ("http://www.w3.org/", "http://lunrjs.com", "https://lunrjs.com", "https://clipboardjs.com/",
         "http://tartarus.org/", "https://bit.ly/2s3ChXG", "https://api.github.com/", "https://${e}/api/v4/")
PROBES = {"http://a", "http://a/c%20d"}  # how a polyfill asks whether the browser parses addresses


class Page(html.parser.HTMLParser):
    def __init__(self, path):
        super().__init__()
        self.fetched, self.links, self.ids, self.classes = [], [], set(), set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            value = value or ""
            if name == "id":
                self.ids.add(value)
            elif name == "class":
                self.classes.update(value.split())
            elif (tag, name) == ("a", "href"):
                self.links.append(value)
            elif (tag, name) in FETCHING and not (tag == "link" and ("rel", "canonical") in attrs):
                self.fetched.append(value)


class SiteTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="sluice-site-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.site = pathlib.Path(cls.folder.name) / "site"
        cls.build = subprocess.run([ROOT / "tools/build_docs.sh", cls.site], text=True, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, timeout=300, check=False)
        cls.pages = {path.relative_to(cls.site).as_posix(): Page(path) for path in cls.site.glob("**/*.html")}

    def test_builds_strictly(self):
        self.assertEqual(self.build.returncode, 0, self.build.stdout)
        self.assertIn("index.html", self.pages)

    def test_navigation_has_every_page_once(self):
        listed = re.findall(r": ([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE)
        written = [path.relative_to(DOCS).as_posix() for path in DOCS.glob("**/*.md")]
        self.assertEqual(sorted(listed), sorted(written), "list it under nav in mkdocs.yml")

    def test_nothing_is_loaded_from_elsewhere(self):
        for name, page in self.pages.items():
            self.assertEqual([address for address in page.fetched if ELSEWHERE.match(address)], [], name)
            self.assertNotIn("mermaid", page.classes, name)
        self.assertNotIn("repo_url", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
        styles, scripts = list(self.site.glob("**/*.css")), list(self.site.glob("**/*.js"))
        self.assertTrue(styles and scripts)
        for path in styles:
            text = path.read_text(encoding="utf-8")
            self.assertEqual(re.findall(r"(?:url\(|@import)\s*['\"]?(?:https?:)?//[^)]*", text), [], path.name)
        for path in scripts:
            found = [address for address in re.findall(r"https?://[^\s\"'`)\\]+", path.read_text(encoding="utf-8"))
                     if not address.startswith(NAMES) and address not in PROBES]
            self.assertEqual(found, [], path.name)

    def test_links_lead_somewhere(self):
        count = 0
        for name, page in self.pages.items():
            if name == "404.html":
                continue
            for link in page.links:
                parts = urllib.parse.urlsplit(link)
                if parts.scheme or parts.netloc:
                    continue
                with self.subTest(page=name, link=link):
                    path = urllib.parse.unquote(parts.path)
                    target = (self.site / name).parent / path if path else self.site / name
                    target = target / "index.html" if target.is_dir() else target
                    self.assertTrue(target.is_file(), f"no {target}")
                    if parts.fragment and target.suffix == ".html":
                        key = target.resolve().relative_to(self.site.resolve()).as_posix()
                        self.assertIn(urllib.parse.unquote(parts.fragment), self.pages[key].ids)
                    count += 1
        self.assertGreater(count, 100)


if __name__ == "__main__":
    for program in ("mkdocs",):
        if shutil.which(program) is None:
            print(f"skipped: {program} is not installed (tools/setup.sh tests)")
            sys.exit(77)
    unittest.main()
