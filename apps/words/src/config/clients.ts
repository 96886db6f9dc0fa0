/**
 * Reads the clients: the GPT, the pre-registered ones in `STATIC_CLIENTS`, and which other MCP clients can
 * connect.
 */
import { type Client, ConfigurationError, gptAction, staticClient } from 'assistant-auth';
import { type ClientSource, mcpClients } from 'assistant-auth/mcp-clients';
import * as v from 'valibot';
import { scopeNames } from '../api/scopes.ts';
import { readList, withItemErrors } from './json-list.ts';
import { isOnLoopback } from './urls.ts';
import {
  type Environment,
  readOptionalVariable,
  readRequiredVariable,
  splitAtWhitespace,
  VariableError,
  withVariableErrors,
} from './variables.ts';

/**
 * Reads the GPT and the pre-registered clients.
 * @throws VariableError with the name `GPT_CLIENT_ID`, `GPT_CLIENT_SECRET`, `GPT_IDS` or `STATIC_CLIENTS`
 */
export const readClients = (environment: Environment, origin: string): readonly Client[] => [
  readGpt(environment),
  ...readStaticClients(environment, origin),
];

/**
 * Reads how MCP clients that are not pre-registered can connect. They can get all scopes.
 * @returns an empty list if they cannot connect
 * @throws VariableError with the name `MCP_CLIENTS`
 */
export const readMcpClients = (environment: Environment): readonly ClientSource[] => {
  const accepted = readOptionalVariable(environment, 'MCP_CLIENTS') ?? 'all';
  switch (accepted) {
    case 'all':
      return [mcpClients()];
    case 'metadata-documents':
      return [mcpClients({ registration: false })];
    case 'registration':
      return [mcpClients({ metadataDocuments: false })];
    case 'none':
      return [];
    default:
      throw new VariableError('MCP_CLIENTS', 'must be all, metadata-documents, registration or none.');
  }
};

const readGpt = (environment: Environment): Client => {
  const id = readRequiredVariable(
    environment,
    'GPT_CLIENT_ID',
    'the client ID that you enter in the GPT editor',
  );
  const secrets = readRequiredVariable(
    environment,
    'GPT_CLIENT_SECRET',
    'the client secret that you enter in the GPT editor',
  );
  const gptIds = readOptionalVariable(environment, 'GPT_IDS');
  return withVariableErrors(toGptVariableName, () =>
    gptAction({
      id,
      name: 'ChatGPT',
      secrets: splitAtWhitespace(secrets),
      scopes: scopeNames,
      ...(gptIds !== undefined && { gptIds: splitAtWhitespace(gptIds) }),
    }),
  );
};

const toGptVariableName = (option: string): string => {
  if (option.endsWith('.secrets')) return 'GPT_CLIENT_SECRET';
  return option.endsWith('.gptIds') ? 'GPT_IDS' : 'GPT_CLIENT_ID';
};

/** The value of `STATIC_CLIENTS`. */
export const staticClientsSchema = v.array(
  v.strictObject({
    id: v.string(),
    name: v.string(),
    redirectUris: v.array(v.string()),
    secrets: v.optional(v.array(v.string())),
    pkce: v.optional(v.picklist(['required', 'optional'])),
    offlineAccess: v.optional(v.picklist(['always', 'on-request'])),
    scopes: v.optional(v.array(v.picklist(scopeNames)), [...scopeNames]),
  }),
);

const readStaticClients = (environment: Environment, origin: string): readonly Client[] =>
  readList(environment, 'STATIC_CLIENTS', staticClientsSchema, 'clients').map(
    ({ secrets, pkce, offlineAccess, ...client }) =>
      withItemErrors('STATIC_CLIENTS', client.id, () => {
        // The broker checks this, too, but only when it is created.
        if (pkce === 'optional' && !isOnLoopback(origin) && client.redirectUris.some(isHttp))
          throw new ConfigurationError('redirectUris', 'must use https if pkce is optional.');
        return staticClient({
          ...client,
          ...(secrets && { secrets }),
          ...(pkce && { pkce }),
          ...(offlineAccess && { offlineAccess }),
        });
      }),
  );

const isHttp = (uri: string): boolean => uri.startsWith('http:');
