"""Folds of scikit-learn for test/data/splits.test.ts: test/fixtures/data/folds.json.

Run with a Python that has scikit-learn:

    python data-scripts/golden/folds.py
"""
import json
import pathlib

import numpy as np
import sklearn
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

cases = []
for seed, (classes, images, groups, folds) in enumerate([(2, 40, 9, 3), (4, 120, 31, 5), (3, 60, 20, 4), (5, 200, 12, 2)]):
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, groups, images)
    labels = np.concatenate([np.repeat(np.arange(classes), folds + 1), rng.integers(0, classes, images - classes * (folds + 1))])
    rng.shuffle(labels)
    x = np.zeros((images, 1))
    assigned = np.empty(images, int)
    for fold, (_, test) in enumerate(StratifiedGroupKFold(folds).split(x, labels, groups)):
        assigned[test] = fold
    counts = [np.bincount(np.sort(labels)[test], minlength=classes).tolist() for _, test in StratifiedKFold(folds).split(x, np.sort(labels))]
    cases.append({"folds": folds, "labels": labels.tolist(), "groups": groups.tolist(), "groupFolds": assigned.tolist(), "stratifiedCounts": counts})
out = pathlib.Path(__file__).resolve().parents[2] / "test" / "fixtures" / "data" / "folds.json"
out.parent.mkdir(parents=True, exist_ok=True)
out.write_text(json.dumps({"scikit-learn": sklearn.__version__, "cases": cases}) + "\n")
