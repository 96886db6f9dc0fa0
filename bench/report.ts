/** Prints the measurements as a table, and checks them against their goals. */
import { median, type Round } from './measure.ts';

/** A line of the table: a figure that is computed for every round. */
export interface Line<Name extends string> {
  readonly label: string;
  readonly digits: number;
  readonly of: (round: Round<Name>) => number;
  /** The maximum that this project allows. */
  readonly goal?: number;
}

/** Prints every line, and returns whether all goals were met. */
export const report = <Name extends string>(
  rounds: readonly Round<Name>[],
  lines: readonly Line<Name>[],
): 'met' | 'missed' => {
  console.log(row('', ['median', 'least', 'most']));
  const verdicts = lines.map((line) => print(line, rounds.map(line.of)));
  return verdicts.includes('missed') ? 'missed' : 'met';
};

const print = <Name extends string>(
  { label, digits, goal }: Line<Name>,
  values: readonly number[],
): 'met' | 'missed' => {
  const middle = median(values);
  const verdict = goal === undefined || middle <= goal ? 'met' : 'missed';
  const remark = goal === undefined ? '' : `   goal ${goal}: ${verdict}`;
  const figures = [middle, Math.min(...values), Math.max(...values)].map((value) => value.toFixed(digits));
  console.log(row(label, figures) + remark);
  return verdict;
};

const row = (label: string, figures: readonly string[]): string =>
  label.padEnd(44) + figures.map((figure) => figure.padStart(9)).join('');
