/**
 * The users who have an account at every fake provider. Only append to this list: at most of them, a user's
 * subject depends on the position in it.
 */

export interface FakeUser {
  readonly name: string;
  readonly email: string;
}

export const fakeUsers = [
  { name: 'Ada Marlow', email: 'ada.marlow@example.com' },
  { name: 'Bruno Castell', email: 'bruno.castell@example.org' },
  { name: 'Chiyo Tanabe', email: 'chiyo.tanabe@example.net' },
] as const satisfies readonly FakeUser[];
