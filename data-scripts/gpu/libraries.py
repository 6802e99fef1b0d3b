"""Whether TensorFlow's GPU library would find every library of CUDA that it opens, in a folder that the set-up has unpacked. It needs no card.

    RIFLE_DEVICE=gpu npm run setup -- --only library
    python data-scripts/gpu/libraries.py node_modules/@tensorflow/tfjs-node-gpu/deps

TensorFlow is linked with none of them: it opens them by name (tsl/platform/default/dso_loader.cc) along the RUNPATH of its two libraries, whose $ORIGIN is
the folder `lib`. For each name the first folder of the RUNPATH that holds it is told, and the file is loaded with all that it needs, every symbol
resolved. The driver's libcuda.so.1 alone may be missing. Exits 1 when anything else is. `readelf` (binutils) comes with the compiler.
"""
import ctypes
import pathlib
import re
import subprocess
import sys

OPENED = ["libcudart.so.12", "libcublas.so.12", "libcublasLt.so.12", "libcudnn.so.9", "libcufft.so.11", "libcusparse.so.12", "libcusolver.so.11", "libcupti.so.12", "libnccl.so.2"]
DRIVER = "libcuda.so.1"


def dynamic(file):
    """RUNPATH (each folder once, in order) and NEEDED of a library."""
    text = subprocess.run(["readelf", "-d", file], check=True, capture_output=True, text=True).stdout
    runpath = re.search(r"R(?:UN)?PATH\).*\[(.*)\]", text)
    folders = dict.fromkeys(filter(None, runpath[1].split(":"))) if runpath else {}
    origin = str(file.parent)
    return [pathlib.Path(folder.replace("$ORIGIN", origin)) for folder in folders], re.findall(r"NEEDED\).*\[(.*)\]", text)


def main(deps):
    lib = pathlib.Path(deps).resolve() / "lib"
    wrong = []
    for name in ["libtensorflow_framework.so.2", "libtensorflow_cc.so.2"]:
        _, needed = dynamic(lib / name)
        print(f"{name} is linked with {', '.join(needed)}")
    folders = [folder for name in ["libtensorflow_framework.so.2", "libtensorflow_cc.so.2"] for folder in dynamic(lib / name)[0]]
    for name in OPENED:
        found = next((folder / name for folder in folders if (folder / name).exists()), None)
        if found is None:
            wrong.append(name)
            print(f"{name}: in no folder of the RUNPATH")
            continue
        try:
            ctypes.CDLL(str(found), mode=ctypes.RTLD_GLOBAL)
            print(f"{name}: {found.resolve().relative_to(lib.parent)}, loads with all that it needs")
        except OSError as problem:
            print(f"{name}: {problem}")
            if DRIVER not in str(problem):
                wrong.append(name)
    # cuDNN and others open more of their own kind: each file is looked at, too.
    missing = set()
    for file in sorted((lib.parent / "nvidia").rglob("*.so*")):
        for line in subprocess.run(["ldd", file], capture_output=True, text=True).stdout.splitlines():
            if "not found" in line:
                missing.add((str(file.relative_to(lib.parent)), line.split()[0]))
    for file, name in sorted(missing):
        print(f"{file} does not find {name}")
        if name != DRIVER:
            wrong.append(name)
    sys.exit(f"not found: {', '.join(sorted(set(wrong)))}" if wrong else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
