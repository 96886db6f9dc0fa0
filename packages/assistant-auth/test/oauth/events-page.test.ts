/** The table of refusal codes in docs/reference/events.md. */
import { expect, it } from 'vitest';
import page from '../../../../docs/reference/events.md?raw';
import { errorTables, refusalsByCode } from '../refusals.ts';

/** The rows with an error code: their code, status and error code. Those of `assistant-operations` have none. */
const rows = [
  ...page.matchAll(/^\| `([a-z.-]+)` \| [^|]+ \| (\d{3}) `([a-z_]+)` \| [^|]+ \| [^|]+ \|$/gm),
].map(([, reason = '', status, code]) => [reason, { status: Number(status), code }] as const);

it('lists every code with its status and error code', () => {
  const definitions = [...refusalsByCode].map(([reason, { status, code }]) => [reason, { status, code }]);
  expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(definitions));
  expect(rows).toHaveLength(definitions.length);
});

it('each code is defined only once, so that it has one meaning', () => {
  const codes = errorTables.flatMap((table) => Object.keys(table));
  expect(codes).toEqual([...new Set(codes)]);
});
