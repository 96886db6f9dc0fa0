/**
 * Starts the system once for all tests of a project, on free ports and with an empty database, and provides
 * its addresses to them.
 */
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
import { buildClientDocument, startDocumentServer } from './document-server.ts';
import { testUsers } from './test-users.ts';

/** The credentials of a confidential client. */
interface Credentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

interface RunningSystem {
  /** The platform that the app runs on. */
  readonly platform: Platform;
  /** The file with the app's log. */
  readonly logFile: string;
  /** The origin of the app: `http://localhost:<port>`. */
  readonly origin: string;
  /** The fake providers, Google's first. They are on 127.0.0.1, which is another site. */
  readonly fakeProviders: readonly RunningFakeProvider[];
  readonly gpt: Credentials;
  /**
   * A static client without a secret, with `/callback` on any port of 127.0.0.1 as redirect URI. It gets
   * refresh tokens on request.
   */
  readonly publicClientId: string;
  /** A static client with a secret and the same redirect URI. It always gets refresh tokens. */
  readonly confidentialClient: Credentials;
  /** The ID of a client without a secret and with the same redirect URI: the URL of its metadata document. */
  readonly documentClientId: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    readonly system: RunningSystem;
  }
}

const publicClientId = 'demo-public';

/** Starts the system on one of the platforms. The log file is kept; git ignores it. */
export const startSystemOn = async (
  platform: Platform,
  project: TestProject,
): Promise<() => Promise<void>> => {
  const logFile = join(localFolder, `${project.name}.log`);
  const dataFolder = await mkdtemp(join(tmpdir(), 'words-with-chat-'));
  await mkdir(localFolder, { recursive: true });
  await writeFile(logFile, '');
  const confidentialClient = {
    clientId: 'demo-confidential',
    clientSecret: randomBytes(32).toString('base64url'),
  };
  const port = await findConsecutivePorts(6);
  const system = await startLocalSystem({
    platform,
    port,
    fakeProviderPort: port + 1,
    dataFolder,
    log: (line) => appendFileSync(logFile, `${line}\n`),
    variables: { STATIC_CLIENTS: JSON.stringify(staticClients(confidentialClient)) },
    users: testUsers,
    startGoogle: startGoogleWithSession,
  }).catch(async (cause: unknown) => {
    throw new Error(`The system did not start:\n${await readFile(logFile, 'utf8')}`, { cause });
  });
  const documents = await startDocumentServer();
  const documentClientId = documents.serve('/client.json', (url) => Response.json(buildClientDocument(url)));
  const { origin, fakeProviders, gptClientId, gptClientSecret } = system;
  const gpt = { clientId: gptClientId, clientSecret: gptClientSecret };
  project.provide('system', {
    ...{
      platform,
      logFile,
      origin,
      fakeProviders,
      gpt,
      publicClientId,
      confidentialClient,
      documentClientId,
    },
  });
  return async () => {
    await documents.close();
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
