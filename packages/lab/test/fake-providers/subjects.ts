/** A program that signs all users in at every fake provider, and prints their IDs as JSON. */
import { collectSubjects, providerNames } from './sign-in.ts';

const found: (readonly string[])[] = [];
for (const name of providerNames) found.push(await collectSubjects(name));
console.log(JSON.stringify(found));
