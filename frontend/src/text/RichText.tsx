import { Fragment, memo, Suspense, use, useMemo } from 'react';
import type { JSX, ReactNode } from 'react';
import type { Token, Tokens } from 'marked';

import { parse, safeHref } from './parse';
import type { MathsToken } from './parse';
import classes from './RichText.module.css';

/** Started once, by the first screen that shows a task; a page without maths never pays for it. */
let typesetter: Promise<typeof import('./typeset') | null> | undefined;

/** The typesetter; null when it cannot be fetched now, and then the next call tries again. */
export function preloadMaths(): Promise<typeof import('./typeset') | null> {
  typesetter ??= import('./typeset').catch(() => {
    typesetter = undefined;
    return null;
  });
  return typesetter;
}

function Maths({ tex, display }: { tex: string; display: boolean }): JSX.Element {
  const typeset = use(preloadMaths())?.typeset;
  const html = useMemo(() => typeset?.(tex, display), [typeset, tex, display]);
  if (html === undefined) return <code>{tex}</code>;
  // The only markup not made by React: KaTeX's, from a formula it has parsed and escaped itself.
  const inner = { __html: html };
  return display ? (
    <span className={classes['display']} dangerouslySetInnerHTML={inner} />
  ) : (
    <span dangerouslySetInnerHTML={inner} />
  );
}

function Formula(props: { tex: string; display: boolean }): JSX.Element {
  // Until the typesetter is here, the source holds the place, unseen but as wide as it will be.
  return (
    <Suspense fallback={<span className={classes['pending']}>{props.tex}</span>}>
      <Maths {...props} />
    </Suspense>
  );
}

function children(tokens: Token[] | undefined): ReactNode {
  return tokens?.map((token, index) => <Fragment key={index}>{node(token)}</Fragment>);
}

function node(token: Token): ReactNode {
  switch (token.type) {
    case 'maths': {
      const { tex, display } = token as unknown as MathsToken;
      return <Formula tex={tex} display={display} />;
    }
    case 'paragraph':
      return <p>{children(token.tokens)}</p>;
    case 'heading':
      // The page owns h1 to h3; a task's own headings are strong lines.
      return (
        <p>
          <strong>{children(token.tokens)}</strong>
        </p>
      );
    case 'text':
      return token.tokens ? children(token.tokens) : (token as Tokens.Text).text;
    case 'escape':
      return (token as Tokens.Escape).text;
    case 'strong':
      return <strong>{children(token.tokens)}</strong>;
    case 'em':
      return <em>{children(token.tokens)}</em>;
    case 'del':
      return <del>{children(token.tokens)}</del>;
    case 'codespan':
      return <code>{(token as Tokens.Codespan).text}</code>;
    case 'code':
      return (
        <pre>
          <code>{(token as Tokens.Code).text}</code>
        </pre>
      );
    case 'br':
      return <br />;
    case 'hr':
      return <hr />;
    case 'blockquote':
      return <blockquote>{children(token.tokens)}</blockquote>;
    case 'list': {
      const list = token as Tokens.List;
      const items = list.items.map((item, index) => <li key={index}>{children(item.tokens)}</li>);
      return list.ordered ? <ol start={list.start === '' ? 1 : list.start}>{items}</ol> : <ul>{items}</ul>;
    }
    case 'table': {
      const table = token as Tokens.Table;
      return (
        <table>
          <thead>
            <tr>
              {table.header.map((cell, index) => (
                <th key={index}>{children(cell.tokens)}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {table.rows.map((row, index) => (
              <tr key={index}>
                {row.map((cell, at) => (
                  <td key={at}>{children(cell.tokens)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      );
    }
    case 'link': {
      const href = safeHref((token as Tokens.Link).href);
      return href === null ? (
        token.raw
      ) : (
        <a href={href} rel="noopener noreferrer nofollow" target="_blank">
          {children(token.tokens)}
        </a>
      );
    }
    case 'checkbox':
    case 'space':
    case 'def':
      return null;
    default:
      // HTML, images and whatever else a parser may learn: shown as typed.
      return token.raw;
  }
}

/** Text of a task: Markdown with LaTeX between dollar signs. HTML in it stays text. */
export const RichText = memo(function RichText({ text, inline = false }: { text: string; inline?: boolean }) {
  const tokens = useMemo(() => parse(text), [text]);
  const Tag = inline ? 'span' : 'div';
  const only = tokens[0];
  const content = inline && tokens.length === 1 && only?.type === 'paragraph' ? children(only.tokens) : children(tokens);
  return <Tag className={inline ? classes['inline'] : classes['text']}>{content}</Tag>;
});
