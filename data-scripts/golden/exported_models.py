"""Exports of a run, loaded where they land: onnxruntime and timm give the run's own logits on every kept test image.

    python data-scripts/golden/exported_models.py FOLDER RUN DATASET [RUNS]

FOLDER holds `model.onnx` (`rifle runs export RUN --format onnx`) and, if timm has the backbone, `timm`
(`--format timm`). DATASET is the folder of the images. Needs onnxruntime, timm, torch, pillow and safetensors.
Images are decoded and resized by PIL, as the kit does it. Exit code 1 where a logit differs by more than 1e-3, or the
first class of an image is another one.
"""
import json
import pathlib
import sys

import numpy as np
import onnxruntime
from PIL import Image
from safetensors import safe_open

folder, run, dataset = map(pathlib.Path, sys.argv[1:4])
TOLERANCE = 1e-3
failed = False

with safe_open(run / "predictions.safetensors", "np") as kept:
    expected = kept.get_tensor("logits")
    files = json.loads(bytes(kept.get_tensor("files")))


def check(name, found):
    global failed
    difference = float(np.abs(found - expected).max())
    agree = int((found.argmax(1) == expected.argmax(1)).sum())
    failed |= difference > TOLERANCE or agree < len(files)
    print(f"{name}: {len(files)} images, largest difference of a logit {difference:.2e}, same class in {agree}")


session = onnxruntime.InferenceSession(str(folder / "model.onnx"))
card = json.loads(session.get_modelmeta().custom_metadata_map["rifle-kit"])
size, short = card["imageSize"], card["resizeSize"]


def square(file):
    image = Image.open(dataset / file).convert("RGB")
    w, h = image.size
    image = image.resize((short, int(short * h / w)) if w <= h else (int(short * w / h), short), Image.BILINEAR)
    left, top = (int(round((side - size) / 2)) for side in image.size)
    return np.asarray(image.crop((left, top, left + size, top + size)))


pixels = np.stack([square(file) for file in files])
logits, probabilities = session.run(["logits", "probabilities"], {"images": pixels})
check("onnxruntime", logits)
assert np.abs(probabilities.sum(1) - 1).max() < 1e-5

if (folder / "timm").is_dir():
    import timm
    import torch

    model = timm.create_model(f"local-dir:{folder / 'timm'}", pretrained=True).eval()
    config = timm.data.resolve_data_config(model=model)
    transform = timm.data.create_transform(**config)
    assert model.pretrained_cfg["label_names"] == card["classes"]
    with torch.no_grad():
        images = [transform(Image.open(dataset / file).convert("RGB")) for file in files]
        check("timm, with its own transform", model(torch.stack(images)).numpy())

sys.exit(failed)
