/** Prints the measurements as a table, and checks them against their goals. */
import { median, type Round } from './measure.ts';

/** A line of the table: a figure that is computed for every round. */
export interface Line<Name extends string> {
  readonly label: string;
  readonly digits: number;
  readonly compute: (round: Round<Name>) => number;
  /** The maximum that this project allows. */
  readonly goal?: number;
}

/** Prints every line, and returns whether all goals were met. */
export const report = <Name extends string>(
  rounds: readonly Round<Name>[],
  lines: readonly Line<Name>[],
): 'met' | 'missed' => {
  console.log(formatRow('', ['median', 'least', 'most']));
  const results = lines.map((line) => printLine(line, rounds.map(line.compute)));
  return results.includes('missed') ? 'missed' : 'met';
};

const printLine = <Name extends string>(
  { label, digits, goal }: Line<Name>,
  values: readonly number[],
): 'met' | 'missed' => {
  const medianValue = median(values);
  const result = goal === undefined || medianValue <= goal ? 'met' : 'missed';
  const remark = goal === undefined ? '' : `   goal ${goal}: ${result}`;
  const figures = [medianValue, Math.min(...values), Math.max(...values)].map((value) =>
    value.toFixed(digits),
  );
  console.log(formatRow(label, figures) + remark);
  return result;
};

const formatRow = (label: string, figures: readonly string[]): string =>
  label.padEnd(44) + figures.map((figure) => figure.padStart(9)).join('');
