/** Names that a publisher may give to nothing, because they mean something here. */

/** As a client: whose grants are sessions at the account page. No token is issued from such a grant. */
export const accountClientId = 'account';

/** As a provider: what a form says where a person goes on in their session. */
export const continueChoice = 'continue';
