// Exported folders as models again, by the official loader of their format.
import fs from 'node:fs';
import path from 'node:path';
import { KitError } from '../../base/errors';
import { tf, type TF } from '../../engine/tensorflow';

/** Formats that can be loaded with their graph. */
export type LoadableFormat = 'tfjs' | 'savedmodel';

/** A loaded graph. */
export interface ExportedModel {
  /** Logits [batch, classes] of int32 RGB pixels [batch, side, side, 3]. */
  predict(images: TF.Tensor): Promise<TF.Tensor2D>;
  /** Frees its weights. */
  dispose(): void;
}

/** The file of a folder that holds the graph. */
export const GRAPH_FILES: Readonly<Record<LoadableFormat, string>> = {
  tfjs: 'model.json',
  savedmodel: 'saved_model.pb',
};

/** Loads the export in `folder`. @throws KitError `EXPORT_INCOMPLETE`, `EXPORT_UNREADABLE`. */
export async function loadExported(format: LoadableFormat, folder: string): Promise<ExportedModel> {
  const file = path.resolve(folder, GRAPH_FILES[format]);
  requireFiles(format, file);
  try {
    return format === 'tfjs' ? await loadGraph(file) : await loadSavedModel(folder);
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

async function loadGraph(file: string): Promise<ExportedModel> {
  const model = await tf.loadGraphModel(`file://${file}`);
  return {
    predict: async (images) => model.execute({ images }, 'logits') as TF.Tensor2D,
    dispose: () => model.dispose(),
  };
}

async function loadSavedModel(folder: string): Promise<ExportedModel> {
  const model = await tf.node.loadSavedModel(folder);
  return {
    async predict(images) {
      const { logits, probabilities } = model.predict({ images }) as Record<string, TF.Tensor2D>;
      probabilities.dispose();
      return logits;
    },
    dispose: () => void model.dispose(),
  };
}

/** The graph, and the files that it names, exist. */
function requireFiles(format: LoadableFormat, file: string): void {
  const folder = path.dirname(file);
  const missing = [path.basename(file), ...(fs.existsSync(file) && format === 'tfjs' ? weightFiles(file) : [])].find(
    (name) => !fs.existsSync(path.join(folder, name)),
  );
  if (missing !== undefined)
    throw new KitError(`The folder ${folder} has no ${missing}.`, {
      code: 'EXPORT_INCOMPLETE',
      fix: `Export the run again: npx rifle runs export RUN --format ${format}.`,
    });
}

/** Names of the files with the weights of a TensorFlow.js model. */
function weightFiles(file: string): string[] {
  try {
    const { weightsManifest } = JSON.parse(fs.readFileSync(file, 'utf8')) as {
      weightsManifest: { paths: string[] }[];
    };
    return weightsManifest.flatMap(({ paths }) => paths.map(String));
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

const unreadable = (file: string, cause: unknown): KitError =>
  new KitError(`The exported model ${file} cannot be read: ${(cause as Error).message}`, {
    code: 'EXPORT_UNREADABLE',
    fix: 'Export the run again: npx rifle runs export RUN.',
    cause,
  });
