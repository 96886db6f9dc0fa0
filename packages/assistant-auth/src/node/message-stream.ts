/** Reads the body of a Node message as a stream of the Fetch API, and copies its headers. */

import type { Readable } from 'node:stream';

/** What `streamMessage` needs to know about its message. */
interface StreamOptions {
  /** Called once, before the first read. If it throws, the stream fails with that error. */
  readonly onFirstRead?: () => void;
  /** Called if the reader cancels the stream, after all listeners except the one for errors are removed. */
  readonly onCancel: () => void;
  /** Returns the error of the stream for an error of the message. Default: the same error. */
  readonly mapError?: (error: unknown) => unknown;
}

/**
 * Streams a body. The message is not touched before the first read, so that other code can still read a body
 * that this stream did not read. `Readable.toWeb` adds its listeners at once, and it destroys the connection
 * when the stream is canceled, before an error response could be sent.
 */
export const streamMessage = (
  message: Readable,
  { onFirstRead = noop, onCancel, mapError = (error) => error }: StreamOptions,
): ReadableStream<Uint8Array> => {
  let stop: (() => void) | undefined;
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (stop === undefined) {
          onFirstRead();
          stop = forward(message, controller, mapError);
        }
        message.resume();
      },
      cancel() {
        stop?.();
        onCancel();
      },
    },
    { highWaterMark: 0 },
  );
};

/**
 * Forwards a message to a stream, one chunk each time the message is resumed.
 * @returns a function that removes the listeners
 */
const forward = (
  message: Readable,
  controller: ReadableStreamDefaultController<Uint8Array>,
  mapError: (error: unknown) => unknown,
): (() => void) => {
  const stop = (): void => {
    message.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose);
  };
  const fail = (error: unknown): void => {
    stop();
    controller.error(mapError(error));
  };
  const onData = (chunk: Uint8Array): void => {
    message.pause();
    controller.enqueue(chunk);
  };
  const onEnd = (): void => {
    stop();
    controller.close();
  };
  const onError = (error: unknown): void => fail(error);
  const onClose = (): void => fail(new Error('The connection was closed before the body was complete.'));
  // After the other listeners are removed, an error without a listener could end the process.
  message.on('error', noop).on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose);
  if (message.destroyed) onClose();
  return stop;
};

const noop = (): void => {};

/**
 * Copies headers from `rawHeaders`, which still has every repeated header. They are joined as the Fetch API
 * joins them, and several `Cookie` headers with a semicolon (RFC 6265 §5.4, RFC 9113 §8.2.3). The
 * pseudo-headers of HTTP/2 are left out.
 */
export const copyHeaders = (rawHeaders: readonly string[]): Headers => {
  const headers = new Headers();
  const cookies: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const [name = '', value = ''] = rawHeaders.slice(index, index + 2);
    if (name.startsWith(':')) continue;
    if (name.toLowerCase() === 'cookie') cookies.push(value);
    else headers.append(name, value);
  }
  if (cookies.length > 0) headers.set('cookie', cookies.join('; '));
  return headers;
};
