/* 64-bit products, quotients and remainders, with and without sign, and the high halves of 128-bit products. */
#include "kernel.h"

ROUNDS(1000);

enum { COUNT = 100 * 1000 };

void prepare(void)
{
}

uint64_t kernel(uint64_t seed)
{
	uint64_t state = random_from(seed);
	uint64_t sum = seed;
	for (uint32_t i = 0; i < COUNT; i++) {
		const uint64_t a = next_random(&state), b = (a >> (i & 31)) | 1;
		sum += (uint64_t)((unsigned __int128)sum * a >> 64);
		sum ^= (uint64_t)((__int128)(int64_t)sum * (int64_t)a >> 64);
		sum += a / b + sum % b;
		sum -= (uint64_t)((int64_t)sum / ((int64_t)b | 2));
		sum = sum * b + (uint64_t)((int32_t)a / (int32_t)(i + 1)) + (uint32_t)sum % (i + 3);
	}
	return sum;
}
