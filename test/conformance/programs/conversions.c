/* Conversions between all number types, for values that the target can hold, with the exceptions raised. */
#include "conformance.h"

static const uint64_t integers[] = {
	0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0xffffff, 0x1000000, 0x1000001, 0x1000003, 0x7fffffff, 0x80000000,
	0xffffffff, 0x1fffffffffffff, 0x20000000000001, 0x20000000000003, 0x7ffffffffffffbff, 0x7fffffffffffffff,
	0x8000000000000000, 0xfffffffffffffc01, 0xffffffffffffffff,
};

static const double reals[] = {
	0.0, -0.0, 0.4, -0.9, 0.5, 1.5, -1.5, 2.5, 126.99, -127.5, 32766.7, -32767.9, 2147483646.5, -2147483647.25,
	4294967295.75, 9007199254740993.0, -4611686018427387904.0, 9223372036854774784.0, 18446744073709549568.0,
};

#define FROM(type) \
	static __attribute__((noinline)) void from_##type(uint64_t bits) \
	{ \
		const type value = (type)opaque(bits); \
		take_exceptions(); \
		const double wide = (double)value; \
		const uint64_t as_double = double_bits(wide); \
		const unsigned raised = take_exceptions(); \
		const float narrow = (float)value; \
		const uint32_t as_float = float_bits(narrow); \
		put(" %016lx.%x %08x.%x", as_double, raised, as_float, take_exceptions()); \
	}

FROM(int64_t)
FROM(uint64_t)
FROM(int32_t)
FROM(uint32_t)
FROM(int16_t)
FROM(uint16_t)
FROM(int8_t)
FROM(uint8_t)

#define TO(type, from, low, high) \
	static __attribute__((noinline)) void from_##from##_to_##type(double wide) \
	{ \
		const from value = (from)wide; \
		if (!(value > (from)(low)) || !(value < (from)(high))) { \
			put(" -"); \
			return; \
		} \
		put(" %lx", (uint64_t)(type)value); \
	}

#define TO_BOTH(type, low, high) TO(type, double, low, high) TO(type, float, low, high)

TO_BOTH(int64_t, -0x1p63, 0x1p63)
TO_BOTH(uint64_t, -1, 0x1p64)
TO_BOTH(int32_t, -0x1p31, 0x1p31)
TO_BOTH(uint32_t, -1, 0x1p32)
TO_BOTH(int16_t, -0x1p15, 0x1p15)
TO_BOTH(uint16_t, -1, 0x1p16)
TO_BOTH(int8_t, -0x1p7, 0x1p7)
TO_BOTH(uint8_t, -1, 0x1p8)

static void between(uint64_t bits)
{
	const double wide = double_of(opaque(bits));
	take_exceptions();
	const float narrow = (float)wide;
	const uint32_t narrow_bits = float_bits(narrow);
	const unsigned raised = common_to_floats(take_exceptions(), narrow);
	const double again = narrow;
	put("%016lx -> %08x.%x -> %016lx.%x\n", bits, narrow_bits, raised, double_bits(again), take_exceptions());
}

int main(void)
{
	static void (*const from[])(uint64_t bits) = {
		from_int64_t, from_uint64_t, from_int32_t, from_uint32_t, from_int16_t, from_uint16_t, from_int8_t, from_uint8_t,
	};
	static void (*const to[])(double value) = {
		from_double_to_int64_t, from_double_to_uint64_t, from_double_to_int32_t, from_double_to_uint32_t,
		from_double_to_int16_t, from_double_to_uint16_t, from_double_to_int8_t,	 from_double_to_uint8_t,
		from_float_to_int64_t,	from_float_to_uint64_t,	 from_float_to_int32_t,	 from_float_to_uint32_t,
		from_float_to_int16_t,	from_float_to_uint16_t,	 from_float_to_int8_t,	 from_float_to_uint8_t,
	};
	static const uint64_t doubles[] = {
		0x0000000000000000, 0x8000000000000000, 0x3ff0000000000000, 0x3ff0000010000000, 0x3ff0000030000000,
		0x3ff0000010000001, 0x36a0000000000000, 0x3690000000000000, 0x3690000000000001, 0xb80fffffffffffff,
		0x380fffffe0000000, 0x47efffffe0000000, 0x47efffffefffffff, 0x47effffff0000000, 0x7fefffffffffffff,
		0x0000000000000001, 0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000, 0x7ff0000000000001,
	};
	for (size_t i = 0; i < LENGTH(integers); i++) {
		put("%016lx:", integers[i]);
		for (size_t n = 0; n < LENGTH(from); n++)
			from[n](integers[i]);
		put("\n");
	}
	for (size_t i = 0; i < LENGTH(reals); i++) {
		put("%016lx:", double_bits(reals[i]));
		for (size_t n = 0; n < LENGTH(to); n++)
			to[n](reals[i]);
		put("\n");
	}
	for (size_t i = 0; i < LENGTH(doubles); i++)
		between(doubles[i]);
	return 0;
}
