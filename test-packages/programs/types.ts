/** Code that must compile in a consumer's project, and mistakes that `tsc` must report. */
import { type AuthorizedCall, type Broker, type BrokerStorage, createBroker, google } from 'assistant-auth';
import { memoryStorage } from 'assistant-auth/memory';
import { createResourceServer } from 'assistant-auth/resource-server';
import { defineOperation } from 'assistant-operations';
import * as v from 'valibot';

const storage: BrokerStorage = memoryStorage();
const credentials = { clientId: 'id', clientSecret: 'secret' };
const options = {
  issuer: 'https://words.example',
  sealingKeys: 'k1.x',
  scopes: { score: 'see it' },
  clients: [],
};

export const broker: Broker = createBroker({ ...options, storage, providers: [google(credentials)] });

// @ts-expect-error `storage` is missing.
createBroker({ ...options, providers: [google(credentials)] });
// @ts-expect-error a misspelled option
createBroker({ ...options, storage, providers: [google(credentials)], accounts: undefined });
// @ts-expect-error `clientId` must be a string.
google({ ...credentials, clientId: 1 });
// @ts-expect-error `keys` is missing.
createResourceServer({ issuer: 'https://words.example', resource: 'https://words.example' });

export const readUserId = async (request: Request): Promise<string | Response> => {
  const auth = await broker.protect(request, { scopes: ['score'] });
  // @ts-expect-error `auth` can be a refusal, which has no user.
  auth.user.id;
  if (!auth.ok) return auth.response;
  const { user, client, grant, scopes, claims, expiresAt }: AuthorizedCall = auth;
  // @ts-expect-error the time is a number
  const time: string = expiresAt;
  return JSON.stringify([user.id, client.id, grant.id, scopes, claims, time]);
};

export const operation = defineOperation({
  id: 'add',
  method: 'post',
  path: '/api/add',
  summary: 'Add',
  description: 'Adds a number to the score.',
  scopes: ['score'],
  isConsequential: false,
  input: v.strictObject({ points: v.number() }),
  output: v.strictObject({ score: v.number() }),
  // @ts-expect-error `points` is a number, and so is `score`.
  handle: async ({ points }) => ({ score: points.trim() }),
});
