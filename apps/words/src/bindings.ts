/** The platform's services that the app stands on, found in the environment under the names of the Wrangler file. */
import { type Environment, VariableError } from './config/variables.ts';
import type { LimitName, RateLimitBinding } from './limits.ts';

export interface Bindings {
  readonly db: D1Database;
  /** The static files. */
  readonly assets: { fetch(url: string): Promise<Response> };
  /** What the platform counts; Pages counts nothing. */
  readonly rateLimitBindings?: Partial<Readonly<Record<LimitName, RateLimitBinding>>>;
}

/**
 * Finds the bindings.
 * @throws VariableError naming `DB` or `ASSETS` when it is not bound, `LIMIT_…` when it is bound to something else
 */
export const readBindings = (environment: Environment): Bindings => {
  const { DB, ASSETS } = environment;
  if (!isDatabase(DB)) throw new VariableError('DB', 'must be bound to a D1 database.');
  if (!isAssets(ASSETS)) throw new VariableError('ASSETS', 'must be bound to the static assets.');
  return {
    db: DB,
    assets: ASSETS,
    rateLimitBindings: {
      ...readRateLimitBinding('failedAuthentications', 'LIMIT_FAILED_CLIENTS', environment),
      ...readRateLimitBinding('signIns', 'LIMIT_SIGN_INS', environment),
      ...readRateLimitBinding('refreshesPerGrant', 'LIMIT_REFRESHES', environment),
      ...readRateLimitBinding('reads', 'LIMIT_READS', environment),
      ...readRateLimitBinding('writes', 'LIMIT_WRITES', environment),
    },
  };
};

const readRateLimitBinding = (name: LimitName, variable: string, environment: Environment) => {
  const binding = environment[variable];
  if (binding === undefined) return {};
  if (!isRateLimitBinding(binding)) throw new VariableError(variable, 'must be bound to a rate limiter.');
  return { [name]: binding };
};

const isDatabase = (value: unknown): value is D1Database =>
  typeof value === 'object' && value !== null && 'prepare' in value && 'batch' in value;

const isAssets = (value: unknown): value is Bindings['assets'] =>
  typeof value === 'object' && value !== null && 'fetch' in value;

const isRateLimitBinding = (value: unknown): value is RateLimitBinding =>
  typeof value === 'object' && value !== null && 'limit' in value;
