// Registers a security key, and signs with it: what comes of either is posted to the server, and
// said on the page.

const CHALLENGE = new TextEncoder().encode('a request of which this is the digest');
const TIMEOUT_MS = 500;
const IDLE_MS = 30 * 60 * 1000;

const base64 = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)));
const say = (words) => {
  document.querySelector('#status').textContent = words;
};

async function post(path, words) {
  const answer = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(words),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
}

let known;

async function register() {
  const made = await navigator.credentials.create({
    publicKey: {
      rp: { id: location.hostname, name: 'A site' },
      user: { id: new TextEncoder().encode('a person'), name: 'a person', displayName: 'A person' },
      challenge: CHALLENGE,
      pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
      authenticatorSelection: { userVerification: 'required' },
      timeout: TIMEOUT_MS,
    },
  });
  known = { type: 'public-key', id: made.rawId };
  await post('/registered', { id: made.id, key: base64(made.response.getPublicKey()) });
}

async function touch() {
  const { id, response } = await navigator.credentials.get({
    publicKey: {
      rpId: location.hostname,
      challenge: CHALLENGE,
      allowCredentials: known ? [known] : await listed(),
      userVerification: 'required',
      timeout: TIMEOUT_MS,
    },
  });
  const { authenticatorData, clientDataJSON, signature } = response;
  await post('/asserted', {
    id,
    authenticator: base64(authenticatorData),
    client: base64(clientDataJSON),
    signature: base64(signature),
  });
}

async function listed() {
  const ids = await (await fetch('/known')).json();
  const bytes = (id) =>
    Uint8Array.from(atob(id.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
  return ids.map((id) => ({ type: 'public-key', id: bytes(id) }));
}

async function said(event) {
  event.preventDefault();
  const words = Object.fromEntries(new FormData(event.target));
  await post('/said', { ...words, probe: words.probe.name });
}

const on = (selector, event, done, act) =>
  document.querySelector(selector).addEventListener(event, (what) => {
    act(what).then(
      () => say(done),
      (error) => say(`refused: ${error.name}`),
    );
  });
on('#register', 'click', 'Registered', register);
on('#touch', 'click', 'Touched', touch);
on('#words', 'submit', 'Said', said);
setTimeout(() => say('Idle'), IDLE_MS);
