// A small report by hand: two operators on one chain DRAM -> Buffer -> MAC, and a view.

export function data() {
  return {
    plan: {
      network: "/models/toy.onnx", architecture: "toy", format_version: 1, complete: true, seconds: 0.5,
      energy_pj: 1170, cycles: 150, edp: 175500, macs: 96, utilization: 0.16, bound_energy_pj: 900, bound_cycles: 100,
      evaluations: 20,
      provenance: {
        tool_version: "0", command: "sluice plan", model_path: "m", model_hash: "h", architecture_path: "a",
        architecture_hash: "i", mapper: "annealing", policy: "physical", objective: "edp", seed: "1", imperfect: false,
        batch: 0, dims: [],
      },
    },
    warnings: [],
    architecture: {
      name: "toy", description: "", clock_hz: 1e9, drawing: "",
      root: {
        memory: memory("DRAM", null, 10, 10, 10),
        below: [{
          fan_out: { name: "", x: 1, y: 1, dims_x: [], dims_y: [] },
          node: {
            memory: memory("Buffer", 100, 1, 1, 2),
            below: [{ fan_out: { name: "units", x: 4, y: 1, dims_x: [], dims_y: [] }, compute: { name: "MAC", classes: [] } }],
          },
        }],
      },
    },
    chains: [{
      levels: [
        { name: "DRAM", instances: 1, capacity_words: null, buffering: 1, word_bits: 16, read_bandwidth: 2, write_bandwidth: null, network_bandwidth: null },
        { name: "Buffer", instances: 1, capacity_words: 100, buffering: 2, word_bits: 16, read_bandwidth: null, write_bandwidth: null, network_bandwidth: null },
      ],
      compute: "MAC", units: 4,
    }],
    operators: [
      ["conv", "Conv", 0, [], [1, 8], 0, ["image", "kernel", "map"]],
      ["view", "Reshape", -1, [0], [8], 1, []],
      ["relu", "Relu", 1, [1], [8], 2, ["map", "result"]],
    ],
    solutions: [
      {
        dims: [["K", 8, false]], tensors: [["x", "input", 12, "K"], ["w", "weight", 8, "K"], ["y", "output", 8, "K"]],
        body: [["mac", 2]], chain: 0, uses: 1, evaluations: 10, stopped: "evaluations", energy_pj: 1070, cycles: 100, bound: 80250,
        bound_energy_pj: 800, bound_cycles: 60, operations: 48, compute_cycles: 12, compute_energy_pj: 96, leakage_pj: 10,
        instances_used: 4, utilization: 0.12, peak: 4, binding: ["read", 0],
        levels: [[1, 100, 0, 0, 0], [1, 0, 0, 0, 0]],
        traffic: [
          // level, tensor, tile, reads, fills, updates, pJ, network words, hops, reductions, network pJ, kept, blocks
          [0, 0, 12, 60, 0, 0, 600, 60, 0, 0, 4, 1, 60, 0, 0],
          [0, 2, 8, 0, 0, 30, 300, 0, 0, 0, 0, 1, 0, 0, 30],
          [1, 1, 40, 20, 10, 15, 60, 0, 0, 0, 0, 1, 20, 10, 15],
        ],
        edges: [], nest: "DRAM\n  for K in 0:8\n    MAC\n", directives: "compute:\n",
      },
      {
        dims: [["K", 8, false]], tensors: [["y", "input", 8, "K"], ["z", "output", 8, "K"]], body: [["vector", 1]], chain: 0,
        uses: 1, evaluations: 10, stopped: "proven", energy_pj: 100, cycles: 50, bound: 5000, bound_energy_pj: 100, bound_cycles: 40,
        operations: 8, compute_cycles: 50, compute_energy_pj: 100, leakage_pj: 0, instances_used: 1, utilization: 0.04,
        peak: 4, binding: ["compute", -1], levels: [[1, 4, 0, 0, 0], [1, 0, 0, 0, 0]], traffic: [], edges: [], nest: "", directives: "",
      },
    ],
  };
}

function memory(name, capacity_words, read_pj, fill_pj, update_pj) {
  return {
    name, capacity_words, word_bits: 16, block_words: 1, buffering: 1, read_bandwidth: null, write_bandwidth: null,
    read_pj, fill_pj, update_pj, leakage_pj_per_cycle: 0, keep: ["may", "may", "may"],
  };
}
