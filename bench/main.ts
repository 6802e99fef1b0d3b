// `npm run bench -- NAME`: side-by-side benchmarks, each contender in a process of its own, all in one run.
import { Command } from 'commander';
import { fail } from '../src/cli/fail';
import { positiveNumber } from '../src/cli/flags/numbers';
import { unknownName } from '../src/base/errors';
import { analysis } from './analysis';
import { dataBench } from './data';
import { endToEnd } from './end-to-end';
import { grid } from './grid';
import { kernelBench } from './kernel';
import { memory } from './memory';
import { networks } from './networks';
import { packagesBench } from './packages';
import { installPeers, peers, type Peer } from './peers';
import { placement } from './placement';
import { predictBench } from './predict';
import { show } from './show';
import { startup } from './startup';
import { storeBench } from './store';
import { contenders, trainStep } from './train-step';

const BATCHES = [8, 32];
const program = new Command('bench').description(
  'side-by-side benchmarks; figures are to be read as ratios within one run',
);

program
  .command('train-step')
  .description('images per second and peak memory of a training step: ours beside each peer, round by round')
  .option('--network <names...>', `of ${Object.keys(networks).join(', ')}`, Object.keys(networks))
  .option(
    '--batch <sizes...>',
    'images in a step',
    (text: string, before?: number[]) => [...(before === BATCHES ? [] : (before ?? [])), positiveNumber(text)],
    BATCHES,
  )
  .option(
    '--contenders <names...>',
    `of ${Object.keys(contenders).join(', ')} (by default all but the eager and the XLA one, which is many times slower on a CPU)`,
    Object.keys(contenders).filter((name) => !contenders[name].onlyByName),
  )
  .option('--rounds <n>', 'rounds; in each, ours and the peer take their steps in turn', positiveNumber, 5)
  .option('--steps <n>', 'steps of a contender in a round', positiveNumber, 2)
  .option('--image-size <pixels>', "side of the images; default: the network's own", positiveNumber)
  .option('--precision <name>', 'float32, bfloat16 or float16, for all contenders', 'float32')
  .option(
    '--quick',
    'ResNet-50, MobileNetV2, EfficientNet-B0 and Lite0, batch 8, against PyTorch: under ten minutes on two cores',
  )
  .option('--save', 'keep the results in bench/results')
  .option('--json', 'print JSON')
  .addHelpText(
    'after',
    '\nExample:\n  $ npm run bench -- train-step --network resnet50 --batch 8 --contenders ours pytorch-channels-last',
  )
  .action(trainStep);

program
  .command('peers [names...]')
  .description(
    `install peers in Python, pinned, each below the kit's home: ${Object.keys(peers).join(', ')} (default: all); nothing else needs them`,
  )
  .option('--python <path>', 'the Python that makes their environments', 'python3')
  .option('--gpu', 'with the libraries of the GPU')
  .addHelpText('after', '\nExample:\n  $ npm run bench -- peers pytorch')
  .action((names: Peer[], { python, gpu = false }: { python: string; gpu?: boolean }) => {
    const unknown = names.find((name) => !(name in peers));
    if (unknown !== undefined) throw unknownName('peer', unknown, Object.keys(peers));
    installPeers(names.length > 0 ? names : (Object.keys(peers) as Peer[]), { python, gpu });
  });

program
  .command('analysis')
  .description(
    'what the norms of every layer cost: the compiled training step with them against the same without, step by step in turn',
  )
  .option('--pairs <n>', 'timed pairs of steps', Number, 40)
  .option('--json', 'print JSON')
  .addHelpText('after', '\nExample:\n  $ npm run bench -- analysis --pairs 100')
  .action(analysis);

program
  .command('placement')
  .description(
    "which ops of every family's steps a GPU computes, from the kernels of TensorFlow's GPU library; it needs no card",
  )
  .option('--json', 'print JSON')
  .addHelpText('after', '\nExample:\n  $ npm run bench -- placement')
  .action(placement);

program
  .command('data')
  .description(
    'images per second: decoding and preparing beside torchvision, and the training input from the pixel cache',
  )
  .option('--images <n>', 'photographs', Number, 120)
  .option('--rounds <n>', 'timed rounds over them, after one that is not', Number, 8)
  .option('--short-side <pixels>', 'what they are resized to', Number, 256)
  .option('--image-size <pixels>', 'side of the training crop', Number, 224)
  .option(
    '--python <path>',
    'a Python with torchvision, to compare with; never needed otherwise',
    process.env.RIFLE_BENCH_PYTHON,
  )
  .option('--json', 'print JSON')
  .addHelpText('after', '\nExample:\n  $ npm run bench -- data --python ~/torch/bin/python')
  .action(dataBench);

program
  .command('predict')
  .description('images per second from files to classes: ours beside a PyTorch program (ImageFolder, DataLoader), warm')
  .option('--folder <dir>', 'photographs (default: 500 x 375 pixels, made here)')
  .option('--images <n>', 'how many of them', positiveNumber, 1000)
  .option('--rounds <n>', 'timed rounds, after one that is not; the fastest counts', positiveNumber, 2)
  .option('--json', 'print JSON')
  .addHelpText('after', '\nExample:\n  $ npm run bench -- predict --folder ./photos --images 500')
  .action(predictBench);

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
  .description(
    'the notebook kernel: time to the first result and to the kit, memory of a long session, what is left behind',
  )
  .option('--restarts <n>', 'kernels that are started and stopped', Number, 50)
  .option('--cells <n>', 'cells in one more', Number, 500)
  .option('--json', 'print JSON')
  .addHelpText('after', '\nExample:\n  $ npm run bench -- kernel --restarts 10 --cells 100')
  .action(kernelBench);

program
  .command('packages')
  .description('ten packages of npm in cells: installed, imported, with types and completion; needs the registry')
  .action(packagesBench);

program
  .command('end-to-end')
  .description('a whole experiment, data to accuracy: ours cold and warm beside a PyTorch program')
  .option('--dataset <name>', 'a data set of the catalog, or a folder train/<class>/*, test/<class>/*', 'elpv')
  .option('--epochs <n>', 'epochs of a run; the authors have 40', positiveNumber, 10)
  .option('--seeds <n>', 'seeds of each of the two methods', positiveNumber, 2)
  .option('--rounds <n>', 'rounds of cold, warm, PyTorch', positiveNumber, 3)
  .option('--save', 'keep the result in bench/results')
  .option('--json', 'print JSON')
  .addHelpText(
    'after',
    '\nExample:\n  $ npm run bench -- end-to-end --dataset ./photos --epochs 40 --seeds 3 --rounds 1',
  )
  .action(endToEnd);

program
  .command('startup')
  .description('from a command to its first training step, and from a notebook to its first cell')
  .option('--rounds <n>', 'rounds of cold and warm', positiveNumber, 5)
  .option('--save', 'keep the results in bench/results')
  .option('--json', 'print JSON')
  .addHelpText('after', '\nExample:\n  $ npm run bench -- startup --rounds 3')
  .action(startup);

program
  .command('grid')
  .description('how the cost grows with runs, epochs, image size, batch size and classes: exponents')
  .option('--save', 'keep the results in bench/results')
  .option('--json', 'print JSON')
  .addHelpText('after', '\nExample:\n  $ npm run bench -- grid')
  .action(grid);

program
  .command('memory')
  .description('what is held over many steps, and the peak as the batch grows')
  .option('--steps <n>', 'steps', positiveNumber, 1000)
  .option('--save', 'keep the result in bench/results')
  .option('--json', 'print JSON')
  .addHelpText('after', '\nExample:\n  $ npm run bench -- memory')
  .action(memory);

program
  .command('show')
  .description('the tables of the kept results that were taken on a quiet machine, as bench/README.md has them')
  .option('--write', 'put them into bench/README.md')
  .addHelpText('after', '\nExample:\n  $ npm run bench -- show --write')
  .action(show);

program.parseAsync().catch(fail);
