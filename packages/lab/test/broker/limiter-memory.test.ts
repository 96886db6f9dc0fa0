/** The memory that the rate limiter takes, in a process of its own, so that no other test takes part. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const script = fileURLToPath(new URL('limiter-memory.ts', import.meta.url));
const nodeOptions = ['--no-warnings', '--expose-gc', '--conditions=dev-source'];

it('keeps its keys, and not the request bodies that they are parts of', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [...nodeOptions, script]);
  const { bodies, retained } = JSON.parse(stdout);
  expect(bodies).toBe(80_000_000);
  expect(retained).toBeGreaterThan(500_000);
  expect(retained).toBeLessThan(16_000_000);
});
