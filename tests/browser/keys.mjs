// Security keys. A key is a person's, holds credentials with their counters, and is in one desk at
// a time; there it is one of Chromium's virtual authenticators. Chromium keeps those a tab each, so
// a key that changes its place is exported and imported.

/** How a key is made: one to be plugged in, which knows its owner. */
const MAKE = {
  protocol: 'ctap2',
  transport: 'usb',
  hasResidentKey: true,
  hasUserVerification: true,
  isUserVerified: true,
  automaticPresenceSimulation: true,
};

/** What may be different from a key whose owner is there, knows the PIN and touches it. */
const MANNERS = {
  willing: {},
  // The browser itself hears of these two.
  untouched: { presence: false },
  unverified: { verified: false },
  // These come to the server: an authenticator that lies, or a signature that was tampered with.
  'without presence bit': { bits: { isBadUP: true } },
  'without verification bit': { bits: { isBadUV: true } },
  'with bad signature': { bits: { isBogusSignature: true } },
  // Whatever it makes from now on can be copied to another device.
  synced: { options: { defaultBackupEligibility: true } },
};

export class KeyRing {
  #credentials = new Map();
  // Where each key is: {session, id} of the tab's DevTools session and the authenticator in it.
  #places = new Map();

  /** Puts a key into a tab; it leaves the place where it was. */
  async insert(key, session, more = {}) {
    await this.withdraw(key);
    await session.send('WebAuthn.enable', { enableUI: false });
    const { authenticatorId: id } = await session.send('WebAuthn.addVirtualAuthenticator', {
      options: { ...MAKE, ...more },
    });
    this.#places.set(key, { session, id });
    for (const credential of this.#credentials.get(key) ?? []) {
      await session.send('WebAuthn.addCredential', { authenticatorId: id, credential });
    }
  }

  /** Takes a key out of wherever it is. */
  async withdraw(key) {
    const place = this.#places.get(key);
    if (!place) return;
    this.#credentials.set(key, await this.credentials(key));
    this.#places.delete(key);
    await place.session.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId: place.id });
  }

  /** A key's credentials as Chromium exports them. */
  async credentials(key) {
    const place = this.#places.get(key);
    if (!place) return this.#credentials.get(key) ?? [];
    const { credentials } = await place.session.send('WebAuthn.getCredentials', {
      authenticatorId: place.id,
    });
    return credentials;
  }

  /** Lets a key hold these credentials and no others. */
  async give(key, credentials) {
    const place = this.#places.get(key);
    await this.withdraw(key);
    this.#credentials.set(key, credentials);
    if (place) await this.insert(key, place.session);
  }

  /** Lets a key that is in a desk behave in this manner from now on. */
  async behave(key, manner) {
    const { session } = this.#places.get(key);
    const { presence = true, verified = true, bits = {}, options = {} } = MANNERS[manner];
    await this.insert(key, session, options);
    const { id: authenticatorId } = this.#places.get(key);
    await session.send('WebAuthn.setAutomaticPresenceSimulation', {
      authenticatorId,
      enabled: presence,
    });
    await session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: verified });
    const none = { isBogusSignature: false, isBadUV: false, isBadUP: false };
    await session.send('WebAuthn.setResponseOverrideBits', { authenticatorId, ...none, ...bits });
  }
}
