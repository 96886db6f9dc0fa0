/**
 * The fake provider for Google, with a session: if the browser has the cookie `signed-in=<email>` for its
 * host, it responds to the authorization request with a redirect instead of the account chooser. Other
 * requests are forwarded.
 */
import { readForms } from 'assistant-auth/testing';
import { startGoogle } from './emulated.ts';
import { resolveIssuer, type StartFakeProvider } from './fake-provider.ts';
import { findPortBehindProxy } from './free-port.ts';
import { forward, type ProxyHandler, startReverseProxy, withConnectionClose } from './reverse-proxy.ts';

export const startGoogleWithSession: StartFakeProvider = async (options) => {
  const targetPort = await findPortBehindProxy();
  const issuer = resolveIssuer(options);
  const proxy = await startReverseProxy(options.port, targetPort, handleRequest);
  const google = await startGoogle({ ...options, port: targetPort, issuer });
  const close = async (): Promise<void> => {
    proxy.close();
    await google.close();
  };
  return { issuer, close };
};

const handleRequest: ProxyHandler = async (proxiedRequest, target) => {
  const email = /(?:^|;\s*)signed-in=([^;]+)/.exec(proxiedRequest.headers.get('cookie') ?? '')?.[1];
  const response = await forward(proxiedRequest, target);
  const isAccountChooser = proxiedRequest.path.startsWith('/o/oauth2/v2/auth?') && response.ok;
  return isAccountChooser && email !== undefined
    ? submitAccountChoice(target, await response.text(), email)
    : response;
};

/** Submits the user's form on the account chooser. */
const submitAccountChoice = async (target: string, html: string, email: string): Promise<Response> => {
  const form = readForms(html).find(({ fields }) => fields.some(([, value]) => value === email));
  if (form === undefined) return new Response(`There is no user ${email}`, { status: 400 });
  return fetch(target + form.action, {
    method: 'POST',
    headers: withConnectionClose(),
    redirect: 'manual',
    body: new URLSearchParams(form.fields.map((field) => [...field])),
  });
};
