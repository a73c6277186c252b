import assert from "node:assert/strict";
import test from "node:test";
import * as derive from "@/derive";
import { data } from "./fixture.mjs";

const report = derive.makeReport(data());
const [conv, view, relu] = report.ops;

test("operators carry their cost, their edges and what binds them", () => {
  assert.equal(report.name, "toy");
  assert.deepEqual(report.memories, ["DRAM", "Buffer"]);
  assert.equal(conv.energy, 1070);
  assert.equal(conv.macs, 96, "two MACs a point");
  assert.equal(relu.macs, 0, "vector work is not a MAC");
  assert.equal(conv.binding, "DRAM read");
  assert.equal(relu.binding, "MAC");
  assert.deepEqual(conv.outputs, [1]);
  assert.equal(view.solution, null);
  assert.equal(view.energy, 0);
});

test("parts and terms of the energy sum to the energy", () => {
  for (const op of [conv, relu]) {
    assert.equal(derive.sum(derive.energyParts(report, op.solution), (part) => part.pj), op.energy);
    assert.equal(derive.sum(derive.energyTerms(report, op.solution), (term) => term.pj), op.energy);
    for (const split of ["level", "tensor"]) {
      assert.equal(derive.sum(derive.energyBy(report, op.solution, split).values(), (pj) => pj), op.energy);
    }
  }
  let all = 0;
  for (const row of derive.energyTable(report).values()) {
    all += derive.sum(row.values(), (pj) => pj);
  }
  assert.equal(all, report.data.plan.energy_pj);
});

test("energy is booked where it is spent", () => {
  const byLevel = derive.energyBy(report, conv.solution, "level");
  assert.deepEqual([...byLevel], [["DRAM", 900], ["Buffer", 60], ["networks", 4], ["compute", 96], ["leakage", 10]]);
  const byTensor = derive.energyBy(report, conv.solution, "tensor");
  assert.deepEqual([...byTensor], [["input", 604], ["weight", 60], ["output", 300], ["compute", 96], ["leakage", 10]]);
  assert.deepEqual([...derive.energyBy(report, null, "tensor").values()], [0, 0, 0, 0, 0]);
});

test("terms are count times price, largest first", () => {
  const terms = derive.energyTerms(report, conv.solution);
  assert.deepEqual(terms[0], { level: "DRAM", tensor: "x", what: "block reads", count: 60, pj: 600 });
  const update = terms.find((term) => term.level === "Buffer" && term.what === "block updates");
  assert.equal(update.pj, 30, "15 updates at 2 pJ");
  for (let i = 1; i < terms.length; ++i) {
    assert.ok(terms[i - 1].pj >= terms[i].pj);
  }
});

test("latency terms name every resource and mark the one that binds", () => {
  assert.deepEqual(derive.latencyTerms(report, conv.solution), [
    { resource: "DRAM read", cycles: 100, binds: true },
    { resource: "MAC", cycles: 12, binds: false },
  ]);
  assert.equal(derive.latencyTerms(report, relu.solution)[0].binds, true);
});

test("occupancy counts kept tiles with buffering", () => {
  assert.equal(derive.occupancy(report, conv.solution, 0), null, "unbounded");
  assert.equal(derive.occupancy(report, conv.solution, 1), 0.8, "2 x 40 of 100 words");
});

test("roofline points lie under their roof", () => {
  const ports = derive.ports(report);
  assert.deepEqual(ports, [{ key: "DRAM read", memory: "DRAM", kind: "read", bandwidth: 2 }]);
  const points = derive.rooflinePoints(report, ports[0]);
  assert.equal(points.length, 1, "relu reads nothing from DRAM, the view has no work");
  assert.equal(points[0].intensity, 48 / 60);
  assert.equal(points[0].rate, 0.48);
  assert.ok(points[0].rate <= Math.min(points[0].peak, points[0].intensity * ports[0].bandwidth));
});

test("groups are sorted by size, then name", () => {
  const rows = [["b", 1], ["a", 1], ["c", 5]];
  assert.deepEqual(derive.groupSum(rows, (row) => row[0], (row) => row[1]), [["c", 5], ["a", 1], ["b", 1]]);
});

test("the distance from the optimum is what the bound leaves open, in the plan's objective", () => {
  const [open, proven] = data().solutions;
  assert.deepEqual(derive.distanceOf(open, "edp"), { proven: false, gap: 1070 * 100 / 80250 - 1 });
  assert.deepEqual(derive.distanceOf({ ...open, bound: 1000 }, "energy"), { proven: false, gap: 1070 / 1000 - 1 });
  assert.deepEqual(derive.distanceOf({ ...open, bound: 80 }, "latency"), { proven: false, gap: 0.25 });
  assert.deepEqual(derive.distanceOf({ ...open, bound: 0 }, "edp"), { proven: false, gap: null });
  assert.deepEqual(derive.distanceOf(proven, "edp"), { proven: true, gap: 0 });
});
