/** A bounded load: so many requests over a few kept connections, every answer checked. */
import { Agent, request } from 'node:http';

const connections = 16;

/**
 * Asks `url` `count` times.
 * @throws Error when an answer is not 200 with a body
 */
export const load = async (url: URL, count: number, token: string): Promise<void> => {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  let left = count;
  const oneAfterAnother = async (): Promise<void> => {
    while (left-- > 0) await ask(url, token, agent);
  };
  await Promise.all(Array.from({ length: connections }, oneAfterAnother));
  agent.destroy();
};

const ask = (url: URL, token: string, agent: Agent): Promise<void> =>
  new Promise((resolve, reject) => {
    const sent = request(url, { agent, headers: { authorization: `Bearer ${token}` } }, (response) => {
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
      });
      response.on('end', () => {
        if (response.statusCode === 200 && length > 0) resolve();
        else reject(new Error(`${url.pathname} answered ${response.statusCode}`));
      });
    });
    sent.on('error', reject);
    sent.end();
  });
