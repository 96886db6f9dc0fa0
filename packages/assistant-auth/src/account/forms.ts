/** What the forms of the account page share: whose they are, in which session, and whether the person proved it just now. */

import type { BrokerContext } from '../context.ts';
import { createPageDoor } from '../endpoint/error-page.ts';
import type { EndpointPlan, Visit } from '../endpoint/handler.ts';
import { readForm } from '../http/body.ts';
import { clearCookie, readCookies, setCookie } from '../http/cookies.ts';
import { checkBinding, isFromOwnPage } from '../http/csrf.ts';
import { seeOther } from '../http/responses.ts';
import { Refusal } from '../oauth/errors.ts';
import { type Parameters, readParameters } from '../oauth/parameters.ts';
import { clearSession, type LivingSession, proofOf, useSession } from '../sign-in/session.ts';
import type { AccountForm } from '../tokens/sealed-types.ts';
import type { AccountContext } from './context.ts';
import { accountPaths } from './context.ts';
import type { AccountNotice } from './ui/account-page.ts';
import type { AccountSignInNotice } from './ui/sign-in-page.ts';

export interface FormPlan<Field extends string> {
  /** Of the endpoint. */
  readonly name: string;
  readonly fields: readonly Field[];
}

/** A form that was posted from a page of this browser. */
export interface Posted<Field extends string> {
  readonly visit: Visit;
  readonly fields: Parameters<Field>;
  readonly cookies: ReadonlyMap<string, string>;
}

/** Makes the endpoint of a form that needs nobody to be signed in. */
export const openForm = <Field extends string>(
  rooms: AccountContext,
  { name, fields: known }: FormPlan<Field>,
  handle: (posted: Posted<Field>, form: AccountForm) => Promise<Response>,
): EndpointPlan => ({
  name,
  methods: ['POST'],
  refuse: createPageDoor(rooms, 'Nothing was changed'),
  async handle(visit) {
    const body = await readForm(visit.request);
    const { form: sealed } = readParameters(body, ['form']);
    const cookies = readCookies(visit.request);
    const form = await openAccountForm(rooms, visit.request, sealed, cookies);
    return handle({ visit, fields: readParameters(body, known), cookies }, form);
  },
});

/** Makes the endpoint of a form that belongs to a session, which must still live in this browser. */
export const sessionForm = <Field extends string>(
  rooms: AccountContext,
  plan: FormPlan<Field>,
  handle: (posted: Posted<Field>, session: LivingSession) => Promise<Response>,
): EndpointPlan =>
  openForm(rooms, plan, async (posted, form) => {
    const session = await useSession(posted.visit.request, rooms);
    if (session === undefined) return backToAccount(rooms, 'session-ended', clearSession(posted.cookies));
    // Shown to one person, posted by another who has signed in since.
    if (session.grantId !== form.session) throw new Refusal('session.changed');
    return handle(posted, session);
  });

/** The same for what must not be done by whoever finds a browser that somebody left open. */
export const provenForm = <Field extends string>(
  rooms: AccountContext,
  plan: FormPlan<Field>,
  handle: (posted: Posted<Field>, session: LivingSession) => Promise<Response>,
): EndpointPlan =>
  sessionForm(rooms, plan, async (posted, session) =>
    proofOf(session, rooms.now) === 'fresh' ? handle(posted, session) : backToAccount(rooms, 'proof-needed'),
  );

/** Sends the browser to the account page, which says what has happened. */
export const backToAccount = (
  { issuer }: AccountContext,
  notice: Notice,
  cookies: readonly string[] = [],
): Response => seeOther(issuer + accountPaths.page, [keepNotice(notice), ...cookies]);

// What ties a form of the account page to one browser and one session: a form of another is nobody's will.

type FormContext = Pick<BrokerContext, 'issuer' | 'vault' | 'lifetimes' | 'now'>;

/** Seals what every form on a page posts back. */
export const sealAccountForm = (
  { vault, lifetimes, now }: FormContext,
  csrf: string,
  session: string | undefined,
): Promise<string> => vault.accountForm.seal({ session, csrf, expiresAt: now() + lifetimes.consent });

/**
 * Opens what was posted back.
 * @throws Refusal for a page of another origin, browser or time; in which session it was shown is the caller's to ask
 */
export const openAccountForm = async (
  { issuer, vault, now }: FormContext,
  request: Request,
  sealed: string | undefined,
  cookies: ReadonlyMap<string, string>,
): Promise<AccountForm> => {
  if (!isFromOwnPage(request, issuer)) throw new Refusal('account-form.origin');
  const opened = await vault.accountForm.open(sealed ?? '');
  if (opened.kind === 'unopened') throw new Refusal('account-form.unreadable', { cause: opened.reason });
  const form = opened.value;
  if (now() >= form.expiresAt) throw new Refusal('account-form.expired');
  switch (await checkBinding(cookies, form.csrf)) {
    case 'bound':
      return form;
    case 'other':
      throw new Refusal('account-form.foreign');
    case 'none':
      throw new Refusal('account-form.no-cookies');
  }
};

// A word on what has just been done, for the next page of the same browser: nobody else can make a page say it.

export type Notice = AccountNotice | AccountSignInNotice;

const noticeCookie = '__Host-notice';

/** In seconds: one redirect. */
const lifetime = 60;

export const keepNotice = (notice: Notice): string => setCookie(noticeCookie, notice, lifetime);

/** Clears the notice, if the browser sent one: the response of another tab may be setting it at this moment. */
export const clearNotice = (cookies: ReadonlyMap<string, string>): readonly string[] =>
  cookies.has(noticeCookie) ? [clearCookie(noticeCookie)] : [];

/**
 * Reads the notice.
 * @param known those that the page can say
 */
export const readNotice = <Known extends Notice>(
  cookies: ReadonlyMap<string, string>,
  known: readonly Known[],
): Known | undefined => known.find((notice) => notice === cookies.get(noticeCookie));
