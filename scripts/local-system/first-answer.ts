/** Waits for the app's first answer, asked for on loopback under the name that it answers to. */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import { StartRefused } from './ports.ts';

/** How long the first answer may take, in milliseconds. */
const patience = 180_000;

/**
 * Waits until the app answers.
 * @param origin the app's own, whatever port it listens on
 * @param died settles with the reason when there is nothing to wait for any more
 * @throws StartRefused when it ended, answers with a fault, or says nothing
 */
export const firstAnswer = async (origin: string, port: number, died: Promise<string>): Promise<void> => {
  const end = new AbortController();
  void died.then((reason) => end.abort(new StartRefused(reason)));
  const signal = AbortSignal.any([end.signal, AbortSignal.timeout(patience)]);
  while (!signal.aborted) {
    const status = await ask(origin, port, signal);
    if (status === 200) return;
    if (status !== undefined)
      throw new StartRefused(`The app answers its first request with status ${status}.`);
    await pause(100);
  }
  end.signal.throwIfAborted();
  throw new StartRefused(`The app did not answer within ${patience / 1000} s.`);
};

/** Not with `fetch`, which asks for the host that it connects to and no other. */
const ask = (origin: string, port: number, signal: AbortSignal): Promise<number | undefined> =>
  new Promise((resolve) => {
    const { protocol, host } = new URL(origin);
    const options = {
      ...{ host: '127.0.0.1', port, path: '/.well-known/oauth-authorization-server' },
      ...{ headers: { host }, signal, agent: false },
    };
    // The certificate is the local runtime's own, drawn at its start; this stays on loopback.
    const asked =
      protocol === 'https:' ? httpsRequest({ ...options, rejectUnauthorized: false }) : httpRequest(options);
    asked.once('error', () => resolve(undefined));
    asked.once('response', (response) => resolve(response.resume().statusCode));
    asked.end();
  });
