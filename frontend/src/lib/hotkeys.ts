import { useEffect, useRef } from 'react';

import { Watchable } from './store';

const KEY = 'studysmart-letter-keys';

function stored(): boolean {
  try {
    return localStorage.getItem(KEY) !== 'off';
  } catch {
    return true;
  }
}

/** Whether single letters act; people who dictate need to switch them off (WCAG 2.1.4). */
export const letterKeys = new Watchable(stored());

export function setLetterKeys(on: boolean): void {
  letterKeys.set(on);
  try {
    localStorage.setItem(KEY, on ? 'on' : 'off');
  } catch {
    // Then it holds until the page is left.
  }
}

/** A place where letters are text. */
export function isTextField(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return (
    target instanceof HTMLInputElement &&
    !['radio', 'checkbox', 'button', 'submit', 'range'].includes(target.type)
  );
}

/** Something that Enter already activates. */
function isControl(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('button, a, input, select, textarea, summary') !== null;
}

/**
 * Keys of a screen: one character each, or "Enter" and "Escape". They never fire in a text field
 * (Escape does, to leave it), with a modifier, while a dialog is open, or on a key held down.
 */
export function useHotkeys(keys: Record<string, (() => void) | undefined>): void {
  const current = useRef(keys);
  useEffect(() => {
    current.current = keys;
  });
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.isComposing || document.querySelector('[role="dialog"]') !== null) return;
      const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      const act = current.current[key];
      if (act === undefined) return;
      if (key === 'Enter' && isControl(event.target)) return;
      if (key.length === 1 && (isTextField(event.target) || !letterKeys.get())) return;
      event.preventDefault();
      act();
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, []);
}
