/** The German texts of the pages. They address the user informally, with "du". */
import type { Language } from '../ui/texts.ts';

const cookiesBlocked =
  'Dein Browser hat unsere Cookies nicht gesendet. Vielleicht hat er sie blockiert oder gelöscht, oder du hast diese ' +
  'Anmeldung in einem anderen Browser begonnen. Erlaube Cookies für diese Website.';
const pageExpired = 'Diese Seite ist abgelaufen oder wurde in einem anderen Browser geöffnet.';
const formExpired = 'Diese Seite ist abgelaufen oder gehört zu einer anderen Anmeldung.';
const signInMissing =
  'Wir haben diese Anmeldung in deinem Browser nicht gefunden. Vielleicht ist sie abgelaufen, du hast danach eine neue ' +
  'begonnen, oder sie wurde in einem anderen Browser begonnen.';
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
    request: '{client} möchte auf dein {product}-Konto zugreifen. Die App kann dann:',
    noScopes: 'dich beim nächsten Mal wiedererkennen',
    offlineAccess: 'verbunden bleiben, ohne dich erneut zu fragen',
    accessOnce: 'bis zu {duration} lang zugreifen',
    accessRefreshed: 'bis zu {duration} lang zugreifen, oder bis du {product} in {client} trennst',
    oneYear: 'ein Jahr',
    destination: 'Danach geht es zurück zu {host}. Wenn du nicht von dort kommst, brich ab.',
    deviceWarning: 'Hast du diese Anmeldung gerade selbst begonnen?',
    deviceDestination:
      'Eine App auf diesem Gerät ({host}) erhält Zugriff. Jede App kann sich {client} nennen. Mach deshalb nur weiter, ' +
      'wenn du das gerade in einer App begonnen hast, der du vertraust.',
    choice: 'Melde dich an, um das zu erlauben',
    signInWith: 'Mit {provider} anmelden',
    lastUsedProvider: 'Zuletzt verwendet',
    cancel: 'Abbrechen',
    assurance:
      'Wir sehen nie dein Passwort, und {client} erfährt weder deinen Namen noch deine E-Mail-Adresse.',
    privacy: 'Datenschutz',
    terms: 'Nutzungsbedingungen',
    support: 'Hilfe',
    unverifiedRequest:
      'Eine App, die sich {client} nennt, möchte auf dein {product}-Konto zugreifen. ' +
      'Ihren Namen haben wir nicht geprüft. Sie kann dann:',
    identifiedBy: 'Diese App weist sich mit der Adresse {site} aus.',
    otherDestination:
      'Danach geht es zurück zu {host}, nicht zu {site}. Wenn du nicht von dort kommst, brich ab.',
    accessUntilDisconnected: 'bis zu {duration} lang zugreifen, oder bis du sie in {account} trennst',
    accountLink: 'deinem Konto',
    continueAs: 'Weiter als {user} ({provider})',
    continueSession: 'Weiter mit deinem {provider}-Konto',
    otherWay: 'oder melde dich anders an',
    sessionEnded: 'Du bist nicht mehr angemeldet. Bitte melde dich erneut an.',
    providerNotConfirmed:
      'Dein Anbieter hat deine frühere Anmeldung nicht bestätigt. Bitte melde dich erneut an.',
    signInTooOld: 'Für diese App liegt deine Anmeldung zu lange zurück. Bitte melde dich erneut an.',

    // After the sign-in.
    alreadySignedIn: 'Du bist bereits angemeldet',
    signInComplete:
      'Diese Anmeldung ist abgeschlossen. Wenn {client} dich noch auffordert, dich anzumelden, beginne dort von vorn.',
    signInEnded: 'Diese Anmeldung gilt nicht mehr',
    accessEnded:
      '{client} hat keinen Zugriff mehr. Melde dich dort erneut an, um die App wieder zu verbinden.',
    returnToClient: 'Zurück zu {client}',
    goBackToClient: 'Geh zurück zu {client}.',
    goHome: 'Zu {product}',
    consentGiven: 'Deine Organisation hat zugestimmt',
    consentDeclined: 'Deine Organisation hat nicht zugestimmt',
    consentNext: 'Du bist noch nicht angemeldet. Beginne die Anmeldung von vorn, um fortzufahren.',
    accountSignInComplete:
      'Diese Anmeldung ist abgeschlossen. Wenn deine Kontoseite dich noch auffordert, dich anzumelden, beginne dort von vorn.',
    linkPageUsed: 'Diese Seite wurde schon verwendet',
    linkPageUsedNext:
      'Deine Anmeldemethoden siehst du in deinem Konto. Wenn du noch eine hinzufügen möchtest, beginne dort von vorn.',
    goToAccount: 'Zu deinem Konto',

    // The account page.
    account: 'Dein {product}-Konto',
    backToProduct: 'Zurück zu {product}',
    accountPurpose:
      'Melde dich an, um zu sehen, welche Apps {product} für dich verwenden, und um dein Konto zu verwalten.',
    accountAssurance: 'Du meldest dich auf der Website des Anbieters an. Wir sehen nie dein Passwort.',
    signedInWith: 'Angemeldet mit {provider}',
    signOut: 'Abmelden',
    apps: 'Verbundene Apps',
    appsAbout: 'Diese Apps können {product} für dich verwenden, bis du sie trennst oder ihr Zugriff abläuft.',
    noApps: 'Noch sind keine Apps verbunden.',
    appIdentifiedBy: 'Diese App weist sich mit der Adresse {site} aus.',
    appUnverifiedName: 'Diese App hat ihren Namen selbst gewählt. Wir haben ihn nicht geprüft.',
    appScopes: 'Sie kann:',
    appNoScopes: 'Sie kann dich nur wiedererkennen, wenn du zu {product} zurückkommst.',
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
      'Du kannst dich mit jeder davon anmelden. ' +
      'Wenn du eine entfernst, werden die Apps getrennt, die du mit ihr verbunden hast.',
    onlyIdentity:
      'Das ist deine einzige Anmeldemethode, deshalb kannst du sie nicht entfernen. Du kannst weitere hinzufügen.',
    identitySince: 'Hinzugefügt am {since}',
    unlinkCurrent: 'Damit bist du gerade angemeldet. Wenn du sie entfernst, wirst du abgemeldet.',
    unlink: 'Entfernen',
    addIdentity: 'Anmeldemethode hinzufügen',
    linkWith: '{provider} hinzufügen',
    newlyLinked:
      '{identity} wurde am {since} als Anmeldemethode hinzugefügt. Wenn du das nicht warst, entferne sie und melde dich überall ab.',
    newlyLinkedSeen: 'Verstanden',
    newlyLinkedKept:
      'Du kannst diesen Hinweis ausblenden, wenn du dich das nächste Mal mit einer anderen Anmeldemethode anmeldest.',
    devices: 'Angemeldete Geräte',
    devicesAbout:
      'Diese Geräte sind auf dieser Seite angemeldet. Verbundene Apps stehen nicht in dieser Liste.',
    unknownDevice: 'Unbekanntes Gerät',
    thisDevice: 'Dieses Gerät',
    deviceSince: 'Angemeldet am {since}',
    signOutDevice: 'Abmelden',
    signOutEverywhereAbout:
      'Hast du ein Gerät verloren, oder kennst du etwas in diesen Listen nicht? ' +
      'Du kannst alle Geräte abmelden, auch dieses, und alle Apps trennen.',
    disconnectEverything: 'Überall abmelden',
    exportHeading: 'Deine Daten',
    exportAbout: 'Lade eine Datei mit allem herunter, was {product} über dich speichert.',
    exportData: 'Daten herunterladen',
    deleteHeading: 'Konto löschen',
    deleteAbout: 'Ansehen, was gelöscht wird, und Konto löschen',
    deleteApps: 'Alle Apps werden getrennt.',
    deleteIdentities:
      'Alle Anmeldemethoden werden entfernt. Deine Konten bei den Anbietern ändern sich dadurch nicht.',
    deleteData: 'Alles, was {product} über dich speichert, wird gelöscht.',
    deleteFinal: 'Du kannst das nicht rückgängig machen.',
    deleteConfirm: 'Ja, mein Konto endgültig löschen',
    deleteAccount: 'Mein Konto löschen',
    linkTitle: 'Diese Anmeldemethode hinzufügen?',
    linkCurrent: 'Du bist angemeldet mit',
    linkNew: 'Du fügst hinzu',
    linkAbout:
      'Du kannst dich dann auch mit {identity} bei diesem {product}-Konto anmelden. Füge sie nur hinzu, wenn beide Konten dir gehören.',
    linkConflictTitle: 'Gehört schon zu einem anderen Konto',
    linkConflictAbout:
      '{identity} gehört zu einem anderen {product}-Konto. Deshalb konnten wir die Anmeldemethode nicht hinzufügen. Es wurde nichts geändert.',
    linkConflictUse: 'Um das andere Konto zu verwenden, melde dich hier ab und dann mit {identity} an.',
    linkConflictMove: 'So verschiebst du {identity} in dieses Konto:',
    linkConflictSignIn: 'Melde dich hier ab und dann mit {identity} an.',
    linkConflictRemove:
      'Entferne die Anmeldemethode dort. Wenn sie dort die einzige ist, lösche jenes Konto mit seinen Daten.',
    linkConflictAdd: 'Melde dich wieder bei diesem Konto an und füge sie hinzu.',
    backToAccount: 'Zurück zu deinem Konto',

    // Notices of the account page.
    appDisconnected: 'Die App ist getrennt.',
    deviceSignedOut: 'Das Gerät ist abgemeldet.',
    linked: 'Anmeldemethode hinzugefügt. Du kannst dich jetzt damit anmelden.',
    alreadyLinked: 'Diese Anmeldemethode hast du schon. Es wurde nichts geändert.',
    linkCanceled: 'Es wurde nichts hinzugefügt.',
    notLinked:
      'Diese Anmeldemethode gehört zu einem anderen Konto, deshalb konnten wir sie nicht hinzufügen. Es wurde nichts geändert.',
    unlinked: 'Anmeldemethode entfernt. Die Apps, die du mit ihr verbunden hast, sind getrennt.',
    lastIdentity: 'Deine einzige Anmeldemethode kannst du nicht entfernen.',
    confirmed:
      'Danke. In den nächsten Minuten kannst du deine Anmeldemethoden ändern, deine Daten herunterladen oder dein Konto löschen.',
    notConfirmed: 'Wir konnten nicht bestätigen, dass du es bist. Es wurde nichts geändert.',
    confirmationRequired:
      'Bestätige, dass du es bist, und versuche es dann noch einmal. Es wurde noch nichts geändert.',
    deleteNotConfirmed: 'Es wurde nichts gelöscht, weil das Kästchen nicht angekreuzt war.',
    signedOut: 'Du bist abgemeldet.',
    signedOutEverywhere: 'Alle Apps sind getrennt, und du bist überall abgemeldet.',
    deleted: 'Dein Konto wurde gelöscht.',

    // Error pages: headings and what to do next.
    notSignedIn: 'Die Anmeldung hat nicht geklappt',
    nothingChanged: 'Es wurde nichts geändert',
    failed: 'Etwas ist schiefgelaufen',
    invalidRequest:
      'Die Anfrage, die dich hierher geführt hat, ist nicht gültig. Meist liegt das an der App, aus der du kommst.',
    openAgain: 'Öffne diese Seite noch einmal',
    tooManySignIns: 'Zu viele Anmeldungen',
    providerUnavailable: 'Diese Anmeldemethode ist nicht verfügbar',
    cookiesRequired: 'Cookies sind erforderlich',
    refused: 'Mit diesem Konto kannst du dich nicht anmelden',
    refusedIdentity: 'Verwendetes Konto: {identity}',
    goBack: 'Geh zurück zu der App, aus der du kommst, und versuche es noch einmal.',
    report: 'Wenn das wieder passiert, wende dich an {contact} und nenne dieses Kennzeichen:',
    reference: 'Kennzeichen:',

    // Error pages: messages by reason.
    'request.prefetch':
      'Dein Browser wollte diese Seite im Voraus laden. Öffne sie noch einmal, um fortzufahren.',
    'storage.unavailable': unavailable,
    unexpected: failedHere,
    'client.unknown': 'Die App, die dich hierher geschickt hat, ist bei uns nicht registriert.',
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
      'Verwende eine andere Anmeldemethode. Wenn diese nicht wieder verfügbar wird, wende dich an uns.',
    'provider.invalid': 'Wir konnten die Antwort des Anbieters nicht bestätigen.',
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
