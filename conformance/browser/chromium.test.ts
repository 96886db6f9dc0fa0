/** Tests that the page monitor reports the errors of a page. */
import { createServer, type Server } from 'node:http';
import { findFreePort } from '@words-with-chat/lab';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium, type MonitoredContext, openContext, timeoutMs } from './chromium.ts';

let chromium: Browser;
let server: Server;
let origin: string;
let nextResponse: { readonly headers: Record<string, string>; readonly body: string };

beforeAll(async () => {
  chromium = await launchChromium();
  const port = await findFreePort();
  origin = `http://127.0.0.1:${port}`;
  server = createServer((request, response) => {
    if (request.url === '/')
      response
        .writeHead(200, { 'content-type': 'text/html', ...nextResponse.headers })
        .end(nextResponse.body);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
});

afterAll(async () => {
  await chromium.close();
  server.close();
});

const emptyPage = '<!doctype html><link rel="icon" href="data:,">';
const strictPolicy = { 'content-security-policy': "default-src 'none'; img-src data:; form-action 'self'" };

/** Opens the page, and presses its button if it has one. */
const openPage = async (body: string, headers: Record<string, string> = {}): Promise<MonitoredContext> => {
  nextResponse = { body: emptyPage + body, headers };
  const monitoredContext = await openContext(chromium);
  const page = await monitoredContext.context.newPage();
  await page.goto(origin);
  // Not `click`, which waits for the navigation that the policy blocks.
  if (body.includes('<button>')) await page.getByRole('button').dispatchEvent('click');
  return monitoredContext;
};

describe('the page monitor', () => {
  it('reports nothing for a page without problems', async () => {
    const { context, pageErrors } = await openPage('<h1>Quiet</h1>', strictPolicy);
    await context.close();
    expect(pageErrors).toEqual([]);
  });

  it.each([
    [
      'an image from another host',
      '<img alt="" src="http://example.com/x.png">',
      {},
      'request to another machine: http://example.com/x.png',
    ],
    ['a file that is missing', '<img alt="" src="/missing.png">', {}, '404'],
    ['an exception', '<script>throw new Error("broken")</script>', {}, 'exception: broken'],
    [
      'a style that the policy forbids',
      '<p style="color:red">red</p>',
      strictPolicy,
      'Content Security Policy',
    ],
    [
      'a form that the policy forbids',
      '<form method="post" action="http://localhost:1/"><button>Go</button></form>',
      strictPolicy,
      'form-action',
    ],
  ])('reports %s', async (_, body, headers, pageError) => {
    const { context, pageErrors } = await openPage(body, headers);
    await expect.poll(() => pageErrors.join('\n'), { timeout: timeoutMs }).toContain(pageError);
    await context.close();
  });
});
