// danfo uses request only to read a frame from a URL. Data in the kit comes from verified files, never from a bare URL.
module.exports = () => {
  throw new Error(
    'Reading a frame from a URL is not supported by rifle-kit: expected a local path. Download and verify the file first.',
  );
};
