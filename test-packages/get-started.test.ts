/**
 * Follows the tutorials in docs/get-started from an empty folder, and tests the projects that they build, which
 * are also the examples.
 */
import { once } from 'node:events';
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { findFreePort } from '@words-with-chat/lab';
import { generateKey } from 'assistant-auth/seal';
import { createEmulatedClient } from 'assistant-auth/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { listRepositoryFiles } from '../scripts/app/repository-files.ts';
import { applyPageDiffs } from '../scripts/docs/diffs.ts';
import { readCodeBlocks } from '../scripts/docs/markdown.ts';
import {
  createProject,
  installExample,
  type Project,
  type RunningCommand,
  registerClient,
  sendMalformedRequest,
} from './examples/example.ts';
import { buildPattern, followSteps, readPackCommand, readTutorial, usePort } from './tutorial.ts';

const clone = inject('clone');

/** A key ring in the environment of the projects, such as that of a deployment. */
const environmentRing = generateKey('deployment');

/** The commands that deploy the Node project. The test of the project in production runs them. */
const serverCommands = ['npm ci --omit=dev', 'npx assistant-auth keys', 'npm start'];

/** The commands that deploy the Worker. */
const cloudflareCommands = [
  'npx wrangler login',
  'npx wrangler d1 create sign-in',
  'npm run deploy',
  'npx wrangler secret put SEALING_KEYS',
  'npx wrangler secret put GOOGLE_CLIENT_ID',
  'npx wrangler secret put GOOGLE_CLIENT_SECRET',
];

/**
 * For each page, the example that it builds, the line that the server prints when it listens, and the files
 * with secrets or personal data.
 */
const tutorials = [
  ['docs/get-started/node.md', 'node-express', /^The account page:/, ['.env', 'auth.db', 'auth.db-wal']],
  ['docs/get-started/workers.md', 'workers-hono', /Ready on /, ['.dev.vars']],
] as const;

const testingBlocks = readCodeBlocks(readFileSync('docs/guides/testing.md', 'utf8'));
const usersBlocks = readCodeBlocks(readFileSync('docs/guides/users.md', 'utf8'));
/** The command of docs/guides/testing.md. */
const testCommand = testingBlocks.find(({ language }) => language === 'sh')?.code ?? '';

type Files = ReadonlyMap<string, string>;

/** Returns the files that a page contains, by their paths. */
const readPageFiles = (blocks: typeof testingBlocks): Files =>
  new Map(blocks.flatMap(({ path, code }) => (path === undefined ? [] : [[path, code]])));

/** The test of the rules of docs/guides/users.md, which the examples do not have. */
const usersTest = 'test/users.test.ts';
/** On Workers, the tests can't set the clock of the app. */
const timeTest = 'test/time.test.ts';

/** Returns the files that docs/guides/testing.md adds to an example, by their paths. */
const readTestFiles = (example: string): Files => {
  const files = new Map(readPageFiles(testingBlocks));
  const workersServer = testingBlocks.find(({ code }) => code.includes('process.env.PORT'))?.code;
  if (files.size !== 5 || !files.delete(usersTest) || workersServer === undefined)
    throw new Error('docs/guides/testing.md lacks a file');
  if (example !== 'workers-hono') return files;
  files.delete(timeTest);
  return files.set('test/server.ts', workersServer);
};

/** Adds the files of a page to those of a project for Node, and changes them as its diffs say. */
const applyPage = (project: Files, blocks: typeof testingBlocks): Files => {
  const files = new Map([...project, ...readPageFiles(blocks)]);
  const { changed } = applyPageDiffs(blocks, [{ name: 'node', files }]);
  return new Map([...files, ...(changed[0] ?? [])]);
};

const writeFiles = (folder: string, files: Files): void => {
  mkdirSync(join(folder, 'test'));
  for (const [path, content] of files) writeFileSync(join(folder, path), content);
};

describe.each(tutorials)('%s', (page, example, readyLine, privateFiles) => {
  const steps = readTutorial(page);
  const commands = steps.filter((step) => step.kind === 'command');
  let outputs: ReadonlyMap<string, string>;
  let project: Project;
  let app: RunningCommand | undefined;
  let variables: Readonly<Record<'PORT' | 'CLONE' | 'SEALING_KEYS', string>>;
  let issuer: string;

  beforeAll(async () => {
    const port = String(await findFreePort());
    variables = { PORT: port, CLONE: clone, SEALING_KEYS: environmentRing };
    issuer = `http://localhost:${port}`;
    project = createProject(example, variables);
    const followed = await followSteps(steps, project, port);
    ({ outputs } = followed);
    app = followed.server;
  });

  afterAll(async () => {
    await app?.stop();
  });

  it.each(commands.filter(({ output, command }) => output !== undefined && command !== 'npm run dev'))(
    'says what $command prints',
    ({ command, output = '' }) => {
      const printed = outputs.get(command) ?? '';
      expect(printed.replaceAll('\r', '').trim()).toMatch(buildPattern(usePort(output, variables.PORT)));
    },
  );

  it('says which commands need an account or a server', () => {
    const needed = new Map(commands.map(({ command, needs }) => [command, needs]));
    const expected = example === 'workers-hono' ? cloudflareCommands : serverCommands;
    expect([...needed].filter(([, needs]) => needs !== undefined).map(([command]) => command)).toEqual(
      expected,
    );
  });

  it('creates the files of the example', () => {
    const folder = `examples/${example}/`;
    const files = listRepositoryFiles(folder).filter((path) => path !== `${folder}README.md`);
    const created = steps.flatMap((step) =>
      step.kind === 'file' ? [[folder + step.path, step.content]] : [],
    );
    expect(Object.fromEntries(created)).toEqual(
      Object.fromEntries(files.map((path) => [path, readFileSync(path, 'utf8')])),
    );
  });

  it('signs the same user in to the API and to the MCP server', () => {
    const printed = [outputs.get('npm run --silent mcp-client'), outputs.get('npm run --silent api-client')];
    const ids = [...printed.join('\n').matchAll(/"userId":"([\w-]{22})"/g)].map(([, id]) => id);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
  });

  const redirectUri = 'http://127.0.0.1/callback';

  const createClient = (clientId = 'my-client', resource = issuer) =>
    createEmulatedClient({ issuer, clientId, redirectUri, resource, scope: 'account offline_access' });

  /** Sends a request with a `Host` header, which `fetch` does not allow. */
  const send = async (path: string, headers: OutgoingHttpHeaders): Promise<IncomingMessage> => {
    const [response]: IncomingMessage[] = await once(
      get(issuer + path, { headers, agent: false }),
      'response',
    );
    if (response === undefined) throw new Error('no response');
    return response.resume();
  };

  it('signs in a client that registers itself, and accepts metadata documents', async () => {
    const clientId = await registerClient(issuer, redirectUri);
    const client = createClient(clientId);
    const { accessToken } = await client.signIn(['Sign in with Acme', 'Ada Marlow']);
    const response = await client.call(`${issuer}/api/me`, accessToken);
    expect([response.status, await response.json()]).toEqual([
      200,
      { userId: expect.stringMatching(/^[\w-]{22}$/) },
    ]);
    const metadata = await fetch(`${issuer}/.well-known/oauth-authorization-server`);
    expect(await metadata.json()).toMatchObject({ client_id_metadata_document_supported: true });
  });

  it('refuses calls without a token, even for paths that do not exist', async () => {
    const metadata = `resource_metadata="${issuer}/.well-known/oauth-protected-resource"`;
    for (const [path, parameters] of [
      ['/api/me', `scope="account", ${metadata}`],
      ['/api/nothing', metadata],
      ['/api', metadata],
      ['/mcp', `scope="account dice", ${metadata.replace(/"$/, '/mcp"')}`],
    ]) {
      const { status, headers } = await fetch(issuer + path);
      expect([status, headers.get('www-authenticate')]).toEqual([
        401,
        `Bearer realm="${issuer}", ${parameters}`,
      ]);
    }
  });

  it('refuses every other host, even for a call with a token', async () => {
    const { accessToken } = await createClient().signIn(['Sign in with Acme', 'Ada Marlow']);
    const authorization = `Bearer ${accessToken}`;
    const host = new URL(issuer).host.replace('localhost', '127.0.0.1');
    expect((await send('/api/me', { authorization })).statusCode).toBe(200);
    expect((await send('/api/me', { authorization, host })).statusCode).toBe(421);
    expect((await send('/authorize', { host })).statusCode).toBe(421);
  });

  it('accepts a token only where it is for', async () => {
    for (const [resource, path, otherPath] of [
      [issuer, '/api/me', '/mcp'],
      [`${issuer}/mcp`, '/mcp', '/api/me'],
    ] as const) {
      const client = createClient('my-client', resource);
      const { accessToken } = await client.signIn(['Sign in with Acme', 'Ada Marlow']);
      // The MCP server accepts only POST, and says so after it has accepted the token.
      expect((await client.call(issuer + path, accessToken)).status).toBe(path === '/mcp' ? 405 : 200);
      expect((await client.call(issuer + otherPath, accessToken)).status).toBe(401);
    }
  });

  it.each([
    ['no JSON', 'GARBAGE', 400],
    ['an array', '[]', 400],
    ['an object that is no message', '{}', 400],
  ])('responds to an MCP message that is %s with 4xx', async (_, body, status) => {
    const client = createClient('my-client', `${issuer}/mcp`);
    const { accessToken } = await client.signIn(['Sign in with Acme', 'Ada Marlow']);
    const headers = { 'content-type': 'application/json' };
    const request = new Request(`${issuer}/mcp`, { method: 'POST', headers, body });
    expect((await client.call(request, accessToken)).status).toBe(status);
  });

  it('accepts tokens and recognizes users from before a restart', async () => {
    const client = createClient();
    const { accessToken, refreshToken = '' } = await client.signIn(['Sign in with Acme', 'Bruno Castell']);
    const call = async (token: string) => (await client.call(`${issuer}/api/me`, token)).json();
    const before = await call(accessToken);
    await app?.stop();
    app = await project.start('npm run dev', readyLine);
    expect(await call(accessToken)).toEqual(before);
    expect(await client.refresh(refreshToken)).toMatchObject({ kind: 'tokens' });
    expect(await call((await client.signIn(['Sign in with Acme', 'Bruno'])).accessToken)).toEqual(before);
    expect(await call((await client.signIn(['Sign in with Acme', 'Chiyo'])).accessToken)).not.toEqual(before);
  });

  it('passes the tests of docs/guides/testing.md', async () => {
    writeFiles(project.folder, readTestFiles(example));
    const printed = await project.run(testCommand);
    expect(printed).toMatch(example === 'workers-hono' ? /^ℹ pass 8$/m : /^ℹ pass 10$/m);
    expect(printed).toMatch(/^ℹ fail 0$/m);
  });

  it('creates files with secrets or personal data that only this user can read', async () => {
    for (const file of privateFiles)
      expect([file, statSync(join(project.folder, file)).mode & 0o777]).toEqual([file, 0o600]);
  });

  it('creates its own key ring once, and ignores one in the environment', async () => {
    const read = () => readFileSync(join(project.folder, privateFiles[0]), 'utf8');
    const file = read();
    expect(file).toMatch(/^SEALING_KEYS=[a-z0-9-]+\.[\w-]{43}\n$/);
    expect(file).not.toContain(environmentRing);
    await project.run('npm run setup');
    expect(read()).toBe(file);
  });
});

/** Replaces the major versions that a command installs with the versions of the lock file. */
const pinVersions = (command: string): string => {
  const { dependencies }: { readonly dependencies: Readonly<Record<string, string>> } = JSON.parse(
    readFileSync('test-packages/package.json', 'utf8'),
  );
  return command.replaceAll(/([@\w/-]+)@(\d+)(?=\s|$)/g, (spec, name: string, major: string) =>
    dependencies[name]?.startsWith(`${major}.`) ? `${name}@${dependencies[name]}` : spec,
  );
};

it('docs/get-started/install.md installs both packages in a new project', async () => {
  const commands = readTutorial('docs/get-started/install.md').flatMap((step) =>
    step.kind === 'command' ? [step.command] : [],
  );
  // `.ci/run` runs the first command, and `project.ts` the second one.
  expect(commands.slice(0, 3)).toEqual(['npm ci', readPackCommand().command, 'export CLONE="$PWD"']);
  const project = createProject('install', { CLONE: clone });
  for (const command of commands.slice(3)) await project.run(pinVersions(command));
  writeFileSync(
    join(project.folder, 'program.mjs'),
    `for (const name of ['assistant-auth', 'assistant-auth/node', 'assistant-operations', 'assistant-operations/mcp'])
       console.log(Object.keys(await import(name)).join());`,
  );
  expect(await project.run('node program.mjs')).toMatch(
    /createBroker.*\n.*toNodeHandler.*\n.*defineApi.*\n.*mcpHandler/,
  );
});

it('node-express passes the tests of docs/guides/testing.md with the changes of docs/guides/users.md', async () => {
  const project = await installExample('node-express', clone);
  const sources = new Map(
    globSync(['src/*.ts', 'tsconfig.json'], { cwd: project.folder }).map((path) => [
      path,
      readFileSync(join(project.folder, path), 'utf8'),
    ]),
  );
  const files = new Map(applyPage(applyPage(sources, usersBlocks), testingBlocks));
  const config = sources.get('tsconfig.json') ?? '';
  writeFiles(project.folder, files.set('tsconfig.json', config.replace('["src"]', '["src", "test"]')));
  await project.run('npm run --silent check');
  const printed = await project.run(testCommand);
  expect(printed).toMatch(/^ℹ pass 12$/m);
  expect(printed).toMatch(/^ℹ fail 0$/m);
});

it('docs/get-started/node.md says how to run the project on a server', async () => {
  const project = await installExample('node-express', clone);
  const server = createProject('server', { CLONE: clone });
  const isCopied = (path: string): boolean => !path.startsWith(join(project.folder, 'node_modules'));
  cpSync(project.folder, server.folder, { recursive: true, filter: isCopied });
  const [installCommand = '', keysCommand = '', startCommand = ''] = serverCommands;
  await server.run(installCommand);

  const port = await findFreePort();
  const databaseFile = join(server.folder, '..', 'production.db');
  const variables = {
    ISSUER: 'https://words.example/',
    SEALING_KEYS: (await server.run(keysCommand)).trim(),
    GOOGLE_CLIENT_ID: 'id',
    DATABASE_FILE: databaseFile,
    PORT: String(port),
  };
  const start = (changes: Readonly<Record<string, string>>): Promise<RunningCommand> =>
    server.start(startCommand, /^listening on port/, { ...variables, ...changes });
  await expect(start({})).rejects.toThrow('providers.google.clientSecret');
  const complete = { GOOGLE_CLIENT_SECRET: 'secret' };
  await expect(start({ ...complete, SEALING_KEYS: '' })).rejects.toThrow('sealingKeys');
  await expect(start({ ...complete, ISSUER: '' })).rejects.toThrow('issuer');
  const app = await start(complete);
  expect([existsSync(databaseFile), existsSync(join(server.folder, 'auth.db'))]).toEqual([true, false]);
  const request = get({ port, path: '/mcp', headers: { host: 'words.example' }, agent: false });
  const [mcpResponse]: IncomingMessage[] = await once(request, 'response');
  expect([mcpResponse?.statusCode, mcpResponse?.resume().headers['www-authenticate']]).toEqual([
    401,
    expect.stringContaining(
      'resource_metadata="https://words.example/.well-known/oauth-protected-resource/mcp"',
    ),
  ]);
  const response = await sendMalformedRequest(port, '/api/me');
  expect(response).toMatch(/^HTTP\/1.1 404 /);
  expect(response).not.toMatch(/app\.ts|node_modules|at \w/);
  await app.stop();
});

it('workers-hono is deployed at a custom domain without the fake provider', async () => {
  const project = await installExample('workers-hono', clone);
  const [routes = ''] = readCodeBlocks(readFileSync('docs/get-started/workers.md', 'utf8'))
    .filter(({ language, path }) => language === 'jsonc' && path === undefined)
    .map(({ code }) => code.replace('<your domain>', 'api.example'));
  expect(routes).toContain('custom_domain');
  const config = join(project.folder, 'wrangler.jsonc');
  writeFileSync(config, readFileSync(config, 'utf8').replace('"vars"', `${routes}\n"vars"`));
  const port = await findFreePort();
  const app = await project.start('npm run dev', /Ready on /, { PORT: String(port) });
  // Without `--infer-origin-from-routes=false`, requests would have the host of the route, and get 421.
  expect((await fetch(`http://localhost:${port}/api/me`)).status).toBe(401);
  await app.stop();
  const output = await project.run('npx wrangler deploy --dry-run --outdir bundle');
  expect(output).not.toMatch(/warning/i);
  expect(await project.run('grep -c google.com bundle/*.js')).toMatch(/[1-9]/);
  expect(await project.run('grep -c fake-provider bundle/*.js || true')).toBe('0\n');
});
