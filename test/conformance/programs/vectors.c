/* The compiler's vectors: lanes of every integer width, arithmetic, shifts, comparisons, choices, shuffles. */
#include "conformance.h"

#define VECTORS(name, element, count) \
	typedef element name __attribute__((vector_size(sizeof(element) * (count)))); \
	static __attribute__((noinline)) uint64_t of_##name(uint64_t seed) \
	{ \
		name a, b; \
		uint64_t state = seed, all = EMPTY_HASH; \
		for (int i = 0; i < (count); i++) { \
			a[i] = (element)next_random(&state); \
			b[i] = (element)(next_random(&state) >> (state & 31)); \
		} \
		const name shifts = (b & (element)(sizeof(element) * 8 - 1)); \
		name results[] = {a + b, a - b, a * b, a & b, a | b, a ^ b, ~a, -a, a << shifts, a >> shifts, \
			(name)(a > b), (name)(a == b), (name)(a <= b), ((name)(a > b) & a) | (~(name)(a > b) & b)}; \
		for (size_t r = 0; r < LENGTH(results); r++) \
			for (int i = 0; i < (count); i++) \
				all = hash(all, (uint64_t)results[r][i]); \
		element sum = 0, greatest = a[0]; \
		for (int i = 0; i < (count); i++) { \
			sum += (element)(a[i] * b[i]); \
			greatest = a[i] > greatest ? a[i] : greatest; \
		} \
		return hash(hash(all, (uint64_t)sum), (uint64_t)greatest); \
	}

VECTORS(bytes, int8_t, 16)
VECTORS(unsigned_bytes, uint8_t, 16)
VECTORS(few_bytes, int8_t, 8)
VECTORS(halves, int16_t, 8)
VECTORS(unsigned_halves, uint16_t, 8)
VECTORS(words, int32_t, 4)
VECTORS(unsigned_words, uint32_t, 4)
VECTORS(pairs, int32_t, 2)
VECTORS(longs, int64_t, 2)
VECTORS(unsigned_longs, uint64_t, 2)
VECTORS(many, int16_t, 32)

static uint64_t shuffles(uint64_t seed)
{
	uint64_t state = seed, all = EMPTY_HASH;
	bytes a, b;
	for (int i = 0; i < 16; i++) {
		a[i] = (int8_t)next_random(&state);
		b[i] = (int8_t)next_random(&state);
	}
	const bytes reverse = {15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0};
	const bytes zip = {0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23};
	const bytes even = {0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30};
	const bytes window = {5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20};
	bytes results[] = {__builtin_shuffle(a, reverse), __builtin_shuffle(a, b, zip), __builtin_shuffle(a, b, even),
		__builtin_shuffle(a, b, window), __builtin_shuffle(a, b & (int8_t)15)};
	for (size_t r = 0; r < LENGTH(results); r++)
		for (int i = 0; i < 16; i++)
			all = hash(all, (uint64_t)results[r][i]);
	return all;
}

int main(void)
{
	for (uint64_t seed = 1; seed < 20; seed++) {
		put("%lu: %016lx %016lx %016lx", seed, of_bytes(seed), of_unsigned_bytes(seed), of_few_bytes(seed));
		put(" %016lx %016lx", of_halves(seed), of_unsigned_halves(seed));
		put(" %016lx %016lx %016lx", of_words(seed), of_unsigned_words(seed), of_pairs(seed));
		put(" %016lx %016lx %016lx", of_longs(seed), of_unsigned_longs(seed), of_many(seed));
		put(" %016lx\n", shuffles(seed));
	}
	return 0;
}
