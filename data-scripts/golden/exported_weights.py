"""Exported weights of runs, loaded by PyTorch: torchvision's networks take them strictly, and give the kit's logits on a photograph.

    python data-scripts/golden/exported_weights.py          (after `npm run setup`; needs torch, torchvision, safetensors and pillow)

For ResNet-50 and MobileNetV2: an epoch of RIFLE on pieces of the test's photographs from the shell, its weights kept, `rifle runs export`, then
`load_state_dict(strict=True)` in torchvision's own model and the logits of both on `chelsea-224.png`. Exit code 1 where one differs by more
than 1e-4. Without torch the same is held to torchvision's names, shapes and golden logits: test/runs/export/export.test.ts.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torchvision import models

ROOT = pathlib.Path(__file__).resolve().parents[2]
PHOTOGRAPHS = {name: ROOT / "test/fixtures/backbones" / f"{name}-224.png" for name in ("chelsea", "coffee")}
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
TOLERANCE = 1e-4

KIT_LOGITS = """
const { backbones, tf } = require(process.argv[1]);
const [id, weights, classes, pixels] = process.argv.slice(2);
backbones.load(id, { classes: Number(classes), weights }).then((network) => {
  const images = tf.tensor4d(new Int32Array(require('fs').readFileSync(pixels)), [1, 224, 224, 3], 'int32');
  console.log(JSON.stringify([...network.forward(images, { training: false }).logits.dataSync()]));
});
"""


def node(*arguments):
    return subprocess.run(["node", *map(str, arguments)], cwd=ROOT, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout


def rifle(*arguments):
    return json.loads(node(ROOT / "dist/src/cli/main.js", *arguments, "--json"))


def make_folder(folder):
    for name, file in PHOTOGRAPHS.items():
        photograph = Image.open(file).convert("RGB")
        for split, count in (("train", 4), ("test", 2)):
            (folder / split / name).mkdir(parents=True)
            for i in range(count):
                place = 20 * i + (split == "test") * 90
                photograph.crop((place, place, place + 64, place + 64)).save(folder / split / name / f"{i}.png")


def main():
    worst = 0.0
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        make_folder(scratch / "images")
        photograph = np.asarray(Image.open(PHOTOGRAPHS["chelsea"]).convert("RGB"))
        (scratch / "pixels").write_bytes(photograph.tobytes())
        for id, make in {"resnet50.tv_in1k": models.resnet50, "mobilenet_v2.tv_in1k": models.mobilenet_v2}.items():
            record = rifle("train", "--dataset", scratch / "images", "--backbone", id, "--weights", "random", "--method", "rifle", "--learning-rate", "0.001", "--image-size", "64", "--batch-size", "4", "--epochs", "2", "--keep-weights", "--runs", scratch / "runs")
            out = scratch / f"{id}.safetensors"
            rifle("runs", "export", record["id"], "--runs", scratch / "runs", "--out", out)
            model = make(num_classes=2).eval()
            print(id, model.load_state_dict(load_file(out), strict=True))
            x = torch.tensor(photograph).permute(2, 0, 1)[None] / 255
            x = (x - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
            with torch.no_grad():
                theirs = model(x)[0].tolist()
            ours = json.loads(node("-e", KIT_LOGITS, ROOT / "dist/src/index.js", id, out, 2, scratch / "pixels"))
            difference = max(abs(a - b) for a, b in zip(ours, theirs))
            worst = max(worst, difference)
            print(f"  torch {torch.__version__}: {theirs}\n  rifle-kit:  {ours}\n  largest difference {difference:.2g}")
    sys.exit(worst > TOLERANCE)


if __name__ == "__main__":
    main()
