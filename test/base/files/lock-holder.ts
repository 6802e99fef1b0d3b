// A process for the tests of the lock: takes the lock of a folder, says so, and keeps it until it is killed.
import { RunLock } from '../../../src/base/files/lock';

void RunLock.take(process.argv[2]).then(() => process.send!('taken'));
setInterval(() => undefined, 1000);
