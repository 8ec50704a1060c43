/* The riscv64 machine without an operating system; addresses are those of QEMU's `virt` board. */
#include <stddef.h>
#include "machine.h"

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

void put(char byte)
{
	while ((uart[UART_LINE_STATUS] & UART_CAN_SEND) == 0)
		;
	uart[UART_DATA] = (uint8_t)byte;
}

uint64_t ticks(void)
{
	uint64_t time;
	__asm__ volatile("rdtime %0" : "=r"(time) : : "memory");
	return time;
}

void flush_tlb(void)
{
	__asm__ volatile("sfence.vma" : : : "memory");
}

_Noreturn void end(int failed)
{
	*finisher = failed ? FAILED : FINISHED;
	for (;;)
		;
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
	end(1);
}

