"""The kernels of TensorFlow's GPU library, as it tells them itself, for bench/placement.ts. It needs no card.

    RIFLE_DEVICE=gpu npm run setup -- --only library
    python data-scripts/gpu/kernels.py node_modules/@tensorflow/tfjs-node-gpu/deps/lib bench/gpu-kernels.json

TF_GetAllRegisteredKernels of the C API gives a KernelList (tensorflow/core/framework/kernel_def.proto): op, device, the types that each attribute may
have, and the arguments that lie in host memory. Written down: ops that have a kernel for a GPU (or for any device) or for a CPU,
for the types that the kit's graphs hold; kernels that are only taken by a label, or for a compiler, are left out.

    {"tensorflow": version, "kernels": {op: {"gpu": [kernel, ...], "cpu": [...]}}}

A kernel is "T=float32 Tidx=int32 @reduction_indices": attributes with their type, and after @ an argument in host memory. One for any device stands
under both.
"""
import ctypes
import json
import pathlib
import sys

TYPES = {1: "float32", 3: "int32", 4: "uint8", 10: "bool", 14: "bfloat16", 19: "float16", 20: "resource"}
DEVICES = {"GPU": ["gpu"], "CPU": ["cpu"], "DEFAULT": ["gpu", "cpu"]}


class Buffer(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("length", ctypes.c_size_t), ("deallocator", ctypes.c_void_p)]


def kernel_list(folder):
    """The library's version and the bytes of its KernelList."""
    library = ctypes.CDLL(str(folder / "libtensorflow_cc.so.2"), mode=ctypes.RTLD_GLOBAL)
    library.TF_Version.restype = ctypes.c_char_p
    library.TF_NewStatus.restype = ctypes.c_void_p
    library.TF_GetCode.argtypes = [ctypes.c_void_p]
    library.TF_GetAllRegisteredKernels.argtypes = [ctypes.c_void_p]
    library.TF_GetAllRegisteredKernels.restype = ctypes.POINTER(Buffer)
    status = library.TF_NewStatus()
    buffer = library.TF_GetAllRegisteredKernels(status).contents
    assert library.TF_GetCode(status) == 0
    return library.TF_Version().decode(), ctypes.string_at(buffer.data, buffer.length)


def varints(content):
    value = shift = 0
    for byte in content:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            yield value
            value = shift = 0


def fields(content):
    """Pairs (number, value) of a protocol buffer's message: an int or bytes."""
    place = 0

    def varint():
        nonlocal place
        end = place
        while content[end] >= 128:
            end += 1
        start, place = place, end + 1
        return next(varints(content[start:place]))

    while place < len(content):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        else:
            assert key & 7 == 2, key
            length = varint()
            yield key >> 3, content[place : place + length]
            place += length


def types_of(constraint):
    """An attribute's name and the numbers of the types that it may have (AttrConstraint)."""
    name, numbers = "", []
    for number, value in fields(constraint):
        if number == 1:
            name = value.decode()
        else:
            for _, allowed in fields(value):
                for kind, types in fields(allowed):
                    if kind == 6:
                        numbers += varints(types) if isinstance(types, bytes) else [types]
    return name, numbers


def kernel_of(definition):
    op, device, label, constraints, host = "", "", "", {}, []
    for number, value in fields(definition):
        if number == 1:
            op = value.decode()
        elif number == 2:
            device = value.decode()
        elif number == 3:
            name, numbers = types_of(value)
            constraints[name] = numbers
        elif number == 4:
            host.append("@" + value.decode())
        elif number == 5:
            label = value.decode()
    return op, device, label, constraints, host


def texts(constraints, host):
    """One text for each choice of types that the kit has."""
    choices = [[]]
    for name in sorted(constraints):
        choices = [[*rest, f"{name}={TYPES[number]}"] for rest in choices for number in constraints[name] if number in TYPES]
    return [" ".join(choice + sorted(set(host))) for choice in choices]


def main(folder, target):
    version, content = kernel_list(pathlib.Path(folder))
    found = {}
    for _, definition in fields(content):
        op, device, label, constraints, host = kernel_of(definition)
        if label or device not in DEVICES:
            continue
        for name in DEVICES[device]:
            found.setdefault(op, {"gpu": set(), "cpu": set()})[name].update(texts(constraints, host))
    kernels = {op: {device: sorted(all_of) for device, all_of in devices.items()} for op, devices in sorted(found.items()) if any(devices.values())}
    lines = [f"    {json.dumps(op)}: {json.dumps(devices)}" for op, devices in kernels.items()]
    pathlib.Path(target).write_text(f'{{\n  "tensorflow": {json.dumps(version)},\n  "kernels": {{\n' + ",\n".join(lines) + "\n  }\n}\n")
    print(f"TensorFlow {version}: {len(kernels)} ops, {sum(bool(devices['gpu']) for devices in kernels.values())} with a kernel for a GPU")


if __name__ == "__main__":
    main(*sys.argv[1:])
