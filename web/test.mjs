// Runs the unit tests of the front end: bundles each tests/web/unit/*.test.mjs with the TypeScript
// it imports, then runs them with Node's own test runner.
// usage: node test.mjs

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const tests = join(here, "..", "tests", "web", "unit");
const out = mkdtempSync(join(tmpdir(), "sluice-web-"));
try {
  const files = readdirSync(tests).filter((name) => name.endsWith(".test.mjs"));
  if (files.length === 0) {
    throw new Error(`no tests in ${tests}`);
  }
  buildSync({
    entryPoints: files.map((name) => join(tests, name)),
    bundle: true,
    platform: "node",
    format: "esm",
    outdir: out,
    outExtension: { ".js": ".mjs" },
    alias: { "@": join(here, "src") },
    logLevel: "warning",
  });
  const run = spawnSync(process.execPath, ["--test", ...files.map((name) => join(out, name))], { stdio: "inherit" });
  process.exitCode = run.status ?? 1;
} finally {
  rmSync(out, { recursive: true, force: true });
}
