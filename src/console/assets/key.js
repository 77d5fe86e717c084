// The security key, as the browser reaches it. Nothing else calls WebAuthn: whoever wants another
// key behind the same pages, as the demonstration does, serves another file in place of this one.

/** Has a key that is known sign a challenge. */
export function get(publicKey) {
  return navigator.credentials.get({ publicKey });
}

/** Has a key make a credential. */
export function create(publicKey) {
  return navigator.credentials.create({ publicKey });
}
