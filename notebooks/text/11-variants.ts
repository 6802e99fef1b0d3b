// -*- coding: utf-8 -*-
// ---
// jupyter:
//   kernelspec:
//     display_name: TypeScript (rifle-kit)
//     language: typescript
//     name: rifle
// ---

// %% [markdown]
// # The four published variants of RIFLE
//
// **The claim.** Four implementations have been published, and they differ: in how often and when they reset, in the distribution of the new head, and in whether the bias is re-initialised too.
//
// **The command.** `npx rifle notebooks notebooks/11-variants.ipynb --scale smoke`, or *Run All Cells* here.
//
// | scale | what it is for | cost |
// | --- | --- | --- |
// | `smoke` | shows that everything works; its numbers mean nothing | under a minute on 2 cores |
// | `mini` | a small study in which training has converged before a reset, on photographs of solar cells (`elpv`), and on the image folders that `RIFLE_DATA` names | `npx rifle sweep --study variants --scale mini --dry-run` prints an estimate |
// | `desk` | the authors' schedule and network on ten classes; not run so far | hours on a workstation: `npx rifle sweep --study variants --scale desk --dry-run` |
// | `paper` | the authors' schedule: 40 epochs, batch 32, rate 0.01 cosine, 256/224, five seeds | GPU hours: `npx rifle sweep --study variants --scale paper --dry-run` |
//
// **What to expect.** With few classes the variants differ most in scale: `paddle-transfer` draws from ±1/√C, C the number of classes, which for four classes is ±0.5; the authors draw from ±1/√d, d the number of features.

// %% tags=["parameters"]
let scale = process.env.RIFLE_SCALE ?? 'smoke'; // smoke, mini or paper

// %%
import { runAll, runsFrame, studies } from 'rifle-kit';
import { variantsTable, progressBar, show } from 'rifle-kit';

const study = studies.get('variants');
const specs = studies.specs('variants', { scale: scale });
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
// ## What each decides

// %%
import { rifle, riflePresets } from 'rifle-kit';
Object.fromEntries(riflePresets.map((name) => [name, rifle(name)]))

// %% [markdown]
// ## The table
//
// The same network, data and seeds under each variant. The paper's own tables are not available here: the column *reported* shows values of other sources, each with its caveat. (The stored output was made by an earlier version, which judged by another rule.)

// %%
await show(variantsTable(records, { scale: scale }));

// %% [markdown]
// ## How they got there
//
// Mean over the seeds, the band from the lowest to the highest; dashed where a head was re-initialised.

// %%
import { accuracyFigure } from 'rifle-kit';
await show(accuracyFigure(records));
