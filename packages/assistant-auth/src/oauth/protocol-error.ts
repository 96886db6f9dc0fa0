/**
 * The reasons for refusing a request, by endpoint, and what the response discloses: the error code (RFC 6749
 * §4.1.2.1 and §5.2, RFC 6750 §3.1, RFC 7591 §3.2.2, RFC 8707 §2, RFC 8935 §2.4, OpenID Connect Core
 * §3.1.2.6), a message, and a status if the default status of the code does not fit. A bundle contains only
 * the messages of the endpoints that it contains.
 */
import type { Seconds } from './identifiers.ts';

/**
 * A request that was refused. `reason` is logged and never sent, but can determine the title of the error
 * page and whether the client gets the error. The response contains `description`, `code` (unless it is a
 * page or a problem document), and `retryAfter` in the `Retry-After` header.
 */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly reason: ErrorReason;
  readonly code: OAuthErrorCode;
  readonly description: string;
  readonly status: number;
  /**
   * The value of the `Retry-After` header. Default: 60 for status 429, 10 for status 503, otherwise no
   * header.
   */
  readonly retryAfter: Seconds | undefined;
  /** What the publisher tells the user, on a page instead of a redirect to the client. */
  readonly refusal: Refusal | undefined;
  /** The known client that the request is from, or claims to be from. Only logged. */
  readonly clientId: string | undefined;

  constructor(
    reason: ErrorReason,
    [code, description, status = statusByCode[code] ?? 400]: ErrorDefinition,
    options: ProtocolErrorOptions = {},
  ) {
    super(reason, options);
    this.reason = reason;
    this.code = code;
    this.description = description;
    this.status = status;
    this.retryAfter = options.retryAfter;
    this.refusal = options.refusal;
    this.clientId = options.clientId;
  }
}

/** `cause` and `clientId` are only logged. */
export type ProtocolErrorOptions = ErrorOptions & {
  readonly retryAfter?: Seconds;
  readonly refusal?: Refusal | undefined;
  readonly clientId?: string | undefined;
};

/** A message to a user whom `resolveUser` refused, and the identity that the user signed in with. */
export interface Refusal {
  readonly message: string;
  readonly link?: RefusalLink;
  readonly identity: { readonly provider: string; readonly label?: string };
}

/** A link below the message to a user whom `resolveUser` refused. */
export interface RefusalLink {
  /** The text of the link, such as `Create an account`. Plain text on one line, of at most 200 bytes. */
  readonly text: string;
  /**
   * The target: an absolute https URL without user information, or `mailto:` with one address and nothing
   * else; http on loopback if the issuer is on loopback. At most 512 bytes. Never put a secret or a token
   * into it.
   */
  readonly href: string;
}

/** The error code, the message, and the status. Default for the status: see `statusByCode`. */
type ErrorDefinition = readonly [code: OAuthErrorCode, description: string, status?: number];

/**
 * The internal reason for an error. It is logged and counted, but never sent. Operators filter by it, so it must not
 * be renamed, and must not get another meaning. docs/reference/error-codes.md describes each one.
 */
export type ErrorReason =
  | RequestErrorReason
  | AuthorizationErrorReason
  | ParameterErrorReason
  | CallbackErrorReason
  | AccountErrorReason
  | TokenEndpointErrorReason
  | McpClientErrorReason
  | ApiErrorReason
  | EventEndpointErrorReason
  | NodeErrorReason;

/**
 * The reasons for errors that users can understand. Pages have a text for each. For all others, which are nearly
 * always mistakes of apps, they have one text, and show the description to developers. These are names of texts
 * (`ErrorTexts`), so a new one is required in every language.
 */
export type UserErrorReason =
  | keyof typeof userErrors
  | AuthorizationErrorReason
  | CallbackErrorReason
  | AccountErrorReason
  | 'client-metadata.unavailable';

type Definitions = Readonly<Record<string, ErrorDefinition>>;

/** The error codes that are sent in responses. */
export type OAuthErrorCode =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_client_metadata'
  | 'invalid_redirect_uri'
  | 'invalid_grant'
  | 'unsupported_grant_type'
  | 'unsupported_response_type'
  | 'invalid_scope'
  | 'invalid_target'
  | 'access_denied'
  | 'login_required'
  | 'consent_required'
  | 'invalid_token'
  | 'insufficient_scope'
  | 'invalid_key'
  | 'invalid_issuer'
  | 'invalid_audience'
  | 'authentication_failed'
  | 'server_error'
  | 'temporarily_unavailable';

/** All other codes have the status 400. */
const statusByCode: Partial<Readonly<Record<OAuthErrorCode, number>>> = {
  invalid_client: 401,
  invalid_token: 401,
  access_denied: 403,
  insufficient_scope: 403,
  server_error: 500,
  temporarily_unavailable: 503,
};

// Errors of any endpoint.

const temporarilyUnavailable: ErrorDefinition = [
  'temporarily_unavailable',
  'The service is temporarily unavailable. Try again in a moment.',
];
const serverError: ErrorDefinition = ['server_error', 'Something went wrong on our side.'];

/** Errors of any endpoint that users can understand. */
export const userErrors = {
  'request.prefetch': [
    'temporarily_unavailable',
    'Your browser tried to load this page in advance. Open it again to continue.',
  ],
  'storage.unavailable': temporarilyUnavailable,
  unexpected: serverError,
} as const satisfies Definitions;

export const requestErrors = {
  'request.host': ['invalid_request', 'This server does not serve the requested host.', 421],
  'request.path': ['invalid_request', 'This path does not exist.', 404],
  'request.method': ['invalid_request', 'Method not allowed.', 405],
  'request.content-type': ['invalid_request', 'The Content-Type must be application/x-www-form-urlencoded.'],
  'request.too-large': ['invalid_request', 'The request is too large.', 413],
  'request.unreadable': ['invalid_request', 'The request body could not be read.'],
  'parameter.repeated': ['invalid_request', 'A parameter was sent more than once.'],
} as const satisfies Definitions;

type RequestErrorReason = keyof typeof requestErrors | keyof typeof userErrors;

export const requestError = (reason: RequestErrorReason, options?: ProtocolErrorOptions): ProtocolError =>
  new ProtocolError(reason, { ...requestErrors, ...userErrors }[reason], options);

// Errors of `/authorize` and the sign-in page: first those of the client's parameters.

export const parameterErrors = {
  'client.missing': ['invalid_request', 'The parameter client_id is missing.'],
  'redirect.missing': ['invalid_request', 'The parameter redirect_uri is missing.'],
  'redirect.unregistered': ['invalid_request', 'The redirect URI is not registered for this app.'],
  'state.too-long': ['invalid_request', 'The parameter state is too long.'],
  'state.characters': ['invalid_request', 'The parameter state contains characters that are not allowed.'],
  'response-type.missing': ['invalid_request', 'The parameter response_type is missing.'],
  'response-type.unsupported': ['unsupported_response_type', 'Only the response type code is supported.'],
  'response-mode.unsupported': ['invalid_request', 'Only the response mode query is supported.'],
  'pkce.missing': ['invalid_request', 'The parameter code_challenge is missing.'],
  'pkce.method': ['invalid_request', 'Only the code_challenge_method S256 is supported.'],
  'pkce.challenge': ['invalid_request', 'The parameter code_challenge is malformed.'],
  'scope.malformed': ['invalid_scope', 'The parameter scope is malformed.'],
  'scope.unknown': ['invalid_scope', 'The requested scope is unknown or not available to this client.'],
  'scope.unavailable': ['invalid_scope', 'The requested scope is unknown or not available to this client.'],
  'resource.multiple': ['invalid_target', 'Request one resource at a time.'],
  'resource.unknown': ['invalid_target', 'The requested resource is unknown.'],
  'prompt.login-required': ['login_required', 'The user must sign in, but prompt=none allows no page.'],
  'prompt.consent-required': ['consent_required', 'The user must consent, but prompt=none allows no page.'],
  'request.sign-in-too-large': ['invalid_request', 'The authorization request is too large.'],
} as const satisfies Definitions;

const expiredConsent: ErrorDefinition = [
  'invalid_request',
  'This page has expired or was opened in another browser.',
];
const noCookies: ErrorDefinition = [
  'invalid_request',
  "Your browser didn't send our cookies. It may have blocked or deleted them, or this sign-in was started in another " +
    'browser. Allow cookies for this site.',
];
const busyNetwork: ErrorDefinition = [
  'temporarily_unavailable',
  'Too many sign-ins from your network. Try again in a minute.',
  429,
];

export const authorizationErrors = {
  'client.unknown': ['invalid_request', 'The app that sent you here is not registered with us.'],
  'consent.origin': expiredConsent,
  'consent.unreadable': expiredConsent,
  'consent.expired': expiredConsent,
  'consent.csrf': expiredConsent,
  'consent.no-cookies': noCookies,
  'consent.choice': ['invalid_request', 'Choose a sign-in method.'],
  'address.limited': busyNetwork,
  // The sign-in or session used up its own allowance, and its address too.
  'sign-in.limited': busyNetwork,
  'user.canceled': ['access_denied', 'The sign-in was canceled.'],
} as const satisfies Definitions;

type AuthorizationErrorReason = keyof typeof authorizationErrors;
type ParameterErrorReason = keyof typeof parameterErrors;

export const authorizationError = (
  reason: AuthorizationErrorReason | ParameterErrorReason,
  options?: ProtocolErrorOptions,
): ProtocolError =>
  new ProtocolError(reason, { ...parameterErrors, ...authorizationErrors }[reason], options);

// Errors of the callback, in a sign-in for a client or for the account page, and errors of providers.

const missingSignIn: ErrorDefinition = [
  'invalid_request',
  "We couldn't find this sign-in in your browser. It may have expired, been replaced by a newer " +
    'sign-in, or been started in another browser.',
];
const refusedUser: ErrorDefinition = ['access_denied', 'This account is not allowed to sign in here.'];

export const callbackErrors = {
  'user.limited': [
    'temporarily_unavailable',
    'Too many sign-ins to this account. Try again in a few minutes.',
    429,
  ],
  'transaction.missing': missingSignIn,
  'transaction.no-cookies': noCookies,
  'transaction.unreadable': missingSignIn,
  'transaction.expired': missingSignIn,
  'transaction.provider': missingSignIn,
  'transaction.account-removed': missingSignIn,
  'transaction.replayed': ['invalid_request', 'This sign-in is complete. Go back to the app.'],
  // Without storage, the broker cannot tell whether the sign-in was completed before.
  'transaction.status-unknown': [
    'temporarily_unavailable',
    "We couldn't finish your sign-in. Wait a moment, then reload this page.",
  ],
  'form-post.missing': missingSignIn,
  'form-post.unreadable': missingSignIn,
  'form-post.provider': missingSignIn,
  'form-post.expired': missingSignIn,
  'provider.unknown': ['invalid_request', 'This sign-in method does not exist.', 404],
  'provider.denied': ['access_denied', 'The sign-in was denied or canceled at the provider.'],
  'provider.unavailable': [
    'temporarily_unavailable',
    'The sign-in provider is temporarily unavailable. Try again later.',
  ],
  // The namespace of its subjects was changed, and the operator has not accepted that.
  'provider.changed': [
    'temporarily_unavailable',
    'Use another sign-in method, or contact us if this one stays unavailable.',
  ],
  'provider.invalid': ['server_error', "We couldn't verify the response from the sign-in provider."],
  'resolve-user.refused': refusedUser,
  // The message or the link of the refusal is not valid.
  'resolve-user.invalid-refusal': refusedUser,
  'resolve-user.link-refused': [
    'access_denied',
    "This sign-in method can't be added to the account that you're signed in to.",
  ],
  'resolve-user.invalid-id': serverError,
  'resolve-user.invalid-claims': serverError,
} as const satisfies Definitions;

type CallbackErrorReason = keyof typeof callbackErrors;

export const callbackError = (reason: CallbackErrorReason, options?: ProtocolErrorOptions): ProtocolError =>
  new ProtocolError(reason, callbackErrors[reason], options);

/**
 * Creates the error of an earlier callback again, from its reason.
 * @param reason of this release or another one. `undefined` if there was no error
 */
export const restoreError = (
  reason: string | undefined,
  refusal: Refusal | undefined,
): ProtocolError | undefined => {
  if (reason === undefined) return undefined;
  // In the function, so that bundles without a callback don't contain the messages.
  const definitions = { ...userErrors, ...callbackErrors };
  const isKnown = (text: string): text is keyof typeof definitions => Object.hasOwn(definitions, text);
  const known = isKnown(reason) ? reason : 'unexpected';
  return new ProtocolError(known, definitions[known], { refusal });
};

// Errors of the account page.

const expiredAccountForm: ErrorDefinition = [
  'invalid_request',
  'This page has expired or is from another sign-in.',
];

export const accountErrors = {
  'session.changed': expiredAccountForm,
  'account-form.origin': expiredAccountForm,
  'account-form.unreadable': expiredAccountForm,
  'account-form.expired': expiredAccountForm,
  'account-form.csrf': expiredAccountForm,
  'account-form.no-cookies': [
    'invalid_request',
    "Your browser didn't send our cookie. It may have blocked or deleted it. Allow cookies for this site, then open " +
      'your account again.',
  ],
  'link.unreadable': expiredAccountForm,
  'link.expired': expiredAccountForm,
  'account.item-not-found': ['invalid_request', 'This item is no longer in your account.'],
} as const satisfies Definitions;

type AccountErrorReason = keyof typeof accountErrors;

export const accountError = (reason: AccountErrorReason, options?: ProtocolErrorOptions): ProtocolError =>
  new ProtocolError(reason, accountErrors[reason], options);

// Errors of the token, revocation and introspection endpoints.

// The same message for every invalid credential, so that the response does not reveal to an attacker which
// check failed.
const invalidClient: ErrorDefinition = ['invalid_client', 'The client could not be authenticated.'];
const invalidCode: ErrorDefinition = ['invalid_grant', 'The authorization code is not valid.'];
const invalidRefreshToken: ErrorDefinition = ['invalid_grant', 'The refresh token is not valid.'];
const busyGrant: ErrorDefinition = [
  'temporarily_unavailable',
  'Too many requests for this grant. Try again in a minute.',
  429,
];

export const tokenEndpointErrors = {
  'authentication.multiple': ['invalid_request', 'Use only one client authentication method per request.'],
  'authentication.missing': invalidClient,
  'authentication.malformed': invalidClient,
  'authentication.method': invalidClient,
  'authentication.unknown-client': invalidClient,
  'authentication.secret': invalidClient,
  'authentication.assertion-replayed': invalidClient,
  'authentication.assertions-limited': busyGrant,
  // Not `invalid_client`: its 401 response has a challenge (RFC 6749 §5.2), which invites another attempt.
  'authentication.limited': [
    'temporarily_unavailable',
    'Too many failed attempts. Try again in a minute.',
    429,
  ],
  'grant-type.missing': ['invalid_request', 'The parameter grant_type is missing.'],
  'grant-type.unsupported': ['unsupported_grant_type', 'This grant type is not supported.'],
  'code.missing': ['invalid_request', 'The parameter code is missing.'],
  'code.unreadable': invalidCode,
  'code.expired': invalidCode,
  'code.client': invalidCode,
  'code.redirect': invalidCode,
  'code.pkce': invalidCode,
  'code.resource': ['invalid_target', 'The code was issued for another resource.'],
  'code.resource-removed': invalidCode,
  'code.scopes-removed': invalidCode,
  'code.invalid': invalidCode,
  'code.replayed': invalidCode,
  'refresh.missing': ['invalid_request', 'The parameter refresh_token is missing.'],
  'refresh.unreadable': invalidRefreshToken,
  'refresh.expired': invalidRefreshToken,
  'refresh.client': invalidRefreshToken,
  'refresh.authentication': invalidRefreshToken,
  'refresh.resource-removed': invalidRefreshToken,
  'refresh.scopes-removed': invalidRefreshToken,
  'refresh.inactive': invalidRefreshToken,
  'refresh.reused': invalidRefreshToken,
  'refresh.upstream-revoked': invalidRefreshToken,
  'refresh.provider-removed': temporarilyUnavailable,
  'refresh-user.refused': invalidRefreshToken,
  'refresh-user.failed': temporarilyUnavailable,
  'refresh.limited': busyGrant,
  'refresh.scope': ['invalid_scope', 'The requested scope exceeds the granted scope.'],
  'refresh.resource': ['invalid_target', 'The refresh token was issued for another resource.'],
  'token-parameter.missing': ['invalid_request', 'The parameter token is missing.'],
  'token-parameter.client': ['invalid_grant', 'The token was issued to another client.'],
} as const satisfies Definitions;

type TokenEndpointErrorReason = keyof typeof tokenEndpointErrors;

export const tokenEndpointError = (
  reason: TokenEndpointErrorReason,
  options?: ProtocolErrorOptions,
): ProtocolError => new ProtocolError(reason, tokenEndpointErrors[reason], options);

// Errors of clients that are not in the configuration: of their metadata documents, at any endpoint; of their
// assertions; and of the registration endpoint (RFC 7591 §3.2.2).

export const mcpClientErrors = {
  'client-metadata.url': [
    'invalid_client',
    'The client ID is not an allowed URL for a metadata document.',
    400,
  ],
  'client-metadata.invalid': ['invalid_client', 'The metadata document of the app is not valid.', 400],
  'client-metadata.unavailable': [
    'temporarily_unavailable',
    'The metadata document of the app could not be read. Try again in a moment.',
  ],
  'authentication.assertion': invalidClient,
  'authentication.keys': [
    'temporarily_unavailable',
    'The keys of the client could not be read. Try again in a moment.',
  ],
  'registration.content-type': ['invalid_client_metadata', 'The Content-Type must be application/json.'],
  'registration.json': ['invalid_client_metadata', 'The body must be a JSON object.'],
  'registration.redirect-uri': [
    'invalid_redirect_uri',
    'The redirect_uris must be https URIs that this server allows, or http on loopback.',
  ],
  'registration.metadata': ['invalid_client_metadata', 'The client metadata is not supported.'],
} as const satisfies Definitions;

type McpClientErrorReason = keyof typeof mcpClientErrors;

/** @param detail says what is wrong. It must contain no text of the request or of a document */
export const mcpClientError = (
  reason: McpClientErrorReason,
  { detail, ...options }: ProtocolErrorOptions & { readonly detail?: string } = {},
): ProtocolError => {
  const [code, description, status]: ErrorDefinition = mcpClientErrors[reason];
  const message = detail === undefined ? description : `${description} ${detail}`;
  return new ProtocolError(reason, status === undefined ? [code, message] : [code, message, status], options);
};

// Errors of a protected API.

// The same message for every invalid access token, so that the response does not reveal to an attacker which
// check failed.
const invalidAccessToken: ErrorDefinition = ['invalid_token', 'The access token is not valid.'];

export const apiErrors = {
  'token.missing': ['invalid_token', 'Sign in to use this API.'],
  'token.malformed': invalidAccessToken,
  'token.unreadable': invalidAccessToken,
  'token.expired': invalidAccessToken,
  'token.revoked': invalidAccessToken,
  'calls.limited': ['temporarily_unavailable', 'Too many calls for this user. Try again in a minute.', 429],
  'token.scope': ['insufficient_scope', 'The access token does not have the required scope.'],
} as const satisfies Definitions;

type ApiErrorReason = keyof typeof apiErrors;

export const apiError = (reason: ApiErrorReason, options?: ProtocolErrorOptions): ProtocolError =>
  new ProtocolError(reason, apiErrors[reason], options);

// Errors of the endpoints for security events and logout tokens.

export const eventEndpointErrors = {
  'logout-token.missing': ['invalid_request', 'The parameter logout_token is missing.'],
  'security-event.provider': ['invalid_request', 'This provider does not send events to this URL.', 404],
  'security-event.content-type': [
    'invalid_request',
    'The Content-Type does not match what this provider sends.',
  ],
  'security-event.unreadable': ['invalid_request', 'The token could not be read.'],
  'security-event.key': ['invalid_key', 'The token was signed with an unknown key.'],
  'security-event.signature': ['authentication_failed', 'The signature of the token is not valid.'],
  'security-event.issuer': ['invalid_issuer', 'The token is from another issuer.'],
  'security-event.audience': ['invalid_audience', 'The token is for another audience.'],
  'security-event.age': ['invalid_request', 'The token is too old or not valid yet.'],
  'security-event.content': ['invalid_request', 'The token does not have the required claims.'],
  'security-event.provider-changed': temporarilyUnavailable,
  'security-event.replayed': ['invalid_request', 'This token was already received.'],
  'security-event.unverifiable': temporarilyUnavailable,
  'security-event.limited': [
    'temporarily_unavailable',
    'Too many invalid tokens. Try again in a minute.',
    429,
  ],
} as const satisfies Definitions;

type EventEndpointErrorReason = keyof typeof eventEndpointErrors;

export const eventEndpointError = (
  reason: EventEndpointErrorReason,
  options?: ProtocolErrorOptions,
): ProtocolError => new ProtocolError(reason, eventEndpointErrors[reason], options);

// Errors of requests that cannot be passed to the broker on Node.

export const nodeErrors = {
  'request.malformed': ['invalid_request', 'The request is malformed.'],
} as const satisfies Definitions;

type NodeErrorReason = keyof typeof nodeErrors;
