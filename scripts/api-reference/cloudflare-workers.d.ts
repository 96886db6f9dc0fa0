/**
 * Declares what the examples import from Cloudflare's runtime, whose own types exclude those of a browser.
 */
declare module 'cloudflare:workers' {
  const workerEnv: typeof env;

  export { workerEnv as env };
  export function waitUntil(work: Promise<unknown>): void;
}
