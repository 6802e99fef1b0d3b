// The scales of the RIFLE study: from a check that everything works to the authors' own experiment.
import { defineScale } from '..';

const METHODS = ['fine-tuning', 'rifle'];
const LITE0 = 'efficientnet_lite0.tf_in1k';

/** The scales by name. Each is one experiment, for `reproduce`, notebooks and sweeps alike. */
export const scales = {
  /** Its numbers mean nothing. */
  smoke: defineScale({
    name: 'smoke',
    purpose: 'a check that everything works, under a minute on 2 cores; its numbers mean nothing',
    datasets: ['elpv'],
    backbones: [LITE0, 'mobilenet_v1.tf_in1k'],
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
  }),
  /**
   * The authors' 40 epochs and rate, on few and small images. Both methods end above 95 % training top-1 (measured with
   * one seed each: 36 epochs end at 97 %, 30 epochs at a rate of 0.02 at 93 %).
   */
  mini: defineScale({
    name: 'mini',
    purpose: 'a small study in which both methods converge, about ten minutes on 2 cores',
    datasets: ['elpv'],
    backbones: [LITE0, 'efficientnet_lite2.tf_in1k', 'mobilenet_v1.tf_in1k'], // a ResNet-50 takes six times as long
    spec: {
      dataset: 'elpv',
      backbone: LITE0,
      imageSize: 96,
      epochs: 40,
      batchSize: 16,
      limits: { trainPerClass: 40, testPerClass: 50 },
    },
    folderLimits: { trainPerClass: 16, testPerClass: 20 }, // ten classes then have as many images as elpv's four
    takesFolders: true,
    methods: METHODS,
    seeds: [0, 1, 2],
  }),
  /**
   * The authors' train.py (lixingjian/RIFLE): 40 epochs, batch 32, rate 0.01 cosine, 256/224, torchvision's ResNet-50.
   * The data sets are those of their README.
   */
  paper: defineScale({
    name: 'paper',
    purpose: "the authors' schedule, network and data sets, for a GPU",
    datasets: ['cub-200-2011', 'stanford-dogs', 'stanford-cars', 'food-101-30', 'dtd'],
    backbones: [
      'resnet50.tv_in1k',
      'inception_v3.tv_in1k',
      'densenet169.tv_in1k',
      'mobilenet_v2.tv_in1k',
      'efficientnet_b3.tv_in1k',
    ],
    spec: {
      dataset: 'cub-200-2011',
      backbone: 'resnet50.tv_in1k',
      imageSize: 224,
      resizeSize: 256,
      epochs: 40,
      batchSize: 32,
    },
    folderLimits: { trainPerClass: null, testPerClass: null },
    assumedPace: 300, // ResNet-50 at 224 pixels on one data-centre GPU; not measured
    methods: METHODS,
    seeds: [0, 1, 2, 3, 4],
  }),
} as const;
