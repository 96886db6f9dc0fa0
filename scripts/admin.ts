/**
 * `npm run admin`: shows an operator users, grants and the audit, and ends or deletes what is named, in the database of `npm start` or
 * the deployed one (docs/operator.md).
 */
import { readArguments, usage } from './admin/arguments.ts';
import { runErrand } from './admin/errands.ts';
import { runCommand, showsHelp } from './app/command.ts';
import { saysDatabase } from './database/databases.ts';
import { findPlace } from './database/place.ts';

const main = async (): Promise<void> => {
  const given = readArguments(process.argv.slice(2));
  const place = findPlace(given.place, process.env);
  if (place === undefined) throw new Error('no place');
  const answer = await runErrand(place, given).catch(saysDatabase);
  console.log(given.form === 'json' ? JSON.stringify(answer.json, null, 2) : answer.text);
};

if (!showsHelp(usage)) await runCommand(main);
