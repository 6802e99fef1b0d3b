"""The manifests of torchvision's ImageNet weights, out of torchvision's own tables (`IMAGENET1K_V1` of each network).

    python data-scripts/manifests/torchvision_weights.py data-scripts/manifests/weights

Each says: the address and name of the file, the first 8 hex digits of its sha256 (which its name carries), its size in MiB as published,
the number of parameters, the top-1 on ImageNet, and the input: crop, short side before it, interpolation.
"""
import json
import pathlib
import re
import sys

from torchvision import models

NETWORKS = [
    *(f"resnet{depth}" for depth in (18, 34, 50, 101, 152)),
    "mobilenet_v2",
    *(f"densenet{depth}" for depth in (121, 169, 201)),
    "inception_v3",
    *(f"efficientnet_b{size}" for size in range(5)),
]
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def manifest(name):
    weights = models.get_model_weights(name).IMAGENET1K_V1
    transform = weights.transforms()
    assert transform.mean == MEAN and transform.std == STD and len(weights.meta["categories"]) == 1000
    file = weights.url.rsplit("/", 1)[1]
    return {
        "id": f"{name}.tv_in1k",
        "url": weights.url,
        "file": file,
        "mebibytes": weights.meta["_file_size"],
        "sha256Prefix": re.fullmatch(r".*-([0-9a-f]{8})\.pth", file).group(1),
        "format": "pth",
        "licence": "BSD-3-Clause",
        "parameters": weights.meta["num_params"],
        "top1": round(weights.meta["_metrics"]["ImageNet-1K"]["acc@1"] / 100, 5),
        "inputSize": transform.crop_size[0],
        "resizeSize": transform.resize_size[0],
        "interpolation": transform.interpolation.value,
        "note": f"torchvision's {name}, IMAGENET1K_V1. {weights.meta['_docs'].strip().splitlines()[0]}",
    }


def main(out):
    for name in NETWORKS:
        found = manifest(name)
        path = pathlib.Path(out) / f"{found['id']}.json"
        path.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
