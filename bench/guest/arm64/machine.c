/*
 * The arm64 machine without an operating system. The serial port's data register lies at one address in QEMU's `virt`
 * board (a PL011) and in ours (a 16550A), and neither needs to be asked whether it can take a byte.
 */
#include <stddef.h>
#include "machine.h"

#define RAM_BASE 0x40000000ul
#define PAGE 4096ul
#define RAM_PAGES (64ul * 1024 * 1024 / PAGE)

/* Bits of a descriptor. DDI 0487, D8.3. */
enum { BLOCK = 1, TABLE = 3, DEVICE = 4, INNER_SHAREABLE = 3 << 8, ACCESSED = 1 << 10 };
enum { ENTRIES = 512 };

#define PSCI_SYSTEM_OFF 0x84000008ul

static volatile uint8_t *const uart = (volatile uint8_t *)0x09000000;

static uint64_t root[ENTRIES] __attribute__((aligned(4096)));
static uint64_t middle[ENTRIES] __attribute__((aligned(4096)));
static uint64_t leaves[RAM_PAGES] __attribute__((aligned(4096)));

/* Maps RAM to itself page by page, and the first gigabyte, where the devices are, at once; the root's address. */
uint64_t map_memory(void)
{
	for (size_t i = 0; i < RAM_PAGES; i++)
		leaves[i] = (RAM_BASE + i * PAGE) | TABLE | INNER_SHAREABLE | ACCESSED;
	for (size_t i = 0; i < RAM_PAGES / ENTRIES; i++)
		middle[i] = (uint64_t)&leaves[i * ENTRIES] | TABLE;
	root[0] = BLOCK | DEVICE | ACCESSED;
	root[RAM_BASE >> 30] = (uint64_t)middle | TABLE;
	return (uint64_t)root;
}

void put(char byte)
{
	*uart = (uint8_t)byte;
}

uint64_t ticks(void)
{
	uint64_t time, frequency;
	__asm__ volatile("isb\n mrs %0, cntvct_el0" : "=r"(time) : : "memory");
	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(frequency));
	return time * 10 / (frequency / 1000000);
}

void flush_tlb(void)
{
	__asm__ volatile("dsb ishst\n tlbi vmalle1\n dsb ish\n isb" : : : "memory");
}

_Noreturn void end(int failed)
{
	(void)failed;
	register uint64_t call __asm__("x0") = PSCI_SYSTEM_OFF;
	__asm__ volatile("hvc #0" : : "r"(call));
	for (;;)
		;
}

_Noreturn void unexpected_trap(uint64_t syndrome, uint64_t pc, uint64_t address)
{
	put_text("unexpected trap: ESR_EL1 ");
	put_hex(syndrome);
	put_text(", ELR_EL1 ");
	put_hex(pc);
	put_text(", FAR_EL1 ");
	put_hex(address);
	put('\n');
	end(1);
}
