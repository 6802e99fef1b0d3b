"""The contender's side of `npm run bench`, in Python: what bench/contender.ts speaks with."""
import json
import os
import sys
import time

THREADS = int(os.environ.get("OMP_NUM_THREADS", os.cpu_count()))
CLASSES = 10
LEARNING_RATE, MOMENTUM, WEIGHT_DECAY = 0.01, 0.9, 1e-4


def absent(reason):
    print(json.dumps({"absent": reason}), flush=True)
    sys.exit(0)


def serve(versions, step):
    """Says that it is ready, then takes as many steps as each line of the input says; a step gives its loss, as a number."""
    print(json.dumps({"versions": versions}), flush=True)
    for line in sys.stdin:
        loss, began = float("nan"), time.perf_counter()
        for _ in range(int(line)):
            loss = step()
        print(json.dumps({"seconds": time.perf_counter() - began, "loss": loss}), flush=True)


def arguments():
    """(variant, network, batch size, image size, precision)"""
    variant, network, batch, size, precision = sys.argv[1:]
    return variant, network, int(batch), int(size), precision
