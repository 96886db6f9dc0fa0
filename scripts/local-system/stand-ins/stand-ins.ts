/** The identity providers' stand-ins on this machine, started and ended together. */
import { randomBytes } from 'node:crypto';
import { people as labPeople, type Person, type StartUpstream, type Upstream } from '@words-with-chat/lab';
import type { Variables } from '../../app/variables.ts';
import { demandFree, StartRefused } from '../ports.ts';
import { clientId, type Plan, plans } from './plans.ts';

export interface StandInOptions {
  /** Of the app, which the stand-ins send people back to. */
  readonly port: number;
  /** The first of their ports, which lie in a row. */
  readonly standInPort: number;
  /** Who has an account at every stand-in; left out: the lab's people. */
  readonly people?: readonly Person[];
  /** Starts Google's stand-in; left out: the one that asks at every sign-in. */
  readonly startGoogle?: StartUpstream;
}

/** A stand-in that runs. */
export interface StandIn {
  /** As on the button: `Google`. */
  readonly label: string;
  /** On 127.0.0.1, so that it is another site than the app. */
  readonly issuer: string;
}

interface StandIns {
  /** In the order of their ports. */
  readonly all: readonly StandIn[];
  close(): Promise<void>;
}

/** A fake provider to start. */
interface PlannedStandIn {
  readonly plan: Plan;
  readonly port: number;
}

/** The fake providers to start, and the variables that the app needs for them. */
interface StandInsToStart {
  /** The app's variables for them; some are secret. */
  readonly variables: Variables;
  /**
   * Starts all of them, or none.
   * @throws StartRefused if one of their ports is taken, or if one does not start
   */
  readonly start: () => Promise<StandIns>;
}

/**
 * Plans a fake provider for each provider that the given variables don't configure.
 * @param given the variables of the app that are already set
 */
export const planStandIns = (options: StandInOptions, given: Variables): StandInsToStart => {
  // Good until the next start: by then the stand-ins have forgotten whatever it opened.
  const secret = randomBytes(32).toString('base64url');
  const planned = plans
    .map((plan, at) => ({ plan, port: options.standInPort + at }))
    .filter(({ plan }) => !Object.keys(given).some((name) => name.startsWith(plan.prefix)));
  const variables = planned.map(({ plan, port }) => plan.variables(`http://127.0.0.1:${port}`, secret));
  return { variables: Object.assign({}, ...variables), start: () => startAll(planned, secret, options) };
};

const startAll = async (
  planned: readonly PlannedStandIn[],
  secret: string,
  options: StandInOptions,
): Promise<StandIns> => {
  await Promise.all(planned.map(({ port }) => demandFree('STANDIN_PORT', port)));
  const started = await Promise.allSettled(planned.map((one) => startOne(one, secret, options)));
  const running = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const close = async (): Promise<void> => {
    await Promise.all(running.map((upstream) => upstream.close()));
  };
  const failed = started.find((one) => one.status === 'rejected');
  if (failed !== undefined) {
    await close();
    throw failed.reason;
  }
  return { all: running.map(({ issuer, plan: { label } }) => ({ label, issuer })), close };
};

const startOne = async (
  { plan, port }: PlannedStandIn,
  clientSecret: string,
  { port: appPort, people = labPeople, startGoogle: start }: StandInOptions,
): Promise<Upstream & { readonly plan: Plan }> => {
  const starter = plan.id === 'google' && start !== undefined ? start : plan.start;
  const app = `http://localhost:${appPort}`;
  try {
    const upstream = await starter({
      ...{ port, clientId, clientSecret, people },
      redirectUris: [`${app}/callback/${plan.id}`],
      backchannelLogoutUri: `${app}/backchannel-logout/${plan.id}`,
    });
    return { ...upstream, plan };
  } catch (cause) {
    throw new StartRefused(`The stand-in for ${plan.label} did not start on port ${port}.`, { cause });
  }
};
