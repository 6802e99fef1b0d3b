// tf.gather inside compiled functions: tfjs's kernel reads the indices, which a graph does not have yet.
import { backend, internals, type, type DataTypeName } from '../binding';
import { tf, type TF } from '../tensorflow';

const NAME = 'GatherV2';

/** TensorFlow's op on tensors alone: it checks the indices itself, on the CPU by an error, on a GPU by zeros. */
const gatherUnread: TF.KernelFunc = ({ inputs, attrs }) => {
  const { x, indices } = inputs as Record<string, TF.Tensor>;
  const { axis, batchDims } = attrs as { axis: number; batchDims: number };
  const attributes = [
    { name: 'batch_dims', type: internals().binding.TF_ATTR_INT, value: batchDims },
    type('Tparams', x.dtype as DataTypeName),
    type('Tindices', indices.dtype as DataTypeName),
    type('Taxis', 'int32'),
  ];
  return tf.tidy(() => backend().executeSingleOutput(NAME, attributes, [x, indices, tf.scalar(axis, 'int32')]));
};

/** Runs `record` with a kernel of tf.gather that does not read its indices; outside, tfjs's own checks them. */
export function withGather<R>(record: () => R): R {
  const own = tf.getKernel(NAME, 'tensorflow');
  const replace = (kernel: TF.KernelConfig): void => {
    tf.unregisterKernel(NAME, 'tensorflow');
    tf.registerKernel(kernel);
  };
  replace({ kernelName: NAME, backendName: 'tensorflow', kernelFunc: gatherUnread });
  try {
    return record();
  } finally {
    replace(own);
  }
}
