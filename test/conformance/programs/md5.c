/* MD5 (RFC 1321) of texts of many lengths; its table comes from no library, so it is made by whole numbers. */
#include "conformance.h"

static const uint32_t table[64] = {
	0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
	0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
	0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
	0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
	0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
	0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
	0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
	0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};
static const uint8_t turns[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

static uint32_t rotate(uint32_t x, unsigned by)
{
	return x << by | x >> (32 - by);
}

static void block(uint32_t state[4], const uint8_t *data)
{
	uint32_t words[16], a = state[0], b = state[1], c = state[2], d = state[3];
	memcpy(words, data, sizeof words);
	for (unsigned i = 0; i < 64; i++) {
		uint32_t mixed;
		unsigned word;
		switch (i >> 4) {
		case 0: mixed = (b & c) | (~b & d); word = i; break;
		case 1: mixed = (d & b) | (~d & c); word = (5 * i + 1) & 15; break;
		case 2: mixed = b ^ c ^ d; word = (3 * i + 5) & 15; break;
		default: mixed = c ^ (b | ~d); word = (7 * i) & 15; break;
		}
		const uint32_t next = b + rotate(a + mixed + table[i] + words[word], turns[i >> 4][i & 3]);
		a = d;
		d = c;
		c = b;
		b = next;
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
}

static void md5(const uint8_t *data, size_t size, uint32_t state[4])
{
	static const uint32_t first[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
	uint8_t tail[128] = {0};
	memcpy(state, first, sizeof first);
	size_t at = 0;
	for (; size - at >= 64; at += 64)
		block(state, data + at);
	memcpy(tail, data + at, size - at);
	tail[size - at] = 0x80;
	const size_t length = size - at < 56 ? 64 : 128;
	const uint64_t bits = size * 8;
	memcpy(tail + length - 8, &bits, 8);
	for (size_t i = 0; i < length; i += 64)
		block(state, tail + i);
}

int main(void)
{
	static uint8_t text[1000];
	uint64_t random = 9;
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (uint8_t)next_random(&random);
	md5((const uint8_t *)"abc", 3, (uint32_t[4]){0});
	for (size_t size = 0; size <= sizeof text; size += 37) {
		uint32_t state[4];
		md5(text, size, state);
		put("%lu: %08x %08x %08x %08x\n", size, state[0], state[1], state[2], state[3]);
	}
	return 0;
}
