/** Signing out at an issuer that others wrote: it tells the broker over HTTP, and what was to last while the person is there ends. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { buffer } from 'node:stream/consumers';
import {
  accountClientId,
  type BrokerStorage,
  createBroker,
  type LogEntry,
  type OidcSettings,
  oidc,
  type SignIn,
  staticClient,
} from 'assistant-auth';
import { memoryStorage } from 'assistant-auth/memory';
import { afterEach, expect, it } from 'vitest';
import {
  type Browser,
  createBrowser,
  type FakeProvider,
  type FakeUser,
  fakeUsers,
  findFreePort,
  startOidcIssuer,
} from '../../src/index.ts';
import { client } from '../fake-providers/visit.ts';

const [ada, bruno] = fakeUsers;
const issuer = 'http://localhost:8787';
const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';

let running: { readonly fakeProvider: FakeProvider; readonly server: Server } | undefined;
afterEach(async () => {
  running?.server.close();
  await running?.fakeProvider.close();
});

/** Keeps what was signed in with, for the name of the session. */
const noteSignIns = (storage: BrokerStorage): BrokerStorage & { readonly signIns: SignIn[] } => {
  const signIns: SignIn[] = [];
  const recordSignIn: BrokerStorage['recordSignIn'] = (signIn) => {
    signIns.push(signIn);
    return storage.recordSignIn(signIn);
  };
  return { ...storage, recordSignIn, signIns };
};

const deploy = async (settings: Partial<OidcSettings> = {}) => {
  const backPort = await findFreePort();
  const fakeProvider = await startOidcIssuer({
    ...client,
    ...{ port: await findFreePort(), users: fakeUsers },
    redirectUris: [`${issuer}/callback/acme`],
    backchannelLogoutUri: `http://127.0.0.1:${backPort}/backchannel-logout/acme`,
  });
  const storage = noteSignIns(memoryStorage());
  const log: LogEntry[] = [];
  const { routes } = createBroker({
    ...{ issuer, storage },
    sealingKeys: 'test-1.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8',
    scopes: { words: 'read the word lists' },
    clients: [
      staticClient({
        ...{ id: 'app', name: 'App', redirectUris: ['https://app.example/cb'] },
        ...{ scopes: ['words'], offlineAccess: 'on-request' },
      }),
    ],
    providers: [
      oidc({
        ...{ id: 'acme', displayName: 'Acme', issuer: fakeProvider.issuer, ...client, ...settings },
        scopes: ['openid', 'email', 'offline_access'],
        authorizationParameters: { prompt: 'consent' },
      }),
    ],
    log: (entry) => void log.push(entry),
  });

  /** Ends at the broker, or at the fake provider. */
  const visit: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    const { origin, pathname } = new URL(request.url);
    if (origin !== issuer) return fetch(request);
    const route = routes.find(({ path }) =>
      path.endsWith('/*') ? pathname.startsWith(path.slice(0, -1)) : pathname === path,
    );
    return route?.endpoint(request) ?? new Response(null, { status: 404 });
  };
  const server = createServer(async (request, response) => {
    const headers = { 'content-type': request.headers['content-type'] ?? '' };
    const body = new Uint8Array(await buffer(request));
    const answer = await visit(`${issuer}${request.url}`, { method: 'POST', headers, body });
    response.writeHead(answer.status).end(await answer.text());
  });
  await once(server.listen(backPort, '127.0.0.1'), 'listening');
  running = { fakeProvider, server };
  return { fakeProvider, storage, log, visit };
};

type Deployed = Awaited<ReturnType<typeof deploy>>;

/** Signs a person in for the app, and gives the grant. */
const signIn = async ({ storage }: Deployed, browser: Browser, { email }: FakeUser, scope: string) => {
  const query = new URLSearchParams({
    ...{ response_type: 'code', client_id: 'app', redirect_uri: 'https://app.example/cb', scope },
    ...{ code_challenge: challenge, code_challenge_method: 'S256' },
  });
  let destination = await browser.open(new URL(`${issuer}/authorize?${query}`));
  for (const label of ['Acme', email])
    if (destination.kind === 'page') destination = await browser.clickButton(destination, label);
  if (destination.kind === 'page' || !destination.location.searchParams.has('code'))
    throw new Error('no code');
  const signedIn = storage.signIns.at(-1);
  if (signedIn === undefined) throw new Error('no sign-in');
  return signedIn;
};

/** A session at the account page, from the same sign-in. */
const createSession = async ({ storage }: Deployed, { identity, grant, ...signedIn }: SignIn) => {
  const session = {
    ...grant,
    id: `${grant.id} session`,
    clientId: accountClientId,
    refreshPolicy: 'stable',
  } as const;
  await storage.recordSignIn({ ...signedIn, identity, grant: session });
  return session.id;
};

const endedOf = async ({ storage }: Deployed, { identity }: SignIn): Promise<readonly string[]> => {
  const userId = await storage.findUser(identity);
  const account = userId === undefined ? undefined : await storage.readAccount(userId);
  return (account?.grants ?? []).filter(({ revokedAt }) => revokedAt !== undefined).map(({ id }) => id);
};

const signOut = async ({ fakeProvider }: Deployed, browser: Browser): Promise<void> => {
  const page = await browser.open(new URL(`${fakeProvider.issuer}/session/end`));
  if (page.kind === 'stopped-redirect') throw new Error('no page');
  await browser.clickButton(page, 'Sign out');
};

/** Ada at the app in one browser, in three ways; in another browser once more; and Bruno. */
const populate = async (deployed: Deployed) => {
  const [browser, other] = [
    createBrowser({ fetch: deployed.visit }),
    createBrowser({ fetch: deployed.visit }),
  ];
  const brunos = await signIn(deployed, other, bruno, 'words');
  const elsewhere = await signIn(deployed, createBrowser({ fetch: deployed.visit }), ada, 'words');
  const forNow = await signIn(deployed, browser, ada, 'words');
  const forLater = await signIn(deployed, browser, ada, 'words offline_access');
  const session = await createSession(deployed, forNow);
  return { browser, brunos, elsewhere, forNow, forLater, session };
};

it('a person who signs out there loses sessions and what was to last so long, and keeps what apps may do without them', async () => {
  const deployed = await deploy();
  const { browser, brunos, elsewhere, forNow, forLater, session } = await populate(deployed);
  expect(forNow.grant.sid).toMatch(/\S/);
  expect([forLater.grant.sid, forLater.grant.refreshPolicy]).toEqual([forNow.grant.sid, 'rotating']);
  expect(elsewhere.grant.sid).not.toBe(forNow.grant.sid);
  await signOut(deployed, browser);
  expect((await endedOf(deployed, forNow)).toSorted()).toEqual([forNow.grant.id, session].toSorted());
  expect(await endedOf(deployed, brunos)).toEqual([]);
  expect(deployed.log.filter(({ event }) => event !== 'signed-in')).toMatchObject([
    {
      event: 'security-event',
      endpoint: 'backchannel-logout',
      provider: 'acme',
      securityEvent: 'logout',
    },
  ]);
});

it('loses all of it where the publisher has it so', async () => {
  const deployed = await deploy({ logoutEndsGrants: true });
  const { browser, forNow, forLater, session } = await populate(deployed);
  await signOut(deployed, browser);
  const all = [forNow.grant.id, forLater.grant.id, session];
  expect((await endedOf(deployed, forNow)).toSorted()).toEqual(all.toSorted());
});
