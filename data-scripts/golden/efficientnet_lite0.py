"""Golden logits of EfficientNet-Lite0 by PyTorch, for test/backbones/families/efficientnet-lite.test.ts.

    python data-scripts/golden/efficientnet_lite0.py WEIGHTS.pth IMAGES test/fixtures/backbones

WEIGHTS.pth is the file of `npx rifle weights fetch efficientnet_lite0.tf_in1k`; IMAGES is the folder skimage/data of the
wheel scikit_image-0.17.2 (chelsea.png: Stefan van der Walt, coffee.png: Rachel Michetti, both CC0).
Writes two crops of 224 x 224 pixels, losslessly, and efficientnet-lite0.json:

    weights    sha256 of WEIGHTS.pth
    torch      version of PyTorch
    images     for each: file (beside the JSON), logits (1000 numbers, evaluation mode, computed in float64)

The network is written here from the description in Tan and Le, "EfficientNet" (ICML 2019), table 1 and section 4, with the Lite
changes (no squeeze-and-excitation, ReLU6); paddings are TensorFlow's SAME, as the weights were made with.
"""
import hashlib
import json
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

STAGES = [  # repeats, kernel, stride of the first block
    (1, 3, 1),
    (2, 3, 2),
    (2, 5, 2),
    (3, 3, 2),
    (3, 5, 1),
    (4, 5, 2),
    (1, 3, 1),
]


def same(x, kernel, stride):
    """Zeros so that the output has ceil(side / stride) places; the odd one goes to the right and to the bottom."""
    pads = []
    for side in (x.shape[3], x.shape[2]):
        total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads)


def lite0(weights, pixels):
    """Logits of pixels [batch, height, width, 3] in 0..255."""

    def conv(x, name, stride=1, depthwise=False):
        kernel = weights[name + ".weight"]
        groups = kernel.shape[0] if depthwise else 1
        return F.conv2d(same(x, kernel.shape[2], stride), kernel, stride=stride, groups=groups)

    def norm(x, name):
        mean, var, scale, offset = (weights[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
        return F.batch_norm(x, mean, var, scale, offset, training=False, eps=1e-3)

    x = (pixels.permute(0, 3, 1, 2) - 127) / 128
    x = F.relu6(norm(conv(x, "_conv_stem", 2), "_bn0"))
    index = 0
    for repeats, _, first_stride in STAGES:
        for repeat in range(repeats):
            name = f"_blocks.{index}"
            stride = first_stride if repeat == 0 else 1
            y = x
            if f"{name}._expand_conv.weight" in weights:
                y = F.relu6(norm(conv(y, f"{name}._expand_conv"), f"{name}._bn0"))
            y = F.relu6(norm(conv(y, f"{name}._depthwise_conv", stride, depthwise=True), f"{name}._bn1"))
            y = norm(conv(y, f"{name}._project_conv"), f"{name}._bn2")
            x = x + y if x.shape == y.shape else y
            index += 1
    x = F.relu6(norm(conv(x, "_conv_head"), "_bn1"))
    return F.linear(x.mean((2, 3)), weights["_fc.weight"], weights["_fc.bias"])


def crop(path, size=224, short=256):
    image = Image.open(path).convert("RGB")
    scale = short / min(image.size)
    image = image.resize([round(side * scale) for side in image.size], Image.BILINEAR)
    left, top = ((side - size) // 2 for side in image.size)
    return image.crop((left, top, left + size, top + size))


def main(weights_file, images, out):
    out = pathlib.Path(out)
    weights = {name: tensor.double() for name, tensor in torch.load(weights_file, weights_only=True).items()}
    result = {"weights": hashlib.sha256(pathlib.Path(weights_file).read_bytes()).hexdigest(), "torch": torch.__version__, "images": []}
    for name in ("chelsea", "coffee"):
        image = crop(pathlib.Path(images) / f"{name}.png")
        image.save(out / f"{name}-224.png", optimize=True)
        with torch.no_grad():
            logits = lite0(weights, torch.from_numpy(np.array(image)).double()[None])[0]
        result["images"].append({"file": f"{name}-224.png", "logits": [round(v, 6) for v in logits.tolist()]})
        print(name, logits.argmax().item(), logits.max().item())
    (out / "efficientnet-lite0.json").write_text(json.dumps(result) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
