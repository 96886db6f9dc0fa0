/**
 * `npm run migrations:embed`: copies the migrations of assistant-auth, which Wrangler applies to D1, into the
 * module that `migrate` in `assistant-auth/sqlite` applies. With `--check`, fails if the module is out of date.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = 'packages/assistant-auth/migrations';
const file = 'packages/assistant-auth/src/storage/sqlite/migrations.ts';

/**
 * Splits a migration into statements, without comments.
 * @throws Error for a trigger, which contains semicolons, and for characters with a meaning in a template string
 */
const splitStatements = (sql: string): readonly string[] => {
  const code = sql.replaceAll(/^\s*--.*\n/gm, '');
  if (/\bTRIGGER\b|[`\\]|\$\{/i.test(code))
    throw new Error('a migration must not contain a trigger, a backtick, a backslash or ${');
  return code
    .split(/;[ \t]*\n/)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
};

const embed = (names: readonly string[]): string => {
  const entries = names.map((name) => {
    const statements = splitStatements(readFileSync(join(folder, name), 'utf8'));
    return `  {\n    name: '${name}',\n    statements: [\n${statements.map((one) => `      \`${one}\`,\n`).join('')}    ],\n  },\n`;
  });
  return `/** The files in \`migrations/\`, split into statements. Written by \`npm run migrations:embed\`: do not edit. */

/** A migration, and its statements in order. */
interface Migration {
  readonly name: string;
  readonly statements: readonly string[];
}

export const migrations: readonly Migration[] = [
${entries.join('')}];
`;
};

const content = embed(
  readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .toSorted(),
);
if (!process.argv.includes('--check')) writeFileSync(file, content);
else if (readFileSync(file, 'utf8') !== content) {
  console.error(`${file} is out of date. Run npm run migrations:embed.`);
  process.exitCode = 1;
}
