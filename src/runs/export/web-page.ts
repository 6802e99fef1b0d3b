// A web page that classifies: one folder that needs no server and no network. The weights lie in a script, so that the
// page also works when it is opened from the disk.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { FrozenGraph } from '../../engine/graph/freeze';
import { packageRoot } from '../../base/home';
import type { ModelCard } from './model-card';
import { writeTfjsModel } from './tfjs-model';

/** Where the model lies until `embedModel` has put it into a script. */
const MODEL_FOLDER = 'model';

/** Writes the page into `folder`, with the model beside it as a TensorFlow.js folder. */
export async function writeWebPage(graph: FrozenGraph, folder: string, card: ModelCard): Promise<void> {
  const template = path.join(packageRoot(), 'templates', 'web');
  await writeTfjsModel(graph, path.join(folder, MODEL_FOLDER), card);
  for (const name of ['index.html', 'page.js'])
    await fs.promises.copyFile(path.join(template, name), path.join(folder, name));
  const tfjs = createRequire(require.resolve('@tensorflow/tfjs-node-gpu')).resolve('@tensorflow/tfjs/dist/tf.min.js');
  await fs.promises.copyFile(tfjs, path.join(folder, 'tf.min.js'));
  await fs.promises.writeFile(path.join(folder, 'pixels.js'), pixelScript());
}

/** Replaces the model's folder by `model.js`: a script works where the page is a file, a request does not. */
export async function embedModel(folder: string, card: ModelCard): Promise<void> {
  const model = path.join(folder, MODEL_FOLDER);
  const json = JSON.parse(await fs.promises.readFile(path.join(model, 'model.json'), 'utf8')) as {
    modelTopology: object;
    signature: object;
    weightsManifest: { paths: string[]; weights: object[] }[];
  };
  const [{ paths, weights }] = json.weightsManifest;
  const bytes = await fs.promises.readFile(path.join(model, paths[0]));
  const { modelTopology, signature } = json;
  const content = JSON.stringify({
    card,
    modelTopology,
    signature,
    weightSpecs: weights,
    weights: bytes.toString('base64'),
  });
  await fs.promises.writeFile(path.join(folder, 'model.js'), `globalThis.MODEL = ${content};\n`);
  await fs.promises.rm(model, { recursive: true });
}

/** The kit's own resize and crop, as a script: the page sees the pixels that the network was evaluated on. */
function pixelScript(): string {
  const modules = ['../../data/pixels/resize', '../../data/batches/crop'].map((name) =>
    fs.readFileSync(require.resolve(name), 'utf8').replace(/\n\/\/# sourceMappingURL=.*\n?$/, '\n'),
  );
  const wrapped = modules.map(
    (source) => `((exports, require) => {\n${source}})(pixels, () => ({ KitError: Error }));`,
  );
  return [
    '// Resize and centre crop of rifle-kit, compiled from src/data/pixels/resize.ts and src/data/batches/crop.ts.',
    'const pixels = {};',
    ...wrapped,
    'globalThis.pixels = pixels;',
    '',
  ].join('\n');
}
