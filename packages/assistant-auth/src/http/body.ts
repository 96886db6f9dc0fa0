/** Reads the body of a request or a response up to a limit, and waits for work until a signal is aborted. */

/**
 * Reads a body as UTF-8 text.
 * @param decoder Default: refuses invalid UTF-8
 * @param waitFor waits for each part, and can reject to stop the reading. Default: reads until the end
 * @returns `undefined` if the body has more than `maxBytes` bytes; the rest is not read
 * @throws TypeError for invalid UTF-8, the error of the body, or that of `waitFor`
 */
export const readLimitedText = async (
  body: Request['body'],
  maxBytes: number,
  decoder = new TextDecoder('utf-8', { fatal: true }),
  waitFor: <Part>(part: Promise<Part>) => Promise<Part> = (part) => part,
): Promise<string | undefined> => {
  if (body === null) return '';
  const reader = body.getReader();
  let text = '';
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await waitFor(reader.read());
      if (done) return text + decoder.decode();
      length += value.length;
      if (length > maxBytes) return undefined;
      text += decoder.decode(value, { stream: true });
    }
  } finally {
    discard(reader.cancel());
  }
};

/** Does not wait for a body to be canceled, because the connection may not respond. */
export const discard = (canceled: Promise<void> | undefined): void => void canceled?.catch(() => {});

/** Waits for work until the signal is aborted at the latest, even if the work does not stop then. */
export const raceAbort = <Result>(work: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> =>
  new Promise((resolve, reject) => {
    const abort = (): void => reject(signal?.reason);
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal?.removeEventListener('abort', abort));
  });
