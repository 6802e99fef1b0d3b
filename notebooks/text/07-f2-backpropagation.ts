// ---
// jupyter:
//   kernelspec:
//     display_name: TypeScript (rifle-kit)
//     language: typescript
//     name: rifle
// ---

// %% [markdown]
// # F2. How far does back-propagation reach?
//
// **The claim.** After a re-initialisation the gradients are larger, and they are so down to the input side.
//
// **The command.** `npx rifle notebooks notebooks/07-f2-backpropagation.ipynb --scale smoke`, or *Run All Cells* here.
//
// | scale | what it is for | cost |
// | --- | --- | --- |
// | `smoke` | shows that everything works; its numbers mean nothing | under a minute on 2 cores |
// | `mini` | a small study in which training has converged before a reset, on photographs of solar cells (`elpv`), and on the image folders that `RIFLE_DATA` names | none after T2 |
// | `desk` | the authors' schedule and network on ten classes; not run so far | hours on a workstation: `npx rifle sweep --study f2 --scale desk --dry-run` |
// | `paper` | the authors' schedule: 40 epochs, batch 32, rate 0.01 cosine, 256/224, five seeds | GPU hours: `npx rifle sweep --study f2 --scale paper --dry-run` |
//
// **What to expect.** The norm of the loss's gradient for every layer and epoch. If the claim holds, RIFLE's map is lighter right after the dashed line, in all rows.

// %% tags=["parameters"]
let scale = process.env.RIFLE_SCALE ?? 'smoke'; // smoke, mini or paper

// %%
import { RunStore, runAll, studies } from 'rifle-kit';
import { progressBar, show } from 'rifle-kit';
import { gradientDepthFigure, gradientHeatmap, gradientTable, layersFrame } from 'rifle-kit';

const specs = studies.specs('f2', { scale: scale });
const records = await runAll(specs, { onProgress: progressBar() });
`${records.length} runs`

// %%
const store = new RunStore();
const runs = records.map((record) => ({ record: record, layers: store.layers(record.id) }));
await show(layersFrame(runs), { rows: 6 });

// %%
await show(gradientHeatmap(runs));

// %% [markdown]
// ## The same as lines
//
// Layers in three parts by depth: the geometric mean of their gradient norms.

// %%
await show(gradientDepthFigure(runs));

// %% [markdown]
// ## The claim in numbers
//
// All epochs after the first reset: how many times as large with RIFLE as without.

// %%
await show(gradientTable(runs));
