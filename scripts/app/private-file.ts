/** Writes files with secrets so that only their owner can ever read them. */
import { chmod, mkdir, realpath, rename, rm, writeFile } from 'node:fs/promises';

/** Replaces a file. A process that has the old file open continues to read the old content. */
export const writePrivateFile = async (file: string, text: string): Promise<void> => {
  const target = await resolveLink(file);
  // The mode applies only to a new file, so the existing file is not written to.
  const temporaryFile = `${target}.${process.pid}`;
  try {
    await writeFile(temporaryFile, text, { mode: 0o600, flag: 'wx' });
    await rename(temporaryFile, target);
  } catch (error) {
    await rm(temporaryFile, { force: true });
    throw error;
  }
};

/** Makes an existing file readable and writable only for its owner. */
export const makePrivate = (file: string): Promise<void> => chmod(file, 0o600);

/**
 * Creates the folder if it does not exist. Other users can't list it or open files in it afterwards, even if
 * they could before.
 */
export const ensurePrivateFolder = async (folder: string): Promise<void> => {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
};

/** Resolves a symbolic link, so that its target is replaced and not the link. */
const resolveLink = async (file: string): Promise<string> => {
  try {
    return await realpath(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return file;
    throw error;
  }
};
