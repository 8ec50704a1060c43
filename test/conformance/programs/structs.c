/* Structures by value, of every size and mixture that calling conventions treat differently; bit-fields; unions. */
#include "conformance.h"

struct tiny { signed char c; };
struct pair { int32_t a; float b; };
struct floats { float x, y, z; };
struct doubles { double x, y; };
struct mixed { double d; int64_t i; };
struct large { int64_t a[5]; };
struct nested { struct pair p; struct tiny t; };
struct fields { unsigned a : 3; int b : 5; unsigned c : 11; uint64_t d : 40; int64_t e : 17; };
union word { uint64_t whole; uint8_t bytes[8]; uint16_t halves[4]; float parts[2]; };

#define CALLED __attribute__((noipa))

static CALLED struct tiny of_tiny(struct tiny t) { t.c++; return t; }
static CALLED struct pair of_pair(struct pair p, int n) { p.a += n; p.b *= 2; return p; }
static CALLED struct floats of_floats(struct floats f, struct floats g) { f.x += g.z; f.y -= g.y; f.z *= g.x; return f; }
static CALLED struct doubles of_doubles(struct doubles d, double n) { d.x /= n; d.y += n; return d; }
static CALLED struct mixed of_mixed(struct mixed m, struct mixed n) { m.d += (double)n.i; m.i -= (int64_t)n.d; return m; }
static CALLED struct large of_large(struct large l, int by) { for (int i = 0; i < 5; i++) l.a[i] = l.a[(i + by) % 5] + i; return l; }
static CALLED struct nested of_nested(struct nested n) { n.p.a ^= n.t.c; n.t.c = (signed char)n.p.a; return n; }
static CALLED struct fields of_fields(struct fields f, uint64_t v)
{
	f.a += (unsigned)v;
	f.b = (int)(v >> 3);
	f.c ^= (unsigned)(v >> 8);
	f.d += v;
	f.e = (int64_t)(v >> 20);
	return f;
}

/* More arguments than registers of either kind. */
static CALLED double many(int a, double b, struct pair c, long d, float e, struct doubles f, short g, struct large h, signed char i,
	double j, double k, double l, double m, double n, struct mixed o, long p, long q, long r, float s)
{
	return a + b + c.a + c.b + (double)d + e + f.x + f.y + g + (double)h.a[4] + i + j + k + l + m + n + o.d + (double)o.i +
	       (double)(p + q + r) + s;
}

static CALLED int64_t variable(int count, ...)
{
	va_list list;
	int64_t sum = 0;
	va_start(list, count);
	for (int i = 0; i < count; i++) {
		sum += va_arg(list, int);
		sum += (int64_t)va_arg(list, double);
		sum ^= va_arg(list, int64_t);
		sum += va_arg(list, struct pair).a;
		sum -= va_arg(list, struct large).a[1];
	}
	va_end(list);
	return sum;
}

int main(void)
{
	uint64_t state = 8;
	for (int i = 0; i < 12; i++) {
		const int n = (int)(next_random(&state) & 0xff);
		const struct pair p = of_pair((struct pair){n, (float)n / 4}, i);
		const struct floats f = of_floats((struct floats){(float)n, 2, 3}, (struct floats){0.5f, (float)i, 1});
		const struct doubles d = of_doubles((struct doubles){n, i}, 8);
		const struct mixed m = of_mixed((struct mixed){n, i}, (struct mixed){3, n});
		const struct large l = of_large((struct large){{n, i, 3, 4, 5}}, i);
		const struct nested s = of_nested((struct nested){p, of_tiny((struct tiny){(signed char)n})});
		const struct fields g = of_fields((struct fields){1, -2, 3, 4, -5}, next_random(&state));
		union word w = {.whole = next_random(&state)};
		w.bytes[3] ^= 0xff;
		w.halves[2] += 7;
		put("%d %08x %08x %08x %08x\n", p.a, float_bits(p.b), float_bits(f.x), float_bits(f.y), float_bits(f.z));
		put("%016lx %016lx %016lx %ld\n", double_bits(d.x), double_bits(d.y), double_bits(m.d), m.i);
		put("%ld %ld %d %d\n", l.a[0], l.a[4], s.p.a, s.t.c);
		put("%u %d %u %lu %ld %016lx\n", g.a, g.b, g.c, (uint64_t)g.d, (int64_t)g.e, w.whole);
		const double sum = many(n, 1, p, 2, 3, d, 4, l, 'x', 5, 6, 7, 8, 9, m, 10, 11, 12, 13);
		put("%016lx %ld\n", double_bits(sum), variable(2, n, 1.5, 77l, p, l, i, 2.5, 99l, p, l));
	}
	return 0;
}
