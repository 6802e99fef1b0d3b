"""Weighted cross entropy of PyTorch and balanced class weights of scikit-learn: test/fixtures/transfer/class-weights.json.

Run with a Python that has torch and scikit-learn:

    python data-scripts/golden/class_weights.py
"""
import json
import pathlib

import numpy as np
import sklearn
import torch
from sklearn.utils.class_weight import compute_class_weight

rng = np.random.default_rng(7)
counts = [12, 3, 30, 5]
labels = np.repeat(np.arange(4), counts)
weights = compute_class_weight("balanced", classes=np.arange(4), y=labels)

logits = torch.tensor(rng.normal(0, 2, (6, 4)).round(3), dtype=torch.float32, requires_grad=True)
hard = torch.tensor([2, 2, 0, 1, 3, 2])
soft = torch.tensor(rng.dirichlet(np.ones(4), 6).round(3), dtype=torch.float32)
loss = torch.nn.CrossEntropyLoss(weight=torch.tensor(weights, dtype=torch.float32))


def case(target):
    logits.grad = None
    value = loss(logits, target)
    value.backward()
    return {"loss": value.item(), "gradient": logits.grad.numpy().tolist()}


out = pathlib.Path(__file__).resolve().parents[2] / "test" / "fixtures" / "transfer" / "class-weights.json"
out.write_text(json.dumps({
    "versions": {"torch": torch.__version__, "scikit-learn": sklearn.__version__},
    "labels": labels.tolist(), "balanced": weights.tolist(),
    "logits": logits.detach().numpy().tolist(), "hard": hard.tolist(), "soft": soft.numpy().tolist(),
    "hardCase": case(hard), "softCase": case(soft),
}) + "\n")
