"""Images of unusual kinds, and what torchvision's ImageFolder makes of them: Image.open(file).convert("RGB"). test/fixtures/data/odd/.

Run with a Python that has Pillow and NumPy:

    python data-scripts/golden/odd_images.py
"""
import base64
import json
import pathlib
import struct
import zlib

import numpy as np
import PIL
from PIL import Image

out = pathlib.Path(__file__).resolve().parents[2] / "test" / "fixtures" / "data" / "odd"
out.mkdir(parents=True, exist_ok=True)

W, H = 8, 5
y, x = np.mgrid[0:H, 0:W]
smooth = np.stack([x * 30 + 10, y * 50 + 5, 250 - x * 20 - y * 10], -1).astype(np.uint8)


def png(file, width, height, depth, colour, rows, chunks=()):
    """A PNG written by hand, where PIL cannot write the kind. `rows` are the raw bytes of each row."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    for kind, body in chunks:
        data += chunk(kind, body)
    (out / file).write_bytes(data + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows), 9)) + chunk(b"IEND", b""))


# Four inks, with Adobe's marker (as PIL and Photoshop write them) and without.
cmyk = Image.fromarray(np.stack([x * 30, y * 50, 200 - x * 20, x * 4 + y * 10], -1).astype(np.uint8), "CMYK")
cmyk.resize((32, 24), Image.BILINEAR).save(out / "cmyk.jpg", quality=95, subsampling=0)
data = (out / "cmyk.jpg").read_bytes()
at = data.index(b"\xff\xee")
(out / "cmyk-without-adobe.jpg").write_bytes(data[:at] + data[at + 2 + struct.unpack(">H", data[at + 2 : at + 4])[0] :])
cmyk.save(out / "cmyk.tif")

# 16 bits: grey, grey with alpha, RGB, RGB with alpha.
deep = (np.stack([x * 9000 + 300, y * 13000 + 77, 65000 - x * 5000, x * 8000 + 900], -1)).astype(">u2")
deep[0, 0] = [3, 255, 256, 65535]
deep[0, 1] = [128, 300, 65280, 0]
png("grey-16.png", W, H, 16, 0, [deep[i, :, 0].tobytes() for i in range(H)])
png("grey-alpha-16.png", W, H, 16, 4, [deep[i, :, :2].tobytes() for i in range(H)])
png("rgb-16.png", W, H, 16, 2, [deep[i, :, :3].tobytes() for i in range(H)])
png("rgba-16.png", W, H, 16, 6, [deep[i].tobytes() for i in range(H)])
Image.fromarray(deep[..., 0].astype(np.uint16)).save(out / "grey-16.tif")

# Fewer bits, and transparency that is no alpha channel.
png("grey-2.png", W, H, 2, 0, [bytes([0b00011011, 0b11100100])] * H)
png("grey-4.png", W, H, 4, 0, [bytes([0x01, 0x5A, 0xF0, 0x77])] * H)
png("grey-transparent.png", W, H, 8, 0, [smooth[i, :, 0].tobytes() for i in range(H)], [(b"tRNS", struct.pack(">H", int(smooth[0, 0, 0])))])
png("rgb-transparent.png", W, H, 8, 2, [smooth[i].tobytes() for i in range(H)], [(b"tRNS", struct.pack(">HHH", *map(int, smooth[0, 0])))])
palette = bytes([10, 20, 30, 200, 100, 50, 5, 250, 7, 90, 90, 90])
png("palette-transparent.png", W, H, 8, 3, [bytes((i + j) % 4 for j in range(W)) for i in range(H)], [(b"PLTE", palette), (b"tRNS", bytes([0, 128, 255]))])

# Animations: the first picture counts.
frames = [Image.fromarray(np.roll(smooth, k, axis=1)).convert("P", palette=Image.ADAPTIVE, colors=16) for k in range(3)]
frames[0].save(out / "animated.gif", save_all=True, append_images=frames[1:], duration=50, loop=0)
frames[0].save(out / "animated-transparent.gif", save_all=True, append_images=frames[1:], duration=50, transparency=3, disposal=2)
rgb = [Image.fromarray(np.roll(smooth, k, axis=1)) for k in range(3)]
rgb[0].save(out / "animated.webp", save_all=True, append_images=rgb[1:], lossless=True, duration=50)
rgb[0].save(out / "animated.png", save_all=True, append_images=rgb[1:], duration=50)

# One pixel; turned by EXIF in each of the eight ways (all stay as they are stored); an image in a file of another ending.
Image.fromarray(smooth[:1, :1]).save(out / "one-pixel.png")
Image.fromarray(smooth[:1, :1]).save(out / "one-pixel.jpg", quality=90)
for orientation in (3, 8):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(smooth).resize((24, 16)).save(out / f"turned-{orientation}.jpg", quality=90, exif=exif)
Image.fromarray(smooth).save(out / "png-called.jpg", format="png")
Image.fromarray(smooth[..., 0]).save(out / "grey.pgm")
Image.fromarray(smooth).save(out / "rgb.ppm")

entries = {}
for file in sorted(out.iterdir()):
    if file.suffix == ".json":
        continue
    with open(file, "rb") as f:  # as torchvision's pil_loader
        image = Image.open(f).convert("RGB")
    entries[file.name] = {"width": image.width, "height": image.height, "pixels": base64.b64encode(np.asarray(image).tobytes()).decode()}

# What ImageFolder refuses: too many pixels (a decompression bomb), and what is no image.
refused = {"bombPixels": 2 * Image.MAX_IMAGE_PIXELS}
with open(out / "pil.json", "w") as f:
    json.dump({"pillow": PIL.__version__, "images": entries, **refused}, f, indent=1)
    f.write("\n")
