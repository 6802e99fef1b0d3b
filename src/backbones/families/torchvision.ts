// What torchvision says of the ImageNet weights that it publishes, and what the records of its networks share.
import type { BackboneRecord } from '../record';
import { torch } from '../parameters';
import { publishedManifest } from '../weights/published';

/** The networks of torchvision were trained with PyTorch's default weight of a batch in the running statistics. */
export const batchNormMomentum = 0.1;

/** The mean and standard deviation of ImageNet's pixels, channel by channel, in 0..255. */
export const imageNetPixels = {
  mean: [0.485 * 255, 0.456 * 255, 0.406 * 255] as [number, number, number],
  std: [0.229 * 255, 0.224 * 255, 0.225 * 255] as [number, number, number],
};

/** What a record has to say besides what torchvision's tables say. */
export interface TorchvisionNetwork {
  title: string;
  family: string;
  featureSize: number;
  /** Name of the head layer. */
  head: string;
  taps: string[];
}

/**
 * The record of a network with the ImageNet weights of the first recipe of torchvision (`IMAGENET1K_V1`):
 * `data-scripts/manifests/weights/<id>.json`.
 */
export function torchvisionRecord(
  id: string,
  { title, family, featureSize, head, taps }: TorchvisionNetwork,
): BackboneRecord {
  const manifest = publishedManifest(id);
  const { inputSize, resizeSize, interpolation, licence, top1, parameters } = manifest;
  return {
    id,
    title: `${title}, ImageNet weights of torchvision`,
    family,
    inputSize,
    resizeSize,
    interpolation,
    featureSize,
    ...imageNetPixels,
    channelOrder: 'rgb',
    head: { weight: head + torch.suffix.weight, bias: head + torch.suffix.bias },
    auxiliary: null,
    taps,
    weights: manifest,
    licence,
    top1Claimed: top1,
    parameters,
    batchNormMomentum,
  };
}
