/** The face of the package. */
export { type Audience, audienceKeys } from './audience-keys.ts';
export { createBroker, memoryLimiter } from './broker.ts';
export type { Client, ConfidentialClient, PublicClient } from './clients/client.ts';
export { type GptActionOptions, gptAction } from './clients/gpt-action.ts';
export {
  type ResourceServer,
  type ResourceServerOptions,
  resourceServer,
} from './clients/resource-server.ts';
export { type StaticClientOptions, staticClient } from './clients/static-client.ts';
export type { Protection, Requirement } from './endpoints/protect.ts';
export { type Cors, corsHeaders } from './http/cors.ts';
export * from './ledger/ledger.ts';
export { memoryLedger } from './ledger/memory-ledger.ts';
export { defaultAllowances, type Limits, type SignInAllowance } from './limits/limits.ts';
export type { Allowance, RateLimiter, Verdict } from './limits/rate-limiter.ts';
export type { Broker, BrokerOptions, Endpoint, Route } from './options.ts';
export type { AccountModel, AccountNotice, Proof } from './pages/account/account-model.ts';
export type { AccountSignInModel, AccountSignInNotice } from './pages/account/account-sign-in.ts';
export type { LinkModel, TakenModel } from './pages/account/linking.ts';
export type { Branding, ParsedBranding } from './pages/branding.ts';
export type { ErrorModel } from './pages/error-page.ts';
export { html, renderHtml } from './pages/html.ts';
export { defaultPages, type Pages } from './pages/pages.ts';
export type { ProviderChoice, ShownIdentity } from './pages/provider.ts';
export type { SignInModel } from './pages/sign-in.ts';
export type { Texts } from './pages/texts.ts';
export { ConfigurationError } from './protocol/errors.ts';
export type { GrantId, Identity, TokenNames, UserClaims, UserId } from './protocol/identity.ts';
export type { Log, LogEntry } from './protocol/log.ts';
export { accountClientId } from './protocol/reserved.ts';
export type { Signal, SignalEnding, SignalReach, SignalTarget } from './protocol/signal.ts';
export type { Clock, EpochSeconds, Seconds } from './protocol/time.ts';
export { type AppleSettings, apple } from './providers/apple.ts';
export { type GitHubSettings, github } from './providers/github.ts';
export { type GoogleSettings, google } from './providers/google.ts';
export {
  type EventReader,
  type IdentityProvider,
  ProviderError,
  type ProviderIo,
  type ProviderLeg,
  type ProviderWord,
} from './providers/identity-provider.ts';
export { type MicrosoftSettings, microsoft } from './providers/microsoft.ts';
export { type Description, type OAuth2Settings, oauth2 } from './providers/oauth2.ts';
export { type OidcSettings, oidc } from './providers/oidc.ts';
export { SignalError, type SignalFault } from './providers/signals/signal-error.ts';
export type { Admission, Admit } from './sign-in/admission.ts';
export type { Access } from './tokens/access-token.ts';
export type { Lifetimes } from './tokens/lifetimes.ts';
