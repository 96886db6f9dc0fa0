/** Refused requests of the game: each one is logged once, wherever it was refused. */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { emptyD1 } from '../../../packages/assistant-auth/test/storage/d1/empty-d1.ts';
import { buildCall } from '../../../packages/assistant-operations/test/mcp-library.ts';
import { deploy } from './deployment.ts';
import { signInToMcp } from './flows.ts';

beforeAll(emptyD1);

const json = (body: string): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body,
});

describe('a refused request is logged once, with its code', () => {
  it.each<[reason: string, endpoint: string, path: string, status: number, init?: RequestInit]>([
    ['app.path', 'app', '/nothing', 404],
    ['app.path', 'app', '/nothing', 404, { headers: { accept: 'text/html' } }],
    ['app.method', 'app', '/terms', 405, { method: 'POST' }],
    ['app.method', 'app', '/privacy', 405, { method: 'POST' }],
    ['operation.path', 'http', '/api/nothing', 404],
    ['operation.method', 'http', '/api/scoring', 405, { method: 'PUT' }],
    ['mcp.method', 'mcp', '/mcp', 405, { method: 'DELETE' }],
    ['mcp.batch', 'mcp', '/mcp', 400, json('[]')],
    ['mcp.unknown-tool', 'mcp', '/mcp', 200, buildCall('2025-11-25', 'nothing')],
    ['token.missing', 'protect', '/api/scoring', 401],
    ['request.method', 'token', '/token', 405],
  ])('%s', async (reason, endpoint, path, status, init) => {
    const { call, signIn, log } = deploy();
    const tokens: Readonly<Record<string, () => Promise<string>>> = {
      http: () => signIn('ada'),
      mcp: () => signInToMcp(call, 'ada'),
    };
    const token = await tokens[endpoint]?.();
    const { authorization: _, ...headers } = Object.fromEntries(new Headers(init?.headers));
    const request = { ...init, headers, ...(token !== undefined && { token }) };
    const before = log.length;
    expect((await call(path, request)).status).toBe(status);
    expect(log.slice(before)).toMatchObject([{ event: 'refused', endpoint, reason }]);
  });

  it('app.failed', async () => {
    const consoleError = vi.spyOn(console, 'error').mockImplementation(() => {});
    const assets = {
      fetch: async () => {
        throw new Error('no files');
      },
    };
    const { call, log } = deploy(undefined, {}, {}, { assets });
    expect((await call('/nothing', { headers: { accept: 'text/html' } })).status).toBe(500);
    expect(log.filter(({ event }) => event === 'refused')).toMatchObject([{ reason: 'app.failed' }]);
    expect(consoleError.mock.calls).toEqual([[expect.stringContaining('"error":"Error: no files"')]]);
  });
});
