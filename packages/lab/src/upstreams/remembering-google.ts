/**
 * The Google stand-in as one meets it while signed in there already: with the cookie `signed-in=<e-mail>` on its host the
 * authorization request is answered with a redirect at once, without a page between. Everything else is passed through.
 */
import { readForms } from '../browser/forms.ts';
import { startGoogle } from './emulated.ts';
import { freePort } from './free-port.ts';
import { type Attendant, onItsOwn, passOn, startFront } from './front.ts';
import { issuerOf, type StartUpstream } from './upstream.ts';

export const startRememberingGoogle: StartUpstream = async (options) => {
  const hiddenPort = await freePort();
  const issuer = issuerOf(options);
  const front = await startFront(options.port, hiddenPort, attend);
  const google = await startGoogle({ ...options, port: hiddenPort, issuer });
  const close = async (): Promise<void> => {
    front.close();
    await google.close();
  };
  return { issuer, close };
};

const attend: Attendant = async (passing, behind) => {
  const email = /(?:^|;\s*)signed-in=([^;]+)/.exec(passing.headers.get('cookie') ?? '')?.[1];
  const response = await passOn(passing, behind);
  const isChoice = passing.path.startsWith('/o/oauth2/v2/auth?') && response.ok;
  return isChoice && email !== undefined ? choose(behind, await response.text(), email) : response;
};

/** Presses the person's own button in her place. */
const choose = async (behind: string, html: string, email: string): Promise<Response> => {
  const form = readForms(html).find(({ fields }) => fields.some(([, value]) => value === email));
  if (form === undefined) return new Response(`Nobody here is called ${email}`, { status: 400 });
  const body = new URLSearchParams(form.fields.map(([name, value]) => [name, value]));
  return fetch(behind + form.action, { method: 'POST', headers: onItsOwn(), redirect: 'manual', body });
};
