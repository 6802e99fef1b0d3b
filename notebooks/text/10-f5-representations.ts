// ---
// jupyter:
//   kernelspec:
//     display_name: TypeScript (rifle-kit)
//     language: typescript
//     name: rifle
// ---

// %% [markdown]
// # F5. How far do the representations move?
//
// **The claim.** With RIFLE the features move further away from the pretrained ones.
//
// **The command.** `npx rifle notebooks notebooks/10-f5-representations.ipynb --scale smoke`, or *Run All Cells* here.
//
// | scale | what it is for | cost |
// | --- | --- | --- |
// | `smoke` | shows that everything works; its numbers mean nothing | under a minute on 2 cores |
// | `mini` | a small study in which training has converged before a reset, on photographs of solar cells (`elpv`), and on the image folders that `RIFLE_DATA` names | short after T2 |
// | `desk` | the authors' schedule and network on ten classes; not run so far | hours on a workstation: `npx rifle sweep --study f5 --scale desk --dry-run` |
// | `paper` | the authors' schedule: 40 epochs, batch 32, rate 0.01 cosine, 256/224, five seeds | GPU hours: `npx rifle sweep --study f5 --scale paper --dry-run` |
//
// **What to expect.** Linear CKA (Kornblith et al. 2019) between the pretrained and the fine-tuned network's features on the test images, stage by stage: 1 is the same up to rotation and scale. If the claim holds, RIFLE's line lies below.

// %% tags=["parameters"]
let scale = process.env.RIFLE_SCALE ?? 'smoke'; // smoke, mini or paper

// %%
import { RunStore, runAll, studies } from 'rifle-kit';
import { progressBar, show } from 'rifle-kit';
import { ckaByStage, ckaFigure, ckaFrame, ckaTable } from 'rifle-kit';

const specs = studies.specs('f5', { scale: scale });
const records = await runAll(specs, { onProgress: progressBar(), keepWeights: true });
`${records.length} runs`

// %%
const store = new RunStore();
const runs = records.map((record) => ({ record: record, weights: store.weights(record.id)! }));
const rows = await ckaByStage(runs, { onProgress: progressBar() });
await show(ckaFrame(rows), { rows: 6 });

// %%
await show(ckaFigure(rows));

// %%
await show(ckaTable(rows));
