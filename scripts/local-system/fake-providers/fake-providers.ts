/** Starts and stops the fake providers on this machine together. */
import { randomBytes } from 'node:crypto';
import {
  type FakeProvider,
  type FakeUser,
  fakeUsers as labUsers,
  type StartFakeProvider,
} from '@words-with-chat/lab';
import type { Variables } from '../../app/variables.ts';
import { requireFreePort, StartError } from '../ports.ts';
import { clientId, type FakeProviderDefinition, fakeProviderRegistry } from './registry.ts';

export interface FakeProvidersOptions {
  /** The port of the app, to which the fake providers redirect. */
  readonly port: number;
  /** The first of their ports, which are consecutive. */
  readonly fakeProviderPort: number;
  /** The users who have an account at every fake provider. Default: the lab's. */
  readonly users?: readonly FakeUser[];
  /** Starts Google's fake provider. Default: the one that shows an account chooser at every sign-in. */
  readonly startGoogle?: StartFakeProvider;
}

/** A running fake provider. */
export interface RunningFakeProvider {
  /** The text on the sign-in button, such as `Google`. */
  readonly label: string;
  /** The issuer URL. It is on 127.0.0.1, so that the fake provider and the app are different sites. */
  readonly issuer: string;
}

interface RunningFakeProviders {
  /** In the order of their ports. */
  readonly all: readonly RunningFakeProvider[];
  close(): Promise<void>;
}

/** A fake provider to start. */
interface PlannedFakeProvider {
  readonly definition: FakeProviderDefinition;
  readonly port: number;
}

/** The fake providers to start, and the variables that the app needs for them. */
interface FakeProvidersToStart {
  /** The app's variables for them; some are secret. */
  readonly variables: Variables;
  /**
   * Starts all of them, or none.
   * @throws StartError if one of their ports is taken, or if one does not start
   */
  readonly start: () => Promise<RunningFakeProviders>;
}

/**
 * Plans a fake provider for each provider that the given variables don't configure.
 * @param configuredVariables the variables of the app that are already set
 */
export const planFakeProviders = (
  options: FakeProvidersOptions,
  configuredVariables: Variables,
): FakeProvidersToStart => {
  // A new client secret at each start is enough, because the fake providers lose their state when they stop.
  const secret = randomBytes(32).toString('base64url');
  const planned = fakeProviderRegistry
    .map((definition, index) => ({ definition, port: options.fakeProviderPort + index }))
    .filter(
      ({ definition }) =>
        !Object.keys(configuredVariables).some((name) => name.startsWith(definition.prefix)),
    );
  const variables = planned.map(({ definition, port }) =>
    definition.variables(`http://127.0.0.1:${port}`, secret),
  );
  return { variables: Object.assign({}, ...variables), start: () => startAll(planned, secret, options) };
};

const startAll = async (
  planned: readonly PlannedFakeProvider[],
  secret: string,
  options: FakeProvidersOptions,
): Promise<RunningFakeProviders> => {
  await Promise.all(planned.map(({ port }) => requireFreePort('FAKE_PROVIDER_PORT', port)));
  const results = await Promise.allSettled(
    planned.map((plannedFakeProvider) => startFakeProvider(plannedFakeProvider, secret, options)),
  );
  const running = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const close = async (): Promise<void> => {
    await Promise.all(running.map((fakeProvider) => fakeProvider.close()));
  };
  const failedResult = results.find((result) => result.status === 'rejected');
  if (failedResult !== undefined) {
    await close();
    throw failedResult.reason;
  }
  return { all: running.map(({ issuer, definition: { label } }) => ({ label, issuer })), close };
};

const startFakeProvider = async (
  { definition, port }: PlannedFakeProvider,
  clientSecret: string,
  { port: appPort, users = labUsers, startGoogle }: FakeProvidersOptions,
): Promise<FakeProvider & { readonly definition: FakeProviderDefinition }> => {
  const startProvider =
    definition.id === 'google' && startGoogle !== undefined ? startGoogle : definition.start;
  const appOrigin = `http://localhost:${appPort}`;
  try {
    const fakeProvider = await startProvider({
      ...{ port, clientId, clientSecret, users },
      redirectUris: [`${appOrigin}/callback/${definition.id}`],
      backchannelLogoutUri: `${appOrigin}/backchannel-logout/${definition.id}`,
    });
    return { ...fakeProvider, definition };
  } catch (cause) {
    throw new StartError(`The fake provider for ${definition.label} did not start on port ${port}.`, {
      cause,
    });
  }
};
