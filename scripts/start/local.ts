/** `npm start`: the app on loopback, with stand-ins for the providers to sign in at. */
import { people } from '@words-with-chat/lab';
import type { StandIn } from '../local-system/stand-ins/stand-ins.ts';
import { type LocalSystem, startLocalSystem } from '../local-system/system.ts';
import { debuggerLine, type Started, type StartOptions } from './started.ts';

export const startLocal = async (options: StartOptions): Promise<Started> => {
  const system = await startLocalSystem(options);
  return { ...system, summary: summary(system) + debuggerLine(system) };
};

const summary = ({ origin, standIns, gptClientId, settingsFile }: LocalSystem): string => `
  Words With Chat    ${origin}
  A person's account ${origin}/account
  API description    ${origin}/openapi.yaml
  Sign in at         ${standIns.map(place).join('\n                     ')}
                     all stand-ins, with accounts of ${names}
  ChatGPT's client   ${gptClientId}, its secret in ${settingsFile}
  The GPT editor     ${origin}/setup shows what goes into it

  To play its side   ${demoCommand(origin)}
  To end             Ctrl-C; keys, users and scores stay
`;

const place = ({ label, issuer }: StandIn): string => `${issuer} in place of ${label}`;

const demoCommand = (origin: string): string => {
  const { port } = new URL(origin);
  return port === '8787' ? 'npm run demo' : `PORT=${port} npm run demo`;
};

const names = people.map(({ name }) => name).join(', ');
