/* Jumps out of nested calls, and coroutine-like use of them: the compiler's own setjmp and longjmp. */
#include "conformance.h"

static void *target[5], *outer[5];
static volatile unsigned thrown, entered;

static __attribute__((noinline, noreturn)) void jump(void **to)
{
	__builtin_longjmp(to, 1);
}

static __attribute__((noinline)) uint64_t descend(unsigned depth, unsigned limit)
{
	volatile uint64_t frame[3] = {depth, limit, depth * limit};
	entered++;
	if (depth > 100)
		return 0;
	if (depth == limit) {
		thrown = depth;
		jump(target);
	}
	return descend(depth + 1, limit) + frame[0] + frame[2];
}

static __attribute__((noinline)) void try_depth(unsigned limit)
{
	volatile unsigned attempts = limit;
	volatile double real = 0.5 * limit;
	if (__builtin_setjmp(target) == 0) {
		descend(0, limit);
		put("not reached\n");
	} else {
		put("back from depth %u after %u calls; kept %u, %016lx\n", thrown, entered, attempts, double_bits(real));
	}
}

static __attribute__((noinline)) void inner(unsigned n)
{
	if (__builtin_setjmp(target) == 0) {
		thrown = n;
		jump(n % 3 == 0 ? outer : target);
	}
	put("inner took %u\n", thrown);
}

static __attribute__((noinline)) void nested(unsigned n)
{
	if (__builtin_setjmp(outer) == 0)
		inner(n);
	else
		put("outer took %u\n", thrown);
}

static __attribute__((noinline)) void again(void)
{
	volatile unsigned count = 0;
	if (__builtin_setjmp(target) != 0)
		put("again %u\n", count);
	if (++count < 5)
		jump(target);
	put("done after %u\n", count);
}

int main(void)
{
	for (unsigned limit = 0; limit < 40; limit += 7)
		try_depth(limit);
	for (unsigned n = 0; n < 7; n++)
		nested(n);
	again();
	return 0;
}
