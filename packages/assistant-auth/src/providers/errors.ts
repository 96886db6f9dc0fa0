/** Whatever fails on the way to an identity, as one of the three things a provider leg can say. */
import {
  AuthorizationResponseError,
  OperationProcessingError,
  ResponseBodyError,
  UnsupportedOperationError,
  WWWAuthenticateChallengeError,
} from 'oauth4webapi';
import { ProviderError } from './provider.ts';

/** Runs one piece of the leg; nothing but a ProviderError comes out of it. */
export const withProviderError = async <Result>(work: () => Promise<Result>): Promise<Result> => {
  try {
    return await work();
  } catch (error) {
    throw toProviderError(error);
  }
};

/** What a token endpoint said to a code. GitHub says only there that it wants a person to prove their address first. */
export const createTokenEndpointError = (code: string): ProviderError =>
  new ProviderError(
    code === 'unverified_user_email' ? 'denied' : 'invalid',
    `the token endpoint answered ${sanitizeErrorCode(code)}`,
  );

/** What a revocation endpoint said to a token (RFC 7009 §2.2.1). */
export const createRevocationError = (code: string): ProviderError =>
  new ProviderError('invalid', `the revocation endpoint answered ${sanitizeErrorCode(code)}`);

/** Gives whatever was thrown as one of the three, without a cause: the library's errors carry whole answers, with codes and tokens. */
export const toProviderError = (error: unknown): ProviderError => {
  if (error instanceof ProviderError) return error;
  if (error instanceof AuthorizationResponseError) {
    return new ProviderError(
      classifyErrorCode(error.error),
      `the provider answered ${sanitizeErrorCode(error.error)}`,
    );
  }
  if (error instanceof ResponseBodyError) return createTokenEndpointError(error.error);
  // Stands before an error in the body: nearly always a wrong secret (RFC 6749 §5.2).
  if (error instanceof WWWAuthenticateChallengeError) {
    return new ProviderError('invalid', 'the token endpoint asks for other credentials');
  }
  return new ProviderError(
    'invalid',
    hasFixedMessage(error) ? error.message : 'the answer could not be read',
  );
};

/** A person said no, in the standard's word or in Apple's. */
const denialCodes = ['access_denied', 'user_cancelled_authorize'];

/** `server_error` and `temporarily_unavailable` are the 500 and 503 of an answer by redirect (RFC 6749 §4.1.2.1). */
const classifyErrorCode = (code: string): ProviderError['kind'] => {
  if (denialCodes.includes(code)) return 'denied';
  return code === 'server_error' || code === 'temporarily_unavailable' ? 'unavailable' : 'invalid';
};

const knownCodes = [
  ...['invalid_request', 'invalid_client', 'invalid_grant', 'invalid_scope', 'unauthorized_client'],
  ...['unsupported_grant_type', 'unsupported_response_type', ...denialCodes, 'server_error'],
  ...['temporarily_unavailable', 'login_required', 'consent_required', 'interaction_required'],
  ...['account_selection_required', 'unsupported_token_type'],
  // GitHub's.
  ...[
    'incorrect_client_credentials',
    'redirect_uri_mismatch',
    'bad_verification_code',
    'unverified_user_email',
  ],
  ...['application_suspended'],
];

/** Only words from specifications and documentation reach the log: a provider could put anything else there, even the code. */
const sanitizeErrorCode = (code: string): string =>
  knownCodes.includes(code) ? code : 'an error of its own';

/** The library's errors whose messages are fixed sentences. */
const hasFixedMessage = (error: unknown): error is Error =>
  error instanceof OperationProcessingError || error instanceof UnsupportedOperationError;
