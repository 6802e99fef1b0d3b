"""Names and shapes of timm's tensors, as one sha256 a network: what `rifle runs export --format timm` must write.

    python data-scripts/golden/timm_names.py > test/fixtures/runs/timm-names.json
"""
import hashlib
import json

import timm

CLASSES = 3
networks = {
    "resnet18.tv_in1k": "resnet18",
    "resnet50.tv_in1k": "resnet50",
    "densenet121.tv_in1k": "densenet121",
    "inception_v3.tv_in1k": "inception_v3",
    "mobilenet_v2.tv_in1k": "mobilenetv2_100",
    "efficientnet_b0.tv_in1k": "efficientnet_b0",
    "efficientnet_b2.tv_in1k": "efficientnet_b2",
    "efficientnet_lite0.tf_in1k": "tf_efficientnet_lite0",
    "efficientnet_lite1.tf_in1k": "tf_efficientnet_lite1",
    "efficientnet_lite2.tf_in1k": "tf_efficientnet_lite2",
}


def described(name):
    model = timm.create_model(name, num_classes=CLASSES, **({"aux_logits": False} if name == "inception_v3" else {}))
    tensors = sorted(
        [key, list(value.shape)] for key, value in model.state_dict().items() if not key.endswith("num_batches_tracked")
    )
    text = json.dumps(tensors, separators=(",", ":"))
    return {"architecture": name, "tensors": len(tensors), "sha256": hashlib.sha256(text.encode()).hexdigest()}


print(json.dumps({"timm": timm.__version__, "classes": CLASSES, "networks": {k: described(v) for k, v in networks.items()}}, indent=1))
