/*
 * Random loads and stores of every width on the registers of every device but the power control, which would end the
 * run; accesses that trap (misaligned ones where the processor wants that, places without a device) are passed over.
 * Runs on the bare riscv64 machine with interrupts off; the last line of its output begins with "done".
 */
#include "conformance.h"

static volatile uint64_t traps;

__attribute__((interrupt("machine"), aligned(4))) static void pass_over(void)
{
	uint64_t pc;
	__asm__ volatile("csrr %0, mepc" : "=r"(pc));
	pc += (*(const volatile uint16_t *)pc & 3) == 3 ? 4 : 2;
	__asm__ volatile("csrw mepc, %0" : : "r"(pc));
	traps++;
}

static const struct {
	uint64_t address, size;
} ranges[] = {
	{0x00101000, 0x1000},			   /* clock */
	{0x0c000000, 0x80},    {0x0c001000, 0x80}, /* interrupt controller: priorities, pending, */
	{0x0c002000, 0x100},   {0x0c200000, 0x2000}, /* enables, thresholds and claims */
	{0x0c000000, 0x600000},
	{0x10000000, 0x100},			   /* console, of which it says more than "done" */
	{0x10001000, 0x1000},  {0x10001000, 0x200}, /* virtio */
	{0x10002000, 0x200},   {0x10003000, 0x200},
	{0x10009000, 0x1000},			   /* nothing */
};

static uint64_t access(volatile uint8_t *at, unsigned kind, uint64_t value)
{
	switch (kind) {
	case 0: return *at;
	case 1: return *(volatile uint16_t *)at;
	case 2: return *(volatile uint32_t *)at;
	case 3: return *(volatile uint64_t *)at;
	case 4: *at = (uint8_t)value; return 0;
	case 5: *(volatile uint16_t *)at = (uint16_t)value; return 0;
	case 6: *(volatile uint32_t *)at = (uint32_t)value; return 0;
	default: *(volatile uint64_t *)at = value; return 0;
	}
}

int main(void)
{
	__asm__ volatile("csrw mtvec, %0" : : "r"(pass_over));
	uint64_t state = 0x2545f4914f6cdd1d;
	for (unsigned n = 0; n < 200000; n++) {
		const uint64_t random = next_random(&state), value = next_random(&state);
		const size_t range = random % LENGTH(ranges);
		uint64_t offset = (random >> 8) % ranges[range].size;
		if ((random >> 60) != 0)
			offset &= ~7ul >> (random >> 59 & 1);
		/* A value is anything, a small number, or an address in RAM beyond the program. */
		const uint64_t values[] = {value, value & 15, 0x80300000 + (value & 0xffff8), ~0ul};
		access((volatile uint8_t *)(ranges[range].address + offset), (unsigned)(random >> 40) & 7, values[random >> 50 & 3]);
	}
	/* The console as it was, and the end. */
	volatile uint8_t *const uart = (volatile uint8_t *)0x10000000;
	uart[4] = 0;
	uart[3] = 3;
	put("\ndone, %s\n", traps > 0 ? "some accesses trapped" : "no access trapped");
	return 0;
}
