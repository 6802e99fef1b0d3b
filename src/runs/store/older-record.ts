// Records of older kits, in the form of today. Their ids stay, and their files are not changed.
import { upgradedSpec } from '../../transfer/older-spec';
import type { RunRecord } from './record';

/** The record of `written`, as any kit wrote it: `format` says which form it had. */
export function upgradedRecord(written: Record<string, unknown>): RunRecord {
  if (typeof written.format === 'number') return written as unknown as RunRecord;
  const { numericsVersion, spec, ...rest } = written as { numericsVersion: number; spec: Record<string, unknown> };
  return { ...rest, format: 1, spec: upgradedSpec(spec), numerics: { kit: numericsVersion } } as unknown as RunRecord;
}
