/** `GET` of the account page: what a person allowed whom, and with whom they sign in; or, signed out, how to sign in. */

import { paths } from '../context.ts';
import { createPageDoor } from '../endpoint/error-page.ts';
import type { EndpointPlan, Visit } from '../endpoint/handler.ts';
import { readCookies } from '../http/cookies.ts';
import { bindBrowser } from '../http/csrf.ts';
import { formPage } from '../http/responses.ts';
import { clearSession, type LivingSession, proofOf, useSession } from '../sign-in/session.ts';
import type { Account, LinkedIdentity } from '../storage/broker-storage.ts';
import { proofLifetime } from '../tokens/lifetimes.ts';
import { choicesOf, iconPath } from '../ui/layout.ts';
import { connectedApps } from './connected-apps.ts';
import { type AccountContext, accountPaths } from './context.ts';
import { clearNotice, readNotice, sealAccountForm } from './forms.ts';
import { identityKey } from './identities.ts';
import { type AccountModel, accountNotices } from './ui/account-page.ts';
import { accountSignInNotices } from './ui/sign-in-page.ts';

export const accountEndpoint = (rooms: AccountContext): EndpointPlan => ({
  name: 'account',
  methods: ['GET'],
  refuse: createPageDoor(rooms),
  async handle(visit) {
    const session = await useSession(visit.request, rooms);
    const account = session && (await rooms.ledger.readAccount(session.userId));
    return session === undefined || account === undefined
      ? showSignIn(rooms, visit)
      : showAccount(rooms, visit, session, account);
  },
});

const showSignIn = async (rooms: AccountContext, { request }: Visit): Promise<Response> => {
  const cookies = readCookies(request);
  const { csrf, setCookies } = await bindBrowser(cookies, rooms.randomBytes, rooms.lifetimes.consent);
  const notice = readNotice(cookies, accountSignInNotices);
  const { branding } = rooms;
  const html = rooms.accountPages.accountSignIn({
    branding,
    stylesheetPath: paths.stylesheet,
    action: accountPaths.signIn,
    form: await sealAccountForm(rooms, csrf, undefined),
    providers: choicesOf([...rooms.providers.values()], paths.icons),
    ...(notice !== undefined && { notice }),
  });
  return formPage(html, [...setCookies, ...clearSession(cookies), ...clearNotice(cookies)]);
};

const showAccount = async (
  rooms: AccountContext,
  { request }: Visit,
  session: LivingSession,
  account: Account,
): Promise<Response> => {
  const cookies = readCookies(request);
  const { csrf, setCookies } = await bindBrowser(cookies, rooms.randomBytes, rooms.lifetimes.consent);
  const notice = readNotice(cookies, accountNotices);
  const { branding, providers, now } = rooms;
  const html = rooms.accountPages.account({
    branding,
    stylesheetPath: paths.stylesheet,
    actions: accountPaths,
    form: await sealAccountForm(rooms, csrf, session.grantId),
    ...(notice !== undefined && { notice }),
    apps: connectedApps(account.grants, rooms, now()),
    identities: await Promise.all(
      account.identities.map((identity) => shownIdentity(rooms, identity, session)),
    ),
    linkable: choicesOf([...providers.values()], paths.icons),
    proof: proof(rooms, session, account),
  });
  return formPage(html, [...setCookies, ...clearNotice(cookies)]);
};

const shownIdentity = async (
  { providers }: AccountContext,
  identity: LinkedIdentity,
  { grantId, identity: current }: LivingSession,
): Promise<AccountModel['identities'][number]> => {
  const { label, createdAt: since, lastSignInAt } = identity;
  const provider = providers.get(identity.provider);
  const isCurrent = identity.provider === current.provider && identity.subject === current.subject;
  return {
    key: await identityKey(identity, grantId),
    provider: provider?.label ?? identity.provider,
    ...(provider?.mark !== undefined && { markPath: iconPath(paths.icons, provider.id) }),
    ...(label !== undefined && { label }),
    ...{ since, lastSignInAt, current: isCurrent },
  };
};

const proof = (
  { providers, now }: AccountContext,
  session: LivingSession,
  { identities }: Account,
): AccountModel['proof'] => {
  if (proofOf(session, now) === 'fresh') return { kind: 'fresh', until: session.signedInAt + proofLifetime };
  const linked = new Set(identities.map(({ provider }) => provider));
  const known = [...providers.values()].filter(({ id }) => linked.has(id));
  return { kind: 'stale', providers: choicesOf(known, paths.icons) };
};
