/** The face of the lab: everything to try the broker without an account anywhere. */
export {
  type Browser,
  type BrowserOptions,
  createBrowser,
  NavigationError,
  type Page,
  type StoppedRedirect,
} from './browser/browser.ts';
export { isLoopback } from './browser/navigation.ts';
export {
  type ApiResult,
  buildGptCallbackUrl,
  type CallbackResult,
  callApi,
  type GptAction,
  readCallback,
  redeemCode,
  refreshTokens,
  type StartedSignIn,
  startSignIn,
  type TokenResult,
} from './dialects/gpt-action.ts';
export { startApple, startGitHub, startGoogle, startMicrosoft } from './upstreams/emulated.ts';
export { findConsecutivePorts, findFreePort } from './upstreams/free-port.ts';
export { startOidcIssuer } from './upstreams/oidc/issuer.ts';
export { type FakeUser as Person, fakeUsers as people } from './upstreams/people.ts';
export { startGoogleWithSession } from './upstreams/remembering-google.ts';
export type { FakeProvider, FakeProviderOptions, StartFakeProvider } from './upstreams/upstream.ts';
