// The messages between a pool and a process that makes runs, checked where they arrive as text.
import { z } from 'zod';
import type { RunSpec } from '../../transfer/spec/spec';
import type { TrackingOptions } from '../tracking/tracking';

/** A run to make. */
export interface PoolTask {
  spec: RunSpec;
  runs: string;
  keepWeights: boolean;
  checkpointMinutes?: number;
  /** The GPU that must be there; null: the CPU will do. */
  device: string | null;
  /** Files with definitions that the spec may use, see `filesFor`. */
  definitions?: string[];
  /** What to do when another process makes the run. */
  busy: 'wait' | 'throw';
  tracking?: TrackingOptions;
}

/** A message to a worker: a run to make, or to stop after a checkpoint. */
export type PoolMessage = PoolTask | { stop: true };

const text = z.string().max(100_000);
const progress = z.object({
  task: text,
  done: z.number(),
  total: z.number(),
  unit: text,
  detail: text.optional(),
});

/** News of a run in progress. */
const news = z.union([
  z.strictObject({ progress }),
  z.strictObject({ epoch: z.number().int().nonnegative() }),
  z.strictObject({ notice: text }),
]);

/**
 * How a run ended in a worker: a record's id; another process makes it; it was stopped; or an error. `fatal`: the
 * process cannot be used any more. `gone`: its GPU is not there.
 */
const outcome = z.union([
  z.strictObject({ id: z.string().max(64), reused: z.boolean() }),
  z.strictObject({ busy: text }),
  z.strictObject({ stopped: z.literal(true) }),
  z.strictObject({
    error: z.object({ message: text, code: text.optional(), fix: text, fatal: z.boolean(), gone: z.boolean() }),
  }),
]);

export type PoolNews = z.infer<typeof news>;
export type PoolOutcome = z.infer<typeof outcome>;
export type PoolReply = PoolNews | PoolOutcome;

/** `value` as news or as an outcome; null where it is neither. */
export function replyOf(value: unknown): { news: PoolNews } | { outcome: PoolOutcome } | null {
  const asNews = news.safeParse(value);
  if (asNews.success) return { news: asNews.data };
  const asOutcome = outcome.safeParse(value);
  return asOutcome.success ? { outcome: asOutcome.data } : null;
}
