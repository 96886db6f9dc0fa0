/**
 * Every reason for which a request can be refused, and the little of it that the other side is told: the error code
 * (RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1, RFC 8707 §2, RFC 8935 §2.4), a sentence, and a status where the code's own does not fit.
 */

/** The error codes that go over the wire. */
export type OAuthErrorCode =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'unsupported_grant_type'
  | 'unsupported_response_type'
  | 'invalid_scope'
  | 'invalid_target'
  | 'access_denied'
  | 'invalid_token'
  | 'insufficient_scope'
  | 'invalid_key'
  | 'invalid_issuer'
  | 'invalid_audience'
  | 'authentication_failed'
  | 'server_error'
  | 'temporarily_unavailable';

/** A private reason: logged, counted, never sent. */
export type Reason = keyof typeof reasons;

// One sentence for all that can be wrong with a credential, so that no answer tells a forger how far they came.
const badClient = 'The client could not be authenticated.';
const badCode = 'The authorization code is not valid.';
const badRefresh = 'The refresh token is not valid.';
const badToken = 'The access token is not valid.';
const staleSignIn =
  'This sign-in has expired or was started in another browser. Go back to the app and start again.';
const staleConsent =
  'This page has expired or belongs to another browser. Go back to the app and start again.';
const lostSignIn =
  'We could not find this sign-in in your browser. Newer sign-ins may have replaced it, it may have taken too long, or it ' +
  'was started in another browser. Go back to the app and start again.';
const cookiesForSignIn =
  'Your browser did not send the cookie that we set. It may block cookies, or the cookies were deleted. Allow cookies ' +
  'for this site, then go back to the app and start again.';
const staleAccount =
  'This page has expired or belongs to another sign-in. Open your account again and start from there.';

export const reasons = {
  'request.host': ['invalid_request', 'This server does not answer for that host.', 421],
  'request.method': ['invalid_request', 'This address does not answer that method.', 405],
  'request.prefetch': [
    'temporarily_unavailable',
    'This page cannot be loaded in advance. Open it again to continue.',
  ],
  'request.content-type': ['invalid_request', 'The body must be application/x-www-form-urlencoded.'],
  'request.too-large': ['invalid_request', 'The request is too large.', 413],
  'request.unreadable': ['invalid_request', 'The body could not be read.'],
  'parameter.repeated': ['invalid_request', 'A parameter is given more than once.'],

  'client.missing': ['invalid_request', 'The parameter client_id is missing.'],
  'client.unknown': ['invalid_request', 'The app that sent you here is not registered with us.'],
  'redirect.missing': ['invalid_request', 'The parameter redirect_uri is missing.'],
  'redirect.unregistered': ['invalid_request', 'The address to return to is not registered for this app.'],
  'state.too-long': ['invalid_request', 'The parameter state is too long.'],
  'state.characters': ['invalid_request', 'The parameter state contains characters that are not allowed.'],
  'response-type.missing': ['invalid_request', 'The parameter response_type is missing.'],
  'response-type.unsupported': ['unsupported_response_type', 'Only the response type code is supported.'],
  'response-mode.unsupported': ['invalid_request', 'Only the response mode query is supported.'],
  'pkce.missing': ['invalid_request', 'This client must send a code_challenge.'],
  'pkce.method': ['invalid_request', 'Only the code_challenge_method S256 is supported.'],
  'pkce.challenge': ['invalid_request', 'The code_challenge is malformed.'],
  'scope.malformed': ['invalid_scope', 'The parameter scope is malformed.'],
  'scope.unknown': ['invalid_scope', 'The requested scope is unknown or not available to this client.'],
  'scope.unavailable': ['invalid_scope', 'The requested scope is unknown or not available to this client.'],
  'resource.several': ['invalid_target', 'Ask for one resource at a time.'],
  'resource.unknown': ['invalid_target', 'The requested resource is unknown.'],
  'request.oversized-sign-in': ['invalid_request', 'The authorization request is too large.'],

  'consent.origin': ['invalid_request', staleConsent],
  'consent.unreadable': ['invalid_request', staleConsent],
  'consent.expired': ['invalid_request', staleConsent],
  'consent.foreign': ['invalid_request', staleConsent],
  'consent.no-cookies': ['invalid_request', cookiesForSignIn],
  'consent.choice': ['invalid_request', 'Choose one of the ways to sign in.'],
  'sign-in.limited': [
    'temporarily_unavailable',
    'Too many people are signing in from your network. Wait a minute, then try again.',
    429,
  ],
  'user.limited': [
    'temporarily_unavailable',
    "You've signed in too many times in the last few minutes. Wait a few minutes, then try again.",
    429,
  ],
  'user.cancelled': ['access_denied', 'The sign-in was cancelled.'],

  'session.changed': ['invalid_request', staleAccount],
  'account-form.origin': ['invalid_request', staleAccount],
  'account-form.unreadable': ['invalid_request', staleAccount],
  'account-form.expired': ['invalid_request', staleAccount],
  'account-form.foreign': ['invalid_request', staleAccount],
  'account-form.no-cookies': [
    'invalid_request',
    'Your browser did not send the cookie that we set. It may block cookies, or the cookies were deleted. Allow cookies ' +
      'for this site, then open your account again.',
  ],
  'link.unreadable': ['invalid_request', staleAccount],
  'link.expired': ['invalid_request', staleAccount],
  'account.item': [
    'invalid_request',
    'There is no such thing in your account any longer. Open your account again.',
  ],

  'transaction.missing': ['invalid_request', lostSignIn],
  'transaction.no-cookies': [
    'invalid_request',
    'Your browser sent no cookies of ours. It may block cookies, the cookies were deleted, or the sign-in was started in ' +
      'another browser. Allow cookies for this site, then go back to the app and start again.',
  ],
  'transaction.unreadable': ['invalid_request', staleSignIn],
  'transaction.expired': ['invalid_request', staleSignIn],
  'transaction.provider': ['invalid_request', staleSignIn],
  'transaction.replayed': ['invalid_request', 'This sign-in was completed before. Go back to the app.'],
  // Whether it was completed before: without storage, nobody can tell.
  'transaction.status': [
    'temporarily_unavailable',
    "We couldn't finish your sign-in. Wait a moment, then reload this page.",
  ],
  'answer.plain': ['invalid_request', staleSignIn],
  'answer.unreadable': ['invalid_request', staleSignIn],
  'answer.provider': ['invalid_request', staleSignIn],
  'answer.expired': ['invalid_request', staleSignIn],
  'provider.unknown': ['invalid_request', 'There is no such way to sign in.', 404],
  'provider.denied': ['access_denied', 'The sign-in was refused or cancelled at the provider.'],
  'provider.unavailable': [
    'temporarily_unavailable',
    'The sign-in provider did not answer. Try again later.',
  ],
  'provider.invalid': ['server_error', 'The sign-in provider gave an answer that could not be verified.'],
  'admission.refused': ['access_denied', 'This account may not sign in here.'],
  'admission.link': ['access_denied', 'This account cannot be added to the one that you are signed in to.'],
  'admission.user': ['server_error', 'Something went wrong on our side.'],
  'admission.claims': ['server_error', 'Something went wrong on our side.'],

  'authentication.several': ['invalid_request', 'Send the client credentials in one place only.'],
  'authentication.missing': ['invalid_client', badClient],
  'authentication.malformed': ['invalid_client', badClient],
  'authentication.method': ['invalid_client', badClient],
  'authentication.unknown-client': ['invalid_client', badClient],
  'authentication.secret': ['invalid_client', badClient],
  // Not invalid_client, which would owe a challenge (RFC 6749 §5.2) and ask for the next guess at once.
  'authentication.limited': [
    'temporarily_unavailable',
    'Too many failed attempts. Try again in a minute.',
    429,
  ],

  'grant-type.missing': ['invalid_request', 'The parameter grant_type is missing.'],
  'grant-type.unsupported': ['unsupported_grant_type', 'This grant type is not supported.'],
  'code.missing': ['invalid_request', 'The parameter code is missing.'],
  'code.unreadable': ['invalid_grant', badCode],
  'code.expired': ['invalid_grant', badCode],
  'code.client': ['invalid_grant', badCode],
  'code.redirect': ['invalid_grant', badCode],
  'code.pkce': ['invalid_grant', badCode],
  'code.resource': ['invalid_target', 'The code was issued for another resource.'],
  'code.resource-gone': ['invalid_grant', badCode],
  'code.scopes-gone': ['invalid_grant', badCode],
  'code.spent': ['invalid_grant', badCode],
  'code.replayed': ['invalid_grant', badCode],
  'refresh.missing': ['invalid_request', 'The parameter refresh_token is missing.'],
  'refresh.unreadable': ['invalid_grant', badRefresh],
  'refresh.expired': ['invalid_grant', badRefresh],
  'refresh.client': ['invalid_grant', badRefresh],
  'refresh.resource-gone': ['invalid_grant', badRefresh],
  'refresh.scopes-gone': ['invalid_grant', badRefresh],
  'refresh.ended': ['invalid_grant', badRefresh],
  'refresh.reused': ['invalid_grant', badRefresh],
  'refresh.gone': ['invalid_grant', badRefresh],
  'refresh.limited': [
    'temporarily_unavailable',
    'Too many refresh requests for this grant. Try again in a minute.',
    429,
  ],
  'refresh.scope': ['invalid_scope', 'The scope exceeds what was granted.'],
  'refresh.resource': ['invalid_target', 'The refresh token was issued for another resource.'],

  'token-parameter.missing': ['invalid_request', 'The parameter token is missing.'],
  'token-parameter.client': ['invalid_grant', 'The token was issued to another client.'],

  'token.missing': ['invalid_token', 'Sign in to use this API.'],
  'token.malformed': ['invalid_token', badToken],
  'token.unreadable': ['invalid_token', badToken],
  'token.expired': ['invalid_token', badToken],
  'token.revoked': ['invalid_token', badToken],
  'calls.limited': ['temporarily_unavailable', 'Too many calls for this user. Try again in a minute.', 429],
  'token.scope': ['insufficient_scope', 'The access token does not carry the scope that this needs.'],

  'logout-token.missing': ['invalid_request', 'The parameter logout_token is missing.'],
  'signal.provider': ['invalid_request', 'Nothing is taken here from a provider of this name.', 404],
  'signal.content-type': ['invalid_request', 'The body is not of the type that this provider sends.'],
  'signal.unreadable': ['invalid_request', 'This is no token that can be read.'],
  'signal.key': ['invalid_key', 'The token names no key of this provider.'],
  'signal.signature': ['authentication_failed', 'The token is not signed by this provider.'],
  'signal.issuer': ['invalid_issuer', 'The token is of another issuer.'],
  'signal.audience': ['invalid_audience', 'The token is for somebody else.'],
  'signal.age': ['invalid_request', 'The token is too old, or not valid yet.'],
  'signal.content': ['invalid_request', 'The token does not say what it has to say here.'],
  'signal.replayed': ['invalid_request', 'This token was received before.'],
  'signal.unverifiable': [
    'temporarily_unavailable',
    'The token cannot be checked at the moment. Try again soon.',
  ],
  'signal.limited': ['temporarily_unavailable', 'Too many bad tokens. Try again in a minute.', 429],

  'ledger.unavailable': [
    'temporarily_unavailable',
    'The service is out of order for a moment. Try again soon.',
  ],
  unexpected: ['server_error', 'Something went wrong on our side.'],
} as const satisfies Readonly<Record<string, readonly [OAuthErrorCode, string, number?]>>;
