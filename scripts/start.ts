/** `npm start`: runs the app and the sign-in stand-in until Ctrl-C. */
import { people } from '@words-with-chat/lab';
import { readDataFolder } from './local-system/data-folder.ts';
import { readPorts, StartRefused } from './local-system/ports.ts';
import { type LocalSystem, startLocalSystem } from './local-system/system.ts';

const main = async (): Promise<number> => {
  const told = stopSignal();
  const ports = readPorts(process.env);
  console.log('Starting the app and the sign-in stand-in …');
  const dataFolder = readDataFolder(process.env);
  const starting = startLocalSystem({ ...ports, dataFolder, log: (line) => console.error(line) });
  const system = await Promise.race([starting, told]);
  if (system === undefined) return 130;
  console.log(summary(system));
  const reason = await Promise.race([told, system.died]);
  await system.close();
  if (reason === undefined) return 0;
  console.error(reason);
  return 1;
};

/** Settles when the person, or the system, asks for the end. */
const stopSignal = (): Promise<undefined> =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => resolve(undefined));
  });

const summary = ({ origin, googleIssuer, gptClientId, settingsFile }: LocalSystem): string => `
  Words With Chat    ${origin}
  API description    ${origin}/openapi.yaml
  Sign-in stand-in   ${googleIssuer} in Google's place, with accounts of ${names}
  ChatGPT's client   ${gptClientId}, its secret in ${settingsFile}

  To play its side   ${demoCommand(origin)}
  To end             Ctrl-C; keys, users and scores stay
`;

const demoCommand = (origin: string): string => {
  const { port } = new URL(origin);
  return port === '8787' ? 'npm run demo' : `PORT=${port} npm run demo`;
};

const names = people.map(({ name }) => name).join(', ');

try {
  process.exit(await main());
} catch (error) {
  if (!(error instanceof StartRefused)) throw error;
  console.error(error.message);
  process.exit(1);
}
