/**
 * `npm run scale`: simulates a day of a million users with the product's own stores on several local D1
 * databases, and computes from the measured costs when one database is no longer enough. `npm run scale --
 * --users 20000` is quick. docs/scale.md explains the model and the figures.
 */
import { parseArgs } from 'node:util';
import { findDifferences } from './expected.ts';
import { printReport } from './report.ts';
import { runDay } from './runner.ts';

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '1000000' },
    databases: { type: 'string', default: '8' },
    isolates: { type: 'string', default: '100' },
  },
});

/** @throws RangeError unless it is a whole number from 1 to `most` */
const wholeNumber = (name: keyof typeof values, most: number): number => {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new RangeError(`--${name} must be a whole number from 1 to ${most}`);
};

const options = {
  users: wholeNumber('users', 10_000_000),
  databases: wholeNumber('databases', 64),
  isolates: wholeNumber('isolates', 10_000),
};
const outcome = await runDay({ ...options, log: console.log });
printReport(options, outcome);
const wrong = findDifferences(options.users, outcome.counts);
for (const sentence of wrong) console.error(sentence);
console.log(wrong.length === 0 ? 'nothing was lost, doubled or misplaced' : 'the stores failed');
if (wrong.length > 0) process.exitCode = 1;
