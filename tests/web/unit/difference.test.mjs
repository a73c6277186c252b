import assert from "node:assert/strict";
import test from "node:test";
import { makeReport } from "@/derive";
import { change, differences, largest, totals } from "@/difference";
import { data } from "./fixture.mjs";

const a = makeReport(data());
const changed = data();
changed.solutions[0].energy_pj = 1000;
changed.operators.push(["extra", "Add", 1, [2], [8], 3, []]);
const b = makeReport(changed);

test("operators are matched by name; differences are B minus A, largest first", () => {
  const rows = differences(a, b);
  assert.equal(rows.length, 4);
  const sorted = largest(rows, "energy");
  assert.deepEqual(sorted.map((row) => [row.name, row.energy]), [["extra", 100], ["conv", -70]]);
  assert.equal(sorted[0].a, null);
  assert.deepEqual(largest(differences(a, a), "energy"), []);
  assert.deepEqual(largest(differences(b, a), "energy").map((row) => row.energy), [-100, 70]);
});

test("changes are relative to A", () => {
  assert.equal(change(2, 1), -0.5);
  assert.equal(change(0, 0), 0);
  assert.equal(change(0, 1), Infinity);
  assert.equal(totals(a, b).find((row) => row.label === "Operators").b, 4);
});
