/* Generators of random numbers, with what they are made of: wide products, rotations, matrices over bits. */
#include "conformance.h"

static uint64_t pcg_state = 42;
static uint32_t pcg(void)
{
	const uint64_t old = pcg_state;
	pcg_state = old * 6364136223846793005ul + 1442695040888963407ul;
	const uint32_t mixed = (uint32_t)(((old >> 18) ^ old) >> 27), turn = (uint32_t)(old >> 59);
	return mixed >> turn | mixed << (-turn & 31);
}

static uint64_t wyrand(uint64_t *state)
{
	*state += 0xa0761d6478bd642f;
	const unsigned __int128 product = (unsigned __int128)*state * (*state ^ 0xe7037ed1a0b428db);
	return (uint64_t)(product >> 64) ^ (uint64_t)product;
}

enum { N = 624, M = 397 };
static uint32_t twister[N];
static unsigned at = N;

static uint32_t mersenne(void)
{
	if (at == N) {
		for (unsigned i = 0; i < N; i++) {
			const uint32_t y = (twister[i] & 0x80000000) | (twister[(i + 1) % N] & 0x7fffffff);
			twister[i] = twister[(i + M) % N] ^ (y >> 1) ^ (y & 1 ? 0x9908b0df : 0);
		}
		at = 0;
	}
	uint32_t y = twister[at++];
	y ^= y >> 11;
	y ^= y << 7 & 0x9d2c5680;
	y ^= y << 15 & 0xefc60000;
	return y ^ y >> 18;
}

/* How evenly the low nibbles of many numbers fall. */
static unsigned spread(const unsigned counts[16])
{
	unsigned least = ~0u, most = 0;
	for (int i = 0; i < 16; i++) {
		least = counts[i] < least ? counts[i] : least;
		most = counts[i] > most ? counts[i] : most;
	}
	return most - least;
}

int main(void)
{
	uint64_t state = 1, all = EMPTY_HASH;
	unsigned counts[3][16] = {{0}};
	twister[0] = 5489;
	for (unsigned i = 1; i < N; i++)
		twister[i] = 1812433253u * (twister[i - 1] ^ twister[i - 1] >> 30) + i;
	for (int i = 0; i < 4000; i++) {
		const uint32_t a = pcg(), c = mersenne();
		const uint64_t b = wyrand(&state);
		all = hash(hash(hash(all, a), b), c);
		counts[0][a & 15]++;
		counts[1][b & 15]++;
		counts[2][c & 15]++;
	}
	put("%016lx %u %u %u\n", all, spread(counts[0]), spread(counts[1]), spread(counts[2]));
	for (int i = 0; i < 5; i++)
		put("%08x %016lx %08x\n", pcg(), wyrand(&state), mersenne()); /* each has a state of its own */
	return 0;
}
