// The kernel command line of a guest: the serial port as console, few boot messages, and what the terminal is like.
//
// The default guest's first process reads TERM, LINES and COLUMNS from its environment, where the kernel puts every
// NAME=value that it does not know. What the user appends comes last, where it wins (e.g. loglevel=7 over quiet).

/** What is at the other end of the guest's console. */
export interface TerminalShape {
  /** As in the environment variable TERM. */
  readonly type: string;
  readonly lines: number;
  readonly columns: number;
}

/** The command line for a guest at `terminal`, or at no terminal but a pipe or a program. */
export function commandLine(append: string | undefined, terminal?: TerminalShape): string {
  const parts = ['console=ttyS0', 'quiet', ...terminalParts(terminal)];
  if (append !== undefined && append !== '') parts.push(append);
  return parts.join(' ');
}

function terminalParts(terminal: TerminalShape | undefined): string[] {
  // TERM=dumb: no line editor with its escape sequences.
  if (terminal === undefined) return ['TERM=dumb'];
  const { type, lines, columns } = terminal;
  const parts = /^[\w.+-]+$/.test(type) ? [`TERM=${type}`] : [];
  return lines > 0 && columns > 0 ? [...parts, `LINES=${lines}`, `COLUMNS=${columns}`] : parts;
}
