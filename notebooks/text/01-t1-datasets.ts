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
// **The claim.** No claim: the data sets, their classes and images, their splits, and the hashes that verify them.
//
// **The command.** `npx rifle notebooks notebooks/01-t1-datasets.ipynb --scale smoke`, or *Run All Cells* here.
//
// | scale | what it is for | cost |
// | --- | --- | --- |
// | `smoke` | the same at every scale: nothing is trained | seconds |
//
// **What to expect.** Counts and hashes of every data set of the kit. Only `elpv` is in a package registry and shown in pictures; the others come from their official hosts or from your own copy (`npx rifle data prepare NAME --help`).

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
// A folder `train/<class>/*`, `test/<class>/*` needs no manifest: use `datasets.fromFolder(path)`, or its path in place of a data set's name. The studies also run on the folders in `RIFLE_DATA`.
