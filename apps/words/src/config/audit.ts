/** How long the audit is kept. */
import { type Environment, optional, VariableError } from './variables.ts';

const [shortest, longest] = [1, 400];

/** @throws VariableError unless `AUDIT_DAYS` is left out or a whole number of days from 1 to 400 */
export const readAuditRetention = (environment: Environment): { readonly auditRetention?: number } => {
  const text = optional(environment, 'AUDIT_DAYS');
  if (text === undefined) return {};
  const days = /^[1-9]\d{0,2}$/.test(text) ? Number(text) : 0;
  if (days >= shortest && days <= longest) return { auditRetention: days * 86_400 };
  throw new VariableError('AUDIT_DAYS', `must be a whole number of days, ${shortest} to ${longest}.`);
};
