/*
 * Double and single precision: every pair of interesting values under every operation, with the exceptions that it
 * raises. All in the default rounding mode. (The sign of a fused product is changed in its operands: compilers take
 * the negation of the whole for that, although a result of zero then has another sign.)
 */
#include "conformance.h"

static const uint64_t doubles[] = {
	0x0000000000000000, 0x8000000000000000, 0x3ff0000000000000, 0xbff0000000000000, 0x4000000000000000,
	0x3fd5555555555555, 0x400921fb54442d18, 0x3ff0000000000001, 0x0000000000000001, 0x800fffffffffffff,
	0x0010000000000000, 0x3ca0000000000000, 0x7fefffffffffffff, 0xffe0000000000000, 0x7ff0000000000000,
	0xfff0000000000000, 0x7ff8000000000000, 0x7ff4000000000000, 0xfffc000000000123,
};

static const uint32_t floats[] = {
	0x00000000, 0x80000000, 0x3f800000, 0xbf800000, 0x40000000, 0x3eaaaaab, 0x40490fdb, 0x3f800001, 0x00000001,
	0x807fffff, 0x00800000, 0x33000000, 0x7f7fffff, 0xff000000, 0x7f800000, 0xff800000, 0x7fc00000, 0x7fa00000,
	0xffe00123,
};

#define OPERATIONS(type) \
	static type add_##type(type a, type b) { return a + b; } \
	static type subtract_##type(type a, type b) { return a - b; } \
	static type multiply_##type(type a, type b) { return a * b; } \
	static type divide_##type(type a, type b) { return a / b; } \
	static type sign_##type(type a, type b) { return copysign_##type(a, b); } \
	static type fused_##type(type a, type b) { return fma_##type(a, b, (type)0.75); } \
	static type fused_negative_##type(type a, type b) { return fma_##type(-a, b, -a); } \
	static type fused_minus_##type(type a, type b) { return fma_##type(a, b, -b); } \
	static type root_##type(type a, type b) { return sqrt_##type(a) + (b - b); } \
	static type (*const operations_##type[])(type a, type b) = { \
		add_##type,   subtract_##type,       multiply_##type,    divide_##type, sign_##type, \
		fused_##type, fused_negative_##type, fused_minus_##type, root_##type, \
	}; \
	static unsigned compare_##type(type a, type b) \
	{ \
		return (unsigned)(a < b) | (unsigned)(a <= b) << 1 | (unsigned)(a == b) << 2 | (unsigned)(a != b) << 3 | \
		       (unsigned)(a >= b) << 4 | (unsigned)!(a > b) << 5 | (unsigned)__builtin_isunordered(a, b) << 6 | \
		       (unsigned)__builtin_isless(a, b) << 7; \
	} \
	static unsigned quiet_##type(type a, type b) \
	{ \
		return (unsigned)(a == b) | (unsigned)__builtin_isgreaterequal(a, b) << 1; \
	}

#define copysign_double __builtin_copysign
#define copysign_float __builtin_copysignf
#define fma_double __builtin_fma
#define fma_float __builtin_fmaf
#define sqrt_double __builtin_sqrt
#define sqrt_float __builtin_sqrtf

OPERATIONS(double)
OPERATIONS(float)

static const char *const names[] = {"add", "subtract", "multiply", "divide", "sign", "fused", "fused negative", "fused minus", "root"};

static void table_of_doubles(void)
{
	for (size_t n = 0; n < LENGTH(names); n++) {
		put("double %s\n", names[n]);
		for (size_t i = 0; i < LENGTH(doubles); i++) {
			uint64_t all = EMPTY_HASH;
			unsigned raised = 0;
			for (size_t j = 0; j < LENGTH(doubles); j++) {
				take_exceptions();
				const double result = operations_double[n](double_of(doubles[i]), double_of(doubles[j]));
				const unsigned now = common_to_doubles(take_exceptions(), result);
				all = hash(hash(all, double_bits(result)), now);
				raised |= now;
			}
			put("  %016lx: %016lx %02x\n", doubles[i], all, raised);
		}
	}
}

static void table_of_floats(void)
{
	for (size_t n = 0; n < LENGTH(names); n++) {
		put("float %s\n", names[n]);
		for (size_t i = 0; i < LENGTH(floats); i++) {
			uint64_t all = EMPTY_HASH;
			unsigned raised = 0;
			for (size_t j = 0; j < LENGTH(floats); j++) {
				take_exceptions();
				const float result = operations_float[n](float_of(floats[i]), float_of(floats[j]));
				const unsigned now = common_to_floats(take_exceptions(), result);
				all = hash(hash(all, float_bits(result)), now);
				raised |= now;
			}
			put("  %08x: %016lx %02x\n", floats[i], all, raised);
		}
	}
}

static void comparisons(void)
{
	static unsigned (*volatile const of_doubles[])(double a, double b) = {compare_double, quiet_double};
	static unsigned (*volatile const of_floats[])(float a, float b) = {compare_float, quiet_float};
	for (size_t i = 0; i < LENGTH(doubles); i++) {
		put("compare %016lx %08x:", doubles[i], floats[i]);
		for (size_t j = 0; j < LENGTH(doubles); j++) {
			for (size_t n = 0; n < LENGTH(of_doubles); n++) {
				take_exceptions();
				const unsigned one = of_doubles[n](double_of(doubles[i]), double_of(doubles[j]));
				const unsigned raised = take_exceptions();
				const unsigned other = of_floats[n](float_of(floats[i]), float_of(floats[j]));
				put(" %02x%s%x.%x", one, one == other ? "=" : "/", raised, take_exceptions());
			}
		}
		put("\n");
	}
}

static void classes(void)
{
	for (size_t i = 0; i < LENGTH(doubles); i++) {
		const double d = double_of(opaque(doubles[i]));
		const float f = float_of((uint32_t)opaque(floats[i]));
		put("class %016lx: %d%d%d %d%d%d, magnitude %016lx %08x\n", doubles[i], __builtin_isnan(d) != 0,
		    __builtin_isinf(d) != 0, __builtin_isnormal(d) != 0, __builtin_isnan(f) != 0, __builtin_isinf(f) != 0,
		    __builtin_isnormal(f) != 0, double_bits(__builtin_fabs(d)), float_bits(__builtin_fabsf(f)));
	}
}

int main(void)
{
	table_of_doubles();
	table_of_floats();
	comparisons();
	classes();
	return 0;
}
