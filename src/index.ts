// Public entry `rifle-kit`: the generic API, and the studies that come with the kit.
export * from './kit';

export { forgettingTable } from './studies/forgetting';
export {
  ablationsTable,
  architecturesTable,
  ckaTable,
  distanceTable,
  gradientTable,
  lowLevelTable,
  powerTable,
  recoveriesOf,
  recoveryTable,
  regimeFigure,
  regimeTable,
  regularizersTable,
  scales,
  tricksTable,
  variantsTable,
  type Recovery,
} from './studies/rifle';
