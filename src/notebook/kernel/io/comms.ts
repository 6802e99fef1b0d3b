// The comms of one kernel: channels between cells and the browser.
import type { Comm, CommOptions } from '../../../base/notebook-host';

/** Publishes a message of a comm on behalf of the request that runs now. */
export type PublishComm = (
  type: 'comm_open' | 'comm_msg' | 'comm_close',
  content: Record<string, unknown>,
  metadata?: Record<string, unknown>,
  buffers?: Uint8Array[],
) => void;

/** Runs what a cell made as the receiver of messages, as a part of that cell. */
export type RunListener = (listener: () => void | Promise<void>) => void;

interface OpenComm {
  options: CommOptions;
  run: RunListener;
}

/** The open comms, by id. */
export class Comms {
  private readonly open = new Map<string, OpenComm>();

  constructor(private readonly publish: PublishComm) {}

  /** Opens a comm from a cell. @param run how its receivers are run. */
  openFromCell(options: CommOptions, run: RunListener): Comm {
    const { id, target, data, metadata, buffers } = options;
    this.open.set(id, { options, run });
    this.publish('comm_open', { comm_id: id, target_name: target, data }, metadata, buffers);
    return {
      send: (data, buffers) => {
        if (this.open.has(id)) this.publish('comm_msg', { comm_id: id, data }, {}, buffers);
      },
      close: () => {
        if (this.open.delete(id)) this.publish('comm_close', { comm_id: id, data: {} });
      },
    };
  }

  /** A message of the browser's side: `comm_open`, `comm_msg` or `comm_close`. */
  receive(type: string, content: Record<string, unknown>, buffers: Uint8Array[]): void {
    const id = String(content.comm_id ?? '');
    const comm = this.open.get(id);
    if (type === 'comm_open')
      this.publish('comm_close', { comm_id: id, data: {} }); // no target of this side
    else if (comm === undefined) return;
    else if (type === 'comm_close') {
      this.open.delete(id);
      comm.run(() => comm.options.onClose());
    } else if (typeof content.data === 'object' && content.data !== null) {
      const data = content.data as Record<string, unknown>;
      comm.run(() => comm.options.onMessage(data, buffers));
    }
  }

  /** The reply to a comm_info_request. @param target only comms of this name. */
  info(target: unknown): Record<string, { target_name: string }> {
    const wanted = [...this.open].filter(([, { options }]) => typeof target !== 'string' || options.target === target);
    return Object.fromEntries(wanted.map(([id, { options }]) => [id, { target_name: options.target }]));
  }
}
