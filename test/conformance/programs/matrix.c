/* Matrices: products in whole numbers and floating point, a determinant by exact fractions, solving by elimination. */
#include "conformance.h"

enum { N = 12 };

static __attribute__((noinline)) void multiply(const int32_t a[N][N], const int32_t b[N][N], int32_t c[N][N])
{
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++) {
			int32_t sum = 0;
			for (int k = 0; k < N; k++)
				sum += a[i][k] * b[k][j];
			c[i][j] = sum;
		}
}

static __attribute__((noinline)) void multiply_floats(const float a[N][N], const float b[N][N], float c[N][N])
{
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++)
			c[i][j] = 0;
	for (int i = 0; i < N; i++)
		for (int k = 0; k < N; k++)
			for (int j = 0; j < N; j++)
				c[i][j] += a[i][k] * b[k][j];
}

/* Bareiss: every division has no remainder. */
static int64_t determinant(int64_t m[5][5])
{
	int64_t before = 1;
	int sign = 1;
	for (int k = 0; k < 4; k++) {
		for (int r = k; m[k][k] == 0 && r < 5; r++) {
			for (int j = 0; m[r][k] != 0 && j < 5; j++) {
				const int64_t held = m[k][j];
				m[k][j] = m[r][j];
				m[r][j] = held;
			}
			sign = r > k ? -sign : sign;
		}
		if (m[k][k] == 0)
			return 0;
		for (int i = k + 1; i < 5; i++)
			for (int j = k + 1; j < 5; j++)
				m[i][j] = (m[i][j] * m[k][k] - m[i][k] * m[k][j]) / before;
		before = m[k][k];
	}
	return sign * m[4][4];
}

static void solve(double m[N][N + 1])
{
	for (int k = 0; k < N; k++) {
		int best = k;
		for (int r = k + 1; r < N; r++)
			if (__builtin_fabs(m[r][k]) > __builtin_fabs(m[best][k]))
				best = r;
		for (int j = 0; j <= N; j++) {
			const double held = m[k][j];
			m[k][j] = m[best][j];
			m[best][j] = held;
		}
		for (int i = 0; i < N; i++) {
			if (i == k)
				continue;
			const double factor = m[i][k] / m[k][k];
			for (int j = k; j <= N; j++)
				m[i][j] -= factor * m[k][j];
		}
	}
}

int main(void)
{
	static int32_t a[N][N], b[N][N], c[N][N];
	static float fa[N][N], fb[N][N], fc[N][N];
	static double m[N][N + 1];
	uint64_t state = 21, all = EMPTY_HASH, sums = EMPTY_HASH;
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++) {
			a[i][j] = (int32_t)next_random(&state);
			b[i][j] = (int32_t)next_random(&state);
			fa[i][j] = (float)(a[i][j] >> 20) / 8;
			fb[i][j] = (float)(b[i][j] >> 22) / 16;
			m[i][j] = (double)(a[i][j] >> 16);
		}
	for (int i = 0; i < N; i++)
		m[i][N] = i + 1;
	multiply(a, b, c);
	multiply_floats(fa, fb, fc);
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++) {
			all = hash(all, (uint32_t)c[i][j]);
			sums = hash(sums, float_bits(fc[i][j]));
		}
	put("products %016lx %016lx\n", all, sums);
	for (int round = 0; round < 10; round++) {
		int64_t d[5][5];
		for (int i = 0; i < 25; i++)
			d[i / 5][i % 5] = (int64_t)(next_random(&state) % 41) - 20;
		put("determinant %ld\n", determinant(d));
	}
	solve(m);
	for (int i = 0; i < N; i++)
		put("x%d %016lx\n", i, double_bits(m[i][N] / m[i][i]));
	return 0;
}
