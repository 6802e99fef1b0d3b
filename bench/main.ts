// `npm run bench -- NAME`: side-by-side benchmarks, each contender in a process of its own, all in one run.
import { Command } from 'commander';
import { analysis } from './analysis';
import { dataBench } from './data';
import { kernelBench } from './kernel';
import { storeBench } from './store';
import { trainStep } from './train-step';

const program = new Command('bench').description('side-by-side benchmarks; figures are to be read as ratios within one run');

program
  .command('train-step')
  .description("images per second and peak memory of a training step: ours compiled, ours eager, stock tfjs-layers")
  .option('--batch-size <n>', 'images in a step', Number, 8)
  .option('--image-size <pixels>', 'side of the images', Number, 224)
  .option('--steps <n>', 'timed steps, after one that is not', Number, 5)
  .option('--json', 'print JSON')
  .addHelpText('after', '\nExample:\n  $ npm run bench -- train-step --steps 10')
  .action(trainStep);

program
  .command('analysis')
  .description('what the norms of every layer cost: the compiled training step with them against the same without, step by step in turn')
  .option('--pairs <n>', 'timed pairs of steps', Number, 40)
  .option('--json', 'print JSON')
  .addHelpText('after', '\nExample:\n  $ npm run bench -- analysis --pairs 100')
  .action(analysis);

program
  .command('data')
  .description('images per second: decoding and preparing beside torchvision, and the training input from the pixel cache')
  .option('--images <n>', 'photographs', Number, 120)
  .option('--rounds <n>', 'timed rounds over them, after one that is not', Number, 8)
  .option('--short-side <pixels>', 'what they are resized to', Number, 256)
  .option('--image-size <pixels>', 'side of the training crop', Number, 224)
  .option('--python <path>', 'a Python with torchvision, to compare with; never needed otherwise', process.env.RIFLE_BENCH_PYTHON)
  .option('--json', 'print JSON')
  .addHelpText('after', '\nExample:\n  $ npm run bench -- data --python ~/torch/bin/python')
  .action(dataBench);

program
  .command('store')
  .description('`rifle runs list`, a filter and a table over a store of many records')
  .option('--records <n>', 'runs in the store', Number, 10_000)
  .option('--rounds <n>', 'of each command; the fastest counts', Number, 3)
  .option('--json', 'print JSON')
  .addHelpText('after', '\nExample:\n  $ npm run bench -- store --records 1000')
  .action(storeBench);

program
  .command('kernel')
  .description('the notebook kernel: time to the first result and to the kit, memory of a long session, what is left behind')
  .option('--restarts <n>', 'kernels that are started and stopped', Number, 50)
  .option('--cells <n>', 'cells in one more', Number, 500)
  .option('--json', 'print JSON')
  .addHelpText('after', '\nExample:\n  $ npm run bench -- kernel --restarts 10 --cells 100')
  .action(kernelBench);

void program.parseAsync();
