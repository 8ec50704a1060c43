// Reads apt's lists of sources (sources.list(5): the one-line ".list" and the deb822 ".sources"
// format) far enough to find the mirrors that may serve Debian itself.
//
// Nothing here knows a host: which mirror to use is the system administrator's choice. A candidate
// is only a guess from names; apt proves it by the signature of Debian's archive keys.

export interface AptSource {
  readonly uri: string;
  readonly suite: string;
  readonly components: readonly string[];
  readonly signedBy: string | undefined;
}

/** The enabled binary ("deb") sources in a one-line-format file. */
export function parseSourcesList(text: string): AptSource[] {
  const sources: AptSource[] = [];
  for (const line of text.split('\n')) {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)([^#]*)/.exec(line);
    if (match === null) continue;
    const [, options = '', uri = '', suite = '', components = ''] = match;
    const signedBy = /(?:^|\s)signed-by=(\S+)/i.exec(options)?.[1];
    sources.push({ uri, suite, components: words(components), signedBy });
  }
  return sources;
}

/** The enabled binary ("deb") sources in a deb822-format file, one per URI and suite. */
export function parseDeb822Sources(text: string): AptSource[] {
  const sources: AptSource[] = [];
  for (const fields of parseStanzas(text)) {
    const enabled = !/^(no|false|without|off|disable|0)$/i.test(fields.get('enabled') ?? 'yes');
    if (!enabled || !words(fields.get('types')).includes('deb')) continue;
    const components = words(fields.get('components'));
    const signedBy = fields.get('signed-by');
    for (const uri of words(fields.get('uris'))) {
      for (const suite of words(fields.get('suites'))) {
        sources.push({ uri, suite, components, signedBy });
      }
    }
  }
  return sources;
}

/**
 * The URIs that may serve Debian's main archive, likeliest first, each once: sources of the
 * component "main" of a plain suite ("bookworm", not "bookworm-security"), those that name Debian's
 * keys and whose path is called "debian" before others.
 */
export function debianMirrors(sources: readonly AptSource[]): string[] {
  const candidates = sources.filter(
    ({ uri, suite, components }) =>
      components.includes('main') && /^[a-z]+$/.test(suite) && !uri.startsWith('cdrom:'),
  );
  const rank = ({ uri, signedBy }: AptSource) =>
    (signedBy?.includes('debian-archive') === true ? 0 : 2) + (/\/debian\/?$/.test(uri) ? 0 : 1);
  const ranked = candidates.toSorted((a, b) => rank(a) - rank(b));
  return [...new Set(ranked.map(({ uri }) => uri.replace(/\/+$/, '')))];
}

/**
 * The stanzas of a deb822 text (deb822(5)) as maps from lower-case field name to value; the lines
 * of a folded value are joined with newlines.
 */
export function parseStanzas(text: string): Map<string, string>[] {
  const stanzas: Map<string, string>[] = [];
  let stanza = new Map<string, string>();
  let name: string | undefined;
  for (const line of [...text.split('\n'), '']) {
    if (line.startsWith('#')) continue;
    const field = /^([^\s:]+):\s*(.*)$/.exec(line);
    if (line.trim() === '') {
      if (stanza.size > 0) stanzas.push(stanza);
      stanza = new Map();
      name = undefined;
    } else if (field !== null) {
      name = (field[1] ?? '').toLowerCase();
      stanza.set(name, (field[2] ?? '').trimEnd());
    } else if (name !== undefined) {
      stanza.set(name, `${stanza.get(name) ?? ''}\n${line.trim()}`);
    }
  }
  return stanzas;
}

function words(text: string | undefined): string[] {
  return (text ?? '').split(/\s+/).filter((word) => word !== '');
}
