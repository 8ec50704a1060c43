// The keys that the terminal keeps for itself, as QEMU's: Ctrl-A and then one more.
//
// A pure filter from what is typed to what the guest gets, so that it can be tested without a terminal.

export type EscapeCommand = 'quit' | 'help';

const CTRL_A = 1;
const keys: Readonly<Record<string, EscapeCommand>> = { x: 'quit', h: 'help', '?': 'help' };

export const escapeHelp = `Ctrl-A x       quit: stop the VM at once
Ctrl-A h       this help
Ctrl-A Ctrl-A  send Ctrl-A to the guest`;

/** A filter: gives what was typed as bytes for the guest and commands, in order; drops other keys after Ctrl-A. */
export function createEscapes(): (typed: Uint8Array) => (Uint8Array | EscapeCommand)[] {
  let escaped = false;
  return (typed) => {
    const parts: (Uint8Array | EscapeCommand)[] = [];
    let start = 0;
    const keep = (end: number): void => {
      if (end > start) parts.push(typed.subarray(start, end));
    };
    for (const [at, byte] of typed.entries()) {
      if (escaped) {
        escaped = false;
        const command = keys[String.fromCharCode(byte)];
        if (command !== undefined) parts.push(command);
        start = byte === CTRL_A ? at : at + 1;
      } else if (byte === CTRL_A) {
        keep(at);
        start = at + 1;
        escaped = true;
      }
    }
    keep(typed.length);
    return parts;
  };
}
