/** Declares the values that the examples in docstrings and READMEs use without defining them. */
import type { Broker } from 'assistant-auth';
import type { SqlDatabase } from 'assistant-auth/d1';

declare global {
  /** The variables and bindings of a deployment. */
  const env: {
    readonly [Name in
      | 'ISSUER'
      | 'SEALING_KEYS'
      | 'APP_KEYS'
      | 'RESOURCE_KEYS'
      | 'GPT_CLIENT_SECRET'
      | 'API_CLIENT_SECRET'
      | 'SHOP_KEY'
      | `${'GOOGLE' | 'GITHUB' | 'MICROSOFT' | 'APPLE' | 'DISCORD' | 'ACME'}_CLIENT_ID`
      | `${'GOOGLE' | 'GITHUB' | 'MICROSOFT' | 'DISCORD' | 'ACME'}_CLIENT_SECRET`
      | 'APPLE_TEAM_ID'
      | 'APPLE_KEY_ID'
      | 'APPLE_PRIVATE_KEY']: string;
  } & { readonly DB: SqlDatabase };

  /** The broker of the app. */
  const broker: Broker;

  /** The request that is being handled. */
  const request: Request;
}
