// A human's touch for one verb: the box words what is to be approved and gives its digest, the key
// signs it, and both go back together.

import { get } from "./key.js";
import { ask, Refusal } from "./verb.js";

/** Bytes as base64url without padding. */
export function toBase64Url(buffer) {
  const text = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Bytes of base64url. */
export function fromBase64Url(text) {
  const bytes = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(bytes, (char) => char.charCodeAt(0));
}

/** Bytes of hexadecimal digits. */
export function fromHex(digits) {
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** Milliseconds until a challenge is over. */
export function timeLeft(asked) {
  return Math.max(1_000, asked.expires * 1_000 - Date.now());
}

/** What a key that doesn't answer means, in plain words. */
export function keyRefusal(error) {
  if (error instanceof Refusal) return error;
  const words = {
    NotAllowedError:
      "No touch came in time, or it was declined. " +
      "Nothing was sent; try again when the key is at hand.",
    SecurityError:
      "The browser keeps the key from this page: " +
      "the page's name is not the one that keys are bound to.",
    InvalidStateError: "This key holds a credential for this box already. Use another key.",
    NotSupportedError: "This key can't make a credential of the kind that the box takes.",
  };
  const unreached = "The browser could not reach a security key. Plug it in and try again.";
  return new Refusal({ kind: "key", status: 0, detail: words[error?.name] ?? unreached });
}

/**
 * Asks for a challenge, has the key answer it, and gives what the verb wants beside its own fields.
 */
export async function touch(challenge, fields) {
  const asked = await ask(challenge, fields);
  // Where nobody has proven yet who they are, the box names no key: the one that is plugged in
  // knows whether it has something for this box.
  const known = asked.key ? [{ type: "public-key", id: fromBase64Url(asked.key) }] : [];
  let credential;
  try {
    credential = await get({
      challenge: fromHex(asked.challenge),
      rpId: asked.rp_id,
      allowCredentials: known,
      userVerification: "required",
      timeout: timeLeft(asked),
    });
  } catch (error) {
    throw keyRefusal(error);
  }
  const { authenticatorData, clientDataJSON, signature } = credential.response;
  return {
    nonce: asked.nonce,
    touch: {
      credential: toBase64Url(credential.rawId),
      authenticator_data: toBase64Url(authenticatorData),
      client_data: toBase64Url(clientDataJSON),
      signature: toBase64Url(signature),
    },
  };
}
