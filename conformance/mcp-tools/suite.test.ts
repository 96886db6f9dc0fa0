/**
 * Runs the MCP conformance suite against the game: as an authorization server, and as an MCP server behind a
 * proxy that adds a token, because the suite cannot send one.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '@words-with-chat/lab';
import { None } from 'openid-client';
import { afterEach, beforeEach, describe, expect, inject, it, onTestFinished } from 'vitest';
import { discover, registerClient, signInWithPkce } from '../openid-client.ts';
import { type TestUserName, testUser } from '../test-users.ts';
import { runTool } from './tools.ts';

const { origin, publicClientId, documentClientId } = inject('system');
const toolsFolder = inject('toolsFolder');
const mcpUrl = `${origin}/mcp`;

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcp-suite-'));
});

afterEach(() => rm(folder, { recursive: true }));

interface Check {
  readonly id: string;
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO';
}

type Scenarios = ReadonlyMap<string, readonly Check[]>;

/** Runs the suite, and returns the checks of each scenario. */
const runSuite = async (args: readonly string[]): Promise<Scenarios> => {
  const results = join(folder, 'results');
  const { authorizationRequests } = await runTool({
    toolsFolder,
    program: 'conformance',
    args: [...args, '-o', results],
    home: folder,
    user: testUser('mcp-suite'),
  });
  expect(authorizationRequests).toHaveLength(args[0] === 'authorization' ? 1 : 0);
  const scenarios = (await readdir(results)).map(async (name) => {
    const checks: Check[] = JSON.parse(await readFile(join(results, name, 'checks.json'), 'utf8'));
    // For example server-tools-list-2026-11-28T12-00-00-000Z.
    return [name.replace(/^(?:server|authorization-server)-(.*)-\d{4}-\d\d-\d\dT.*$/, '$1'), checks] as const;
  });
  return new Map(await Promise.all(scenarios));
};

/** Returns the IDs of the checks with a status. */
const listChecks = (checks: readonly Check[] = [], ...statuses: readonly Check['status'][]) =>
  checks.filter(({ status }) => statuses.includes(status)).map(({ id }) => id);

/** What the suite reports for a revision. Every scenario is listed, so that a new failure fails the test. */
interface Revision {
  readonly revision: string;
  readonly user: TestUserName;
  readonly passes: readonly string[];
  /** Tools of the suite’s own server. */
  readonly needsTools: readonly string[];
  /** Prompts of the suite’s own server. */
  readonly needsPrompts: readonly string[];
  /** Resources of the suite’s own server. */
  readonly needsResources: readonly string[];
  /** Features that the game does not offer, and does not list among its capabilities. */
  readonly needsFeatures: readonly string[];
  /** Scenarios of which only these checks do not pass, for the same reasons. */
  readonly passesExcept: Readonly<Record<string, readonly string[]>>;
}

const fixtureTools = [
  ...['simple-text', 'image', 'audio', 'embedded-resource', 'mixed-content', 'error', 'with-progress'],
].map((name) => `tools-call-${name}`);

const fixturePrompts = ['simple', 'with-args', 'embedded-resource', 'with-image'].map(
  (name) => `prompts-get-${name}`,
);

const fixtureResources = ['resources-read-text', 'resources-read-binary', 'resources-templates-read'];

const revisions: readonly Revision[] = [
  {
    revision: '2025-11-25',
    user: 'mcp-suite-2025-11-25',
    passes: [
      ...['server-initialize', 'ping', 'dns-rebinding-protection'],
      ...['tools-list', 'prompts-list', 'resources-list'],
    ],
    needsTools: [
      ...fixtureTools,
      'tools-call-sampling',
      'tools-call-elicitation',
      'elicitation-sep1034-defaults',
      'elicitation-sep1330-enums',
      'json-schema-2020-12',
    ],
    needsPrompts: fixturePrompts,
    needsResources: fixtureResources,
    needsFeatures: [
      'logging-set-level',
      'tools-call-with-logging',
      'completion-complete',
      'resources-subscribe',
      'resources-unsubscribe',
      // Sessions, which the server does not create.
      'server-session-lifecycle',
      'server-sse-multiple-streams',
      'server-sse-polling',
    ],
    passesExcept: {},
  },
  {
    revision: '2026-07-28',
    user: 'mcp-suite-2026-07-28',
    passes: [
      'tools-list',
      'prompts-list',
      'resources-list',
      'sep-2164-resource-not-found',
      'dns-rebinding-protection',
      'server-sse-multiple-streams',
      'http-header-validation',
      'input-required-result-unsupported-methods',
      'input-required-result-validate-input',
    ],
    needsTools: [
      ...fixtureTools,
      'json-schema-2020-12',
      'http-custom-header-server-validation',
      'input-required-result-basic-elicitation',
      'input-required-result-basic-list-roots',
      'input-required-result-basic-sampling',
      'input-required-result-capability-check',
      'input-required-result-ignore-extra-params',
      'input-required-result-missing-input-response',
      'input-required-result-multi-round',
      'input-required-result-multiple-input-requests',
      'input-required-result-request-state',
      'input-required-result-result-type',
      'input-required-result-tampered-state',
    ],
    needsPrompts: [...fixturePrompts, 'input-required-result-non-tool-request'],
    needsResources: fixtureResources,
    needsFeatures: [
      'completion-complete',
      // The extension for tasks.
      'tasks-capability-negotiation',
      'tasks-dispatch-and-envelope',
      'tasks-lifecycle',
      'tasks-mrtr-composition',
      'tasks-mrtr-input',
      'tasks-request-headers',
      'tasks-request-state-removal',
      'tasks-required-task-error',
      'tasks-status-notifications',
      'tasks-wire-fields',
    ],
    passesExcept: {
      // Diagnostic tools of the suite’s own server.
      'server-stateless': [
        'sep-2575-server-rejects-undeclared-capability',
        'sep-2575-missing-capability-http-400',
        'sep-2575-http-server-no-independent-requests-on-stream',
        'sep-2575-server-no-log-without-loglevel',
      ],
      // Templates of resources.
      caching: ['sep-2549-resources-templates-list-caching-hints'],
    },
  },
];

describe.each(revisions)('as an MCP server of revision $revision', (expected) => {
  it('passes every scenario that applies to it', async () => {
    const config = await discover(publicClientId, None());
    const { access_token } = await signInWithPkce(config, expected.user, 'words score', mcpUrl);
    const proxy = await startProxy(access_token);
    onTestFinished(() => proxy.close());
    const scenarios = await runSuite([
      ...['server', '--url', proxy.url, '--requirements', expected.revision, '--timeout', '300000'],
    ]);

    const entries = [...scenarios];
    const problems = new Map(
      entries.map(([name, checks]) => [name, listChecks(checks, 'FAILURE', 'WARNING')] as const),
    );
    const passed = entries.flatMap(([name, checks]) =>
      problems.get(name)?.length === 0 && listChecks(checks, 'SUCCESS').length > 0 ? [name] : [],
    );
    expect(passed.sort()).toEqual([...expected.passes].sort());
    for (const [name, checks] of Object.entries(expected.passesExcept))
      expect([name, problems.get(name)]).toEqual([name, checks]);
    const excluded = [
      ...[...expected.needsTools, ...expected.needsPrompts],
      ...[...expected.needsResources, ...expected.needsFeatures],
    ];
    expect([...scenarios.keys()].sort()).toEqual(
      [...passed, ...excluded, ...Object.keys(expected.passesExcept)].sort(),
    );
    // In every scenario, whatever else is missing, the responses match the schema of the revision.
    expect([...problems.values()].flat().filter((id) => id.startsWith('wire-schema'))).toEqual([]);
  });
});

/** The suite takes a client ID of any kind, and does not register itself. */
const clients = [
  { name: 'a pre-registered client', getId: async () => publicClientId },
  { name: 'a client with a metadata document', getId: async () => documentClientId },
  {
    name: 'a client that has registered itself',
    getId: async () => {
      const config = await registerClient({ token_endpoint_auth_method: 'none' }, None());
      return config.clientMetadata().client_id;
    },
  },
];

describe('as an authorization server', () => {
  it.each(clients)('passes all scenarios without warnings: $name', async ({ getId }) => {
    const scenarios = await runSuite([
      ...['authorization', '--url', origin, '--client-id', await getId(), '--resource', mcpUrl],
      ...['-p', String(await findFreePort())],
    ]);
    const passed = [...scenarios].map(([name, checks]) => [name, listChecks(checks, 'SUCCESS')]);
    expect(Object.fromEntries(passed)).toEqual({
      'authorization-code-grant': ['authorization-code-grant'],
      'authorization-server-metadata-endpoint': [
        'authorization-server-metadata',
        'authorization-server-metadata-cimd',
      ],
    });
    const others = [...scenarios.values()].flatMap((checks) =>
      listChecks(checks, 'FAILURE', 'WARNING', 'SKIPPED'),
    );
    expect(others).toEqual([]);
  });
});

/**
 * Starts a proxy on loopback that adds an access token. A request for another host keeps its `Host` header, so
 * that the suite can test whether the server refuses it.
 */
const startProxy = async (accessToken: string): Promise<{ readonly url: string; close(): void }> => {
  const target = new URL(origin);
  let ownHost = '';
  const server = createServer((incomingRequest, outgoingResponse) => {
    const { method, url: path, headers } = incomingRequest;
    const forwarded = request(
      {
        ...{ host: '127.0.0.1', port: target.port, method, path, agent: false },
        headers: {
          ...headers,
          host: headers.host === ownHost ? target.host : headers.host,
          authorization: `Bearer ${accessToken}`,
          connection: 'close',
        },
      },
      (response) => {
        const { connection: _, 'transfer-encoding': __, ...others } = response.headers;
        response.pipe(outgoingResponse.writeHead(response.statusCode ?? 502, others));
      },
    );
    forwarded.once('error', (error) => outgoingResponse.destroy(error));
    // The suite ends streams of the server in this way.
    outgoingResponse.once('close', () => forwarded.destroy());
    incomingRequest.pipe(forwarded);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  ownHost = `127.0.0.1:${readPort(server.address())}`;
  return {
    url: `http://${ownHost}/mcp`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
};

const readPort = (address: AddressInfo | string | null): number => {
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port.');
  return address.port;
};
