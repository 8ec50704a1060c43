/*
 * Bit manipulation: what compilers turn into the bit instructions where the architecture has them (on riscv64 Zba,
 * Zbb and Zbs) and into loops and masks where not. Carry-less products use the instructions of Zbc if they may.
 */
#include "conformance.h"

static const uint64_t seeds[] = {
	0, 1, 2, 0x80, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x00ff00ff00ff00ff, 0x8000000000000000,
	0xdeadbeefcafebabe, 0xfffffffffffffffe, 0xffffffffffffffff,
};

static void counts(uint64_t a)
{
	const uint32_t w = (uint32_t)a;
	put("  zeros %d %d %d %d", a == 0 ? 64 : __builtin_clzl(a), a == 0 ? 64 : __builtin_ctzl(a),
	    w == 0 ? 32 : __builtin_clz(w), w == 0 ? 32 : __builtin_ctz(w));
	put(" ones %d %d parity %d first %d\n", __builtin_popcountl(a), __builtin_popcount(w), __builtin_parityl(a),
	    __builtin_ffsl((long)a));
	put("  bytes %016lx %08x %04x\n", __builtin_bswap64(a), __builtin_bswap32(w), __builtin_bswap16((uint16_t)a));
	put("  extended %lx %lx %lx %lx %lx\n", (uint64_t)(int8_t)a, (uint64_t)(int16_t)a, (uint64_t)(int32_t)a,
	    (uint64_t)(uint16_t)a, (uint64_t)w);
}

static uint64_t rotate_left(uint64_t a, unsigned by)
{
	return a << (by & 63) | a >> (-by & 63);
}

static uint64_t rotate_right(uint64_t a, unsigned by)
{
	return a >> (by & 63) | a << (-by & 63);
}

static uint32_t rotate_left_word(uint32_t a, unsigned by)
{
	return a << (by & 31) | a >> (-by & 31);
}

static uint32_t rotate_right_word(uint32_t a, unsigned by)
{
	return a >> (by & 31) | a << (-by & 31);
}

static uint64_t pairs(uint64_t a, uint64_t b)
{
	const int64_t sa = (int64_t)a, sb = (int64_t)b;
	const unsigned n = (unsigned)b & 63;
	uint64_t all = EMPTY_HASH;
	all = hash(hash(hash(all, a & ~b), a | ~b), ~(a ^ b));
	all = hash(hash(hash(all, a < b ? a : b), a > b ? a : b), (uint64_t)(sa < sb ? sa : sb));
	all = hash(all, (uint64_t)(sa > sb ? sa : sb));
	all = hash(hash(all, rotate_left(a, n)), rotate_right(a, n));
	all = hash(hash(all, rotate_left_word((uint32_t)a, n)), rotate_right_word((uint32_t)a, n));
	all = hash(hash(hash(all, rotate_right(a, 17)), rotate_right_word((uint32_t)a, 9)), rotate_left(a, 1));
	all = hash(hash(hash(all, a | 1ul << n), a & ~(1ul << n)), a ^ 1ul << n);
	all = hash(hash(hash(all, a >> n & 1), a | 1ul << 40), a & ~(1ul << 33));
	all = hash(hash(hash(all, a ^ 1ul << 63), a >> 50 & 1), a | 1u << 31);
	all = hash(hash(hash(all, (a << 1) + b), (a << 2) + b), (a << 3) + b);
	all = hash(hash(all, ((uint64_t)(uint32_t)a << 1) + b), ((uint64_t)(uint32_t)a << 2) + b);
	all = hash(hash(all, ((uint64_t)(uint32_t)a << 3) + b), (uint64_t)(uint32_t)a + b);
	return hash(all, (uint64_t)(uint32_t)a << 12);
}

static uint64_t reverse(uint64_t a)
{
	a = (a >> 1 & 0x5555555555555555) | (a & 0x5555555555555555) << 1;
	a = (a >> 2 & 0x3333333333333333) | (a & 0x3333333333333333) << 2;
	a = (a >> 4 & 0x0f0f0f0f0f0f0f0f) | (a & 0x0f0f0f0f0f0f0f0f) << 4;
	return __builtin_bswap64(a);
}

#ifdef __riscv_zbc
#define BINARY(name) \
	static uint64_t name(uint64_t a, uint64_t b) \
	{ \
		uint64_t result; \
		__asm__(#name " %0, %1, %2" : "=r"(result) : "r"(a), "r"(b)); \
		return result; \
	}
BINARY(clmul)
BINARY(clmulh)
BINARY(clmulr)
#else
/* The 128 bits of a product without carries. */
static unsigned __int128 product(uint64_t a, uint64_t b)
{
	unsigned __int128 sum = 0;
	for (int bit = 0; bit < 64; bit++) {
		if (b >> bit & 1)
			sum ^= (unsigned __int128)a << bit;
	}
	return sum;
}

static uint64_t clmul(uint64_t a, uint64_t b)
{
	return (uint64_t)product(a, b);
}

static uint64_t clmulh(uint64_t a, uint64_t b)
{
	return (uint64_t)(product(a, b) >> 64);
}

static uint64_t clmulr(uint64_t a, uint64_t b)
{
	return (uint64_t)(product(a, b) >> 63);
}
#endif

/* All bits of a byte from whether it is zero. */
static uint64_t spread(uint64_t a)
{
#ifdef __riscv_zbb
	uint64_t result;
	__asm__("orc.b %0, %1" : "=r"(result) : "r"(a));
	return result;
#else
	uint64_t result = 0;
	for (int byte = 0; byte < 64; byte += 8)
		result |= (a >> byte & 0xff) == 0 ? 0 : 0xfful << byte;
	return result;
#endif
}

int main(void)
{
	for (size_t i = 0; i < LENGTH(seeds); i++) {
		const uint64_t a = opaque(seeds[i]);
		put("%016lx\n", a);
		counts(a);
		put("  reversed %016lx spread %016lx\n", reverse(a), spread(a));
		uint64_t all = EMPTY_HASH;
		for (size_t j = 0; j < LENGTH(seeds); j++) {
			all = hash(all, pairs(a, opaque(seeds[j])));
			all = hash(all, pairs(a, opaque(j * 5)));
		}
		put("  pairs %016lx\n", all);
		const uint64_t b = opaque(seeds[(i * 5 + 3) % LENGTH(seeds)]);
		put("  carry-less %016lx %016lx %016lx\n", clmul(a, b), clmulh(a, b), clmulr(a, b));
	}
	return 0;
}
