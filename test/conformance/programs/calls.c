/* Passing and returning of structures of all shapes, of many arguments and of variable ones; through pointers too. */
#include "conformance.h"

struct small { uint8_t a; int16_t b; };
struct pair { uint64_t a, b; };
struct big { uint64_t words[5]; };
struct reals { double a, b; };
struct mixed { float real; int32_t integer; };
struct single { double value; };
struct nested { struct mixed inner; struct { uint8_t bytes[3]; } tail; };
union either { double real; uint64_t bits; };
struct bits { unsigned low : 5, middle : 11; int high : 7; uint64_t wide : 40; };

typedef struct big (*maker)(struct small s, struct pair p, struct big b, struct reals r);

static __attribute__((noinline)) struct big make_big(struct small s, struct pair p, struct big b, struct reals r)
{
	b.words[0] += s.a + (uint64_t)s.b;
	b.words[1] ^= p.a * p.b;
	b.words[2] += double_bits(r.a);
	b.words[3] -= double_bits(r.b);
	b.words[4] = ~b.words[4];
	return b;
}

static __attribute__((noinline)) struct mixed swap_mixed(struct mixed m, struct single s)
{
	return (struct mixed){(float)m.integer + (float)s.value, (int32_t)m.real};
}

static __attribute__((noinline)) struct reals exchange(struct reals r)
{
	return (struct reals){r.b, -r.a};
}

static __attribute__((noinline)) struct pair rotate(struct pair p)
{
	return (struct pair){p.b, p.a + 1};
}

static __attribute__((noinline)) struct nested change(struct nested n)
{
	n.inner.integer++;
	n.inner.real *= 2;
	n.tail.bytes[1] = (uint8_t)(n.tail.bytes[0] + n.tail.bytes[2]);
	return n;
}

static __attribute__((noinline)) union either negate(union either e)
{
	e.bits ^= 1ul << 63;
	return e;
}

static __attribute__((noinline)) struct bits pack(struct bits b, unsigned n)
{
	b.low += n;
	b.middle ^= n * 37;
	b.high -= (int)(n & 3);
	b.wide *= n;
	return b;
}

static __attribute__((noinline)) uint64_t many(uint8_t a, int8_t b, uint16_t c, int16_t d, uint32_t e, int32_t f, uint64_t g,
					       int64_t h, uint8_t i, int8_t j, uint32_t k, int64_t l)
{
	uint64_t all = EMPTY_HASH;
	all = hash(hash(hash(all, a), (uint64_t)b), c);
	all = hash(hash(hash(all, (uint64_t)d), e), (uint64_t)f);
	all = hash(hash(hash(all, g), (uint64_t)h), i);
	return hash(hash(hash(all, (uint64_t)j), k), (uint64_t)l);
}

static __attribute__((noinline)) double many_reals(double a, float b, double c, float d, double e, float f, double g, float h,
						   double i, float j, int k, double l)
{
	return a + b * 2 + c * 3 + d * 4 + e * 5 + f * 6 + g * 7 + h * 8 + i * 9 + j * 10 + k * 11 + l * 12;
}

/* Sums what `kinds` names: i int, l long, d double, p pair, b big, s text. */
static __attribute__((noinline)) uint64_t variable(const char *kinds, ...)
{
	va_list arguments, copy;
	uint64_t all = EMPTY_HASH;
	va_start(arguments, kinds);
	va_copy(copy, arguments);
	for (int round = 0; round < 2; round++) {
		for (const char *kind = kinds; *kind != 0; kind++) {
			struct pair pair;
			struct big big;
			switch (*kind) {
			case 'i': all = hash(all, (uint64_t)va_arg(arguments, int)); break;
			case 'l': all = hash(all, (uint64_t)va_arg(arguments, long)); break;
			case 'd': all = hash(all, double_bits(va_arg(arguments, double))); break;
			case 'p': pair = va_arg(arguments, struct pair); all = hash(all, pair.a - pair.b); break;
			case 'b': big = va_arg(arguments, struct big); all = hash(all, big.words[0] ^ big.words[4]); break;
			case 's': all = hash(all, strlen(va_arg(arguments, const char *))); break;
			}
		}
		if (round == 0) {
			va_end(arguments);
			va_copy(arguments, copy);
		}
	}
	va_end(arguments);
	va_end(copy);
	return all;
}

int main(void)
{
	maker volatile indirect = make_big;
	struct big big = {{1, 2, 3, 4, 5}};
	struct reals reals = {1.5, -2.25};
	struct pair pair = {opaque(10), opaque(20)};
	struct mixed mixed = {7.75f, 12};
	struct nested nested = {{1.25f, 3}, {{200, 0, 100}}};
	struct bits bits = {3, 1000, -20, 0x123456789a};
	union either either = {.real = 3.5};
	for (unsigned n = 0; n < 4; n++) {
		big = indirect((struct small){(uint8_t)(250 + n), (int16_t)(-3 * (int)n)}, pair, big, reals);
		reals = exchange(reals);
		pair = rotate(pair);
		mixed = swap_mixed(mixed, (struct single){0.5 * n});
		nested = change(nested);
		either = negate(either);
		bits = pack(bits, n + 1);
		put("big %lx %lx %lx %lx %lx\n", big.words[0], big.words[1], big.words[2], big.words[3], big.words[4]);
		put("reals %016lx %016lx pair %lu %lu\n", double_bits(reals.a), double_bits(reals.b), pair.a, pair.b);
		put("mixed %08x %d nested %08x %d %u either %lx\n", float_bits(mixed.real), mixed.integer,
		    float_bits(nested.inner.real), nested.inner.integer, nested.tail.bytes[1], either.bits);
		put("bits %u %u %d %lx\n", bits.low, bits.middle, bits.high, (uint64_t)bits.wide);
	}
	put("many %016lx\n", many(255, -128, 65535, -32768, 4000000000, -2000000000, ~0ul, INT64_MIN, 1, -1, 7, -7));
	put("many reals %016lx\n", double_bits(many_reals(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12.5)));
	put("variable %016lx\n", variable("ildpbs", -1, -2l, 3.25, pair, big, "four"));
	put("variable %016lx\n", variable("iiiiiiiiiippd", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, pair, pair, -0.0));
	put("variable %016lx\n", variable("sdsdsdsdipl", "", 1.0, "a", 2.0, "bb", 3.0, "ccc", 4.0, -5, pair, 6l));
	return 0;
}
