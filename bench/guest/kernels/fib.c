/* Fibonacci numbers by the recursion that defines them: calls, returns, a stack. */
#include "kernel.h"

ROUNDS(400);

void prepare(void)
{
}

CALLED static uint64_t fib(uint64_t n)
{
	return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

uint64_t kernel(uint64_t seed)
{
	return mix(seed, fib(26 + seed % 2));
}
