/**
 * Reads the input object of an operation from a request: from the path, and from the query or the JSON body.
 * Does not validate it.
 */
import { hasRequestBody, listFieldsOutsidePath, type Operation } from '../operation.ts';
import { isJson, parseJson, readText } from './read-json.ts';
import { RefusedInputError } from './refusal.ts';

/**
 * Reads an input without validating it. `pathParameters` contains the decoded path fields. They take
 * precedence over fields of the same name in the body.
 * @throws RefusedInputError 400 for a repeated query parameter or a body that is not a JSON object; 413 for a body
 *   that is too large; 415 for a body whose `Content-Type` is not `application/json`
 */
export type ReadInput = (
  request: Request,
  pathParameters: Readonly<Record<string, string>>,
) => Promise<Readonly<Record<string, unknown>>>;

/** Creates the reader of an operation's input. */
export const createInputReader = (operation: Operation<never>): ReadInput => {
  const names = listFieldsOutsidePath(operation);
  // Without fields outside the path, query and body are not read, so the size and type of the body do not
  // matter.
  if (names.length === 0) return async (_, pathParameters) => pathParameters;
  if (hasRequestBody(operation.method)) {
    return async (request, pathParameters) => ({ ...(await readBody(request)), ...pathParameters });
  }
  return async (request, pathParameters) => ({ ...readQuery(request, names), ...pathParameters });
};

const readQuery = (request: Request, names: readonly string[]): Record<string, string> => {
  const query = new URL(request.url).searchParams;
  const values: Record<string, string> = {};
  for (const name of names) {
    const [value, ...rest] = query.getAll(name);
    if (rest.length > 0)
      throw new RefusedInputError('operation.parameter-repeated', {
        status: 400,
        detail: `The parameter ${name} was sent more than once.`,
      });
    if (value !== undefined) values[name] = value;
  }
  return values;
};

const readBody = async (request: Request): Promise<object> => {
  const text = await readText(request);
  if (text === '') return {};
  if (!isJson(request)) {
    throw new RefusedInputError('body.content-type', {
      status: 415,
      detail: 'The Content-Type must be application/json.',
      headers: { 'accept-post': 'application/json' },
    });
  }
  const body = parseJson(text);
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new RefusedInputError('body.not-object', {
      status: 400,
      detail: 'The body must be a JSON object.',
    });
  }
  return body;
};
