/* CRC-32 (reflected, polynomial 0xedb88320) of 256 KiB, a byte at a time by a table of 256 words. */
#include "kernel.h"

ROUNDS(1200);

enum { SIZE = 256 * 1024 };

static uint8_t data[SIZE];
static uint32_t table[256];

void prepare(void)
{
	uint64_t state = random_from(0);
	for (size_t i = 0; i < SIZE; i++)
		data[i] = (uint8_t)next_random(&state);
	for (uint32_t i = 0; i < LENGTH(table); i++) {
		uint32_t c = i;
		for (int bit = 0; bit < 8; bit++)
			c = c & 1 ? c >> 1 ^ 0xedb88320 : c >> 1;
		table[i] = c;
	}
}

uint64_t kernel(uint64_t seed)
{
	uint32_t crc = ~(uint32_t)seed;
	for (size_t i = 0; i < SIZE; i++)
		crc = table[(crc ^ data[i]) & 255] ^ crc >> 8;
	return ~crc;
}
