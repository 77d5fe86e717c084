// The one way in which pages ask the box for something: a verb and a path in one string, JSON in
// and out. A refusal is an error that carries what the box said, so that whoever asked can say it
// beside the form.

/** What the box, or the browser on the way to it, refused. */
export class Refusal extends Error {
  /** Of `kind`, HTTP `status` and `detail`; of a request, about a field, with the faces found. */
  constructor({ kind, status, detail, request, field, faces }) {
    super(detail);
    Object.assign(this, { kind, status, request, field, faces });
  }
}

const UNREACHABLE =
  "The box doesn't answer. Nothing was changed as far as this page knows; try again.";

/**
 * Asks, and gives the answer's JSON, or nothing where there is none. What has no body goes on where
 * its page is left at once: a screen that was locked must be locked.
 */
export async function ask(verb, body) {
  const [method, path] = verb.split(" ");
  const answer = await fetch(path, {
    method,
    keepalive: body === undefined,
    ...sent(body),
    credentials: "same-origin",
    cache: "no-store",
  }).catch(() => {
    throw new Refusal({ kind: "unreachable", status: 0, detail: UNREACHABLE });
  });
  if (answer.ok && answer.headers.has("content-disposition")) return void (await keep(answer));
  const text = await answer.text();
  const isJson = /\bjson\b/.test(answer.headers.get("content-type") ?? "");
  const json = isJson && text ? JSON.parse(text) : undefined;
  if (answer.ok) return json;
  const refusal = new Refusal(json ? { ...json, kind: json.type } : unsaid(answer.status));
  heed(refusal);
  throw refusal;
}

/** A file that was answered goes where the browser keeps downloads. */
async function keep(answer) {
  const link = document.createElement("a");
  const [, name] = /filename="([^"]*)"/.exec(answer.headers.get("content-disposition")) ?? [];
  link.href = URL.createObjectURL(await answer.blob());
  link.download = name ?? "";
  link.click();
  // The page may be loaded anew next, which takes the file away.
  await new Promise((done) => setTimeout(done, 500));
  URL.revokeObjectURL(link.href);
}

/** Bytes go as they are, everything else as JSON. */
function sent(body) {
  if (body === undefined || body instanceof Blob) return { body };
  return { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
}

function unsaid(status) {
  const detail = `The box answered with error ${status} and gave no reason. Try again.`;
  return { kind: "failed", status, detail };
}

/** A session that isn't open any more is the whole page's matter. */
function heed(refusal) {
  if (refusal.status !== 401) return;
  if (refusal.kind === "screen-hidden") document.dispatchEvent(new CustomEvent("smrt:locked"));
  if (refusal.kind === "banner-first") location.assign("/console/banner");
  if (refusal.kind === "no-session" && document.documentElement.dataset.session) {
    location.assign("/console/log-on");
  }
}
