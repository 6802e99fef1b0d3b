"""Golden values of the networks by torchvision and timm, for test/backbones/golden.test.ts.

    python data-scripts/golden/backbones.py test/fixtures/backbones/golden [check] [ID...]

Writes for each case a file `<id>.json`; and, when no ID is given, `shapes.json.gz`: the names and shapes of the state dict of every network of torchvision with
1000 classes, in its order, without the counters `num_batches_tracked`.

Weights and images come from a closed formula, so that no file has to hold them: `uniform(place, i)` in [-1, 1) hashes the place of a tensor in
the state dict and the place of an element in the tensor, in the layout of the network's weights file. The test has the same formula.

    weights     convolution and linear: uniform * sqrt(6 / fan_in) (He's variance); running mean: 0.1 uniform; bias, offset:
                offset + 0.1 uniform; scale and running variance: 1 + 0.1 uniform. `offset` is 0.1 for the smooth EfficientNet-B, 2 for
                DenseNet, 3 for Inception and 1 elsewhere: with offsets around 0 so many rectifiers stand at their edge that PyTorch's
                own float32 gradients of these networks are 1 % off
    images      round(127.5 + 127.5 uniform(1000000, i)), [batch, size, size, 3]; labels k mod 10

Of each case:

    evaluation, training   {logits, features, taps}: logits whole, [batch][10]; of features and of each tap a summary
                           {shape, mean, norm, values}: channels last; values are 6 elements, evenly spread, of the flattened tensor
    auxiliary              logits of the auxiliary classifier in training, where there is one
    loss                   mean cross entropy in training (+ 0.4 times the auxiliary one)
    gradientNorms          of that loss, by parameter, in the order of the state dict
    statistics             [mean, norm] of each running statistic after that pass, in the order of the state dict
    halved                 logits in evaluation when the branch of residual block b of n is multiplied by 1 - (b + 1) / 2n, where there are such blocks

EfficientNet-Lite and MobileNetV1 are timm's with TensorFlow's padding and epsilon; Keras's ResNet-50 is torchvision's with a bias in each
convolution, the stride in the first 1x1 convolution of a block, Keras's epsilon, and BGR pixels less their mean.
`inception_v3` is evaluated only: its training is that of `inception_v3_aux`, which has all of it.
Dropout and stochastic depth are taken out. Computed in float64 on the float32 starting values. With `check` as the first ID, the script also prints how far float32 is from that.
"""
import copy
import gzip
import json
import math
import pathlib
import sys
import warnings

import numpy as np
import timm
import torch
from torch import nn
from torchvision import models

warnings.filterwarnings("ignore")
CLASSES = 10
MEAN, STD = [0.485 * 255, 0.456 * 255, 0.406 * 255], [0.229 * 255, 0.224 * 255, 0.225 * 255]
CASES = {  # id: (size, batch)
    "resnet18.tv_in1k": (96, 4),
    "resnet50.tv_in1k": (96, 4),
    "mobilenet_v2.tv_in1k": (96, 4),
    "densenet169.tv_in1k": (96, 4),
    "inception_v3.tv_in1k": (139, 4),
    "inception_v3_aux.tv_in1k": (299, 2),
    "efficientnet_b0.tv_in1k": (96, 4),
    "efficientnet_b3.tv_in1k": (96, 4),
    "efficientnet_lite0.tf_in1k": (96, 4),
    "mobilenet_v1.tf_in1k": (96, 4),
    "resnet50.keras_in1k": (96, 4),
}
TENSORFLOW = ("mobilenet_v1.tf_in1k", "resnet50.keras_in1k")  # files with channels last
PIXELS = {  # of the network's input, in 0..255: mean, deviation; torchvision's otherwise
    "efficientnet_lite0.tf_in1k": ([127] * 3, [128] * 3),
    "mobilenet_v1.tf_in1k": ([127.5] * 3, [127.5] * 3),
    "resnet50.keras_in1k": ([123.68, 116.779, 103.939], [1] * 3),
}
ALL = [
    *(f"resnet{d}" for d in (18, 34, 50, 101, 152)),
    "inception_v3",
    "inception_v3_aux",
    *(f"densenet{d}" for d in (121, 169, 201)),
    "mobilenet_v2",
    *(f"efficientnet_b{i}" for i in range(5)),
]


def keras_resnet50(classes):
    model = models.resnet50(num_classes=classes)
    for module in list(model.modules()):
        if isinstance(module, nn.Conv2d):
            module.bias = nn.Parameter(torch.zeros(module.out_channels))
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 1e-3
        if type(module).__name__ == "Bottleneck":
            module.conv1.stride, module.conv2.stride = module.conv2.stride, (1, 1)
    return model


def network(identifier, classes):
    name = identifier.split(".")[0]
    if identifier == "resnet50.keras_in1k":
        return keras_resnet50(classes)
    if name == "efficientnet_lite0":
        return timm.create_model("tf_efficientnet_lite0", num_classes=classes)
    if name == "mobilenet_v1":
        return timm.create_model("mobilenetv1_100", num_classes=classes, pad_type="same", bn_eps=1e-3)
    if name.startswith("inception"):
        return models.inception_v3(num_classes=classes, aux_logits=name.endswith("_aux"), transform_input=True, init_weights=False)
    return models.get_model(name, num_classes=classes)


def uniform(place, count):
    h = (np.arange(1, count + 1, dtype=np.uint32) * np.uint32(0x9E3779B1)) ^ np.uint32((place + 1) * 0x85EBCA6B & 0xFFFFFFFF)
    h ^= h >> np.uint32(16)
    h *= np.uint32(0x21F0AAAD)
    h ^= h >> np.uint32(15)
    h *= np.uint32(0x735A2D97)
    h ^= h >> np.uint32(15)
    return h.astype(np.float64) / 2**31 - 1


def entries(model):
    return {n: t for n, t in model.state_dict().items() if not n.endswith("num_batches_tracked")}


def offset_of(identifier):
    return next((offset for family, offset in {"efficientnet_b": 0.1, "densenet": 2, "inception": 3}.items() if identifier.startswith(family)), 1)


def from_channels_last(w, shape):
    """The elements of a TensorFlow file, [height, width, in, out], [height, width, channels, 1] or [in, out], as PyTorch has them."""
    if len(shape) == 2:
        return w.reshape(shape[::-1]).T
    out, inner, height, width = shape
    if inner == 1:
        return w.reshape(height, width, out, 1).permute(2, 3, 0, 1)
    return w.reshape(height, width, inner, out).permute(3, 2, 0, 1)


def formula(identifier, model):
    offset = offset_of(identifier)
    state = {}
    for place, (entry, tensor) in enumerate(entries(model).items()):
        w = uniform(place, tensor.numel())
        if tensor.dim() > 1:
            w = w * math.sqrt(6 / math.prod(tensor.shape[1:]))
        elif entry.endswith("running_var") or entry.endswith("weight"):
            w = 1 + 0.1 * w
        else:
            w = (0 if entry.endswith("running_mean") else offset) + 0.1 * w
        w = torch.from_numpy(w.astype(np.float32))
        state[entry] = from_channels_last(w, tuple(tensor.shape)) if identifier in TENSORFLOW and tensor.dim() > 1 else w.reshape(tensor.shape)
    model.load_state_dict(state, strict=False)


def quiet(model):
    """Without dropout and stochastic depth."""
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        if type(module).__name__ == "StochasticDepth":
            module.p = 0.0


def batch_of(identifier, dtype):
    size, batch = CASES[identifier]
    mean, std = (torch.tensor(v, dtype=torch.float64) for v in PIXELS.get(identifier, (MEAN, STD)))
    pixels = np.round(127.5 + 127.5 * uniform(1_000_000, batch * size * size * 3)).reshape(batch, size, size, 3)
    x = (torch.from_numpy(pixels) - mean) / std
    x = x.flip(3) if identifier == "resnet50.keras_in1k" else x
    return x.permute(0, 3, 1, 2).to(dtype), torch.tensor([k % CLASSES for k in range(batch)])


def tap_modules(name, model):
    if name.startswith("resnet"):
        return {"stem": model.relu, **{f"stage{i}": getattr(model, f"layer{i}") for i in range(1, 5)}}
    if name.startswith("inception"):
        return {"stem": model.maxpool2, "stage1": model.Mixed_5d, "stage2": model.Mixed_6e, "stage3": model.Mixed_7c}
    if name in ("efficientnet_lite0", "mobilenet_v1"):
        last = {"last": model.bn2} if name == "efficientnet_lite0" else {}
        return {"stem": model.bn1, **{f"stage{i + 1}": block for i, block in enumerate(model.blocks)}, **last}
    f = model.features
    if name.startswith("densenet"):
        return {"stem": f.relu0, **{f"stage{i}": getattr(f, f"denseblock{i}") for i in range(1, 5)}, "last": f}
    if name.startswith("mobilenet"):
        ends = np.cumsum([1, 2, 3, 4, 3, 3, 1])
        return {"stem": f[0], **{f"stage{i + 1}": f[int(end)] for i, end in enumerate(ends)}, "last": f[18]}
    return {"stem": f[0], **{f"stage{i}": f[i] for i in range(1, 8)}, "last": f[8]}


def digits(x):
    return float(f"{float(x):.7g}")


def summary(t):
    if t.dim() == 4:
        t = t.permute(0, 2, 3, 1)
    flat = t.detach().reshape(-1).double()
    at = [k * (flat.numel() - 1) // 5 for k in range(6)]
    return {"shape": list(t.shape), "mean": digits(flat.mean()), "norm": digits(flat.norm()), "values": [digits(flat[i]) for i in at]}


def head_of(model):
    return model.fc if hasattr(model, "fc") else model.classifier[1] if isinstance(model.classifier, nn.Sequential) else model.classifier


def run(name, model, images):
    seen = {}
    hooks = [m.register_forward_hook(lambda _m, _i, out, tap=tap: seen.__setitem__(tap, out)) for tap, m in tap_modules(name, model).items()]
    hooks.append(head_of(model).register_forward_pre_hook(lambda _m, inputs: seen.__setitem__("features", inputs[0])))
    out = model(images)
    for hook in hooks:
        hook.remove()
    logits, auxiliary = out if isinstance(out, tuple) else (out, None)
    features = seen.pop("features")
    return logits, auxiliary, {
        "logits": [[digits(v) for v in row] for row in logits.tolist()],
        "features": summary(features),
        "taps": {tap: summary(t) for tap, t in seen.items()},
    }


class Scaled(nn.Module):
    def __init__(self, inner, factor):
        super().__init__()
        self.inner, self.factor = inner, factor

    def forward(self, x):
        return self.inner(x) * self.factor


def halved(name, model, images):
    """Puts a factor behind the branch of every residual block."""
    model = copy.deepcopy(model)
    blocks = [m for m in model.modules() if type(m).__name__ in ("BasicBlock", "Bottleneck") or getattr(m, "use_res_connect", False)]
    for b, block in enumerate(blocks):
        factor = 1 - (b + 1) / (2 * len(blocks))
        kind = type(block).__name__
        if kind == "MBConv":
            block.stochastic_depth = Scaled(nn.Identity(), factor)
        else:
            attribute = {"BasicBlock": "bn2", "Bottleneck": "bn3", "InvertedResidual": "conv"}[kind]
            setattr(block, attribute, Scaled(getattr(block, attribute), factor))
    with torch.no_grad():
        return [[digits(v) for v in row] for row in model.eval()(images).tolist()]


def compute(identifier, dtype):
    name = identifier.split(".")[0]
    size, batch = CASES[identifier]
    model = network(identifier, CLASSES)
    formula(identifier, model)
    quiet(model)
    model = model.to(dtype)
    images, labels = batch_of(identifier, dtype)
    result = {"id": identifier, "size": size, "batch": batch, "offset": offset_of(identifier)}
    model.eval()
    with torch.no_grad():
        result["evaluation"] = run(name, model, images)[2]
    if any(name.startswith(family) for family in ("resnet", "mobilenet_v2", "efficientnet_b")):
        result["halved"] = halved(name, model, images)
    if name == "inception_v3":
        return result
    model.train()
    logits, auxiliary, result["training"] = run(name, model, images)
    loss = nn.functional.cross_entropy(logits, labels)
    if auxiliary is not None:
        result["auxiliary"] = [[digits(v) for v in row] for row in auxiliary.tolist()]
        loss = loss + 0.4 * nn.functional.cross_entropy(auxiliary, labels)
    loss.backward()
    result["loss"] = digits(loss)
    result["gradientNorms"] = [digits(p.grad.norm()) for p in model.parameters()]
    result["statistics"] = [[digits(b.mean()), digits(b.norm())] for n, b in model.named_buffers() if "running" in n]
    return result


def distances(double, single):
    """The largest differences, as the test measures them."""
    found = {}
    for mode in ("evaluation", "training"):
        if mode not in double:
            continue
        pairs = [(double[mode]["features"], single[mode]["features"]), *((double[mode]["taps"][t], single[mode]["taps"][t]) for t in double[mode]["taps"])]
        rms = [a["norm"] / math.sqrt(math.prod(a["shape"])) for a, _ in pairs]
        found[f"{mode} taps"] = max(abs(x - y) / r for (a, b), r in zip(pairs, rms) for x, y in zip(a["values"], b["values"]))
        found[f"{mode} norms"] = max(abs(a["norm"] - b["norm"]) / a["norm"] for a, b in pairs)
        a, b = np.array(double[mode]["logits"]), np.array(single[mode]["logits"])
        found[f"{mode} logits"] = np.abs(a - b).max() / np.sqrt((a**2).mean())
    if "loss" in double:
        found["loss"] = abs(double["loss"] - single["loss"]) / double["loss"]
        norms = np.array(double["gradientNorms"])
        found["gradient norms"] = (np.abs(norms - np.array(single["gradientNorms"])) / np.where(norms < 1e-6 * np.median(norms), np.median(norms), np.maximum(norms, 0.05 * np.median(norms)))).max()
        a, b = np.array(double["statistics"]), np.array(single["statistics"])
        found["statistics"] = (np.abs(a - b)[:, 1] / a[:, 1]).max()
    return found


def main(out, *only):
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    check, only = only[:1] == ("check",), [identifier for identifier in only if identifier != "check"]
    for identifier in only or CASES:
        double = compute(identifier, torch.float64)
        if check:
            print(identifier, {k: f"{v:.0e}" for k, v in distances(double, compute(identifier, torch.float32)).items()}, flush=True)
        path = out / f"{identifier}.json"
        path.write_text(json.dumps({"torch": torch.__version__, **double}, separators=(",", ":")) + "\n")
    if only:
        return
    shapes = {f"{name}.tv_in1k": [[n, list(t.shape)] for n, t in entries(network(f"{name}.tv_in1k", 1000)).items()] for name in ALL}
    with gzip.GzipFile(out / "shapes.json.gz", "wb", 9, mtime=0) as file:
        file.write(json.dumps(shapes, separators=(",", ":")).encode())


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(*sys.argv[1:])
