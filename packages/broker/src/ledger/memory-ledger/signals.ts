/** Providers' signals: each counts once, and ends what rests on whom it names. */

import { accountClientId } from '../../protocol/reserved.ts';
import type { SignalReach, SignalTarget } from '../../protocol/signal.ts';
import type { ReceivedSignal, SignalOutcome } from '../ledger.ts';
import { forgetToken, type Grant, type Memory, type StoredIdentity } from './memory.ts';
import { endEach } from './revocations.ts';

export const recordSignal = (memory: Memory, signal: ReceivedSignal): SignalOutcome => {
  const { provider, jti, neededUntil, before, endings, now } = signal;
  const key = JSON.stringify([provider, jti]);
  if (memory.signals.has(key)) return 'replayed';
  memory.signals.set(key, neededUntil);
  const [identities, grants] = [
    [...memory.identities.values()].filter((identity) => identity.provider === provider),
    [...memory.grants.values()].filter(
      ({ identity, signedInAt }) => identity.provider === provider && signedInAt <= before,
    ),
  ];
  for (const { target, reach } of endings) {
    const named = identities.filter((identity) => isNamed(identity, target));
    const ended = grants.filter((grant) => restsOn(grant, target, named) && isWithin(grant, reach));
    endEach(memory, ended, now);
    if (reach !== 'identity') continue;
    for (const identity of named) if (identity.lastSignInAt <= before) forgetToken(memory, identity);
  }
  return 'first';
};

const isNamed = ({ subject, tokenNames }: StoredIdentity, target: SignalTarget): boolean => {
  switch (target.kind) {
    case 'identity':
      return subject === target.subject;
    case 'session':
      return false;
    case 'token':
      return tokenNames?.includes(target.name) === true;
  }
};

const restsOn = (
  { identity, sid }: Grant,
  target: SignalTarget,
  named: readonly StoredIdentity[],
): boolean => {
  switch (target.kind) {
    // Not by its row, which may be gone already.
    case 'identity':
      return identity.subject === target.subject;
    case 'session':
      return sid === target.sid && (target.subject ?? identity.subject) === identity.subject;
    case 'token':
      return named.some(({ subject }) => subject === identity.subject);
  }
};

const isWithin = ({ clientId, refreshPolicy }: Grant, reach: SignalReach): boolean => {
  switch (reach) {
    case 'sessions':
      return clientId === accountClientId;
    case 'presence':
      return clientId === accountClientId || refreshPolicy === 'none';
    case 'grants':
    case 'identity':
      return true;
  }
};
