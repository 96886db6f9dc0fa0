/** Keeps one network from going through a sign-in's endpoints more often than all of its people together would. */
import type { AddressBlockOf } from '../limits/address-block.ts';
import type { Limits } from '../limits/limits.ts';
import { Refusal } from '../protocol/errors.ts';
import type { EndpointPlan } from './endpoint.ts';

/** What counts, and what is counted by. */
export interface AddressLimit {
  readonly limits: Pick<Limits, 'signIns'>;
  readonly addressBlockOf: AddressBlockOf;
}

/** The same endpoint, for so many requests of one address block. */
export const limitByAddress = (
  plan: EndpointPlan,
  { limits, addressBlockOf }: AddressLimit,
): EndpointPlan => ({
  ...plan,
  async handle(visit) {
    const block = addressBlockOf(visit.request);
    // Where nobody's address is known, one allowance would be everybody's, and anybody could spend it.
    if (block !== undefined && (await limits.signIns.take(block)) === 'limited')
      throw new Refusal('sign-in.limited');
    return plan.handle(visit);
  },
});
