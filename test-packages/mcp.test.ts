/** Tests the MCP server of the packed packages on every runtime. Workers is covered by the other tests. */
import { expect, inject, it } from 'vitest';
import { runProgram } from './runtimes.ts';

const consumer = inject('consumer');

it.each(['Node 24', 'Node 22.13', 'Bun', 'Deno'] as const)(
  'a tool is called over MCP on %s',
  async (runtime) => {
    const structuredContent = { sum: 6, user: 'ada' };
    expect(JSON.parse(await runProgram(consumer, runtime, 'mcp', []))).toEqual([
      401,
      ['2025-11-25', structuredContent],
      ['2026-07-28', structuredContent],
    ]);
  },
);
