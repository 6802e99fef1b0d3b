// ---
// jupyter:
//   kernelspec:
//     display_name: TypeScript (rifle-kit)
//     language: typescript
//     name: rifle
// ---

// %% [markdown]
// # F3. Is the perturbation absorbed?
//
// **The claim.** The loss jumps when the head is re-initialised, and then falls to its former course.
//
// **The command.** `npx rifle notebooks notebooks/08-f3-perturbation.ipynb --scale smoke`, or *Run All Cells* here.
//
// | scale | what it is for | cost |
// | --- | --- | --- |
// | `smoke` | shows that everything works; its numbers mean nothing | under a minute on 2 cores |
// | `mini` | a small study in which training has converged before a reset, on photographs of solar cells (`elpv`), and on the image folders that `RIFLE_DATA` names | none after T2 |
// | `desk` | the authors' schedule and network on ten classes; not run so far | hours on a workstation: `npx rifle sweep --study f3 --scale desk --dry-run` |
// | `paper` | the authors' schedule: 40 epochs, batch 32, rate 0.01 cosine, 256/224, five seeds | GPU hours: `npx rifle sweep --study f3 --scale paper --dry-run` |
//
// **What to expect.** Training loss and test accuracy, epoch by epoch. (The two epochs of `smoke` are too few to see it.)

// %% tags=["parameters"]
let scale = process.env.RIFLE_SCALE ?? 'smoke'; // smoke, mini or paper

// %%
import { RunStore, runAll, studies } from 'rifle-kit';
import { progressBar, show } from 'rifle-kit';
import { accuracyFigure, lossFigure } from 'rifle-kit';

const specs = studies.specs('f3', { scale: scale });
const records = await runAll(specs, { onProgress: progressBar() });
`${records.length} runs`

// %%
await show(lossFigure(records));

// %%
await show(accuracyFigure(records));

// %% [markdown]
// ## How long it takes
//
// Of every RIFLE run: the training loss just before the reset, just after it, and how many epochs pass until it is back.

// %%
import { recoveryTable } from 'rifle-kit';
await show(recoveryTable(records));
