"""Golden values of src/analysis/cka.ts, from numpy: HSIC with the centring matrix, as Kornblith et al. (2019) define it, and unbiased, as
Song et al. (2012, equation 5) do.

    python data-scripts/golden/cka.py > test/fixtures/analysis/cka.json
"""
import json

import numpy as np

rng = np.random.default_rng(19)


def hsic(k, l):
    n = len(k)
    h = np.eye(n) - np.ones((n, n)) / n
    return np.trace(k @ h @ l @ h) / (n - 1) ** 2


def unbiased_hsic(k, l):
    n = len(k)
    k, l, one = k - np.diag(np.diag(k)), l - np.diag(np.diag(l)), np.ones(n)
    return (np.trace(k @ l) + (one @ k @ one) * (one @ l @ one) / ((n - 1) * (n - 2)) - 2 / (n - 2) * (one @ k @ l @ one)) / (n * (n - 3))


def cka(hsic, x, y):
    # Both ways are blind to a shift; without the mean, numbers far from zero lose no digits. Some of it stays, so that the formulas do their part.
    x, y = [m - m.mean(axis=0) + 0.1 * m.std(axis=0) for m in (x.astype(np.float64), y.astype(np.float64))]
    k, l = x @ x.T, y @ y.T
    return float(hsic(k, l) / np.sqrt(hsic(k, k) * hsic(l, l)))


def normal(*shape):
    return rng.normal(size=shape).astype(np.float32)


shared = normal(12, 3)
cases = {
    "of more examples than features": (normal(12, 5), normal(12, 4)),
    "of fewer examples than features": (normal(6, 17), normal(6, 9)),
    "with a part in common": (np.hstack([shared, normal(12, 2)]), np.hstack([shared, normal(12, 2)])),
    "far from zero": ((normal(12, 5) + 1000).astype(np.float32), (normal(12, 6) * 1e-3 + 50).astype(np.float32)),
    "with features that never change": (np.hstack([normal(8, 3), np.full((8, 2), 0.1, np.float32)]), np.hstack([np.full((8, 1), 7, np.float32), normal(8, 12)])),
}

print(json.dumps({
    "maker": f"data-scripts/golden/cka.py, numpy {np.__version__}",
    "cases": {
        name: {"x": {"shape": x.shape, "values": x.ravel().tolist()}, "y": {"shape": y.shape, "values": y.ravel().tolist()}, "cka": cka(hsic, x, y), "unbiased": cka(unbiased_hsic, x, y)}
        for name, (x, y) in cases.items()
    },
}))
