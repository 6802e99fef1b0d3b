// A run's weights as a folder of PyTorch Image Models (timm) and the Hugging Face hub: `config.json` and
// `model.safetensors`. `timm.create_model(architecture, pretrained=True, pretrained_cfg_overlay={file})` and
// `timm.create_model('local-dir:FOLDER', pretrained=True)` read it.
import fs from 'node:fs';
import path from 'node:path';
import type { StateDict } from '../../backbones/weights/readers/state-dict';
import { writeSafetensors } from '../../backbones/weights/readers/safetensors';
import { KitError } from '../../base/errors';
import { CARD_NOTE, type ModelCard } from './model-card';
import { renameEfficientNet, renameLite, renameMobileNetV2, type Rename } from './timm-names';

/** How timm calls a backbone: its architecture, the names of its tensors, its first layer and its head. */
interface TimmNetwork {
  architecture: string;
  rename: Rename;
  firstConv: string;
  classifier: string;
}

const same = (name: string): string => name;

/** Blocks in each stage of EfficientNet-Lite: timm counts blocks within stages. */
const LITE_BLOCKS: Record<string, readonly number[]> = {
  efficientnet_lite0: [1, 2, 2, 3, 3, 4, 1],
  efficientnet_lite1: [1, 3, 3, 4, 4, 5, 1],
  efficientnet_lite2: [1, 3, 3, 4, 4, 5, 1],
};

/** timm's network for a backbone. @throws KitError `EXPORT_TIMM_BACKBONE` where timm names tensors differently. */
function timmNetwork(backbone: string): TimmNetwork {
  const [family, tag] = backbone.split('.');
  if (tag === 'tv_in1k' && /^resnet\d+$/.test(family))
    return { architecture: family, rename: same, firstConv: 'conv1', classifier: 'fc' };
  if (tag === 'tv_in1k' && /^densenet\d+$/.test(family))
    return { architecture: family, rename: same, firstConv: 'features.conv0', classifier: 'classifier' };
  if (backbone === 'inception_v3.tv_in1k')
    return { architecture: family, rename: same, firstConv: 'Conv2d_1a_3x3.conv', classifier: 'fc' };
  const built = { firstConv: 'conv_stem', classifier: 'classifier' };
  if (backbone === 'mobilenet_v2.tv_in1k')
    return { architecture: 'mobilenetv2_100', rename: renameMobileNetV2, ...built };
  if (tag === 'tv_in1k' && /^efficientnet_b\d$/.test(family))
    return { architecture: family, rename: renameEfficientNet, ...built };
  if (Object.hasOwn(LITE_BLOCKS, family))
    return {
      architecture: `tf_${family}`,
      rename: renameLite(LITE_BLOCKS[family]),
      ...built,
    };
  throw new KitError(`The backbone ${backbone} has no counterpart in timm with the same tensors.`, {
    code: 'EXPORT_TIMM_BACKBONE',
    fix: 'Export it as onnx or safetensors. timm: ResNet, DenseNet, Inception-v3, MobileNetV2, EfficientNet and -Lite.',
  });
}

/**
 * Writes the folder `folder`, which is made.
 * @param weights by the names of the backbone.
 * @throws KitError `EXPORT_TIMM_BACKBONE`.
 */
export async function writeTimmModel(weights: StateDict, card: ModelCard, folder: string): Promise<void> {
  const { architecture, rename, firstConv, classifier } = timmNetwork(card.backbone);
  const { imageSize, resizeSize, classes } = card;
  const config = {
    architecture,
    num_classes: classes.length,
    num_features: weights.get(`${[...weights.keys()].find((name) => rename(name) === `${classifier}.weight`)}`)!
      .shape[1],
    global_pool: 'avg',
    pretrained_cfg: {
      tag: `rifle-kit-${card.run}`,
      custom_load: false,
      input_size: [3, imageSize, imageSize],
      fixed_input_size: false,
      interpolation: 'bilinear',
      // timm resizes to floor(size / crop_pct): a quarter of a pixel more keeps the division from rounding below.
      crop_pct: imageSize / (resizeSize + 0.25),
      crop_mode: 'center',
      mean: card.mean.map((value) => value / 255),
      std: card.std.map((value) => value / 255),
      num_classes: classes.length,
      label_names: classes,
      pool_size: null,
      first_conv: firstConv,
      classifier,
      license: card.licence,
    },
  };
  await fs.promises.mkdir(folder, { recursive: true });
  await fs.promises.writeFile(path.join(folder, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
  const renamed: StateDict = new Map([...weights].map(([name, tensor]) => [rename(name), tensor]));
  await writeSafetensors(path.join(folder, 'model.safetensors'), renamed, {
    notes: { format: 'pt', [CARD_NOTE]: JSON.stringify(card) },
  });
}
