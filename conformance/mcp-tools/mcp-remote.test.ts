/**
 * Tests `mcp-remote` against the game. It connects MCP clients that can only start local programs: it registers
 * itself, and signs the user in.
 */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { findFreePort } from '@words-with-chat/lab';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { scoreWithoutRounds } from '../scores.ts';
import { testUser } from '../test-users.ts';
import { buildCommand, signInAsPrinted } from './tools.ts';

const { origin } = inject('system');
const toolsFolder = inject('toolsFolder');

describe.each([
  { protocol: 'legacy', isModern: false },
  { protocol: 'auto', isModern: true },
])('with the protocol $protocol', ({ protocol, isModern }) => {
  let home: string;
  let port: number;

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'mcp-remote-'));
    port = await findFreePort();
  });

  afterAll(() => rm(home, { recursive: true }));

  /** Starts `mcp-remote`, connects to it, reads the score, and stops it. */
  const readScore = async () => {
    const transport = new StdioClientTransport({
      ...buildCommand({
        toolsFolder,
        program: 'mcpRemote',
        home,
        args: [`${origin}/mcp`, String(port), '--protocol', protocol, '--auth-timeout', '300'],
      }),
      stderr: 'pipe',
    });
    if (!(transport.stderr instanceof Readable)) throw new Error('There is no output.');
    const lines: string[] = [];
    transport.stderr.on('data', (chunk) => lines.push(String(chunk)));
    const signIns = signInAsPrinted(transport.stderr, testUser('mcp-remote'), () => void transport.close());
    const client = new Client({ name: 'conformance', version: '1.0.0' });
    try {
      await client.connect(transport, { timeout: 300_000 }).catch(async (cause: unknown) => {
        await signIns.finish();
        throw new Error(`mcp-remote did not connect:\n${lines.join('')}`, { cause });
      });
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name)).toContain('get_score');
      const { structuredContent } = await client.callTool({ name: 'get_score' });
      const authorizationRequests = await signIns.finish();
      return { score: structuredContent, log: lines.join(''), authorizationRequests };
    } finally {
      await client.close();
    }
  };

  it('registers, signs in once, and refreshes its tokens', async () => {
    const { score, log, authorizationRequests } = await readScore();
    expect(score).toEqual(scoreWithoutRounds(0));
    expect(log.includes('Remote server speaks MCP 2026-07-28')).toBe(isModern);
    const [request, ...others] = authorizationRequests;
    expect(others).toEqual([]);
    expect(Object.fromEntries(request?.searchParams ?? [])).toMatchObject({
      client_id: expect.stringMatching(/^[\w-]{90,}$/),
      redirect_uri: `http://localhost:${port}/oauth/callback`,
      code_challenge_method: 'S256',
      resource: `${origin}/mcp`,
    });
    expect(await readScore()).toMatchObject({ score: { score: 0 }, authorizationRequests: [] });

    const { file, tokens } = await readTokens(home);
    await writeFile(file, JSON.stringify({ ...tokens, access_token: `${tokens.access_token}x` }));
    expect(await readScore()).toMatchObject({ score: { score: 0 }, authorizationRequests: [] });
    const refreshed = await readTokens(home);
    expect(refreshed.tokens.refresh_token).not.toBe(tokens.refresh_token);
  });
});

interface StoredTokens {
  readonly access_token: string;
  readonly refresh_token: string;
}

/** Reads the tokens that `mcp-remote` has stored. */
const readTokens = async (
  home: string,
): Promise<{ readonly file: string; readonly tokens: StoredTokens }> => {
  const folder = join(home, '.mcp-auth', 'mcp-remote-v1');
  const [name = ''] = (await readdir(folder)).filter((entry) => entry.endsWith('_tokens.json'));
  const file = join(folder, name);
  return { file, tokens: JSON.parse(await readFile(file, 'utf8')) };
};
