import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CodePage } from './code-pages.ts';
import { Collector } from './collector.ts';

const pageOf = (number: number): CodePage => ({
  number,
  chunks: [],
  next: 0,
  end: 0,
  straddling: undefined,
  before: undefined,
  watched: undefined,
  regions: 0,
  survived: 0,
  isOld: false,
});

/** A cache of pages of one unit each, and a clock that runs by `tick` nanoseconds at each look at it. */
function createCache(limit: number, tick = 0n) {
  const pages = new Set<CodePage>();
  const used = new Set<CodePage>();
  const evicted: number[] = [];
  const running = new Set<CodePage>();
  let now = 1_000_000_000n;
  const collector = new Collector({
    use: () => pages.size / limit,
    isFull: () => pages.size > limit,
    running: () => running,
    takeUses: (page) => used.delete(page),
    evict(page) {
      collector.remove(page);
      pages.delete(page);
      evicted.push(page.number);
    },
    now: () => (now += tick),
  });
  return {
    collector,
    used,
    evicted,
    running,
    pages,
    pass: (ns: bigint) => void (now += ns),
    add(count: number): CodePage[] {
      const added = Array.from({ length: count }, (_, i) => pageOf(pages.size + i));
      for (const page of added) {
        pages.add(page);
        collector.add(page);
      }
      return added;
    },
  };
}

test('nothing is collected below the high-water mark', () => {
  const cache = createCache(100);
  cache.add(85);
  cache.collector.step();
  assert.deepEqual(cache.evicted, []);
  assert.equal(cache.collector.collections, 0);
});

test('pages that are used stay, others go, down to the low-water mark', () => {
  const cache = createCache(100);
  const pages = cache.add(90);
  for (const page of pages.slice(0, 50)) cache.used.add(page);
  for (let i = 0; i < 10; i++) {
    cache.collector.step();
    cache.pass(2_000_000n);
  }
  assert.equal(cache.pages.size, 75);
  assert.ok(cache.evicted.every((number) => number >= 50));
  assert.equal(cache.collector.collections, 1);
});

test('a page that a vCPU is about to execute stays', () => {
  const cache = createCache(10);
  const [first] = cache.add(10);
  cache.running.add(first!);
  cache.collector.step();
  assert.ok(cache.pages.has(first!));
  assert.ok(cache.evicted.length > 0);
});

test('an old page gets a second chance', () => {
  const cache = createCache(100);
  const pages = cache.add(90);
  for (const page of pages) cache.collector.promote(page);
  cache.collector.step();
  assert.deepEqual(cache.evicted, []);
  for (let i = 0; i < 10; i++) {
    cache.pass(2_000_000n);
    cache.collector.step();
  }
  assert.equal(cache.pages.size, 75);
});

test('a step ends after its time, and the next waits', () => {
  const cache = createCache(1000, 200_000n);
  cache.add(900);
  cache.collector.step();
  const first = cache.evicted.length;
  assert.ok(first > 0 && first < 64, `${first} pages in one step`);
  cache.collector.step();
  assert.equal(cache.evicted.length, first);
  cache.pass(2_000_000n);
  cache.collector.step();
  assert.ok(cache.evicted.length > first);
  assert.equal(cache.collector.pauses.count, 2);
});

test('beyond the limit a step goes on, and evicts even what is used', () => {
  const cache = createCache(100, 200_000n);
  for (const page of cache.add(300)) cache.used.add(page);
  cache.collector.step();
  assert.ok(cache.pages.size <= 100);
});
