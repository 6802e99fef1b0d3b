// ---
// jupyter:
//   kernelspec:
//     display_name: TypeScript (rifle-kit)
//     language: typescript
//     name: rifle
// ---

// %% [markdown]
// # F4. Do low-level features improve?
//
// **The claim.** The early layers of a network that RIFLE trained are better, also without its later layers.
//
// **The command.** `npx rifle notebooks notebooks/09-f4-low-level.ipynb --scale smoke`, or *Run All Cells* here.
//
// | scale | what it is for | cost |
// | --- | --- | --- |
// | `smoke` | shows that everything works; its numbers mean nothing | under a minute on 2 cores |
// | `mini` | a small study in which training has converged before a reset, on photographs of solar cells (`elpv`), and on the image folders that `RIFLE_DATA` names | short after T2; T2's runs are made again when their weights were not kept |
// | `desk` | the authors' schedule and network on ten classes; not run so far | hours on a workstation: `npx rifle sweep --study f4 --scale desk --dry-run` |
// | `paper` | the authors' schedule: 40 epochs, batch 32, rate 0.01 cosine, 256/224, five seeds | GPU hours: `npx rifle sweep --study f4 --scale paper --dry-run` |
//
// **What to expect.** Our own protocol, declared before its results: keep the first k stages of the fine-tuned network, restore all later ones to the pretrained weights, and fit a linear classifier on what comes out. If the claim holds, RIFLE's line lies above plain fine-tuning's at small k.

// %% tags=["parameters"]
let scale = process.env.RIFLE_SCALE ?? 'smoke'; // smoke, mini or paper

// %%
import { RunStore, runAll, studies } from 'rifle-kit';
import { progressBar, show } from 'rifle-kit';
import { lowLevelFeatures, lowLevelFigure, lowLevelFrame, lowLevelTable } from 'rifle-kit';

const specs = studies.specs('f4', { scale: scale });
const records = await runAll(specs, { onProgress: progressBar(), keepWeights: true });
`${records.length} runs`

// %%
const store = new RunStore();
const runs = records.map((record) => ({ record: record, weights: store.weights(record.id)! }));
const kept = await lowLevelFeatures(runs, { onProgress: progressBar() });
await show(lowLevelFrame(kept), { rows: 6 });

// %%
await show(lowLevelFigure(kept));

// %%
await show(lowLevelTable(kept));
