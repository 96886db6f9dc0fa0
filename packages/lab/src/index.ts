/** The face of the lab: everything to try the broker without an account anywhere. */
export {
  type Browser,
  type BrowserOptions,
  createBrowser,
  type Departure,
  type Page,
  Stuck,
} from './browser/browser.ts';
export { isLoopback } from './browser/navigation.ts';
export {
  type ApiAnswer,
  type BegunSignIn,
  beginSignIn,
  type Callback,
  callApi,
  type GptAction,
  gptCallback,
  readCallback,
  redeemCode,
  refreshTokens,
  type TokenAnswer,
} from './dialects/gpt-action.ts';
export { startApple, startGitHub, startGoogle, startMicrosoft } from './upstreams/emulated.ts';
export { freePort, freePortsInARow } from './upstreams/free-port.ts';
export { startOidcIssuer } from './upstreams/oidc/issuer.ts';
export { type Person, people } from './upstreams/people.ts';
export { startRememberingGoogle } from './upstreams/remembering-google.ts';
export type { StartUpstream, Upstream, UpstreamOptions } from './upstreams/upstream.ts';
