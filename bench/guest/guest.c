/*
 * A kernel as the only program of a machine: one round to warm up, then the rounds that the machine's own clock
 * measures. Prints `CHECKSUM TICKS` in hexadecimal on the serial port and switches the machine off; what an
 * emulator's process takes to start is no part of the figure.
 */
#include "kernel.h"
#include "machine.h"

void put_hex(uint64_t value)
{
	for (int shift = 60; shift >= 0; shift -= 4)
		put("0123456789abcdef"[value >> shift & 15]);
}

void put_text(const char *text)
{
	while (*text)
		put(*text++);
}

_Noreturn void guest_main(void)
{
	prepare();
	uint64_t result = kernel(0);
	const uint64_t begun = ticks();
	for (uint32_t i = 0; i < rounds; i++) {
		flush_tlb();
		result = kernel(result);
	}
	const uint64_t taken = ticks() - begun;
	put_hex(result);
	put(' ');
	put_hex(taken);
	put('\n');
	end(0);
}

/* A compiler may call these two for assignments. */

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	uint8_t *t = to;
	const uint8_t *f = from;
	for (size_t i = 0; i < size; i++)
		t[i] = f[i];
	return to;
}

void *memset(void *to, int value, size_t size)
{
	uint8_t *t = to;
	for (size_t i = 0; i < size; i++)
		t[i] = (uint8_t)value;
	return to;
}
