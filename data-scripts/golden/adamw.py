"""Golden values of AdamW by PyTorch, for test/transfer/optimizers/adamw.test.ts.

    python data-scripts/golden/adamw.py test/fixtures/transfer/adamw.json

Two parameters start from a closed formula, and their gradients follow one, so that no file has to hold them:

    parameter k, element i        sin(i * i + k)
    gradient of step t from 0     (1 + t) / 4 * cos(i + 3 k + t), element i of parameter k

Each case takes 6 steps of torch.optim.AdamW with a rate of its own in each step, after torch.nn.utils.clip_grad_norm_ over both
parameters where `clipNorm` is given. Computed in float64.
"""
import json
import math
import pathlib
import sys

import torch

SHAPES = [[3, 4], [4]]
RATES = [0.01, 0.02, 0.03, 0.02, 0.01, 0.005]
CASES = [
    {"weightDecay": 0.01, "clipNorm": None},
    {"weightDecay": 0.0, "clipNorm": None},
    {"weightDecay": 0.3, "clipNorm": None, "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-3},
    {"weightDecay": 0.01, "clipNorm": 0.5},
    {"weightDecay": 0.3, "clipNorm": 4.0},
]


def run(case):
    parameters = []
    for k, shape in enumerate(SHAPES):
        count = math.prod(shape)
        values = [math.sin(i * i + k) for i in range(count)]
        parameters.append(torch.tensor(values, dtype=torch.float64).reshape(shape).requires_grad_())
    optimizer = torch.optim.AdamW(
        parameters,
        lr=RATES[0],
        betas=(case.get("beta1", 0.9), case.get("beta2", 0.999)),
        eps=case.get("epsilon", 1e-8),
        weight_decay=case["weightDecay"],
    )
    norms = []
    for t, rate in enumerate(RATES):
        for k, parameter in enumerate(parameters):
            gradient = [(1 + t) / 4 * math.cos(i + 3 * k + t) for i in range(parameter.numel())]
            parameter.grad = torch.tensor(gradient, dtype=torch.float64).reshape(parameter.shape)
        if case["clipNorm"] is not None:
            norms.append(float(torch.nn.utils.clip_grad_norm_(parameters, case["clipNorm"])))
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
    return {**case, "norms": norms, "parameters": [parameter.detach().flatten().tolist() for parameter in parameters]}


result = {"torch": torch.__version__.split("+")[0], "shapes": SHAPES, "rates": RATES, "cases": [run(case) for case in CASES]}
pathlib.Path(sys.argv[1]).write_text(json.dumps(result, indent=1) + "\n")
