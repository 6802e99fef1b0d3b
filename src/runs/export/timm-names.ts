// How timm calls the tensors of the backbones that it builds from blocks: EfficientNet-Lite, EfficientNet, MobileNetV2.
// timm counts blocks within stages (timm/models/_efficientnet_blocks.py).

/** The name of a tensor in timm. */
export type Rename = (name: string) => string;

/** Names by layer, of a block with and without expansion, and outside of blocks. */
interface LayerNames {
  first: Readonly<Record<string, string>>;
  block: Readonly<Record<string, string>>;
  outside: Readonly<Record<string, string>>;
}

/** The layers of timm: those of the first stage have no expansion. */
const FIRST = ['conv_dw', 'bn1', 'conv_pw', 'bn2'];
const BLOCK = ['conv_pw', 'bn1', 'conv_dw', 'bn2', 'conv_pwl', 'bn3'];
const OUTSIDE = ['conv_stem', 'bn1', 'conv_head', 'bn2', 'classifier'];

const pairs = (own: readonly string[], timm: readonly string[]): Record<string, string> =>
  Object.fromEntries(own.map((name, i) => [name, timm[i]]));

/** Stage and place within the stage of the block `index`. */
function placeOf(blocks: readonly number[], index: number): [stage: number, block: number] {
  let [stage, block] = [0, index];
  while (block >= blocks[stage]) block -= blocks[stage++];
  return [stage, block];
}

/** `weight` of `conv.0.weight`, and the layer before it. */
const split = (name: string): [layer: string, tensor: string] => {
  const at = name.lastIndexOf('.');
  return [name.slice(0, at), name.slice(at + 1)];
};

const within = (stage: number, block: number, layer: string, { first, block: others }: LayerNames): string =>
  `blocks.${stage}.${block}.${(stage === 0 ? first : others)[layer]}`;

const LITE: LayerNames = {
  first: pairs(['_depthwise_conv', '_bn1', '_project_conv', '_bn2'], FIRST),
  block: pairs(['_expand_conv', '_bn0', '_depthwise_conv', '_bn1', '_project_conv', '_bn2'], BLOCK),
  outside: pairs(['_conv_stem', '_bn0', '_conv_head', '_bn1', '_fc'], OUTSIDE),
};

/** EfficientNet-Lite in the names of its authors. @param blocks in each stage. */
export const renameLite =
  (blocks: readonly number[]): Rename =>
  (name) => {
    const [layer, tensor] = split(name);
    const inside = /^_blocks\.(\d+)\.(\w+)$/.exec(layer);
    if (inside === null) return `${LITE.outside[layer]}.${tensor}`;
    return `${within(...placeOf(blocks, Number(inside[1])), inside[2], LITE)}.${tensor}`;
  };

const MOBILE: LayerNames = {
  first: pairs(['0.0', '0.1', '1', '2'], FIRST),
  block: pairs(['0.0', '0.1', '1.0', '1.1', '2', '3'], BLOCK),
  outside: pairs(['features.0.0', 'features.0.1', 'features.18.0', 'features.18.1', 'classifier.1'], OUTSIDE),
};

/** Blocks in each stage of MobileNetV2. */
const MOBILE_BLOCKS = [1, 2, 3, 4, 3, 3, 1];

/** MobileNetV2 in the names of torchvision: its blocks are counted from 1. */
export const renameMobileNetV2: Rename = (name) => {
  const [layer, tensor] = split(name);
  const inside = /^features\.(\d+)\.conv\.(.+)$/.exec(layer);
  if (inside === null) return `${MOBILE.outside[layer]}.${tensor}`;
  return `${within(...placeOf(MOBILE_BLOCKS, Number(inside[1]) - 1), inside[2], MOBILE)}.${tensor}`;
};

const SQUEEZE = ['se.conv_reduce', 'se.conv_expand'];
const EFFICIENT: LayerNames = {
  first: pairs(['0.0', '0.1', '2.0', '2.1', '1.fc1', '1.fc2'], [...FIRST, ...SQUEEZE]),
  block: pairs(['0.0', '0.1', '1.0', '1.1', '3.0', '3.1', '2.fc1', '2.fc2'], [...BLOCK, ...SQUEEZE]),
  outside: pairs(['features.0.0', 'features.0.1', 'features.8.0', 'features.8.1', 'classifier.1'], OUTSIDE),
};

/** EfficientNet in the names of torchvision: its stages are counted from 1. */
export const renameEfficientNet: Rename = (name) => {
  const [layer, tensor] = split(name);
  const inside = /^features\.(\d+)\.(\d+)\.block\.(.+)$/.exec(layer);
  if (inside === null) return `${EFFICIENT.outside[layer]}.${tensor}`;
  return `${within(Number(inside[1]) - 1, Number(inside[2]), inside[3], EFFICIENT)}.${tensor}`;
};
