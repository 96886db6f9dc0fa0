import { expect, it } from 'vitest';
import { readArguments } from '../../scripts/admin/arguments.ts';

// One in 64 random IDs starts with a hyphen.
it.each(['-tEmfJooYR-dbAlS_W6RWw', '--mfJooYR-dbAlS_W6RWw', '--limitYR-dbAlS_W6RWw'])(
  'takes an id for an id, however it begins: %s',
  (id) => {
    expect(readArguments(['grants', id]).adminCommand).toEqual({ kind: 'grants', userId: id });
    expect(readArguments(['--local', 'revoke', 'user', id, '--limit', '5', '--json'])).toMatchObject({
      adminCommand: { kind: 'revoke', target: { kind: 'user', id } },
      page: { limit: 5, skip: 0 },
      outputFormat: 'json',
    });
    expect(readArguments(['delete', '--yes', id, '--skip=3'])).toMatchObject({
      adminCommand: { kind: 'delete', userId: id, confirmed: true },
      page: { skip: 3 },
    });
  },
);

it.each([[['users', '--everything']], [['grants']], [['delete', 'one', 'another']], [['--limit']], [[]]])(
  'says what may be written for %j',
  (args) => {
    expect(() => readArguments(args)).toThrow();
  },
);
