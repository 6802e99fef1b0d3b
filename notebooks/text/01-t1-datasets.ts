// ---
// jupyter:
//   kernelspec:
//     display_name: TypeScript (rifle-kit)
//     language: typescript
//     name: rifle
// ---

// %% [markdown]
// # T1. The data sets
//
// **The claim.** Not a claim but the ground: which data sets, how many classes and images, how they are split, and what says that they are the right ones.
//
// **The command.** `npx rifle notebooks notebooks/01-t1-datasets.ipynb --scale smoke`, or *Run All Cells* here.
//
// | scale | what it is for | cost |
// | --- | --- | --- |
// | `smoke` | the same at every scale: nothing is trained | seconds |
//
// **What to expect.** Counts and hashes of everything the kit knows. Only `elpv` is held by a package registry and shown in pictures; the others come from their official hosts or from your own copy (`npx rifle data prepare NAME --help`).

// %% tags=["parameters"]
let scale = process.env.RIFLE_SCALE ?? 'smoke'; // smoke, mini or paper

// %%
import { datasets, datasetsTable, progressBar, sampleGrid, show } from 'rifle-kit';

await show(datasetsTable());

// %% [markdown]
// ## The embedded data set
//
// Photographs of solar cells under electroluminescence: monocrystalline or polycrystalline, functional or defective. (elpv-dataset, CC BY-NC-SA 4.0.)

// %%
const elpv = await datasets.load('elpv', { onProgress: progressBar() });
await show(await sampleGrid(elpv, { perClass: 6 }));

// %%
const { classes, train, test, hash } = elpv;
`${classes.length} classes, ${train.length} and ${test.length} images; sha256 ${hash.slice(0, 16)}`

// %% [markdown]
// ## Your own
//
// A folder `train/<class>/*`, `test/<class>/*` needs no record at all: `datasets.fromFolder(path)`, or its path wherever a data set's name can stand. Name folders in `RIFLE_DATA` and the studies run on them, too.
