// The readers of the data sets' layouts, by the name that a manifest gives.
import { caltech101, caltech256 } from './caltech';
import { cub } from './cub-200-2011';
import { dtdFold } from './dtd';
import { elpvCertain, elpvLevels } from './elpv';
import { fgvcAircraft } from './fgvc-aircraft';
import { flowers102 } from './flowers-102';
import { food101, food101Part } from './food-101';
import { mitIndoor67 } from './mit-indoor-67';
import type { DatasetReader } from './reader';
import { stanfordCars } from './stanford-cars';
import { stanfordDogs } from './stanford-dogs';

/**
 * The readers. To add a data set: its reader here, its manifest in `data-scripts/manifests/datasets`, its fixture in
 * `test/data`.
 */
export const readers: Readonly<Record<string, DatasetReader>> = {
  'elpv-certain': elpvCertain,
  'elpv-levels': elpvLevels,
  cub,
  'stanford-dogs': stanfordDogs,
  'stanford-cars': stanfordCars,
  'food-101': food101,
  'food-101-30': food101Part(30),
  ...Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`dtd-${i + 1}`, dtdFold(i + 1)])),
  'flowers-102': flowers102,
  'mit-indoor-67': mitIndoor67,
  'fgvc-aircraft': fgvcAircraft,
  'caltech-101': caltech101({ train: 30, test: 'rest' }),
  'caltech-256': caltech256({ train: 60, test: 'rest' }),
  'caltech-256-30': caltech256({ train: 30, test: 20 }),
  'caltech-256-60': caltech256({ train: 60, test: 20 }),
};
