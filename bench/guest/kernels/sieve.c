/* The sieve of Eratosthenes below a million, a byte a number. */
#include "kernel.h"

ROUNDS(320);

enum { LIMIT = 1000 * 1000 };

static uint8_t composite[LIMIT];

void prepare(void)
{
}

uint64_t kernel(uint64_t seed)
{
	for (size_t i = 0; i < LIMIT; i++)
		composite[i] = 0;
	const size_t limit = LIMIT - seed % 1024;
	uint64_t count = 0, last = 0;
	for (size_t i = 2; i < limit; i++) {
		if (composite[i])
			continue;
		count++;
		last = i;
		for (size_t j = i * i; j < limit; j += i)
			composite[j] = 1;
	}
	return mix(mix(seed, count), last);
}
