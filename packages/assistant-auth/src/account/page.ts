/**
 * The account page (`GET`), or a sign-in page if nobody is signed in, and the `POST` endpoints that sign in
 * and out.
 */

import { paths } from '../context.ts';
import { createErrorPageResponder } from '../endpoint/error-page.ts';
import type { EndpointDefinition, RequestContext } from '../endpoint/handler.ts';
import { bindBrowser } from '../http/csrf.ts';
import { readCookies } from '../http/request.ts';
import { formPageResponse } from '../http/responses.ts';
import { accountError } from '../oauth/protocol-error.ts';
import { readLastProvider } from '../sign-in/last-provider.ts';
import { redirectToProvider } from '../sign-in/login-transaction.ts';
import type { Account, LinkedIdentity, SessionIdentity } from '../storage/broker-storage.ts';
import { findProviderIcon, listProviderChoices } from '../ui/layout.ts';
import { listConnectedApps } from './connected-apps.ts';
import { type AccountContext, accountPaths } from './context.ts';
import { listDevices } from './devices.ts';
import {
  clearFlash,
  defineForm,
  readFlash,
  redirectToAccount,
  requireSession,
  resolveChosenProvider,
  sealAccountForm,
} from './forms.ts';
import { canDismissNotice, deriveIdentityFormKey } from './identities.ts';
import {
  type ActiveSession,
  checkRecentAuth,
  clearSentSessionCookie,
  clearSessionCookie,
  isSameIdentity,
  recentAuthLifetime,
  useSession,
} from './session.ts';
import { type AccountModel, accountNotices, type UserFact } from './ui/account-model.ts';
import { accountSignInNotices } from './ui/account-sign-in-page.ts';
import { readUserFacts } from './user-facts.ts';

export const accountEndpoint = (context: AccountContext): EndpointDefinition => ({
  name: 'account',
  methods: ['GET'],
  respondToError: createErrorPageResponder(context),
  async handle(requestContext) {
    const session = await useSession(requestContext.request, context);
    if (session === undefined) return showSignIn(context, requestContext);
    const [account, facts] = await Promise.all([
      context.accountStorage.readAccount(session.userId),
      readUserFacts(context, requestContext, session.userId),
    ]);
    return account === undefined
      ? showSignIn(context, requestContext)
      : showAccount(context, requestContext, session, { account, facts });
  },
});

const showSignIn = async (context: AccountContext, { request }: RequestContext): Promise<Response> => {
  const cookies = readCookies(request);
  const { csrf, setCookies } = await bindBrowser(cookies, context.randomBytes, context.lifetimes.consent);
  const notice = readFlash(cookies, accountSignInNotices);
  const html = context.accountPages.accountSignIn({
    branding: context.branding.select(request),
    stylesheetPath: paths.stylesheet,
    action: accountPaths.signIn,
    form: await sealAccountForm(context, csrf, undefined),
    providers: listProviderChoices(context.providers.values(), paths.icons, readLastProvider(cookies)),
    ...(notice !== undefined && { notice }),
  });
  return formPageResponse(html, [...setCookies, ...clearSentSessionCookie(cookies), ...clearFlash(cookies)]);
};

const showAccount = async (
  context: AccountContext,
  { request }: RequestContext,
  session: ActiveSession,
  { account, facts }: { readonly account: Account; readonly facts: readonly UserFact[] },
): Promise<Response> => {
  const cookies = readCookies(request);
  const { csrf, setCookies } = await bindBrowser(cookies, context.randomBytes, context.lifetimes.consent);
  const notice = readFlash(cookies, accountNotices);
  const { providers, now } = context;
  const branding = context.branding.select(request);
  const html = context.accountPages.account({
    branding,
    stylesheetPath: paths.stylesheet,
    actions: accountPaths,
    form: await sealAccountForm(context, csrf, session.grantId),
    ...(notice !== undefined && { notice }),
    profile: { identity: buildIdentitySummary(context, session.identity), facts },
    apps: listConnectedApps(account.grants, context, branding, now()),
    identities: await Promise.all(
      account.identities.map((identity) => buildIdentityModel(context, identity, session, account)),
    ),
    devices: await listDevices(account, session, now()),
    linkableProviders: listProviderChoices(providers.values(), paths.icons),
    recentAuth: buildRecentAuth(context, session, account),
  });
  return formPageResponse(html, [...setCookies, ...clearFlash(cookies)]);
};

const buildIdentityModel = async (
  context: AccountContext,
  identity: LinkedIdentity,
  session: ActiveSession,
  { identities }: Account,
): Promise<AccountModel['identities'][number]> => {
  const { createdAt, lastSignInAt, isNewlyLinked } = identity;
  return {
    key: await deriveIdentityFormKey(identity, session.grantId),
    ...buildIdentitySummary(context, identity),
    ...{ linkedAt: createdAt, lastSignInAt, isNewlyLinked },
    isCurrent: isSameIdentity(identity, session.identity),
    canDismissNotice: canDismissNotice(
      identity,
      session,
      identities.filter((other) => other !== identity),
    ),
  };
};

const buildIdentitySummary = (
  { providers }: AccountContext,
  identity: SessionIdentity,
): AccountModel['profile']['identity'] => {
  const { label } = identity;
  const provider = providers.get(identity.provider);
  return {
    provider: provider?.displayName ?? identity.provider,
    ...(provider && findProviderIcon(provider, paths.icons)),
    ...(label !== undefined && { label }),
  };
};

const buildRecentAuth = (
  { providers, now }: AccountContext,
  session: ActiveSession,
  { identities }: Account,
): AccountModel['recentAuth'] => {
  if (checkRecentAuth(session, now) === 'fresh')
    return { kind: 'fresh', until: session.signedInAt + recentAuthLifetime };
  const linkedIds = new Set(identities.map(({ provider }) => provider));
  const linkedProviders = [...providers.values()].filter(({ id }) => linkedIds.has(id));
  return { kind: 'stale', providers: listProviderChoices(linkedProviders, paths.icons) };
};

/**
 * `POST` that redirects to a provider, to sign in to the account page or (`purpose=confirm`) to confirm the
 * current user.
 */
export const accountSignInEndpoint = (context: AccountContext): EndpointDefinition =>
  defineForm(
    context,
    { name: 'account-sign-in', fields: ['choice', 'purpose'] },
    async ({ requestContext, fields, cookies }, form) => {
      const provider = resolveChosenProvider(context, fields.choice);
      if (fields.purpose !== 'confirm')
        return redirectToProvider(context, { kind: 'account', user: undefined }, provider, cookies);
      const session = await useSession(requestContext.request, context);
      if (session === undefined)
        return redirectToAccount(context, 'session-ended', clearSentSessionCookie(cookies));
      if (session.grantId !== form.session) throw accountError('session.changed');
      return redirectToProvider(context, { kind: 'account', user: session.userId }, provider, cookies);
    },
  );

/** `POST` that ends this session. Apps stay connected. */
export const signOutEndpoint = (context: AccountContext): EndpointDefinition =>
  requireSession(context, { name: 'sign-out', fields: [] }, async ({ requestContext }, { grantId }) => {
    await context.storage.revoke({ kind: 'grant', id: grantId }, 'signed out', context.now(), 'user');
    requestContext.log({ event: 'revoked', clientId: context.account.id });
    return redirectToAccount(context, 'signed-out', [clearSessionCookie()]);
  });
