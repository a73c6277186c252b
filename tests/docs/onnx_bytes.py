"""Writes tiny ONNX models byte by byte, so that tests of broken models need no ONNX library.

Only what the examples of docs/errors.md need: float tensors, one graph, integer attributes. Field numbers
are those of onnx.proto (ONNX 1.12). Used by error_examples.py.
"""


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def nested(field: int, payload: bytes | str) -> bytes:
    data = payload.encode() if isinstance(payload, str) else payload
    return varint(field << 3 | 2) + varint(len(data)) + data


def value(name: str, shape: list[int | str]) -> bytes:
    """A ValueInfoProto of 32-bit floats; an extent that is text is symbolic."""
    dims = b"".join(nested(1, nested(2, extent) if isinstance(extent, str) else number(1, extent))
                    for extent in shape)
    return nested(1, name) + nested(2, nested(1, number(1, 1) + nested(2, dims)))


def node(kind: str, inputs: list[str], outputs: list[str]) -> bytes:
    return (b"".join(nested(1, name) for name in inputs) + b"".join(nested(2, name) for name in outputs) +
            nested(3, "/" + outputs[0]) + nested(4, kind))


def model(nodes: list[bytes], inputs: list[bytes], outputs: list[bytes], opset: int = 17) -> bytes:
    graph = (b"".join(nested(1, part) for part in nodes) + nested(2, "example") +
             b"".join(nested(11, part) for part in inputs) + b"".join(nested(12, part) for part in outputs))
    return number(1, 8) + nested(7, graph) + nested(8, nested(1, "") + number(2, opset))
