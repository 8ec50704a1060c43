/* SHA-256 (FIPS 180-4) of 64 KiB: rotations, 32-bit additions, a schedule in memory. */
#include "kernel.h"

ROUNDS(2000);

enum { BLOCK = 64, BLOCKS = 1024 };

static uint8_t data[BLOCKS * BLOCK];
static uint32_t constants[64];
static uint32_t initial[8];

/*
 * The first 32 bits behind the point of the square or the cube root of a prime below 512, by bisection in integers.
 * A prime's roots are irrational, so the root is below the number sought where its power is.
 */
static uint32_t fraction_of_root(uint32_t prime, int cube)
{
	const unsigned __int128 bound = (unsigned __int128)prime << 64;
	uint64_t root = 0;
	for (int bit = 36; bit >= 0; bit--) {
		const unsigned __int128 r = root | (uint64_t)1 << bit;
		const unsigned __int128 square = r * r;
		/* r^3 / 2^32, which does not overflow. */
		const unsigned __int128 cubed = (square >> 32) * r + ((square & 0xffffffff) * r >> 32);
		if ((cube ? cubed : square) < bound)
			root = (uint64_t)r;
	}
	return (uint32_t)root;
}

void prepare(void)
{
	uint32_t found = 0;
	for (uint32_t n = 2; found < 64; n++) {
		int prime = 1;
		for (uint32_t d = 2; d * d <= n; d++)
			prime &= n % d != 0;
		if (!prime)
			continue;
		if (found < 8)
			initial[found] = fraction_of_root(n, 0);
		constants[found++] = fraction_of_root(n, 1);
	}
	uint64_t state = random_from(4);
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)next_random(&state);
}

static inline uint32_t rotated(uint32_t x, int by)
{
	return x >> by | x << (32 - by);
}

static void compress(uint32_t *digest, const uint8_t *block)
{
	uint32_t w[64];
	for (int t = 0; t < 16; t++) {
		const uint8_t *b = block + 4 * t;
		w[t] = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
	}
	for (int t = 16; t < 64; t++) {
		const uint32_t x = w[t - 15], y = w[t - 2];
		const uint32_t s0 = rotated(x, 7) ^ rotated(x, 18) ^ x >> 3;
		const uint32_t s1 = rotated(y, 17) ^ rotated(y, 19) ^ y >> 10;
		w[t] = s1 + w[t - 7] + s0 + w[t - 16];
	}
	uint32_t a = digest[0], b = digest[1], c = digest[2], d = digest[3];
	uint32_t e = digest[4], f = digest[5], g = digest[6], h = digest[7];
	for (int t = 0; t < 64; t++) {
		const uint32_t s1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25);
		const uint32_t s0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22);
		const uint32_t one = h + s1 + ((e & f) ^ (~e & g)) + constants[t] + w[t];
		const uint32_t two = s0 + ((a & b) ^ (a & c) ^ (b & c));
		h = g, g = f, f = e, e = d + one;
		d = c, c = b, b = a, a = one + two;
	}
	digest[0] += a, digest[1] += b, digest[2] += c, digest[3] += d;
	digest[4] += e, digest[5] += f, digest[6] += g, digest[7] += h;
}

uint64_t kernel(uint64_t seed)
{
	uint32_t digest[8];
	for (int i = 0; i < 8; i++)
		digest[i] = initial[i];
	data[seed % sizeof data] ^= (uint8_t)(seed >> 8);
	for (size_t i = 0; i < BLOCKS; i++)
		compress(digest, data + i * BLOCK);
	uint64_t sum = seed;
	for (int i = 0; i < 8; i++)
		sum = mix(sum, digest[i]);
	return sum;
}
