"""Small HDF5 files in the layouts of Keras, for test/backbones/weights/readers/keras-h5.test.ts, and what they hold. Written by h5py, as Keras does.

    python data-scripts/golden/keras_h5_files.py test/fixtures/backbones/keras-h5

    weights.h5      `save_weights` of Keras 2: a group for each layer, whose attribute `weight_names` lists its datasets; a layer without
                    weights, one with a slash in its name, one whose list of names is cut in two, float64 and int64
    model.h5        `save`: the same below `model_weights`, beside `optimizer_weights`
    expected.json   {name: {shape, dtype, values}} of both
    ...             files that must be refused: compressed.h5, big-endian.h5, external-link.h5, external-storage.h5 (both point to
                    outside.bin beside them), virtual.h5 and virtual-inside.h5 (virtual data sets of another file and of the same),
                    control-characters.h5 (names that change what a terminal shows), circle.h5, repeated.h5 (one large dataset under many names), missing.h5, empty.h5
"""
import json
import pathlib
import sys

import h5py
import numpy as np

LAYERS = {
    "conv1": {"conv1/kernel:0": np.arange(12, dtype="f4").reshape(2, 2, 3, 1) / 8 - 1, "conv1/bias:0": np.array([0.5], "f4")},
    "bn": {f"bn/{name}:0": np.array([k + 0.25, -k], "f4") for k, name in enumerate(["gamma", "beta", "moving_mean", "moving_variance"])},
    "relu": {},
    "block/dense": {"block/dense/kernel:0": np.array([[1.5, -2.25]], "f8"), "block/dense/bias:0": np.zeros(0, "f4")},
    "step": {"step/count:0": np.array(7, "i8")},
}


def write(root, layers, cut=()):
    root.attrs["layer_names"] = np.array([n.encode() for n in layers])
    root.attrs["backend"] = b"tensorflow"
    for layer, weights in layers.items():
        group = root.create_group(layer)
        names = np.array([n.encode() for n in weights]) if weights else np.array([], "f8")
        if layer in cut:
            group.attrs["weight_names0"], group.attrs["weight_names1"] = names[:2], names[2:]
        else:
            group.attrs["weight_names"] = names
        for name, value in weights.items():
            group.create_dataset(name, data=value)


def layer(file, name="dense"):
    group = file.create_group(name)
    group.attrs["weight_names"] = np.array([f"{name}/kernel:0".encode()])
    return group


def main(out):
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    with h5py.File(out / "weights.h5", "w") as f:
        write(f, LAYERS, cut=("bn",))
    with h5py.File(out / "model.h5", "w") as f:
        f.attrs["model_config"] = b'{"class_name": "Model"}'
        write(f.create_group("model_weights"), LAYERS)
        write(f.create_group("optimizer_weights"), {"SGD": {"SGD/momentum:0": np.ones(3, "f4")}})
    expected = {
        name.removesuffix(":0"): {"shape": list(v.shape), "dtype": str(v.dtype), "values": v.reshape(-1).tolist()} for weights in LAYERS.values() for name, v in weights.items()
    }
    (out / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")

    with h5py.File(out / "compressed.h5", "w") as f:
        layer(f).create_dataset("dense/kernel:0", data=np.zeros((64, 64), "f4"), compression="gzip")
    with h5py.File(out / "big-endian.h5", "w") as f:
        layer(f).create_dataset("dense/kernel:0", data=np.ones(2, ">f4"))
    (out / "outside.bin").write_bytes(b"not for the reader: 32 bytes....")
    with h5py.File(out / "external-storage.h5", "w") as f:
        layer(f).create_dataset("dense/kernel:0", shape=(8,), dtype="f4", external=[("outside.bin", 0, 32)])
    with h5py.File(out / "virtual.h5", "w") as f:
        layout = h5py.VirtualLayout(shape=(8,), dtype="f4")
        layout[:] = h5py.VirtualSource("outside.h5", "x", shape=(8,))
        layer(f).create_virtual_dataset("dense/kernel:0", layout)
    with h5py.File(out / "virtual-inside.h5", "w") as f:
        f["x"] = np.ones(8, "f4")
        layout = h5py.VirtualLayout(shape=(8,), dtype="f4")
        layout[:] = h5py.VirtualSource(f["x"])
        layer(f).create_virtual_dataset("dense/kernel:0", layout)
    with h5py.File(out / "control-characters.h5", "w") as f:
        group = f.create_group("a\x1b]0;title\x07")
        group.attrs["weight_names"] = np.array([b"\x1b[2J" + b"x" * 20000])
    with h5py.File(out / "external-link.h5", "w") as f:
        layer(f)["dense/kernel:0"] = h5py.ExternalLink("weights.h5", "/conv1/conv1/kernel:0")
    with h5py.File(out / "circle.h5", "w") as f:
        group = f.create_group("a")
        group["again"] = f["/"]
    with h5py.File(out / "repeated.h5", "w") as f:
        group = f.create_group("dense")
        group.attrs["weight_names"] = np.array([f"w{k}".encode() for k in range(40)])
        data = group.create_dataset("w0", data=np.zeros(256, "f4"))
        for k in range(1, 40):
            group[f"w{k}"] = data
    with h5py.File(out / "missing.h5", "w") as f:
        layer(f)
    with h5py.File(out / "empty.h5", "w") as f:
        f.create_dataset("numbers", data=np.ones(3, "f4"))


if __name__ == "__main__":
    main(*sys.argv[1:])
