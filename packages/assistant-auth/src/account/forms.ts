/**
 * What the account page's forms share: the CSRF check, the checks of session and recent sign-in, and flash
 * messages.
 */

import type { BrokerContext } from '../context.ts';
import { createErrorPageResponder } from '../endpoint/error-page.ts';
import type { EndpointDefinition, RequestContext } from '../endpoint/handler.ts';
import { checkBinding, isSameOriginRequest } from '../http/csrf.ts';
import { clearCookie, readCookies, readForm, setCookie } from '../http/request.ts';
import { seeOther } from '../http/responses.ts';
import { type Parameters, readParameters } from '../oauth/parameters.ts';
import { accountError, authorizationError } from '../oauth/protocol-error.ts';
import { computeDigest } from '../oauth/secrets.ts';
import type { IdentityProvider } from '../providers/provider.ts';
import type { AccountForm } from '../tokens/sealed-types.ts';
import { type AccountContext, accountPaths } from './context.ts';
import { type ActiveSession, checkRecentAuth, clearSentSessionCookie, useSession } from './session.ts';
import type { AccountNotice } from './ui/account-model.ts';
import type { AccountSignInNotice } from './ui/account-sign-in-page.ts';

export interface FormDefinition<Field extends string> {
  /** The name of the endpoint in the log. */
  readonly name: string;
  /** The fields that are read besides `form`. */
  readonly fields: readonly Field[];
}

/** A posted form that passed the CSRF check. */
export interface FormSubmission<Field extends string> {
  readonly requestContext: RequestContext;
  readonly fields: Parameters<Field>;
  readonly cookies: ReadonlyMap<string, string>;
}

/** Creates the endpoint of a form that does not need a session. */
export const defineForm = <Field extends string>(
  context: AccountContext,
  { name, fields: fieldNames }: FormDefinition<Field>,
  handle: (submission: FormSubmission<Field>, form: AccountForm) => Promise<Response>,
): EndpointDefinition => ({
  name,
  methods: ['POST'],
  respondToError: (protocolError, requestContext) =>
    createErrorPageResponder(context, 'nothingChanged')(protocolError, requestContext, {
      kind: 'account',
      url: accountPaths.page,
    }),
  async findOwner({ request }) {
    const { form } = readParameters(await readForm(request.clone()), ['form']);
    return (await openAccountForm(context, request, form, readCookies(request))).csrf;
  },
  async handle(requestContext) {
    const body = await readForm(requestContext.request);
    const { form: sealed } = readParameters(body, ['form']);
    const cookies = readCookies(requestContext.request);
    const form = await openAccountForm(context, requestContext.request, sealed, cookies);
    return handle({ requestContext, fields: readParameters(body, fieldNames), cookies }, form);
  },
});

/**
 * Creates the endpoint of a form that belongs to a session. The session must still be active in this browser.
 */
export const requireSession = <Field extends string>(
  context: AccountContext,
  definition: FormDefinition<Field>,
  handle: (submission: FormSubmission<Field>, session: ActiveSession) => Promise<Response>,
): EndpointDefinition =>
  defineForm(context, definition, async (submission, form) => {
    const session = await useSession(submission.requestContext.request, context);
    if (session === undefined)
      return redirectToAccount(context, 'session-ended', clearSentSessionCookie(submission.cookies));
    // Another session was started in this browser after the form was shown.
    if (session.grantId !== form.session) throw accountError('session.changed');
    return handle(submission, session);
  });

/**
 * Like `requireSession`, but also requires a recent sign-in, so that someone who finds an unattended browser
 * can't use the form.
 */
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

/** Redirects the browser to the account page, which shows the notice. */
export const redirectToAccount = (
  { issuer }: AccountContext,
  notice: FlashMessage,
  cookies: readonly string[] = [],
): Response => seeOther(issuer + accountPaths.page, [setFlash(notice), ...cookies]);

// The sealed `form` field binds a form to one browser and, if there is one, to its session (CSRF protection).

type FormContext = Pick<BrokerContext, 'issuer' | 'sealers' | 'lifetimes' | 'now'>;

/** Seals the value of the `form` field, which every form on a page posts back. */
export const sealAccountForm = (
  { sealers, lifetimes, now }: FormContext,
  csrf: string,
  session: string | undefined,
): Promise<string> => sealers.accountForm.seal({ session, csrf, expiresAt: now() + lifetimes.consent });

/**
 * Opens the `form` field. The caller checks in which session the form was shown.
 * @throws ProtocolError `account-form.origin` if it was posted from another origin;
 *   `account-form.unreadable`; `account-form.expired`; `account-form.csrf` if it was shown in another
 *   browser; `account-form.no-cookies` if the browser sent no binding cookie
 */
const openAccountForm = async (
  { issuer, sealers, now }: FormContext,
  request: Request,
  sealed: string | undefined,
  cookies: ReadonlyMap<string, string>,
): Promise<AccountForm> => {
  if (!isSameOriginRequest(request, issuer)) throw accountError('account-form.origin');
  const opened = await sealers.accountForm.open(sealed ?? '');
  if (opened.kind === 'failed') throw accountError('account-form.unreadable', { cause: opened.reason });
  const form = opened.value;
  if (now() >= form.expiresAt) throw accountError('account-form.expired');
  switch (await checkBinding(cookies, form.csrf)) {
    case 'bound':
      return form;
    case 'other':
      throw accountError('account-form.csrf');
    case 'none':
      throw accountError('account-form.no-cookies');
  }
};

/**
 * Derives the key that identifies an item of the account in a form. It is valid only in one session, and does
 * not reveal what it was derived from.
 * @param session the grant ID of the session, which no page contains in plain text
 * @param parts what identifies the item. They contain no NUL, and each kind of item has its own number of parts
 */
export const deriveFormKey = (session: string, ...parts: readonly (string | number)[]): Promise<string> =>
  computeDigest([session, ...parts].join('\0'));

// Flash messages: a cookie tells the next page of this browser what has just happened.

export type FlashMessage = AccountNotice | AccountSignInNotice;

const flashCookie = '__Host-notice';

/** In seconds: enough for one redirect. */
const flashLifetime = 60;

/**
 * Returns the `Set-Cookie` value of a notice. With the prefix `__Host-`, neither another site nor another
 * subdomain can set it.
 */
export const setFlash = (notice: FlashMessage): string => setCookie(flashCookie, notice, flashLifetime);

/**
 * Clears the notice only if the browser sent one: a response to another tab may be setting it at this moment.
 */
export const clearFlash = (cookies: ReadonlyMap<string, string>): readonly string[] =>
  cookies.has(flashCookie) ? [clearCookie(flashCookie)] : [];

/**
 * Reads the notice.
 * @param allowed the notices that the page can show
 */
export const readFlash = <Allowed extends FlashMessage>(
  cookies: ReadonlyMap<string, string>,
  allowed: readonly Allowed[],
): Allowed | undefined => allowed.find((notice) => notice === cookies.get(flashCookie));

/**
 * Finds the provider that was chosen in a form.
 * @throws ProtocolError `consent.choice` if there is no such provider
 */
export const resolveChosenProvider = (
  { providers }: AccountContext,
  choice: string | undefined,
): IdentityProvider => {
  const provider = providers.get(choice ?? '');
  if (provider === undefined) throw authorizationError('consent.choice');
  return provider;
};
