/* Vectors of floating-point numbers: arithmetic, comparisons, conversions, sums in a fixed order. */
#include "conformance.h"

typedef float floats __attribute__((vector_size(16)));
typedef double doubles __attribute__((vector_size(16)));
typedef int32_t words __attribute__((vector_size(16)));
typedef int64_t longs __attribute__((vector_size(16)));

static __attribute__((noinline)) uint64_t of_floats(uint64_t *state)
{
	floats a, b;
	words w;
	for (int i = 0; i < 4; i++) {
		a[i] = (float)(int32_t)next_random(state) / 1024.0f;
		b[i] = (float)(int16_t)next_random(state) / 3.0f + 0.5f;
		w[i] = (int32_t)next_random(state);
	}
	floats results[] = {a + b, a - b, a * b, a / b, -a, __builtin_convertvector(w, floats)};
	words masks[] = {a < b, a == b, a >= b, __builtin_convertvector(b, words)};
	uint64_t all = EMPTY_HASH;
	for (size_t r = 0; r < LENGTH(results); r++)
		for (int i = 0; i < 4; i++)
			all = hash(all, float_bits(results[r][i]));
	for (size_t r = 0; r < LENGTH(masks); r++)
		for (int i = 0; i < 4; i++)
			all = hash(all, (uint32_t)masks[r][i]);
	return all;
}

static __attribute__((noinline)) uint64_t of_doubles(uint64_t *state)
{
	doubles a, b;
	longs l;
	for (int i = 0; i < 2; i++) {
		a[i] = (double)(int64_t)next_random(state) / 4096.0;
		b[i] = (double)(int32_t)next_random(state) / 7.0 + 0.25;
		l[i] = (int64_t)next_random(state) >> 12;
	}
	doubles results[] = {a + b, a - b, a * b, a / b, -b, __builtin_convertvector(l, doubles)};
	longs masks[] = {a < b, a != b, a <= b, __builtin_convertvector(b, longs)};
	uint64_t all = EMPTY_HASH;
	for (size_t r = 0; r < LENGTH(results); r++)
		for (int i = 0; i < 2; i++)
			all = hash(all, double_bits(results[r][i]));
	for (size_t r = 0; r < LENGTH(masks); r++)
		for (int i = 0; i < 2; i++)
			all = hash(all, (uint64_t)masks[r][i]);
	return all;
}

int main(void)
{
	uint64_t state = 77;
	for (int round = 0; round < 40; round++) {
		const uint64_t floats_hash = of_floats(&state);
		put("%d: %016lx %016lx\n", round, floats_hash, of_doubles(&state));
	}
	return 0;
}
