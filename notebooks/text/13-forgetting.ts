// ---
// jupyter:
//   kernelspec:
//     display_name: TypeScript (rifle-kit)
//     language: typescript
//     name: rifle
// ---

// %% [markdown]
// # Later-layer forgetting
//
// **The claim.** Fortuitous Forgetting (Zhou et al., ICLR 2022, arXiv 2202.00155) resets not only the head but all later layers, again and again, and reports gains on small data sets. The study compares that with RIFLE, which resets the head once, and with plain fine-tuning.
//
// **The command.** `npx rifle notebooks notebooks/13-forgetting.ipynb --scale smoke`, or *Run All Cells* here.
//
// | scale | what it is for | cost |
// | --- | --- | --- |
// | `smoke` | shows that everything works; its numbers mean nothing | about a minute on 2 cores |
// | `mini` | a small study in which training has converged before a reset, on photographs of solar cells (`elpv`) | not measured: `npx rifle sweep --study forgetting --scale mini --dry-run` |
// | `desk` | the authors' schedule and network on ten classes; not run so far | hours on a workstation: `npx rifle sweep --study forgetting --scale desk --dry-run` |
// | `paper` | 40 epochs, batch 32, rate 0.01 cosine, 256/224, five seeds | GPU hours: `npx rifle sweep --study forgetting --scale paper --dry-run` |
//
// **What to expect.** No value is known for these data. The paper's schedule was not read: two resets from the last stage on are our choice. Others found that later-layer forgetting harms transfer (SEAL, CVPR 2023).

// %% tags=["parameters"]
let scale = process.env.RIFLE_SCALE ?? 'smoke'; // smoke, mini or paper

// %%
import { forgettingTable, methods, runAll, RunStore, studies } from 'rifle-kit';
import { progressBar, show } from 'rifle-kit';

const study = studies.get('forgetting');
const specs = studies.specs('forgetting', { scale: scale });
`${specs.length} runs: ${study.methods.join(', ')}`

// %% [markdown]
// ## What is reset
//
// A reset policy is a part of the spec. `last-stage` is the last stage of any backbone. The head is later still: it is reset as well.

// %%
methods.get('later-layers').reset

// %% [markdown]
// ## The runs
//
// A run is kept under the hash of its spec, data and weights. A run that another notebook made is reused.

// %%
const records = await runAll(specs, { onProgress: progressBar() });

// %% [markdown]
// ## The table
//
// Each method against plain fine-tuning, and against RIFLE: the same network, data and seeds.

// %%
await show(forgettingTable(records, { scale: scale }));

// %% [markdown]
// ## How they got there
//
// Mean over the seeds, the band from the lowest to the highest; dashed where layers were reset.

// %%
import { accuracyFigure } from 'rifle-kit';
await show(accuracyFigure(records));

// %% [markdown]
// ## Every layer
//
// How far each layer is from its pretrained weights at the end. Layers that went back to pretrained values should lie near the pretrained ones.

// %%
import { layerDistanceFigure } from 'rifle-kit';
const store = new RunStore();
const runs = records.map((record) => ({ record: record, layers: store.layers(record.id) }));
await show(layerDistanceFigure(runs));
