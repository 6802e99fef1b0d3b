// Where the numbers of a run may go besides its record: sinks that are told of epochs, and that can neither change a run nor stop it.

/** Where numbers go besides the record. */
export interface TrackingOptions {
  /** Folder for TensorBoard event files; each run gets a folder in it. Default: none are written. */
  tensorboard?: string;
  /** Address of an MLflow server, for example `http://127.0.0.1:5000`. Default: none is told. */
  mlflow?: string;
}
