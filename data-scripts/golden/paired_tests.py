"""Golden values of src/analysis/statistics/bootstrap.ts and wilcoxon.ts, from scipy.

    python data-scripts/golden/paired_tests.py > test/fixtures/analysis/paired.json
"""
import json

import numpy as np
import scipy
from scipy import stats

rng = np.random.default_rng(2020)
# Sums of these are exact: a resample whose mean is the sample's is found as a tie, in whatever order it is summed.
samples = {
    "five": [1.25, 0.5, -0.25, 2.125, 0.75],
    "six": [0.5, 1.0, 1.5, 2.0, 2.5, 3.25],
    "skewed": [0.125, 0.1875, 0.25, 0.3125, 0.375, 0.6875, 5.5],
    "twelve": [round(float(v) * 256) / 256 for v in rng.normal(0.6, 1.0, 12)],
}
differences = {
    **samples,
    "ties": [0.5, 0.5, -0.5, 1.0, 1.0, 1.5, 2.0],
    "zeros": [0.0, 1.0, -0.5, 0.0, 1.5, 2.0, 3.0, 2.5],
    "zeros and ties": [0.0, 0.5, 0.5, 0.5, -0.5, 1.0, -1.5, 1.5, 2.0],
    "crossing": [1.0, -2.0, 3.0, -4.0, 5.0, -6.0],
    "thirty": [round(float(v), 4) for v in rng.normal(0.3, 1.0, 30)],
    "sixty with ties": [float(v) / 2 for v in rng.integers(-6, 9, 60)],
}


def bootstrap(values):
    def once(resamples, seed):
        return stats.bootstrap((values,), np.mean, n_resamples=resamples, confidence_level=0.95, method="BCa", rng=np.random.default_rng(seed))

    few, many = once(100, 1), once(200_000, 2)
    return {
        "values": values,
        "resampled": [float(v) for v in few.bootstrap_distribution],
        "interval": [float(v) for v in few.confidence_interval],
        "manyResamples": [float(v) for v in many.confidence_interval],
    }


def wilcoxon(values):
    # method "auto": exact, with ties or zeros by all permutations up to n = 13, else by the normal approximation.
    found = stats.wilcoxon(values, zero_method="wilcox", correction=False)
    return {"values": values, "statistic": float(found.statistic), "pValue": float(found.pvalue)}


print(json.dumps({
    "maker": f"data-scripts/golden/paired_tests.py, numpy {np.__version__}, scipy {scipy.__version__}",
    "bootstrap": {name: bootstrap(values) for name, values in samples.items()},
    "wilcoxon": {name: wilcoxon(values) for name, values in differences.items()},
}))
