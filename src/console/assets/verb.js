// The one way in which pages ask the box for something: a verb and a path in one string, JSON in
// and out. A refusal is an error that carries what the box said, so that whoever asked can say it
// beside the form.

/** What the box, or the browser on the way to it, refused. */
export class Refusal extends Error {
  /** @param {{kind: string, status: number, detail: string, request?: string, field?: string, faces?: object[]}} problem */
  constructor(problem) {
    super(problem.detail);
    Object.assign(this, { kind: problem.kind, status: problem.status, request: problem.request, field: problem.field, faces: problem.faces });
  }
}

/** Asks, and gives the answer's JSON, or nothing where there is none. */
export async function ask(verb, body) {
  const [method, path] = verb.split(" ");
  const raw = body instanceof Blob;
  const headers = body === undefined || raw ? {} : { "content-type": "application/json" };
  let answer;
  try {
    answer = await fetch(path, {
      method, headers, body: body === undefined || raw ? body : JSON.stringify(body), credentials: "same-origin", cache: "no-store",
    });
  } catch {
    throw new Refusal({ kind: "unreachable", status: 0, detail: "The box doesn't answer. Nothing was changed as far as this page knows; try again." });
  }
  const text = await answer.text();
  const json = /\bjson\b/.test(answer.headers.get("content-type") ?? "") && text ? JSON.parse(text) : undefined;
  if (answer.ok) return json;
  const refusal = new Refusal(json ? { ...json, kind: json.type } : { kind: "failed", status: answer.status, detail: `The box answered ${answer.status} and said no more.` });
  heed(refusal);
  throw refusal;
}

/** A session that isn't open any more is the whole page's matter. */
function heed(refusal) {
  if (refusal.status !== 401) return;
  if (refusal.kind === "locked") document.dispatchEvent(new CustomEvent("smrt:locked"));
  if (refusal.kind === "banner") location.assign("/console/banner");
  if (refusal.kind === "no-session" && document.documentElement.dataset.session) location.assign("/console/log-on");
}
