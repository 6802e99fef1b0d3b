// ---
// jupyter:
//   kernelspec:
//     display_name: TypeScript (rifle-kit)
//     language: typescript
//     name: rifle
// ---

// %% [markdown]
// # F1. How far does each layer move?
//
// **The claim.** Deep layers, those at the input side, move further from the pretrained weights with RIFLE.
//
// **The command.** `npx rifle notebooks notebooks/06-f1-layer-distance.ipynb --scale smoke`, or *Run All Cells* here.
//
// | scale | what it is for | cost |
// | --- | --- | --- |
// | `smoke` | shows that everything works; its numbers mean nothing | under a minute on 2 cores |
// | `mini` | a small study in which training has converged before a reset, on photographs of solar cells (`elpv`), and on the image folders that `RIFLE_DATA` names | none after T2 |
// | `desk` | the authors' schedule and network on ten classes; not run so far | hours on a workstation: `npx rifle sweep --study f1 --scale desk --dry-run` |
// | `paper` | the authors' schedule: 40 epochs, batch 32, rate 0.01 cosine, 256/224, five seeds | GPU hours: `npx rifle sweep --study f1 --scale paper --dry-run` |
//
// **What to expect.** Every layer, input side first: its distance |w - w0| / |w0| from the pretrained weights at the end of the run. If the claim holds, RIFLE's line lies above at the left.

// %% tags=["parameters"]
let scale = process.env.RIFLE_SCALE ?? 'smoke'; // smoke, mini or paper

// %%
import { RunStore, runAll, studies } from 'rifle-kit';
import { progressBar, show } from 'rifle-kit';
import { distanceTable, layerDistanceFigure, layersFrame } from 'rifle-kit';

const specs = studies.specs('f1', { scale: scale });
const records = await runAll(specs, { onProgress: progressBar() });
`${records.length} runs`

// %% [markdown]
// ## Every layer and epoch
//
// The norms are computed inside the compiled training step and stored with every run.

// %%
const store = new RunStore();
const runs = records.map((record) => ({ record: record, layers: store.layers(record.id) }));
await show(layersFrame(runs), { rows: 6 });

// %%
const figure = layerDistanceFigure(runs);
await show(figure);

// %% [markdown]
// ## The numbers behind it

// %%
import { exportFigure } from 'rifle-kit';
await exportFigure(figure, `reports/f1-${scale}`);

// %% [markdown]
// ## The claim in numbers
//
// In the third of the convolutions at the input side: how many times as far with RIFLE as without.

// %%
await show(distanceTable(runs));
