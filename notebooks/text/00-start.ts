// ---
// jupyter:
//   kernelspec:
//     display_name: TypeScript (rifle-kit)
//     language: typescript
//     name: rifle
// ---

// %% [markdown]
// # Does RIFLE beat plain fine-tuning?
//
// **The claim.** Fine-tune a pretrained network, and in the middle of it draw its last layer, the head, anew: that is RIFLE (Li et al., ICML 2020).
// The network then ends at a higher test accuracy than after plain fine-tuning.
// Here the claim meets photographs of solar cells (`elpv`): four classes, monocrystalline or polycrystalline, functional or defective.
//
// **The command.** `npx rifle notebooks notebooks/00-start.ipynb --scale smoke`, or *Run All Cells* here.
//
// | scale | what it is for | cost |
// | --- | --- | --- |
// | `smoke` | shows that everything works; its numbers mean nothing | under a minute on 2 cores |
// | `mini` | both methods converge on a few hundred photographs | minutes on a laptop |
// | `paper` | the authors' network and schedule on all of `elpv` | a GPU |
//
// **What to expect.** The paper's abstract reports 0.5 to 2 points over other tricks on other data; for these photographs no value is at hand.
// At `smoke` the table says *Not converged*. At `mini` there are two seeds: the interval of the difference is wide, and *direction only* or
// *not reproduced* are honest answers.

// %% tags=["parameters"]
let scale = process.env.RIFLE_SCALE ?? 'smoke'; // smoke, mini or paper
let seeds: number[] = []; // none: those of the scale

// %%
import { datasets, methods, plan, runAll, scale as scaleOf } from 'rifle-kit';
import { epochsFrame, methodsTable, runsFrame, writeReport } from 'rifle-kit';
import { accuracyFigure, lossFigure, progressBar, sampleGrid, show } from 'rifle-kit';

const chosen = scaleOf(scale);
const study = { ...chosen, seeds: seeds.length > 0 ? seeds : chosen.seeds };
study.purpose

// %% [markdown]
// ## The photographs
//
// A data set is a folder of images and a list. It is fetched once, checked against its hash, and kept. (elpv-dataset, CC BY-NC-SA 4.0.)

// %%
const photographs = await datasets.load(study.spec.dataset, { onProgress: progressBar() });
await show(await sampleGrid(photographs, { perClass: 6 }));

// %% [markdown]
// ## Two methods, one difference
//
// A run is a value: everything that its numbers depend on. The two methods share all of it but `rifle`, which is `null` for plain fine-tuning.

// %%
methods.get('rifle').rifle

// %%
const specs = plan(study);
specs.map((spec) => `${methods.nameOf(spec)}, seed ${spec.seed}: ${spec.epochs} epochs`)

// %% [markdown]
// ## Fine-tune
//
// One run after the other. A finished run is kept under the hash of its spec, data and weights: the next time, this cell takes no time.

// %%
const records = await runAll(specs, { onProgress: progressBar() });

// %% [markdown]
// ## Look at the numbers
//
// Records become [danfo](https://danfo.jsdata.org) frames: one row a run, or one row a run and epoch.

// %%
const columns = ['method', 'seed', 'trainTop1', 'top1', 'resets'];
const runs = runsFrame(records).loc({ columns: columns });
await show(runs);

// %%
await show(runs.groupby(['method']).agg({ top1: ['mean', 'min', 'max'], trainTop1: 'mean' }));

// %%
const epochs = epochsFrame(records);
await show(epochs, { rows: 4 });

// %% [markdown]
// ## The answer
//
// The methods share their seeds, so the difference is taken seed by seed. The rule of the verdict stands below the table.

// %%
await show(methodsTable(records));

// %% [markdown]
// ## How it got there
//
// When the head is drawn anew (dashed), accuracy falls and training loss jumps; then both recover. That is the perturbation that RIFLE is about.
// (The two epochs of `smoke` are too few to see it.)

// %%
await show(accuracyFigure(records));

// %%
await show(lossFigure(records));

// %% [markdown]
// ## Take it with you
//
// One HTML file with the table, the figures and what they were made with; it needs nothing else.

// %%
const title = 'Does RIFLE beat plain fine-tuning?';
const path = `reports/00-start-${scale}.html`;
await writeReport(records, { path: path, title: title, scale: scale });
`Open notebooks/${path} in a browser.`

// %% [markdown]
// ## Go on
//
// Copy these cells into a notebook of your own and change the study, for example
//
// ```ts
// const study = { ...scaleOf(scale), methods: ['fine-tuning', 'rifle', 'l2-sp', 'l2-sp+rifle'], seeds: [0, 1, 2] };
// ```
//
// `spec.dataset` may be the path of a folder of your own with `train/<class>/*` and `test/<class>/*`; `methods.list()` has the methods.
