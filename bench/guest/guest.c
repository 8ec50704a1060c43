/*
 * A kernel as the only program of a machine: one round to warm up, then the rounds that the machine's own clock
 * measures. Prints `CHECKSUM TICKS` in hexadecimal on the serial port and switches the machine off; what an
 * emulator's process takes to start is no part of the figure. Addresses are those of QEMU's `virt` board.
 */
#include "kernel.h"

#define RAM_BASE 0x80000000ul
#define PAGE 4096ul
#define RAM_PAGES (64ul * 1024 * 1024 / PAGE)

/* Bits of an Sv39 page table's entry. Privileged Architecture, "Sv39". */
enum { V = 1, R = 2, W = 4, X = 8, A = 64, D = 128 };
enum { ENTRIES = 512 };

/* Registers of the 16550A, and bits of its line status. */
enum { UART_DATA = 0, UART_LINE_STATUS = 5, UART_CAN_SEND = 0x20 };

/* What QEMU's test device takes as the end of the machine. */
enum { FINISHED = 0x5555, FAILED = 0x13333 };

static volatile uint8_t *const uart = (volatile uint8_t *)0x10000000;
static volatile uint32_t *const finisher = (volatile uint32_t *)0x100000;

static uint64_t root[ENTRIES] __attribute__((aligned(4096)));
static uint64_t middle[ENTRIES] __attribute__((aligned(4096)));
static uint64_t leaves[RAM_PAGES] __attribute__((aligned(4096)));

static uint64_t entry(uint64_t address, uint64_t flags)
{
	return address / PAGE << 10 | flags;
}

/* Maps RAM to itself page by page, and the first gigabyte, where the devices are, at once; the root's address. */
uint64_t map_memory(void)
{
	for (size_t i = 0; i < RAM_PAGES; i++)
		leaves[i] = entry(RAM_BASE + i * PAGE, V | R | W | X | A | D);
	for (size_t i = 0; i < RAM_PAGES / ENTRIES; i++)
		middle[i] = entry((uint64_t)&leaves[i * ENTRIES], V);
	root[0] = entry(0, V | R | W | A | D);
	root[RAM_BASE >> 30] = entry((uint64_t)middle, V);
	return (uint64_t)root;
}

static void put(char byte)
{
	while ((uart[UART_LINE_STATUS] & UART_CAN_SEND) == 0)
		;
	uart[UART_DATA] = (uint8_t)byte;
}

static void put_hex(uint64_t value)
{
	for (int shift = 60; shift >= 0; shift -= 4)
		put("0123456789abcdef"[value >> shift & 15]);
}

static void put_text(const char *text)
{
	while (*text)
		put(*text++);
}

static uint64_t ticks(void)
{
	uint64_t time;
	__asm__ volatile("rdtime %0" : "=r"(time) : : "memory");
	return time;
}

/*
 * Forgets translations, as switching processes does. Without it QEMU's TLB would stay as small as it begins, for it
 * grows only when it is flushed; no real guest finds it like that.
 */
static void flush_tlb(void)
{
	__asm__ volatile("sfence.vma" : : : "memory");
}

_Noreturn static void end(uint32_t how)
{
	*finisher = how;
	for (;;)
		;
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
	end(FINISHED);
}

_Noreturn void unexpected_trap(uint64_t cause, uint64_t pc, uint64_t value)
{
	put_text("unexpected trap: mcause ");
	put_hex(cause);
	put_text(", mepc ");
	put_hex(pc);
	put_text(", mtval ");
	put_hex(value);
	put('\n');
	end(FAILED);
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
