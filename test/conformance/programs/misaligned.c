/* Loads and stores of every width and type at every offset, also across cache lines and pages. */
#include "conformance.h"

enum { PAGE = 4096 };

static uint8_t area[3 * PAGE] __attribute__((aligned(PAGE)));

#define ACCESS(name, type, bits) \
	static __attribute__((noinline)) uint64_t name(volatile uint8_t *at, uint64_t value) \
	{ \
		volatile type *const place = (volatile type *)at; \
		const type before = *place; \
		*place = (type)value; \
		return hash(hash(EMPTY_HASH, (uint64_t)before), (uint64_t)*place); \
	}

ACCESS(access_u64, uint64_t, 64)
ACCESS(access_u32, uint32_t, 32)
ACCESS(access_s32, int32_t, 32)
ACCESS(access_u16, uint16_t, 16)
ACCESS(access_s16, int16_t, 16)
ACCESS(access_s8, int8_t, 8)

static __attribute__((noinline)) uint64_t access_double(volatile uint8_t *at, uint64_t value)
{
	volatile double *const place = (volatile double *)at;
	*place = double_of(value & 0x3fffffffffffffff);
	return double_bits(*place);
}

static __attribute__((noinline)) uint64_t access_float(volatile uint8_t *at, uint64_t value)
{
	volatile float *const place = (volatile float *)at;
	*place = float_of((uint32_t)value & 0x3fffffff);
	return float_bits(*place);
}

int main(void)
{
	static const struct {
		const char *name;
		uint64_t (*access)(volatile uint8_t *at, uint64_t value);
	} types[] = {
		{"u64", access_u64}, {"u32", access_u32}, {"s32", access_s32},       {"u16", access_u16},
		{"s16", access_s16}, {"s8", access_s8},   {"double", access_double}, {"float", access_float},
	};
	static const size_t starts[] = {0, 56, PAGE - 10, 2 * PAGE - 9};
	uint64_t state = 88172645463325252;
	for (size_t i = 0; i < sizeof area; i++)
		area[i] = (uint8_t)(i ^ i >> 8);
	for (size_t n = 0; n < LENGTH(types); n++) {
		put("%s\n", types[n].name);
		for (size_t s = 0; s < LENGTH(starts); s++) {
			uint64_t all = EMPTY_HASH;
			for (size_t offset = 0; offset < 20; offset++)
				all = hash(all, types[n].access(area + starts[s] + offset, next_random(&state)));
			put("  at %lu: %016lx\n", starts[s], all);
		}
	}
	uint64_t all = EMPTY_HASH;
	for (size_t i = 0; i < sizeof area; i += 8)
		all = hash(all, *(const uint64_t *)(area + i));
	put("afterwards %016lx\n", all);
	return 0;
}
