/** Reads how long the audit log is kept. */
import { type Environment, optional, VariableError } from './variables.ts';

/** In days. */
const [shortest, longest] = [1, 400];

/**
 * Reads `AUDIT_DAYS` and converts it to seconds. Default: the broker's default.
 * @throws VariableError unless it is a whole number of days from 1 to 400
 */
export const readAuditRetention = (environment: Environment): { readonly auditRetention?: number } => {
  const text = optional(environment, 'AUDIT_DAYS');
  if (text === undefined) return {};
  const days = /^[1-9]\d{0,2}$/.test(text) ? Number(text) : 0;
  if (days >= shortest && days <= longest) return { auditRetention: days * 86_400 };
  throw new VariableError('AUDIT_DAYS', `must be a whole number of days from ${shortest} to ${longest}.`);
};
