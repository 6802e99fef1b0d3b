"""Small PyTorch files for test/backbones/weights/readers/pth.test.ts, and what they hold.

    python data-scripts/golden/pth_files.py test/fixtures/backbones/pth

    zip.pth, legacy.pth     the same state dict in both containers: every element type, a transposed and a sliced view, two names
                            on one storage, a single number, an empty tensor, a Parameter, the attributes of an OrderedDict
    expected.json           {name: {shape, dtype, values}} of that state dict
    checkpoint.pth          {"epoch": 3, "state_dict": {"module.weight": ..., "module.bias": ...}, "optimizer": ...}
    model.pth               a whole nn.Linear: asks for a class, must be refused
    system.pth              asks for os.system("touch rifle-kit-was-here"), must be refused
    system-legacy.pth       the same, as a bare pickle
    views.pth               thirty transposed views of one storage, which would need thirty times its memory: must be refused
"""
import collections
import json
import os
import pathlib
import pickle
import sys

import torch


class Command:
    def __reduce__(self):
        return os.system, ("touch rifle-kit-was-here",)


def state():
    base = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4) / 8 - 1
    tensors = collections.OrderedDict()
    tensors["float32"] = base
    tensors["transposed"] = base.permute(2, 0, 1)
    tensors["sliced"] = base[:, 1:, ::2]
    tensors["tied"] = base.reshape(24)
    tensors["float64"] = torch.tensor([1.5, -2.25, 1e-3], dtype=torch.float64)
    tensors["float16"] = torch.tensor([1.0, -0.5, 65504, 6e-8, 0.333251953125], dtype=torch.float16)
    tensors["bfloat16"] = torch.tensor([1.0, -3.140625, 1e30], dtype=torch.bfloat16)
    tensors["int64"] = torch.tensor(12345678901)
    tensors["int32"] = torch.tensor([[-7, 8]], dtype=torch.int32)
    tensors["uint8"] = torch.tensor([0, 255], dtype=torch.uint8)
    tensors["bool"] = torch.tensor([True, False, True])
    tensors["empty"] = torch.zeros(0, 3)
    tensors["parameter"] = torch.nn.Parameter(torch.tensor([0.25, 0.75]))
    tensors._metadata = collections.OrderedDict([("", {"version": 1})])
    return tensors


def main(out):
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    tensors = state()
    torch.save(tensors, out / "zip.pth")
    torch.save(tensors, out / "legacy.pth", _use_new_zipfile_serialization=False)
    expected = {
        name: {"shape": list(t.shape), "dtype": str(t.dtype).removeprefix("torch."), "values": t.detach().reshape(-1).tolist()}
        for name, t in tensors.items()
    }
    (out / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
    linear = torch.nn.Linear(2, 1)
    with torch.no_grad():
        linear.weight.copy_(torch.tensor([[0.5, -0.5]]))
        linear.bias.fill_(0.125)
    optimizer = torch.optim.SGD(linear.parameters(), lr=0.1, momentum=0.9)
    parallel = {f"module.{name}": t for name, t in linear.state_dict().items()}
    torch.save({"epoch": 3, "state_dict": parallel, "optimizer": optimizer.state_dict()}, out / "checkpoint.pth")
    torch.save(linear, out / "model.pth")
    torch.save({"weight": torch.zeros(1), "hook": Command()}, out / "system.pth")
    base = torch.arange(64.0).reshape(8, 8)
    torch.save({f"w{k}": base.t() for k in range(30)}, out / "views.pth")
    (out / "system-legacy.pth").write_bytes(pickle.dumps(Command(), protocol=2))


if __name__ == "__main__":
    main(*sys.argv[1:])
