/* 128-bit arithmetic: carries, products, quotients, shifts across words, comparisons. */
#include "conformance.h"

typedef unsigned __int128 wide;
typedef __int128 signed_wide;

static wide make(uint64_t high, uint64_t low)
{
	return (wide)opaque(high) << 64 | opaque(low);
}

static void show(const char *name, wide value)
{
	put("  %-8s %016lx_%016lx\n", name, (uint64_t)(value >> 64), (uint64_t)value);
}

static void show_decimal(wide value)
{
	char digits[48];
	size_t at = sizeof digits;
	digits[--at] = 0;
	do {
		digits[--at] = (char)('0' + (int)(value % 10));
		value /= 10;
	} while (value != 0);
	put("  decimal  %s\n", digits + at);
}

int main(void)
{
	static const uint64_t words[] = {0, 1, 3, 0xffffffff, 0x8000000000000000, 0xfedcba9876543210, 0xffffffffffffffff};
	uint64_t state = 0x9e3779b97f4a7c15;
	for (size_t i = 0; i < LENGTH(words); i++) {
		for (size_t j = 0; j < LENGTH(words); j += 2) {
			const wide a = make(words[i], words[j]);
			const wide b = make(words[(i * 3 + j) % LENGTH(words)] >> (i * 9), next_random(&state) | 1);
			const signed_wide sa = (signed_wide)a, sb = (signed_wide)b;
			const unsigned count = (unsigned)(next_random(&state) % 128);
			put("%lu %lu\n", i, j);
			show("add", a + b);
			show("sub", a - b);
			show("mul", a * b);
			show("div", a / b);
			show("rem", a % b);
			show("sdiv", (wide)(sa / sb));
			show("srem", (wide)(sa % sb));
			show("shl", a << count);
			show("shr", a >> count);
			show("sar", (wide)(sa >> count));
			put("  compare  %d%d%d%d\n", a < b, sa < sb, a == b, sa >= sb);
			show_decimal(a);
		}
	}
	wide factorial = 1;
	for (unsigned n = 2; n <= 34; n++)
		factorial *= opaque(n);
	show("34!", factorial);
	show_decimal(factorial);
	return 0;
}
