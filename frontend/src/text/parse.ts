import { Lexer } from 'marked';
import type { Token, TokenizerExtension } from 'marked';

export interface MathsToken {
  type: 'maths';
  raw: string;
  tex: string;
  display: boolean;
}

/**
 * `$$ … $$` and `$ … $` become maths. An inline opening `$` has no space after it, a closing one no
 * space before it and no digit after it (Pandoc's rule for tex_math_dollars), so that "$5 and $7"
 * stays money.
 */
const DISPLAY = /^\$\$([\s\S]+?)\$\$/;
const INLINE = /^\$(?![\s$])((?:\\[\s\S]|[^\\$])*?(?:\\[\s\S]|[^\s\\$]))\$(?!\d)/;

type Extension = Pick<TokenizerExtension, 'tokenizer'> & { start: (source: string) => number };

const displayMaths: Extension = {
  start: (source) => source.indexOf('$$'),
  tokenizer: (source) => {
    const match = /^ {0,3}\$\$([\s\S]+?)\$\$[ \t]*(?:\n|$)/.exec(source);
    const tex = match?.[1];
    return match && tex !== undefined ? { type: 'maths', raw: match[0], tex: tex.trim(), display: true } : undefined;
  },
};

const inlineMaths: Extension = {
  start: (source) => source.indexOf('$'),
  tokenizer: (source) => {
    const display = DISPLAY.exec(source);
    if (display?.[1] !== undefined) return { type: 'maths', raw: display[0], tex: display[1].trim(), display: true };
    const inline = INLINE.exec(source);
    if (inline?.[1] !== undefined) return { type: 'maths', raw: inline[0], tex: inline[1], display: false };
    return undefined;
  },
};

/** Markdown with LaTeX as a tree; nothing in it is HTML, whatever the text says. */
export function parse(text: string): Token[] {
  // The lexer alone: the rest of the library makes HTML, which this page never does.
  return new Lexer({
    gfm: true,
    breaks: true,
    extensions: {
      block: [displayMaths.tokenizer],
      inline: [inlineMaths.tokenizer],
      startBlock: [displayMaths.start],
      startInline: [inlineMaths.start],
      renderers: {},
      childTokens: {},
    },
  }).lex(text);
}

/** Only addresses that open a page; never `javascript:` and its relatives. */
export function safeHref(href: string): string | null {
  try {
    const url = new URL(href);
    return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : null;
  } catch {
    return null;
  }
}
