"""The PyTorch program of `npm run bench -- predict`: ImageFolder, DataLoader, no_grad, as such scripts are written.

    python pytorch_predict.py FOLDER WEIGHTS CLASSES IMAGE_SIZE RESIZE_SIZE BATCH ROUNDS LAYOUT

timm's EfficientNet-Lite0 with the kit's weights file. One worker process a core; workers and network are warm before the
first timed round. LAYOUT is `contiguous` or `channels-last`. Prints {"versions", "seconds": [of each round], "images"}.
"""
import json
import sys
import time

import torch

from protocol import THREADS, absent

try:
    import timm
    import torchvision
    from torchvision import transforms
except ImportError as missing:
    absent(f"this Python does not have {missing.name}")

from pytorch_experiment import network

folder, weights, *numbers, layout = sys.argv[1:]
classes, size, resize, batch, rounds = map(int, numbers)
torch.set_num_threads(THREADS)
steps = [transforms.Resize(resize), transforms.CenterCrop(size), transforms.ToTensor(), transforms.Normalize([127 / 255] * 3, [128 / 255] * 3)]
data = torchvision.datasets.ImageFolder(folder, transforms.Compose(steps))
batches = torch.utils.data.DataLoader(data, batch, num_workers=THREADS, persistent_workers=True)
form = torch.channels_last if layout == "channels-last" else torch.contiguous_format
model = network(weights, classes).eval().to(memory_format=form)


def predict():
    answers = []
    with torch.no_grad():
        for x, _ in batches:
            answers.extend(model(x.to(memory_format=form)).softmax(1).max(1).indices.tolist())
    return len(answers)


images, seconds = predict(), []
for _ in range(rounds):
    began = time.perf_counter()
    predict()
    seconds.append(time.perf_counter() - began)
versions = {"python": sys.version.split()[0], "torch": torch.__version__, "torchvision": torchvision.__version__, "timm": timm.__version__}
print(json.dumps({"versions": versions, "images": images, "seconds": seconds}))
