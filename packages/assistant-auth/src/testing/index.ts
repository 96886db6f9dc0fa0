/**
 * Tests an integration without accounts at real providers: a fake provider, an emulated client, and a browser
 * without JavaScript. Also contains the tests that every implementation of `BrokerStorage` must pass. Do not
 * use it in production.
 * @module
 */
export {
  type Browser,
  type BrowserOptions,
  clickButtons,
  createBrowser,
  NavigationError,
  type Page,
  type StoppedRedirect,
} from './browser.ts';
export type { IssuedTokens, TokenResult } from './client-requests.ts';
export {
  createEmulatedClient,
  type EmulatedClient,
  type EmulatedClientOptions,
  emulateGptAction,
  type GptActionCredentials,
  OAuthResponseError,
  type StartedSignIn,
} from './emulated-client.ts';
export type { FakeUser } from './fake-provider/endpoints.ts';
export {
  createFakeProvider,
  type FakeProvider,
  type FakeProviderOptions,
} from './fake-provider/provider.ts';
export { type Form, type FormButton, readForms } from './forms.ts';
export type { StorageContractTest } from './storage-contract/contract-test.ts';
export { storageContract } from './storage-contract.ts';
