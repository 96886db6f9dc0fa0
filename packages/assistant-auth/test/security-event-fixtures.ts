/**
 * A deployment that receives security events. Ada has signed in with each provider: she has a session, a
 * grant without offline access (`now`) and a grant with offline access (`later`).
 */

import { exportPKCS8 } from 'jose';
import { accountStorage } from '../src/account/index.ts';
import { apple, type BrokerOptions, type BrokerStorage, google, type OidcOptions } from '../src/index.ts';
import { googleSecurityEvents } from '../src/providers/google-events.ts';
import { memoryStorage } from '../src/storage/memory.ts';
import { signInAndRedeem, t0 } from '../src/testing/storage-contract/sample.ts';
import { createSession } from '../src/testing/storage-contract/sessions.ts';
import { issuer as broker, type Deployment } from './deployment.ts';
import {
  clientId,
  clientSecret,
  createFakeIssuer,
  createOidcProvider,
  issuerKey,
} from './providers/fake-issuer.ts';
import { type Claims, generateKey, type SigningKey, sign } from './providers/signing.ts';
import { createSpyStorage, type SpyStorage } from './spy-storage.ts';
import { deployWithClientAddress } from './wrong-secrets.ts';

export const issuerUrls = {
  acme: 'https://id.example',
  google: 'https://accounts.google.com',
  apple: 'https://appleid.apple.com',
} as const;
export type IssuerName = keyof typeof issuerUrls;

/** The time of every event: 100 seconds after Ada signed in. */
export const now = t0 + 100;

const privateKey = await exportPKCS8((await generateKey('key-1', 'ES256')).privateKey);
export const appleSettings = { clientId, teamId: 'TEAM000000', keyId: 'KEY0000000', privateKey };

export interface SecurityEventDeployment {
  readonly deployment: Deployment;
  /** The log, without the lines from startup. */
  readonly log: () => Deployment['log'];
  readonly storage: SpyStorage;
  /** How often the issuers' keys were requested since the last call. */
  readonly keyRequests: () => number;
  /** Posts a request to the broker. */
  post(path: string, body: BodyInit, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** Returns the IDs of Ada's revoked grants with a provider, out of `later`, `now` and `session`. */
  listRevokedGrants(issuerName?: IssuerName): Promise<readonly string[]>;
}

interface Changes {
  readonly acme?: Partial<OidcOptions>;
  readonly broker?: Partial<BrokerOptions>;
  readonly storage?: BrokerStorage;
}

export const deployForSecurityEvents = async (changes: Changes = {}): Promise<SecurityEventDeployment> => {
  const memory = accountStorage(changes.storage ?? memoryStorage());
  const storage = createSpyStorage(memory);
  const issuers = Object.values(issuerUrls).map((issuerName) => createFakeIssuer(issuerName));
  const [acme] = issuers;
  if (acme === undefined) throw new Error('no issuer');
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const target = issuers.find(({ issuer }) => String(input).startsWith(issuer));
    return target === undefined ? new Response(null, { status: 404 }) : target.io.fetch(input, init);
  };
  const deployment = deployWithClientAddress({
    providers: [
      createOidcProvider(acme, changes.acme),
      google({ clientId, clientSecret, securityEvents: googleSecurityEvents() }),
      apple(appleSettings),
      createOidcProvider(acme, { id: 'neighbor', ...changes.acme }),
    ],
    ...{ storage, fetch },
    ...changes.broker,
  });
  for (const [issuerName, url] of Object.entries(issuerUrls))
    await recordAdasSignIns(memory, issuerName, url);
  deployment.advance(now - t0);
  return {
    ...{ deployment, storage },
    log: () => deployment.log.filter(({ event }) => event !== 'unrestricted-gpt'),
    keyRequests: () =>
      issuers.flatMap((issuer) => issuer.takeRequestedEndpoints()).filter((endpoint) => endpoint === 'keys')
        .length,
    post: (path, body, headers = {}) =>
      deployment.fetch(new Request(broker + path, { method: 'POST', body, headers })),
    async listRevokedGrants(issuerName = 'acme') {
      const account = await memory.readAccount(`user-at-${issuerName}`);
      const grants = (account?.grants ?? []).filter(({ revokedAt }) => revokedAt !== undefined);
      return grants.map(({ id }) => id.replace(/.* /, '')).toSorted();
    },
  };
};

const recordAdasSignIns = async (
  storage: BrokerStorage,
  provider: string,
  subjectNamespace: string,
): Promise<void> => {
  const ada = {
    identity: { provider, subject: 'ada', sealedRefreshToken: `sealed at ${provider}` },
    user: { kind: 'by-identity', newId: `user-at-${provider}` },
    ...{ sid: 'sid-1', subjectNamespace },
  } as const;
  await createSession(storage, { ...ada, grantId: `${provider} session` });
  await signInAndRedeem(storage, { ...ada, grantId: `${provider} now`, refreshPolicy: 'none' });
  await signInAndRedeem(storage, { ...ada, grantId: `${provider} later`, refreshPolicy: 'rotating' });
};

const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout';

/** A logout token from Acme. Claims that are `undefined` are omitted. */
export const logoutToken = (
  changes: Claims = {},
  key: SigningKey = issuerKey,
  header: Claims = { typ: 'logout+jwt' },
): Promise<string> =>
  sign(
    {
      ...{ iss: issuerUrls.acme, aud: clientId, iat: now, exp: now + 120, jti: 'logout-1' },
      ...{ sub: 'ada', sid: 'sid-1', events: { [logoutEvent]: {} } },
      ...changes,
    },
    key,
    header,
  );

export const risc = 'https://schemas.openid.net/secevent/risc/event-type/';
export const oauth = 'https://schemas.openid.net/secevent/oauth/event-type/';

export const adaSubject = { subject_type: 'iss-sub', iss: `${issuerUrls.google}/`, sub: 'ada' } as const;

/** A security event from Google. */
export const googleEvent = (
  events: unknown = { [`${risc}account-disabled`]: { subject: adaSubject, reason: 'hijacking' } },
  changes: Claims = {},
  key: SigningKey = issuerKey,
): Promise<string> =>
  sign({ iss: `${issuerUrls.google}/`, aud: clientId, iat: now, jti: 'event-1', events, ...changes }, key);

/** A notification from Apple, as the request body that it posts. */
export const appleNotification = async (
  event: unknown = { type: 'consent-revoked', sub: 'ada', event_time: now * 1000 },
  changes: Claims = {},
  key: SigningKey = issuerKey,
): Promise<string> => {
  const events = typeof event === 'string' ? event : JSON.stringify(event);
  const claims = { iss: issuerUrls.apple, aud: clientId, iat: now, exp: now + 86_400, jti: 'note-1', events };
  return JSON.stringify({ payload: await sign({ ...claims, ...changes }, key) });
};

export const securityEventHeaders = { 'content-type': 'application/secevent+jwt' };
export const jsonHeaders = { 'content-type': 'application/json' };

/** Posts a logout token, as Acme does. */
export const sendLogoutToken = async (
  { post }: SecurityEventDeployment,
  token: string | Promise<string> = logoutToken(),
  provider = 'acme',
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> =>
  post(`/backchannel-logout/${provider}`, new URLSearchParams({ logout_token: await token }), headers);

/** Posts an event, as Google does. */
export const sendGoogleEvent = async (
  { post }: SecurityEventDeployment,
  token: string | Promise<string> = googleEvent(),
): Promise<Response> => post('/events/google', await token, securityEventHeaders);

/** Posts a notification, as Apple does. */
export const sendAppleNotification = async (
  { post }: SecurityEventDeployment,
  body: string | Promise<string> = appleNotification(),
): Promise<Response> => post('/events/apple', await body, jsonHeaders);
