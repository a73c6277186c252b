"""One example for every error code: what docs/errors.md shows and error_pages_test.py runs.

An example is a few shell commands in an empty directory that holds `archs/` and `models/`; the last one
fails with the code. `given` says what other files there are, for readers who cannot see them.
"""

import dataclasses

from onnx_bytes import model, node, value


@dataclasses.dataclass
class Example:
    commands: str
    given: str = ""
    files: dict[str, bytes] = dataclasses.field(default_factory=dict)


def eyeriss(edit: str) -> Example:
    """A mistake in a copy of a shipped architecture."""
    return Example(f"sed '{edit}' archs/eyeriss.yaml > mine.yaml\nsluice show mine.yaml")


def onnx(given: str, data: bytes) -> Example:
    return Example("sluice show model.onnx", f"`model.onnx` {given}", {"model.onnx": data})


def small_gemm(mapping: str) -> Example:
    """A mistake in a mapping of a 2 x 2 x 2 matrix product on the machine `three-level`."""
    return Example(f"cat > m.yaml <<'END'\n{mapping}END\n"
                   'sluice evaluate --arch three-level --op "gemm M=2 N=2 K=2" --mapping m.yaml')


def levels(dram: str, l2: str = "", l1: str = "") -> str:
    text = "version: 1\nlevels:\n"
    for name, keys in (("DRAM", dram), ("L2", l2), ("L1", l1)):
        text += f"  - memory: {name}\n" + "".join(f"    {key}\n" for key in keys.split("; ") if key)
    return text


X = value("x", [1, 8])
Y = value("y", [1, 8])

EXAMPLES = {
    "E1001": Example("sluice show absent.yaml"),
    "E1002": Example("sluice plan alexnet --arch eyeriss --budget-evaluations 50 -o no/such/folder/plan.json"),
    "E1003": Example("truncate -s 3G big.onnx\nsluice show big.onnx"),
    "E1004": Example("sluice compare \"gemm M=4 N=4 K=4\" --seeds 1 --cost-command 'exit 3'"),
    "E1101": Example("sluice plan alexnet --arc eyeriss"),
    "E1102": Example("sluice plan alexnet --arch eyris"),
    "E1201": Example("echo 'name: [unclosed' > mine.yaml\nsluice show mine.yaml"),
    "E1202": eyeriss("s/clock:/clok:/"),
    "E1203": eyeriss("$ a name: again"),
    "E1204": eyeriss("/^clock:/d"),
    "E1205": eyeriss("s/^name: eyeriss/name: [eye, riss]/"),
    "E1206": eyeriss("s/x: 14 /x: 0 /"),
    "E1207": eyeriss("s/200 MHz/200/"),
    "E1208": Example("head -c 5000 /dev/zero | tr '\\0' '[' > deep.yaml\nsluice show deep.yaml"),
    "E1209": eyeriss("s/^version: 1/version: 2/"),
    "E1301": Example("head -c 1000 models/alexnet.onnx > cut.onnx\nsluice show cut.onnx"),
    "E1302": onnx("has one node of kind `Rellu`.", model([node("Rellu", ["x"], ["y"])], [X], [Y])),
    "E1303": onnx("is of opset 7.", model([node("Relu", ["x"], ["y"])], [X], [Y], opset=7)),
    "E1304": onnx("adds `x` and `z`, and nothing makes `z`.", model([node("Add", ["x", "z"], ["y"])], [X], [Y])),
    "E1305": onnx("has `a = x + b` and `b = Relu(a)`.",
                  model([node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"])], [X], [value("a", [1, 8])])),
    "E1306": onnx("multiplies a 1 x 8 by a 9 x 4 matrix.",
                  model([node("MatMul", ["x", "w"], ["y"])], [X, value("w", [9, 4])], [value("y", [1, 4])])),
    "E1307": onnx("has an input of shape [batch, 8].",
                  model([node("Relu", ["x"], ["y"])], [value("x", ["batch", 8])], [value("y", ["batch", 8])])),
    "E1308": onnx("has an input of 2^21 x 2^21 elements.",
                  model([node("Relu", ["x"], ["y"])], [value("x", [1 << 21, 1 << 21])],
                        [value("y", [1 << 21, 1 << 21])])),
    "E1309": onnx("has a node of kind `If`.", model([node("If", ["x"], ["y"])], [X], [Y])),
    "E1401": eyeriss("s/name: GLB/name: DRAM/"),
    "E1501": small_gemm(levels("temporal: M=2 N=2 K=2", "keep: [Weight]")),
    "E1502": small_gemm(levels("temporal: M=2 N=2")),
    "E1503": Example("cat > m.yaml <<'END'\n" + levels("", "", "temporal: M=64 N=64 K=64") + "END\n"
                     'sluice evaluate --arch three-level --op "gemm M=64 N=64 K=64" --mapping m.yaml'),
    "E1504": Example("cat > m.yaml <<'END'\n" + levels("temporal: M=2 N=2", "spatial_x: K=32") + "END\n"
                     'sluice evaluate --arch three-level --op "gemm M=2 N=2 K=32" --mapping m.yaml'),
    "E1505": Example("sed 's/size: 48 words/size: 2 words/' archs/three-level.yaml > mine.yaml\n"
                     'sluice map "gemm M=2 N=2 K=2" --arch mine.yaml --budget-evaluations 50'),
    "E1506": Example("cp archs/eyeriss.yaml mine.yaml\n"
                     "sluice plan alexnet --arch mine.yaml --budget-evaluations 50 -o plan.json > /dev/null\n"
                     "sed -i 's/200 MHz/400 MHz/' mine.yaml\nsluice evaluate plan.json"),
    "E1507": Example("sluice map \"gemm M=16 N=8 K=12\" --arch three-level --constraints mine.yaml",
                     "`mine.yaml` wants 5 iterations over K, and 32 instances where there are 16.",
                     {"mine.yaml": b"version: 1\nname: mine\nlevels:\n  - memory: L2\n    temporal: K=5\n"
                                   b"    spatial_x: M=32\n"}),
    "E1601": Example("sluice plan model.onnx --arch eyeriss", "`model.onnx` has one `Relu` on tensors of 13 axes.",
                     {"model.onnx": model([node("Relu", ["x"], ["y"])], [value("x", [2] * 13)],
                                          [value("y", [2] * 13)])}),
}
