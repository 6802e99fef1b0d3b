// Checks of a backbone: shapes, finite numbers, and compiled against eager passes.
import { assemble } from '../../backbones/assemble';
import type { BackboneDefinition } from '../../backbones/define-backbone';
import { KitError } from '../../base/errors';
import { compile } from '../../engine/compile';
import { tf, type TF } from '../../engine/tensorflow';
import { requireNear } from './check-step';
import { named, notFinite, type Subject } from './subject';

const [BATCH, CLASSES] = [2, 3];

/** Runs the network with random weights, in training and in evaluation. */
export const checkNetwork = (subject: Subject, definition: BackboneDefinition): Promise<string[]> =>
  named(subject, async () => {
    const backbone = assemble(definition, { classes: CLASSES, seed: 0, weights: null });
    try {
      const { inputSize, featureSize } = definition.record;
      const shape = [BATCH, inputSize, inputSize, 3];
      const pass = (training: boolean) => ({
        args: { images: { shape, dtype: 'float32' as const } },
        run({ images }: { images: TF.Tensor4D }) {
          const { updates, logits, features } = backbone.forward(images, { training });
          tf.dispose(updates.map(({ value }) => value));
          return { logits, features };
        },
      });
      const passes = { train: pass(true), evaluate: pass(false) };
      const program = await compile(passes, backbone.variables);
      const images = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => (i * 7919) % 256);
      try {
        for (const which of ['train', 'evaluate'] as const) {
          const found = program[which]({ images });
          const eager = tf.tidy(() => passes[which].run({ images: tf.tensor4d(images, shape as never) }));
          for (const [what, length] of [
            ['logits', CLASSES],
            ['features', featureSize],
          ] as const) {
            if (found[what].shape.join() !== `${BATCH},${length}`)
              throw new KitError(
                `The ${subject.kind} "${subject.name}" gives ${what} [${found[what].shape.join(', ')}], ` +
                  `expected [${BATCH}, ${length}].`,
                { code: 'EXTENSION_SHAPE', fix: 'Correct `featureSize`, or the last layers of the network.' },
              );
            const values = found[what].dataSync();
            if (!values.every(Number.isFinite)) throw notFinite(subject, `a value of the ${what}`);
            requireNear(subject, `the ${what}`, values, eager[what].dataSync());
          }
          tf.dispose([found, eager]);
        }
      } finally {
        program.dispose();
      }
    } finally {
      backbone.dispose();
    }
    return ['logits and features have their shapes, and are finite', 'compiled passes equal eager ones'];
  });
