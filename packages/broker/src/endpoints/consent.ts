/** `POST` of the sign-in page: the person chose a provider, or cancelled. Only now does anything wait for them. */
import type { Registry } from '../clients/registry.ts';
import type { EndpointPlan } from '../doors/endpoint.ts';
import { createPageDoor, type PageSurroundings } from '../doors/page-door.ts';
import { findWayBack, orRedirectBack } from '../doors/redirect-back.ts';
import { readCookies } from '../http/cookies.ts';
import { readForm } from '../http/form.ts';
import { seeOther } from '../http/respond.ts';
import { sameSecret } from '../protocol/constant-time.ts';
import { Refusal } from '../protocol/errors.ts';
import type { Issuer } from '../protocol/origin.ts';
import { readParameters } from '../protocol/parameters.ts';
import type { RandomBytes } from '../protocol/random.ts';
import type { Clock } from '../protocol/time.ts';
import type { IdentityProvider, ProviderIo } from '../providers/identity-provider.ts';
import { keepTransaction, readCsrf } from '../sign-in/browser-binding.ts';
import { beginJourney, legOf } from '../sign-in/journey.ts';
import type { Lifetimes } from '../tokens/lifetimes.ts';
import type { AuthorizationRequest } from '../tokens/transaction.ts';
import type { Vault } from '../tokens/vault.ts';

export interface ConsentRooms extends PageSurroundings {
  readonly issuer: Issuer;
  readonly registry: Registry;
  readonly vault: Vault;
  readonly lifetimes: Lifetimes;
  readonly providers: ReadonlyMap<string, IdentityProvider>;
  readonly providerIo: ProviderIo;
  /** The broker's callback for a provider. */
  readonly callbackUri: (provider: string) => string;
  readonly now: Clock;
  readonly randomBytes: RandomBytes;
}

export const consentEndpoint = (rooms: ConsentRooms): EndpointPlan => ({
  name: 'consent',
  methods: ['POST'],
  refuse: createPageDoor(rooms),
  async handle(visit) {
    checkOrigin(visit.request, rooms.issuer);
    const form = readParameters(await readForm(visit.request), ['consent', 'choice', 'cancel']);
    const cookies = readCookies(visit.request);
    const request = await openConsent(rooms, form.consent ?? '', cookies);
    const { way } = findWayBack(rooms, request);
    const provider = rooms.providers.get(form.choice ?? '');
    if (provider === undefined && form.cancel === undefined) throw new Refusal('consent.choice');
    return orRedirectBack(way, visit, [], async () => {
      if (provider === undefined || form.cancel !== undefined) throw new Refusal('user.cancelled');
      return sendToProvider(rooms, request, provider, cookies);
    });
  },
});

/** Browsers say where a form was posted from; a form of another origin is nobody's consent. */
const checkOrigin = (request: Request, issuer: Issuer): void => {
  const origin = request.headers.get('origin');
  const site = request.headers.get('sec-fetch-site');
  if ((origin !== null && origin !== issuer) || (site !== null && site !== 'same-origin')) {
    throw new Refusal('consent.origin');
  }
};

/** Opens the form's sealed request; another browser's form, even a genuine one, is refused. */
const openConsent = async (
  { vault, now }: ConsentRooms,
  sealed: string,
  cookies: ReadonlyMap<string, string>,
): Promise<AuthorizationRequest> => {
  const opened = await vault.consent.open(sealed);
  if (opened.kind === 'unopened') throw new Refusal('consent.unreadable', { cause: opened.reason });
  const { request, csrf, expiresAt } = opened.value;
  if (now() >= expiresAt) throw new Refusal('consent.expired');
  if (!(await sameSecret(readCsrf(cookies) ?? '', csrf))) throw new Refusal('consent.foreign');
  return request;
};

const sendToProvider = async (
  rooms: ConsentRooms,
  request: AuthorizationRequest,
  provider: IdentityProvider,
  cookies: ReadonlyMap<string, string>,
): Promise<Response> => {
  const { vault, lifetimes } = rooms;
  const journey = beginJourney(rooms, request, provider.id);
  const url = await provider.authorizationUrl(legOf(journey, rooms.callbackUri), rooms.providerIo);
  return seeOther(
    url.href,
    await keepTransaction(journey, cookies, vault.transaction, lifetimes.transaction),
  );
};
