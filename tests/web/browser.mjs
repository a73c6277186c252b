// Opens reports of real plans in headless Chromium and behaves like a reader: every view, every key,
// both themes, a phone, CSV. What the page shows is compared with the plan file that `sluice plan`
// wrote, which the page itself never sees. Exits 77 when there is nothing to test with.
// environment: SLUICE (the program), CHROMIUM (default /usr/bin/chromium), SLUICE_SHOTS (a directory
// for screenshots)

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkNumbers, checkOperator, checkProvenance, Plan } from "./checks.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";

function skip(reason) {
  console.log(`SKIPPED: ${reason}`);
  process.exit(77);
}

let chromium;
try {
  ({ chromium } = createRequire(join(root, "web", "package.json"))("playwright-core"));
} catch {
  skip("playwright-core is not installed; run `npm ci` in web/");
}
if (!existsSync(executablePath)) {
  skip(`there is no ${executablePath}`);
}
if (!process.env.SLUICE) {
  throw new Error("SLUICE must name the program");
}

const flags = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];
const limit = 1.5e6; // bytes of one report
const slowest = 1000; // milliseconds of processor time for one view: a busy machine does not fail the test
const work = mkdtempSync(join(tmpdir(), "sluice-report-"));
const file = (name) => join(work, name);

function sluice(...words) {
  return execFileSync(process.env.SLUICE, words, { cwd: work, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}

/** Opens a page that fails the test on any console error and on any request but the file itself. */
async function open(browser, path, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1366, height: 900 }, acceptDownloads: true, ...options });
  const page = await context.newPage();
  page.problems = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") {
      page.problems.push(`console: ${message.text()}`);
    }
  });
  page.on("pageerror", (error) => page.problems.push(`error: ${error.message}`));
  page.on("request", (request) => {
    if (request.url().split("#")[0] !== `file://${path}` && !/^(blob|data):/.test(request.url())) {
      page.problems.push(`request: ${request.url()}`);
    }
  });
  await page.goto(`file://${path}`);
  await page.waitForSelector("main[data-view]");
  const session = await context.newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  /** Processor time of the page's main thread so far, in milliseconds. */
  page.spent = async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    return 1000 * metrics.find((item) => item.name === "TaskDuration").value;
  };
  return page;
}

async function close(page) {
  assert.deepEqual(page.problems, []);
  await page.context().close();
}

async function shoot(page, name) {
  if (process.env.SLUICE_SHOTS) {
    await page.waitForTimeout(400);
    await page.screenshot({ path: join(process.env.SLUICE_SHOTS, `${name}.png`) });
  }
}

async function visit(page, hash) {
  await page.evaluate((next) => { location.hash = next; }, hash);
  await page.waitForFunction((at) => document.querySelector("main").dataset.at === at, hash);
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

/** Clicks through the tabs; every chart must have drawn something. */
async function everyView(page, name) {
  const tabs = await page.locator("nav a").allTextContents();
  assert.ok(tabs.length >= 10, tabs.join());
  let worst = 0;
  let slow = "";
  for (const tab of tabs) {
    const link = page.locator("nav").getByText(tab, { exact: true });
    await link.scrollIntoViewIfNeeded();
    const before = await page.spent();
    await link.evaluate((element) => new Promise((done) => {
      if (element.href === location.href) {
        done();
      }
      window.addEventListener("hashchange", () => requestAnimationFrame(() => requestAnimationFrame(done)), { once: true });
      element.click();
    }));
    const spent = (await page.spent()) - before;
    if (spent > worst) {
      [worst, slow] = [spent, tab];
    }
    assert.equal(await page.locator("nav a[aria-current=page]").textContent(), tab);
    assert.ok((await page.locator("main").innerText()).length > 40, `${tab} is empty`);
    const blank = await page.evaluate(() => [...document.querySelectorAll(".chart")].filter((box) => {
      const canvas = box.querySelector("canvas");
      if (!canvas) {
        return true;
      }
      const pixels = new Uint32Array(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer);
      return new Set(pixels).size < 4;
    }).length);
    assert.equal(blank, 0, `${tab}: a chart is blank`);
    await shoot(page, `${name}-${tab.toLowerCase()}`);
  }
  assert.ok(worst < slowest, `${slow} of ${name} took ${Math.round(worst)} ms`);
  return `${Math.round(worst)} ms (${slow})`;
}

async function keyboard(page, plan) {
  const view = () => page.locator("main").getAttribute("data-view");
  await visit(page, "#0/summary");
  await page.keyboard.press("3");
  await page.waitForFunction(() => document.querySelector("main").dataset.view === "energy");
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction(() => document.querySelector("main").dataset.view === "latency");
  await page.keyboard.press("ArrowLeft");
  await page.waitForFunction(() => document.querySelector("main").dataset.view === "energy");
  await page.keyboard.press("2");
  await page.waitForFunction(() => document.querySelector("main").dataset.view === "operators");
  await page.keyboard.press("/");
  await page.keyboard.type("relu");
  const wanted = plan.operators.filter((op) => /relu/i.test(op.name) || /relu/i.test(op.kind)).length;
  assert.equal(await page.locator("tbody tr").count(), wanted, "the filter shows exactly the matching operators");
  await page.keyboard.press("Escape");
  await page.keyboard.press("8");
  await page.waitForFunction(() => document.querySelector("main").dataset.view === "operator");
  await visit(page, "#0/operator/4");
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction(() => document.querySelector("main").dataset.at === "#0/operator/5");
  assert.equal(await page.locator(".op-head h2").textContent(), plan.operators[5].name);
  await page.keyboard.press("?");
  assert.ok(await page.locator("dialog[open]").isVisible());
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("dialog[open]").count(), 0);
  // The tab key goes through the page: the skip link first, a visible ring always.
  await visit(page, "#0/summary");
  await page.reload();
  await page.waitForSelector("main[data-view]");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  const seen = new Set();
  for (let i = 0; i < 25; ++i) {
    await page.keyboard.press("Tab");
    seen.add(await page.evaluate(() => document.activeElement.closest("nav, header, table, .table-tools")?.tagName ?? ""));
    assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), "none");
  }
  assert.ok(seen.has("NAV") && seen.has("HEADER") && seen.has("TABLE"), [...seen].join());
  assert.equal(await view(), "summary");
  // Graph nodes are links.
  await visit(page, "#0/graph");
  await page.locator(".node").first().focus();
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelector("main").dataset.view === "operator");
}

async function csv(page, plan) {
  await visit(page, "#0/operators");
  const [download] = await Promise.all([page.waitForEvent("download"), page.locator("button.csv").click()]);
  assert.equal(download.suggestedFilename(), "operators.csv");
  const lines = readFileSync(await download.path(), "utf8").trimEnd().split("\r\n");
  assert.equal(lines.length, plan.operators.length + 1);
  const titles = lines[0].split(",");
  lines.slice(1).forEach((line, index) => {
    const cells = line.split(",");
    const cost = plan.costOf(index);
    assert.equal(cells[titles.indexOf("Operator")], plan.operators[index].name);
    assert.equal(Number(cells[titles.indexOf("Energy")]), cost?.energy_pj ?? 0);
    assert.equal(Number(cells[titles.indexOf("Cycles")]), cost?.cycles ?? 0);
  });
  // Sorting by a header, both ways.
  const header = page.locator("th button", { hasText: /^Energy$/ });
  for (const direction of ["descending", "ascending"]) {
    await header.click();
    const column = await page.locator("thead th").allTextContents().then((all) => all.indexOf("Energy"));
    const values = await page.locator("tbody tr").evaluateAll((rows, at) => rows.map((row) => Number(row.cells[at].dataset.v)), column);
    const sorted = [...values].sort((a, b) => (direction === "ascending" ? a - b : b - a));
    assert.deepEqual(values, sorted);
    assert.equal(await page.locator("thead th").nth(column).getAttribute("aria-sort"), direction);
  }
}

async function themes(browser, path) {
  const lightness = (page) => page.evaluate(() => {
    const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number);
    return (r + g + b) / 765;
  });
  const page = await open(browser, path, { colorScheme: "dark" });
  assert.ok((await lightness(page)) < 0.2, "dark when the system is");
  await page.keyboard.press("t");
  assert.ok((await lightness(page)) > 0.8, "light when asked");
  await page.locator("#theme").click();
  assert.ok((await lightness(page)) < 0.2);
  await page.keyboard.press("p");
  await everyView(page, "dark");
  await close(page);
  const light = await open(browser, path, { colorScheme: "light" });
  assert.ok((await lightness(light)) > 0.8, "light when the system is");
  await close(light);
}

async function phone(browser, path) {
  const page = await open(browser, path, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 });
  for (const link of await page.locator("nav a").evaluateAll((all) => all.map((item) => item.getAttribute("href")))) {
    await visit(page, link);
    const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
    assert.ok(content <= window, `${link} is ${content} wide on a phone of ${window}`);
    await shoot(page, `phone-${link.split("/")[1]}`);
  }
  await close(page);
}

async function comparison(browser, path, a, b) {
  const page = await open(browser, path);
  assert.equal(await page.locator("main").getAttribute("data-view"), "compare");
  const totals = await page.locator("[data-table=totals] tbody tr").evaluateAll((rows) =>
    Object.fromEntries(rows.map((row) => [row.cells[0].textContent, [Number(row.cells[1].dataset.v), Number(row.cells[2].dataset.v)]])));
  assert.deepEqual(totals["Energy"], [a.json.energy_pj, b.json.energy_pj]);
  assert.deepEqual(totals["Cycles"], [a.json.cycles, b.json.cycles]);
  assert.deepEqual(totals["Utilisation"], [a.json.utilization, b.json.utilization]);
  for (const by of ["energy", "cycles"]) {
    await page.getByLabel("Of", { exact: true }).selectOption(by);
    const more = page.locator(`[data-table=differences-${by}] .more`);
    if (await more.isVisible()) {
      await more.click();
    }
    const rows = await page.locator(`[data-table=differences-${by}] tbody tr`).evaluateAll((all) =>
      all.map((row) => [row.cells[0].textContent, Number(row.cells[4].dataset.v)]));
    const expected = a.operators
      .map((op, index) => [op.name, (b.costOf(b.indexOf(op.name))?.[`${by === "energy" ? "energy_pj" : "cycles"}`] ?? 0) -
        (a.costOf(index)?.[by === "energy" ? "energy_pj" : "cycles"] ?? 0)])
      .filter(([, delta]) => delta !== 0);
    assert.equal(rows.length, expected.length);
    assert.deepEqual(new Map(rows), new Map(expected));
    for (let i = 1; i < rows.length; ++i) {
      assert.ok(Math.abs(rows[i - 1][1]) >= Math.abs(rows[i][1]), "sorted by size");
    }
  }
  await page.keyboard.press("2");
  await page.waitForFunction(() => document.querySelector("main").dataset.view === "summary");
  await checkNumbers(page, a, 0);
  await page.keyboard.press("b");
  await page.waitForFunction(() => document.querySelector("main").dataset.at.startsWith("#1/"));
  await checkNumbers(page, b, 1);
  await visit(page, "#0/compare");
  await everyView(page, "compare");
  await close(page);
}

function plainForm(plan) {
  sluice("report", plan, "--plain", "-o", "plain.html");
  const html = readFileSync(file("plain.html"), "utf8");
  assert.ok(!/<script/i.test(html), "no script in the plain form");
  const { json } = new Plan(file(plan));
  assert.ok(html.includes(`title="${json.energy_pj}"`), "the exact energy");
  assert.ok(html.includes(json.provenance.model_hash));
}

async function main() {
  const models = ["resnet50", "bert_base_s128", "densenet121"];
  for (const model of models) {
    sluice("plan", model, "--arch", "eyeriss", "--budget-evaluations", "300", "-o", `${model}.json`);
    const said = sluice("report", `${model}.json`);
    if (/without Node/.test(said)) {
      skip("this build has no interactive report");
    }
  }
  sluice("plan", "resnet50", "--arch", "simba", "--budget-evaluations", "300", "--objective", "energy", "-o", "simba.json",
    "--report", "simba.html");
  sluice("report", "resnet50.json", "simba.json", "-o", "compare.html");
  // The largest pair: two plans of the network with the most operators, on the deepest machine.
  sluice("plan", "densenet121", "--arch", "stcp920", "--budget-evaluations", "100", "-o", "deep.json");
  sluice("report", "densenet121.json", "deep.json", "-o", "pair.html");
  const pair = statSync(file("pair.html")).size;
  assert.ok(pair < limit, `pair.html has ${pair} bytes`);
  plainForm("resnet50.json");
  const browser = await chromium.launch({ executablePath, args: flags });
  try {
    for (const model of models) {
      const size = statSync(file(`${model}.html`)).size;
      assert.ok(size < limit, `${model}.html has ${size} bytes`);
      const plan = new Plan(file(`${model}.json`));
      const page = await open(browser, file(`${model}.html`));
      await checkNumbers(page, plan, 0);
      const worst = await everyView(page, model);
      for (const index of plan.sample()) {
        await visit(page, `#0/operator/${index}`);
        await checkOperator(page, plan, index);
      }
      await visit(page, "#0/provenance");
      await checkProvenance(page, plan);
      await close(page);
      console.log(`${model}: ${Math.round(size / 1024)} KiB, slowest view ${worst}`);
    }
    const plan = new Plan(file("resnet50.json"));
    const page = await open(browser, file("resnet50.html"));
    await keyboard(page, plan);
    await csv(page, plan);
    await close(page);
    await themes(browser, file("bert_base_s128.html"));
    await phone(browser, file("densenet121.html"));
    await phone(browser, file("compare.html"));
    await comparison(browser, file("compare.html"), plan, new Plan(file("simba.json")));
  } finally {
    await browser.close();
  }
  console.log("reports: all views, numbers, keys, themes, phone, CSV and comparison as the plans say");
}

try {
  await main();
} finally {
  rmSync(work, { recursive: true, force: true });
}
