/**
 * An OAuth 2.1 authorization server as a library: the broker, its clients and identity providers, and the
 * types that you need to replace storage, providers, pages or rate limiters.
 * @module
 */
export { type Broker, createBroker, type ExecutionContext } from './broker.ts';
export type {
  Client,
  ConfidentialClient,
  PrivateKeyJwtClient,
  PublicClient,
  VerifiedAssertion,
} from './clients/client.ts';
export { type GptActionOptions, gptAction } from './clients/gpt-action.ts';
export {
  type IntrospectionClient,
  type IntrospectionClientOptions,
  introspectionClient,
} from './clients/introspection-client.ts';
export { type StaticClientOptions, staticClient } from './clients/static.ts';
export { type BrokerOptions, memoryLimiter } from './config.ts';
export {
  type AcceptedUser,
  defaultPages,
  type Pages,
  type RefreshingUser,
  type RefreshUser,
  type RefreshUserResult,
  type RefusedUser,
  type ResolveUser,
  type UserResolution,
} from './context.ts';
export type { ClientSource } from './endpoint/client-source.ts';
export type { RequestOptions } from './endpoint/handler.ts';
export type { Cors } from './http/cors.ts';
export { corsHeaders } from './http/responses.ts';
export {
  type Allowance,
  type CountedLimit,
  defaultRateLimits,
  type Limits,
  type RateLimiter,
  type RateLimitResult,
  toAddressBlock,
} from './limits/rate-limits.ts';
export { ConfigurationError } from './oauth/errors.ts';
export {
  accountClientId,
  type Clock,
  type EpochSeconds,
  type GrantId,
  type Identity,
  type Milliseconds,
  type RequestedRevocation,
  type RevocationScope,
  type Seconds,
  type SecurityEvent,
  type SecurityEventTarget,
  type TokenIdentifiers,
  type UserClaims,
  type UserId,
} from './oauth/identifiers.ts';
export type { Log, LogEntry, LogEvent, OnEvent } from './oauth/log.ts';
export type { RefusalLink } from './oauth/protocol-error.ts';
export type { RandomBytes } from './oauth/secrets.ts';
export type { AuthorizedCall, ProtectOptions, ProtectResult, RefusedCall } from './protect.ts';
export { type AppleOptions, apple } from './providers/apple.ts';
export type { ProviderOptions } from './providers/config.ts';
export { type GitHubOptions, github } from './providers/github.ts';
export { type GoogleOptions, type GoogleSecurityEvents, google } from './providers/google.ts';
export { type MicrosoftOptions, microsoft } from './providers/microsoft.ts';
export { type OAuth2Options, oauth2, type ProviderProfile } from './providers/oauth2.ts';
export { type OidcOptions, oidc } from './providers/oidc.ts';
export {
  type AdminConsent,
  type IdentityProvider,
  ProviderError,
  type ProviderIo,
  type RecheckResult,
  SecurityEventError,
  type SecurityEventFault,
  type SecurityEventReader,
  type UpstreamRequest,
} from './providers/provider.ts';
export type { AccountFeature } from './sign-in/callback.ts';
export * from './storage/broker-storage.ts';
export type { WaitUntil } from './storage/cleanup.ts';
export type { Lifetimes } from './tokens/lifetimes.ts';
export { deriveResourceKeys, type ResourceKeyOptions } from './tokens/sealers.ts';
export type {
  BrandColors,
  Branding,
  BrandLinks,
  PageLanguages,
  PageOptions,
  ParsedBranding,
  SchemeColors,
} from './ui/branding.ts';
export type { CompletedDestination, CompletedModel, ErrorModel } from './ui/error.ts';
export {
  type Html,
  type HtmlValue,
  html,
  type IdentitySummary,
  type ProviderChoice,
  type ProviderIcon,
  renderHtml,
} from './ui/layout.ts';
export type {
  AccessDuration,
  ClientIdentity,
  ScopeDescription,
  SignInModel,
  SignInNotice,
} from './ui/sign-in.ts';
export type {
  AccountTexts,
  ErrorTexts,
  McpClientTexts,
  ParsedTexts,
  SignInTexts,
  Texts,
} from './ui/texts.ts';
