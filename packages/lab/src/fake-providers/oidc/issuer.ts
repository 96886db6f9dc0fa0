/// <reference path="./oidc-provider.d.ts" />
/** Starts a fake OpenID Connect issuer on loopback: the `oidc-provider` package, with an account chooser. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { Provider } from 'oidc-provider';
import { resolveIssuer, type StartFakeProvider } from '../fake-provider.ts';
import type { FakeUser } from '../users.ts';
import { buildProviderConfiguration, computeSubject } from './configuration.ts';
import { renderIssuerAccountChooser } from './pages.ts';

/**
 * Starts the issuer. Users keep their subjects across restarts; sessions, tokens and keys are new at each
 * start.
 */
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
  // Rejects if the server cannot listen.
  await once(server.listen(options.port, '127.0.0.1'), 'listening');
  const close = async (): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return { issuer, close };
};

/** Shows the account chooser, or handles its form: the chosen user, or a refusal. */
const handleInteraction = async (
  provider: Provider,
  fakeUsers: readonly FakeUser[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> => {
  const { params } = await provider.interactionDetails(request, response);
  if (request.method !== 'POST') {
    const page = renderIssuerAccountChooser(fakeUsers);
    response.setHeader('content-type', 'text/html; charset=utf-8').end(page);
    return;
  }
  const email = new URLSearchParams(await text(request)).get('email');
  const user = fakeUsers.find((candidate) => candidate.email === email);
  const denied = { error: 'access_denied', error_description: 'The user refused.' };
  const result = user === undefined ? denied : await signIn(provider, user, params);
  await provider.interactionFinished(request, response, result);
};

/** One click signs the user in and grants what the client requested. */
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
