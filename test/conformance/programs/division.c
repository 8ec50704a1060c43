/*
 * Division and remainder of every width and sign, at the edges of their ranges and by constants, which compilers
 * turn into multiplications. (Zero as a divisor and the one quotient that overflows have no meaning in C.)
 */
#include "conformance.h"

static const uint64_t values[] = {
	0, 1, 2, 3, 7, 10, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7ffffffe, 0x7fffffff, 0x80000000, 0x80000001,
	0xfffffffe, 0xffffffff, 0x100000000, 0x7ffffffffffffffe, 0x7fffffffffffffff, 0x8000000000000000,
	0x8000000000000001, 0xfffffffffffffffd, 0xfffffffffffffffe, 0xffffffffffffffff,
};

#define DIVIDE(type, overflows) \
	static uint64_t divide_##type(uint64_t a, uint64_t b) \
	{ \
		const type dividend = (type)a, divisor = (type)b; \
		if (divisor == 0 || (overflows)) \
			return 0x5a5a; \
		const type quotient = (type)(dividend / divisor), remainder = (type)(dividend % divisor); \
		return hash(hash(EMPTY_HASH, (uint64_t)quotient), (uint64_t)remainder); \
	}

DIVIDE(uint64_t, false)
DIVIDE(int64_t, dividend == INT64_MIN && divisor == -1)
DIVIDE(uint32_t, false)
DIVIDE(int32_t, dividend == INT32_MIN && divisor == -1)
DIVIDE(uint16_t, false)
DIVIDE(int16_t, false)
DIVIDE(uint8_t, false)
DIVIDE(int8_t, false)

static uint64_t by_constants(uint64_t a)
{
	const int64_t s = (int64_t)a;
	const uint32_t w = (uint32_t)a;
	const int32_t sw = (int32_t)a;
	uint64_t all = EMPTY_HASH;
	all = hash(hash(hash(all, a / 3), a % 7), a / 10);
	all = hash(hash(hash(all, a % 1000000007), a / 0x8000000000000000), a % 641);
	all = hash(hash(hash(all, (uint64_t)(s / 3)), (uint64_t)(s % 7)), (uint64_t)(s / -10));
	all = hash(hash(hash(all, (uint64_t)(s / 8)), (uint64_t)(s % 16)), (uint64_t)(s / -64));
	all = hash(hash(hash(all, w / 3), w % 7), w / 10);
	all = hash(hash(hash(all, (uint64_t)(sw / 3)), (uint64_t)(sw % 7)), (uint64_t)(sw / -10));
	return hash(hash(all, (uint64_t)(sw / 8)), (uint64_t)(sw % 1024));
}

static uint64_t greatest_common_divisor(uint64_t a, uint64_t b)
{
	while (b != 0) {
		const uint64_t rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

int main(void)
{
	static const struct {
		const char *name;
		uint64_t (*apply)(uint64_t a, uint64_t b);
	} types[] = {
		{"u64", divide_uint64_t}, {"s64", divide_int64_t}, {"u32", divide_uint32_t}, {"s32", divide_int32_t},
		{"u16", divide_uint16_t}, {"s16", divide_int16_t}, {"u8", divide_uint8_t},   {"s8", divide_int8_t},
	};
	for (size_t n = 0; n < LENGTH(types); n++) {
		put("%s\n", types[n].name);
		for (size_t i = 0; i < LENGTH(values); i++) {
			uint64_t all = EMPTY_HASH;
			for (size_t j = 0; j < LENGTH(values); j++)
				all = hash(all, types[n].apply(values[i], values[j]));
			put("  %016lx: %016lx\n", values[i], all);
		}
	}
	put("by constants\n");
	for (size_t i = 0; i < LENGTH(values); i++)
		put("  %016lx: %016lx\n", values[i], by_constants(opaque(values[i])));
	put("gcd %lu %lu\n", greatest_common_divisor(1234567890123456780, 9876543210), greatest_common_divisor(0, 5));
	const int64_t dividend = (int64_t)opaque((uint64_t)-7), divisor = (int64_t)opaque(2);
	put("-7 / 2 = %ld, -7 %% 2 = %ld\n", dividend / divisor, dividend % divisor);
	put("7 / -2 = %ld, 7 %% -2 = %ld\n", -dividend / -divisor, -dividend % -divisor);
	return 0;
}
