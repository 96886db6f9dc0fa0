/** The app's variables in a file, and not among a command's arguments, which every process on the machine can read. */
import { writePrivateFile } from '../app/private-file.ts';
import { StartRefused } from '../local-system/ports.ts';

/**
 * Writes them so that only their owner can read them.
 * @throws StartRefused for a value that such a file cannot hold
 */
export const writeVariables = async (
  file: string,
  variables: Readonly<Record<string, string>>,
): Promise<void> => {
  const lines = Object.entries(variables).map(([name, value]) => {
    if (/['$\n]/.test(value))
      throw new StartRefused(`${name} cannot hold a quote, a dollar sign or a line break.`);
    return `${name}='${value}'\n`;
  });
  await writePrivateFile(file, lines.join(''));
};
