/** Tests `npm run demo` as a user runs it. */
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLocalApp, expectNoServer, runCommand } from './command.ts';

let folder: string;
let port: number;
let fakeProviderPort: number;
let variables: Readonly<Record<string, string>>;

beforeEach(async () => {
  ({ folder, port, fakeProviderPort, variables } = await createLocalApp());
});

afterEach(() => rm(folder, { recursive: true }));

describe('npm run demo', () => {
  it('starts the app, runs all steps, and stops it again', async () => {
    const demo = await runCommand('demo', variables);
    expect(demo.code).toBe(0);
    expect(demo.stdout).toContain('The app is not running.');
    expect(listGuesses(demo.stdout)[0]).toBe('“unicorn”');
    expect(listValues(demo.stdout, 'status')).toEqual([...listGuesses(demo.stdout).map(() => 'open'), 'won']);
    expect(listValues(demo.stdout, 'score')).toEqual(['0', '1', '1']);
    await expectNoServer(`http://localhost:${port}`);
    await expectNoServer(`http://127.0.0.1:${fakeProviderPort}`);
  });

  it('fails if a response is not as expected', async () => {
    const otherServer = await startOtherApp(() => 200);
    const { code, stderr } = await runCommand('demo', variables);
    otherServer.close();
    expect(code).toBe(1);
    expect(stderr).toBe(
      `\nNo button "Google" on http://localhost:${port}/authorize (status 200). It has: no buttons\n`,
    );
  });

  it.each([
    ['an unknown option', ['--mpc'], /^\nUnknown option '--mpc'/],
    ['an argument', ['mcp'], /^\nUnexpected argument 'mcp'/],
    ['a value', ['--mcp=yes'], /^\nOption '--mcp' does not take an argument/],
  ])('rejects %s, and starts nothing', async (_, args, message) => {
    const { code, stdout, stderr } = await runCommand('demo', variables, { args });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(message);
  });
});

describe('npm run demo -- --mcp', () => {
  it('starts the app, prints every message of an MCP client, and stops the app again', async () => {
    const { code, stdout } = await runCommand('demo', variables, { args: ['--mcp'] });
    const origin = `http://localhost:${port}`;
    expect(code).toBe(0);
    expect(stdout).toContain('The app is not running.');
    const guesses = listGuesses(stdout);
    expect(listRequests(stdout)).toEqual([
      [`POST ${origin}/mcp`, '401'],
      [`GET ${origin}/.well-known/oauth-protected-resource/mcp`, '200'],
      [`GET ${origin}/.well-known/oauth-authorization-server`, '200'],
      [`POST ${origin}/register`, '201'],
      [`GET ${origin}/authorize`, '200'],
      [`POST ${origin}/authorize/consent`, '303'],
      [`GET http://127.0.0.1:${fakeProviderPort}/o/oauth2/v2/auth`, '200'],
      [`POST http://127.0.0.1:${fakeProviderPort}/o/oauth2/v2/auth/callback`, '302'],
      [`GET ${origin}/callback/google`, '303'],
      [`POST ${origin}/token`, '200'],
      ...Array.from({ length: 5 + guesses.length }, () => [`POST ${origin}/mcp`, '200']),
      [`POST ${origin}/token`, '200'],
      [`POST ${origin}/mcp`, '200'],
    ]);
    expect(listValues(stdout, 'mcp-method')).toEqual([
      'server/discover',
      'server/discover',
      'tools/list',
      ...Array.from({ length: 4 + guesses.length }, () => 'tools/call'),
    ]);
    expect(listValues(stdout, 'mcp-name')).toEqual([
      ...['get_score', 'start_round', 'get_hint'],
      ...guesses.map(() => 'guess'),
      'get_score',
    ]);
    expect(listValues(stdout, 'grant_type')).toEqual(['authorization_code', 'refresh_token']);
    // In the authorization request and both token requests, after the metadata of the resource.
    expect(listValues(stdout, 'resource')).toEqual(Array.from({ length: 4 }, () => `${origin}/mcp`));
    expect(stdout).toContain(`resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp"`);
    // In the registration request and its response.
    expect(listValues(stdout, 'client_name')).toEqual(['Demo', 'Demo']);
    expect(listValues(stdout, 'redirect_uris')).toEqual(
      Array.from({ length: 2 }, () => '["http://127.0.0.1:33333/callback"]'),
    );
    // In the registration response, the authorization request and both token requests.
    const clientIds = listValues(stdout, 'client_id').filter((value) => value.includes('…'));
    expect(clientIds).toEqual(Array.from({ length: 4 }, () => clientIds[0]));
    expect(stdout).toMatch(/^ {5}code_verifier: .{6}…\(43 characters\)$/m);
    expect(guesses).toEqual(['“unicorn”', expect.stringMatching(/^the letter/), ...guesses.slice(2)]);
    expect(stdout).toMatch(/^ {11}"points_won": \d+,\n {11}"score": 1,$/m);
    expect(stdout).toContain("Ada Marlow's score is 1.");
    await expectNoServer(origin);
    await expectNoServer(`http://127.0.0.1:${fakeProviderPort}`);
  });

  it.each(['none', 'metadata-documents'])(
    'says that it cannot register itself if MCP_CLIENTS is %s, and stops the app',
    async (MCP_CLIENTS) => {
      const { code, stdout, stderr } = await runCommand(
        'demo',
        { ...variables, MCP_CLIENTS },
        { args: ['--mcp'] },
      );
      expect(code).toBe(1);
      expect(stdout).not.toContain('→');
      expect(stderr).toContain(
        `\nClients cannot register themselves with the app at http://localhost:${port}. ` +
          'Start it without MCP_CLIENTS, or with MCP_CLIENTS=registration.\n',
      );
      await expectNoServer(`http://localhost:${port}`);
    },
  );

  it('fails if a response is not as expected', async () => {
    const otherServer = await startOtherApp((path) => (path === '/mcp' ? 404 : 200));
    const { code, stdout, stderr } = await runCommand('demo', variables, { args: ['--mcp'] });
    otherServer.close();
    expect(code).toBe(1);
    const refused = [`POST http://localhost:${port}/mcp`, '404'];
    // It tries both kinds of the protocol.
    expect(listRequests(stdout)).toEqual([refused, refused]);
    expect(stderr).toMatch(/^\nThe client failed: Error POSTing to endpoint: .*\n$/);
  });
});

/** Starts a server whose metadata is that of the app, and whose other pages are empty. */
const startOtherApp = async (selectStatus: (path: string) => number): Promise<Server> => {
  const issuer = `http://localhost:${port}`;
  const metadata = {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    registration_endpoint: `${issuer}/register`,
  };
  const respond: RequestListener = ({ url = '' }, response) => {
    response.statusCode = selectStatus(url);
    response.setHeader('content-type', 'application/json').end(JSON.stringify(metadata));
  };
  const server = createServer(respond).listen(port, '127.0.0.1');
  await once(server, 'listening');
  await writeFile(join(folder, 'settings.json'), JSON.stringify(anySettings));
  return server;
};

/** Returns each printed request with the status of its response. */
const listRequests = (stdout: string): readonly (readonly string[])[] =>
  [...stdout.matchAll(/^ {3}→ (.*)$[^→]*?^ {3}← (\d+)/gm)].map(([, request = '', status = '']) => [
    request,
    status,
  ]);

/** Returns the guesses in the titles of the steps, in order. */
const listGuesses = (stdout: string): readonly string[] =>
  [...stdout.matchAll(/^\d+ {2}The player guesses (.*)$/gm)].map(([, guess = '']) => guess);

/** Returns the values of the lines with a name, in order. */
const listValues = (stdout: string, name: string): readonly string[] =>
  [...stdout.matchAll(new RegExp(`^ {5}${name}: (.*)$`, 'gm'))].map(([, value = '']) => value);

const anySettings = {
  sealingKeys: 'k',
  gptClientId: 'words-gpt',
  gptClientSecret: 's',
};
