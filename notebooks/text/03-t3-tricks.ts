// ---
// jupyter:
//   kernelspec:
//     display_name: TypeScript (rifle-kit)
//     language: typescript
//     name: rifle
// ---

// %% [markdown]
// # T3. Does RIFLE beat the known tricks?
//
// **The claim.** Under the same settings RIFLE ends at a higher test accuracy than Dropout, DropConnect, Stochastic Depth, Disturb Label and a cyclic learning rate.
//
// **The command.** `npx rifle notebooks notebooks/03-t3-tricks.ipynb --scale smoke`, or *Run All Cells* here.
//
// | scale | what it is for | cost |
// | --- | --- | --- |
// | `smoke` | shows that everything works; its numbers mean nothing | under a minute on 2 cores |
// | `mini` | a small study in which training has converged before a reset, on photographs of solar cells (`elpv`), and on the image folders that `RIFLE_DATA` names | `npx rifle sweep --study t3 --scale mini --dry-run` prints an estimate |
// | `desk` | the authors' schedule and network on ten classes; not run so far | hours on a workstation: `npx rifle sweep --study t3 --scale desk --dry-run` |
// | `paper` | the authors' schedule: 40 epochs, batch 32, rate 0.01 cosine, 256/224, five seeds | GPU hours: `npx rifle sweep --study t3 --scale paper --dry-run` |
//
// **What to expect.** The abstract reports 0.5 to 2 points. The paper's hyper-parameters of the tricks are not available; ours come from a small grid on a validation split. RIFLE was not tuned.

// %% tags=["parameters"]
let scale = process.env.RIFLE_SCALE ?? 'smoke'; // smoke, mini or paper

// %%
import { runAll, runsFrame, studies } from 'rifle-kit';
import { choiceTable, tricksTable, progressBar, show } from 'rifle-kit';

const study = studies.get('t3');
const specs = studies.specs('t3', { scale: scale });
`${specs.length} runs: ${study.methods.join(', ')}`

// %% [markdown]
// ## The runs
//
// A run is kept under the hash of its spec, data and weights. A run that another notebook made is reused.

// %%
const records = await runAll(specs, { onProgress: progressBar() });

// %%
const finished = runsFrame(records.filter((record) => record.status === 'finished'));
const methods = finished.groupby(['dataset', 'backbone', 'method']);
await show(methods.agg({ top1: ['mean', 'min', 'max'], trainTop1: 'mean' }));

// %% [markdown]
// ## Hyper-parameters of the tricks
//
// A few values of each, compared on images taken out of training. The best value on `elpv` at `mini` is the method's default everywhere.

// %%
const grid = studies.specs('choice', { scale: scale });
const tried = await runAll(grid, { onProgress: progressBar() });
await show(choiceTable(tried));

// %% [markdown]
// ## The table
//
// RIFLE against each trick, seed by seed. The paper's own tables are not available here: the column *reported* shows values of other sources, each with its caveat. (The stored output was made by an earlier version, which judged by another rule.)

// %%
await show(tricksTable(records, { scale: scale }));

// %% [markdown]
// ## How they got there
//
// Mean over the seeds, the band from the lowest to the highest; dashed where a head was re-initialised.

// %%
import { accuracyFigure } from 'rifle-kit';
await show(accuracyFigure(records));
