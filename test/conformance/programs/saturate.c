/* Saturating arithmetic, averages and absolute differences as compilers recognise them in loops. */
#include "conformance.h"

enum { COUNT = 64 };

#define SATURATE(name, type, wide, low, high) \
	static __attribute__((noinline)) void name(const type *a, const type *b, type *sums, type *differences) \
	{ \
		for (int i = 0; i < COUNT; i++) { \
			const wide sum = (wide)a[i] + b[i], difference = (wide)a[i] - b[i]; \
			sums[i] = (type)(sum < (low) ? (low) : sum > (high) ? (high) : sum); \
			differences[i] = (type)(difference < (low) ? (low) : difference > (high) ? (high) : difference); \
		} \
	}

SATURATE(of_bytes, int8_t, int32_t, -128, 127)
SATURATE(of_unsigned_bytes, uint8_t, int32_t, 0, 255)
SATURATE(of_halves, int16_t, int32_t, -32768, 32767)
SATURATE(of_words, int32_t, int64_t, -2147483647l - 1, 2147483647l)

static __attribute__((noinline)) uint64_t averages(const uint8_t *a, const uint8_t *b)
{
	uint8_t down[COUNT], up[COUNT];
	uint32_t distance = 0;
	for (int i = 0; i < COUNT; i++) {
		down[i] = (uint8_t)((a[i] + b[i]) >> 1);
		up[i] = (uint8_t)((a[i] + b[i] + 1) >> 1);
		distance += (uint32_t)(a[i] > b[i] ? a[i] - b[i] : b[i] - a[i]);
	}
	uint64_t all = distance;
	for (int i = 0; i < COUNT; i++)
		all = hash(hash(all, down[i]), up[i]);
	return all;
}

#define RUN(function, type) \
	do { \
		type a[COUNT], b[COUNT], sums[COUNT], differences[COUNT]; \
		uint64_t all = EMPTY_HASH; \
		for (int i = 0; i < COUNT; i++) { \
			a[i] = (type)next_random(&state); \
			b[i] = (type)next_random(&state); \
		} \
		function(a, b, sums, differences); \
		for (int i = 0; i < COUNT; i++) \
			all = hash(hash(all, (uint64_t)sums[i]), (uint64_t)differences[i]); \
		put(#function " %016lx\n", all); \
	} while (0)

int main(void)
{
	uint64_t state = 5;
	for (int round = 0; round < 10; round++) {
		uint8_t a[COUNT], b[COUNT];
		RUN(of_bytes, int8_t);
		RUN(of_unsigned_bytes, uint8_t);
		RUN(of_halves, int16_t);
		RUN(of_words, int32_t);
		for (int i = 0; i < COUNT; i++) {
			a[i] = (uint8_t)next_random(&state);
			b[i] = (uint8_t)next_random(&state);
		}
		put("averages %016lx\n", averages(a, b));
	}
	return 0;
}
