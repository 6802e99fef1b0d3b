"""Golden values of src/analysis/linear-probe.ts: the minimum of the same objective by Newton's method, in numpy's float64.

    python data-scripts/golden/linear_probe.py > test/fixtures/analysis/linear-probe.json
"""
import json

import numpy as np

rng = np.random.default_rng(23)


def softmax(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def fit(x, labels, classes, l2, steps=50):
    mean, std = x.mean(axis=0), x.std(axis=0)
    z = np.hstack([(x - mean) / np.where(std > 0, std, 1), np.ones((len(x), 1))])
    y = np.eye(classes)[labels]
    n, d = z.shape
    ridge = np.diag([l2] * (d - 1) + [0])
    w = np.zeros((d, classes))
    for _ in range(steps):
        p = softmax(z @ w)
        gradient = z.T @ (p - y) / n + ridge @ w
        # Rows in the order of w.T.ravel(): class by class.
        curvature = np.zeros((classes * d, classes * d))
        for a in range(classes):
            for b in range(classes):
                weight = p[:, a] * ((a == b) - p[:, b]) / n
                curvature[a * d:(a + 1) * d, b * d:(b + 1) * d] = (z.T * weight) @ z + (a == b) * ridge
        # The least of all solutions: adding a number to all biases changes nothing.
        w -= np.linalg.lstsq(curvature, gradient.T.ravel(), rcond=None)[0].reshape(classes, d).T
    assert np.abs(gradient).max() < 1e-12
    return w[:-1], w[-1], mean, std


def case(n, d, classes, l2, noise):
    centres = rng.normal(size=(classes, d)) * 2
    labels = np.arange(n) % classes
    x = (rng.normal(size=(n, d)) * noise + centres[labels]).astype(np.float32) * np.linspace(0.1, 30, d, dtype=np.float32) + 5
    x[:, 1] = 0.3  # never changes
    x = x.astype(np.float32)
    weight, bias, mean, std = fit(x.astype(np.float64), labels, classes, l2)
    std[1] = 0
    other = (rng.normal(size=(n, d)) * noise + centres[labels]).astype(np.float32) * np.linspace(0.1, 30, d, dtype=np.float32) + 5
    other[:, 1] = 0.3
    other = other.astype(np.float32)
    given = ((other - mean) / np.where(std > 0, std, 1) @ weight + bias).argmax(axis=1)
    return {
        "l2": l2, "classes": classes, "examples": n, "features": d, "labels": labels.tolist(), "x": x.ravel().tolist(),
        "weight": weight.ravel().tolist(), "bias": bias.tolist(), "other": other.ravel().tolist(), "given": given.tolist(), "top1": float((given == labels).mean()),
    }


print(json.dumps({
    "maker": f"data-scripts/golden/linear_probe.py, numpy {np.__version__}",
    "cases": {"more images than features": case(36, 6, 3, 0.01, 2.0), "fewer images than features": case(10, 24, 4, 0.3, 1.5)},
}))
