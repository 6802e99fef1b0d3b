// Later-layer forgetting: its claim, its runs and its figures, on the public API alone.
import './methods';
import {
  accuracyFigure,
  type FigureSources,
  gradientDepthFigure,
  groupRuns,
  layerDistanceFigure,
  type NamedFigure,
  onTest,
} from '../../report';
import type { RunRecord } from '../../runs';
import { defineStudy } from '..';
import { METHODS } from './methods';
import { forgettingTable, isForgetting } from './table';

/** The runs of the study, one list for each data set, backbone and settings. */
const groupsOf = (records: readonly RunRecord[]): RunRecord[][] =>
  groupRuns(onTest(records))
    .filter(({ methods }) => methods.some(isForgetting))
    .map(({ methods }) => methods.filter(({ method }) => METHODS.includes(method)).flatMap((runs) => runs.records));

function figuresOf(records: readonly RunRecord[], options: FigureSources & { width?: number }): NamedFigure[] {
  const { layers = () => [] } = options;
  return groupsOf(records).flatMap((group, i): NamedFigure[] => {
    const name = (what: string): string => `forgetting-${what}${i === 0 ? '' : `-${i + 1}`}`;
    const runs = group
      .map((record) => ({ record, layers: layers(record.id) }))
      .filter((run) => run.layers.length > 0 && run.record.status === 'finished');
    return [
      { name: name('accuracy'), figure: accuracyFigure(group, options) },
      ...(runs.length === 0
        ? []
        : [
            { name: name('layer-distance'), figure: layerDistanceFigure(runs, options) },
            { name: name('gradient-depth'), figure: gradientDepthFigure(runs, options) },
          ]),
    ];
  });
}

defineStudy({
  name: 'forgetting',
  title: 'Later-layer forgetting',
  claim: 'Forgetting all later layers, more than once, raises accuracy over fine-tuning and over RIFLE.',
  methods: METHODS,
  oneDataset: true,
  changes: { smoke: { epochs: 4 } }, // room for two resets
  seeds: { smoke: [0], mini: [0, 1] },
  isPresent: (records) => groupsOf(records).length > 0,
  table: forgettingTable,
  figures: figuresOf,
});
