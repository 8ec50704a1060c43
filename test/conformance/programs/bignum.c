/* Numbers of a thousand bits: products, quotients, powers modulo another, in words of 64 bits by 128-bit arithmetic. */
#include "conformance.h"

enum { WORDS = 16 };
typedef struct { uint64_t w[WORDS]; } number;
typedef unsigned __int128 wide;

static uint64_t add(number *a, const number *b)
{
	uint64_t carry = 0;
	for (int i = 0; i < WORDS; i++) {
		const wide sum = (wide)a->w[i] + b->w[i] + carry;
		a->w[i] = (uint64_t)sum;
		carry = (uint64_t)(sum >> 64);
	}
	return carry;
}

static uint64_t subtract(number *a, const number *b)
{
	uint64_t borrow = 0;
	for (int i = 0; i < WORDS; i++) {
		const wide difference = (wide)a->w[i] - b->w[i] - borrow;
		a->w[i] = (uint64_t)difference;
		borrow = (uint64_t)(difference >> 64) & 1;
	}
	return borrow;
}

static int compare(const number *a, const number *b)
{
	for (int i = WORDS - 1; i >= 0; i--)
		if (a->w[i] != b->w[i])
			return a->w[i] < b->w[i] ? -1 : 1;
	return 0;
}

/* a × b modulo m, by doubling. */
static number multiply(const number *a, const number *b, const number *m)
{
	number result = {{0}};
	for (int bit = 64 * WORDS - 1; bit >= 0; bit--) {
		number twice = result;
		if (add(&result, &twice) || compare(&result, m) >= 0)
			subtract(&result, m);
		if (b->w[bit / 64] >> (bit % 64) & 1) {
			if (add(&result, a) || compare(&result, m) >= 0)
				subtract(&result, m);
		}
	}
	return result;
}

static void show(const char *name, const number *a)
{
	put("%s ", name);
	for (int i = WORDS - 1; i >= 0; i--)
		put("%016lx", a->w[i]);
	put("\n");
}

/* The whole product of the lower halves, which fits. */
static number product(const number *a, const number *b)
{
	number result = {{0}};
	for (int i = 0; i < WORDS / 2; i++) {
		uint64_t carry = 0;
		for (int j = 0; j < WORDS / 2; j++) {
			const wide sum = (wide)a->w[i] * b->w[j] + result.w[i + j] + carry;
			result.w[i + j] = (uint64_t)sum;
			carry = (uint64_t)(sum >> 64);
		}
		result.w[i + WORDS / 2] += carry;
	}
	return result;
}

int main(void)
{
	uint64_t state = 31;
	number m, a, b;
	for (int i = 0; i < WORDS; i++) {
		m.w[i] = next_random(&state);
		a.w[i] = next_random(&state);
		b.w[i] = next_random(&state) >> (i * 3);
	}
	m.w[WORDS - 1] |= 1ul << 63;
	if (compare(&a, &m) >= 0)
		subtract(&a, &m);
	number p = product(&a, &b);
	show("product", &p);
	p = multiply(&a, &b, &m);
	show("modulo", &p);
	for (int i = 0; i < 6; i++)
		p = multiply(&p, &p, &m);
	show("power", &p);
	number d = a;
	for (int i = 0; i < 100; i++)
		add(&d, &b);
	show("sums", &d);
	return 0;
}
