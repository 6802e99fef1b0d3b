// `npm run results`: writes the tables, the figures, and the blocks of README and docs/reproduction.md from a bundle.
import { resultsFolder, writeResults } from './results';

const scale = process.argv[2] ?? 'mini';
void writeResults(resultsFolder(scale), scale).then((files) =>
  process.stdout.write(`results/${scale}: ${files.join(', ')}\n`),
);
