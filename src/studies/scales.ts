// Scales: the named sizes at which studies, notebooks and `reproduce` run.
import { callSite, Registry } from '../base/definitions/registry';
import { KitError } from '../base/errors';
import type { RunSpec } from '../transfer/spec/spec';
import type { Grid } from './plan';

/** A named size of a study: data sets, networks, schedule and seeds. As a grid it is the scale's first experiment. */
export interface Scale extends Grid {
  name: string;
  /** What the scale is for, and what it costs. */
  purpose: string;
  /** Data sets by name; the first is that of `spec`. */
  datasets: readonly string[];
  /** Backbones by id; the first is that of `spec`, and of all studies that compare no backbones. */
  backbones: readonly string[];
  /** Images per class of a data set other than that of `spec`. */
  folderLimits: RunSpec['limits'];
  /** Whether the image folders in the environment variable RIFLE_DATA belong to it. Default false. */
  takesFolders?: boolean;
  /** Training images per second, assumed for the estimate of a sweep as long as nothing was measured. Default: none. */
  assumedPace?: number;
}

const registry = new Registry<Scale>('scale', 'SCALE_DEFINED_TWICE');

/** Registers a scale. @throws KitError SCALE_DEFINED_TWICE for a name that another file has defined. */
export const defineScale = (scale: Scale): Scale => registry.add(scale.name, scale, callSite(defineScale));

/** The names of all scales, in the order of their definition. */
export const scaleNames = (): string[] => registry.names();

/**
 * The scale `name`. Default: that of the environment variable RIFLE_SCALE, or `smoke`.
 * @throws KitError SCALE_EMPTY or UNKNOWN_SCALE for a name that no scale has.
 */
export function scale(name: string = process.env.RIFLE_SCALE ?? 'smoke'): Scale {
  if (name === '')
    throw new KitError('The name of the scale is empty.', {
      code: 'SCALE_EMPTY',
      fix: `Choose one of ${scaleNames().join(', ')}.`,
    });
  return registry.get(name);
}
