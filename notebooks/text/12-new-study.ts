// ---
// jupyter:
//   kernelspec:
//     display_name: TypeScript (rifle-kit)
//     language: typescript
//     name: rifle
// ---

// %% [markdown]
// # A study of your own
//
// From a folder of photographs to a model at work: fine-tune, compare, look at the mistakes, predict, make a web page. Copy the cells into a notebook of your own and change the first. `npx rifle new DIR` makes a whole project of them, and `npx rifle data check ./photos` looks for duplicates and damaged images first.
//
// **The command.** `npx rifle notebooks notebooks/12-new-study.ipynb -p dataset=./photos`

// %% tags=["parameters"]
let dataset = 'elpv'; // or a folder: train/<class>/*, test/<class>/*
let epochs = 2; // 40 is the authors'
let seeds = [0, 1];

// %%
import { classTable, confusionFigure, predictionsOf, topLosses } from 'rifle-kit';
import { accuracyFigure, methodsTable, plan, progressBar, runAll, show } from 'rifle-kit';

const spec = {
  dataset: dataset,
  backbone: 'efficientnet_lite0.tf_in1k', // backbones.list() has more
  imageSize: 64,
  epochs: epochs,
  batchSize: 16,
  limits: { trainPerClass: 8, testPerClass: 8 }, // null: all images
};

// %%
const specs = plan({ spec: spec, methods: ['fine-tuning', 'rifle'], seeds: seeds });
const records = await runAll(specs, { onProgress: progressBar(), keepWeights: true });
await show(methodsTable(records));

// %%
await show(accuracyFigure(records));

// %% [markdown]
// ## Look at the mistakes
//
// Each run keeps its logits for every test image.

// %%
const predictions = await predictionsOf(records[0]);
await show(classTable(predictions));
await show(confusionFigure(predictions, { width: 480 }));

// %%
await show(await topLosses(records[0], { k: 4, heat: true })); // red: what speaks for the answer

// %% [markdown]
// ## Use the model
//
// On files or folders, with the same pixels as in evaluation. The web page needs no server: open its `index.html` and drop an image.

// %%
import { classifier, datasets, exportRun, RunStore } from 'rifle-kit';
import fs from 'node:fs';
import path from 'node:path';

const { root, test } = await datasets.load(dataset);
const model = await classifier(records[0].id);
const { predictions: found } = await model.predict([path.join(root, test[0].file)], { top: 2 });
model.dispose();
found[0].top

// %%
const page = path.join('reports', `12-web-page-${records[0].id}`);
if (!fs.existsSync(page))
  await exportRun(new RunStore(), records[0].id, { format: 'web', to: page });
page
