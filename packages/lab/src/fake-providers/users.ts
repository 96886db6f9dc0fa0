/** The persons who have an account at every fake provider. Append, never reorder: a person's subject follows from the place in the list. */

export interface FakeUser {
  readonly name: string;
  readonly email: string;
}

export const fakeUsers = [
  { name: 'Ada Marlow', email: 'ada.marlow@example.com' },
  { name: 'Bruno Castell', email: 'bruno.castell@example.org' },
  { name: 'Chiyo Tanabe', email: 'chiyo.tanabe@example.net' },
] as const satisfies readonly FakeUser[];
