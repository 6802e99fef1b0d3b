// The order of the folders of src: each imports only from those before it, and nothing imports in a circle.
const ORDER = [
  'base',
  'metrics',
  'engine',
  'data',
  'backbones',
  'transfer',
  'runs',
  'predict',
  'analysis',
  'report',
  'studies',
  'notebook',
  'cli',
];

const layers = ORDER.slice(0, -1).map((folder, place) => ({
  name: `${folder}-comes-before`,
  comment: `src/${folder} may import from ${['itself', ...ORDER.slice(0, place)].join(', ')} only.`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: { path: `^src/(${ORDER.slice(place + 1).join('|')})/` },
}));

module.exports = {
  forbidden: [
    ...layers,
    {
      name: 'index-comes-last',
      comment: 'src/index.ts is the public entry of the package: nothing inside imports it.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^src/index\\.ts$' },
    },
    {
      name: 'entries-are-for-outside',
      comment:
        'A folder of src imports the file that it needs, not an entry. Entries serve users and src/studies/<name>.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/(kit|index)\\.ts$', '^src/studies/[^/]+/'] },
      to: { path: ['^src/kit\\.ts$', '^src/[^/]+/index\\.ts$'] },
    },
    {
      name: 'a-study-uses-the-public-api',
      comment:
        'src/studies/<name> imports from src/kit.ts, src/extend.ts, src/*/index.ts and src/studies/study.ts only.',
      severity: 'error',
      from: { path: '^src/studies/([^/]+)/' },
      to: {
        path: '^src/',
        pathNot: ['^src/(kit|extend)\\.ts$', '^src/[^/]+/index\\.ts$', '^src/studies/study\\.ts$', '^src/studies/$1/'],
      },
    },
    {
      name: 'no-circle',
      comment: 'Two files that import each other are one file, or a third is missing.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'one-engine',
      comment:
        'TensorFlow.js comes from src/engine/tensorflow.ts alone, where its settings are made and its faults mended.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/engine/' },
      to: { path: '^(node_modules/@tensorflow|shims/tfjs-node(-gpu)?)/' },
    },
    {
      name: 'no-test-in-source',
      comment: 'The kit does not import its tests, its benchmarks or what only they need.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|setup)/' },
    },
    {
      name: 'no-development-package',
      comment: 'What src imports when it runs must be among the dependencies in package.json.',
      severity: 'error',
      from: { path: '^src/' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        dependencyTypesNot: ['type-only'],
        pathNot: '^node_modules/@types/',
      },
    },
    {
      name: 'resolves',
      comment: 'What is imported must exist.',
      severity: 'error',
      from: { path: '^(src|bench)/' },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: '^(node_modules|shims)/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default'] }, // packages of modules alone: h5wasm
    tsPreCompilationDeps: true, // imports of types count too
    tsConfig: { fileName: 'tsconfig.json' },
    exclude: { path: '^(dist|\\.rifle)/' },
  },
};
