/* The C library's string functions, a byte at a time, over 2048 strings of 0 to 63 bytes. */
#include "kernel.h"

ROUNDS(3200);

enum { COUNT = 2048, ROOM = 64 };

static char strings[COUNT][ROOM];
static char copies[COUNT][ROOM];

void prepare(void)
{
	uint64_t state = random_from(5);
	for (size_t i = 0; i < COUNT; i++) {
		const size_t length = next_random(&state) % ROOM;
		for (size_t j = 0; j < length; j++)
			strings[i][j] = (char)('a' + (next_random(&state) >> 8) % 16);
	}
}

CALLED static size_t length_of(const char *text)
{
	const char *end = text;
	while (*end)
		end++;
	return (size_t)(end - text);
}

CALLED static void copy(char *restrict to, const char *restrict from, size_t size)
{
	for (; size > 0; size--)
		*to++ = *from++;
}

CALLED static int compare(const char *a, const char *b, size_t size)
{
	for (; size > 0; size--, a++, b++) {
		if (*a != *b)
			return (uint8_t)*a - (uint8_t)*b;
	}
	return 0;
}

CALLED static const char *find(const char *text, char wanted)
{
	for (; *text != wanted; text++) {
		if (*text == 0)
			return NULL;
	}
	return text;
}

uint64_t kernel(uint64_t seed)
{
	uint64_t sum = seed;
	for (size_t i = 0; i < COUNT; i++) {
		const char *from = strings[(i + seed) % COUNT];
		const size_t length = length_of(from);
		copy(copies[i], from, length + 1);
		const char *found = find(copies[i], (char)('a' + i % 16));
		const int order = compare(copies[i], from, length + 1) + compare(from, strings[i], 4);
		sum = mix(sum + (uint64_t)order, found ? (uint64_t)(found - copies[i]) : length);
	}
	return sum;
}
