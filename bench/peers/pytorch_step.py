"""PyTorch's contender of `train-step`: networks of torchvision (EfficientNet-Lite0: timm), as nchw, channels-last, or compiled.

The batch is ready in memory, normalised, in the layout of the network; a step ends when its loss has been read.
"""
import sys

import torch

from protocol import CLASSES, LEARNING_RATE, MOMENTUM, THREADS, WEIGHT_DECAY, absent, arguments, serve


def build(name):
    """The network, and the version of what it comes from. Dropout and stochastic depth are off, as in the kit."""
    if name == "efficientnet_lite0":
        try:
            import timm
        except ImportError:
            absent("EfficientNet-Lite0 is timm's, which this Python does not have")
        return timm.create_model(name, num_classes=CLASSES, drop_rate=0, drop_path_rate=0), {"timm": timm.__version__}
    import torchvision

    options = {"aux_logits": False, "init_weights": False} if name == "inception_v3" else {}
    model = torchvision.models.get_model(name, weights=None, num_classes=CLASSES, **options)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout) or type(module).__name__ == "StochasticDepth":
            module.p = 0.0
    return model, {"torchvision": torchvision.__version__}


def main():
    variant, name, batch, size, precision = arguments()
    torch.manual_seed(0)
    torch.set_num_threads(THREADS)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model, versions = build(name)
    # The compiler too is given channels last, as its documentation advises for convolutions.
    layout = torch.contiguous_format if variant == "nchw" else torch.channels_last
    model = model.to(device, memory_format=layout).train()
    x = torch.randn(batch, 3, size, size).to(device, memory_format=layout)
    y = (torch.arange(batch) % CLASSES).to(device)
    optimizer = torch.optim.SGD(model.parameters(), LEARNING_RATE, MOMENTUM, weight_decay=WEIGHT_DECAY, fused=True)
    run = torch.compile(model) if variant == "compile" else model
    low = None if precision == "float32" else getattr(torch, precision)
    scaler = torch.amp.GradScaler(device, enabled=precision == "float16")

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device, dtype=low or torch.bfloat16, enabled=low is not None):
            loss = torch.nn.functional.cross_entropy(run(x), y)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        return loss.item()

    serve({"python": sys.version.split()[0], "torch": torch.__version__, **versions}, step)


main()
