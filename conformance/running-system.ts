/** Starts the product once for all tests of a project, on free ports and with an empty database, and tells them where it is. */
import { randomBytes } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findConsecutivePorts, startGoogleWithSession } from '@words-with-chat/lab';
import type { TestProject } from 'vitest/node';
import type { Platform } from '../scripts/app/paths.ts';
import { localFolder } from '../scripts/local-system/data-folder.ts';
import type { RunningFakeProvider } from '../scripts/local-system/fake-providers/fake-providers.ts';
import { startLocalSystem } from '../scripts/local-system/system.ts';
import { testUsers } from './clients.ts';

/** A client that may call; secrets only where the kind has one. */
interface Credentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

interface RunningSystem {
  /** As what the app runs. */
  readonly platform: Platform;
  /** Of the app: `http://localhost:<port>`. */
  readonly origin: string;
  /** The providers' fake providers, Google's first: on 127.0.0.1, another site. */
  readonly fakeProviders: readonly RunningFakeProvider[];
  readonly gpt: Credentials;
  /** A static client without a secret, redirecting to `/callback` on any port of 127.0.0.1; refresh tokens on request. */
  readonly publicClientId: string;
  /** A static client with a secret and the same redirect; refresh tokens always. */
  readonly confidential: Credentials;
}

declare module 'vitest' {
  interface ProvidedContext {
    readonly system: RunningSystem;
  }
}

const publicClientId = 'demo-public';

/** Starts it as one of the platforms has it; the log of the run is kept, and ignored by git. */
export const startOn = async (platform: Platform, project: TestProject): Promise<() => Promise<void>> => {
  const logFile = join(localFolder, `conformance-${platform}.log`);
  const dataFolder = await mkdtemp(join(tmpdir(), 'words-with-chat-'));
  await mkdir(localFolder, { recursive: true });
  await writeFile(logFile, '');
  const confidential = { clientId: 'demo-confidential', clientSecret: randomBytes(32).toString('base64url') };
  const port = await findConsecutivePorts(6);
  const system = await startLocalSystem({
    platform,
    port,
    fakeProviderPort: port + 1,
    dataFolder,
    log: (line) => appendFileSync(logFile, `${line}\n`),
    variables: { STATIC_CLIENTS: JSON.stringify(staticClients(confidential)) },
    users: testUsers,
    startGoogle: startGoogleWithSession,
  }).catch(async (cause: unknown) => {
    throw new Error(`The system did not start:\n${await readFile(logFile, 'utf8')}`, { cause });
  });
  const { origin, fakeProviders, gptClientId, gptClientSecret } = system;
  const gpt = { clientId: gptClientId, clientSecret: gptClientSecret };
  project.provide('system', { platform, origin, fakeProviders, gpt, publicClientId, confidential });
  return async () => {
    await system.close();
    await rm(dataFolder, { recursive: true });
  };
};

const staticClients = ({ clientId, clientSecret }: Credentials): readonly object[] => {
  const redirectUris = ['http://127.0.0.1/callback'];
  return [
    { id: publicClientId, name: 'Demo desktop app', redirectUris, offlineAccess: 'on-request' },
    { id: clientId, name: 'Demo web app', redirectUris, secrets: [clientSecret], offlineAccess: 'always' },
  ];
};
