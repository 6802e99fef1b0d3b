"""Small PyTorch checkpoints as programs leave them, for test/backbones/weights/checkpoints.test.ts, and what they hold.

    python data-scripts/golden/checkpoint_files.py test/fixtures/backbones/checkpoints

One network, features.0 (3 to 2) and fc (2 to 1), in each file; its averaged copy has every number plus 1. expected.json says, by file,
how `torch.load(weights_only=True)` finds it: the keys of the checkpoint down to the tensors, and the prefix before the names; `null` for
both where it refuses the file. The file without an ending and those of other endings hold the same as plain.pth.
"""
import argparse
import collections
import json
import os
import pathlib
import pickle
import sys

import torch
from safetensors.torch import save_file


def network():
    values = {"features.0.weight": (2, 3), "features.0.bias": (2,), "fc.weight": (1, 2), "fc.bias": (1,)}
    at, state = 0, collections.OrderedDict()
    for name, shape in values.items():
        count = int(torch.tensor(shape).prod())
        state[name] = (torch.arange(at, at + count, dtype=torch.float32) / 8).reshape(shape)
        at += count
    return state


def main(out):
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    state = network()
    average = {name: value + 1 for name, value in state.items()}
    before = lambda prefix, of=state: collections.OrderedDict((prefix + name, value) for name, value in of.items())
    with_attributes = {name: torch.nn.Parameter(value.clone()) for name, value in state.items()}
    for value in with_attributes.values():
        value.is_shared = False
    expanded = {**state, "features.0.bias": torch.full((1,), 7.0).expand(2)}
    optimizer = torch.optim.SGD(list(with_attributes.values()), lr=0.1, momentum=0.9)
    optimizer.zero_grad()
    sum(p.sum() for p in with_attributes.values()).backward()
    optimizer.step()
    odd = dict(device=torch.device("cuda", 0), dtype=torch.bfloat16, size=torch.Size([1]), set={1, 2}, counts=collections.Counter("aab"), z=complex(1, 2), b=b"x")
    files = {
        "plain.pth": (state, "", ""),
        "plain.ckpt": (state, "", ""),
        "plain.bin": (state, "", ""),
        "plain": (state, "", ""),
        "example.pth.tar": ({"epoch": 3, "state_dict": before("module."), "best": torch.tensor(71.2), "optimizer": optimizer.state_dict()}, "state_dict", "module."),
        "compiled.pth": (before("module._orig_mod."), "", "module._orig_mod."),
        "lightning.ckpt": ({"state_dict": {**before("model."), "loss.weight": torch.ones(3)}, "loops": {}}, "state_dict", "model."),
        "reference.pth": ({"model": state, "model_ema": {"n_averaged": torch.tensor(5), **before("module.", average)}}, "model", ""),
        "average-only.pth": ({"epoch": 1, "state_dict_ema": average}, "state_dict_ema", ""),
        "two.pth": ({**before("student."), **before("teacher.", average)}, "", "student."),
        "attributes.pth": (with_attributes, "", ""),
        "expanded.pth": (expanded, "", ""),
        "values.pth": ({"model_state": state, **odd}, "model_state", ""),
        "types.pth": ({**state, "c": torch.zeros(2, dtype=torch.complex64), "f8": torch.zeros(2).to(torch.float8_e4m3fn), "u16": torch.zeros(2, dtype=torch.uint16)}, "", ""),
        "arguments.pth": ({"model": state, "args": argparse.Namespace(lr=0.1)}, "model", ""),
        "program.pth": ({"model": state, "run": print}, None, None),
    }
    expected = {}
    for name, (content, key, prefix) in files.items():
        torch.save(content, out / name)
        try:
            tensors = torch.load(out / name, weights_only=True)
            for part in key.split(".") if key else []:
                tensors = tensors[part]
            expected[name] = {"key": key, "prefix": prefix, "reads": True}
            expected[name]["values"] = {n: tensors[prefix + n].reshape(-1).tolist() for n in state}
        except pickle.UnpicklingError:
            expected[name] = {"key": key, "prefix": prefix, "reads": False}
    torch.save(state, out / "legacy.pth.tar", _use_new_zipfile_serialization=False)
    expected["legacy.pth.tar"] = {**expected["plain.pth"]}
    save_file({**before("_orig_mod."), "step": torch.zeros(1, dtype=torch.uint32)}, out / "compiled.safetensors")
    expected["compiled.safetensors"] = {**expected["plain.pth"], "prefix": "_orig_mod."}
    (out / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
