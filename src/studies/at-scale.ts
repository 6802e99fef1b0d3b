// The runs of one scale among all: those with its schedule and its limits.
import { isDeepStrictEqual } from 'node:util';
import type { RunRecord } from '../runs/store/record';
import { parseRunSpec } from '../transfer/spec/spec';
import { scale as scaleNamed } from './scales';
import { studies } from './study';

/**
 * The records whose epochs, batch size and limits of images are those of the scale, or of one of its studies. Data set,
 * backbone and image size are free: studies of one scale differ in them.
 * @throws KitError UNKNOWN_SCALE.
 */
export function atScale(records: readonly RunRecord[], name: string): RunRecord[] {
  const scale = scaleNamed(name);
  const changes = [{}, ...studies.list().flatMap((study) => study.changes?.[name] ?? [])];
  const own = studies.list().flatMap(({ scales }) => (scales?.[name] ? [scales[name]] : []));
  const specs = [scale, ...own].flatMap(({ spec, folderLimits }) =>
    changes.flatMap((change) =>
      [spec.limits, folderLimits].map((limits) => parseRunSpec({ ...spec, ...change, limits })),
    ),
  );
  const planned = studies.list().flatMap((study) => studies.specs(study.name, { scale: name }));
  const isOf = (record: RunRecord): boolean =>
    [...specs, ...planned].some(({ epochs, batchSize, limits }) =>
      isDeepStrictEqual(
        { epochs, batchSize, limits },
        { epochs: record.spec.epochs, batchSize: record.spec.batchSize, limits: record.spec.limits },
      ),
    );
  return records.filter(isOf);
}
