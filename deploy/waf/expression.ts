/**
 * Evaluates the part of Cloudflare's rules language that the rules here use, so that tests can run the rules
 * without Cloudflare.
 */

/** The request fields that an expression can use: those that every plan has. */
export interface Fields {
  readonly 'http.request.uri.path': string;
}

type Predicate = (fields: Fields) => boolean;

/**
 * Parses an expression: `eq`, `in`, `starts_with`, `ends_with`, `not`, `and`, `or` and parentheses.
 * @throws SyntaxError for anything else
 */
export const readExpression = (text: string): Predicate => {
  const tokens = tokensOf(text);
  const expression = readAlternatives(tokens);
  if (tokens.length > 0) throw new SyntaxError(`${tokens[0]} is left over`);
  return expression;
};

/** The remaining tokens. Parsing removes tokens from the front. */
type Tokens = string[];

const tokensOf = (text: string): Tokens => {
  const token = /\s*("[^"\\]*"|[a-z_][a-z_.]*|[(){},])\s*/gy;
  const tokens = [...text.matchAll(token)];
  if (tokens.map(([whole]) => whole).join('') !== text)
    throw new SyntaxError(`${text} holds what is not understood`);
  return tokens.map(([, found = '']) => found);
};

/** `or` has the lowest precedence, then `and`, then `not`. */
const readAlternatives = (tokens: Tokens): Predicate => {
  const first = readConjunction(tokens);
  if (!consumeIf(tokens, 'or')) return first;
  const rest = readAlternatives(tokens);
  return (fields) => first(fields) || rest(fields);
};

const readConjunction = (tokens: Tokens): Predicate => {
  const first = readNegation(tokens);
  if (!consumeIf(tokens, 'and')) return first;
  const rest = readConjunction(tokens);
  return (fields) => first(fields) && rest(fields);
};

const readNegation = (tokens: Tokens): Predicate => {
  if (!consumeIf(tokens, 'not')) return readComparison(tokens);
  const negated = readNegation(tokens);
  return (fields) => !negated(fields);
};

const readComparison = (tokens: Tokens): Predicate => {
  if (consumeIf(tokens, '(')) {
    const inner = readAlternatives(tokens);
    expectToken(tokens, ')');
    return inner;
  }
  if (consumeIf(tokens, 'starts_with')) return readCall(tokens, (value, text) => value.startsWith(text));
  if (consumeIf(tokens, 'ends_with')) return readCall(tokens, (value, text) => value.endsWith(text));
  const field = readField(tokens);
  if (consumeIf(tokens, 'eq')) {
    const expected = readText(tokens);
    return (fields) => fields[field] === expected;
  }
  expectToken(tokens, 'in');
  const set = readSet(tokens);
  return (fields) => set.includes(fields[field]);
};

const readCall = (tokens: Tokens, matches: (value: string, text: string) => boolean): Predicate => {
  expectToken(tokens, '(');
  const field = readField(tokens);
  expectToken(tokens, ',');
  const text = readText(tokens);
  expectToken(tokens, ')');
  return (fields) => matches(fields[field], text);
};

const readSet = (tokens: Tokens): readonly string[] => {
  expectToken(tokens, '{');
  const members: string[] = [];
  while (!consumeIf(tokens, '}')) members.push(readText(tokens));
  return members;
};

const readField = (tokens: Tokens): keyof Fields => {
  expectToken(tokens, 'http.request.uri.path');
  return 'http.request.uri.path';
};

const readText = (tokens: Tokens): string => {
  const text = tokens.shift();
  if (!text?.startsWith('"')) throw new SyntaxError(`${text} stands where a text is due`);
  return text.slice(1, -1);
};

const consumeIf = (tokens: Tokens, wanted: string): boolean => {
  if (tokens[0] !== wanted) return false;
  tokens.shift();
  return true;
};

const expectToken = (tokens: Tokens, wanted: string): void => {
  if (!consumeIf(tokens, wanted)) throw new SyntaxError(`${tokens[0]} stands where ${wanted} is due`);
};
