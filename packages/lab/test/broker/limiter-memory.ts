/**
 * Counts 5,000 keys, each a part of a body of 16,000 bytes, and prints the bytes of all bodies and those that
 * are still in use afterwards. Needs `--expose-gc`.
 */
import { memoryLimiter } from 'assistant-auth';

const bodyLength = 16_000;
const keyCount = 5_000;

const readMemory = (): number => {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
};

const limiter = memoryLimiter({ limit: 20, period: 60 });
const before = readMemory();
for (let index = 0; index < keyCount; index++) {
  const body = Buffer.alloc(bodyLength, `client-${index} `).toString('latin1');
  await limiter.take(`198.51.100.7 ${body.slice(0, 200)}`);
}
const retained = readMemory() - before;
console.log(JSON.stringify({ bodies: keyCount * bodyLength, retained }));
// The limiter must not be collected before.
await limiter.take('198.51.100.7');
