"""Golden values of src/analysis/statistics/statistics.ts, from numpy and scipy.

    python data-scripts/golden/student_intervals.py > test/fixtures/analysis/statistics.json
"""
import json

import numpy as np
import scipy
from scipy import stats

samples = {
    "two": [0.912, 0.934],
    "three": [74.87, 75.31, 74.02],
    "five": [0.5, 0.25, 0.75, 0.125, 1.0],
    "equal": [3.5, 3.5, 3.5],
    "twenty": [round(float(v), 6) for v in np.random.default_rng(7).normal(90, 2, 20)],
}
pairs = {
    "three": [[76.18, 76.4, 75.9], [74.87, 75.31, 74.02]],
    "crossing": [[0.91, 0.93, 0.90, 0.95], [0.92, 0.91, 0.89, 0.93]],
}


def interval(values, confidence):
    n = len(values)
    error = stats.sem(values)
    if error == 0:
        return [float(np.mean(values))] * 2
    return [float(v) for v in stats.t.interval(confidence, n - 1, loc=np.mean(values), scale=error)]


def summary(values):
    return {
        "mean": float(np.mean(values)),
        "std": float(np.std(values, ddof=1)),
        "interval95": interval(values, 0.95),
        "interval99": interval(values, 0.99),
    }


def paired(treated, control):
    found = stats.ttest_rel(treated, control).confidence_interval(0.95)
    difference = np.subtract(treated, control)
    return {"mean": float(difference.mean()), "std": float(difference.std(ddof=1)), "interval95": [float(found.low), float(found.high)]}


print(json.dumps({
    "maker": f"data-scripts/golden/student_intervals.py, numpy {np.__version__}, scipy {scipy.__version__}",
    "samples": {name: {"values": values, **summary(values)} for name, values in samples.items()},
    "pairs": {name: {"treated": t, "control": c, **paired(t, c)} for name, (t, c) in pairs.items()},
}, indent=1))
