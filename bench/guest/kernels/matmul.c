/* Product of two matrices of 32-bit integers, 128 by 128, in the order of the textbook. */
#include "kernel.h"

ROUNDS(400);

enum { N = 128 };

static int32_t a[N][N], b[N][N], product[N][N];

void prepare(void)
{
	uint64_t state = random_from(1);
	for (size_t i = 0; i < N; i++) {
		for (size_t j = 0; j < N; j++) {
			a[i][j] = (int32_t)next_random(&state);
			b[i][j] = (int32_t)next_random(&state);
		}
	}
}

uint64_t kernel(uint64_t seed)
{
	a[seed % N][seed / N % N] += (int32_t)seed;
	uint64_t sum = seed;
	for (size_t i = 0; i < N; i++) {
		for (size_t j = 0; j < N; j++) {
			int32_t dot = 0;
			for (size_t k = 0; k < N; k++)
				dot += a[i][k] * b[k][j];
			product[i][j] = dot;
		}
		sum = mix(sum, (uint32_t)product[i][seed % N]);
	}
	return sum;
}
