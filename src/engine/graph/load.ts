// Hands graphs to TensorFlow, and keeps one of a disposed program for the next.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { KitError } from '../../base/errors';
import { internals } from '../binding';
import { Session } from './program';

/** A graph that a disposed program has left loaded: TensorFlow's number of it, and its hash. */
let waiting: { hash: string; model: number } | null = null;

/** A session of the graph. @param reuse whether a disposed program's graph serves again, and this one later. */
export function sessionOf(savedModel: Buffer, reuse: boolean): Session {
  if (!reuse) return new Session(load(savedModel));
  const hash = createHash('sha256').update(savedModel).digest('hex');
  const kept = waiting;
  waiting = null;
  if (kept !== null && kept.hash !== hash) internals().binding.deleteSavedModel(kept.model);
  const model = kept?.hash === hash ? kept.model : load(savedModel);
  return new Session(model, () => {
    if (waiting !== null) internals().binding.deleteSavedModel(waiting.model);
    waiting = { hash, model };
  });
}

/** Hands the graph to TensorFlow, through a folder that lives only as long as that takes. */
function load(savedModel: Buffer): number {
  let folder: string | undefined;
  try {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rifle-graph-'));
    fs.writeFileSync(path.join(folder, 'saved_model.pb'), savedModel);
    return internals().binding.loadSavedModel(folder, 'serve');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code !== undefined)
      throw new KitError(
        `The recorded graph (${savedModel.length} bytes) could not be written to ${os.tmpdir()}: ${message}`,
        { code: 'COMPILE_WRITE', fix: 'Free some space there, or name another folder in TMPDIR.', cause },
      );
    throw new KitError(`TensorFlow refused the recorded graph: ${message}`, {
      code: 'COMPILE_GRAPH',
      fix: "If it names a missing attribute, tfjs's kernel leaves it out: add it in src/engine/recording/recorder.ts.",
      cause,
    });
  } finally {
    if (folder !== undefined) fs.rmSync(folder, { recursive: true, force: true });
  }
}
