"""MAT-files for the test of src/data/readers/formats/mat.ts, and what is in them, written by SciPy: test/fixtures/data/mat/.

Run with a Python that has NumPy and SciPy:

    python data-scripts/golden/mat_files.py
"""
import json
import pathlib

import numpy as np
import scipy
from scipy.io import savemat

out = pathlib.Path(__file__).resolve().parents[2] / "test" / "fixtures" / "data" / "mat"
out.mkdir(parents=True, exist_ok=True)


def cell(values):
    """A column of cells."""
    array = np.empty((len(values), 1), dtype=object)
    for i, value in enumerate(values):
        array[i, 0] = value
    return array


# The variables of the lists of Stanford Dogs, Flowers-102 and Stanford Cars, small.
files = ["n02085620-Chihuahua/n02085620_10074.jpg", "n02085936-Maltese_dog/n02085936_233.jpg", "n02085936-Maltese_dog/x.jpg"]
dogs = {"file_list": cell(files), "labels": np.array([[1], [2], [2]], dtype=np.float64)}
flowers = {"labels": np.array([[77, 77, 1, 102, 3]], dtype=np.uint8), "trnid": np.array([[6765, 2, 5]], dtype=np.uint16)}
rows = [(1, 39, 116, 569, 375, 14, "00001.jpg"), (2, 36, 116, 868, 587, 3, "00002.jpg")]
fields = ["bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2", "weight", "class", "fname"]
annotations = np.zeros((1, len(rows)), dtype=[(name, object) for name in fields])
for i, row in enumerate(rows):
    for name, value in zip(fields, row):
        annotations[0, i][name] = value if isinstance(value, str) else np.array([[value]], dtype=np.uint16)
cars = {"annotations": annotations}

# Everything else that the format has.
kinds = {
    f"{np.dtype(kind).name}_row": np.array([[0, 1, np.iinfo(kind).max if np.issubdtype(kind, np.integer) else 1.5]], dtype=kind)
    for kind in (np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.float32, np.float64)
}
kinds |= {
    "matrix": np.arange(6, dtype=np.float64).reshape(2, 3),
    "word": "Citro\u00ebn \u20ac",
    "words": np.array(["one ", "four"]),
    "nothing": np.zeros((0, 0)),
    "nested": cell([cell(["deep"]), np.array([[1.0]])]),
    "truth": np.array([[True, False]]),
}

files_out = {}
for name, variables in {"dogs": dogs, "flowers": flowers, "cars": cars, "kinds": kinds}.items():
    for compressed in (False, True):
        file = f"{name}{'-packed' if compressed else ''}.mat"
        savemat(out / file, variables, do_compression=compressed)
        path = out / file  # without the date, so that the bytes are the same whenever this runs
        bytes_ = bytearray(path.read_bytes())
        bytes_[:116] = b"MATLAB 5.0 MAT-file, by mat_files.py".ljust(116)
        path.write_bytes(bytes_)


def plain(array):
    return [float(x) for x in np.asarray(array).ravel(order="F")]


expected = {
    "dogs": {"file_list": files, "labels": plain(dogs["labels"])},
    "flowers": {name: plain(value) for name, value in flowers.items()},
    "cars": {"annotations": [{name: value for name, value in zip(fields, row)} for row in rows]},
    "kinds": {name: plain(value) for name, value in kinds.items() if name.endswith("_row") or name in ("matrix", "nothing", "truth")},
}
with open(out / "expected.json", "w") as file:
    json.dump({"scipy": scipy.__version__, **expected}, file, indent=1)
    file.write("\n")
