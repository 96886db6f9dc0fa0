/// <reference path="./oidc-provider.d.ts" />
/** A fake provider for any OpenID Connect issuer on loopback: the `oidc-provider` package, with a page to choose a person on. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { Provider } from 'oidc-provider';
import { resolveIssuer, type StartFakeProvider } from '../fake-provider.ts';
import type { FakeUser } from '../users.ts';
import { renderAccountChooser } from './choice-page.ts';
import { buildProviderConfiguration, computeSubject } from './configuration.ts';

/** Starts it. Its people keep their subject over restarts; its sessions, tokens and keys are new at every start. */
export const startOidcIssuer: StartFakeProvider = async (options) => {
  const issuer = resolveIssuer(options);
  const provider = new Provider(issuer, buildProviderConfiguration(options));
  const handleProtocolRequest = provider.callback();
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/interaction/') !== true) return handleProtocolRequest(request, response);
    handleInteraction(provider, options.users, request, response).catch((error: unknown) =>
      response.writeHead(400, { 'content-type': 'text/plain' }).end(String(error)),
    );
  });
  // Rejects when the server says that it cannot listen.
  await once(server.listen(options.port, '127.0.0.1'), 'listening');
  const close = async (): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return { issuer, close };
};

/** Shows the page, or takes what was pressed on it: a person, or the refusal. */
const handleInteraction = async (
  provider: Provider,
  fakeUsers: readonly FakeUser[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> => {
  const { params } = await provider.interactionDetails(request, response);
  if (request.method !== 'POST') {
    response.setHeader('content-type', 'text/html; charset=utf-8').end(renderAccountChooser(fakeUsers));
    return;
  }
  const email = new URLSearchParams(await text(request)).get('email');
  const user = fakeUsers.find((one) => one.email === email);
  const denied = { error: 'access_denied', error_description: 'The person refused.' };
  const result = user === undefined ? denied : await signIn(provider, user, params);
  await provider.interactionFinished(request, response, result);
};

/** One press is both: who it is, and that the client may have what it asked for. */
const signIn = async (
  provider: Provider,
  user: FakeUser,
  { client_id: clientId, scope }: Readonly<Record<string, unknown>>,
): Promise<object> => {
  const accountId = computeSubject(user);
  const grant = new provider.Grant({ accountId, clientId: String(clientId) });
  grant.addOIDCScope(String(scope));
  return { login: { accountId }, consent: { grantId: await grant.save() } };
};
