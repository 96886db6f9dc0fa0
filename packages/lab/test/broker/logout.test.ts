/** Tests a sign-out at the fake issuer, which sends a logout token to the broker over HTTP. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { buffer } from 'node:stream/consumers';
import {
  accountClientId,
  type CompleteStorage,
  createBroker,
  type LogEntry,
  type OidcOptions,
  oidc,
  type SignIn,
  staticClient,
} from 'assistant-auth';
import { memoryStorage } from 'assistant-auth/memory';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type Browser,
  createBrowser,
  type FakeProvider,
  type FakeUser,
  fakeUsers,
  findFreePort,
  startOidcIssuer,
} from '../../src/index.ts';
import { client } from '../fake-providers/sign-in.ts';
import { ada, bruno, createFetch, issuer } from './deployment.ts';

const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';

let running: { readonly fakeProvider: FakeProvider; readonly server: Server } | undefined;
afterEach(async () => {
  running?.server.close();
  await running?.fakeProvider.close();
});

/** Records the sign-ins, which contain the session ID. */
const recordSignIns = (storage: CompleteStorage): CompleteStorage & { readonly signIns: SignIn[] } => {
  const signIns: SignIn[] = [];
  const recordSignIn: CompleteStorage['recordSignIn'] = (signIn) => {
    signIns.push(signIn);
    return storage.recordSignIn(signIn);
  };
  return { ...storage, recordSignIn, signIns };
};

const deploy = async (settings: Partial<OidcOptions> = {}) => {
  const backchannelPort = await findFreePort();
  const fakeProvider = await startOidcIssuer({
    ...client,
    ...{ port: await findFreePort(), users: fakeUsers },
    redirectUris: [`${issuer}/callback/acme`],
    backchannelLogoutUri: `http://127.0.0.1:${backchannelPort}/backchannel-logout/acme`,
  });
  const storage = recordSignIns(memoryStorage());
  const log: LogEntry[] = [];
  const broker = createBroker({
    ...{ issuer, storage },
    sealingKeys: 'test-1.nJf9-2P7jQRmJJYTuxkQlkw9BQVyIGT9UVsbqpYP25g',
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

  const brokerFetch = createFetch(broker);
  const server = createServer(async (request, response) => {
    const headers = { 'content-type': request.headers['content-type'] ?? '' };
    const body = new Uint8Array(await buffer(request));
    const brokerResponse = await brokerFetch(`${issuer}${request.url}`, { method: 'POST', headers, body });
    response.writeHead(brokerResponse.status).end(await brokerResponse.text());
  });
  await once(server.listen(backchannelPort, '127.0.0.1'), 'listening');
  running = { fakeProvider, server };
  return { fakeProvider, storage, log, fetch: brokerFetch };
};

type Deployment = Awaited<ReturnType<typeof deploy>>;

/** Signs a user in for the app, and returns the stored sign-in. */
const signIn = async ({ storage }: Deployment, browser: Browser, { email }: FakeUser, scope: string) => {
  const query = new URLSearchParams({
    ...{ response_type: 'code', client_id: 'app', redirect_uri: 'https://app.example/cb', scope },
    ...{ code_challenge: challenge, code_challenge_method: 'S256' },
  });
  let destination = await browser.open(new URL(`${issuer}/authorize?${query}`));
  for (const label of ['Acme', email])
    if (destination.kind === 'page') destination = await browser.clickButton(destination, label);
  if (destination.kind === 'page' || !destination.location.searchParams.has('code'))
    throw new Error('no code');
  const recordedSignIn = storage.signIns.at(-1);
  if (recordedSignIn === undefined) throw new Error('no sign-in');
  return recordedSignIn;
};

/** Creates a session of the account page from the same sign-in. */
const createSession = async ({ storage }: Deployment, { identity, grant, ...signedIn }: SignIn) => {
  const session = {
    ...grant,
    id: `${grant.id} session`,
    clientId: accountClientId,
    refreshPolicy: 'stable',
  } as const;
  await storage.recordSignIn({ ...signedIn, identity, grant: session });
  return session.id;
};

const listRevokedGrants = async (
  { storage }: Deployment,
  { identity }: SignIn,
): Promise<readonly string[]> => {
  const userId = await storage.findUser(identity);
  const account = userId === undefined ? undefined : await storage.readAccount(userId);
  if (account === undefined || account.grants.length === 0) throw new Error('the user has no grants');
  return account.grants.filter(({ revokedAt }) => revokedAt !== undefined).map(({ id }) => id);
};

const signOut = async ({ fakeProvider }: Deployment, browser: Browser): Promise<void> => {
  const page = await browser.open(new URL(`${fakeProvider.issuer}/session/end`));
  if (page.kind === 'stopped-redirect') throw new Error('no page');
  await browser.clickButton(page, 'Sign out');
};

/** Signs Ada in three times in one browser and once in another, and signs Bruno in. */
const populate = async (deployment: Deployment) => {
  const [browser, otherBrowser] = [
    createBrowser({ fetch: deployment.fetch }),
    createBrowser({ fetch: deployment.fetch }),
  ];
  const otherUserSignIn = await signIn(deployment, otherBrowser, bruno, 'words');
  const otherBrowserSignIn = await signIn(
    deployment,
    createBrowser({ fetch: deployment.fetch }),
    ada,
    'words',
  );
  const onlineSignIn = await signIn(deployment, browser, ada, 'words');
  const offlineSignIn = await signIn(deployment, browser, ada, 'words offline_access');
  const sessionId = await createSession(deployment, onlineSignIn);
  return {
    browser,
    otherUserSignIn,
    otherBrowserSignIn,
    onlineSignIn,
    offlineSignIn,
    sessionId,
  };
};

describe('a user who signs out at the issuer', () => {
  it('loses their sessions and grants without offline access, and keeps grants with offline access', async () => {
    const deployment = await deploy();
    const { browser, otherUserSignIn, otherBrowserSignIn, onlineSignIn, offlineSignIn, sessionId } =
      await populate(deployment);
    expect(onlineSignIn.grant.sid).toMatch(/\S/);
    expect([offlineSignIn.grant.sid, offlineSignIn.grant.refreshPolicy]).toEqual([
      onlineSignIn.grant.sid,
      'rotating',
    ]);
    expect(otherBrowserSignIn.grant.sid).not.toBe(onlineSignIn.grant.sid);
    await signOut(deployment, browser);
    expect((await listRevokedGrants(deployment, onlineSignIn)).toSorted()).toEqual(
      [onlineSignIn.grant.id, sessionId].toSorted(),
    );
    expect(await listRevokedGrants(deployment, otherUserSignIn)).toEqual([]);
    expect(deployment.log.filter(({ event }) => event !== 'signed-in')).toMatchObject([
      {
        event: 'security-event',
        endpoint: 'backchannel-logout',
        provider: 'acme',
        securityEvent: 'logout',
      },
    ]);
  });

  it('loses all grants of the session with `logoutEndsGrants`', async () => {
    const deployment = await deploy({ logoutEndsGrants: true });
    const { browser, onlineSignIn, offlineSignIn, sessionId } = await populate(deployment);
    await signOut(deployment, browser);
    const grantIds = [onlineSignIn.grant.id, offlineSignIn.grant.id, sessionId];
    expect((await listRevokedGrants(deployment, onlineSignIn)).toSorted()).toEqual(grantIds.toSorted());
  });
});
