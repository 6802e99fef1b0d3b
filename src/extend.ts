// Public entry `rifle-kit/extend`: definitions that add to the kit what it does not have.
export {};
