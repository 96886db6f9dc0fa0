/** Tests `--help`, which prints the usage of a command and does nothing else. */
import { expect, it } from 'vitest';
import { runCommand } from './command.ts';

it.each([
  ['start', [], '--origin'],
  ['start', [], '--inspect'],
  ['demo', [], '--mcp'],
  ['keys', [], 'retire <id>'],
  ['keys', ['burn'], 'burn <id>'],
  ['keys', ['help'], 'retire <id>'],
  ['admin', ['help'], 'no-upstream-token'],
  ['admin', ['stats'], '--days'],
  ['admin', [], 'no-upstream-token'],
  ['admin', ['delete'], 'delete <user>'],
  ['setup', [], '--origin'],
  ['deploy', [], '--dry-run'],
] as const)('npm run %s prints its usage with --help and -h: %j', async (script, args, expectedText) => {
  const results = ['--help', '-h'].map((help) => runCommand(script, {}, { args: [...args, help] }));
  for (const { code, stdout, stderr } of await Promise.all(results)) {
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Usage: npm /);
    expect(stdout).toContain(expectedText);
  }
});
