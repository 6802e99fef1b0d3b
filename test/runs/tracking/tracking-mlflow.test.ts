import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { KitError } from '../../../src/base/errors';
import { MlflowSink } from '../../../src/runs/tracking/tracking-mlflow';
import { parseRunSpec } from '../../../src/transfer/spec/spec';

const run = {
  id: 'aa',
  title: 'a run',
  method: 'rifle',
  spec: parseRunSpec({ dataset: 'd', backbone: 'b' }),
  dataset: 'd',
};

describe('an MLflow server', () => {
  let server: http.Server;
  let sent = 0;
  let seen: http.IncomingMessage[] = [];
  let answer: (request: http.IncomingMessage, response: http.ServerResponse) => void;
  const address = (rest: string): string =>
    `http://${rest.replace('HOST', `127.0.0.1:${(server.address() as AddressInfo).port}`)}`;
  beforeEach(async () => {
    [sent, seen] = [0, []];
    server = http.createServer((request, response) => {
      seen.push(request);
      answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  it('that refuses: no secret of the address is in the message, also where the server repeats it', async () => {
    answer = (request, response) => {
      response.statusCode = 401;
      response.end(`no: ${request.headers.authorization} SECRET ${request.url}`);
    };
    await assert.rejects(
      new MlflowSink(address('alice:SECRET@HOST/base/?api_key=SECRET#SECRET')).begin(run, []),
      (error: KitError) => error.code === 'MLFLOW_REFUSED' && !/SECRET|YWxpY2U/.test(error.message),
    );
    assert.equal(seen[0].headers.authorization, `Basic ${Buffer.from('alice:SECRET').toString('base64')}`);
    assert.match(seen[0].url!, /^\/base\/api\/2\.0\/mlflow\/experiments/);
  });

  it('whose answer has no end does not fill the memory', async () => {
    answer = (_, response) => {
      const chunk = Buffer.alloc(65_536, ' ');
      const more = (): void => {
        do sent += chunk.length;
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', more);
      more();
    };
    await assert.rejects(
      new MlflowSink(address('HOST')).begin(run, []),
      ({ code }: KitError) => code === 'ANSWER_TOO_LONG',
    );
    assert.ok(sent < 50e6, String(sent));
  });
});
