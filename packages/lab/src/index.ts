/**
 * The exports of the lab: fake providers, an emulated GPT Action, and a browser, to try the broker without a
 * real account.
 */
export {
  type Browser,
  type BrowserOptions,
  clickButtons,
  createBrowser,
  NavigationError,
  type Page,
  type StoppedRedirect,
} from 'assistant-auth/testing';
export {
  type ApiResult,
  buildGptAction,
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
} from './clients/gpt-action.ts';
export { startApple, startGitHub, startGoogle, startMicrosoft } from './fake-providers/emulated.ts';
export type { FakeProvider, FakeProviderOptions, StartFakeProvider } from './fake-providers/fake-provider.ts';
export { findConsecutivePorts, findFreePort, findPortBehindProxy } from './fake-providers/free-port.ts';
export { startGoogleWithSession } from './fake-providers/google-with-session.ts';
export { startOidcIssuer } from './fake-providers/oidc/issuer.ts';
export { type FakeUser, fakeUsers } from './fake-providers/users.ts';
