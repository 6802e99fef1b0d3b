// The generic public API: everything that knows no paper. The folders of src/studies are built on this file alone.
export * from './base';
export * from './metrics';
export * from './engine';
export * from './data';
export * from './backbones';
export * from './transfer';
export * from './runs';
export * from './predict';
export * from './analysis';
export * from './report';
export * from './studies';
export * from './notebook';
export * from './extend';
