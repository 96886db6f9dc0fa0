/**
 * Shows a view of an MCP App in a page, as the page of a chat does: in a sandboxed iframe without network access, and
 * with the bridge of the MCP Apps SDK. Tests bundle this file, and load it into a page.
 */

import type { CallToolResult } from '@modelcontextprotocol/client';
import {
  AppBridge,
  type McpUiHostContext,
  type McpUiUpdateModelContextRequest,
  PostMessageTransport,
} from '@modelcontextprotocol/ext-apps/app-bridge';

export interface ToolCall {
  readonly name: string;
  readonly arguments?: Record<string, unknown> | undefined;
}

/** What a test provides to the page, and what it calls there. */
declare global {
  interface Window {
    /** Calls a tool of the server. */
    callTool: (call: ToolCall) => Promise<CallToolResult>;
    /** Receives what the view tells the model. */
    receiveContext: (params: McpUiUpdateModelContextRequest['params']) => Promise<void>;
    /** Receives the name of a request that the view must not send. */
    receiveUnexpected: (method: string) => Promise<void>;
    /** Shows a view, and sends it the result of the call that it belongs to. */
    showView: (options: ViewOptions) => Promise<void>;
    bridge: AppBridge;
  }
}

export interface ViewOptions {
  readonly html: string;
  /** In pixels. */
  readonly width: number;
  readonly hostContext: McpUiHostContext;
  readonly call: ToolCall;
  /** Default: the call does not end. */
  readonly result?: CallToolResult;
}

/** The policy that a host must apply to a resource that declares no domains. */
const policy = [
  "default-src 'none'",
  "script-src 'self' 'unsafe-inline'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "media-src 'self' data:",
  "connect-src 'none'",
  "frame-src 'none'",
  "object-src 'none'",
  "base-uri 'self'",
].join('; ');

window.showView = async ({ html, width, hostContext, call, result }) => {
  const iframe = document.createElement('iframe');
  iframe.title = 'Words With Chat';
  iframe.sandbox.add('allow-scripts');
  Object.assign(iframe.style, { width: `${width}px`, border: '0', display: 'block' });
  document.querySelector('main')?.append(iframe);
  const { contentWindow } = iframe;
  if (contentWindow === null) throw new Error('The iframe has no window.');
  const capabilities = {
    serverTools: {},
    updateModelContext: { text: {} },
    openLinks: {},
    message: { text: {} },
  };
  const bridge = new AppBridge(null, { name: 'Test host', version: '1.0.0' }, capabilities, { hostContext });
  window.bridge = bridge;
  bridge.oncalltool = (params) => window.callTool(params);
  bridge.onupdatemodelcontext = async (params) => {
    await window.receiveContext(params);
    return {};
  };
  bridge.onopenlink = async () => {
    await window.receiveUnexpected('ui/open-link');
    return {};
  };
  bridge.onmessage = async () => {
    await window.receiveUnexpected('ui/message');
    return {};
  };
  bridge.onsizechange = ({ height }) => {
    iframe.style.height = `${height}px`;
  };
  const isInitialized = new Promise<void>((resolve) => {
    bridge.oninitialized = () => resolve();
  });
  await bridge.connect(new PostMessageTransport(contentWindow, contentWindow));
  iframe.srcdoc = html.replace(
    '<head>',
    `<head><meta http-equiv="Content-Security-Policy" content="${policy}">`,
  );
  await isInitialized;
  await bridge.sendToolInput({ arguments: call.arguments ?? {} });
  if (result !== undefined) await bridge.sendToolResult(result);
};
