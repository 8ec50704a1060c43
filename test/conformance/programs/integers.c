/* 64-bit and 32-bit arithmetic, logic, shifts and comparisons: every pair of interesting operands. */
#include "conformance.h"

static const uint64_t values[] = {
	0, 1, 2, 7, 31, 32, 63, 0x7f, 0x80, 0xfff, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
	0x123456789abcdef0, 0x7fffffffffffffff, 0x8000000000000000, 0xaaaaaaaaaaaaaaaa, 0xfffffffffffff800,
	0xffffffffffffffff,
};

typedef uint64_t operation(uint64_t a, uint64_t b);

#define WIDE(name, expression) \
	static uint64_t name(uint64_t a, uint64_t b) { return (uint64_t)(expression); }
#define NARROW(name, expression) \
	static uint64_t name(uint64_t wide_a, uint64_t wide_b) \
	{ \
		const uint32_t a = (uint32_t)wide_a, b = (uint32_t)wide_b; \
		return (uint64_t)(int64_t)(expression); \
	}

WIDE(add, a + b)
WIDE(subtract, a - b)
WIDE(multiply, a *b)
WIDE(and, a &b)
WIDE(or, a | b)
WIDE(xor, a ^ b)
WIDE(shift_left, a << (b & 63))
WIDE(shift_right, a >> (b & 63))
WIDE(shift_right_signed, (int64_t)a >> (b & 63))
WIDE(less, a < b)
WIDE(less_signed, (int64_t)a < (int64_t)b)
WIDE(equal, a == b)
WIDE(select, a > b ? a : ~b)
WIDE(high_product, (unsigned __int128)a * b >> 64)
WIDE(high_product_signed, (__int128)(int64_t)a * (int64_t)b >> 64)
WIDE(high_product_mixed, (__int128)(int64_t)a * b >> 64)
WIDE(average, (a & b) + ((a ^ b) >> 1))
WIDE(add_bytes, (uint8_t)a + (int8_t)b)
WIDE(add_halves, (uint16_t)a + (int16_t)b)
WIDE(constants, (a + 2047) ^ (b - 2048) ^ (a & 0x7f5) ^ (b | 0xfffffffffffff812))
NARROW(add_word, (int32_t)(a + b))
NARROW(subtract_word, (int32_t)(a - b))
NARROW(multiply_word, (int32_t)(a * b))
NARROW(shift_left_word, (int32_t)(a << (b & 31)))
NARROW(shift_right_word, (int32_t)(a >> (b & 31)))
NARROW(shift_right_signed_word, (int32_t)a >> (b & 31))
NARROW(shift_constants_word, (int32_t)(a << 13) + ((int32_t)b >> 7) + (int32_t)(a >> 31))
NARROW(unsigned_word, a - b)
NARROW(less_word, (int32_t)a < (int32_t)b)

#define OPERATION(name) {#name, name}
static const struct {
	const char *name;
	operation *apply;
} operations[] = {
	OPERATION(add), OPERATION(subtract), OPERATION(multiply), OPERATION(and), OPERATION(or), OPERATION(xor),
	OPERATION(shift_left), OPERATION(shift_right), OPERATION(shift_right_signed), OPERATION(less),
	OPERATION(less_signed), OPERATION(equal), OPERATION(select), OPERATION(high_product),
	OPERATION(high_product_signed), OPERATION(high_product_mixed), OPERATION(average), OPERATION(add_bytes),
	OPERATION(add_halves), OPERATION(constants), OPERATION(add_word), OPERATION(subtract_word),
	OPERATION(multiply_word), OPERATION(shift_left_word), OPERATION(shift_right_word),
	OPERATION(shift_right_signed_word), OPERATION(shift_constants_word), OPERATION(unsigned_word),
	OPERATION(less_word),
};

int main(void)
{
	for (size_t n = 0; n < LENGTH(operations); n++) {
		put("%s\n", operations[n].name);
		for (size_t i = 0; i < LENGTH(values); i++) {
			uint64_t all = EMPTY_HASH;
			for (size_t j = 0; j < LENGTH(values); j++)
				all = hash(all, operations[n].apply(values[i], values[j]));
			put("  %016lx: %016lx\n", values[i], all);
		}
	}
	return 0;
}
