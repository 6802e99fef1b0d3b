"""The PyTorch program of `npm run bench -- end-to-end`: fine-tuning and RIFLE over seeds, as a script of the paper's time is written.

    python pytorch_experiment.py PLAN.json

ImageFolder decodes every image in every epoch, in worker processes; the crop and the mirror are the kit's own; one evaluation after each
epoch; SGD with momentum and the authors' cosine. Kinder than most such scripts: one process for all runs, and workers that stay.
The network is timm's EfficientNet-Lite0 with the kit's weights file, whose tensors come in timm's order.
PLAN.json: {data, weights, imageSize, resizeSize, batchSize, testBatchSize, learningRate, momentum, weightDecay,
            runs: [{method, seed, epochs, resets}]}.
"""
import json
import math
import os
import sys

import torch

from protocol import THREADS, absent

try:
    import timm
    import torchvision
    from torchvision import transforms
except ImportError as missing:
    absent(f"this Python does not have {missing.name}")

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def network(weights, classes):
    model = timm.create_model("tf_efficientnet_lite0", drop_rate=0, drop_path_rate=0)
    tensors = [t for name, t in torch.load(weights, weights_only=True).items() if not name.endswith("num_batches_tracked")]
    names = [name for name in model.state_dict() if not name.endswith("num_batches_tracked")]
    missing, unexpected = model.load_state_dict(dict(zip(names, tensors, strict=True)), strict=False)
    assert not unexpected and all(name.endswith("num_batches_tracked") for name in missing)
    model.classifier = torch.nn.Linear(model.classifier.in_features, classes)
    return model.to(DEVICE)


def loaders(plan):
    normalise = transforms.Normalize([127 / 255] * 3, [128 / 255] * 3)
    resize, crop = transforms.Resize(plan["resizeSize"]), plan["imageSize"]
    train = [resize, transforms.RandomCrop(crop), transforms.RandomHorizontalFlip(), transforms.ToTensor(), normalise]
    test = [resize, transforms.CenterCrop(crop), transforms.ToTensor(), normalise]
    sets = {part: torchvision.datasets.ImageFolder(os.path.join(plan["data"], part), transforms.Compose(steps)) for part, steps in (("train", train), ("test", test))}
    options = {"num_workers": THREADS, "persistent_workers": True, "pin_memory": DEVICE == "cuda"}
    return (
        torch.utils.data.DataLoader(sets["train"], plan["batchSize"], shuffle=True, **options),
        torch.utils.data.DataLoader(sets["test"], plan["testBatchSize"], **options),
        len(sets["train"].classes),
    )


def evaluate(model, batches):
    model.eval()
    correct = images = 0
    with torch.no_grad():
        for x, y in batches:
            correct += (model(x.to(DEVICE)).argmax(1).cpu() == y).sum().item()
            images += len(y)
    return correct / images


def run(plan, seed, epochs, resets):
    torch.manual_seed(seed)
    train, test, classes = loaders(plan)
    model = network(plan["weights"], classes)
    optimizer = torch.optim.SGD(model.parameters(), plan["learningRate"], plan["momentum"], weight_decay=plan["weightDecay"])
    accuracy = None
    for epoch in range(epochs):
        for group in optimizer.param_groups:
            group["lr"] = plan["learningRate"] * 0.5 * (1 + math.cos(math.pi * epoch / epochs))
        model.train()
        for x, y in train:
            loss = torch.nn.functional.cross_entropy(model(x.to(DEVICE)), y.to(DEVICE))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        accuracy = evaluate(model, test)
        if epoch + 1 in resets:
            model.classifier.reset_parameters()
    return accuracy


def main():
    with open(sys.argv[1]) as file:
        plan = json.load(file)
    torch.set_num_threads(THREADS)
    results = [{"method": r["method"], "seed": r["seed"], "top1": run(plan, r["seed"], r["epochs"], r["resets"])} for r in plan["runs"]]
    versions = {"python": sys.version.split()[0], "torch": torch.__version__, "torchvision": torchvision.__version__, "timm": timm.__version__}
    print(json.dumps({"versions": versions, "results": results}))


if __name__ == "__main__":
    main()
