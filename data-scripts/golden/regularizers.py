"""Golden values of DELTA, BSS and L2-SP by PyTorch, for test/transfer/regularizers/regularizers.test.ts.

    python data-scripts/golden/regularizers.py test/fixtures/transfer/regularizers.json

The network is the first of resnet_steps.py. w0 are its starting weights; the present weights are w0 (1 + 0.1 wave(500 + p, i)), statistics
excepted, all in float64. On step 0's batch, network in training mode, source network (w0) in evaluation mode:

    delta, deltaUniform   alpha / 2 mean over images of sum over stages and channels of C w_c |F_c - F0_c|^2 / (height width) + beta / 2 |head|^2,
                          F the outputs of layer1 and layer2; w_c proportional to 1 + c (c from 0), or 1 / C
    bss                   eta times the sum of the k smallest squared singular values of the pooled features [batch, features]
    l2sp                  alpha / 2 |w - w0|^2 over the trunk + beta / 2 |head|^2

Each: {the settings, penalty, gradientNorms of mean cross entropy + penalty by parameter}.
"""
import json
import sys

import torch
from torch import nn
from resnet_steps import BasicBlock, SmallResNet, batch_of, digits, fresh, kind_of, norms_of, penalty_of, wave

CASE = {"block": "basic", "layers": [1, 1], "width": 8, "classes": 5, "size": 32, "batch": 4}
STAGES = ["layer1", "layer2"]


def outputs_of(model, images):
    """Logits, stage outputs and pooled features."""
    seen = {}
    hooks = [getattr(model, name).register_forward_hook(lambda _m, _i, out, name=name: seen.update({name: out})) for name in STAGES]
    logits = model(images)
    for hook in hooks:
        hook.remove()
    return logits, [seen[name] for name in STAGES], seen[STAGES[-1]].mean((2, 3))


def head_decay(model, beta):
    return beta / 2 * (model.fc.weight.square().sum() + model.fc.bias.square().sum())


def delta(model, maps, before, alpha, beta, weights_of):
    total = 0
    for f, f0 in zip(maps, before):
        batch, channels, height, width = f.shape
        distance = (f - f0).square().sum((2, 3)) / (height * width)
        total = total + (channels * weights_of(channels) * distance).sum() / batch
    return alpha / 2 * total + head_decay(model, beta)


def main(out):
    shapes = SmallResNet(BasicBlock, CASE["layers"], CASE["width"], CASE["classes"]).state_dict()
    tensors = [{"name": n, "shape": list(t.shape), "kind": kind_of(n, t)} for n, t in shapes.items() if not n.endswith("num_batches_tracked")]
    places = {t["name"]: p for p, t in enumerate(tensors)}
    source = fresh(CASE, tensors).eval()
    start = {n: p.detach().clone() for n, p in source.named_parameters()}
    images, labels = batch_of(0, CASE)
    with torch.no_grad():
        _, before, _ = outputs_of(source, images)

    def case(settings, penalty):
        model = fresh(CASE, tensors).train()
        with torch.no_grad():
            for name, p in model.named_parameters():
                factor = 1 + 0.1 * torch.from_numpy(wave(500 + places[name], p.numel())).reshape(p.shape)
                p.copy_((p * factor).float().double())
        logits, maps, features = outputs_of(model, images)
        value = penalty(model, maps, features)
        gradients = torch.autograd.grad(nn.functional.cross_entropy(logits, labels) + value, list(model.parameters()))
        return settings | {"penalty": digits(value.detach()), "gradientNorms": norms_of(gradients, model)}

    def rising(channels):
        w = torch.arange(1, channels + 1, dtype=torch.float64)
        return w / w.sum()

    a, b, eta = 0.3, 0.02, 0.5
    result = {
        "torch": torch.__version__,
        "delta": case({"alpha": a, "beta": b}, lambda m, maps, _: delta(m, maps, before, a, b, rising)),
        "deltaUniform": case({"alpha": a, "beta": b}, lambda m, maps, _: delta(m, maps, before, a, b, lambda c: torch.full((c,), 1 / c, dtype=torch.float64))),
        "bss": [case({"eta": eta, "k": k}, lambda _m, _maps, features: eta * torch.linalg.svdvals(features)[-k:].square().sum()) for k in (1, 2)],
        "l2sp": case({"alpha": a, "beta": b}, lambda m, _maps, _f: penalty_of(m, start, a, b)),
    }
    with open(out, "w") as file:
        json.dump(result, file)
        file.write("\n")
    print({k: v.get("penalty") if isinstance(v, dict) else v for k, v in result.items() if k != "bss"}, [v["penalty"] for v in result["bss"]])


if __name__ == "__main__":
    main(*sys.argv[1:])
