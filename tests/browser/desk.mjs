// A desk: one Chromium with a profile of its own, which knows one device's certificate, and the
// verbs of whoever sits at it.
//
// Every verb waits until what it needs is there and can be used, and fails when it never is.

import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Complaints } from './complaints.mjs';
import { furnish } from './home.mjs';
import { allPictures, axe, pictures, shifts, times } from './measures.mjs';

const CHROMIUM = '/usr/bin/chromium';
/** So many presses of the tabulator reach the end of any page that a person can use. */
const STEPS_MAX = 300;
const VIEW = { width: 1280, height: 800 };

export class Desk {
  #name;
  #url;
  #setting;
  #keys;
  #context;
  #tabs = [];
  #at = 0;
  #key = null;
  #complaints;
  #downloads = [];
  #held = [];
  #watched = new Set();

  /**
   * Starts the browser; `door` are the files of authority, certificate and key, and the server's
   * address.
   */
  static async seat(name, door, setting, keys) {
    const desk = new Desk(name, door.url, setting, keys);
    await desk.#launch(door);
    return desk;
  }

  constructor(name, url, setting, keys) {
    this.#name = name;
    this.#url = url;
    this.#setting = setting;
    this.#keys = keys;
    this.#complaints = new Complaints(setting.patienceMs);
  }

  async #launch(door) {
    const home = join(this.#setting.work, this.#name);
    const profile = await furnish(home, door);
    const { chromium } = createRequire(join(this.#setting.modules, 'x'))('playwright-core');
    // Where these are set, the browser would look there and not below its home.
    const { XDG_CONFIG_HOME, XDG_DATA_HOME, XDG_CACHE_HOME, ...env } = process.env;
    this.#context = await chromium.launchPersistentContext(profile, {
      executablePath: CHROMIUM,
      headless: true,
      // It shows our own pages only, and its sandbox starts neither as root nor in every container.
      chromiumSandbox: false,
      env: { ...env, HOME: home },
      args: [
        '--disable-gpu',
        // No name but the server's leads anywhere.
        `--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE ${new URL(door.url).hostname}`,
      ],
      viewport: VIEW,
      timeout: this.#setting.patienceMs,
    });
    this.#context.setDefaultTimeout(this.#setting.patienceMs);
    this.#context.on('page', (page) =>
      this.#greet(page).catch((error) => this.#complaints.note('tab', error.message)),
    );
    await Promise.all(this.#context.pages().map((page) => this.#greet(page)));
  }

  // A tab counts from the moment at which it is listened to.
  #greet(page) {
    const tab = { page, session: null };
    this.#tabs.push(tab);
    page.on('download', (download) => this.#downloads.push(download));
    // As long as somebody listens, the window in which files are chosen is ours to answer.
    page.on('filechooser', () => {});
    tab.ready = (async () => {
      tab.session = await this.#context.newCDPSession(page);
      await this.#complaints.hear(page, tab.session);
    })();
    return tab.ready;
  }

  /** Does what the verb says. */
  async obey(verb, words) {
    if (!Object.hasOwn(VERBS, verb)) throw new Error(`nobody at a desk knows how to '${verb}'`);
    if (HANDS.has(verb)) await this.page.waitForLoadState('domcontentloaded');
    return VERBS[verb](this, words);
  }

  complaints() {
    return this.#complaints.take();
  }

  /** What there was to see when something went wrong, kept as a picture too. */
  async scene() {
    const { page } = this.#tabs[this.#at];
    const kept = await this.picture(`failed-${this.#name}`, true).catch(
      (error) => `no picture: ${error.message}`,
    );
    const text = await page.innerText('body', { timeout: 1 }).catch(() => '');
    return `at desk ${this.#name}, ${page.url()} (${kept}):\n${text.slice(0, 2000)}`;
  }

  async close() {
    await this.#context.close();
    await rm(join(this.#setting.work, this.#name), { recursive: true, force: true });
  }

  get page() {
    return this.#tabs[this.#at].page;
  }

  get session() {
    return this.#tabs[this.#at].session;
  }

  // The way in

  async open(path) {
    const answer = await this.page.goto(new URL(path, this.#url).href);
    return answer.status();
  }

  /** Asks for a page that nobody gets; why not, in Chromium's word. */
  async fail(path) {
    const url = new URL(path, this.#url).href;
    const failed = await this.#complaints.suffer('net::', () =>
      this.page.goto(url).then(
        () => null,
        (error) => error.message,
      ),
    );
    const why = failed?.match(/net::\w+/)?.[0];
    if (!why) throw new Error(failed ?? `${path} was answered`);
    return why;
  }

  async openTab() {
    const page = await this.#context.newPage();
    const at = this.#tabs.findIndex((tab) => tab.page === page);
    await this.#tabs[at].ready;
    await this.turn(at);
    return at;
  }

  /** Turns to another tab; the key in the desk goes along. */
  async turn(at) {
    if (!this.#tabs[at]) throw new Error(`no tab ${at}`);
    this.#at = at;
    await this.page.bringToFront();
    if (this.#key) await this.#keys.insert(this.#key, this.session);
  }

  // Keys

  async insert(key) {
    await this.withdraw();
    await this.#keys.insert(key, this.session);
    this.#key = key;
  }

  async withdraw() {
    if (this.#key) await this.#keys.withdraw(this.#key);
    this.#key = null;
  }

  async behave(manner) {
    if (!this.#key) throw new Error('no key is in the desk');
    await this.#keys.behave(this.#key, manner);
  }

  // Hands

  /**
   * Presses the tabulator until this is in focus; after how many presses, none where it is already.
   */
  async tabTo(wanted, words) {
    await wanted.filter({ visible: true }).first().waitFor();
    const passed = [];
    while (!(await wanted.evaluateAll((found) => found.includes(document.activeElement)))) {
      if (passed.length === STEPS_MAX) {
        const seen = [...new Set(passed.map((words) => words.join(' ')))].join(', ');
        throw new Error(
          `the tabulator doesn't come to ${words} in ${STEPS_MAX} steps, only to: ${seen}`,
        );
      }
      await this.page.keyboard.press('Tab');
      passed.push(await this.focus());
    }
    return passed.length;
  }

  /** Presses a key on a file's field, and answers the window that opens. */
  async attachByKey(keys, file) {
    const [chooser] = await Promise.all([
      this.page.waitForEvent('filechooser'),
      this.page.keyboard.press(keys),
    ]);
    await chooser.setFiles(file);
  }

  /** Holds the next request of this method for this path that isn't held by an earlier word. */
  async hold(method, path) {
    const hold = { method, path, route: null };
    hold.came = new Promise((done) => (hold.take = done));
    this.#held.push(hold);
    if (this.#watched.has(path)) return;
    this.#watched.add(path);
    await this.page.route(
      (url) => url.pathname === path,
      (route) => {
        const wanting = this.#held.find(
          (other) =>
            !other.route && other.path === path && other.method === route.request().method(),
        );
        if (!wanting) return route.fallback();
        wanting.route = route;
        return wanting.take();
      },
    );
  }

  /** Waits until the request is made that is to be held the longest from now. */
  heldUp() {
    return this.#come(this.#held.at(-1));
  }

  /** Lets the request go on that was the first to be held. */
  async letGo() {
    const hold = this.#held[0];
    await this.#come(hold);
    this.#held.shift();
    await hold.route.continue();
  }

  async #come({ came, method, path }) {
    const late = new Promise((_, fail) => {
      setTimeout(
        () => fail(new Error(`nobody asked ${method} ${path}`)),
        this.#setting.patienceMs,
      ).unref();
    });
    await Promise.race([came, late]);
  }

  /** Role and accessible name of what is in focus, as a screen reader is told them. */
  async focus() {
    const { result } = await this.session.send('Runtime.evaluate', {
      expression: 'document.activeElement',
    });
    const { nodes } = await this.session.send('Accessibility.getPartialAXTree', {
      objectId: result.objectId,
      fetchRelatives: false,
    });
    return [nodes[0].role?.value ?? '', nodes[0].name?.value ?? ''];
  }

  // Eyes

  async picture(name, whole) {
    const path = join(this.#setting.screens, `${name}.png`);
    await this.measure(whole ? allPictures : pictures);
    const { cssContentSize: size } = await this.session.send('Page.getLayoutMetrics');
    const all = { captureBeyondViewport: true, clip: { ...size, scale: 1 } };
    const { data } = await this.session.send('Page.captureScreenshot', {
      format: 'png',
      ...(whole ? all : {}),
    });
    await writeFile(path, data, 'base64');
    return path;
  }

  async resize(width, height, scale) {
    await this.page.setViewportSize({ width, height });
    const metrics = { width, height, deviceScaleFactor: scale, mobile: false };
    await this.session.send('Emulation.setDeviceMetricsOverride', metrics);
  }

  /** The next file that was downloaded; they queue. */
  async downloaded() {
    if (this.#downloads.length === 0) await this.page.waitForEvent('download');
    const download = this.#downloads.shift();
    const folder = join(this.#setting.work, 'downloads');
    await mkdir(folder, { recursive: true });
    const path = join(folder, download.suggestedFilename());
    await download.saveAs(path);
    return path;
  }

  // Conscience

  expect(words) {
    this.#complaints.expect(words);
  }

  /** Waits for what was expected; what of it never came. */
  async settle() {
    // What the tabs said before this comes before their answer.
    await Promise.all(
      this.#tabs.map(({ session }) => session.send('Runtime.evaluate', { expression: '0' })),
    );
    return this.#complaints.settle();
  }

  measure(what) {
    return what(this.session, this.#setting.modules);
  }
}

const byRole = (desk, { role, name }) => desk.page.getByRole(role, { name, exact: true });
const byLabel = (desk, { label }) => desk.page.getByLabel(label, { exact: true });
const byText = (desk, { text }) => desk.page.getByText(text).filter({ visible: true }).first();

/** What can be done at a desk; the words are those of the command. */
/** What hands do: no person is so quick that a page's scripts aren't there yet. */
const HANDS = new Set(['press', 'write', 'click', 'fill', 'choose', 'attach by key']);

const VERBS = {
  open: (desk, { path }) => desk.open(path),
  fail: (desk, { path }) => desk.fail(path),
  'hold clock': (desk) => desk.page.clock.install(),
  pass: (desk, { minutes }) => desk.page.clock.fastForward(minutes * 60_000),
  reload: async (desk) => (await desk.page.reload()).status(),
  back: (desk) => desk.page.goBack().then(() => null),
  arrive: (desk, { path }) => desk.page.waitForURL((url) => url.pathname === path),
  'open tab': (desk) => desk.openTab(),
  turn: (desk, { tab }) => desk.turn(tab),

  insert: (desk, { key }) => desk.insert(key),
  withdraw: (desk) => desk.withdraw(),
  behave: (desk, { manner }) => desk.behave(manner),

  press: (desk, { keys }) => desk.page.keyboard.press(keys),
  write: (desk, { text }) => desk.page.keyboard.type(text),
  focus: (desk) => desk.focus(),
  'tab to': (desk, words) => desk.tabTo(byRole(desk, words), `${words.role} ${words.name}`),
  'tab to field': (desk, words) => desk.tabTo(byLabel(desk, words), `the field ${words.label}`),
  'tab to words': (desk, { words }) =>
    desk.tabTo(desk.page.getByText(words, { exact: true }), words),
  'attach by key': (desk, { keys, file }) => desk.attachByKey(keys, file),
  hold: (desk, { method, path }) => desk.hold(method, path),
  'held up': (desk) => desk.heldUp(),
  'let go': (desk) => desk.letGo(),
  click: (desk, words) => byRole(desk, words).click(),
  fill: (desk, { text, ...words }) => byLabel(desk, words).fill(text),
  choose: (desk, { option, ...words }) =>
    byLabel(desk, words)
      .selectOption({ label: option })
      .then(() => null),
  check: (desk, words) => byLabel(desk, words).check(),
  attach: (desk, { file, ...words }) => byLabel(desk, words).setInputFiles(file),
  downloaded: (desk) => desk.downloaded(),

  // What is to be seen can be used: the page's modules have run.
  see: (desk, words) =>
    byText(desk, words)
      .waitFor()
      .then(() => desk.page.waitForLoadState()),
  'see no': (desk, words) => byText(desk, words).waitFor({ state: 'hidden' }),
  read: (desk, { selector }) => desk.page.locator(selector).innerText(),
  evaluate: (desk, { expression }) => desk.page.evaluate(expression),
  picture: (desk, { name, whole }) => desk.picture(name, whole),
  resize: (desk, { width, height, scale }) => desk.resize(width, height, scale),

  expect: (desk, { words }) => desk.expect(words),
  axe: (desk) => desk.measure(axe),
  shifts: (desk) => desk.measure(shifts),
  times: (desk) => desk.measure(times),
};
