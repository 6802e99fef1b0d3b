"""Golden values of src/metrics, from scikit-learn and, for the calibration error, torchmetrics.

    pip install scikit-learn torch torchmetrics
    python data-scripts/golden/classification.py > test/fixtures/metrics/classification.json
"""
import json

import numpy as np
import sklearn
import torch
import torchmetrics
from sklearn import metrics
from torchmetrics.functional.classification import multiclass_calibration_error

rng = np.random.default_rng(15)


def logits_of(labels, classes, skill):
    logits = rng.normal(0, 1.5, (len(labels), classes))
    logits[np.arange(len(labels)), labels] += skill
    return logits.astype(np.float32)


def case(labels, logits):
    labels, classes = np.asarray(labels), logits.shape[1]
    predicted = logits.argmax(1)
    exact = logits.astype(np.float64)
    probabilities = np.exp(exact - exact.max(1, keepdims=True))
    probabilities /= probabilities.sum(1, keepdims=True)
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        labels, predicted, labels=range(classes), zero_division=0
    )
    ece = multiclass_calibration_error(
        torch.from_numpy(probabilities), torch.from_numpy(labels), num_classes=classes, n_bins=15, norm="l1"
    )
    return {
        "classes": classes,
        "labels": labels.tolist(),
        "logits": [float(v) for v in logits.ravel()],
        "confusion": metrics.confusion_matrix(labels, predicted, labels=range(classes)).tolist(),
        "precision": precision.tolist(),
        "recall": recall.tolist(),
        "f1": f1.tolist(),
        "support": support.tolist(),
        "top1": metrics.accuracy_score(labels, predicted),
        "top5": metrics.top_k_accuracy_score(labels, probabilities, k=5, labels=range(classes)) if classes > 5 else None,
        "macroF1": metrics.f1_score(labels, predicted, average="macro", zero_division=0),
        "meanPerClass": metrics.balanced_accuracy_score(labels, predicted),
        "nll": metrics.log_loss(labels, probabilities, labels=range(classes)),
        "ece": float(ece),
    }


two = rng.integers(0, 2, 40)
ten = rng.integers(0, 10, 120)
skewed = np.concatenate([np.zeros(70, int), np.ones(25, int), np.full(5, 2)])
absent = rng.choice([0, 1, 3, 5, 6], 60)  # classes 2 and 4 have no image
print(
    json.dumps(
        {
            "scikit-learn": sklearn.__version__,
            "torchmetrics": torchmetrics.__version__,
            "cases": {
                "two classes": case(two, logits_of(two, 2, 1.0)),
                "ten classes": case(ten, logits_of(ten, 10, 2.5)),
                "skewed classes": case(skewed, logits_of(skewed, 3, 0.8)),
                "classes without images": case(absent, logits_of(absent, 7, 2.0)),
            },
        }
    )
)
