/* SHA-256 (FIPS 180-4): of nothing, of "abc", of all lengths around the block size, of itself many times. */
#include "conformance.h"

static const uint32_t constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t value, unsigned by)
{
	return value >> by | value << (32 - by);
}

static void compress(uint32_t state[8], const uint8_t *block)
{
	uint32_t w[64];
	for (unsigned i = 0; i < 16; i++) {
		const uint8_t *at = block + 4 * i;
		w[i] = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
	}
	for (unsigned i = 16; i < 64; i++) {
		const uint32_t a = w[i - 15], b = w[i - 2];
		w[i] = w[i - 16] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + w[i - 7] +
		       (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
	}
	uint32_t s[8];
	memcpy(s, state, sizeof s);
	for (unsigned i = 0; i < 64; i++) {
		const uint32_t choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
		const uint32_t majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
		const uint32_t one = s[7] + (rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25)) + choice + constants[i] + w[i];
		const uint32_t two = (rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22)) + majority;
		memmove(s + 1, s, 7 * sizeof *s);
		s[4] += one;
		s[0] = one + two;
	}
	for (unsigned i = 0; i < 8; i++)
		state[i] += s[i];
}

static void sha256(uint8_t digest[32], const uint8_t *bytes, size_t size)
{
	uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
	size_t done = 0;
	for (; size - done >= 64; done += 64)
		compress(state, bytes + done);
	uint8_t rest[128] = {0};
	const size_t left = size - done, total = left < 56 ? 64 : 128;
	memcpy(rest, bytes + done, left);
	rest[left] = 0x80;
	for (unsigned i = 0; i < 8; i++)
		rest[total - 1 - i] = (uint8_t)((uint64_t)size * 8 >> 8 * i);
	for (size_t at = 0; at < total; at += 64)
		compress(state, rest + at);
	for (unsigned i = 0; i < 32; i++)
		digest[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i % 4)));
}

static void show(const char *name, const uint8_t digest[32])
{
	put("%-6s ", name);
	for (unsigned i = 0; i < 32; i++)
		put("%02x", digest[i]);
	put("\n");
}

int main(void)
{
	static uint8_t bytes[200];
	uint8_t digest[32];
	sha256(digest, bytes, 0);
	show("empty", digest);
	sha256(digest, (const uint8_t *)"abc", 3);
	show("abc", digest);
	for (unsigned i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 151);
	for (size_t size = 54; size <= 66; size++) {
		sha256(digest, bytes, size);
		put("%lu ", size);
		show("", digest);
	}
	for (unsigned i = 0; i < 30; i++) {
		memcpy(bytes + i, digest, sizeof digest);
		sha256(digest, bytes, sizeof bytes);
	}
	show("chain", digest);
	return 0;
}
