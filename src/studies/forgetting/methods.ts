// The methods of the study. The paper resets all layers from a block on, repeatedly; how often is a choice of ours.
import { defineMethod, layersReset } from '../../extend';

const SOURCE = 'Zhou et al., ICLR 2022 (arXiv 2202.00155): from a block on; here from the last stage on, twice (ours)';

const reset = { from: 'last-stage', times: 2 } as const;

/** Later layers get new random values. */
export const toRandom = defineMethod({
  name: 'later-layers',
  title: 'Later layers, random',
  source: SOURCE,
  reset: layersReset({ ...reset, to: 'random' }),
  control: 'fine-tuning',
  colour: '#117733',
});

/** Later layers get their pretrained values back; the head, which has none, its first random ones. */
export const toPretrained = defineMethod({
  name: 'later-layers:pretrained',
  title: 'Later layers, pretrained',
  source: SOURCE,
  reset: layersReset({ ...reset, to: 'pretrained' }),
  control: 'fine-tuning',
  colour: '#CC79A7',
});

/** Names in the order of the table: the two methods that they are compared with, and the two of the study. */
export const METHODS: readonly string[] = ['fine-tuning', 'rifle', toRandom.name, toPretrained.name];

/** The methods under study. */
export const FORGETTING: readonly string[] = [toRandom.name, toPretrained.name];
