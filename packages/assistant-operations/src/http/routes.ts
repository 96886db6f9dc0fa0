/**
 * Finds the operation that a request calls, by its method and path. The segments of a path are compared after
 * their percent-encoding is decoded, once. So a path has the same meaning in each of its spellings
 * (RFC 3986 §6.2.2.2), and none of these avoids the guard.
 */
import { DefinitionError } from '../define-api.ts';
import type { Operation } from '../operation.ts';
import { createInputReader, type ReadInput } from './read-input.ts';

/** What a request calls at a path that belongs to the API. */
export type RouteMatch<Context> =
  | {
      readonly kind: 'operation';
      readonly operation: Operation<Context>;
      readonly readInput: ReadInput;
      /** The decoded path fields. */
      readonly pathParameters: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'unknown-method'; readonly allowedMethods: readonly string[] }
  | { readonly kind: 'unknown-path'; readonly pathname: string };

/** Returns what a request calls, or `undefined` if the path does not belong to the API. */
export type FindRoute<Context> = (method: string, pathname: string) => RouteMatch<Context> | undefined;

interface Route<Context> {
  readonly operation: Operation<Context>;
  readonly readInput: ReadInput;
  /** The methods that the operation handles, in upper case. */
  readonly methods: readonly string[];
  /** The segments of the path. Those of fields have their name in braces. */
  readonly template: readonly string[];
}

/**
 * Creates the function that finds operations.
 * @throws DefinitionError if the path of an operation is neither `basePath` nor below it
 */
export const createRouteFinder = <Context>(
  operations: readonly Operation<Context>[],
  basePath: string,
): FindRoute<Context> => {
  const base = basePath.split('/');
  const routes = operations.map(createRoute).toSorted(compareRoutes);
  for (const { operation, template } of routes) {
    if (!isWithin(base, template))
      throw new DefinitionError(
        `${operation.id}: the path ${operation.path} must be ${basePath} or below it.`,
      );
  }
  return (method, pathname) => {
    const segments = pathname.split('/').map(decodeSegment);
    if (!isWithin(base, segments)) return undefined;
    const allowedMethods: string[] = [];
    for (const { operation, readInput, methods, template } of routes) {
      const pathParameters = readPathParameters(template, segments);
      if (pathParameters === undefined) continue;
      if (methods.includes(method)) return { kind: 'operation', operation, readInput, pathParameters };
      allowedMethods.push(...methods);
    }
    if (allowedMethods.length === 0) return { kind: 'unknown-path', pathname };
    return { kind: 'unknown-method', allowedMethods: [...new Set(allowedMethods)] };
  };
};

const createRoute = <Context>(operation: Operation<Context>): Route<Context> => ({
  operation,
  readInput: createInputReader(operation),
  methods: operation.method === 'get' ? ['GET', 'HEAD'] : [operation.method.toUpperCase()],
  template: operation.path.split('/'),
});

/**
 * Orders routes so that the first one that matches a request is the most specific one: where a path has text
 * and another one a field, the text comes first (OpenAPI 3.1 §4.8.8).
 */
const compareRoutes = (one: Route<never>, other: Route<never>): number =>
  rank(one).localeCompare(rank(other));

/** Returns a digit for each segment of a path, which is higher for a field. */
const rank = ({ template }: Route<never>): string =>
  template.map((segment) => (isField(segment) ? 1 : 0)).join('');

/** Returns whether a path is the base path, or below it. */
const isWithin = (base: readonly string[], segments: readonly string[]): boolean =>
  base.every((segment, index) => segment === segments[index]);

/**
 * Decodes a segment of a path. If that is impossible, returns an empty one, which no operation has in its path,
 * not even as a field.
 */
const decodeSegment = (segment: string): string => {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return '';
  }
};

/** Reads the fields of a path, or returns `undefined` if the path does not match the template. */
const readPathParameters = (
  template: readonly string[],
  segments: readonly string[],
): Readonly<Record<string, string>> | undefined => {
  const isMatch = (expected: string, index: number): boolean =>
    isField(expected) ? segments[index] !== '' : segments[index] === expected;
  if (template.length !== segments.length || !template.every(isMatch)) return undefined;
  const pathParameters: Record<string, string> = {};
  template.forEach((expected, index) => {
    if (isField(expected)) pathParameters[expected.slice(1, -1)] = segments[index] ?? '';
  });
  return pathParameters;
};

/** Text never starts with a brace. */
const isField = (segment: string): boolean => segment.startsWith('{');
