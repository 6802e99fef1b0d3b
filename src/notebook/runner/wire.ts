// Jupyter's wire protocol, version 5.3: messages to and from frames, signed with the connection's key. Used by
// the kernel and its clients.
import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';

/** The sockets of a kernel: the content of Jupyter's connection file. */
export interface Connection {
  transport: string;
  ip: string;
  key: string;
  shell_port: number;
  iopub_port: number;
  stdin_port: number;
  control_port: number;
  hb_port: number;
}

/** The sender, time and type of a message. */
export interface Header {
  msg_id: string;
  msg_type: string;
  session: string;
  username: string;
  version: string;
  date: string;
}

/** A received message. */
export interface Message {
  /** Frames that route the reply. */
  identities: Buffer[];
  header: Header;
  /** Header of the request; empty when the message is no reply. */
  parent: Partial<Header>;
  metadata: Record<string, unknown>;
  content: Record<string, unknown>;
  /** Bytes that follow the content, for example of a widget. */
  buffers: Buffer[];
}

const DELIMITER = '<IDS|MSG>';

/** The address of one of a connection's sockets. */
export function addressOf({ transport, ip }: Connection, port: number): string {
  return transport === 'ipc' ? `ipc://${ip}-${port}` : `${transport}://${ip}:${port}`;
}

function signature(key: string, parts: readonly (string | Buffer)[]): string {
  if (key === '') return ''; // the connection is not signed
  const hmac = createHmac('sha256', key);
  for (const part of parts) hmac.update(part);
  return hmac.digest('hex');
}

/** A header for a new message. */
export function newHeader(type: string, session: string, username = 'rifle-kit'): Header {
  return { msg_id: randomUUID(), msg_type: type, session, username, version: '5.3', date: new Date().toISOString() };
}

/** The frames of a message. */
export function encodeMessage(
  key: string,
  header: Header,
  content: Record<string, unknown>,
  {
    parent = {},
    metadata = {},
    identities = [],
    buffers = [],
  }: {
    parent?: Partial<Header>;
    metadata?: Record<string, unknown>;
    identities?: (string | Buffer)[];
    buffers?: Buffer[];
  } = {},
): (string | Buffer)[] {
  const parts = [header, parent, metadata, content].map((part) => wholeCharacters(JSON.stringify(part)));
  return [...identities, DELIMITER, signature(key, parts), ...parts, ...buffers];
}

/** JSON in which each lone surrogate, which UTF-8 cannot encode, is the replacement character. */
function wholeCharacters(json: string): string {
  // Surrogate pairs are written as they are. JSON.stringify escapes only lone surrogates.
  if (!json.includes('\\ud')) return json;
  return json.replace(/(?<=(?:^|[^\\])(?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g, '\ufffd');
}

/** Signatures that a receiver remembers. */
const REMEMBERED = 65_536;

/** The messages that a receiver has had: a signed message counts once, so that nobody can send a recorded one again. */
export class ReceivedMessages {
  private readonly signatures = new Set<string>();

  /** The message in `frames`; `null` as `decodeMessage`, and when it was received before. */
  decode(key: string, frames: readonly Buffer[]): Message | null {
    const message = decodeMessage(key, frames);
    if (message === null || key === '') return message;
    const signed = frames[message.identities.length + 1].toString('latin1');
    if (this.signatures.has(signed)) return null;
    if (this.signatures.size >= REMEMBERED) {
      const [oldest] = this.signatures;
      this.signatures.delete(oldest);
    }
    this.signatures.add(signed);
    return message;
  }
}

/** A JSON object. @throws where the text is something else. */
function objectOf(json: string): Record<string, unknown> {
  const value: unknown = JSON.parse(json);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError('expected an object');
  return value as Record<string, unknown>;
}

/** The message in `frames`; `null` when they are not a message of the protocol's form, signed with `key`. */
export function decodeMessage(key: string, frames: readonly Buffer[]): Message | null {
  const start = frames.findIndex((frame) => frame.toString('latin1') === DELIMITER);
  const parts = frames.slice(start + 2, start + 6);
  if (start < 0 || parts.length < 4) return null;
  const [found, wanted] = [Buffer.from(frames[start + 1]), Buffer.from(signature(key, parts))];
  if (found.length !== wanted.length || !timingSafeEqual(found, wanted)) return null;
  try {
    const [header, parent, metadata, content] = parts.map((part) => objectOf(part.toString('utf8')));
    if (typeof header.msg_type !== 'string' || typeof header.msg_id !== 'string') return null;
    return {
      identities: frames.slice(0, start),
      header: header as unknown as Header,
      parent,
      metadata,
      content,
      buffers: frames.slice(start + 6),
    };
  } catch {
    return null;
  }
}
