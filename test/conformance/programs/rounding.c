/* Arithmetic and conversions in all rounding modes, with results at the edges of the range and between numbers. */
#include "conformance.h"

static const uint64_t doubles[] = {
	0x3ff0000000000000, 0x3fb999999999999a, 0xbfd5555555555555, 0x400921fb54442d18, 0x3ca0000000000000,
	0xbca0000000000001, 0x0000000000000001, 0x000fffffffffffff, 0x8010000000000000, 0x7fefffffffffffff,
	0xffdfffffffffffff, 0x3fe0000000000000, 0x4330000000000001, 0x1ff0000000000003, 0x38100000e0000001,
};

typedef double operation(double a, double b);

static double add(double a, double b) { return a + b; }
static double subtract(double a, double b) { return a - b; }
static double multiply(double a, double b) { return a * b; }
static double divide(double a, double b) { return a / b; }
static double fused(double a, double b) { return __builtin_fma(a, b, 0x1.8p-30); }
static double root(double a, double b) { return __builtin_sqrt(__builtin_fabs(a)) * b; }
static double add_float(double a, double b) { return (float)a + (float)b; }
static double multiply_float(double a, double b) { return (float)a * (float)b; }
static double divide_float(double a, double b) { return (float)a / (float)b; }
static double fused_float(double a, double b) { return __builtin_fmaf((float)a, (float)b, 0x1.8p-20f); }
static double root_float(double a, double b) { return __builtin_sqrtf(__builtin_fabsf((float)a)) - (float)b; }
static double narrow(double a, double b) { return (double)(float)a - (double)(float)b; }

static const struct {
	const char *name;
	operation *apply;
} operations[] = {
	{"add", add},		  {"subtract", subtract},	    {"multiply", multiply},	    {"divide", divide},
	{"fused", fused},	  {"root", root},		    {"add float", add_float},	    {"multiply float", multiply_float},
	{"divide float", divide_float}, {"fused float", fused_float}, {"root float", root_float}, {"narrow", narrow},
};

/* To the next integer as the mode says: by the bits, so that all libraries are left out of it. */
static const double halves[] = {0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.5, 3.5, 1e9 + 0.5, 4503599627370495.5};

static void to_integers(void)
{
	for (size_t i = 0; i < LENGTH(halves); i++) {
		const double value = double_of(opaque(double_bits(halves[i])));
		put(" %ld %ld", __builtin_lrint(value), __builtin_lrint(-value));
		put(" %ld %ld", __builtin_lrintf((float)value), __builtin_lrintf((float)-value));
	}
	put("\n");
}

static void from_integers(void)
{
	static const uint64_t integers[] = {1, 0x1000001, 0x1fffffff, 0x20000000000001, 0x7fffffffffffffff, 0x8000000000000401,
					    0xffffffffffffffff};
	for (size_t i = 0; i < LENGTH(integers); i++) {
		const uint64_t value = opaque(integers[i]);
		put("  %016lx %016lx %08x %08x", double_bits((double)(int64_t)value), double_bits((double)value),
		    float_bits((float)(int64_t)value), float_bits((float)value));
		put(" %08x %08x\n", float_bits((float)(int32_t)value), float_bits((float)(uint32_t)value));
	}
}

int main(void)
{
	static const char *const modes[ROUNDINGS] = {"nearest even", "toward zero", "downward", "upward"};
	for (enum rounding mode = 0; mode < ROUNDINGS; mode++) {
		for (size_t n = 0; n < LENGTH(operations); n++) {
			put("%s, %s\n", modes[mode], operations[n].name);
			for (size_t i = 0; i < LENGTH(doubles); i++) {
				uint64_t all = EMPTY_HASH;
				unsigned raised = 0;
				for (size_t j = 0; j < LENGTH(doubles); j++) {
					set_rounding(mode);
					take_exceptions();
					const double result = operations[n].apply(double_of(doubles[i]), double_of(doubles[j]));
					const unsigned now = common_to_doubles(take_exceptions(), result);
					set_rounding(NEAREST_EVEN);
					all = hash(hash(all, double_bits(result)), now);
					raised |= now;
				}
				put("  %016lx: %016lx %02x\n", doubles[i], all, raised);
			}
		}
		put("%s, integers\n", modes[mode]);
		set_rounding(mode);
		to_integers();
		from_integers();
		set_rounding(NEAREST_EVEN);
	}
	return 0;
}
