// Complains in every way that a page can, and pushes down what is there.

console.error('the page is at a loss');
requestAnimationFrame(() =>
  requestAnimationFrame(() => {
    const pushed = document.createElement('p');
    pushed.textContent = 'first';
    pushed.className = 'tall';
    document.body.prepend(pushed);
  }),
);
throw new Error('the page gives up');
