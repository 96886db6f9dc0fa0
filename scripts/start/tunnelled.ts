/** `npm start -- --origin https://…`: the app for the real ChatGPT, behind a tunnel that somebody runs beside it. */

import { Refused } from '../app/command.ts';
import { demandConfiguration } from '../app/configuration.ts';
import { variablesFileOf } from '../app/places.ts';
import { readVariables } from '../app/variables.ts';
import { startTunnelledApp } from '../local-system/tunnelled-app.ts';
import type { Started, StartOptions } from './started.ts';

/**
 * Starts the app with the variables of the publisher's file.
 * @throws Refused when the origin is on loopback or the variables would not do, naming all that is wrong
 */
export const startTunnelled = async (origin: string, options: StartOptions): Promise<Started> => {
  if (!origin.startsWith('https:')) {
    throw new Refused('--origin is the https address of a tunnel; on this machine alone, leave it out.');
  }
  const variables = { ...(await readVariables(process.env)), ORIGIN: origin };
  demandConfiguration(variables, variablesFileOf(process.env));
  const app = await startTunnelledApp({ ...options, origin, variables });
  return { ...app, summary: summary(origin, options.port) };
};

const summary = (origin: string, port: number): string => `
  Words With Chat    ${origin}, as soon as the tunnel stands
  Listens on         https://127.0.0.1:${port}; sign-in and API answer for that host only
  Signs in with      the providers of your file; no stand-in runs

  The tunnel         cloudflared tunnel --url https://127.0.0.1:${port} --no-tls-verify
                     ngrok http https://127.0.0.1:${port} --url ${origin}
  The GPT editor     npm run setup -- --origin ${origin}
  To end             Ctrl-C; keys are in your file, users and scores stay
`;
