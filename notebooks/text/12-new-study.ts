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
// Five cells: copy them into a notebook of your own and change the first. `npx rifle new DIR` makes a whole project of them.
//
// **The command.** `npx rifle notebooks notebooks/12-new-study.ipynb -p dataset=./photos`

// %% tags=["parameters"]
let dataset = 'elpv'; // or a folder: train/<class>/*, test/<class>/*
let epochs = 2; // 40 is the authors'
let seeds = [0, 1];

// %%
import { accuracyFigure, methodsTable, plan, progressBar, runAll, show } from 'rifle-kit';

const spec = {
  dataset: dataset,
  backbone: 'efficientnet_lite0.tf_in1k', // backbones.list() has more
  imageSize: 64,
  epochs: epochs,
  batchSize: 16,
  limits: { trainPerClass: 8, testPerClass: 8 }, // null: all images
};
const specs = plan({ spec: spec, methods: ['fine-tuning', 'rifle'], seeds: seeds });

// %%
const records = await runAll(specs, { onProgress: progressBar() });

// %%
await show(methodsTable(records));

// %%
await show(accuracyFigure(records));
