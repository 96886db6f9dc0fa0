/**
 * The Google fake provider as one meets it while signed in there already: with the cookie `signed-in=<e-mail>` on its host the
 * authorization request is answered with a redirect at once, without a page between. Everything else is passed through.
 */
import { readForms } from '../browser/forms.ts';
import { startGoogle } from './emulated.ts';
import { resolveIssuer, type StartFakeProvider } from './fake-provider.ts';
import { findFreePort } from './free-port.ts';
import { forward, type ProxyHandler, startReverseProxy, withConnectionClose } from './reverse-proxy.ts';

export const startGoogleWithSession: StartFakeProvider = async (options) => {
  const targetPort = await findFreePort();
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

/** Presses the person's own button in her place. */
const submitAccountChoice = async (target: string, html: string, email: string): Promise<Response> => {
  const form = readForms(html).find(({ fields }) => fields.some(([, value]) => value === email));
  if (form === undefined) return new Response(`Nobody here is called ${email}`, { status: 400 });
  const body = new URLSearchParams(form.fields.map(([name, value]) => [name, value]));
  return fetch(target + form.action, {
    method: 'POST',
    headers: withConnectionClose(),
    redirect: 'manual',
    body,
  });
};
