import katex from 'katex';
import 'katex/dist/katex.min.css';

/**
 * LaTeX as KaTeX's own markup, with MathML for assistive technology.
 *
 * `trust: false` refuses every command that could carry an address or markup of its own; sizes and
 * macro expansion are bounded. An unreadable formula shows its source in the error colour.
 */
export function typeset(tex: string, display: boolean): string {
  return katex.renderToString(tex, {
    displayMode: display,
    output: 'htmlAndMathml',
    throwOnError: false,
    errorColor: 'var(--amber-text)',
    trust: false,
    strict: 'ignore',
    maxSize: 20,
    maxExpand: 200,
  });
}
