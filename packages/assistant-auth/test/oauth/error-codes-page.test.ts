/** The tables in docs/reference/error-codes.md. */
import { expect, it } from 'vitest';
import page from '../../../../docs/reference/error-codes.md?raw';
import { errorTables, refusalsByCode } from '../refusals.ts';

/** The rows with an OAuth error: their code, status and error. Those of `assistant-operations` have none. */
const rows = [
  ...page.matchAll(/^\| `([a-z.-]+)` \| [^|]+ \| (\d{3}) `([a-z_]+)` \| [^|]+ \| [^|]+ \|$/gm),
].map(([, reason = '', status, code]) => [reason, { status: Number(status), code }] as const);

it('lists every code with its status and error', () => {
  const definitions = [...refusalsByCode].map(([reason, { status, code }]) => [reason, { status, code }]);
  expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(definitions));
  expect(rows).toHaveLength(definitions.length);
});

it('each code is defined only once, so that it has one meaning', () => {
  const codes = errorTables.flatMap((table) => Object.keys(table));
  expect(codes).toEqual([...new Set(codes)]);
});

it('lists every error that clients and providers receive, with its statuses', () => {
  const errors = [...page.matchAll(/^\| `([a-z_]+)` \| (\d{3}(?:, \d{3})*) \| /gm)].map(
    ([, error = '', statuses = '']) => [error, statuses.split(', ').map(Number)] as const,
  );
  // The Actions of GPTs get this status for a refresh token that is not valid.
  const statuses = new Map([['invalid_grant', new Set([401])]]);
  for (const { code, status } of refusalsByCode.values())
    statuses.set(code, (statuses.get(code) ?? new Set()).add(status));
  const sorted = [...statuses].map(([error, found]) => [error, [...found].toSorted()]);
  expect(Object.fromEntries(errors)).toEqual(Object.fromEntries(sorted));
  expect(errors).toHaveLength(statuses.size);
});
