"""Keras's contender of `train-step`: the step as one tf.function, or with XLA besides.

The batch is ready in memory, normalised; a step ends when its loss has been read. ResNet-50 is written here, since keras.applications
has an older one with fewer operations; the others are from there.
"""
import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
import numpy as np
import keras
import tensorflow as tf

from protocol import CLASSES, LEARNING_RATE, MOMENTUM, THREADS, WEIGHT_DECAY, absent, arguments, serve


def resnet50(size):
    """torchvision's: the stride in the 3x3 convolution of a block, no biases."""
    layers = keras.layers

    def conv_norm(x, filters, side, stride=1):
        x = layers.Conv2D(filters, side, stride, padding="same", use_bias=False)(x)
        return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)

    images = keras.Input((size, size, 3))
    x = layers.ReLU()(conv_norm(images, 64, 7, 2))
    x = layers.MaxPooling2D(3, 2, padding="same")(x)
    for stage, blocks in enumerate((3, 4, 6, 3)):
        width = 64 << stage
        for block in range(blocks):
            stride = 2 if stage > 0 and block == 0 else 1
            shortcut = conv_norm(x, 4 * width, 1, stride) if block == 0 else x
            y = layers.ReLU()(conv_norm(x, width, 1))
            y = layers.ReLU()(conv_norm(y, width, 3, stride))
            x = layers.ReLU()(layers.Add()([conv_norm(y, 4 * width, 1), shortcut]))
    return keras.Model(images, layers.Dense(CLASSES)(layers.GlobalAveragePooling2D()(x)))


def build(name, size):
    if name == "resnet50":
        return resnet50(size)
    options = {"weights": None, "classes": CLASSES, "classifier_activation": None, "input_shape": (size, size, 3)}
    applications = {
        "mobilenet_v2": keras.applications.MobileNetV2,
        "efficientnet_b0": keras.applications.EfficientNetB0,
        "densenet169": keras.applications.DenseNet169,
        "inception_v3": keras.applications.InceptionV3,
    }
    if name not in applications:
        absent(f"Keras has no {name}")
    model = applications[name](**options)
    for layer in model.layers:  # neither dropout nor stochastic depth, as in the kit
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0
    return model


def main():
    variant, name, batch, size, precision = arguments()
    keras.utils.set_random_seed(0)
    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    if precision != "float32":
        keras.mixed_precision.set_global_policy(f"mixed_{precision}")
    model = build(name, size)
    parameters = model.trainable_variables
    optimizer = keras.optimizers.SGD(LEARNING_RATE, momentum=MOMENTUM)
    optimizer.build(parameters)
    x = tf.constant(np.random.default_rng(0).standard_normal((batch, size, size, 3), dtype=np.float32))
    y = tf.constant(np.arange(batch, dtype=np.int32) % CLASSES)

    @tf.function(jit_compile=variant == "jit")
    def train():
        with tf.GradientTape() as tape:
            logits = tf.cast(model(x, training=True), tf.float32)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits))
        gradients = tape.gradient(loss, [p.value for p in parameters])
        optimizer.apply([g + WEIGHT_DECAY * p for g, p in zip(gradients, parameters)], parameters)
        return loss

    serve({"python": sys.version.split()[0], "tensorflow": tf.__version__, "keras": keras.__version__}, lambda: float(train()))


main()
