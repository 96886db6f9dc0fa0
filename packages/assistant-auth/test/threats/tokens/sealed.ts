/** Everything sealed that the broker hands out, collected from one sign-in, and the place where each of it comes back. */
import type { BrokerOptions } from '../../../src/index.ts';
import { transactionCookie } from '../../../src/sign-in/login-transaction.ts';
import { type Deployment, deploy } from '../../deployment.ts';
import { atSignIn } from '../../on-the-way.ts';
import { askForTokens, callApi, createPerson, locationOf, type Person, tokensOf } from '../../person.ts';
import { gpt, redeem } from '../../players.ts';
import { createProvider } from '../../provider.ts';
import { type WatchedLedger, watchLedger } from '../../watched-ledger.ts';

export const kinds = ['access', 'refresh', 'code', 'consent', 'transaction', 'answer'] as const;
export type Kind = (typeof kinds)[number];

/** How each place says no to what does not open there. */
export const unreadable: Readonly<Record<Kind, { readonly status: number; readonly reason: string }>> = {
  access: { status: 401, reason: 'token.unreadable' },
  refresh: { status: 401, reason: 'refresh.unreadable' },
  code: { status: 400, reason: 'code.unreadable' },
  consent: { status: 400, reason: 'consent.unreadable' },
  transaction: { status: 400, reason: 'transaction.unreadable' },
  answer: { status: 400, reason: 'answer.unreadable' },
};

export interface Sealed {
  readonly texts: Readonly<Record<Kind, string>>;
  /** The browser that signed in. */
  readonly person: Person;
  /** What its journey to the provider is known by. */
  readonly state: string;
}

/** A deployment with a provider that posts its answers, because such an answer is sealed too. */
export const deployForAll = (
  changes: Partial<BrokerOptions> = {},
): { readonly deployment: Deployment; readonly ledger: WatchedLedger } => {
  const ledger = watchLedger(changes.ledger);
  const providers = [{ ...createProvider('apple', 'Apple'), answersBy: 'form_post' } as const];
  return { deployment: deploy({ providers, ...changes, ledger }), ledger };
};

/** Signs ChatGPT's person in, and keeps every sealed text on the way. */
export const collect = async (deployment: Deployment): Promise<Sealed> => {
  const { person, consent } = await atSignIn(deployment);
  const sent = locationOf(await person.choose(consent, { choice: 'apple' }));
  const state = sent.searchParams.get('state') ?? '';
  const transaction = person.cookies.get(await transactionCookie(state)) ?? '';
  const round = await postAnswer(deployment, state);
  const answer = round.searchParams.get('form_post') ?? '';
  const code = locationOf(await person.visit(round.href)).searchParams.get('code') ?? '';
  const tokens = await tokensOf(await redeem(deployment, gpt, code));
  const { access_token: access, refresh_token: refresh } = tokens;
  return { texts: { access, refresh, code, consent, transaction, answer }, person, state };
};

/** Brings a text where texts of `kind` belong; gives the status, and why it was refused if it was. */
export const present = async (deployment: Deployment, sealed: Sealed, kind: Kind, text: string) => {
  const before = deployment.log.length;
  const status = await entrances[kind](deployment, sealed, text);
  const refused = deployment.log.slice(before).find(({ event }) => event === 'refused');
  return { status, reason: refused?.reason, cause: refused?.cause };
};

type Entrance = (deployment: Deployment, sealed: Sealed, text: string) => Promise<number>;

const entrances: Readonly<Record<Kind, Entrance>> = {
  async access(deployment, _, text) {
    const protection = await callApi(deployment, text);
    return protection.kind === 'granted' ? 200 : protection.response.status;
  },
  refresh: async (deployment, _, text) => (await askForTokens(deployment, gpt.refreshment(text))).status,
  code: async (deployment, _, text) => (await redeem(deployment, gpt, text)).status,
  consent: async (deployment, { person }, text) =>
    (await browserLike(deployment, person).choose(text, { choice: 'apple' })).status,
  async transaction(deployment, { person, state }, text) {
    const browser = browserLike(deployment, person);
    browser.cookies.set(await transactionCookie(state), text);
    return (await browser.visit((await postAnswer(deployment, state)).href)).status;
  },
  async answer(deployment, { person, state, texts }, text) {
    const browser = browserLike(deployment, person);
    browser.cookies.set(await transactionCookie(state), texts.transaction);
    const query = new URLSearchParams({ form_post: text });
    return (await browser.visit(`${deployment.issuer}/callback/apple?${query}`)).status;
  },
};

/** Another window of the same browser, possibly pointed at another deployment. */
const browserLike = (deployment: Deployment, { cookies }: Person): Person => {
  const person = createPerson(deployment);
  for (const [name, value] of cookies) person.cookies.set(name, value);
  return person;
};

/** The provider's answer, and where the browser is to bring it. */
const postAnswer = async (deployment: Deployment, state: string): Promise<URL> => {
  const body = new URLSearchParams({ state, code: 'ada' });
  const request = new Request(`${deployment.issuer}/callback/apple`, { method: 'POST', body });
  return locationOf(await deployment.fetch(request));
};
