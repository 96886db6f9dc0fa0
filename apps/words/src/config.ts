/** Reads the configuration of a deployment from its environment, before the app is created. */
import { type Client, ConfigurationError, type IdentityProvider } from 'assistant-auth';
import type { ClientSource } from 'assistant-auth/mcp-clients';
import { parseKeyRing } from 'assistant-auth/seal';
import { readAuditRetention } from './config/audit.ts';
import { readClients, readMcpClients } from './config/clients.ts';
import { readProviders } from './config/providers.ts';
import { type Publisher, readPublisher } from './config/publisher.ts';
import { readOrigin } from './config/urls.ts';
import {
  type Environment,
  readRequiredVariable,
  VariableError,
  withVariableErrors,
} from './config/variables.ts';
import { playClientId } from './play/session.ts';

/** The configuration of a deployment. */
export interface Config {
  /** The deployment's origin, for example `https://words.example`. */
  readonly origin: string;
  readonly publisher: Publisher;
  /** The key ring. It is secret. */
  readonly sealingKeys: string;
  /** The key of the HMAC-SHA-256 that chooses the daily word, 32 bytes. It is secret. */
  readonly dailySecret: Uint8Array<ArrayBuffer>;
  /** The OAuth clients, with unique IDs, and the source of MCP clients that are not pre-registered. */
  readonly clients: readonly (Client | ClientSource)[];
  readonly providers: readonly IdentityProvider[];
  /** How long the audit log is kept, in seconds. Default: the broker's default. */
  readonly auditRetention?: number;
}

/**
 * Reads the configuration. `.dev.vars.example` explains every variable.
 * @throws VariableError with one sentence that begins with the variable that is missing or wrong
 */
export const readConfig = (environment: Environment): Config => {
  const origin = readOrigin(environment);
  const publisher = readPublisher(environment, origin);
  const sealingKeys = readSealingKeys(environment);
  const dailySecret = readDailySecret(environment);
  const clients = readClients(environment, origin);
  const ids = [playClientId, ...clients.map(({ id }) => id)];
  const duplicate = ids.find((id, index) => ids.indexOf(id) < index);
  if (duplicate !== undefined)
    throw new VariableError(
      'STATIC_CLIENTS',
      `must have unique IDs: another client has the ID ${duplicate}.`,
    );
  return {
    origin,
    publisher,
    sealingKeys,
    dailySecret,
    clients: [...clients, ...readMcpClients(environment)],
    providers: readProviders(environment, origin),
    ...readAuditRetention(environment),
  };
};

const readSealingKeys = (environment: Environment): string => {
  const text = readRequiredVariable(environment, 'SEALING_KEYS', 'npm run keys generates one');
  withVariableErrors(
    () => 'SEALING_KEYS',
    () => parseKeyRing(text),
  );
  return text;
};

/** Parses the secret like a key of a ring, which also refuses a secret that is obviously not random. */
const readDailySecret = (environment: Environment): Uint8Array<ArrayBuffer> => {
  const text = readRequiredVariable(environment, 'DAILY_SECRET', 'npm run setup generates one');
  try {
    // Whitespace would start another key, so it is replaced with a character that no key contains.
    return parseKeyRing(`daily.${text.replace(/\s/g, '=')}`).sealingKey.bytes;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw new VariableError(
      'DAILY_SECRET',
      'must be 43 characters of base64url, which are 32 random bytes: npm run setup generates them if the value is empty.',
      { cause: error },
    );
  }
};
