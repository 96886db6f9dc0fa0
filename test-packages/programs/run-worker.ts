/** Starts the Worker in workerd, runs the flow against it, and prints the outcome. */
import process from 'node:process';
import { runFlow } from './flow.ts';
import { startLocalWorker } from './local-worker.ts';

const [persist = ''] = process.argv.slice(2);
const issuer = 'https://words.example';
const { send, stop } = await startLocalWorker({ config: 'programs/wrangler.json', persist, issuer });

const outcome = await runFlow({
  issuer,
  fetch: send,
  advance: async (seconds) => {
    await send(new Request(`${issuer}/advance?seconds=${seconds}`));
  },
});
console.log(JSON.stringify(outcome));
await stop();
