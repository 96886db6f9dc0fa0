/** A deployment that providers can tell something: Ada is signed in by each of them, with a grant for now and one for later. */

import { exportPKCS8 } from 'jose';
import { apple, type BrokerOptions, google, type Ledger, type OidcSettings } from '../src/index.ts';
import { memoryLedger } from '../src/storage/memory.ts';
import { issuer as broker, type Deployment } from './deployment.ts';
import { onPlatform } from './guessing.ts';
import { begin, t0 } from './ledger/ledger-contract/sample.ts';
import { beginSession } from './ledger/ledger-contract/sessions.ts';
import { clientId, clientSecret, createIssuer, honestKey, relyOn } from './providers/hostile-issuer.ts';
import { type Claims, generateKey, type SigningKey, sign } from './providers/signing.ts';
import { type WatchedLedger, watchLedger } from './watched-ledger.ts';

export const sites = {
  acme: 'https://id.example',
  google: 'https://accounts.google.com',
  apple: 'https://appleid.apple.com',
} as const;
export type Site = keyof typeof sites;

/** When everything is told, a while after Ada signed in. */
export const now = t0 + 100;

const privateKey = await exportPKCS8((await generateKey('key-1', 'ES256')).privateKey);
const asApple = { clientId, teamId: 'TEAM000000', keyId: 'KEY0000000', privateKey };

export interface Signalled {
  readonly deployment: Deployment;
  /** Without what is said at the start. */
  readonly log: () => Deployment['log'];
  readonly ledger: WatchedLedger;
  /** How often keys were asked for since it was last looked. */
  readonly keyRequests: () => number;
  /** Posts to the broker, as the platform hands it over. */
  post(path: string, body: BodyInit, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** The ids of Ada's grants by a provider that have ended: `now`, `later` and `session`. */
  ended(site?: Site): Promise<readonly string[]>;
}

interface Changes {
  readonly acme?: Partial<OidcSettings>;
  readonly broker?: Partial<BrokerOptions>;
  readonly ledger?: Ledger;
}

export const deploySignalled = async (changes: Changes = {}): Promise<Signalled> => {
  const memory = changes.ledger ?? memoryLedger();
  const ledger = watchLedger(memory);
  const issuers = Object.values(sites).map((site) => createIssuer(site));
  const [acme] = issuers;
  if (acme === undefined) throw new Error('no issuer');
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const at = issuers.find(({ issuer }) => String(input).startsWith(issuer));
    return at === undefined ? new Response(null, { status: 404 }) : at.io.fetch(input, init);
  };
  const deployment = onPlatform({
    providers: [
      relyOn(acme, changes.acme),
      google({ clientId, clientSecret }),
      apple(asApple),
      relyOn(acme, { id: 'neighbour', ...changes.acme }),
    ],
    ...{ ledger, fetch },
    ...changes.broker,
  });
  for (const site of Object.keys(sites)) await signAdaIn(memory, site);
  deployment.advance(now - t0);
  return {
    ...{ deployment, ledger },
    log: () => deployment.log.filter(({ event }) => event !== 'unpinned-gpt'),
    keyRequests: () =>
      issuers.flatMap((issuer) => issuer.asked()).filter((endpoint) => endpoint === 'keys').length,
    post: (path, body, headers = {}) =>
      deployment.fetch(new Request(broker + path, { method: 'POST', body, headers })),
    async ended(site = 'acme') {
      const account = await memory.readAccount(`user-at-${site}`);
      const grants = (account?.grants ?? []).filter(({ revokedAt }) => revokedAt !== undefined);
      return grants.map(({ id }) => id.replace(/.* /, '')).toSorted();
    },
  };
};

const signAdaIn = async (ledger: Ledger, provider: string): Promise<void> => {
  const ada = {
    identity: { provider, subject: 'ada', sealedRefreshToken: `sealed at ${provider}` },
    user: { kind: 'ours', newId: `user-at-${provider}` },
    sid: 'sid-1',
  } as const;
  await beginSession(ledger, { ...ada, grantId: `${provider} session` });
  await begin(ledger, { ...ada, grantId: `${provider} now`, refreshPolicy: 'none' });
  await begin(ledger, { ...ada, grantId: `${provider} later`, refreshPolicy: 'rotating' });
};

const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout';

/** A logout token of Acme's; a claim that is `undefined` is left out. */
export const logoutToken = (
  changes: Claims = {},
  key: SigningKey = honestKey,
  header: Claims = { typ: 'logout+jwt' },
): Promise<string> =>
  sign(
    {
      ...{ iss: sites.acme, aud: clientId, iat: now, exp: now + 120, jti: 'logout-1' },
      ...{ sub: 'ada', sid: 'sid-1', events: { [logoutEvent]: {} } },
      ...changes,
    },
    key,
    header,
  );

export const risc = 'https://schemas.openid.net/secevent/risc/event-type/';
export const oauth = 'https://schemas.openid.net/secevent/oauth/event-type/';

export const adaAtGoogle = { subject_type: 'iss-sub', iss: `${sites.google}/`, sub: 'ada' } as const;

/** A security event of Google's. */
export const googleEvent = (
  events: unknown = { [`${risc}account-disabled`]: { subject: adaAtGoogle, reason: 'hijacking' } },
  changes: Claims = {},
  key: SigningKey = honestKey,
): Promise<string> =>
  sign({ iss: `${sites.google}/`, aud: clientId, iat: now, jti: 'event-1', events, ...changes }, key);

/** A notification of Apple's, as it is posted. */
export const appleNotification = async (
  event: unknown = { type: 'consent-revoked', sub: 'ada', event_time: now * 1000 },
  changes: Claims = {},
  key: SigningKey = honestKey,
): Promise<string> => {
  const events = typeof event === 'string' ? event : JSON.stringify(event);
  const claims = { iss: sites.apple, aud: clientId, iat: now, exp: now + 86_400, jti: 'note-1', events };
  return JSON.stringify({ payload: await sign({ ...claims, ...changes }, key) });
};

export const asEvent = { 'content-type': 'application/secevent+jwt' };
export const asJson = { 'content-type': 'application/json' };

/** Posts a logout token, as Acme does. */
export const tellLogout = async (
  { post }: Signalled,
  token: string | Promise<string> = logoutToken(),
  provider = 'acme',
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> =>
  post(`/backchannel-logout/${provider}`, new URLSearchParams({ logout_token: await token }), headers);

/** Posts an event, as Google does. */
export const tellEvent = async (
  { post }: Signalled,
  token: string | Promise<string> = googleEvent(),
): Promise<Response> => post('/events/google', await token, asEvent);

/** Posts a notification, as Apple does. */
export const tellNote = async (
  { post }: Signalled,
  body: string | Promise<string> = appleNotification(),
): Promise<Response> => post('/events/apple', await body, asJson);
