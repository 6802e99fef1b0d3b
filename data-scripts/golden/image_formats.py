"""BMP, portable maps, TIFF and AVIF as PIL reads them: Image.open(file).convert("RGB"). test/fixtures/data/formats/.

Run with a Python that has Pillow (with AVIF) and NumPy:

    python data-scripts/golden/image_formats.py
"""
import base64
import json
import pathlib
import struct

import numpy as np
import PIL
from PIL import Image, TiffImagePlugin

out = pathlib.Path(__file__).resolve().parents[2] / "test" / "fixtures" / "data" / "formats"
out.mkdir(parents=True, exist_ok=True)
for old in out.iterdir():
    old.unlink()

W, H = 9, 5
y, x = np.mgrid[0:H, 0:W]
rgb = np.stack([x * 28 + 3, y * 50 + 5, 250 - x * 20 - y * 10], -1).astype(np.uint8)
image = Image.fromarray(rgb)
grey = Image.fromarray(rgb[..., 0])
colours = image.convert("P", palette=Image.ADAPTIVE, colors=16)


def bmp(name, bits, rows, *, header=40, compression=0, palette=b"", masks=b"", height=H, width=W):
    """A bitmap written by hand. `rows` are all bytes of the pixels, in the order of the file."""
    if header == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        info = struct.pack("<IiiHHIIIIII", header, width, height, 1, bits, compression, len(rows), 0, 0, len(palette) // 4, 0)
        if header > 40:
            info = (info + masks).ljust(header, b"\0")
            masks = b""
    at = 14 + len(info) + len(masks) + len(palette)
    (out / name).write_bytes(struct.pack("<2sIHHI", b"BM", at + len(rows), 0, 0, at) + info + masks + palette + rows)


def padded(row):
    return row.ljust(-(-len(row) // 4) * 4, b"\0")


grey.convert("1").save(out / "bits-1.bmp")
grey.save(out / "grey.bmp")
colours.save(out / "palette.bmp")
image.save(out / "rgb.bmp")
image.convert("RGBA").save(out / "rgba.bmp")
upside = rgb[::-1]
palette4 = b"".join(bytes([b, g, r, 0]) for r, g, b in [(i * 16, 255 - i * 9, i * i) for i in range(16)])
indices = (x + y * 3) % 16
nibbles = [bytes(int(row[i]) << 4 | (int(row[i + 1]) if i + 1 < W else 0) for i in range(0, W, 2)) for row in indices[::-1]]
bmp("palette-4.bmp", 4, b"".join(map(padded, nibbles)), palette=palette4)
bmp("palette-few.bmp", 8, b"".join(padded(bytes((row * 3 % 40).astype(np.uint8))) for row in indices[::-1]), palette=palette4)
bmp("top-down.bmp", 24, b"".join(padded(row[:, ::-1].tobytes()) for row in rgb), height=-H)
bmp("core.bmp", 24, b"".join(padded(row[:, ::-1].tobytes()) for row in upside), header=12)
five = [(row.astype(np.uint16) >> 3) for row in upside]
b555 = b"".join(padded((r[:, 0] << 10 | r[:, 1] << 5 | r[:, 2]).astype("<u2").tobytes()) for r in five)
b565 = b"".join(padded(((r[:, 0].astype(np.uint16) >> 3) << 11 | (r[:, 1].astype(np.uint16) >> 2) << 5 | r[:, 2].astype(np.uint16) >> 3).astype("<u2").tobytes()) for r in upside)
bmp("555.bmp", 16, b555)
bmp("565.bmp", 16, b565, compression=3, masks=struct.pack("<III", 0xF800, 0x7E0, 0x1F))
wide = [np.concatenate([row[:, ::-1], np.full((W, 1), 7, np.uint8)], 1).tobytes() for row in upside]
bmp("32.bmp", 32, b"".join(wide))
xbgr = b"".join(np.concatenate([np.full((W, 1), 7, np.uint8), row[:, ::-1]], 1).tobytes() for row in upside)
bmp("32-fields.bmp", 32, xbgr, compression=3, masks=struct.pack("<III", 0xFF000000, 0xFF0000, 0xFF00))
rgba = b"".join(np.concatenate([row, np.full((W, 1), 200, np.uint8)], 1).tobytes() for row in upside)
bmp("v5-fields.bmp", 32, rgba, header=124, compression=3, masks=struct.pack("<IIII", 0xFF, 0xFF00, 0xFF0000, 0xFF000000))
rle8 = bytes([9, 3, 0, 0, 4, 1, 5, 2, 0, 0, 0, 5, 1, 2, 3, 4, 5, 0, 4, 9, 0, 0, 0, 2, 3, 1, 6, 8, 0, 0, 12, 7, 0, 1])
bmp("rle-8.bmp", 8, rle8 + bytes([0, 0, 9, 9, 0, 1]), compression=1, palette=palette4)
bmp("rle-8-whole.bmp", 8, bytes([9, 3, 0, 0, 4, 1, 5, 2, 0, 0, 0, 5, 1, 2, 3, 4, 5, 0, 4, 9, 0, 0, 12, 7, 0, 0, 9, 4, 0, 1]), compression=1, palette=palette4)
bmp("rle-4.bmp", 4, bytes([9, 0x3A, 0, 0, 4, 0x17, 5, 0x2C, 0, 0, 0, 5, 0x12, 0x34, 0x50, 0, 4, 0x9B, 0, 0, 0, 2, 2, 0, 7, 0x8E, 0, 0, 9, 0x4D, 0, 1]), compression=2, palette=palette4)
bmp("cut.bmp", 24, b"".join(padded(row[:, ::-1].tobytes()) for row in upside)[:-20])
bmp("odd-fields.bmp", 32, rgba, compression=3, masks=struct.pack("<III", 0xFF000, 0xFF00, 0xFF))
bmp("bits-2.bmp", 2, b"\x1b\0\0\0" * H, palette=palette4[:16])


def text(rows):
    return b"\n".join(b" ".join(b"%d" % v for v in row) for row in rows)


(out / "p1.pbm").write_bytes(b"P1 # a comment\n%d %d\n" % (W, H) + b"\n".join(bytes(48 + v % 2 for v in row) for row in indices))
grey.convert("1").save(out / "p4.pbm")
(out / "p2.pgm").write_bytes(b"P2\n%d %d\n100\n" % (W, H) + text(rgb[..., 0] % 101) + b"\n")
(out / "p2-deep.pgm").write_bytes(b"P2\n%d %d # size\n1000\n" % (W, H) + text(rgb[..., 0].astype(int) * 3) + b"\n")
(out / "p3.ppm").write_bytes(b"P3\n%d %d\n255\n" % (W, H) + text(rgb.reshape(H, -1)))
(out / "p3-2.ppm").write_bytes(b"P3\n%d %d\n2\n" % (W, H) + text(rgb.reshape(H, -1) % 3) + b"\n")
(out / "p5-100.pgm").write_bytes(b"P5\n%d %d\n100\n" % (W, H) + (rgb[..., 0] % 120).tobytes())
(out / "p5-deep.pgm").write_bytes(b"P5\n%d %d\n65535\n" % (W, H) + (rgb[..., 0].astype(">u2") * 2).tobytes())
(out / "p5-1000.pgm").write_bytes(b"P5\n%d %d\n1000\n" % (W, H) + (rgb[..., 0].astype(">u2") * 3).tobytes())
(out / "p6.ppm").write_bytes(b"P6#c\n%d %d #d\n255\n" % (W, H) + rgb.tobytes())
(out / "p6-comment.ppm").write_bytes(b"P6\n# by hand\n%d %d\n255\n" % (W, H) + rgb.tobytes())
(out / "p6-1000.ppm").write_bytes(b"P6\n%d %d\n1000\n" % (W, H) + (rgb.astype(">u2") * 3).tobytes())
(out / "cut.ppm").write_bytes(b"P6\n%d %d\n255\n" % (W, H) + rgb.tobytes()[:-1])
(out / "cut-text.ppm").write_bytes(b"P3\n%d %d\n255\n" % (W, H) + text(rgb.reshape(H, -1)[:-1]))

for orientation in range(1, 9):
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[274] = orientation
    image.save(out / f"turned-{orientation}.tif", tiffinfo=tags, compression="tiff_lzw" if orientation % 2 else None)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.kron(rgb, np.ones((8, 8, 1), np.uint8))).save(out / f"turned-{orientation}.avif", exif=exif, quality=100, subsampling="4:4:4", speed=10)
for compression in ["tiff_deflate", "tiff_adobe_deflate", "packbits", "lzma", "zstd"]:
    image.save(out / f"{compression}.tif", compression=compression)
image.resize((32, 24)).save(out / "jpeg.tif", compression="jpeg")
image.convert("YCbCr").save(out / "ycbcr.tif")
Image.frombytes("LAB", (W, H), rgb.tobytes()).save(out / "lab.tif")
image.convert("RGBA").save(out / "rgba.tif")
colours.save(out / "palette.tif")
grey.save(out / "grey.tif")
grey.convert("1").save(out / "group4.tif", compression="group4")
Image.fromarray(rgb[..., 0].astype(np.float32)).save(out / "float.tif")
Image.fromarray(rgb[..., 0].astype(np.int32)).save(out / "int32.tif")
Image.fromarray(rgb[..., 0].astype(np.uint16) * 3).save(out / "grey-16.tif")
image.save(out / "big.tif", big_tiff=True)
data = (out / "turned-2.tif").read_bytes()
for part in (50, 90, 99):
    (out / f"cut-{part}.tif").write_bytes(data[: len(data) * part // 100])


def tiff(name, fields, pixels):
    """A TIFF written by hand: one strip."""
    fields = {256: (3, [W]), 257: (3, [H]), 259: (3, [1]), 278: (3, [H]), 279: (4, [len(pixels)]), 273: (4, [0]), **fields}
    size = 8 + 2 + 12 * len(fields) + 4
    extra, entries = b"", b""
    code = {3: "H", 4: "I"}
    for tag in sorted(fields):
        kind, values = fields[tag]
        if tag == 273:
            values = [None] * len(values)
        entries += struct.pack("<HHI", tag, kind, len(values))
        if tag == 273:
            entries += b"STRP"
            continue
        packed = struct.pack("<%d%s" % (len(values), code[kind]), *values)
        if len(packed) <= 4:
            entries += packed.ljust(4, b"\0")
        else:
            entries += struct.pack("<I", size + len(extra))
            extra += packed
    entries = entries.replace(b"STRP", struct.pack("<I", size + len(extra)))
    (out / name).write_bytes(b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(fields)) + entries + b"\0\0\0\0" + extra + pixels)


tiff("rgb-16.tif", {258: (3, [16, 16, 16]), 262: (3, [2]), 277: (3, [3])}, (rgb.astype("<u2") * 257 + 5).tobytes())
tiff("white-is-zero.tif", {258: (3, [8]), 262: (3, [0]), 277: (3, [1])}, rgb[..., 0].tobytes())
tiff("signed.tif", {258: (3, [8]), 262: (3, [1]), 277: (3, [1]), 339: (3, [2])}, rgb[..., 0].tobytes())
tiff("associated-alpha.tif", {258: (3, [8] * 4), 262: (3, [2]), 277: (3, [4]), 338: (3, [1])}, np.concatenate([rgb // 2, np.full((H, W, 1), 128, np.uint8)], -1).tobytes())
tiff("grey-alpha.tif", {258: (3, [8] * 2), 262: (3, [1]), 277: (3, [2]), 338: (3, [2])}, rgb[..., :2].tobytes())
tiff("grey-4.tif", {258: (3, [4]), 262: (3, [1]), 277: (3, [1])}, b"".join(nibbles))
tiff("grey-2.tif", {258: (3, [2]), 262: (3, [1]), 277: (3, [1])}, bytes(range(3, 3 + 3 * H)))
tiff("palette-4.tif", {258: (3, [4]), 262: (3, [3]), 277: (3, [1]), 320: (3, [i * 4097 for i in range(16)] + [65535 - i * 4000 for i in range(16)] + [i * i * 256 for i in range(16)])}, b"".join(nibbles))

frames = Image.new("P", (12, 9), 1)
frames.putpalette([10, 20, 30, 200, 100, 50, 5, 250, 7])
frames.save(out / "small-first.gif")
data = bytearray((out / "small-first.gif").read_bytes())
data[6:10] = struct.pack("<HH", 20, 15)
(out / "small-first.gif").write_bytes(data)

entries = {}
for file in sorted(out.iterdir()):
    try:
        with open(file, "rb") as f:  # as torchvision's pil_loader
            got = Image.open(f).convert("RGB")
        entries[file.name] = {"width": got.width, "height": got.height, "pixels": base64.b64encode(np.asarray(got).tobytes()).decode()}
    except Exception as error:
        entries[file.name] = {"refused": str(error)}
with open(out / "pil.json", "w") as f:
    json.dump({"pillow": PIL.__version__, "images": entries}, f, indent=1)
    f.write("\n")
