import assert from "node:assert/strict";
import test from "node:test";
import { inkOn, luminance, sequential, categorical, categoryColors } from "@/color";
import { toCsv } from "@/csv";
import * as f from "@/format";
import { parsePayload } from "@/payload";
import { data } from "./fixture.mjs";

const plain = (text) => text.replace(/\u202f/g, " ");

test("numbers have four digits and the right unit", () => {
  const cases = [
    [f.energy(0), "0 J"], [f.energy(0.5), "500 fJ"], [f.energy(12.3456), "12.35 pJ"], [f.energy(999.96), "1 nJ"],
    [f.energy(1.0901e11), "109 mJ"], [f.energy(2.5e12), "2.5 J"], [f.energy(-4e6), "-4 µJ"],
    [f.time(0.3622), "362.2 ms"], [f.time(1.5e-9), "1.5 ns"], [f.count(72434567), "72.43 M"], [f.count(12), "12"],
    [f.count(4089184256), "4.089 G"], [f.bytes(110592), "108 KiB"], [f.frequency(2e8), "200 MHz"],
    [f.percent(0.33612), "33.6 %"], [f.percent(0), "0 %"], [f.percent(1), "100 %"], [f.percent(1e-7), "<0.001 %"],
    [f.signedPercent(0.5), "+50 %"], [f.signedPercent(-0.831), "−83.1 %"], [f.signedPercent(0), "0 %"],
    [f.digits(0.0001), "1.000e-4"], [f.digits(0.6), "0.6"], [f.energy(NaN), "–"], [f.percent(Infinity), "–"],
    [f.exact(1234567), "1 234 567"], [f.exact(-1234), "-1 234"], [f.exact(0.125), "0.125"], [f.exact(2 ** 60), "1 152 921 504 606 846 976"],
  ];
  for (const [found, expected] of cases) {
    assert.equal(plain(found), expected);
  }
});

test("long names keep their end", () => {
  assert.equal(f.shortName("/a/b", 10), "/a/b");
  assert.equal(f.shortName("/layer1/layer1.0/conv1/Conv", 12), "…conv1/Conv");
  assert.ok(f.shortName("x".repeat(50), 12).length <= 12);
});

test("CSV quotes, doubles quotes and disarms formulas", () => {
  assert.equal(toCsv(["a", "b"], [[1.5, 'say "x", y'], [null, "=1+1"], [-2, "line\nbreak"]]),
    'a,b\r\n1.5,"say ""x"", y"\r\n,\'=1+1\r\n-2,"line\nbreak"\r\n');
});

test("amounts change lightness steadily, away from the page", () => {
  for (const dark of [false, true]) {
    let last = dark ? -1 : 2;
    for (let at = 0; at <= 1; at += 0.05) {
      const light = luminance(sequential(at, dark));
      assert.ok(dark ? light > last : light < last, `${at}`);
      last = light;
    }
  }
  assert.equal(sequential(NaN, false), sequential(0, false));
  assert.equal(sequential(7, true), sequential(1, true));
});

test("text on a colour has enough contrast", () => {
  for (let at = 0; at <= 1; at += 0.02) {
    const color = sequential(at, false);
    const [a, b] = [luminance(color), luminance(inkOn(color))].sort((x, y) => y - x);
    assert.ok((a + 0.05) / (b + 0.05) >= 4, `${color} ${(a + 0.05) / (b + 0.05)}`);
  }
});

test("categories differ, compute and leakage are grey", () => {
  const colors = categoryColors(["DRAM", "GLB", "networks", "compute", "leakage"]);
  assert.equal(new Set(colors.values()).size, 5);
  assert.ok(!categorical.includes(colors.get("compute")));
});

/** The compact form, as src/report/compact.cpp writes it. */
function written(reports) {
  const lines = [];
  const numbers = (text) => text.split("\n").map((line) => (lines.includes(line) ? lines.indexOf(line) : lines.push(line) - 1));
  for (const report of reports) {
    for (const solution of report.solutions) {
      solution.nest = numbers(solution.nest);
      solution.directives = numbers(solution.directives);
    }
  }
  return { format: "sluice-report", version: 1, lines, reports };
}

test("shared lines and shared operators come back", () => {
  const b = data();
  b.operators = b.operators.map((row) => (row[2] === 1 ? 0 : row[2]));
  const { reports } = parsePayload(JSON.stringify(written([data(), b])));
  assert.deepEqual(reports[0], data());
  assert.equal(reports[1].solutions[0].nest, data().solutions[0].nest);
  assert.deepEqual(reports[1].operators.map((row) => row[2]), [0, -1, 0]);
  assert.deepEqual(reports[1].operators[2], ["relu", "Relu", 0, [1], [8], 2, ["map", "result"]]);
});

test("a page refuses data of another version", () => {
  const good = written([data()]);
  assert.equal(parsePayload(JSON.stringify(good)).reports.length, 1);
  assert.throws(() => parsePayload(JSON.stringify({ ...good, version: 2 })), /version 2/);
  assert.throws(() => parsePayload(JSON.stringify({ ...good, reports: [] })), /has 0/);
});
