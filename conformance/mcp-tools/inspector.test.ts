/** Tests the command line of the MCP Inspector against the game, in both protocol eras. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '@words-with-chat/lab';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { testUser } from '../test-users.ts';
import { runTool } from './tools.ts';

const { origin, publicClientId, documentClientId } = inject('system');
const toolsFolder = inject('toolsFolder');

/** The ways in which the Inspector gets its client ID. */
const registrations = [
  { name: 'a pre-registered client', args: ['--client-id', publicClientId], clientId: publicClientId },
  {
    name: 'a client with a metadata document',
    args: ['--client-metadata-url', documentClientId],
    clientId: documentClientId,
  },
  { name: 'a client that registers itself', args: [], clientId: expect.stringMatching(/^[\w-]{90,}$/) },
];

/** What the Inspector writes to stderr if all is well. */
const expectedLines = [
  /^Please navigate to: http:/,
  /^Authorization complete\.$/,
  // The Inspector does not store the issuer of a client ID from the command line.
  /^\[mcp-sdk\] SEP-2352: stored OAuth credential has no 'issuer' stamp /,
];

describe.each(registrations)('$name', ({ args: registrationArgs, clientId }) => {
  describe.each(['legacy', 'modern'])('in the %s era', (era) => {
    let home: string;

    beforeAll(async () => {
      home = await mkdtemp(join(tmpdir(), 'mcp-inspector-'));
    });

    afterAll(() => rm(home, { recursive: true }));

    /** Runs the Inspector, and expects neither an error nor a warning. */
    const inspect = async (...args: readonly string[]) => {
      const callbackUrl = `http://127.0.0.1:${await findFreePort()}/callback`;
      const { code, stdout, stderr, authorizationRequests } = await runTool({
        toolsFolder,
        program: 'inspector',
        home,
        user: testUser('mcp-inspector'),
        args: [
          ...['--cli', `${origin}/mcp`, '--transport', 'http', '--format', 'json'],
          ...['--protocol-era', era, '--connect-timeout', '0', '--callback-url', callbackUrl],
          ...registrationArgs,
          ...args,
        ],
      });
      const lines = stderr.split('\n').filter((line) => line !== '');
      expect(lines.filter((line) => !expectedLines.some((pattern) => pattern.test(line)))).toEqual([]);
      expect(code).toBe(0);
      const clientIds = authorizationRequests.map((url) => url.searchParams.get('client_id'));
      return { result: JSON.parse(stdout).result, clientIds };
    };

    it('signs in once, and can list the tools, call one, and list the prompts', async () => {
      const { result, clientIds } = await inspect('--method', 'tools/list', '--strict');
      expect(clientIds).toEqual([clientId]);
      expect(result.tools).toMatchObject(
        [
          ...['get_allanimals', 'get_allplaces', 'get_allcolors'],
          ...['start_round', 'guess', 'get_hint', 'give_up', 'get_score', 'post_score'],
        ].map((name) => ({ name })),
      );
      expect(await inspect('--method', 'tools/call', '--tool-name', 'get_score')).toMatchObject({
        result: { structuredContent: { score: 0 } },
        clientIds: [],
      });
      expect(await inspect('--method', 'prompts/list')).toMatchObject({
        result: { prompts: [{ name: 'play' }] },
        clientIds: [],
      });
    });
  });
});
