import assert from "node:assert/strict";
import test from "node:test";
import { collapse, edgePath, layoutGraph, mergeGroups, sizes } from "@/layout";

function chain(length) {
  return Array.from({ length }, (_, id) => ({ id, inputs: id === 0 ? [] : [id - 1] }));
}

function check(nodes, layout) {
  assert.equal(layout.nodes.size, nodes.length);
  const places = [...layout.nodes.values()];
  for (const a of places) {
    assert.ok(a.x >= 0 && a.x + sizes.width <= layout.width + 1e-6, "inside the width");
    assert.ok(a.y >= 0 && a.y + sizes.height <= layout.height + 1e-6, "inside the height");
    for (const b of places) {
      if (a.id < b.id) {
        const apart = Math.abs(a.x - b.x) >= sizes.width - 1e-6 || Math.abs(a.y - b.y) >= sizes.height - 1e-6;
        assert.ok(apart, `${a.id} and ${b.id} overlap`);
      }
    }
  }
  for (const node of nodes) {
    for (const input of node.inputs) {
      assert.ok(layout.nodes.get(input).layer < layout.nodes.get(node.id).layer, "edges go down");
      assert.match(edgePath(layout, input, node.id), /^M[-\d. ]+[CV][-\d. CSV]+$/);
    }
  }
}

test("a chain is set in columns of the wanted shape", () => {
  for (const length of [1, 2, 7, 120, 900]) {
    const layout = layoutGraph(chain(length), 1.6);
    check(chain(length), layout);
    if (length >= 120) {
      assert.ok(layout.columns > 1);
      assert.ok(Math.abs(Math.log(layout.width / layout.height / 1.6)) < 0.35, `${layout.width} x ${layout.height}`);
    }
  }
  assert.equal(layoutGraph([], 1).width, 0);
});

test("branches stand side by side, skips and fans do not overlap", () => {
  const diamond = [{ id: 0, inputs: [] }, { id: 1, inputs: [0] }, { id: 2, inputs: [0] }, { id: 3, inputs: [1, 2] }, { id: 4, inputs: [0, 3] }];
  const layout = layoutGraph(diamond, 0.3);
  check(diamond, layout);
  assert.equal(layout.nodes.get(1).layer, layout.nodes.get(2).layer);
  const fan = [{ id: 0, inputs: [] }, ...Array.from({ length: 30 }, (_, i) => ({ id: i + 1, inputs: [0] })), { id: 31, inputs: Array.from({ length: 30 }, (_, i) => i + 1) }];
  check(fan, layoutGraph(fan, 1.6));
});

test("random graphs never overlap and edges always go down", () => {
  let seed = 1;
  const random = (n) => (seed = (seed * 48271) % 2147483647) % n;
  for (let round = 0; round < 40; ++round) {
    const nodes = Array.from({ length: 1 + random(60) }, (_, id) => ({
      id, inputs: [...new Set(Array.from({ length: random(4) }, () => random(Math.max(1, id))))].filter((input) => input < id),
    }));
    check(nodes, layoutGraph(nodes, 0.5 + random(4)));
  }
});

test("views are drawn through", () => {
  const nodes = [{ id: 0, inputs: [] }, { id: 1, inputs: [0] }, { id: 2, inputs: [1] }, { id: 3, inputs: [0, 2] }];
  assert.deepEqual(collapse(nodes, (id) => id !== 1 && id !== 2), [{ id: 0, inputs: [] }, { id: 3, inputs: [0] }]);
});

test("parts of one tensor become one node, after the last of them", () => {
  const nodes = [{ id: 0, inputs: [] }, { id: 1, inputs: [0] }, { id: 2, inputs: [] }, { id: 3, inputs: [2] }, { id: 4, inputs: [1, 3] }];
  const group = (id) => (id === 3 ? 1 : id);
  assert.deepEqual(mergeGroups(nodes, group), [
    { id: 0, inputs: [] }, { id: 2, inputs: [] }, { id: 1, inputs: [0, 2] }, { id: 4, inputs: [1] },
  ]);
});
