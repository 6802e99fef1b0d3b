// Addresses without their secrets: user, password, query and fragment never reach a record, a journal, a message or a
// log.

/** What stands in place of a part that was left out. */
const HIDDEN = '***';

/**
 * `address` without user, password, query and fragment, for messages and records: `http://host:5000/path`.
 * A text that is no address comes back as it is, but for what looks like user and password.
 */
export function publicAddress(address: string): string {
  if (!/^[a-z][a-z\d+.-]*:\/\//i.test(address)) return address;
  if (!URL.canParse(address)) return address.replace(/\/\/[^/]*@/, '//').replace(/[?#].*$/s, '');
  const url = new URL(address);
  url.username = url.password = url.search = url.hash = '';
  return /^[a-z][a-z\d+.-]*:\/\/[^/]*$/i.test(address.replace(/[?#].*$/s, '')) ? url.href.replace(/\/$/, '') : url.href;
}

/** `text` with every address in it made public, see `publicAddress`. */
export function withPublicAddresses(text: string): string {
  return text.replace(/\b[a-z][a-z\d+.-]{0,20}:\/\/[^\s"'<>()]+/gi, (found) => {
    const [, address, end] = /^(.*?)([.,;:!\])}]*)$/s.exec(found)!;
    return publicAddress(address) + end;
  });
}

/** User and password of an address, decoded; null where it has none. */
export function loginOf(address: string): { user: string; password: string } | null {
  if (!URL.canParse(address)) return null;
  const { username, password } = new URL(address);
  return username === '' && password === '' ? null : { user: decoded(username), password: decoded(password) };
}

/** `text` (an answer of a server, for example) without any of `secrets`, wherever a server repeats them. */
export function withoutSecrets(text: string, secrets: readonly (string | undefined)[]): string {
  return secrets.reduce<string>(
    (rest, secret) => (secret === undefined || secret.length < 3 ? rest : rest.replaceAll(secret, HIDDEN)),
    withPublicAddresses(text),
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a percent sign of its own
  }
}
