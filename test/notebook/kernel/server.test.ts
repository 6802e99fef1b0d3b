// The kernel's sockets on ports, which any user of the machine can reach.
import assert from 'node:assert/strict';
import * as zmq from 'zeromq';
import { KernelServer } from '../../../src/notebook/kernel/server';
import { encodeMessage, newHeader, type Connection } from '../../../src/notebook/runner/wire';
import { freePort } from '../../runs/ray/ray-cluster';

describe('a kernel on ports', function () {
  this.timeout(30_000);
  let connection: Connection;
  let server: KernelServer;
  let executed = 0;
  const sockets: zmq.Socket[] = [];
  const dealer = (port: number): zmq.Dealer => {
    const socket = new zmq.Dealer({ linger: 0, sendTimeout: 0 });
    sockets.push(socket);
    socket.connect(`tcp://127.0.0.1:${port}`);
    return socket;
  };
  before(async () => {
    const [shell, iopub, stdin] = [await freePort(), await freePort(), await freePort()];
    connection = {
      transport: 'tcp',
      ip: '127.0.0.1',
      key: 'key',
      shell_port: shell,
      iopub_port: iopub,
      stdin_port: stdin,
      control_port: 0,
      hb_port: 0,
    };
    server = new KernelServer(connection, {
      execute: () => Promise.resolve({ status: 'ok' as const, execution_count: ++executed }),
      answer: () => ({}),
      shutdown: () => undefined,
    });
    await server.start();
  });
  after(() => {
    for (const socket of sockets) socket.close();
    server.close();
  });

  it('executes a request once, also when its frames are sent again', async () => {
    const [owner, stranger] = [dealer(connection.shell_port), dealer(connection.shell_port)];
    const request = encodeMessage('key', newHeader('execute_request', 's'), { code: '1' });
    await owner.send(request);
    await owner.receive();
    await stranger.send(request);
    await owner.send(encodeMessage('key', newHeader('execute_request', 's'), { code: '2' }));
    await owner.receive();
    assert.equal(executed, 2);
  });

  it('keeps nothing of what strangers send to the socket for input', async () => {
    const before = process.memoryUsage.rss();
    const stranger = dealer(connection.stdin_port);
    const chunk = Buffer.alloc(10_000_000, 'x');
    for (let i = 0; i < 40; i++) await stranger.send(chunk);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    assert.ok(process.memoryUsage.rss() - before < 150e6);
  });
});
