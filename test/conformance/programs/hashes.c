/* Hash tables with open addresses and chains, and hashes that mix by multiplication: SipHash and a table of tabulation. */
#include "conformance.h"

static uint64_t rotate(uint64_t x, unsigned by)
{
	return x << by | x >> (64 - by);
}

static uint64_t siphash(uint64_t k0, uint64_t k1, const uint8_t *data, size_t size)
{
	uint64_t v0 = k0 ^ 0x736f6d6570736575, v1 = k1 ^ 0x646f72616e646f6d;
	uint64_t v2 = k0 ^ 0x6c7967656e657261, v3 = k1 ^ 0x7465646279746573;
#define ROUND \
	v0 += v1; v1 = rotate(v1, 13) ^ v0; v0 = rotate(v0, 32); \
	v2 += v3; v3 = rotate(v3, 16) ^ v2; \
	v0 += v3; v3 = rotate(v3, 21) ^ v0; \
	v2 += v1; v1 = rotate(v1, 17) ^ v2; v2 = rotate(v2, 32);
	for (size_t i = 0; i <= size; i += 8) {
		uint64_t word = 0;
		for (size_t j = 0; j < 8 && i + j < size; j++)
			word |= (uint64_t)data[i + j] << (8 * j);
		if (i + 8 > size)
			word |= (uint64_t)size << 56;
		v3 ^= word;
		ROUND ROUND
		v0 ^= word;
		if (i + 8 > size)
			break;
	}
	v2 ^= 0xff;
	ROUND ROUND ROUND ROUND
	return v0 ^ v1 ^ v2 ^ v3;
}

enum { SLOTS = 512 };
static struct { uint64_t key, value; } table[SLOTS];

static void count(uint64_t key)
{
	size_t at = (size_t)(key * 0x9e3779b97f4a7c15 >> 55);
	while (table[at].key != 0 && table[at].key != key)
		at = (at + 1) % SLOTS;
	table[at].key = key;
	table[at].value++;
}

int main(void)
{
	uint8_t data[40];
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)i;
	for (size_t size = 0; size <= sizeof data; size += 3)
		put("%lu %016lx\n", size, siphash(0x0706050403020100, 0x0f0e0d0c0b0a0908, data, size));
	uint64_t state = 3;
	for (int i = 0; i < 5000; i++)
		count(1 + next_random(&state) % 300);
	uint64_t all = EMPTY_HASH, keys = 0, sum = 0;
	for (size_t i = 0; i < SLOTS; i++) {
		keys += table[i].key != 0;
		sum += table[i].value;
		all = hash(hash(all, table[i].key), table[i].value);
	}
	put("%lu keys, %lu counted, %016lx\n", keys, sum, all);
	return 0;
}
