/** A program that signs all users in at every fake provider, and prints their IDs as JSON. */
import { collectSubjects, providerNames } from './sign-in.ts';

const subjects: (readonly string[])[] = [];
for (const name of providerNames) subjects.push(await collectSubjects(name));
console.log(JSON.stringify(subjects));
