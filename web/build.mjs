// Bundles the front end into one HTML file and, for the C++ build, into a C++ source with that file
// as a string.
// usage: node build.mjs [--out DIRECTORY] [--modules DIRECTORY]
//   --out      where template.html and template.cpp go (default: dist)
//   --modules  a node_modules directory elsewhere (the build directory keeps its own)

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));

function option(name, fallback) {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : process.argv[at + 1];
}

const out = resolve(option("out", join(here, "dist")));
const modules = resolve(option("modules", join(here, "node_modules")));
const placeholder = "/*SLUICE-REPORT-DATA*/";
const esbuild = createRequire(join(modules, "any.js"))("esbuild");

function bundle(entry, loader) {
  const result = esbuild.buildSync({
    absWorkingDir: here,
    entryPoints: [join(here, "src", entry)],
    nodePaths: [modules],
    bundle: true,
    write: false,
    minify: true,
    charset: "ascii",
    format: "iife",
    target: ["chrome100", "firefox100", "safari15.4"],
    legalComments: "none",
    logLevel: "warning",
    define: { "process.env.NODE_ENV": '"production"' },
    ...(loader ? { loader } : {}),
  });
  return result.outputFiles[0].text.trim();
}

// The bundle stands inside <script>: nothing in it may end that element early.
const script = bundle("main.ts").replace(/<\/(script)/gi, "<\\/$1").replace(/<!--/g, "<\\!--");
const style = bundle("style.css");
// Apache-2.0, section 4: the notice travels with the code.
const notice = "/* Contains Apache ECharts (https://echarts.apache.org), Apache License 2.0, and ZRender, BSD 3-Clause. */";

// Functions as replacements: `$&` in the bundle must stay what it is.
const html = readFileSync(join(here, "src", "index.html"), "utf8")
  .replace("/*STYLE*/", () => style)
  .replace("/*SCRIPT*/", () => `${notice}\n${script}`);

if (html.split(placeholder).length !== 2) {
  throw new Error("the template must contain the place of the data exactly once");
}
for (const url of html.matchAll(/(?:src|href)="(?!data:)([^"]*)"/g)) {
  throw new Error(`the template refers to ${url[1]}, but must stand alone`);
}

// A raw string has no limit here, but shorter pieces keep every compiler happy.
const pieces = [];
for (let at = 0; at < html.length; at += 16000) {
  pieces.push(html.slice(at, at + 16000));
}
const cpp =
  "// Written by web/build.mjs.\n#include \"report/template.h\"\n" +
  "namespace sluice::report {\n" +
  "std::vector<std::string_view> TemplatePieces() {\n  return {\n" +
  pieces.map((piece) => `R"SLUICE(${piece})SLUICE"`).join(",\n") +
  "\n  };\n}\n}  // namespace sluice::report\n";

mkdirSync(out, { recursive: true });
writeFileSync(join(out, "template.html"), html);
writeFileSync(join(out, "template.cpp"), cpp);
console.log(`template.html: ${(Buffer.byteLength(html) / 1024).toFixed(0)} KiB`);
