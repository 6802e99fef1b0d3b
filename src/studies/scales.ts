// The three sizes at which a notebook or `reproduce` runs: one switch, from a check in CI to the authors' own schedule.
import { KitError, unknownName } from '../base/errors';
import type { RunSpec } from '../transfer/spec';
import type { Grid } from './plan';

/** Name of a scale. */
export type ScaleName = 'smoke' | 'mini' | 'paper';

/** A scale of the study that the kit begins with: fine-tuning against RIFLE. */
export interface Scale extends Grid {
  name: ScaleName;
  /** Images per class of a folder of the user's, where they differ from the spec's. */
  folderLimits: RunSpec['limits'];
  /** What it is for, and what it costs. */
  purpose: string;
}

const METHODS = ['fine-tuning', 'rifle'];
const LITE0 = 'efficientnet_lite0.tf_in1k';

/** The scales by name. */
export const scales: Readonly<Record<ScaleName, Scale>> = {
  // Shows that the way is open, nothing more: no result is to be read from it.
  smoke: {
    name: 'smoke',
    purpose: 'a check that everything works, under a minute on 2 cores; its numbers mean nothing',
    spec: {
      dataset: 'elpv',
      backbone: LITE0,
      imageSize: 64,
      epochs: 2,
      batchSize: 16,
      limits: { trainPerClass: 8, testPerClass: 8 },
    },
    folderLimits: { trainPerClass: 8, testPerClass: 8 },
    methods: METHODS,
    seeds: [0, 1],
  },
  // The authors' 40 epochs and rate, on few and small images, so that both methods end above 95 % training top-1
  // (measured, one seed each: 36 epochs end at 97 %, 30 epochs at a rate of 0.02 at 93 %).
  mini: {
    name: 'mini',
    purpose: 'a small study in which both methods converge, about ten minutes on 2 cores',
    spec: {
      dataset: 'elpv',
      backbone: LITE0,
      imageSize: 96,
      epochs: 40,
      batchSize: 16,
      limits: { trainPerClass: 40, testPerClass: 50 },
    },
    folderLimits: { trainPerClass: 16, testPerClass: 20 }, // with ten classes as many images as elpv's four
    methods: METHODS,
    seeds: [0, 1, 2],
  },
  // lixingjian/RIFLE, train.py: 40 epochs, batch 32, lr 0.01 cosine, 256/224, ResNet-50; on the data set that a
  // registry holds.
  paper: {
    name: 'paper',
    purpose: "the authors' schedule and network on all of elpv, for a GPU",
    spec: {
      dataset: 'elpv',
      backbone: 'resnet50.keras_in1k',
      imageSize: 224,
      resizeSize: 256,
      epochs: 40,
      batchSize: 32,
    },
    folderLimits: { trainPerClass: null, testPerClass: null },
    methods: METHODS,
    seeds: [0, 1, 2, 3, 4],
  },
};

/**
 * The scale `name`; by default that of the environment variable RIFLE_SCALE, or `smoke`. @throws KitError for another
 * name.
 */
export function scale(name: string = process.env.RIFLE_SCALE ?? 'smoke'): Scale {
  if (name in scales) return scales[name as ScaleName];
  if (name === '')
    throw new KitError('The scale is empty.', { fix: `Choose one of ${Object.keys(scales).join(', ')}.` });
  throw unknownName('scale', name, Object.keys(scales));
}
