/** The clients of the environment: the GPT, and those that are registered by hand. */
import { type Client, ConfigurationError, gptAction, staticClient } from '@words-with-chat/broker';
import * as v from 'valibot';
import { scopeNames } from '../api/scopes.ts';
import { type Environment, named, optional, required, VariableError, words } from './variables.ts';

/**
 * Reads all clients.
 * @throws VariableError naming `GPT_CLIENT_ID`, `GPT_CLIENT_SECRET`, `GPT_IDS` or `STATIC_CLIENTS`
 */
export const readClients = (environment: Environment): readonly Client[] => [
  readGpt(environment),
  ...readStaticClients(environment),
];

const readGpt = (environment: Environment): Client => {
  const id = required(environment, 'GPT_CLIENT_ID', 'it is the client id that is typed into the GPT editor');
  const secrets = required(
    environment,
    'GPT_CLIENT_SECRET',
    'it is the secret that belongs to GPT_CLIENT_ID',
  );
  const gptIds = optional(environment, 'GPT_IDS');
  return named(gptVariable, () =>
    gptAction({
      id,
      name: 'Words With Chat in ChatGPT',
      secrets: words(secrets),
      scopes: scopeNames,
      ...(gptIds !== undefined && { gptIds: words(gptIds) }),
    }),
  );
};

const gptVariable = (option: string): string => {
  if (option.endsWith('.secrets')) return 'GPT_CLIENT_SECRET';
  return option.endsWith('.gptIds') ? 'GPT_IDS' : 'GPT_CLIENT_ID';
};

const staticClients = v.array(
  v.strictObject({
    id: v.string(),
    name: v.string(),
    redirectUris: v.array(v.string()),
    secrets: v.optional(v.array(v.string())),
    offlineAccess: v.optional(v.picklist(['always', 'on-request'])),
    scopes: v.optional(v.array(v.picklist(scopeNames)), [...scopeNames]),
  }),
);

const readStaticClients = (environment: Environment): readonly Client[] => {
  const text = optional(environment, 'STATIC_CLIENTS');
  if (text === undefined) return [];
  const parsed = v.safeParse(staticClients, parseJson(text));
  if (!parsed.success) {
    const place = v.getDotPath(parsed.issues[0]);
    throw new VariableError(
      'STATIC_CLIENTS',
      `does not hold a list of clients: look at ${place || 'its beginning'}.`,
    );
  }
  return parsed.output.map(({ secrets, offlineAccess, ...client }) =>
    staticOne({
      ...client,
      ...(secrets && { secrets }),
      ...(offlineAccess && { offlineAccess }),
    }),
  );
};

// The list has one name for many clients, so the option is part of the sentence.
const staticOne = (options: Parameters<typeof staticClient>[0]): Client => {
  try {
    return staticClient(options);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw new VariableError('STATIC_CLIENTS', `is wrong at ${options.id}: ${error.message}`, {
      cause: error,
    });
  }
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new VariableError('STATIC_CLIENTS', 'must be JSON.', { cause });
  }
};
