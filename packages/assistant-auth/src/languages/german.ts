/** The German texts of the pages. They address the user informally, with "du". */
import type { Language } from '../ui/texts.ts';

const cookiesBlocked =
  'Dein Browser hat unsere Cookies nicht gesendet. Vielleicht hat er sie blockiert oder gelöscht, ' +
  'oder diese Anmeldung wurde in einem anderen Browser gestartet. Erlaube Cookies für diese Website.';
const pageExpired = 'Diese Seite ist abgelaufen oder wurde in einem anderen Browser geöffnet.';
const formExpired = 'Diese Seite ist abgelaufen oder gehört zu einer anderen Anmeldung.';
const signInMissing =
  'Wir haben diese Anmeldung in deinem Browser nicht gefunden. Vielleicht ist sie abgelaufen, wurde ' +
  'durch eine neuere ersetzt oder in einem anderen Browser gestartet.';
const networkBusy = 'Zu viele Anmeldungen aus deinem Netzwerk. Versuche es in einer Minute erneut.';
const unavailable = 'Der Dienst ist gerade nicht erreichbar. Versuche es gleich noch einmal.';
const failedHere = 'Bei uns ist etwas schiefgelaufen.';
const userRefused = 'Mit diesem Konto kannst du dich hier nicht anmelden.';

/**
 * German, for `pageLanguages`. The texts say "du". To replace single texts, spread it:
 * `{ ...german, texts: { ...german.texts, cancel: 'Nicht jetzt' } }`.
 */
export const german: Language = {
  tag: 'de',
  texts: {
    // The sign-in page.
    signIn: 'Anmelden und weiter zu {client}',
    request: '{client} möchte auf dein Konto bei {product} zugreifen. Die App kann dann:',
    noScopes: 'dich beim nächsten Mal wiedererkennen',
    offlineAccess: 'verbunden bleiben, ohne dich erneut zu fragen',
    accessOnce: 'bis zu {duration} lang zugreifen',
    accessRefreshed:
      'bis zu {duration} lang zugreifen – beenden kannst du das, indem du {product} in {client} trennst',
    oneYear: '12 Monate',
    destination: 'Danach geht es zurück zu {host}. Wenn du nicht von dort kommst, brich ab.',
    deviceWarning: 'Hast du das gerade selbst gestartet?',
    deviceDestination:
      'Eine App auf diesem Gerät ({host}) erhält Zugriff. Jede App kann sich {client} nennen. Mach nur ' +
      'weiter, wenn du das in einer App gestartet hast, der du vertraust.',
    choice: 'Anmelden und Zugriff erlauben',
    signInWith: 'Mit {provider} anmelden',
    lastUsedProvider: 'Zuletzt',
    cancel: 'Abbrechen',
    assurance:
      'Wir sehen dein Passwort nie, und {client} erfährt weder deinen Namen noch deine E-Mail-Adresse.',
    privacy: 'Datenschutz',
    terms: 'Nutzungsbedingungen',
    support: 'Hilfe',
    unverifiedRequest:
      'Eine App, die sich {client} nennt (Name nicht geprüft), möchte auf dein Konto bei {product} ' +
      'zugreifen. Die App kann dann:',
    identifiedBy: 'Adresse dieser App: {site}',
    otherDestination:
      'Danach geht es zurück zu {host}, nicht zu {site}. Wenn du nicht von dort kommst, brich ab.',
    accessUntilDisconnected: 'bis zu {duration} lang zugreifen – beenden kannst du das in {account}',
    accountLink: 'deinem Konto',
    continueAs: 'Weiter als {user} ({provider})',
    continueSession: 'Weiter mit deinem Konto bei {provider}',
    otherWay: 'oder anders anmelden',
    sessionEnded: 'Du bist nicht mehr angemeldet. Bitte melde dich erneut an.',
    providerNotConfirmed:
      'Der Anbieter hat deine frühere Anmeldung nicht bestätigt. Bitte melde dich erneut an.',
    signInTooOld: 'Für diese App liegt deine Anmeldung zu lange zurück. Bitte melde dich erneut an.',

    // After the sign-in.
    alreadySignedIn: 'Du bist bereits angemeldet',
    signInComplete:
      'Diese Anmeldung ist abgeschlossen. Wenn {client} dich trotzdem zur Anmeldung auffordert, starte ' +
      'sie dort neu.',
    signInEnded: 'Diese Anmeldung gilt nicht mehr',
    accessEnded:
      '{client} hat keinen Zugriff mehr. Melde dich dort erneut an, um die App wieder zu verbinden.',
    returnToClient: 'Zurück zu {client}',
    goBackToClient: 'Geh zurück zu {client}.',
    goHome: 'Zu {product}',
    consentGiven: 'Deine Organisation hat zugestimmt',
    consentDeclined: 'Deine Organisation hat nicht zugestimmt',
    consentNext: 'Du bist noch nicht angemeldet. Starte die Anmeldung neu, um fortzufahren.',
    accountSignInComplete:
      'Diese Anmeldung ist abgeschlossen. Wenn deine Kontoseite dich trotzdem zur Anmeldung auffordert, ' +
      'starte sie dort neu.',
    linkPageUsed: 'Diese Seite wurde schon verwendet',
    linkPageUsedNext:
      'Erneutes Öffnen fügt nichts hinzu. Deine Anmeldemethoden siehst du in deinem Konto. Wenn du eine ' +
      'hinzufügen möchtest, starte dort neu.',
    goToAccount: 'Zu deinem Konto',

    // The account page.
    account: 'Dein Konto bei {product}',
    backToProduct: 'Zurück zu {product}',
    accountPurpose:
      'Melde dich an, um zu sehen, welche Apps für dich auf {product} zugreifen, und um dein Konto zu ' +
      'verwalten.',
    accountAssurance: 'Du meldest dich auf der Website des Anbieters an. Wir sehen dein Passwort nie.',
    signedInWith: 'Angemeldet mit {provider}',
    signOut: 'Abmelden',
    apps: 'Verbundene Apps',
    appsAbout:
      'Diese Apps können für dich auf {product} zugreifen, bis du sie trennst oder ihr Zugriff abläuft.',
    noApps: 'Keine Apps verbunden.',
    appIdentifiedBy: 'Adresse dieser App: {site}',
    appUnverifiedName: 'Diese App hat ihren Namen selbst gewählt. Wir haben ihn nicht geprüft.',
    appScopes: 'Die App kann:',
    appNoScopes: 'Die App kann dich nur wiedererkennen, wenn du zu {product} zurückkommst.',
    appSince: 'Verbunden am {since}',
    lastUsed: 'Zuletzt verwendet am {used}',
    disconnect: 'Trennen',
    confirm: 'Bestätige, dass du es bist',
    confirmAbout:
      'Melde dich erneut an, bevor du deine Anmeldemethoden änderst, deine Daten herunterlädst oder dein Konto löschst. ' +
      'Das schützt dein Konto, falls jemand anderes diesen Browser benutzt.',
    confirmWith: 'Mit {provider} bestätigen',
    identities: 'Anmeldemethoden',
    identitiesAbout:
      'Du kannst dich mit jeder davon anmelden. Wenn du eine entfernst, werden die Apps getrennt, die du ' +
      'darüber verbunden hast.',
    onlyIdentity:
      'Das ist deine einzige Anmeldemethode, deshalb kannst du sie nicht entfernen. Du kannst weitere hinzufügen.',
    identitySince: 'Hinzugefügt am {since}',
    unlinkCurrent: 'Damit bist du gerade angemeldet. Beim Entfernen wirst du abgemeldet.',
    unlink: 'Entfernen',
    addIdentity: 'Anmeldemethode hinzufügen',
    linkWith: '{provider} hinzufügen',
    newlyLinked:
      '{identity} wurde am {since} als Anmeldemethode hinzugefügt. Wenn du das nicht warst, entferne sie ' +
      'und wähle dann „Alles abmelden und trennen“.',
    newlyLinkedSeen: 'Verstanden',
    newlyLinkedKept: 'Um diesen Hinweis auszublenden, melde dich erneut an, aber nicht mit {identity}.',
    devices: 'Angemeldete Geräte',
    devicesAbout:
      'Diese Geräte sind auf dieser Seite angemeldet. Verbundene Apps stehen nicht in dieser Liste.',
    unknownDevice: 'Unbekanntes Gerät',
    thisDevice: 'Dieses Gerät',
    deviceSince: 'Angemeldet am {since}',
    signOutDevice: 'Abmelden',
    signOutEverywhereAbout:
      'Gerät verloren oder etwas Unbekanntes entdeckt? Du kannst alle Geräte abmelden, auch dieses, und ' +
      'alle Apps trennen.',
    disconnectEverything: 'Alles abmelden und trennen',
    exportHeading: 'Deine Daten',
    exportAbout: 'Lade eine Datei mit allem herunter, was {product} über dich speichert.',
    exportData: 'Daten herunterladen',
    deleteHeading: 'Konto löschen',
    deleteAbout: 'Folgen ansehen und Konto löschen',
    deleteApps: 'Alle Apps werden getrennt.',
    deleteIdentities:
      'Alle Anmeldemethoden werden entfernt. Deine Konten bei den Anbietern ändern sich dadurch nicht.',
    deleteData: 'Alles, was {product} über dich speichert, wird gelöscht.',
    deleteFinal: 'Das kannst du nicht rückgängig machen.',
    deleteConfirm: 'Ja, mein Konto endgültig löschen',
    deleteAccount: 'Mein Konto löschen',
    linkTitle: 'Diese Anmeldemethode hinzufügen?',
    linkCurrent: 'Angemeldet mit',
    linkNew: 'Du möchtest hinzufügen',
    linkAbout:
      'Du kannst dich dann auch mit {identity} in diesem Konto bei {product} anmelden. Füge die ' +
      'Anmeldemethode nur hinzu, wenn beide Konten dir gehören.',
    linkConflictTitle: 'Bereits in einem anderen Konto verwendet',
    linkConflictAbout:
      '{identity} gehört zu einem anderen Konto bei {product}. Deshalb konnten wir die Anmeldemethode ' +
      'nicht hinzufügen. Es wurde nichts geändert.',
    linkConflictUse: 'Um das andere Konto zu verwenden, melde dich hier ab und dann mit {identity} an.',
    linkConflictMove: 'So verschiebst du {identity} in dieses Konto:',
    linkConflictSignIn: 'Melde dich hier ab und dann mit {identity} an.',
    linkConflictRemove:
      'Entferne die Anmeldemethode dort. Wenn sie dort die einzige ist, lösche das andere Konto mit ' +
      'seinen Daten.',
    linkConflictAdd: 'Melde dich wieder in diesem Konto an und füge die Anmeldemethode hinzu.',
    backToAccount: 'Zurück zu deinem Konto',

    // Notices of the account page.
    appDisconnected: 'Die App wurde getrennt.',
    deviceSignedOut: 'Das Gerät wurde abgemeldet.',
    linked: 'Anmeldemethode hinzugefügt. Du kannst dich jetzt damit anmelden.',
    alreadyLinked: 'Diese Anmeldemethode hast du schon. Es wurde nichts geändert.',
    linkCanceled: 'Es wurde nichts hinzugefügt.',
    notLinked:
      'Diese Anmeldemethode gehört zu einem anderen Konto, deshalb konnten wir sie nicht hinzufügen. Es wurde nichts geändert.',
    unlinked: 'Anmeldemethode entfernt. Die Apps, die du darüber verbunden hast, wurden getrennt.',
    lastIdentity: 'Deine einzige Anmeldemethode kannst du nicht entfernen.',
    confirmed:
      'Danke. In den nächsten Minuten kannst du deine Anmeldemethoden ändern, deine Daten herunterladen oder dein Konto löschen.',
    notConfirmed: 'Wir konnten nicht bestätigen, dass du es bist. Es wurde nichts geändert.',
    confirmationRequired:
      'Bestätige, dass du es bist, und versuche es dann noch einmal. Es wurde noch nichts geändert.',
    deleteNotConfirmed: 'Es wurde nichts gelöscht, weil das Kästchen nicht angekreuzt war.',
    signedOut: 'Du bist abgemeldet.',
    signedOutEverywhere: 'Alle Apps sind getrennt, und du bist überall abgemeldet.',
    deleted: 'Dein Konto wurde gelöscht. Wenn du dich wieder anmeldest, beginnst du mit einem neuen.',

    // Error pages: headings and what to do next.
    notSignedIn: 'Die Anmeldung hat nicht geklappt',
    nothingChanged: 'Es wurde nichts geändert',
    failed: 'Etwas ist schiefgelaufen',
    invalidRequest: 'Die Anfrage, mit der diese Seite geöffnet wurde, ist ungültig.',
    openAgain: 'Öffne diese Seite noch einmal',
    tooManySignIns: 'Zu viele Anmeldungen',
    providerUnavailable: 'Diese Anmeldemethode ist nicht verfügbar',
    cookiesRequired: 'Cookies sind erforderlich',
    refused: 'Mit diesem Konto kannst du dich nicht anmelden',
    refusedIdentity: 'Verwendetes Konto: {identity}',
    goBack: 'Geh zurück zu der App, aus der du kommst, und versuche es noch einmal.',
    report: 'Wenn das wieder passiert, wende dich an {contact} und gib diese Referenz an:',
    reference: 'Referenz:',

    // Error pages: messages by reason.
    'request.prefetch':
      'Dein Browser wollte diese Seite im Voraus laden. Öffne sie noch einmal, um fortzufahren.',
    'storage.unavailable': unavailable,
    unexpected: failedHere,
    'client.unknown': 'Die App, die dich hierhergeschickt hat, ist bei uns nicht registriert.',
    'client-metadata.unavailable':
      'Das Metadatendokument der App konnte nicht gelesen werden. Versuche es gleich noch einmal.',
    'consent.origin': pageExpired,
    'consent.unreadable': pageExpired,
    'consent.expired': pageExpired,
    'consent.csrf': pageExpired,
    'consent.no-cookies': cookiesBlocked,
    'consent.choice': 'Wähle eine Anmeldemethode.',
    'address.limited': networkBusy,
    'sign-in.limited': networkBusy,
    'user.canceled': 'Die Anmeldung wurde abgebrochen.',
    'user.limited': 'Zu viele Anmeldungen bei diesem Konto. Versuche es in ein paar Minuten erneut.',
    'transaction.missing': signInMissing,
    'transaction.no-cookies': cookiesBlocked,
    'transaction.unreadable': signInMissing,
    'transaction.expired': signInMissing,
    'transaction.provider': signInMissing,
    'transaction.account-removed': signInMissing,
    'transaction.replayed': 'Diese Anmeldung ist abgeschlossen. Geh zurück zur App.',
    'transaction.status-unknown':
      'Wir konnten deine Anmeldung nicht abschließen. Warte einen Moment und lade diese Seite dann neu.',
    'form-post.missing': signInMissing,
    'form-post.unreadable': signInMissing,
    'form-post.provider': signInMissing,
    'form-post.expired': signInMissing,
    'provider.unknown': 'Diese Anmeldemethode gibt es nicht.',
    'provider.denied': 'Die Anmeldung wurde beim Anbieter abgelehnt oder abgebrochen.',
    'provider.unavailable': 'Der Anbieter ist gerade nicht erreichbar. Versuche es später noch einmal.',
    'provider.changed':
      'Verwende eine andere Anmeldemethode, oder wende dich an uns, wenn die gewählte weiterhin nicht ' +
      'verfügbar ist.',
    'provider.invalid': 'Wir konnten die Antwort des Anbieters nicht überprüfen.',
    'resolve-user.refused': userRefused,
    'resolve-user.invalid-refusal': userRefused,
    'resolve-user.link-refused':
      'Diese Anmeldemethode kann dem Konto, in dem du angemeldet bist, nicht hinzugefügt werden.',
    'resolve-user.invalid-id': failedHere,
    'resolve-user.invalid-claims': failedHere,
    'session.changed': formExpired,
    'account-form.origin': formExpired,
    'account-form.unreadable': formExpired,
    'account-form.expired': formExpired,
    'account-form.csrf': formExpired,
    'account-form.no-cookies':
      'Dein Browser hat unser Cookie nicht gesendet. Vielleicht hat er es blockiert oder gelöscht. Erlaube Cookies für ' +
      'diese Website und öffne dann dein Konto noch einmal.',
    'link.unreadable': formExpired,
    'link.expired': formExpired,
    'account.item-not-found': 'Dieser Eintrag ist nicht mehr in deinem Konto.',
  },
};
