// A web server for tests that serves one file, well or as badly as a test asks for.
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Answers one request. */
export type Manner = (request: IncomingMessage, response: ServerResponse, file: Buffer) => void;

/** The byte that a request's range begins at; 0 without one. */
export const rangeStart = (request: IncomingMessage): number =>
  Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);

/** A server as it should be: ranges, an ETag, the length. `ends` cuts the connection before that byte of the file. */
export function serve(
  request: IncomingMessage,
  response: ServerResponse,
  file: Buffer,
  { etag = '"one"', ends = Infinity }: { etag?: string; ends?: number } = {},
): void {
  const asked = rangeStart(request);
  const start = request.headers['if-range'] !== undefined && request.headers['if-range'] !== etag ? 0 : asked;
  if (start > 0 && start >= file.length)
    return void response.writeHead(416, { 'content-range': `bytes */${file.length}` }).end();
  const headers = { etag, 'content-length': file.length - start };
  if (start > 0)
    response.writeHead(206, { ...headers, 'content-range': `bytes ${start}-${file.length - 1}/${file.length}` });
  else response.writeHead(200, headers);
  if (ends >= file.length) return void response.end(file.subarray(start));
  response.write(file.subarray(start, Math.max(start, ends)));
  response.socket!.destroySoon(); // when all is sent
}

/** A server on this machine; each request is answered in the next of the manners, the last one from then on. */
export async function startServer(
  file: Buffer,
  manners: Manner[],
): Promise<{ url: string; ranges: (string | undefined)[]; close(): Promise<void> }> {
  const ranges: (string | undefined)[] = [];
  const server = http.createServer((request, response) => {
    const manner = manners[Math.min(ranges.length, manners.length - 1)];
    ranges.push(request.headers.range);
    manner(request, response, file);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/file.tgz`,
    ranges,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
