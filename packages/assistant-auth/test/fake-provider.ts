/** A fake provider: signs in the subject that is in the response's `code`, or fails with its `error`. */
import { type IdentityProvider, ProviderError } from '../src/index.ts';

export const createProvider = (id: string, label: string): IdentityProvider => ({
  id,
  displayName: label,
  subjectNamespace: `https://${id}.example`,
  configuredUrls: [`https://${id}.example`],
  responseMode: 'query',
  revokedErrors: ['invalid_grant'],
  recheckInterval: 600,
  async authorizationUrl({ state, nonce, redirectUri }) {
    const query = new URLSearchParams({ state, nonce, redirect_uri: redirectUri });
    return new URL(`https://${id}.example/authorize?${query}`);
  },
  async handleCallback(callbackUrl) {
    const error = callbackUrl.searchParams.get('error');
    if (error === 'access_denied') throw new ProviderError('denied', error);
    if (error === 'temporarily_unavailable') throw new ProviderError('unavailable', error);
    const subject = callbackUrl.searchParams.get('code');
    if (error !== null || subject === null) throw new ProviderError('invalid', error ?? 'no code');
    const refreshToken = callbackUrl.searchParams.get('refresh');
    return {
      provider: id,
      subject,
      label: `${subject}@example.com`,
      emailVerified: false,
      claims: { sub: subject },
      ...(refreshToken === null ? {} : { refreshToken }),
    };
  },
  validateRefreshToken: async () => ({ kind: 'active' }),
});
