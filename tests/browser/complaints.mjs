// What a page complains of: errors in its console, exceptions, requests that failed, breaches of
// its content security policy, whatever else Chromium finds wrong with it, and windows that ask.
// None may come that a story doesn't expect, and each that it expects must come.

export class Complaints {
  #patienceMs;
  #expected = [];
  #fresh = [];
  #came = () => {};

  constructor(patienceMs) {
    this.#patienceMs = patienceMs;
  }

  /** Lets complaints with these words pass from now on. */
  expect(words) {
    this.#expected.push({ words, came: false });
  }

  /** Lets them pass for as long as `act` goes on, whether they come or not. */
  async suffer(words, act) {
    const suffered = { words, came: true };
    this.#expected.push(suffered);
    try {
      return await act();
    } finally {
      this.#expected.splice(this.#expected.indexOf(suffered), 1);
    }
  }

  /** Waits until everything came that is expected; what never did. */
  async settle() {
    const missing = () => this.#expected.filter(({ came }) => !came).map(({ words }) => words);
    if (missing().length > 0) {
      await new Promise((done) => {
        const end = setTimeout(done, this.#patienceMs);
        this.#came = () => missing().length === 0 && done(clearTimeout(end));
      });
    }
    return missing();
  }

  /** Complaints that nobody expected, since the last time. */
  take() {
    return this.#fresh.splice(0);
  }

  /** Listens to a tab. */
  async hear(page, session) {
    page.on(
      'console',
      (message) =>
        message.type() === 'error' && this.#erred(message.text(), message.location().url),
    );
    page.on('pageerror', (error) => this.note('page error', error.stack ?? String(error)));
    page.on('crash', () => this.note('crash', page.url()));
    page.on('requestfailed', (request) => this.#failed(request));
    page.on('dialog', async (dialog) => {
      this.note('dialog', dialog.message());
      await dialog.dismiss();
    });
    session.on('Audits.issueAdded', ({ issue }) =>
      this.note(issue.code, JSON.stringify(issue.details)),
    );
    await session.send('Audits.enable');
  }

  #erred(text, url) {
    // Chromium asks for it by itself, where a page names no other icon.
    if (URL.canParse(url) && new URL(url).pathname === '/favicon.ico') return;
    this.note('console error', `${text} at ${url}`);
  }

  #failed(request) {
    const why = request.failure()?.errorText;
    // How a navigation ends that turns out to be a download, an answer whose body nobody reads, and
    // what a page was still asking for when somebody left it.
    if (why === 'net::ERR_ABORTED') return;
    this.note('failed request', `${why}: ${request.method()} ${request.url()}`);
  }

  /** Takes note of a complaint. */
  note(kind, words) {
    const complaint = `${kind}: ${words}`;
    const expected = this.#expected.filter((e) => complaint.includes(e.words));
    for (const e of expected) e.came = true;
    this.#came();
    if (expected.length === 0) this.#fresh.push(complaint);
  }
}
