/** Reads how long the audit log is kept. */
import { type Environment, readOptionalVariable, VariableError } from './variables.ts';

/** In days. */
const [minDays, maxDays] = [1, 400];

/**
 * Reads `AUDIT_DAYS` and converts it to seconds. Default: the broker's default.
 * @throws VariableError unless it is a whole number of days from 1 to 400
 */
export const readAuditRetention = (environment: Environment): { readonly auditRetention?: number } => {
  const text = readOptionalVariable(environment, 'AUDIT_DAYS');
  if (text === undefined) return {};
  const days = /^[1-9]\d{0,2}$/.test(text) ? Number(text) : 0;
  if (days >= minDays && days <= maxDays) return { auditRetention: days * 86_400 };
  throw new VariableError('AUDIT_DAYS', `must be a whole number of days from ${minDays} to ${maxDays}.`);
};
