import { act, cleanup, render } from '@testing-library/react';
import { afterEach, describe, expect, it } from 'vitest';

import { parse, safeHref } from '../src/text/parse';
import { preloadMaths, RichText } from '../src/text/RichText';

afterEach(cleanup);

async function rendered(text: string): Promise<HTMLElement> {
  await preloadMaths();
  const { container } = await act(() => Promise.resolve(render(<RichText text={text} />)));
  expect(container.querySelector('[class*=pending]')).toBeNull();
  return container;
}

const maths = (text: string): string[] =>
  JSON.stringify(parse(text))
    .split('"tex":')
    .slice(1)
    .map((rest) => JSON.parse(/^"(?:\\.|[^"\\])*"/.exec(rest)?.[0] ?? '""') as string);

describe('text of a task', () => {
  it.each([
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    'before <b onclick="alert(1)">bold</b> after',
    '<svg><script>alert(1)</script></svg>',
    '<iframe src="https://example.org"></iframe>',
    '<!-- comment -->',
  ])('shows %s as typed', async (hostile) => {
    const page = await rendered(hostile);
    expect(page.textContent.trim()).toBe(hostile);
    expect(page.querySelector('script, img, svg, iframe, b')).toBeNull();
  });

  it.each(['[x](javascript:alert(1))', '[x](data:text/html,hi)', '[x](vbscript:x)', '![x](https://example.org/x.png)'])(
    'makes neither a link nor an image of %s',
    async (hostile) => {
      const page = await rendered(hostile);
      expect(page.querySelector('a, img')).toBeNull();
    },
  );

  it.each([
    '$\\href{javascript:alert(1)}{x}$',
    '$\\htmlData{a=b}{x}$',
    '$\\includegraphics{https://example.org/x.png}$',
    '$\\text{<img src=x onerror=alert(1)>}$',
  ])('gives %s no power', async (hostile) => {
    const page = await rendered(hostile);
    expect(page.querySelector('a, img, script, [onerror], [data-a]')).toBeNull();
  });

  it('survives a formula that expands without end', async () => {
    const page = await rendered('$\\def\\x{\\x\\x}\\x$');
    expect(page.textContent).toContain('\\x');
  });

  it('typesets inline and display maths, with MathML for assistive technology', async () => {
    const page = await rendered('Solve $x^2 = 4$:\n\n$$\nx = \\pm 2\n$$');
    expect(page.querySelectorAll('math')).toHaveLength(2);
    expect(page.querySelectorAll('.katex-display')).toHaveLength(1);
  });

  it('shows the source of a formula that cannot be read', async () => {
    const page = await rendered('$\\frac{1$');
    expect(page.textContent).toContain('\\frac{1');
  });

  it.each([
    ['It costs $5 and then $7.', []],
    ['a \\$ sign and $x$', ['x']],
    ['$a$ and $b$', ['a', 'b']],
    ['**$x_1$** and *$y_1$*', ['x_1', 'y_1']],
    ['$a_1 * b_2 * c$', ['a_1 * b_2 * c']],
    ['a line with $$x + 1$$ in it', ['x + 1']],
    ['| a |\n| - |\n| $x$ |', ['x']],
    ['`$x$`', []],
    ['- $a$\n- $b$', ['a', 'b']],
    ['$\\text{cost in \\$}$', ['\\text{cost in \\$}']],
  ])('finds the maths in %j', (text, expected) => {
    expect(maths(text)).toEqual(expected);
  });

  it('keeps signs that HTML would need escaped', async () => {
    expect((await rendered('a < b & c > d "e"')).textContent.trim()).toBe('a < b & c > d "e"');
  });

  it('renders lists, tables and emphasis', async () => {
    const page = await rendered('1. one\n2. **two**\n\n| a | b |\n| - | - |\n| 1 | 2 |');
    expect(page.querySelectorAll('ol > li')).toHaveLength(2);
    expect(page.querySelector('strong')?.textContent).toBe('two');
    expect(page.querySelectorAll('td')).toHaveLength(2);
  });

  it('follows only addresses that open a page', () => {
    expect(safeHref('https://example.org/a')).toBe('https://example.org/a');
    expect(safeHref('JaVaScRiPt:alert(1)')).toBeNull();
    expect(safeHref('//example.org')).toBeNull();
  });
});
