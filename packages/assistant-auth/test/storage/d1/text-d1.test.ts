import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { d1Storage, textD1 } from '../../../src/storage/sqlite/d1.ts';
import { inlineParameters, toSqlLiteral } from '../../../src/storage/sqlite/text-d1.ts';
import { storageContract } from '../storage-contract.ts';
import { emptyD1 } from './empty-d1.ts';

/** Carries texts out on the real database, which is told no value beside them. */
const execute = async (statements: readonly string[]): Promise<string> =>
  JSON.stringify(await env.DB.batch(statements.map((statement) => env.DB.prepare(statement))));

const texts = fc.oneof(
  fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
  fc.string({ unit: 'grapheme' }),
  fc
    .array(
      fc.constantFrom("'", "''", '"', ';', '--', '/*', '\0', '\r\n', '?1', '\\', 'ß', '😀', ' ', 'OR 1=1'),
    )
    .map((parts) => parts.join('')),
);

describe('a literal', () => {
  it('of a text is that text to the database, and cannot be read as anything else', () =>
    fc.assert(
      fc.asyncProperty(texts, async (text) => {
        const written = toSqlLiteral(text);
        const row = await env.DB.prepare(
          `SELECT hex(${written}) AS bytes, typeof(${written}) AS type`,
        ).first();
        const bytes = Array.from(new TextEncoder().encode(text), (byte) =>
          byte.toString(16).padStart(2, '0'),
        );
        expect(row).toEqual({ bytes: bytes.join('').toUpperCase(), type: 'text' });
        expect(written).toMatch(/^('[\w .:/@-]*'|CAST\(x'[0-9a-f]*' AS TEXT\))$/);
      }),
      { numRuns: 300 },
    ));

  it('of a number is that number, on either side of a minus sign', () =>
    fc.assert(
      fc.asyncProperty(fc.maxSafeInteger(), async (number) => {
        const row = await env.DB.prepare(
          `SELECT ${toSqlLiteral(number)} AS n, 0 - ${toSqlLiteral(number)} AS minus`,
        ).first();
        expect(row).toEqual({ n: number === 0 ? 0 : number, minus: 0 - number });
      }),
    ));

  it('of nothing is NULL', () => {
    expect(toSqlLiteral(null)).toBe('NULL');
  });

  it.each([
    ['nothing at all', undefined, TypeError],
    ['a truth', true, TypeError],
    ['an object', {}, TypeError],
    ['bytes', new Uint8Array(1), TypeError],
    ['no number', Number.NaN, RangeError],
    ['what is endless', Number.POSITIVE_INFINITY, RangeError],
    ['half a character', '\ud800', RangeError],
  ])('is not written for %s', (_, value, error) => {
    expect(() => toSqlLiteral(value)).toThrow(error);
  });
});

describe('literals in place of parameters', () => {
  it('stand where their numbers stand, however often, and not in quotes', () => {
    const query = "SELECT ?2, '?1', 'it''s ?1', ?1, ?2, ?10";
    const values = ['a', 7, ...Array.from({ length: 7 }, () => null), "o'x"];
    expect(inlineParameters(query, values)).toBe(
      "SELECT 7, '?1', 'it''s ?1', 'a', 7, CAST(x'6f2778' AS TEXT)",
    );
  });

  it('are not put in place of one another', () => {
    expect(inlineParameters('SELECT ?1, ?2', ['?2', 1])).toBe("SELECT CAST(x'3f32' AS TEXT), 1");
  });

  it.each(['SELECT ?', 'SELECT ?2', 'SELECT ?0'])('are demanded: %s', (query) => {
    expect(() => inlineParameters(query, ['a'])).toThrow(RangeError);
  });
});

describe('a database that takes text', () => {
  it('tells what each statement found and changed', async () => {
    const db = textD1(async (statements) => execute(statements));
    await emptyD1();
    const results = await db.batch([
      db.prepare('INSERT INTO users (id, created_at) VALUES (?1, ?2), (?3, ?2)').bind("o'x", 1, 'b'),
      db.prepare('UPDATE users SET created_at = 2 WHERE id = ?1').bind('nobody'),
      db.prepare('SELECT changes() AS n, (SELECT count(*) FROM users) AS users'),
      db.prepare('DELETE FROM users WHERE created_at = ?1 RETURNING id').bind(1),
    ]);
    expect(results.map(({ results: rows }) => rows)).toEqual([
      [],
      [],
      [{ n: 0, users: 2 }],
      expect.arrayContaining([{ id: "o'x" }, { id: 'b' }]),
    ]);
    expect([0, 1, 3].map((at) => results[at]?.meta.changes)).toEqual([2, 0, 2]);
  });

  it('refuses statements of another database', async () => {
    const db = textD1(execute);
    await expect(db.batch([env.DB.prepare('SELECT 1')])).rejects.toThrow('a statement of another database');
  });

  it('does not take few answers for all', async () => {
    const db = textD1(async () => '[{"results":[]}]');
    await expect(db.batch([db.prepare('SELECT 1')])).rejects.toThrow('fewer answers than statements');
  });
});

storageContract('storage on a D1 that takes text', async () => {
  await emptyD1();
  return d1Storage(textD1(execute));
});
