// ---
// jupyter:
//   kernelspec:
//     display_name: TypeScript (rifle-kit)
//     language: typescript
//     name: rifle
// ---

// %% [markdown]
// # T4. Does it hold across architectures?
//
// **The claim.** RIFLE raises the accuracy of every network.
//
// **The command.** `npx rifle notebooks notebooks/04-t4-architectures.ipynb --scale smoke`, or *Run All Cells* here.
//
// | scale | what it is for | cost |
// | --- | --- | --- |
// | `smoke` | shows that everything works; its numbers mean nothing | under a minute on 2 cores |
// | `mini` | a small study in which training has converged before a reset, on photographs of solar cells (`elpv`), and on the image folders that `RIFLE_DATA` names | `npx rifle sweep --study t4 --scale mini --dry-run` prints an estimate |
// | `desk` | the authors' schedule and network on ten classes; not run so far | hours on a workstation: `npx rifle sweep --study t4 --scale desk --dry-run` |
// | `paper` | the authors' schedule: 40 epochs, batch 32, rate 0.01 cosine, 256/224, five seeds | GPU hours: `npx rifle sweep --study t4 --scale paper --dry-run` |
//
// **What to expect.** At `mini`: networks with ImageNet weights in a package registry, two EfficientNet-Lites and MobileNetV1. At `paper`: the authors' own networks.

// %% tags=["parameters"]
let scale = process.env.RIFLE_SCALE ?? 'smoke'; // smoke, mini or paper

// %%
import { runAll, runsFrame, studies } from 'rifle-kit';
import { architecturesTable, progressBar, show } from 'rifle-kit';

const study = studies.get('t4');
const specs = studies.specs('t4', { scale: scale });
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
// ## The table
//
// Each network without and with RIFLE. The paper's own tables are not available here: the column *reported* shows values of other sources, each with its caveat. (The stored output was made by an earlier version, which judged by another rule.)

// %%
await show(architecturesTable(records, { scale: scale }));
