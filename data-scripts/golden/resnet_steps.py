"""Golden training steps of small residual networks by PyTorch, for test/backbones/families/resnet.test.ts and the trainer's tests.

    python data-scripts/golden/resnet_steps.py test/fixtures/backbones/resnet-steps.json

Nothing random and no weights are stored: both sides compute every number from a closed formula, in float64, then rounded to
float32. With index i = 0, 1, ... over the elements of a tensor (row-major, layout of PyTorch) and p its place in `tensors`:

    wave(p, i) = sin(i * i + p)
    conv       2 / sqrt(in * height * width) * wave
    scale      1 + 0.1 * wave      offset   0.1 * wave      (batch normalisation)
    mean       0.1 * wave          variance 1 + 0.1 * wave  (its running statistics)
    linear     wave / sqrt(in)     bias     0.1 * wave      (head)
    pixel i of step s  round(127.5 + 127.5 * wave(1000 + s, i)), RGB, layout [batch, height, width, 3]; seen as
                       (x / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    label k of step s  (s * batch + k) mod classes

The JSON has `torch` (version), `cases`, each:

    block, layers, width, classes, size, batch     the network (torchvision's blocks, names and strides) and its input
    optimizer          {learningRate, momentum, weightDecay} of torch.optim.SGD, on all parameters
    tensors            [{name, shape, kind}], in the order of the state dict, counters left out
    evaluation         logits [batch][classes] of step 0's images before any step, in evaluation mode
    steps              after each step, by SGD on the mean cross entropy in training mode: {loss} before the update
    statistics         {name: values} of every running statistic after the last step
    sums               {name: [sum, sum of squares]} of every trainable parameter after the last step
    evaluationAfter    as `evaluation`, after the last step
    l2sp               {alpha, beta, penalty, penaltyGradientNorms, gradientNorms, steps, sums}:
                       penalty = alpha / 2 |w - w0|^2 over all but the head + beta / 2 |w|^2 over the head, and the norms of its gradient
                       by parameter, at the weights after the steps above, w0 the weights before them;
                       gradientNorms: of cross entropy (training mode, step 0's batch) + penalty, there too;
                       steps: {loss: cross entropy + penalty, crossEntropy} of as many steps from w0 with it, without weight decay,
                       and sums after those

Computed in float64 by PyTorch on the float32 starting values, so that the golden values carry no rounding of their own.
"""
import json
import math
import sys

import numpy as np
import torch
from torch import nn
from torchvision.models.resnet import BasicBlock, Bottleneck

STEPS = 5
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


class SmallResNet(nn.Module):
    """torchvision's residual network with any number of stages."""

    def __init__(self, block, layers, width, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.stages = len(layers)
        inputs = width
        for stage, blocks in enumerate(layers):
            planes, made = width * 2**stage, []
            for index in range(blocks):
                stride = 2 if stage > 0 and index == 0 else 1
                outputs = planes * block.expansion
                downsample = None
                if stride != 1 or inputs != outputs:
                    downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
                made.append(block(inputs, planes, stride, downsample))
                inputs = outputs
            setattr(self, f"layer{stage + 1}", nn.Sequential(*made))
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x):
        x = nn.functional.max_pool2d(torch.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        for stage in range(self.stages):
            x = getattr(self, f"layer{stage + 1}")(x)
        return self.fc(x.mean((2, 3)))


def wave(place, count):
    i = np.arange(count, dtype=np.float64)
    return np.sin(i * i + place)


def kind_of(name, tensor):
    if name.startswith("fc."):
        return "linear" if name.endswith("weight") else "bias"
    if tensor.dim() == 4:
        return "conv"
    return {"weight": "scale", "bias": "offset", "running_mean": "mean", "running_var": "variance"}[name.split(".")[-1]]


def values(kind, shape, place):
    w = wave(place, math.prod(shape))
    if kind == "conv":
        w = 2 / math.sqrt(math.prod(shape[1:])) * w
    elif kind in ("scale", "variance"):
        w = 1 + 0.1 * w
    elif kind == "linear":
        w = w / math.sqrt(shape[1])
    else:
        w = 0.1 * w
    return torch.from_numpy(w.astype(np.float32)).double().reshape(shape)


def batch_of(step, case):
    batch, size = case["batch"], case["size"]
    pixels = np.round(127.5 + 127.5 * wave(1000 + step, batch * size * size * 3)).reshape(batch, size, size, 3)
    x = (torch.from_numpy(pixels) / 255 - torch.tensor(MEAN, dtype=torch.float64)) / torch.tensor(STD, dtype=torch.float64)
    labels = torch.tensor([(step * batch + k) % case["classes"] for k in range(batch)])
    return x.permute(0, 3, 1, 2), labels


def fresh(case, tensors):
    model = SmallResNet({"basic": BasicBlock, "bottleneck": Bottleneck}[case["block"]], case["layers"], case["width"], case["classes"]).double()
    state = {t["name"]: values(t["kind"], t["shape"], place) for place, t in enumerate(tensors)}
    model.load_state_dict(state, strict=False)
    return model


def digits(x):
    return float(f"{float(x):.9g}")


def logits_of(model, images):
    model.eval()
    with torch.no_grad():
        rows = model(images).tolist()
    model.train()
    return [[digits(v) for v in row] for row in rows]


def sums_of(model):
    return {n: [digits(p.detach().sum()), digits(p.detach().square().sum())] for n, p in model.named_parameters()}


def penalty_of(model, start, alpha, beta):
    total = 0
    for name, p in model.named_parameters():
        total = total + (beta / 2 * p.square().sum() if name.startswith("fc.") else alpha / 2 * (p - start[name]).square().sum())
    return total


def norms_of(gradients, model):
    return {n: digits(g.norm()) for (n, _), g in zip(model.named_parameters(), gradients)}


def train(model, case, weight_decay, penalty=None):
    o = case["optimizer"]
    sgd = torch.optim.SGD(model.parameters(), lr=o["learningRate"], momentum=o["momentum"], weight_decay=weight_decay)
    rows = []
    for step in range(STEPS):
        images, labels = batch_of(step, case)
        cross_entropy = nn.functional.cross_entropy(model(images), labels)
        loss = cross_entropy if penalty is None else cross_entropy + penalty()
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        rows.append({"loss": digits(loss.detach())} | ({} if penalty is None else {"crossEntropy": digits(cross_entropy.detach())}))
    return rows


def golden(case):
    shapes = SmallResNet({"basic": BasicBlock, "bottleneck": Bottleneck}[case["block"]], case["layers"], case["width"], case["classes"]).state_dict()
    tensors = [{"name": n, "shape": list(t.shape), "kind": kind_of(n, t)} for n, t in shapes.items() if not n.endswith("num_batches_tracked")]
    model = fresh(case, tensors).train()
    start = {n: p.detach().clone() for n, p in model.named_parameters()}
    images, labels = batch_of(0, case)
    result = case | {"tensors": tensors, "evaluation": logits_of(model, images)}
    result["steps"] = train(model, case, case["optimizer"]["weightDecay"])
    result["statistics"] = {n: [digits(v) for v in b] for n, b in model.named_buffers() if "running" in n}
    result["sums"] = sums_of(model)
    result["evaluationAfter"] = logits_of(model, images)

    alpha, beta = 0.1, 0.01
    penalty = penalty_of(model, start, alpha, beta)
    l2sp = {"alpha": alpha, "beta": beta, "penalty": digits(penalty.detach())}
    l2sp["penaltyGradientNorms"] = norms_of(torch.autograd.grad(penalty, list(model.parameters())), model)
    total = nn.functional.cross_entropy(model(images), labels) + penalty_of(model, start, alpha, beta)
    l2sp["gradientNorms"] = norms_of(torch.autograd.grad(total, list(model.parameters())), model)
    again = fresh(case, tensors).train()
    l2sp["steps"] = train(again, case, 0, lambda: penalty_of(again, start, alpha, beta))
    l2sp["sums"] = sums_of(again)
    result["l2sp"] = l2sp
    print(case["block"], [row["loss"] for row in result["steps"]], l2sp["penalty"], [row["loss"] for row in l2sp["steps"]])
    return result


def main(out):
    common = {"layers": [1, 1], "width": 8, "classes": 5, "size": 32, "batch": 4}
    optimizer = {"learningRate": 0.05, "momentum": 0.9, "weightDecay": 0.01}
    cases = [golden({"block": block, **common, "optimizer": optimizer}) for block in ("basic", "bottleneck")]
    with open(out, "w") as file:
        json.dump({"torch": torch.__version__, "cases": cases}, file)
        file.write("\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
