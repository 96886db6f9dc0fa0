/** The identity providers' stand-ins on this machine, started and ended together. */
import { randomBytes } from 'node:crypto';
import { people as labPeople, type Person, type StartUpstream, type Upstream } from '@words-with-chat/lab';
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

export interface StandIns {
  /** In the order of their ports. */
  readonly all: readonly StandIn[];
  /** The app's variables for them; some are secret. */
  readonly variables: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/**
 * Starts all of them, or none.
 * @throws StartRefused when one of their ports is taken, or one does not start
 */
export const startStandIns = async (options: StandInOptions): Promise<StandIns> => {
  await Promise.all(plans.map((_, at) => demandFree('STANDIN_PORT', options.standInPort + at)));
  // Good until the next start: by then the stand-ins have forgotten whatever it opened.
  const secret = randomBytes(32).toString('base64url');
  const started = await Promise.allSettled(plans.map((plan, at) => startOne(plan, at, secret, options)));
  const running = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const close = async (): Promise<void> => {
    await Promise.all(running.map((upstream) => upstream.close()));
  };
  const failed = started.find((one) => one.status === 'rejected');
  if (failed !== undefined) {
    await close();
    throw failed.reason;
  }
  const variables = running.map(({ issuer, plan }) => plan.variables(issuer, secret));
  return {
    all: running.map(({ issuer, plan: { label } }) => ({ label, issuer })),
    variables: Object.assign({}, ...variables),
    close,
  };
};

const startOne = async (
  plan: Plan,
  at: number,
  clientSecret: string,
  { port, standInPort, people = labPeople, startGoogle: start }: StandInOptions,
): Promise<Upstream & { readonly plan: Plan }> => {
  const starter = plan.id === 'google' && start !== undefined ? start : plan.start;
  const app = `http://localhost:${port}`;
  try {
    const upstream = await starter({
      ...{ port: standInPort + at, clientId, clientSecret, people },
      redirectUris: [`${app}/callback/${plan.id}`],
      backchannelLogoutUri: `${app}/backchannel-logout/${plan.id}`,
    });
    return { ...upstream, plan };
  } catch (cause) {
    throw new StartRefused(`The stand-in for ${plan.label} did not start on port ${standInPort + at}.`, {
      cause,
    });
  }
};
