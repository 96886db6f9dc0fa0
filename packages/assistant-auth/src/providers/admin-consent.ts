/**
 * Microsoft's admin consent: an administrator gives consent for an organization, and Microsoft then sends the
 * browser to the redirect URI without a code.
 * @see https://learn.microsoft.com/entra/identity-platform/v2-admin-consent
 */
import { readParameters } from '../oauth/parameters.ts';
import type { AdminConsent } from './provider.ts';

/**
 * Reads the outcome. A response that also has a code is one to a sign-in.
 * @returns `undefined` for any other response
 * @throws ProtocolError `parameter.repeated`
 */
export const readAdminConsent = ({ searchParams }: URL): AdminConsent | undefined => {
  const parameters = readParameters(searchParams, ['admin_consent', 'code', 'error']);
  const { admin_consent: consent, code, error } = parameters;
  if (consent === undefined || code !== undefined) return undefined;
  return consent.toLowerCase() === 'true' && error === undefined ? 'given' : 'declined';
};

/** The hosts of Microsoft Entra, also of its national clouds and of External ID. */
const entraHosts =
  /(?:^|\.)(?:login\.microsoftonline\.(?:com|us)|partner\.microsoftonline\.cn|ciamlogin\.com|sts\.windows\.net)$/;

/** Returns whether Microsoft Entra is the issuer, so that admin consent can occur. */
export const isEntraIssuer = (issuer: string): boolean => entraHosts.test(new URL(issuer).hostname);
