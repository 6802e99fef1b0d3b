"""Golden values of image decoding and resizing, made by PIL: test/fixtures/data/.

Run with a Python that has Pillow and NumPy, and a folder that holds chelsea.png and rocket.jpg of the scikit-image
package (skimage/data; a cat, CC0 by S. van der Walt, and a rocket that SpaceX put into the public domain):

    python data-scripts/golden/pil_resize.py SKIMAGE_DATA_FOLDER
"""
import base64
import hashlib
import json
import pathlib
import shutil
import sys

import numpy as np
import PIL
from PIL import Image

source = pathlib.Path(sys.argv[1])
out = pathlib.Path(__file__).resolve().parents[2] / "test" / "fixtures" / "data"
out.mkdir(parents=True, exist_ok=True)


def sha256(image):
    return hashlib.sha256(np.asarray(image, dtype=np.uint8).tobytes()).hexdigest()


def noise(width, height, seed):
    """RGB noise from a linear congruential generator that the test repeats: x <- 1664525 x + 1013904223 mod 2^32, byte x >> 24."""
    x, values = seed, np.empty(width * height * 3, np.uint8)
    for i in range(len(values)):
        x = (1664525 * x + 1013904223) & 0xFFFFFFFF
        values[i] = x >> 24
    return Image.fromarray(values.reshape(height, width, 3), "RGB")


def short_side(image, size):
    """torchvision's Resize(size): the long side is truncated."""
    w, h = image.size
    return (size, int(size * h / w)) if w <= h else (int(size * w / h), size)


cat = Image.open(source / "chelsea.png").convert("RGB")
rocket = Image.open(source / "rocket.jpg").convert("RGB")

# 1. Resizing of exactly known pixels: lossless files and noise.
cat.crop((150, 80, 247, 141)).save(out / "cat-97x61.png", optimize=True)
cat.crop((180, 60, 230, 135)).convert("L").save(out / "cat-grey-50x75.png", optimize=True)
resizes = []


def add_resize(name, image, width, height):
    result = image.resize((width, height), Image.BILINEAR)
    resizes.append({"input": name, "width": width, "height": height, "sha256": sha256(result), "first": np.asarray(result).ravel()[:12].tolist()})


for name in ["cat-97x61.png", "cat-grey-50x75.png"]:
    image = Image.open(out / name).convert("RGB")
    w, h = image.size
    for size in [(w, h), (w * 2 + 3, h * 2 + 1), (w, 17), (31, h), (20, 13), (1, 1), (7, 200), (200, 7), (w - 1, h - 1), (w + 1, h + 1), short_side(image, 32), short_side(image, 110)]:
        add_resize(name, image, *size)
for width, height, seed, sizes in [
    (500, 375, 1, [256, 224, 110, 60]),
    (333, 501, 2, [256, 96, 511]),
    (300, 300, 3, [256, 110, 64]),
    (1203, 777, 4, [256, 33]),
    (300, 701, 8, [256, 64]),  # tall: Pillow 13 shrinks its height first
    (3, 2, 5, [1, 2, 5, 64]),
    (1, 1, 6, [1, 3]),
]:
    image = noise(width, height, seed)
    for size in sizes:
        add_resize(f"noise-{width}x{height}-{seed}", image, *short_side(image, size))

# 2. Decoding: JPEGs of several kinds whose decoded pixels are kept as PNG.
shutil.copy(source / "rocket.jpg", out / "rocket.jpg")
small = cat.crop((120, 60, 221, 127))
jpegs = {
    "cat-420.jpg": (small, dict(quality=85, subsampling="4:2:0")),
    "cat-444-progressive.jpg": (small, dict(quality=92, subsampling="4:4:4", progressive=True)),
    "cat-grey.jpg": (small.convert("L"), dict(quality=80)),
}
decoded = []
for name, (image, options) in jpegs.items():
    image.save(out / name, **options)
    pixels = Image.open(out / name).convert("RGB")
    expected = name.replace(".jpg", "-decoded.png")
    (pixels.convert("L") if image.mode == "L" else pixels).save(out / expected, optimize=True)
    decoded.append({"file": name, "expected": expected, "sha256": sha256(pixels)})
decoded.append({"file": "rocket.jpg", "expected": None, "width": rocket.width, "height": rocket.height, "sha256": sha256(rocket)})

# 3. From the file to the resized image.
ends = []
for name, size in [("rocket.jpg", 48), ("rocket.jpg", 61), ("cat-420.jpg", 40), ("cat-420.jpg", 90), ("cat-grey.jpg", 33)]:
    image = Image.open(out / name).convert("RGB")
    result = image.resize(short_side(image, size), Image.BILINEAR)
    expected = f"{name.split('.')[0]}-short-{size}.png"
    (result.convert("L") if "grey" in name else result).save(out / expected, optimize=True)
    ends.append({"file": name, "shortSide": size, "expected": expected, "sha256": sha256(result)})

# 4. Other kinds of files, as convert("RGB") sees them.
tiny = noise(8, 5, 7)
alpha = tiny.copy()
alpha.putalpha(Image.fromarray((np.arange(40, dtype=np.uint8) * 6).reshape(5, 8)))
kinds = {
    "rgba.png": (alpha, {}),
    "grey-alpha.png": (alpha.convert("LA"), {}),
    "palette.png": (tiny.convert("P", palette=Image.ADAPTIVE, colors=16), {}),
    "bilevel.png": (tiny.convert("1"), {}),
    "lossless.webp": (tiny, dict(lossless=True)),
    "lossless.tif": (tiny, {}),
    "one.gif": (tiny.convert("P", palette=Image.ADAPTIVE, colors=16), {}),
}
others = []
for name, (image, options) in kinds.items():
    image.save(out / name, **options)
    pixels = np.asarray(Image.open(out / name).convert("RGB"))
    others.append({"file": name, "pixels": base64.b64encode(pixels.tobytes()).decode()})

# An image turned by EXIF stays as it is stored.
exif = Image.Exif()
exif[0x0112] = 6
small.resize((24, 16)).save(out / "turned.jpg", quality=90, exif=exif)
pixels = np.asarray(Image.open(out / "turned.jpg").convert("RGB"))
others.append({"file": "turned.jpg", "pixels": base64.b64encode(pixels.tobytes()).decode()})

with open(out / "pil.json", "w") as file:
    json.dump({"pillow": PIL.__version__, "resizes": resizes, "decoded": decoded, "ends": ends, "others": others}, file, indent=1)
    file.write("\n")
