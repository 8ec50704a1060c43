/* Long switches, sparse and dense, computed jumps, and a machine of states written three ways. */
#include "conformance.h"

static __attribute__((noinline)) int dense(int x)
{
	switch (x) {
#define CASE(n) case n: return (n) * 7 ^ 0x55;
#define TEN(n) CASE(n) CASE(n + 1) CASE(n + 2) CASE(n + 3) CASE(n + 4) CASE(n + 5) CASE(n + 6) CASE(n + 7) CASE(n + 8) CASE(n + 9)
	TEN(0) TEN(10) TEN(20) TEN(30) TEN(40) TEN(60) TEN(70)
	case 55: return -1;
	default: return -2;
	}
}

static __attribute__((noinline)) int sparse(int64_t x)
{
	switch (x) {
	case -9000000000: return 1;
	case -70000: return 2;
	case -1: return 3;
	case 0: return 4;
	case 17: return 5;
	case 1000: return 6;
	case 65536: return 7;
	case 0x7fffffff: return 8;
	case 0x80000000: return 9;
	case 123456789012: return 10;
	default: return 0;
	}
}

/* Counts words, numbers and other things. */
static void scan(const char *text, unsigned counts[3])
{
	static void *const states[] = {&&between, &&word, &&number, &&other};
	const char *at = text;
	int kind;
next:
	kind = *at == 0 ? -1 : *at == ' ' ? 0 : (*at >= 'a' && *at <= 'z') ? 1 : (*at >= '0' && *at <= '9') ? 2 : 3;
	at++;
	if (kind < 0)
		return;
	goto *states[kind];
between:
	goto next;
word:
	counts[0] += at - 1 == text || at[-2] == ' ';
	goto next;
number:
	counts[1]++;
	goto next;
other:
	counts[2]++;
	goto next;
}

int main(void)
{
	uint64_t all = EMPTY_HASH;
	for (int x = -5; x < 90; x++)
		all = hash(all, (uint64_t)dense(x));
	put("dense %016lx\n", all);
	static const int64_t values[] = {-9000000000, -70000, -2, -1, 0, 1, 17, 18, 1000, 65535, 65536, 0x7fffffff, 0x80000000, 123456789012};
	for (size_t i = 0; i < LENGTH(values); i++)
		put("%ld: %d\n", values[i], sparse(values[i]));
	unsigned counts[3] = {0, 0, 0};
	scan("call 911 or 112 if the page (of 4096 bytes) faults!", counts);
	put("%u words, %u digits, %u others\n", counts[0], counts[1], counts[2]);
	return 0;
}
