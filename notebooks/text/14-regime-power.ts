// ---
// jupyter:
//   kernelspec:
//     display_name: TypeScript (rifle-kit)
//     language: typescript
//     name: rifle
// ---

// %% [markdown]
// # When can a reset deepen back-propagation?
//
// **The claim.** The gradients grow after a reset where training has converged before it. Otherwise they are large with and without a reset.
//
// **The command.** `npx rifle notebooks notebooks/14-regime-power.ipynb --scale smoke`, or *Run All Cells* here.
//
// | scale | what it is for | cost |
// | --- | --- | --- |
// | `smoke` | shows that everything works; its numbers mean nothing | a minute on 2 cores |
// | `mini` | settings that converge and settings that do not, on photographs of solar cells (`elpv`) | not run so far: `npx rifle sweep --study regime --scale mini --dry-run` |
// | `desk` | the authors' schedule and network on ten classes; not run so far | hours on a workstation: `npx rifle sweep --study regime --scale desk --dry-run` |
// | `paper` | the authors' schedule: 40 epochs, batch 32, rate 0.01 cosine, 256/224 | GPU hours: `npx rifle sweep --study regime --scale paper --dry-run` |
//
// **What to expect.** One point for each setting: the training loss before the reset, and how many times as large the gradients are after it. If the claim holds, points further left are higher.

// %% tags=["parameters"]
let scale = process.env.RIFLE_SCALE ?? 'smoke'; // smoke, mini, desk or paper

// %%
import { RunStore, runAll, studies } from 'rifle-kit';
import { powerTable, progressBar, regimeFigure, regimeTable, show } from 'rifle-kit';

const specs = studies.specs('regime', { scale: scale });
const records = await runAll(specs, { onProgress: progressBar() });
`${records.length} runs`

// %%
const store = new RunStore();
const layers = (id: string) => store.layers(id);
const runs = records.map((record) => ({ record: record, layers: layers(record.id) }));
await show(regimeTable(runs));

// %%
await show(regimeFigure(runs));

// %% [markdown]
// ## What such runs can show
//
// The spread of the paired differences over seeds tells the smallest effect that 3, 5 and 10 pairs find with a power of 0.8. The last column is the number of pairs that find the smallest effect of interest.

// %%
const pairs = await runAll(studies.specs('f1', { scale: scale }), { onProgress: progressBar() });
await show(powerTable(pairs, { layers: layers }));
