/** Every kind of sealed value: how one deployment seals it, and how it is presented to another deployment with the same storage. */
import { audienceKeys } from '../src/index.ts';
import { createResourceServer } from '../src/resource-server.ts';
import { createVisitor, hidden, type Visitor } from './account-visitor.ts';
import { type Deployment, deploy, issuer } from './deployment.ts';
import { atProvider, atSignIn } from './on-the-way.ts';
import { callApi, gptRequest, gptSignIn, locationOf } from './person.ts';
import { app, codeFor, gpt, type Player, redeem, refresh, tokensFor } from './players.ts';
import { createProvider } from './provider.ts';

/** A deployment with its key ring. */
export interface Running extends Deployment {
  readonly ring: string;
}

/** Presents the sealed value to a deployment, and returns a short summary of the response. */
type Present = (deployment: Running) => Promise<string>;

export interface SealedKind {
  readonly name: string;
  /** The response of a deployment that can open the value. */
  readonly accepted: string;
  /** The response of a deployment that does not have the key. */
  readonly refused: string;
  readonly seal: (deployment: Running) => Promise<Present>;
}

/** Creates storage and a clock that several deployments share, and records the upstream tokens that were sent to the provider. */
export const createSharedStorage = ({ ledger }: Pick<Deployment, 'ledger'>) => {
  const asked: string[] = [];
  let instant = 1_800_000_000;
  const google = {
    ...createProvider('google', 'Google'),
    check: async (token: string) => {
      asked.push(token);
      return { kind: 'alive' } as const;
    },
  };
  const apple = { ...createProvider('apple', 'Apple'), answersBy: 'form_post' } as const;
  const providers = [google, apple, createProvider('other', 'Other')];
  return {
    asked,
    advance(seconds: number) {
      instant += seconds;
    },
    run: (ring: string): Running => ({
      ...deploy({ ledger, providers, sealingKeys: ring, now: () => instant }),
      ring,
    }),
  };
};

export type SharedStorage = ReturnType<typeof createSharedStorage>;

/** Returns a browser at another deployment with the same cookies. */
const sameBrowser = (deployment: Running, { cookies }: Pick<Visitor, 'cookies'>): Visitor => {
  const visitor = createVisitor(deployment);
  for (const [name, value] of cookies) visitor.cookies.set(name, value);
  return visitor;
};

const answerOf = async (response: Response): Promise<string> => {
  const { error = '' }: { error?: string } = response.headers.get('content-type')?.includes('json')
    ? await response.json()
    : {};
  return `${response.status} ${error}`.trim();
};

/** The parameters of a redirect, or the status of a page with the logged reason, because pages for different reasons share a status. */
const arrival = (response: Response, { log }: Running): string =>
  response.status === 302 || response.status === 303
    ? [...locationOf(response).searchParams.keys()].join(' ')
    : `${response.status} ${log.at(-1)?.reason}`;

const refreshTokenOf =
  (player: Player): SealedKind['seal'] =>
  async (sealing) => {
    const { refresh_token: token } = await tokensFor(sealing, player);
    return async (deployment) => answerOf(await refresh(deployment, player, token));
  };

const enter = async (
  deployment: Running,
  answer: Readonly<Record<string, string>> = {},
): Promise<Visitor> => {
  const ada = createVisitor(deployment);
  await ada.enter('ada', 'google', answer);
  return ada;
};

export const sealedKinds = ({ asked, advance }: SharedStorage): readonly SealedKind[] => [
  {
    ...{ name: 'an access token', accepted: 'granted', refused: '401' },
    async seal(sealing) {
      const { access_token: token } = await gptSignIn(sealing);
      return async (deployment) => {
        const protection = await callApi(deployment, token);
        return protection.kind === 'granted' ? 'granted' : String(protection.response.status);
      };
    },
  },
  {
    ...{ name: 'an access token at an API in another process', accepted: 'granted', refused: '401' },
    async seal(sealing) {
      const { access_token: token } = await gptSignIn(sealing);
      return async ({ ring, now }) => {
        const resource = `${issuer}/api`;
        const keys = await audienceKeys({ sealingKeys: ring, issuer, resource });
        const server = createResourceServer({ issuer, resource, keys, now, log: () => {} });
        const headers = { authorization: `Bearer ${token}` };
        const protection = await server.protect(new Request(resource, { headers }));
        return protection.kind === 'granted' ? 'granted' : String(protection.response.status);
      };
    },
  },
  {
    ...{ name: 'a stable refresh token', accepted: '200', refused: '401 invalid_grant' },
    seal: refreshTokenOf(gpt),
  },
  {
    ...{ name: 'a rotating refresh token', accepted: '200', refused: '400 invalid_grant' },
    seal: refreshTokenOf(app),
  },
  {
    ...{ name: 'a refresh token to be revoked', accepted: 'revoked', refused: 'ignored' },
    async seal(sealing) {
      const { refresh_token: token } = await tokensFor(sealing, app);
      return async (deployment) => {
        const body = new URLSearchParams({ client_id: 'app', token });
        await deployment.fetch(new Request(`${issuer}/revoke`, { method: 'POST', body }));
        return (await refresh(sealing, app, token)).status === 200 ? 'ignored' : 'revoked';
      };
    },
  },
  {
    ...{ name: 'an authorization code', accepted: '200', refused: '400 invalid_grant' },
    async seal(sealing) {
      const code = await codeFor(sealing, gpt);
      return async (deployment) => answerOf(await redeem(deployment, gpt, code));
    },
  },
  {
    ...{ name: 'a consent form', accepted: 'state nonce redirect_uri', refused: '400 consent.unreadable' },
    async seal(sealing) {
      const { person, consent } = await atSignIn(sealing);
      return async (deployment) =>
        arrival(await sameBrowser(deployment, person).choose(consent, { choice: 'google' }), deployment);
    },
  },
  {
    ...{ name: 'a consent form and the session that it offers', accepted: 'code state iss' },
    refused: '400 consent.unreadable',
    async seal(sealing) {
      const ada = await enter(sealing, { refresh: 'theirs' });
      const { consent } = await ada.open(gptRequest);
      return async (deployment) =>
        arrival(await sameBrowser(deployment, ada).choose(consent, { choice: 'continue' }), deployment);
    },
  },
  {
    ...{ name: 'a login transaction', accepted: 'code state iss', refused: '400 transaction.unreadable' },
    async seal(sealing) {
      const { person, answerUrl } = await atProvider(sealing);
      return async (deployment) =>
        arrival(await sameBrowser(deployment, person).visit(answerUrl({ code: 'ada' })), deployment);
    },
  },
  {
    ...{ name: 'a completed login transaction', accepted: '400 transaction.replayed' },
    refused: '400 transaction.missing',
    async seal(sealing) {
      const { person, comeBack, answerUrl } = await atProvider(sealing);
      await comeBack({ code: 'ada' });
      return async (deployment) =>
        arrival(await sameBrowser(deployment, person).visit(answerUrl({ code: 'ada' })), deployment);
    },
  },
  {
    ...{ name: 'a response that a provider posted', accepted: 'code state iss' },
    refused: '400 answer.unreadable',
    async seal(sealing) {
      const { person, state } = await atProvider(sealing, gptRequest, 'apple');
      const body = new URLSearchParams({ state, code: 'ada' });
      const posted = await sealing.fetch(new Request(`${issuer}/callback/apple`, { method: 'POST', body }));
      return async (deployment) =>
        arrival(await sameBrowser(deployment, person).visit(locationOf(posted).href), deployment);
    },
  },
  {
    ...{ name: 'a session cookie', accepted: 'account', refused: 'sign-in' },
    async seal(sealing) {
      const ada = await enter(sealing);
      return async (deployment) => (await sameBrowser(deployment, ada).see()).kind;
    },
  },
  {
    ...{ name: 'a form of the account page', accepted: '303', refused: '400' },
    async seal(sealing) {
      const ada = await enter(sealing);
      const { form } = await ada.see();
      return async (deployment) =>
        String((await sameBrowser(deployment, ada).post('/sign-out', {}, form)).status);
    },
  },
  {
    ...{ name: 'a pending link', accepted: 'linked', refused: '400' },
    async seal(sealing) {
      const ada = await enter(sealing);
      const asking = await ada.journey('/link', { choice: 'other' }, { code: 'cat', refresh: 'cats' });
      const html = await asking.text();
      const fields = { link: hidden(html, 'link'), confirm: '1' };
      return async (deployment) => {
        const { status } = await sameBrowser(deployment, ada).post(
          '/link/confirm',
          fields,
          hidden(html, 'form'),
        );
        const owner = await deployment.ledger.findUser({ provider: 'other', subject: 'cat' });
        return owner === undefined ? String(status) : 'linked';
      };
    },
  },
  {
    ...{ name: 'a stored upstream token', accepted: 'asked with theirs', refused: 'asked with nothing' },
    async seal(sealing) {
      await enter(sealing, { refresh: 'theirs' });
      return async (deployment) => {
        const { refresh_token: token } = await gptSignIn(deployment, 'ada');
        advance(601);
        asked.length = 0;
        await refresh(deployment, gpt, token);
        return `asked with ${asked.join() || 'nothing'}`;
      };
    },
  },
];
