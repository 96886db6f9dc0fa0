/** The fields of an operation's input, and by which way each travels in a request: path, query or body. */
import type { Method, Operation } from './operation.ts';

/** Names of all fields of an operation's input. */
export const fields = ({ input }: Operation<never>): readonly string[] => Object.keys(input.entries);

/** Names of the fields that stand in a path template, in order. */
export const pathFields = (path: string): readonly string[] =>
  [...path.matchAll(/\{([^}]*)\}/g)].map(([, name]) => name ?? '');

/** Names of the fields that do not stand in the path. */
export const fieldsBeyondPath = (operation: Operation<never>): readonly string[] => {
  const inPath = pathFields(operation.path);
  return fields(operation).filter((name) => !inPath.includes(name));
};

/** Whether fields beyond the path travel in a JSON body; otherwise in the query. */
export const carriesBody = (method: Method): boolean => method !== 'get' && method !== 'delete';
