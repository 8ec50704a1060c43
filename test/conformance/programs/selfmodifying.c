/* Code that is made and changed while the program runs: the processor must see what was written last. */
#include "conformance.h"

enum { SLOTS = 8, SLOT_BYTES = 64, PAGE = 4096 };

static uint8_t code[3 * PAGE] __attribute__((aligned(PAGE)));

static unsigned long run_often(const void *function, unsigned times)
{
	unsigned long sum = 0;
	while (times-- > 0)
		sum += (unsigned long)call_function(function);
	return sum;
}

int main(void)
{
	for (int value = 0; value < 2048; value += 127) {
		write_function(code, value);
		put("%d ", call_function(code));
	}
	put("\n");
	/* Changed after it has run often enough to be translated. */
	for (int round = 1; round <= 4; round++) {
		write_function(code, round);
		put("round %d: %lu\n", round, run_often(code, 5000));
	}
	/* Neighbours in one page, changed in turn. */
	for (int slot = 0; slot < SLOTS; slot++)
		write_function(code + slot * SLOT_BYTES, slot);
	for (int round = 0; round < 3 * SLOTS; round++) {
		write_function(code + round % SLOTS * SLOT_BYTES, 100 + round);
		unsigned long sum = 0;
		for (int slot = 0; slot < SLOTS; slot++)
			sum += run_often(code + slot * SLOT_BYTES, 3) << 4 * (slot & 3);
		put("neighbours %lu\n", sum);
	}
	/* Copied elsewhere and across the end of a page. */
	for (int offset = -12; offset <= 4; offset += 4) {
		uint8_t *const place = code + 2 * PAGE + offset;
		write_function(place, 1000 + offset);
		put("at the end of a page %d: %lu\n", offset, run_often(place, 700));
	}
	return 0;
}
