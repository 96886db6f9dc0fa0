/** Calls of one operation: as a tool, with two revisions of the protocol, and over HTTP. */

import type { Scenario } from '../measure.ts';
import type { Line } from '../report.ts';

/** The access tokens for the MCP endpoint and for the API. */
export interface Tokens {
  readonly mcp: string;
  readonly api: string;
}

const revisions = { initialized: '2025-11-25', stateless: '2026-07-28' } as const;

/** Returns every scenario for the Worker at `origin`. */
export const createScenarios = (origin: URL, tokens: Tokens) => {
  const call = (path: string, revision: string): Scenario => ({
    requestSpec: { url: new URL(path, origin), ...buildToolCall(revision, tokens.mcp) },
    calls: 100,
  });
  return {
    http: {
      requestSpec: {
        url: new URL('/api/words/animals', origin),
        headers: { authorization: `Bearer ${tokens.api}` },
      },
      calls: 100,
    },
    initialized: call('/unguarded', revisions.initialized),
    initializedSdk: call('/sdk', revisions.initialized),
    initializedTunedSdk: call('/tuned-sdk', revisions.initialized),
    initializedGuarded: call('/mcp', revisions.initialized),
    stateless: call('/unguarded', revisions.stateless),
    statelessSdk: call('/sdk', revisions.stateless),
    statelessTunedSdk: call('/tuned-sdk', revisions.stateless),
    statelessGuarded: call('/mcp', revisions.stateless),
  };
};

export type Name = keyof ReturnType<typeof createScenarios>;

/** The message of a call, with the headers and, since 2026-07-28, the members that the revision requires. */
const buildToolCall = (revision: string, token: string) => ({
  headers: {
    authorization: `Bearer ${token}`,
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': revision,
    ...(revision === revisions.stateless && { 'mcp-method': 'tools/call', 'mcp-name': 'list_words' }),
  },
  body: JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: {
      name: 'list_words',
      arguments: { category: 'animals' },
      ...(revision === revisions.stateless && {
        _meta: {
          'io.modelcontextprotocol/protocolVersion': revision,
          'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1.0.0' },
          'io.modelcontextprotocol/clientCapabilities': {},
        },
      }),
    },
  }),
});

/** The share of the CPU time of the SDK alone that this project allows. */
const goal = 1.1;

export const lines: readonly Line<Name>[] = [
  { label: 'guarded route, µs per call', digits: 0, compute: ({ http }) => http },
  ...(['initialized', 'stateless'] as const).flatMap((era): readonly Line<Name>[] => {
    const revision = revisions[era];
    return [
      { label: `${revision}: tools/call, µs`, digits: 0, compute: (round) => round[era] },
      { label: `${revision}: SDK as documented, µs`, digits: 0, compute: (round) => round[`${era}Sdk`] },
      { label: `${revision}: SDK tuned by hand, µs`, digits: 0, compute: (round) => round[`${era}TunedSdk`] },
      { label: `${revision}: guarded tools/call, µs`, digits: 0, compute: (round) => round[`${era}Guarded`] },
      {
        label: `${revision}: tools/call ÷ SDK as documented`,
        digits: 2,
        compute: (round) => round[era] / round[`${era}Sdk`],
        goal,
      },
      {
        label: `${revision}: tools/call ÷ SDK tuned by hand`,
        digits: 2,
        compute: (round) => round[era] / round[`${era}TunedSdk`],
      },
      {
        label: `${revision}: guarded route ÷ guarded tools/call`,
        digits: 2,
        compute: (round) => round.http / round[`${era}Guarded`],
      },
    ];
  }),
];
