// danfo loads SheetJS at start-up and uses it only for Excel files. The kit has none: whoever calls it is told so.
const refuse = () => {
  throw new Error(
    'Excel files are not supported by rifle-kit: expected a CSV or JSON file. Save the sheet as CSV and read that.',
  );
};
module.exports = {
  read: refuse,
  readFile: refuse,
  write: refuse,
  writeFile: refuse,
  utils: new Proxy({}, { get: () => refuse }),
};
