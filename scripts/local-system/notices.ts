/** Leaves out what wrangler says at every start and of every request; the Worker's own lines, warnings and errors pass. */

const usual =
  /^\[wrangler:info\]|^⎔|^✨|^Using secrets defined in|^Your Worker has access to|^Binding\s|^env\.|Scheduled Workers are not automatically triggered/;

/** Passes lines on, except the usual ones and the indented lines that belong to them. */
export const withoutNotices = (log: (line: string) => void): ((line: string) => void) => {
  let isInNotice = false;
  return (line) => {
    isInNotice = usual.test(line) || (isInNotice && line.startsWith('  '));
    if (!isInNotice) log(line);
  };
};
