/* Recursion: deep, double, mutual, through pointers, with arrays on the stack. */
#include "conformance.h"

static uint64_t calls;

static __attribute__((noinline)) uint64_t ackermann(uint64_t m, uint64_t n)
{
	calls++;
	if (m == 0)
		return n + 1;
	return n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}

static __attribute__((noinline)) uint64_t fibonacci(unsigned n)
{
	calls++;
	return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static bool is_odd(unsigned n);

static __attribute__((noinline)) bool is_even(unsigned n)
{
	return n == 0 || is_odd((unsigned)opaque(n - 1));
}

static __attribute__((noinline)) bool is_odd(unsigned n)
{
	return n != 0 && is_even((unsigned)opaque(n - 1));
}

static unsigned moves[3];

static void hanoi(unsigned discs, unsigned from, unsigned to)
{
	if (discs == 0)
		return;
	hanoi(discs - 1, from, 3 - from - to);
	moves[to]++;
	hanoi(discs - 1, 3 - from - to, to);
}

static unsigned queens(unsigned size, unsigned row, uint32_t columns, uint32_t rising, uint32_t falling)
{
	if (row == size)
		return 1;
	unsigned found = 0;
	uint32_t open = ~(columns | rising | falling) & ((1u << size) - 1);
	for (; open != 0; open &= open - 1) {
		const uint32_t place = open & -open;
		found += queens(size, row + 1, columns | place, (rising | place) << 1, (falling | place) >> 1);
	}
	return found;
}

static uint64_t permutations;

static void permute(uint8_t *items, unsigned count)
{
	if (count <= 1) {
		for (unsigned i = 0; i < 5; i++)
			permutations = hash(permutations, items[i]);
		return;
	}
	for (unsigned i = 0; i < count; i++) {
		permute(items, count - 1);
		const unsigned other = count % 2 == 0 ? i : 0;
		const uint8_t kept = items[other];
		items[other] = items[count - 1];
		items[count - 1] = kept;
	}
}

static __attribute__((noinline)) uint64_t deep(unsigned depth, const uint64_t *above)
{
	uint64_t frame[4] = {depth, above[0], above[1] * 3, above[2] ^ depth};
	if (depth == 0)
		return frame[1] + frame[2] + frame[3];
	return deep(depth - 1, frame) + (frame[2] & 0xff);
}

int main(void)
{
	put("ackermann(2, 9) = %lu\n", ackermann(2, 9));
	put("ackermann(3, 3) = %lu\n", ackermann(3, 3));
	put("fibonacci(17) = %lu\n", fibonacci(17));
	put("%lu calls\n", calls);
	put("even %d %d odd %d\n", is_even(1000), is_even(1001), is_odd(77));
	hanoi(9, 0, 2);
	put("hanoi %u %u %u\n", moves[0], moves[1], moves[2]);
	for (unsigned size = 4; size <= 7; size++)
		put("queens %u: %u\n", size, queens(size, 0, 0, 0, 0));
	uint8_t items[] = {1, 2, 3, 4, 5};
	permutations = EMPTY_HASH;
	permute(items, 5);
	put("permutations %016lx\n", permutations);
	put("deep %lx\n", deep(2000, (const uint64_t[]){1, 2, 3}));
	return 0;
}
