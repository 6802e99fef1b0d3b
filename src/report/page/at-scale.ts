// The runs of one scale among all: those with its schedule and its limits.
import { isDeepStrictEqual } from 'node:util';
import type { RunRecord } from '../../runs/store/record';
import { scale as scaleNamed } from '../../studies/scales';
import { studies } from '../../studies/studies';
import { parseRunSpec } from '../../transfer/spec';

/**
 * The records whose epochs, batch size and limits of images are those of the scale, or of one of its studies. Data set,
 * backbone and image
 * size are free: studies of one scale differ in them.
 * @throws KitError for a scale that there is not.
 */
export function atScale(records: readonly RunRecord[], name: string): RunRecord[] {
  const { name: scale, spec, folderLimits } = scaleNamed(name);
  const changes = [{}, ...studies.list().flatMap((study) => study.changes?.[scale] ?? [])];
  const specs = changes.flatMap((change) =>
    [spec.limits, folderLimits].map((limits) => parseRunSpec({ ...spec, ...change, limits })),
  );
  const isOf = (record: RunRecord): boolean =>
    specs.some(({ epochs, batchSize, limits }) =>
      isDeepStrictEqual(
        { epochs, batchSize, limits },
        { epochs: record.spec.epochs, batchSize: record.spec.batchSize, limits: record.spec.limits },
      ),
    );
  return records.filter(isOf);
}
