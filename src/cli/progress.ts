// Shows on standard error how the default guest is fetched: one line that is drawn anew on a terminal, otherwise one
// line for each phase.

import type { FetchProgress } from '../host/node/index.ts';

export interface ProgressLine {
  readonly show: (progress: FetchProgress) => void;
  /** Leaves the terminal's line empty for what comes next. */
  readonly clear: () => void;
}

export function progressLine(stream: NodeJS.WriteStream = process.stderr): ProgressLine {
  let last = '';
  const animated = stream.isTTY && process.env['TERM'] !== 'dumb';
  return {
    show({ phase, message, fraction }) {
      const percent = fraction === undefined ? '' : ` ${Math.floor(fraction * 100)} %`;
      const text = animated ? `${message}${phase === 'done' ? '' : percent}` : message;
      if (text === last) return;
      last = text;
      const width = Math.max((stream.columns ?? 80) - 1, 20);
      stream.write(animated ? `\r\x1b[K${`isola: ${text}`.slice(0, width)}` : `isola: ${text}\n`);
    },
    clear() {
      if (animated && last !== '') stream.write('\r\x1b[K');
      last = '';
    },
  };
}
