// What can be measured on a page. All of it runs in a world of its own beside the page's scripts:
// it sees the same document and neither meets the page's globals nor its content security policy.

import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** Breaches that axe-core finds, a line each; `unsure` are those that it leaves to an eye. */
export async function axe(session, modules) {
  const source = await readFile(
    createRequire(join(modules, 'x')).resolve('axe-core/axe.min.js'),
    'utf8',
  );
  const context = await aside(session);
  await evaluate(session, context, `${source}; undefined`);
  // The size of what is to be clicked is a rule of 2.2 that axe-core leaves off unless asked.
  const options = {
    runOnly: TAGS,
    rules: { 'target-size': { enabled: true } },
    resultTypes: ['violations', 'incomplete'],
    iframes: false,
  };
  return evaluate(
    session,
    context,
    `(async () => {
    if (document.querySelector('iframe, frame')) {
      throw new Error('a frame, into which this does not look');
    }
    const line = ({ id, help }, { html, any, all, none }) => {
      const why = [...any, ...all, ...none].map(({ message }) => message).join('; ');
      return id + ': ' + help + ': ' + html + ': ' + why;
    };
    const lines = (found) => found.flatMap((rule) => rule.nodes.map((node) => line(rule, node)));
    const { violations, incomplete } = await axe.run(document, ${JSON.stringify(options)});
    return { violations: lines(violations), unsure: lines(incomplete) };
  })()`,
  );
}

/**
 * How much the page moved under the reader's eyes, in Chromium's measure: by itself, and in all,
 * what keys and clicks moved included.
 */
export async function shifts(session) {
  return evaluate(
    session,
    await aside(session),
    `(async () => {
    // A shift is reported with the frame that shows it.
    for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
    const observer = new PerformanceObserver(() => {});
    observer.observe({ type: 'layout-shift', buffered: true });
    const entries = observer.takeRecords();
    const sum = (of) => of.reduce((total, { value }) => total + value, 0);
    const alone = entries.filter(({ hadRecentInput }) => !hadRecentInput);
    return { alone: sum(alone), all: sum(entries) };
  })()`,
  );
}

/**
 * Waits until the pictures are there that the window shows; one that fails is there, too, as a gap.
 */
export async function pictures(session) {
  return evaluate(
    session,
    await aside(session),
    `(async () => {
    const seen = ({ top, bottom, width }) => width > 0 && bottom > 0 && top < innerHeight;
    const missing = (image) => !image.complete && seen(image.getBoundingClientRect());
    while ([...document.images].some(missing)) await new Promise(requestAnimationFrame);
    const there = [...document.images].filter((image) => image.complete);
    await Promise.allSettled(there.map((image) => image.decode()));
    await new Promise(requestAnimationFrame);
  })()`,
  );
}

/** As for somebody who has gone down to the page's end. */
export async function allPictures(session) {
  return evaluate(
    session,
    await aside(session),
    `(async () => {
    for (const image of document.images) image.loading = 'eager';
    while ([...document.images].some((image) => !image.complete)) {
      await new Promise(requestAnimationFrame);
    }
    await Promise.allSettled([...document.images].map((image) => image.decode()));
    await new Promise(requestAnimationFrame);
  })()`,
  );
}

/** When the page was there, in milliseconds since whoever asked for it did. */
export async function times(session) {
  return evaluate(
    session,
    await aside(session),
    `(async () => {
    const [page] = performance.getEntriesByType('navigation');
    while (page.loadEventEnd === 0) await new Promise(requestAnimationFrame);
    return {
      answered_ms: page.responseEnd,
      ready_ms: page.domContentLoadedEventEnd,
      loaded_ms: page.loadEventEnd,
    };
  })()`,
  );
}

async function aside(session) {
  const { frameTree } = await session.send('Page.getFrameTree');
  const { executionContextId } = await session.send('Page.createIsolatedWorld', {
    frameId: frameTree.frame.id,
    worldName: 'measures',
  });
  return executionContextId;
}

async function evaluate(session, contextId, expression) {
  const options = { contextId, expression, awaitPromise: true, returnByValue: true };
  const { result, exceptionDetails } = await session.send('Runtime.evaluate', options);
  if (exceptionDetails)
    throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  return result.value;
}
