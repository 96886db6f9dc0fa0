/**
 * Reads the bindings of the platform's services from the environment. The Wrangler file uses the same names.
 */
import { type Environment, VariableError } from './config/variables.ts';
import type { LimitName, RateLimitBinding } from './limits.ts';

/** The services of the platform. */
export interface Bindings {
  readonly db: D1Database;
  /** The static files. */
  readonly assets: { fetch(url: string, init?: Pick<Request, 'method' | 'headers'>): Promise<Response> };
  /** The platform's counters. Pages has none. */
  readonly rateLimitBindings?: Partial<Readonly<Record<LimitName, RateLimitBinding>>>;
}

/**
 * Reads the bindings.
 * @throws VariableError if `DB` or `ASSETS` is missing, or if one of them or a `LIMIT_…` variable is bound to
 *   something else
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
      ...readRateLimitBinding('pageRequests', 'LIMIT_PAGE_REQUESTS', environment),
      ...readRateLimitBinding('requestsPerSignIn', 'LIMIT_SIGN_IN_REQUESTS', environment),
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
