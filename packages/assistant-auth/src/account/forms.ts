/** What the forms of the account page share: whose they are, in which session, and whether the person proved it just now. */

import type { BrokerContext } from '../context.ts';
import { createErrorPageResponder } from '../endpoint/error-page.ts';
import type { EndpointDefinition, RequestContext } from '../endpoint/handler.ts';
import { checkBinding, isSameOriginRequest } from '../http/csrf.ts';
import { clearCookie, readCookies, readForm, setCookie } from '../http/request.ts';
import { seeOther } from '../http/responses.ts';
import { ProtocolError } from '../oauth/errors.ts';
import { type Parameters, readParameters } from '../oauth/parameters.ts';
import type { IdentityProvider } from '../providers/provider.ts';
import {
  type ActiveSession,
  checkRecentAuth,
  clearSentSessionCookie,
  useSession,
} from '../sign-in/session.ts';
import type { AccountForm } from '../tokens/sealed-types.ts';
import { type AccountContext, accountPaths } from './context.ts';
import type { AccountNotice, AccountSignInNotice } from './ui/account-page.ts';

export interface FormDefinition<Field extends string> {
  /** Of the endpoint. */
  readonly name: string;
  readonly fields: readonly Field[];
}

/** A form that was posted from a page of this browser. */
export interface FormSubmission<Field extends string> {
  readonly requestContext: RequestContext;
  readonly fields: Parameters<Field>;
  readonly cookies: ReadonlyMap<string, string>;
}

/** Makes the endpoint of a form that needs nobody to be signed in. */
export const defineForm = <Field extends string>(
  context: AccountContext,
  { name, fields: fieldNames }: FormDefinition<Field>,
  handle: (submission: FormSubmission<Field>, form: AccountForm) => Promise<Response>,
): EndpointDefinition => ({
  name,
  methods: ['POST'],
  respondToError: createErrorPageResponder(context, 'Nothing was changed'),
  async handle(requestContext) {
    const body = await readForm(requestContext.request);
    const { form: sealed } = readParameters(body, ['form']);
    const cookies = readCookies(requestContext.request);
    const form = await openAccountForm(context, requestContext.request, sealed, cookies);
    return handle({ requestContext, fields: readParameters(body, fieldNames), cookies }, form);
  },
});

/** Makes the endpoint of a form that belongs to a session, which must still live in this browser. */
export const requireSession = <Field extends string>(
  context: AccountContext,
  definition: FormDefinition<Field>,
  handle: (submission: FormSubmission<Field>, session: ActiveSession) => Promise<Response>,
): EndpointDefinition =>
  defineForm(context, definition, async (submission, form) => {
    const session = await useSession(submission.requestContext.request, context);
    if (session === undefined)
      return redirectToAccount(context, 'session-ended', clearSentSessionCookie(submission.cookies));
    // Shown to one person, posted by another who has signed in since.
    if (session.grantId !== form.session) throw new ProtocolError('session.changed');
    return handle(submission, session);
  });

/** The same for what must not be done by whoever finds a browser that somebody left open. */
export const requireRecentAuth = <Field extends string>(
  context: AccountContext,
  definition: FormDefinition<Field>,
  handle: (submission: FormSubmission<Field>, session: ActiveSession) => Promise<Response>,
): EndpointDefinition =>
  requireSession(context, definition, async (submission, session) =>
    checkRecentAuth(session, context.now) === 'fresh'
      ? handle(submission, session)
      : redirectToAccount(context, 'confirmation-required'),
  );

/** Sends the browser to the account page, which says what has happened. */
export const redirectToAccount = (
  { issuer }: AccountContext,
  notice: FlashMessage,
  cookies: readonly string[] = [],
): Response => seeOther(issuer + accountPaths.page, [setFlash(notice), ...cookies]);

// What ties a form of the account page to one browser and one session: a form of another is nobody's will.

type FormContext = Pick<BrokerContext, 'issuer' | 'sealers' | 'lifetimes' | 'now'>;

/** Seals what every form on a page posts back. */
export const sealAccountForm = (
  { sealers, lifetimes, now }: FormContext,
  csrf: string,
  session: string | undefined,
): Promise<string> => sealers.accountForm.seal({ session, csrf, expiresAt: now() + lifetimes.consent });

/**
 * Opens what was posted back.
 * @throws ProtocolError for a page of another origin, browser or time; in which session it was shown is the caller's to ask
 */
const openAccountForm = async (
  { issuer, sealers, now }: FormContext,
  request: Request,
  sealed: string | undefined,
  cookies: ReadonlyMap<string, string>,
): Promise<AccountForm> => {
  if (!isSameOriginRequest(request, issuer)) throw new ProtocolError('account-form.origin');
  const opened = await sealers.accountForm.open(sealed ?? '');
  if (opened.kind === 'failed') throw new ProtocolError('account-form.unreadable', { cause: opened.reason });
  const form = opened.value;
  if (now() >= form.expiresAt) throw new ProtocolError('account-form.expired');
  switch (await checkBinding(cookies, form.csrf)) {
    case 'bound':
      return form;
    case 'other':
      throw new ProtocolError('account-form.csrf');
    case 'none':
      throw new ProtocolError('account-form.no-cookies');
  }
};

// A word on what has just been done, for the next page of the same browser: nobody else can make a page say it.

export type FlashMessage = AccountNotice | AccountSignInNotice;

const flashCookie = '__Host-notice';

/** In seconds: one redirect. */
const flashLifetime = 60;

export const setFlash = (notice: FlashMessage): string => setCookie(flashCookie, notice, flashLifetime);

/** Clears the notice, if the browser sent one: the response of another tab may be setting it at this moment. */
export const clearFlash = (cookies: ReadonlyMap<string, string>): readonly string[] =>
  cookies.has(flashCookie) ? [clearCookie(flashCookie)] : [];

/**
 * Reads the notice.
 * @param known those that the page can say
 */
export const readFlash = <Allowed extends FlashMessage>(
  cookies: ReadonlyMap<string, string>,
  fieldNames: readonly Allowed[],
): Allowed | undefined => fieldNames.find((notice) => notice === cookies.get(flashCookie));

/** @throws ProtocolError `consent.choice` */
export const resolveChosenProvider = (
  { providers }: AccountContext,
  choice: string | undefined,
): IdentityProvider => {
  const provider = providers.get(choice ?? '');
  if (provider === undefined) throw new ProtocolError('consent.choice');
  return provider;
};
