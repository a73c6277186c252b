// What a page must show, computed from the plan file alone.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

export class Plan {
  constructor(path) {
    this.json = JSON.parse(readFileSync(path, "utf8"));
    this.operators = this.json.operators;
  }
  solutionOf(index) {
    const at = this.operators[index]?.solution ?? -1;
    return at < 0 ? null : this.json.solutions[at];
  }
  costOf(index) {
    return this.solutionOf(index)?.cost ?? null;
  }
  indexOf(name) {
    return this.operators.findIndex((op) => op.name === name);
  }
  /** Some operators: the first, the dearest, the last, one in ten, and a view where there is one. */
  sample() {
    const planned = this.operators.map((_, index) => index).filter((index) => this.costOf(index));
    const dearest = planned.reduce((best, index) => (this.costOf(index).energy_pj > this.costOf(best).energy_pj ? index : best));
    const view = this.operators.findIndex((op) => op.solution < 0);
    const step = Math.max(1, Math.floor(planned.length / 10));
    return [...new Set([0, dearest, planned[planned.length - 1], ...planned.filter((_, i) => i % step === 0), ...(view < 0 ? [] : [view])])];
  }
}

const prefixes = { f: 1e-15, p: 1e-12, n: 1e-9, "µ": 1e-6, m: 1e-3, "": 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15 };

/** The number that a person reads: `109 mJ` -> 0.109, `33.6 %` -> 0.336. */
export function read(text) {
  const match = /^([−-]?[\d.]+(?:e[+-]?\d+)?)\s*(%|[fpnµmkMGTP]?)(J|s|Hz|B)?/u.exec(text.replace(/\u202f/g, " ").trim());
  assert.ok(match, `'${text}' is not a number`);
  const value = Number(match[1].replace("−", "-"));
  return match[2] === "%" ? value / 100 : value * prefixes[match[2]];
}

function near(text, value, digits, what) {
  const shown = read(text);
  const slack = Math.abs(value) * 10 ** (1 - digits) * 0.501 + 1e-12 * Math.abs(value);
  assert.ok(Math.abs(shown - value) <= slack, `${what}: the page says ${text}, the plan ${value}`);
}

async function shown(page, key) {
  const item = page.locator(`[data-key=${key}]`).first();
  return { value: Number(await item.getAttribute("data-v")), text: await item.textContent() };
}

/** The totals on the summary, the table of all operators, and the energy by level. */
export async function checkNumbers(page, plan, number) {
  await page.evaluate((next) => { location.hash = next; }, `#${number}/summary`);
  await page.waitForFunction((n) => document.querySelector("main").dataset.at === `#${n}/summary`, number);
  const { json } = plan;
  for (const [key, value, scale, digits] of [
    ["energy_pj", json.energy_pj, 1e-12, 4], ["cycles", json.cycles, 1, 4], ["macs", json.macs, 1, 4],
    ["utilization", json.utilization, 1, 3],
  ]) {
    const item = await shown(page, key);
    assert.equal(item.value, value, key);
    near(item.text, value * scale, digits, key);
  }
  const levels = await page.locator("[data-table=energy-by-level] tbody tr").evaluateAll((rows) =>
    rows.map((row) => Number(row.cells[4].dataset.v)));
  const sum = levels.reduce((total, value) => total + value, 0);
  assert.ok(Math.abs(sum - json.energy_pj) <= 1e-9 * json.energy_pj, `levels sum to ${sum}, the plan has ${json.energy_pj}`);

  await page.evaluate((next) => { location.hash = next; }, `#${number}/operators`);
  await page.waitForFunction((n) => document.querySelector("main").dataset.at === `#${n}/operators`, number);
  const more = page.locator("[data-table=operators] .more");
  if (await more.isVisible()) {
    await more.click();
  }
  const titles = await page.locator("thead th").allTextContents();
  const rows = await page.locator("tbody tr").evaluateAll((all) =>
    all.map((row) => [...row.cells].map((cell) => [cell.dataset.v === undefined ? null : Number(cell.dataset.v), cell.textContent])));
  assert.equal(rows.length, plan.operators.length);
  rows.forEach((row, index) => {
    const cost = plan.costOf(index);
    const cell = (title) => row[titles.indexOf(title)];
    assert.equal(cell("Operator")[1], plan.operators[index].name);
    assert.equal(cell("Kind")[1], plan.operators[index].kind);
    assert.equal(cell("Energy")[0], cost?.energy_pj ?? 0);
    assert.equal(cell("Cycles")[0], cost?.cycles ?? 0);
    if (cost) {
      near(cell("Energy")[1], cost.energy_pj * 1e-12, 4, `${plan.operators[index].name} energy`);
      near(cell("Cycles")[1], cost.cycles, 4, `${plan.operators[index].name} cycles`);
      near(cell("Utilisation")[1], cost.utilization, 3, `${plan.operators[index].name} utilisation`);
      assert.equal(cell("Bound by")[1], bindingOf(plan, index));
    }
  });
}

function bindingOf(plan, index) {
  const solution = plan.solutionOf(index);
  const chain = plan.json.chains[solution.chain];
  const { resource, level } = solution.cost.binding;
  return resource === "compute" ? chain.compute : `${chain.levels[level]} ${resource}`;
}

/** The operator's page: facts, traffic, terms, resources, and the loops of the nest. */
export async function checkOperator(page, plan, index) {
  const op = plan.operators[index];
  assert.equal(await page.locator(".op-head h2").textContent(), op.name);
  const solution = plan.solutionOf(index);
  if (!solution) {
    assert.match(await page.locator("main").innerText(), /A view/);
    return;
  }
  const { cost, mapping, workload } = solution;
  const chain = plan.json.chains[solution.chain];
  for (const [key, value] of [
    ["energy_pj", cost.energy_pj], ["cycles", cost.cycles], ["operations", cost.operations], ["utilization", cost.utilization],
    ["evaluations", solution.evaluations],
  ]) {
    assert.equal((await shown(page, key)).value, value, `${op.name} ${key}`);
  }
  const table = (name, cells) => page.locator(`[data-table=${name}] tbody tr`).evaluateAll((rows, from) =>
    rows.map((row) => [...row.cells].map((cell, i) => (from.includes(i) ? Number(cell.dataset.v) : cell.textContent))), cells);
  const traffic = await table(`traffic-${index}`, [2, 3, 4, 5, 6, 7]);
  // As the page and the text call them: their own names if all are short.
  const seen = {};
  const short = workload.tensors.every(({ name }) => name.length <= 10);
  const labels = new Map(workload.tensors.map((tensor) => {
    const count = (seen[tensor.class] = (seen[tensor.class] ?? 0) + 1);
    return [tensor.name, short ? tensor.name : `${tensor.class}${count === 1 ? "" : count}`];
  }));
  const expected = cost.levels.flatMap((level, l) => level.tensors.map((t) => [l, t]))
    .filter(([, t]) => t.kept || t.energy_pj !== 0 || t.network_energy_pj !== 0 || t.network_words !== 0)
    .map(([l, t]) => [chain.levels[l], labels.get(t.tensor), t.tile_words, t.reads, t.fills, t.updates, t.energy_pj, t.network_energy_pj]);
  assert.deepEqual(traffic.map((row) => row.slice(0, 8)), expected, `traffic of ${op.name}`);

  const more = page.locator(`[data-table=terms-${index}] .more`);
  if (await more.isVisible()) {
    await more.click();
  }
  const terms = await table(`terms-${index}`, [5]);
  const sum = terms.reduce((total, row) => total + row[5], 0);
  assert.ok(Math.abs(sum - cost.energy_pj) <= 1e-6 * cost.energy_pj, `terms of ${op.name} sum to ${sum}, not ${cost.energy_pj}`);

  const resources = await table("resources", [1]);
  const needed = [[chain.compute, cost.compute_cycles], ...cost.levels.flatMap((level, l) => [
    [`${chain.levels[l]} read`, level.read_cycles], [`${chain.levels[l]} write`, level.write_cycles],
    [`${chain.levels[l]} network`, level.network_cycles]])].filter(([, cycles]) => cycles > 0);
  assert.deepEqual(new Map(resources.map((row) => [row[0], row[1]])), new Map(needed));
  assert.equal(await page.locator("tr.binds th").textContent(), bindingOf(plan, index));

  const nest = await page.locator("[data-key=nest]").textContent();
  const loops = [...nest.matchAll(/^ *(for|par) (\S+) in 0:(\d+)/gm)].map((match) => [match[1], match[2], Number(match[3])]);
  const mapped = mapping.levels.flatMap((level) => [
    ...level.temporal.map((loop) => ["for", loop.dim, loop.factor]),
    ...[...level.spatial_x, ...level.spatial_y].map((loop) => ["par", loop.dim, loop.factor])]);
  assert.deepEqual(loops, mapped, `loops of ${op.name}`);
  assert.match(await page.locator("[data-key=directives]").textContent(), /^compute:/);
  const tensors = await table(`tensors-${index}`, []);
  assert.deepEqual(tensors.map((row) => row.slice(1, 3)), workload.tensors.map((tensor) => [labels.get(tensor.name), tensor.class]));
  // The names are the operator's own; the plan file has those of the first one that shares the solution.
  const first = plan.operators.findIndex((other) => other.solution === op.solution);
  const names = tensors.map((row) => row[0]);
  if (first === Number(index)) {
    assert.deepEqual(names, workload.tensors.map((tensor) => tensor.name));
  } else {
    assert.notEqual(names.at(-1), workload.tensors.at(-1).name, `${op.name} writes a tensor of its own`);
  }
}

export async function checkProvenance(page, plan) {
  const { json } = plan;
  const text = (key) => page.locator(`td[data-key=${key}]`).textContent();
  for (const key of ["model_path", "model_hash", "architecture_path", "architecture_hash"]) {
    assert.equal(await text(key), json.provenance[key], key);
  }
  for (const key of ["network", "architecture", "mapper", "policy", "objective"]) {
    assert.equal(await text(key), json[key], key);
  }
  assert.equal(await text("seed"), String(json.seed));
  assert.equal(await text("command"), json.run.command);
  assert.equal(await text("tool_version"), `Sluice ${json.provenance.tool_version}`);
}
