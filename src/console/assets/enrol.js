// A new key: the box names whom it is for, the key makes a credential, and its public half goes
// back with the form.

import { create } from "./key.js";
import { fromHex, keyRefusal, timeLeft, toBase64Url } from "./touch.js";
import { ask } from "./verb.js";

const ES256 = -7;
const ED25519 = -8;

/** Has a new credential made; gives the challenge's nonce and the registration. */
export async function enrol(challenge, fields, person) {
  const asked = await ask(challenge, fields);
  try {
    const made = await create({
      challenge: fromHex(asked.challenge),
      rp: { id: asked.rp_id, name: "SMRT" },
      // The key needs a handle; the account's name is one, and says nothing that the roster
      // doesn't.
      user: { id: new TextEncoder().encode(person), name: person, displayName: person },
      pubKeyCredParams: [{ type: "public-key", alg: ES256 }, { type: "public-key", alg: ED25519 }],
      // Its maker says what it is; the browser must be allowed to pass that on.
      attestation: "direct",
      // A key that keeps its credential is found at the log-on without its name being told to
      // whoever asks.
      authenticatorSelection: {
        residentKey: "required",
        requireResidentKey: true,
        userVerification: "required",
      },
      timeout: timeLeft(asked),
    });
    const { clientDataJSON, attestationObject } = made.response;
    return {
      nonce: asked.nonce,
      registration: {
        client_data: toBase64Url(clientDataJSON),
        attestation_object: toBase64Url(attestationObject),
      },
    };
  } catch (error) {
    throw keyRefusal(error);
  }
}
