/** The doors that are measured: routes with the same body, what sealing costs by itself, and the token endpoint. */
import type { Door } from './measure.ts';
import { clientId, type SignedIn } from './sign-in.ts';

/** How often one call of `decrypt` and `unseal` does its work, so that the request around it hardly counts. */
export const repetitions = 200;

/** Lays out every door of the Worker at `origin`. All that compare routes send the same headers. */
export const doorsAt = (origin: URL, signedIn: SignedIn, sketchToken: string) => {
  const route = (path: string, token: string): Door => ({
    question: { url: new URL(path, origin), headers: { authorization: `Bearer ${token}` } },
    calls: 200,
  });
  const repeated = (path: string): Door => ({
    question: { url: new URL(`${path}?times=${repetitions}`, origin) },
    calls: 8,
  });
  return {
    open: route('/open', signedIn.accessToken),
    guarded: route('/guarded', signedIn.accessToken),
    sketch: route('/sketch', sketchToken),
    idle: repeated('/idle'),
    decrypt: repeated('/decrypt'),
    unseal: repeated('/unseal'),
    refresh: { question: { url: new URL('/token', origin), form: refreshment(signedIn) }, calls: 100 },
  };
};

/** A GPT's refresh token is stable: the same request is good again and again. A code would be good once. */
const refreshment = ({ clientSecret, refreshToken }: SignedIn): URLSearchParams =>
  new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: clientId,
    client_secret: clientSecret,
    refresh_token: refreshToken,
  });
