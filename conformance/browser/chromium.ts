/** Starts a real Chromium that can only reach this machine, and monitors errors in its pages. */
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type ConsoleMessage,
  chromium,
  type LaunchOptions,
} from 'playwright-core';
import { findChromium } from './find-chromium.ts';

/** A new browser profile, and the errors that pages cause in it. */
export interface MonitoredContext {
  readonly context: BrowserContext;
  /**
   * Console errors (including violations of a content security policy), exceptions, and requests to other
   * machines.
   */
  readonly pageErrors: readonly string[];
}

export const launchChromium = (): Promise<Browser> => chromium.launch(launchOptions());

/** Returns the launch options, also for a profile that a test prepares. */
export const launchOptions = (): LaunchOptions => ({
  executablePath: findChromium(),
  // Chromium refuses to run its sandbox as root, which is the user in most containers.
  chromiumSandbox: process.getuid?.() !== 0,
  args: [
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
  ],
});

export const openContext = async (
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<MonitoredContext> => {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(timeoutMs);
  const pageErrors: string[] = [];
  context.on('console', (message) => {
    if (message.type() === 'error' && !isOwnStatus(message)) {
      pageErrors.push(`console: ${message.text()} (${message.location().url})`);
    }
  });
  context.on('weberror', (error) => pageErrors.push(`exception: ${error.error().message}`));
  context.on('request', (request) => {
    const { protocol, hostname } = new URL(request.url());
    const isLocal = !/^(http|ws)s?:$/.test(protocol) || ['localhost', '127.0.0.1'].includes(hostname);
    if (!isLocal) pageErrors.push(`request to another machine: ${request.url()}`);
  });
  return { context, pageErrors };
};

/** How long one step of a page may take, in milliseconds. It is long because the machine may be busy. */
export const timeoutMs = 60_000;

/** Chromium also reports a page whose own status is 4xx. Tests request such pages on purpose. */
const isOwnStatus = (message: ConsoleMessage): boolean =>
  message.text().startsWith('Failed to load resource') && message.location().url === message.page()?.url();
