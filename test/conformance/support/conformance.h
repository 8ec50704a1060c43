/*
 * What a conformance program may use. A program has the same output on the host, where this is a thin layer
 * over the C library, and on a guest machine without an operating system, where the files beside this one are
 * all there is. So a program is C without undefined or implementation-defined behaviour that shows, on a machine
 * with 64-bit long and pointers, little-endian, arithmetic that wraps (-fwrapv); floating-point values are
 * printed as bits, and NaNs (whose bits the architectures choose differently) as one value.
 */
#ifndef CONFORMANCE_H
#define CONFORMANCE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Prints like printf, of which there are %c %s %d %u %x %ld %lu %lx %%, a minimum width, and 0 and - before it. */
void put(const char *format, ...) __attribute__((format(printf, 1, 2)));

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *text);
int strcmp(const char *a, const char *b);

/* The floating-point environment. */
enum rounding { NEAREST_EVEN, TOWARD_ZERO, DOWNWARD, UPWARD, ROUNDINGS };
enum { INEXACT = 1, UNDERFLOW = 2, OVERFLOW = 4, DIVIDED_BY_ZERO = 8, INVALID = 16 };
void set_rounding(enum rounding rounding);
/* The exceptions since the last call, which it clears. */
unsigned take_exceptions(void);

/* Code made at run time: a function without parameters that returns `value`, 0 to 2047, in at least 16 bytes. */
void write_function(void *code, int value);
int call_function(const void *code);

/* A value the compiler knows nothing of. */
static inline uint64_t opaque(uint64_t value)
{
	__asm__ volatile("" : "+r"(value));
	return value;
}

/* Numbers that look random, from a state other than 0 (Marsaglia's xorshift). */
static inline uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* A hash of a sequence of values (FNV-1a over 64-bit words, with a shift so that high bits count). */
static const uint64_t EMPTY_HASH = 0xcbf29ce484222325;
static inline uint64_t hash(uint64_t state, uint64_t value)
{
	state = (state ^ value) * 0x100000001b3;
	return state ^ (state >> 32);
}

static inline uint64_t double_bits(double value)
{
	uint64_t bits;
	__builtin_memcpy(&bits, &value, sizeof bits);
	return value != value ? 0x7ff8000000000000 : bits;
}

static inline uint32_t float_bits(float value)
{
	uint32_t bits;
	__builtin_memcpy(&bits, &value, sizeof bits);
	return value != value ? 0x7fc00000 : bits;
}

static inline double double_of(uint64_t bits)
{
	double value;
	__builtin_memcpy(&value, &bits, sizeof value);
	return value;
}

static inline float float_of(uint32_t bits)
{
	float value;
	__builtin_memcpy(&value, &bits, sizeof value);
	return value;
}

/*
 * Exceptions that all processors raise: whether a result that was rounded up to the smallest normal number is an
 * underflow is theirs to choose (IEEE 754-2019, 7.5).
 */
static inline unsigned common_to_doubles(unsigned raised, double result)
{
	return (double_bits(result) << 1) == 0x0020000000000000 ? raised & ~(unsigned)UNDERFLOW : raised;
}

static inline unsigned common_to_floats(unsigned raised, float result)
{
	return (float_bits(result) << 1) == 0x01000000 ? raised & ~(unsigned)UNDERFLOW : raised;
}

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#endif
