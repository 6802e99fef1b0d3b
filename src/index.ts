// Public entry `rifle-kit`: the generic API, and the study of the RIFLE paper that comes with the kit.
export * from './kit';

export {
  ablationsTable,
  architecturesTable,
  ckaTable,
  distanceTable,
  gradientTable,
  lowLevelTable,
  recoveriesOf,
  recoveryTable,
  regularizersTable,
  scales,
  tricksTable,
  variantsTable,
  type Recovery,
} from './studies/rifle';
