"""Small safetensors files for test/backbones/weights/readers/safetensors.test.ts, and what they hold.

    python data-scripts/golden/safetensors_files.py test/fixtures/backbones/safetensors

    every.safetensors   every element type that the kit holds, a single number, an empty tensor, names that need escapes, and notes
    expected.json       {name: {shape, dtype, values}} of it, and its notes
    float8.safetensors  a type that the kit does not hold: must be refused with its name

Written by the safetensors package itself. The test also writes the same tensors and wants the same bytes.
"""
import json
import pathlib
import sys

import torch
from safetensors import safe_open
from safetensors.torch import save_file

NOTES = {"format": "pt", "made by": "safetensors \"quoted\" é"}


def tensors():
    base = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4) / 8 - 1
    return {
        "float32": base,
        "transposed": base.permute(2, 0, 1).contiguous(),
        "empty": torch.zeros(0, 3),
        "7": torch.tensor(0.1),
        "__proto__": torch.tensor([2.5]),
        "a \"name\"\n\\é": torch.tensor([-0.0, float("inf")]),
        "float64": torch.tensor([1.5, -2.25, 1e-3], dtype=torch.float64),
        "float16": torch.tensor([1.0, -0.5, 65504, 6e-8, 0.333251953125], dtype=torch.float16),
        "bfloat16": torch.tensor([1.0, -3.140625, 1e30], dtype=torch.bfloat16),
        "int64": torch.tensor(12345678901),
        "int32": torch.tensor([[-7, 8]], dtype=torch.int32),
        "int16": torch.tensor([-300, 300], dtype=torch.int16),
        "int8": torch.tensor([-128, 127], dtype=torch.int8),
        "uint8": torch.tensor([0, 255, 7], dtype=torch.uint8),
        "bool": torch.tensor([True, False, True]),
    }


def main(out):
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    save_file(tensors(), out / "every.safetensors", metadata=NOTES)
    save_file({"eight": torch.zeros(2, dtype=torch.float8_e4m3fn)}, out / "float8.safetensors")
    with safe_open(out / "every.safetensors", "pt") as file:
        names = file.offset_keys()
        found = {name: file.get_tensor(name) for name in names}
        notes = file.metadata()
    values = lambda t: [str(v) if v in (float("inf"),) else v for v in t.reshape(-1).tolist()]
    expected = [{"name": name, "shape": list(t.shape), "dtype": str(t.dtype).removeprefix("torch."), "values": values(t)} for name, t in found.items()]
    (out / "expected.json").write_text(json.dumps({"notes": notes, "tensors": expected}, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
